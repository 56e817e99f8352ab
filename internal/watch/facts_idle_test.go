package watch

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// idling watches INBOX while during runs, and returns what was logged.
func idling(t *testing.T, dial dialed, l ledger.Ledger, during func()) *logbook {
	t.Helper()
	a := account(nil, l)
	a.IMAP.Dial = dial
	book := logged(a)
	a.Handler = callbacks.Slog(a.Log)
	stop := whileWatching(t, a)
	time.Sleep(2 * time.Second)
	during()
	stop()
	return book
}

// within waits for n records, and checks that they take no longer.
func within(t *testing.T, l ledger.Ledger, n int, most time.Duration) {
	t.Helper()
	start := time.Now()
	for len(records(t, l)) < n && time.Since(start) < 10*time.Minute {
		time.Sleep(50 * time.Millisecond)
	}
	if d := time.Since(start); d > most {
		t.Errorf("report %d after %v, want %v at most", n, d, most)
	}
	same(t, records(t, l), expected(n))
}

// prompt is a fact of a server with three reports; each further one must be a
// record by such a time, over so many connections at most.
func prompt(name string, server func(*imaptest.Server), dial dialer, most time.Duration, conns int) fact {
	return fact{
		name: name, goimap: byNature, dial: dial,
		server: func() *imaptest.Server {
			s := filled(3, 300)
			server(s)
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			l := memory.New()
			idling(t, dial, l, func() {
				for n := 3; n < 9; n++ {
					time.Sleep(41 * time.Second)
					s.Append("INBOX", messageOf(n, 300))
					within(t, l, n+1, most)
				}
			})
			if got := s.Conns(); got > conns {
				t.Errorf("%d connections", got)
			}
		},
	}
}

// onPush puts other lines in the place of an EXISTS that nobody asked for.
func onPush(change func(exists string) imaptest.Action) func(*imaptest.Server) {
	return func(s *imaptest.Server) {
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Part == imaptest.Push && strings.HasSuffix(step.Text, "EXISTS") {
				return change(step.Text)
			}
			return imaptest.Action{}
		}
	}
}

// babble is a fact of a server that says EXISTS at steps that match, with the
// number of messages there are: for twenty seconds that must cost few FETCHes.
func babble(name string, at func(imaptest.Step) bool) fact {
	return fact{
		name: name, goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(40, 300)
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if at(step) && step.Conn > 0 {
					return imaptest.Action{Behind: fmt.Sprintf("* %d EXISTS\r\n", len(s.UIDs("INBOX")))}
				}
				return imaptest.Action{}
			}
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			l := memory.New()
			book := idling(t, dial, l, func() {
				before := len(commands(s, "UID FETCH"))
				for uid := range uint32(39) {
					s.Expunge("INBOX", uid+1)
					time.Sleep(500 * time.Millisecond)
				}
				if n := len(commands(s, "UID FETCH")) - before; n > 2 {
					t.Errorf("%d FETCHes, and no message has come", n)
				}
				// One comes while another one goes: the number is what it was.
				s.Expunge("INBOX", 40)
				s.Append("INBOX", messageOf(40, 300))
				within(t, l, 41, 2*time.Second)
				for range 20 {
					time.Sleep(4 * time.Minute)
				}
			})
			if n := book.count("says EXISTS although"); n != 1 {
				t.Errorf("%d warnings", n)
			}
			if n := len(commands(s, "UID FETCH")); n > 10 {
				t.Errorf("%d FETCHes", n)
			}
		},
	}
}

// learns brings the messages from 3 to end, with a pause after each. The first, of which
// a quirk of the server is learned, is in the ledger within first, the others within then.
func learns(t *testing.T, s *imaptest.Server, l ledger.Ledger, end int, first, then, pause time.Duration) {
	t.Helper()
	most := first
	for n := 3; n < end; n++ {
		s.Append("INBOX", messageOf(n, 300))
		within(t, l, n+1, most)
		most = then
		time.Sleep(pause)
	}
}

// idleFacts are of how servers tell of news, or do not.
var idleFacts = []fact{
	{
		name: "pymap, go-imap v2, maddy, imap4d: a message between FETCH and IDLE is not announced", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(3, 300)
			s.IdleForgets = true
			var n atomic.Int32
			n.Store(3)
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if step.Part == imaptest.Tagged && step.Command == "UID FETCH" && n.Load() < 6 {
					s.Append("INBOX", messageOf(int(n.Add(1))-1, 300))
				}
				return imaptest.Action{}
			}
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			l := memory.New()
			idling(t, dial, l, func() { within(t, l, 6, time.Second) })
		},
	},
	{
		name: "maddy, go-imap v1: a command in one write with DONE is lost", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(3, 300)
			s.IdleLoses = true
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			l := memory.New()
			book := idling(t, dial, l, func() {
				learns(t, s, l, 8, 4*time.Second, time.Second, 9*time.Minute)
				s.Disconnect() // the next session knows it
				time.Sleep(5 * time.Second)
				s.Append("INBOX", messageOf(8, 300))
				within(t, l, 9, time.Second)
			})
			if n := book.count("loses a command"); n != 1 || s.Conns() != 2 {
				t.Errorf("%d warnings, %d connections", n, s.Conns())
			}
		},
	},
	{
		name: "imap4d: IDLE reports nothing until DONE", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(3, 300)
			s.IdleMute = true
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			l := memory.New()
			book := idling(t, dial, l, func() {
				learns(t, s, l, 9, 4*time.Minute, 61*time.Second, 17*time.Second)
			})
			if n := book.count("offers IDLE and did not announce"); n != 1 || s.Conns() != 1 {
				t.Errorf("%d warnings, %d connections", n, s.Conns())
			}
		},
	},
	{
		name: "a command in one write with NOOP is lost", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(3, 300)
			s.ReadsOne = true
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			l := memory.New()
			idling(t, dial, l, func() {
				for n := 3; n < 9; n++ {
					s.Append("INBOX", messageOf(n, 300))
					time.Sleep(time.Minute)
					same(t, records(t, l), expected(n+1))
				}
			})
			if s.Conns() != 2 { // it is learned once
				t.Errorf("%d connections", s.Conns())
			}
		},
	},
	prompt("a server that says RECENT and no EXISTS", onPush(func(string) imaptest.Action {
		return imaptest.Action{Do: imaptest.Drop, Before: "* 1 RECENT\r\n"}
	}), nil, time.Second, 1),
	prompt("RECENT ahead of EXISTS", onPush(func(string) imaptest.Action {
		return imaptest.Action{Before: "* 1 RECENT\r\n"}
	}), nil, time.Second, 1),
	{
		name: "EXISTS sent too early, before +", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(3, 300)
			s.IdleForgets = true
			var once sync.Once
			s.Hook = func(step imaptest.Step) (a imaptest.Action) {
				if step.Part == imaptest.Continue {
					once.Do(func() {
						s.Append("INBOX", messageOf(3, 300))
						a.Before = "* 4 EXISTS\r\n"
					})
				}
				return a
			}
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			l := memory.New()
			idling(t, dial, l, func() { within(t, l, 4, time.Second) })
		},
	},
	{
		name: "EXISTS sent too early, before the message can be had", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(3, 300)
			s.IdleForgets, s.IdleMute = true, true
			var once sync.Once
			s.Hook = func(step imaptest.Step) (a imaptest.Action) {
				switch {
				case step.Part == imaptest.Idling:
					once.Do(func() { a.Before = "* 4 EXISTS\r\n" })
				case step.Part == imaptest.Push:
					a.Do = imaptest.Drop
				}
				return a
			}
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			l := memory.New()
			idling(t, dial, l, func() {
				s.Append("INBOX", messageOf(3, 300))
				within(t, l, 4, 5*time.Second)
			})
		},
	},
	{
		name: "BYE without a close", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(3, 300)
			onPush(func(string) imaptest.Action {
				return imaptest.Action{Do: imaptest.Silent, Before: "* BYE time for a rest\r\n"}
			})(s)
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			l := memory.New()
			idling(t, dial, l, func() {
				for n := 3; n < 15; n++ {
					time.Sleep(15 * time.Second)
					s.Append("INBOX", messageOf(n, 300))
					within(t, l, n+1, 3*time.Second)
				}
			})
		},
	},
	prompt("w01: the server hangs up in IDLE after 3 s", func(*imaptest.Server) {}, mortal(3*time.Second), 9*time.Second, 80),
	prompt("w01: the server hangs up in IDLE after 30 s", func(*imaptest.Server) {}, mortal(30*time.Second), 2*time.Second, 12),
	prompt("the server ends IDLE after 20 s", func(s *imaptest.Server) { s.IdleFor = 20 * time.Second }, nil, 2*time.Second, 1),
	prompt("the server ends IDLE after 3 s", func(s *imaptest.Server) { s.IdleFor = 3 * time.Second }, nil, 11*time.Second, 1),
	prompt("the server ends IDLE at once", func(s *imaptest.Server) { s.IdleFor = time.Millisecond }, nil, 11*time.Second, 1),
	babble("php-imap#219: EXISTS after each EXPUNGE", func(step imaptest.Step) bool {
		return step.Part == imaptest.Push && strings.HasSuffix(step.Text, "EXPUNGE")
	}),
	babble("S22.Imap#32: EXISTS after each OK", func(step imaptest.Step) bool {
		return step.Part == imaptest.Tagged && step.Command != "AUTHENTICATE" && step.Command != "ID"
	}),
	babble("wildduck#850: EXISTS after each +", func(step imaptest.Step) bool { return step.Part == imaptest.Continue }),
	{
		name: "a number that rises without end", goimap: byNature,
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			l := memory.New()
			var liar *lying
			book := idling(t, func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := dial(ctx, network, addr)
				liar = &lying{Conn: conn}
				return liar, err
			}, l, func() {
				before := len(commands(s, "UID FETCH"))
				liar.on.Store(true)
				s.SetFlags("INBOX", 1, `\Seen`)
				time.Sleep(20 * time.Second)
				if n := len(commands(s, "UID FETCH")) - before; n > 21 || n < 5 {
					t.Errorf("%d FETCHes in 20 s", n)
				}
				s.Append("INBOX", messageOf(3, 300))
				within(t, l, 4, 3*time.Second)
			})
			if n := book.count("keeps announcing new messages and has none"); n != 1 {
				t.Errorf("%d warnings", n)
			}
		},
	},
}

// lying is a connection on which the server says EXISTS with a higher number
// behind everything else.
type lying struct {
	net.Conn
	on atomic.Bool
	n  int
}

func (c *lying) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p[:len(p)-100])
	if err == nil && c.on.Load() && bytes.HasSuffix(p[:n], []byte("\r\n")) {
		c.n++
		n += copy(p[n:], fmt.Sprintf("* %d EXISTS\r\n", 1000+c.n))
	}
	return n, err
}

// tireless is a fact of a server that tells of two folders without end. In two
// minutes that must cost few commands, and a report is found by then.
func tireless(name string, most int, found time.Duration, server func(*imaptest.Server)) fact {
	return fact{
		name: name, goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(3, 300)
			s.AddMailbox("Other")
			s.Caps = append(s.Caps, "NOTIFY")
			server(s)
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			l := memory.New()
			a := account(nil, l)
			a.Folders, a.IMAP.Dial = []string{"INBOX", "Other"}, dial
			book := logged(a)
			stop := whileWatching(t, a)
			time.Sleep(2 * time.Minute)
			sent := 0
			for _, line := range s.Transcript() {
				if strings.Contains(line, " C: ") {
					sent++
				}
			}
			if sent > most {
				t.Errorf("%d commands in two minutes", sent)
			}
			if n := book.count("level=WARN"); n != 1 {
				t.Errorf("%d warnings:\n%s", n, book)
			}
			s.Append("Other", messageOf(100, 300))
			time.Sleep(found)
			if n := len(records(t, l)); n != 4 {
				t.Errorf("%d records", n)
			}
			if s.Conns() > 1 {
				t.Errorf("%d connections", s.Conns())
			}
			stop()
		},
	}
}

// behind says lines behind each step of a kind.
func behind(part imaptest.Part, command string, line func(n int) string) func(*imaptest.Server) {
	return func(s *imaptest.Server) {
		n := 0
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Part == part && step.Command == command {
				n++
				return imaptest.Action{Behind: line(n) + "\r\n"}
			}
			return imaptest.Action{}
		}
	}
}

var tirelessFacts = []fact{
	tireless("STATUS of all folders after each +", 1000, 2*time.Second, behind(imaptest.Continue, "IDLE", func(n int) string {
		return fmt.Sprintf("* STATUS Other (MESSAGES %d UIDNEXT %d)\r\n* STATUS INBOX (MESSAGES %d UIDNEXT %d)", n, n+1, n+9, n+10)
	})),
	tireless("STATUS of all folders after each NOOP", 1000, 2*time.Second, behind(imaptest.Tagged, "NOOP", func(n int) string {
		return fmt.Sprintf("* STATUS Other (MESSAGES %d UIDNEXT %d)\r\n* STATUS INBOX (MESSAGES %d UIDNEXT %d)", n, n+1, n+9, n+10)
	})),
	tireless("UIDNEXT in STATUS beyond that of EXAMINE", 1000, 2*time.Second, func(s *imaptest.Server) {
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Part == imaptest.Data && step.Command == "STATUS" {
				return imaptest.Action{Do: imaptest.Drop, Before: strings.Replace(step.Text, "UIDNEXT ", "UIDNEXT 9", 1) + "\r\n"}
			}
			return imaptest.Action{}
		}
	}),
	tireless("IDLE that ends at once, with NOTIFY", 200, 61*time.Second, func(s *imaptest.Server) { s.IdleFor = time.Millisecond }),
	tireless("NOTIFICATIONOVERFLOW after each +", 200, 61*time.Second, behind(imaptest.Continue, "IDLE", func(int) string {
		return "* OK [NOTIFICATIONOVERFLOW] too much"
	})),
}
