package trust

import (
	"github.com/fblwatch/fblwatch/report"
)

// mend gives a verdict that is no pass, and that no signature decided, a reason to act
// on: why, if it has a Code; or why the word of a server does not count; or what is
// missing. For the config it proposes only names that are certain to be of our own
// servers: a sender can write all others.
func (c *Checker) mend(v verdict, why report.Reason, t *trail, sigs []signature, from string) verdict {
	switch v.reason.Code {
	case report.CodeUnsigned, report.CodeDKIMOff, report.CodeOld:
	default:
		return v
	}
	if why.Code == "" {
		why = c.uncounted(t, sigs, from)
	}
	switch {
	case why.Code != "":
		v.reason = why
	case v.reason.Code == report.CodeUnsigned && len(sigs) == 0:
		v.reason.Text = "not signed: there is no DKIM-Signature" + t.found(from)
	case v.reason.Code == report.CodeUnsigned:
		v.reason.Text = "not signed by " + shown(from)
		if d := sigs[0].domain; d != "" {
			v.reason.Text += ", but by " + shown(d)
		}
	case v.reason.Code == report.CodeDKIMOff && c.config.DKIM == nil:
		v.reason = report.Reason{Code: report.CodeOwnUnset, Text: "trust.own is not set: only where it is, signatures are verified"}
	case v.reason.Code == report.CodeDKIMOff:
		v.reason.Text += t.found(from)
	}
	return v
}

// found says which results are there at all.
func (t *trail) found(from string) string {
	there := false
	for i := range t.steps {
		s := &t.steps[i]
		if s.dkim {
			return "; " + resultsOf(s.results.id) + " says no dkim=pass for " + shown(from)
		}
		there = there || s.field.name == "authentication-results"
	}
	if there {
		return "; no Authentication-Results that counts has a result of DKIM"
	}
	return "; there is no Authentication-Results"
}

// uncounted is why the topmost of the passes that do not count does not, if it would
// do otherwise.
func (c *Checker) uncounted(t *trail, sigs []signature, from string) report.Reason {
	signed := len(c.relevant(sigs, from)) > 0
	for i := range t.steps {
		s := &t.steps[i]
		if s.field.name == "received" || s.why.Code == "" || s.open && t.verifies {
			continue
		}
		for _, r := range s.read().results {
			d := r.domain()
			if r.value != resultPass || !c.aligned(d, from) {
				continue
			}
			switch {
			case r.method == "dkim" && !s.dkim && signed: // else the sender may well have written the pass
			case r.method == "spf" && !s.spf && covered(c.signers, d):
			default:
				continue
			}
			return report.Reason{Code: s.why.Code, Text: resultsOf(s.results.id) + " says " + r.method + "=pass for " + shown(d) + ", but " + s.why.Text + t.cure(s)}
		}
	}
	return report.Reason{}
}

// cure is what makes a field count.
func (t *trail) cure(s *step) string {
	add := ""
	switch own := t.system.Name == ownMailbox; {
	case !own:
	case s.why.Code == report.CodeIDUnknown && s.place <= 1:
		add = "add it if that server is yours"
	case s.why.Code == report.CodeHopUnknown && s.place == 1 && t.system.isID(s.results.id):
		add = "add it"
	case s.why.Code == report.CodeHopUnknown && s.place == 1:
		add = "add it, and " + shown(s.results.id) + " to trust.authserv_ids if that server is yours"
	}
	switch {
	case add == "" && t.verifies:
		return ""
	case add == "":
		return ": set trust.dkim"
	case t.verifies:
		return ": " + add
	}
	return ": " + add + ", or set trust.dkim"
}

// noSPF is why a pass of SPF for domain does not count, though its field does.
func (t *trail) noSPF(domain, id string, open bool) report.Reason {
	says := resultsOf(id) + " says spf=pass for " + shown(domain) + ", but "
	switch {
	case !t.taken && t.system.Name == ownMailbox:
		return report.Reason{Code: report.CodeHopUnknown, Text: says + "the topmost Received is by " + host(t.top) + ", which is not in trust.hops: add it"}
	case !t.taken:
		return report.Reason{}
	}
	return report.Reason{Code: report.CodeBelow, Text: says + "is below a Received of ours, like the sender's own fields, and no signature can confirm it"}
}
