package trust

import (
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/report"
)

// The reported message itself cannot prove that it is ours. Anybody can write our domain
// into a From and our subscribers' tokens into a message, send it to a mailbox of their
// own, and report it. What counts is what the reporter found when it received the
// message:
//
//   - It came from trust.own.ips, or SPF passed for trust.own.domains: all of it is
//     ours. If it came from an address that is not among own.ips, it is not ours,
//     whatever else was found: anybody can send again a message that we signed, with
//     other tokens in the unsigned fields.
//   - DKIM or DMARC passed for own.domains: it is ours as far as its signature
//     goes. A token counts where all signatures of that domain cover its field.
//   - Nothing was found: it is ours only by a token that a key of ours made
//     (identify.verify).
//
// The finding is in the report's Source-IP and Authentication-Results or, as
// with Yahoo and with Microsoft's reports of 2026, in the reported message's header
// above the hop at which the provider's hosts received it.
//
// foreign is why the message is not ours; zero: it is. signed: the subscriber's token
// is one that a key of ours made.
func (c *Checker) foreign(r *origin, rec *report.Record, signed bool) (why report.Reason) {
	if !c.config.Own.IsSet() {
		return report.Reason{Code: report.CodeOwnUnset, Text: "trust.own is not set"}
	}
	r.read(c, rec)
	if addr, err := netip.ParseAddr(rec.SourceIP); err == nil && len(c.ips) > 0 {
		addr = addr.Unmap()
		if !slices.ContainsFunc(c.ips, func(p netip.Prefix) bool { return p.Contains(addr) }) {
			return report.Reason{Code: report.CodeForeignIP, Text: "the reported message came from " + addr.String() + ", which is not among trust.own.ips"}
		}
		if !r.stranger && (rec.Derived["source_ip"] == "" || r.intake.ip == rec.SourceIP) {
			return why
		}
	}
	switch {
	case r.whole:
		return why
	case r.said && !r.ours:
		return report.Reason{Code: report.CodeForeignDomain, Text: "the reporter did not find the reported message to be of trust.own.domains"}
	case !r.said && !signed:
		return report.Reason{Code: report.CodeUnproven, Text: "only the reported message itself says that it is ours"}
	case !c.certain(r, rec, signed):
		return report.Reason{Code: report.CodeUnsignedToken, Text: "what names the subscriber is not signed: anybody could have written it"}
	}
	return why
}

// origin is what the records of one report have in common, which may be a
// thousand: it is read once.
type origin struct {
	header   *report.Header // of the reported message
	stranger bool           // the reporter is unknown: its findings are no evidence

	known  bool // what follows was read
	intake intake
	covers map[string]bool // by the name of a field
	tops   map[string]bool // the fields above all Received

	said, ours, whole bool // see ourResults
}

func (r *origin) read(c *Checker, rec *report.Record) {
	if r.known {
		return
	}
	found, in := c.found(r.header, rec)
	r.known, r.intake = true, in
	if !r.stranger {
		r.said, r.ours, r.whole = c.ourResults(found, len(r.header.Values("DKIM-Signature")))
	}
}

// found is what the reporter found of the reported message, in the report or else in
// what it wrote into the message's header.
func (c *Checker) found(header *report.Header, rec *report.Record) ([]authResults, intake) {
	in := intakeOf(header, c.hosts)
	if found := ofOne(rec.AuthenticationResults); saysDomain(found) {
		return found, in
	}
	return in.results, in
}

// ourResults looks for our domains among what was found of a message with so many
// signatures. said: any domain was checked; ours: one of ours passed; whole: all of
// the message is ours. Some servers write what their client says so that it can be read
// as a result. If two results of MAIL FROM differ, SPF proves nothing. If there are more
// results of DKIM than signatures, DKIM proves nothing.
func (c *Checker) ourResults(found []authResults, signatures int) (said, ours, whole bool) {
	var all voice
	for _, a := range found {
		all.add(a.results)
	}
	passed, envelope, differs := false, "", false
	for _, r := range all.results {
		domain := r.domain()
		pass := r.value == resultPass && covered(c.config.Own.Domains, domain)
		said = said || domain != "" && r.value != resultNone
		switch {
		case r.method == "spf" && !r.ofHelo():
			passed = passed || pass
			differs = differs || envelope != "" && envelope != r.value+" "+domain
			envelope = r.value + " " + domain
		case r.method != "dkim" || !all.overstates(signatures):
			ours = ours || pass
		}
	}
	whole = passed && !differs
	return said, ours || whole, whole
}

// ofOne parses the results of the server that wrote the first of them: others
// may have come with the message.
func ofOne(values []string) (all []authResults) {
	for _, v := range values {
		if a := parseResults(v); len(all) == 0 || a.id == all[0].id {
			all = append(all, a)
		}
	}
	return all
}

func saysDomain(all []authResults) bool {
	return slices.ContainsFunc(all, func(a authResults) bool {
		return slices.ContainsFunc(a.results, func(r result) bool { return r.domain() != "" })
	})
}

// certain reports whether the field that names the complainant is the provider's own,
// proven by our key, or covered by our signature. Tenants number their
// subscribers each for himself: the tenant counts too.
func (c *Checker) certain(r *origin, rec *report.Record, signed bool) bool {
	if name, derived := strings.CutPrefix(rec.Derived["original_rcpt_to"], report.FromOriginal+":"); derived && !(r.intake.found && r.onTop(name)) {
		return false
	}
	id := rec.Identity
	if id == nil || id.Subscriber == "" || strings.EqualFold(id.Subscriber, rec.OriginalRcptTo) || strings.EqualFold(id.Subscriber, rec.RcptHash) {
		return true
	}
	for _, field := range []string{"subscriber", "tenant"} {
		rule, there := id.By[field]
		if !there || rule.Source == "rcpt" || signed && rule.Rule == id.By["subscriber"].Rule {
			continue
		}
		name, original := strings.CutPrefix(rule.Source, report.FromOriginal+":")
		if !original {
			return false
		}
		covered, known := r.covers[name]
		if !known {
			covered = r.ours && c.covers(r.header, name)
			if r.covers == nil {
				r.covers = make(map[string]bool)
			}
			r.covers[name] = covered
		}
		if !covered {
			return false
		}
	}
	return true
}

// onTop reports whether the field is above all Received, where only the provider writes.
func (r *origin) onTop(field string) bool {
	if r.tops == nil {
		r.tops = make(map[string]bool)
		for name := range r.header.Fields() {
			r.tops[name] = true
			if name == "received" {
				break
			}
		}
	}
	return r.tops[strings.ToLower(field)]
}

// covers reports whether the header is signed for one of our domains, and each
// signature of its organisation, by any of which DMARC may have passed, covers all
// fields of that name: of several, the one that was found good is not known, and the
// others can be anybody's. A signature that cannot be read may be the good one:
// others may have read it.
func (c *Checker) covers(h *report.Header, name string) bool {
	fields, signatures := len(h.Values(name)), 0
	name = lower(name)
	for _, v := range h.Values("DKIM-Signature") {
		tags, ok := readTags(v)
		domain := canonical(tags["d"])
		if !ok || tags["h"] == "" || domain == "" || strings.ContainsFunc(domain, func(r rune) bool { return r <= ' ' || r >= utf8.RuneSelf }) {
			return false
		}
		ours, near, org := false, false, message.Organisation(domain)
		for _, own := range c.config.Own.Domains {
			ours = ours || below(domain, own) || below(own, domain)
			near = near || org != "" && org == message.Organisation(canonical(own))
		}
		switch {
		case ours:
			signatures++
		case !near:
			continue
		}
		covered := 0
		for signed := range strings.SplitSeq(lower(tags["h"]), ":") {
			if signed == name {
				covered++
			}
		}
		if covered < fields {
			return false
		}
	}
	return fields > 0 && signatures > 0 && h.Whole()
}
