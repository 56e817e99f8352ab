package watch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// searchFacts are of SEARCH and FETCH that are refused or answered wrongly.
var searchFacts = []fact{
	{
		name: "iCloud (msgvault#436): an unconstrained UID SEARCH gives wrong numbers", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(0, 0)
			for i := range 10 {
				s.AppendMessage("INBOX", imaptest.Message{Date: time.Now().Add(-time.Hour), Body: messageOf(i, 300)})
			}
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if step.Part == imaptest.Received && step.Command == "UID SEARCH" && !strings.Contains(step.Text, " UID 1:") {
					return imaptest.Action{Do: imaptest.Answer, Before: "* SEARCH 1 2 3\r\n", Text: "OK done"}
				}
				return imaptest.Action{}
			}
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) { renewedBy(t, s, "new-only") },
	},
	{
		name: "new-only where SEARCH is refused", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(10, 300)
			s.Hook = refuses("UID SEARCH", "NO not here")
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) { renewedBy(t, s, "new-only") },
	},
	{
		name: "new-only where SEARCH finds nothing (imap4d)", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(10, 300)
			s.Hook = rewrite(findsNothing)
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) { renewedBy(t, s, "new-only") },
	},
	otherNumbers("messages that are not there", "* SEARCH 1 2 900"),
	otherNumbers("only old messages", "* SEARCH 1 2"),
	emptyFolder("gluon: NO to SEARCH and FETCH in an empty folder", "NO [X] no such message"),
	emptyFolder("James: BAD to SEARCH and FETCH in an empty folder", "BAD failed"),
	badSearch("a server that refuses UID SEARCH by NO", refuses("UID SEARCH", "NO not here")),
	badSearch("a server that refuses UID SEARCH by BAD", refuses("UID SEARCH", "BAD what?")),
	badSearch("imap4d: UID SEARCH always finds nothing", rewrite(findsNothing)),
	badSearch("imap4d: BAD to a FETCH of UIDs whose range ends in a gap", func(step imaptest.Step) imaptest.Action {
		var lo, hi uint32
		gap := func(uid uint32) bool { return uid == 21 || uid > fewMessages+200 && (uid < 2000 || uid%3 == 1) }
		_, set, _ := strings.Cut(step.Text, " FETCH ")
		if n, _ := fmt.Sscanf(set, "%d:%d (UID)", &lo, &hi); step.Part == imaptest.Received && step.Command == "UID FETCH" && n == 2 && (gap(lo) || gap(hi)) {
			return imaptest.Action{Do: imaptest.Answer, Text: "BAD UID FETCH Failed to parse message set"}
		}
		return rewrite(findsNothing)(step)
	}),
	badSearch("hoodiecrow, Twisted: no SEARCH line without a hit, and there never is one", func(step imaptest.Step) imaptest.Action {
		if strings.HasPrefix(step.Text, "* SEARCH") {
			return imaptest.Action{Do: imaptest.Drop}
		}
		return imaptest.Action{}
	}),
	{
		name: "imap4d: UID FETCH 100:200 answers the last message", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(3, 300)
			body := messageOf(2, 300)
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if step.Part == imaptest.Tagged && step.Command == "UID FETCH" {
					return imaptest.Action{Before: fmt.Sprintf("* 3 FETCH (UID 3 RFC822.SIZE %d BODY[]<0> {%d}\r\n%s)\r\n", len(body), len(body), body)}
				}
				return imaptest.Action{}
			}
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			l := memory.New()
			a := account(s, l)
			read := 0
			a.Committed = func(c ledger.Committed) { read += c.Messages + c.Duplicates }
			for n := 3; n < 6; n++ {
				runOnce(t, a)
				s.Append("INBOX", messageOf(n, 300))
			}
			if read != 5 {
				t.Errorf("%d messages were read, want 5", read)
			}
			same(t, records(t, l), expected(5))
		},
	},
}

// findsNothing empties the answers to SEARCH.
func findsNothing(line string) string {
	if strings.HasPrefix(line, "* SEARCH") {
		return "* SEARCH"
	}
	return line
}

// refuses answers a command so.
func refuses(command, text string) func(imaptest.Step) imaptest.Action {
	return func(step imaptest.Step) imaptest.Action {
		if step.Part == imaptest.Received && step.Command == command {
			return imaptest.Action{Do: imaptest.Answer, Text: text}
		}
		return imaptest.Action{}
	}
}

// renewedBy reads a folder of ten messages, which then gets another UIDVALIDITY
// and two messages: none is lost.
func renewedBy(t *testing.T, s *imaptest.Server, do string) {
	t.Helper()
	l := memory.New()
	a := account(s, l)
	a.OnUIDValidity = do
	runOnce(t, a)
	s.SetUIDValidity("INBOX", 7)
	for i := 10; i < 12; i++ {
		s.AppendMessage("INBOX", imaptest.Message{Date: time.Now(), Body: messageOf(i, 300)})
	}
	runOnce(t, a)
	same(t, records(t, l), expected(12))
}

// otherNumbers is a server whose SEARCH SINCE gives other numbers, however it is
// constrained.
func otherNumbers(name, line string) fact {
	return fact{
		name: "iCloud: SEARCH SINCE gives " + name, goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(10, 300)
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if step.Part == imaptest.Received && step.Command == "UID SEARCH" && strings.Contains(step.Text, "SINCE") {
					return imaptest.Action{Do: imaptest.Answer, Before: line + "\r\n", Text: "OK done"}
				}
				return imaptest.Action{}
			}
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) { renewedBy(t, s, "new-only") },
	}
}

// emptyFolder is a server that refuses SEARCH and FETCH in an empty folder.
func emptyFolder(name, refusal string) fact {
	return fact{
		name: name, goimap: byNature,
		server: func() *imaptest.Server {
			s := imaptest.New()
			s.Caps = append(s.Caps, "UIDPLUS")
			s.AppendMessage("INBOX", imaptest.Message{UID: 7, Body: messageOf(0, 300)}) // UIDNEXT is 8
			s.Expunge("INBOX", 7)
			s.Hook = func(step imaptest.Step) imaptest.Action {
				search := step.Command == "UID SEARCH" || step.Command == "UID FETCH"
				if step.Part == imaptest.Received && search && len(s.UIDs("INBOX")) == 0 {
					return imaptest.Action{Do: imaptest.Answer, Text: refusal}
				}
				return imaptest.Action{}
			}
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			for _, set := range []func(*Account){
				func(a *Account) {},
				func(a *Account) { a.Watch = "poll" },
				func(a *Account) { a.Resync = true },
				func(a *Account) { a.All = true },
				func(a *Account) { a.After.Report = Action{Do: "delete"} },
			} {
				if got := sweeps(t, s, memory.New()); got != nil {
					t.Errorf("records %v", got)
				}
				conns := s.Conns()
				l := memory.New()
				a := account(s, l)
				set(a)
				stop := whileWatching(t, a)
				time.Sleep(20 * time.Minute)
				uid := s.Append("INBOX", messageOf(1, 300))
				time.Sleep(polled)
				s.Expunge("INBOX", uid)
				time.Sleep(20 * time.Minute)
				uid = s.Append("INBOX", messageOf(2, 300))
				time.Sleep(polled)
				if got := records(t, l); len(got) != 2 {
					t.Errorf("records %v, want 2", got)
				}
				s.Expunge("INBOX", uid)
				stop()
				if n := s.Conns() - conns; n != 1 {
					t.Errorf("%d connections", n)
				}
			}
		},
	}
}

// badSearch is a server whose SEARCH fails: every message is read once, and live
// ones in time.
func badSearch(name string, hook func(imaptest.Step) imaptest.Action) fact {
	return fact{
		name: name, goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(0, 0)
			for i := range fewMessages + 200 { // too many to be read without a list of them
				if i == 20 {
					continue
				}
				s.AppendMessage("INBOX", imaptest.Message{UID: uint32(i + 1), Body: messageOf(i, 0)})
			}
			s.Hook = hook
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			const had = fewMessages + 199
			l := memory.New()
			read := 0
			a := account(s, l)
			a.Committed = func(c ledger.Committed) { read += c.Messages + c.Duplicates }
			for range 3 {
				runOnce(t, a)
			}
			if read != had || len(records(t, l)) != had {
				t.Errorf("%d messages were read, %d records, want %d", read, len(records(t, l)), had)
			}
			stop := whileWatching(t, a)
			time.Sleep(time.Minute)
			for i := range 5 {
				// UIDs may skip some.
				s.AppendMessage("INBOX", imaptest.Message{UID: uint32(2000 + 3*i), Body: messageOf(2000+i, 0)})
				s.AppendMessage("INBOX", imaptest.Message{UID: uint32(2001 + 3*i), Body: messageOf(3000+i, 0)})
				time.Sleep(10 * time.Second)
				if got := len(records(t, l)); got != had+2*i+2 {
					t.Fatalf("%d records, want %d", got, had+2*i+2)
				}
				time.Sleep(10 * time.Minute)
			}
			stop()
			if read != had+10 {
				t.Errorf("%d messages were read, want %d", read, had+10)
			}
			if n := s.Conns(); n != 4 {
				t.Errorf("%d connections, want 4", n)
			}
		},
	}
}
