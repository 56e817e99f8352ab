package trust

import (
	"slices"

	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/report"
)

// voice is what one server says of a message, in those of its fields that count.
type voice struct {
	id      string
	results []result
	open    bool // the sender may have written it
	none    bool // it saw no signature
	most    int  // results of signatures in one field, at most
}

// add adds what one field says.
func (v *voice) add(results []result) {
	n := 0
	for _, r := range results {
		switch {
		case r.method != "dkim":
		case r.isNone():
			v.none = true
		default:
			n++
		}
	}
	v.results, v.most = append(v.results, results...), max(v.most, n)
}

// overstates reports whether a server has results of more signatures than there are. Some
// servers write what their client says, such as its name or the envelope, so that it
// can be read as a result: there is one too many then.
func (v *voice) overstates(signatures int) bool {
	return v.most > signatures && (signatures > 0 || v.none)
}

// resultsOf names the fields of a server, for people.
func resultsOf(id string) string {
	if id == "" {
		return "Authentication-Results"
	}
	return "Authentication-Results of " + shown(id)
}

// opinion is what servers say together of a message's signatures.
type opinion struct {
	domain string // that a pass is for, and that may speak for From; "": none
	by     string // the id of the first server that says so
	open   bool   // the sender may have written all that says so
	// doubt is why there is no domain though somebody says pass, or fail of a domain
	// that may speak for From: of CodeContradicted or CodeNoDomain.
	doubt report.Reason
}

// signedBy takes together what servers say of the signatures sigs. A pass counts if
// each server with a result of DKIM says it of the same domain.
func (c *Checker) signedBy(voices []voice, sigs []signature, from string) (o opinion) {
	times, first, closed := make(map[string]int), make(map[string]string), make(map[string]bool)
	var order []string
	for i := range voices {
		v := &voices[i]
		domains, doubt := c.passedBy(v, sigs, from)
		if o.doubt.Code == "" {
			o.doubt = doubt
		}
		for _, d := range domains {
			if times[d]++; times[d] == 1 {
				order, first[d] = append(order, d), v.id
			}
			closed[d] = closed[d] || !v.open
		}
	}
	for _, d := range order {
		if times[d] == len(voices) && (o.domain == "" || c.known(d, c.from) && !c.known(o.domain, c.from)) {
			o = opinion{domain: d, by: first[d], open: !closed[d]}
		}
	}
	if o.domain == "" && len(order) > 0 {
		d := order[0]
		o.doubt = report.Reason{Code: report.CodeContradicted, Text: resultsOf(first[d]) + " says dkim=pass for " + shown(d) + ", and that of another server does not"}
	}
	return o
}

// passedBy gives the domains that one server says dkim=pass of, of those that may
// speak for from. One pass is enough, as a message can have signatures that are
// worth nothing beside a good one, but not of a selector that also failed.
func (c *Checker) passedBy(v *voice, sigs []signature, from string) (domains []string, doubt report.Reason) {
	type key struct{ domain, selector string }
	failed, unnamed := make(map[key]bool), false
	about := func(code report.Code, text string) {
		if doubt.Code == "" {
			doubt = report.Reason{Code: code, Text: resultsOf(v.id) + " says " + text}
		}
	}
	for _, r := range v.results {
		if r.method == "dkim" && r.value != resultPass && !r.isNone() {
			failed[key{r.domain(), r.props["header.s"]}] = true
		}
	}
	for _, r := range v.results {
		if r.method != "dkim" || r.isNone() {
			continue
		}
		d := r.domain()
		switch selector := r.props["header.s"]; {
		case r.value != resultPass && (d == "" || c.aligned(d, from)):
			about(report.CodeContradicted, "dkim="+shown(r.value)+forDomain(d))
		case r.value != resultPass:
		case !r.names():
			unnamed = true
		case !c.aligned(d, from):
		case selector != "" && failed[key{d, selector}]:
			about(report.CodeContradicted, "dkim=pass"+forDomain(d)+" and another result of the same selector")
		case !slices.Contains(domains, d):
			domains = append(domains, d)
		}
	}
	if v.overstates(len(sigs)) && (unnamed || len(domains) > 0) {
		doubt = report.Reason{}
		about(report.CodeContradicted, "more of DKIM than there are signatures: some of that may be the sender's words")
		return nil, doubt
	}
	if len(domains) > 0 {
		return domains, report.Reason{}
	}
	if unnamed {
		if d := v.standIn(sigs, from); d != "" {
			return []string{d}, report.Reason{}
		}
		doubt = report.Reason{}
		about(report.CodeNoDomain, "dkim=pass without the domain that signed, and there is no dmarc=pass for "+shown(from)+" with one DKIM-Signature of its organisation")
	}
	return nil, doubt
}

func forDomain(d string) string {
	if d == "" {
		return ""
	}
	return " for " + shown(d)
}

// standIn is the domain for which a server that names none says dkim=pass: that of
// the signatures which are aligned with from as DMARC wants it (RFC 7489 section
// 3.1.1), if it says dmarc=pass for from. DMARC may have passed by SPF alone: so they
// must be there, and of one domain.
func (v *voice) standIn(sigs []signature, from string) (domain string) {
	passed := false
	for _, r := range v.results {
		if r.method == "dmarc" {
			if passed = r.value == resultPass && r.domain() == from; !passed {
				return ""
			}
		}
	}
	for _, s := range sigs {
		switch {
		case !passed || s.domain != from && (message.Organisation(from) == "" || message.Organisation(s.domain) != message.Organisation(from)):
		case domain != "" && s.domain != domain:
			return ""
		default:
			domain = s.domain
		}
	}
	return domain
}

// sentBy is the envelope's domain with spf=pass, if that domain is a provider's alone and
// may speak for from. id is the server that says so. open: the sender may have written
// it.
func (c *Checker) sentBy(voices []voice, from string) (domain, id string, open bool) {
	open = true
	for _, v := range voices {
		none, said := false, false
		for _, r := range v.results {
			if r.method != "spf" || r.ofHelo() {
				continue
			}
			if r.isNone() {
				none = true
				continue
			}
			said = true
			d := r.domain()
			if r.value != resultPass || !c.aligned(d, from) || !covered(c.signers, d) { // a domain that is shared proves no From
				return "", "", false
			}
			if domain == "" {
				domain, id = d, v.id
			}
			open = open && v.open
		}
		if none && said { // of one envelope: one of them may be the sender's words
			return "", "", false
		}
	}
	return domain, id, open
}

// signing gives the signatures that a pass of domain may be about: those that name
// it, or what is above it, as a server may tell of an identity below; and those that
// cannot be read. there: one names it.
func signing(sigs []signature, domain string) (about []signature, there bool) {
	for _, s := range sigs {
		if s.domain == "" || below(domain, s.domain) {
			about, there = append(about, s), there || s.domain != ""
		}
	}
	return about, there
}
