package trust

import (
	"slices"

	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/report"
)

// Clues say what a message shows of the system that received it and, if it is a report,
// of the reported message. Anybody can write them: they count only if Check verified the
// signature of a known reporter.
type Clues struct {
	Known   bool     // a known reporter sent it, by rec.Reporter
	By      string   // the host that wrote the topmost Received; "": none did, or it gives no name in the DNS
	Servers []Server // that found the reporter's signature good, as Check did
	Domains []string // of the reported message's author, for which its reporter found SPF, DKIM or DMARC to pass
	IP      string   // from which the reporter received the reported message; "": unknown
}

// Server is a server that wrote Authentication-Results: its authserv-id, and the hosts
// with a Received above that field, the topmost first. If there is none, only the last
// host that received the message can have written the field. Below a Received, anybody
// can: then it is a clue only if each message that Hops received has it.
type Server struct {
	ID   string
	Hops []string
}

const maxHops = 5 // of one system

// Clues reads a message that r was read from; rec is one of its records, with the
// Reporter that Check gave it.
func (c *Checker) Clues(sent []byte, r *report.Report, rec *report.Record) (clues Clues) {
	if m, err := readMessage(sent); err == nil && rec.Reporter != nil {
		clues.By, clues.Servers = c.follow(m).clues(canonical(rec.Reporter.AuthDomain))
	}
	c = c.about(r, rec.Dialect)
	clues.Known = rec.Reporter != nil && rec.Reporter.Auth == report.AuthPass && c.known(rec.Reporter.AuthDomain, r.Outer.From)
	found, in := c.found(r.Header(report.FromOriginal), rec)
	if rec.Original != nil {
		clues.Domains = passed(found, message.Organisation(canonical(rec.Original.FromDomain)))
	}
	if rec.SourceIP != "" && !message.IsPrivate(rec.SourceIP) && (rec.Derived["source_ip"] == "" || in.ip == rec.SourceIP) {
		clues.IP = rec.SourceIP
	}
	return clues
}

// clues gives the servers that say dkim=pass for domain, as far down as the hosts of
// the topmost Received's organisation go; and the topmost one.
func (t *trail) clues(domain string) (by string, list []Server) {
	var hops []string
	seen := make(map[string]bool) // only the topmost word of a server counts
	for i := range t.steps {
		s := &t.steps[i]
		switch s.field.name {
		case "received":
			org := message.Organisation(s.by)
			if s.place == 0 {
				by = s.by
			}
			if org == "" || org != message.Organisation(by) || len(hops) == maxHops {
				if message.Organisation(by) == "" {
					by = ""
				}
				return by, list
			}
			if !slices.Contains(hops, s.by) {
				hops = append(hops, s.by)
			}
		case "authentication-results":
			a := s.read()
			if !a.has("dkim") || seen[a.id] {
				continue
			}
			seen[a.id] = true
			if near := len(hops) == 0 || message.Organisation(a.id) == message.Organisation(by); near && message.Organisation(a.id) != "" && a.passes(domain) {
				list = append(list, Server{ID: a.id, Hops: slices.Clone(hops)})
			}
		}
	}
	if by == "" { // no server received it
		return "", nil
	}
	return by, list
}

// passes reports whether DKIM passed for domain.
func (a *authResults) passes(domain string) bool {
	return domain != "" && slices.ContainsFunc(a.results, func(r result) bool {
		return r.method == "dkim" && r.value == resultPass && r.domain() == domain
	})
}

// passed gives the domains of an organisation that SPF, DKIM or DMARC passed for;
// none if anybody can have a mailbox there.
func passed(found []authResults, org string) (domains []string) {
	for _, a := range found {
		for _, r := range a.results {
			if d := r.domain(); org != "" && r.value == resultPass && message.Organisation(d) == org && !isMailboxes(org) && !slices.Contains(domains, d) {
				domains = append(domains, d)
			}
		}
	}
	return domains
}
