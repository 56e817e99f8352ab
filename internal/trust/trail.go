package trust

import (
	"net/netip"
	"slices"

	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/report"
)

// The place of Authentication-Results decides whether they count: each server writes
// above the fields that it received, and the sender's fields are at the bottom.
//
//   - A field counts from the top of the header down to the first Received by none of
//     the system's hosts or, where a profile knows the border, to that.
//   - Of one authserv-id the topmost field that has a result of DKIM counts, and
//     likewise the topmost with one of SPF, as long as neither a Received nor another
//     spelling of the id comes in between; below a profile's border, the topmost
//     alone. What is below may be the sender's, unless the system takes foreign fields
//     away.
//   - A field below a Received of the system's own may be the sender's as well,
//     unless the system takes those away, or its border is further down. Such a field
//     is open. Where signatures are verified, it proves nothing: the verification
//     does. Where they are not, it is for the config to say that the system takes
//     foreign fields away; a DKIM-Signature must be there all the same, as the system
//     would have written a result about a false one.

// trail is the way that a message came, by its header, from the top.
type trail struct {
	system receiver
	steps  []step
	taken  bool // a server of the system received the message

	stamps  int           // Received so far
	top     string        // the server that wrote the topmost of them
	crossed bool          // the border is passed
	behind  bool          // the following fields are of the gateway
	over    report.Reason // why nothing that follows counts; zero: it may
	servers map[string]*server

	verifies bool          // signatures are verified
	seal     report.Reason // why the newest seal counts, or not; zero: it was not needed
	sealed   bool          // it counts
}

// step is a Received, an Authentication-Results, or a field of ARC.
type step struct {
	field *headerField
	place int    // Received above it
	by    string // of a Received: the server that wrote it, canonical

	results authResults // see read
	parsed  bool
	dkim    bool // its results of DKIM count
	spf     bool // those of SPF do
	open    bool // it may be the sender's

	counted bool
	why     report.Reason // with a Code where a setting may change that
}

// server is what was seen of one authserv-id.
type server struct {
	spelling  string
	place     int // Received above its first field
	dkim, spf bool
}

// read parses an Authentication-Results, once. Nobody asks for most of those that
// do not count.
func (s *step) read() *authResults {
	if !s.parsed {
		s.results, s.parsed = parseResults(s.field.value()), true
	}
	return &s.results
}

// follow reads the header from the top.
func (c *Checker) follow(m *signable) *trail {
	stamps := m.named("received")
	top := stampedBy(stamps)
	t := &trail{system: c.receiver(m, top), servers: make(map[string]*server), verifies: c.config.Verifies()}
	if t.system.refused && len(stamps) > 0 {
		t.over = report.Reason{Code: report.CodeMailbox, Text: "the topmost Received is by " + host(top) + ", which is no host of " + t.system.Name}
	}
	for i := range m.fields {
		s := step{field: &m.fields[i], place: t.stamps}
		switch s.field.name {
		case "received":
			if s.by = top; t.stamps > 0 {
				s.by = stampedBy(m.fields[i:])
			}
			t.takeReceived(&s)
		case "authentication-results":
			t.takeResults(&s)
		case "authentication-results-original": // so Exchange Online names foreign ones anew
			if !t.behind {
				continue
			}
			t.takeResults(&s)
		case "arc-seal", "arc-message-signature", "arc-authentication-results":
		default:
			continue
		}
		t.steps = append(t.steps, s)
	}
	switch {
	case t.stamps == 0:
		t.forget(report.Reason{Code: report.CodeNoReceived, Text: "is above no Received: no server received the message"})
	case len(t.system.Border) > 0 && !t.crossed && !t.system.refused:
		t.forget(report.Reason{Code: report.CodeHopUnknown, Text: "is above no Received by a host that receives messages for " + t.system.Name})
	}
	return t
}

// takeReceived reads a Received.
func (t *trail) takeReceived(s *step) {
	if t.stamps++; t.stamps == 1 {
		t.top = s.by
	}
	ours := t.system.isHop(s.by) && !t.crossed
	if t.behind {
		ours = isHost(t.system.gateway.Hops, s.by)
	}
	switch {
	case t.over.Code != "":
		s.why = t.over
		return
	case !ours:
		if s.by == "" && message.ReadHop(s.field.value()).Doubt {
			t.forget(report.Reason{Code: report.CodeContradicted, Text: "is above a Received with an unknown writer: its client chose the words, and may have chosen those of the results"})
		}
		t.over = report.Reason{Code: report.CodeHopUnknown, Text: "is below a Received by " + host(s.by) + ", which is " + t.notOurs()}
		s.why = report.Reason{Code: report.CodeHopUnknown, Text: "its server is " + t.notOurs() + ": no result below it counts"}
		return
	}
	s.counted, s.why.Text = true, "its server is ours"
	switch {
	case t.behind && fromItself(s.field.value()):
	case t.behind:
		s.why.Text = "the border of the gateway"
		t.over = report.Reason{Code: report.CodeBelow, Text: "is below the border of the gateway, like the sender's own fields"}
	case !t.system.isBorder(s.field.value()) && !t.system.isInner(s.field.value()):
		s.why.Text = "a user of " + t.system.Name + " submitted the message here"
		t.over = report.Reason{Code: report.CodeBelow, Text: "is below a Received by which a user of " + t.system.Name + " submitted the message"}
	case !t.system.isBorder(s.field.value()):
		t.taken = t.taken || len(t.system.Border) == 0
	case t.system.isBehind(s.field.value()):
		t.taken, t.crossed, t.behind = true, true, true
		t.servers = make(map[string]*server)
		t.forget(report.Reason{Text: "a gateway precedes " + t.system.Name})
	default:
		t.taken, t.crossed = true, true
		s.why.Text = "the border of " + t.system.Name
		if !t.system.Below {
			t.over = report.Reason{Code: report.CodeBelow, Text: "is below the border of " + t.system.Name + ", like the sender's own fields"}
		}
	}
}

// takeResults reads an Authentication-Results.
func (t *trail) takeResults(s *step) {
	s.open = t.stamps > 0 && !t.system.Strips && !t.behind && (t.crossed || len(t.system.Border) == 0)
	if t.over.Code != "" {
		s.why = t.over
		return
	}
	a := s.read()
	known := t.system.isID(a.id)
	if t.behind {
		known = isID(t.system.gateway.AuthservIDs, a.id)
	}
	switch {
	case a.id == "" && a.broken:
		s.why.Text = "cannot be read"
	case t.system.note != "" && !t.behind:
		s.why = report.Reason{Code: report.CodeMailbox, Text: "results of " + t.system.Name + " do not count: " + t.system.note}
	case a.id == "" && !known:
		s.why.Text = "does not say which server wrote it"
	case !known:
		s.why = report.Reason{Code: report.CodeIDUnknown, Text: "its server is " + t.notIn("authserv_ids", "none of")}
	case t.system.Below && !t.crossed:
		s.why.Text = "is above the border, but " + t.system.Name + " writes below it"
	default:
		t.count(s)
	}
}

// count decides which results of a field count; the field has a known id and is where
// ours are.
func (t *trail) count(s *step) {
	a, strips := &s.results, t.system.Strips && !t.behind
	was := t.servers[a.id]
	first := was == nil
	if first {
		was = &server{spelling: a.spelling, place: s.place}
		t.servers[a.id] = was
	}
	dkim, spf := a.has("dkim"), a.has("spf")
	switch {
	case a.broken:
		s.why.Text = "cannot be read, and what is below may be the sender's"
		dkim, spf = true, true
	case !first && !strips && (t.crossed || was.place != s.place || was.spelling != a.spelling):
		s.why = report.Reason{Code: report.CodeSecondField, Text: "is below another field of that server, not adjacent or written differently"}
	default:
		s.dkim, s.spf = dkim && (strips || !was.dkim), spf && (strips || !was.spf)
		switch s.counted = s.dkim || s.spf; {
		case s.counted && s.open && t.verifies:
			s.counted, s.why = false, report.Reason{Code: report.CodeBelow, Text: "is below a Received of ours, like the sender's own fields: the signature is verified instead"}
		case s.counted && s.open:
			s.why.Text = "is below a Received of ours: true only if that server removes foreign fields"
		case s.counted:
			s.why.Text = "is where only our own servers write"
		case dkim || spf:
			s.why = report.Reason{Code: report.CodeSecondField, Text: "is below another field of that server: it may be the sender's"}
		default:
			s.why.Text = "has no result of DKIM or SPF"
		}
	}
	was.dkim, was.spf = was.dkim || dkim, was.spf || spf
}

// forget makes count nothing of what was found so far.
func (t *trail) forget(why report.Reason) {
	for i := range t.steps {
		if s := &t.steps[i]; s.dkim || s.spf {
			s.dkim, s.spf, s.counted, s.why = false, false, false, why
		}
	}
}

// denies reports whether a second field of a server, where only our own servers write,
// says that a signature of domain is not good.
func (t *trail) denies(domain string) bool {
	return slices.ContainsFunc(t.steps, func(s step) bool {
		return !s.open && s.why.Code == report.CodeSecondField && slices.ContainsFunc(s.results.results, func(r result) bool {
			return r.method == "dkim" && r.value != resultPass && !r.isNone() && r.domain() == domain
		})
	})
}

// notIn says, for people, that a server is not in a list of the system's: its hops
// or its authserv_ids. none says so where a profile has the list.
func (t *trail) notIn(list, none string) string {
	switch {
	case t.behind:
		return "not in gateway." + list
	case t.system.Name == ownMailbox:
		return "not in trust." + list
	}
	return none + " " + t.system.Name
}

func (t *trail) notOurs() string { return t.notIn("hops", "no host of") }

// host is a server's name for people.
func host(name string) string {
	if name == "" {
		return "a server without a name"
	}
	return shown(name)
}

func ofDKIM(s *step) bool { return s.dkim }
func ofSPF(s *step) bool  { return s.spf }

// voices gives what counts, by the server that says it.
func (t *trail) voices(counts func(*step) bool) (voices []voice) {
	at := make(map[string]int)
	for i := range t.steps {
		s := &t.steps[i]
		if !counts(s) {
			continue
		}
		n, known := at[s.results.id]
		if !known {
			n = len(voices)
			at[s.results.id], voices = n, append(voices, voice{id: s.results.id, open: true})
		}
		voices[n].add(s.results.results)
		voices[n].open = voices[n].open && s.open
	}
	return voices
}

// isBehind reports whether the border received the message from the gateway: from one of
// its addresses, by the border's own word, and from one of our hosts, by the gateway's,
// as only the gateway is at that address.
func (r *receiver) isBehind(stamp string) bool {
	if r.gateway == nil {
		return false
	}
	hop := message.ReadHop(stamp)
	addr, err := netip.ParseAddr(hop.IP)
	return err == nil && slices.ContainsFunc(hop.From, func(name string) bool { return isHost(r.gateway.Hops, name) }) &&
		slices.ContainsFunc(r.gateway.IPs, func(s string) bool {
			prefix, err := parsePrefix(s)
			return err == nil && prefix.Contains(addr.Unmap())
		})
}
