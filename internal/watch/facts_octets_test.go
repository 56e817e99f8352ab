package watch

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/report"
)

// octetFacts are servers that give fewer octets of a message than it has, or other
// octets than RFC822.SIZE says. In all of them what was read is deleted.
var octetFacts = []fact{
	{
		name: "QQ: {0} beside RFC822.SIZE, for a while", goimap: byNature, server: shaped(5, 300, replies(3, 2, nothing)),
		ours: deletes(1, "", expected(5)...),
	},
	{
		name: "QQ: {0} beside RFC822.SIZE, for ever", goimap: byNature, server: shaped(5, 300, replies(3, -1, nothing)),
		ours: deletes(1, "3", instead(5, map[int]string{3: "3 unparsed "})...),
	},
	{
		name: "QQ: {0} for the only message", goimap: byNature, server: shaped(1, 300, replies(1, -1, nothing)),
		ours: deletes(3, "1", "1 unparsed "),
	},
	{
		name: "hoodiecrow: {0} wherever the first octets are asked for, for ever", goimap: byNature, server: wholeOnly(5),
		ours: deletes(1, "", expected(5)...),
	},
	{
		name: "263.net: a literal of half the message, for a while", goimap: byNature, server: shaped(5, 300, replies(3, 3, half)),
		ours: deletes(1, "", expected(5)...),
	},
	{
		name: "263.net: a literal of half the message, for ever", goimap: byNature, server: shaped(5, 300, replies(3, -1, half)),
		ours: deletes(1, "3", instead(5, map[int]string{3: "3 unparsed "})...),
	},
	{
		name: "263.net: a literal without its last octets, for ever", goimap: byNature, server: shaped(5, 300, replies(3, -1, nearly)),
		ours: deletes(1, "3", expected(5)...), // the record is there, and partial
	},
	{
		name: "263.net: a literal of half the only message, for ever", goimap: byNature, server: shaped(1, 300, replies(1, -1, half)),
		ours: deletes(1, "1", "1 unparsed "),
	},
	{
		name: "263.net: the rest of a long message is missing, for a while", goimap: byNature, server: long(replies(3, 3, half)),
		ours: deletes(1, "", expected(5)...),
	},
	{
		name: "263.net: the rest of a long message is missing, for ever", goimap: byNature, server: long(replies(3, -1, half)),
		ours: deletes(1, "3", instead(5, map[int]string{3: "3 unparsed "})...),
	},
	{
		name: "Exchange: the stored sizes of long messages", goimap: byNature,
		server: func() *imaptest.Server {
			s := withExpunge(imaptest.New())
			for i := range 40 {
				b := deepReport(i, 20_000)
				s.AppendMessage("INBOX", imaptest.Message{Body: b, Size: int64(len(b)) + 117})
			}
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			deletes(1, "", expected(40)...)(t, s, dial)
			if fetches := commands(s, "UID FETCH"); len(fetches) > 6 { // the start, more, the end, and once more
				t.Errorf("%d FETCHes: %q", len(fetches), fetches)
			}
		},
	},
	{
		name: "iCloud: NIL for ever", goimap: byNature,
		server: shaped(5, 300, func(_ int, uid uint32) imaptest.Shape { return imaptest.Shape{NilBody: uid == 3} }),
		ours:   deletes(1, "3", instead(5, map[int]string{3: "3 unparsed "})...),
	},
	{
		name: "iCloud: an empty quoted string for ever", goimap: byNature,
		server: shaped(5, 300, func(_ int, uid uint32) imaptest.Shape { return imaptest.Shape{QuotedBody: uid == 3} }),
		ours:   deletes(1, "3", instead(5, map[int]string{3: "3 unparsed "})...),
	},
	{
		name: "QQ: {0} for two messages for ever, and the others are deleted", goimap: byNature,
		server: shaped(5, 300, func(_ int, uid uint32) imaptest.Shape {
			if uid == 2 || uid == 4 {
				return imaptest.Shape{Body: nothing}
			}
			return imaptest.Shape{}
		}),
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			l := memory.New()
			a := account(s, l)
			a.After = After{Action{Do: "delete"}, Action{Do: "delete"}, Action{Do: "delete"}}
			for range 4 { // by others than those that were given up there is nothing to tell by
				a.Run(t.Context(), true)
			}
			if err := a.Run(t.Context(), true); err != nil {
				t.Error(err)
			}
			same(t, sorted(records(t, l)), instead(5, map[int]string{2: "2 unparsed ", 4: "4 unparsed "}))
			if got := contents(s, "INBOX"); got != "2, 4" {
				t.Errorf("INBOX has %q", got)
			}
		},
	},
	{
		name: "QQ: {0}, and RFC822.SIZE says 0 too", goimap: byNature,
		server: func() *imaptest.Server {
			s := withExpunge(filled(2, 300))
			s.AppendMessage("INBOX", imaptest.Message{Body: []byte{}})
			s.Append("INBOX", messageOf(3, 300))
			s.Append("INBOX", messageOf(4, 300))
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			l := memory.New()
			a := account(s, l)
			a.After = After{Action{Do: "delete"}, Action{Do: "delete"}, Action{Do: "delete"}}
			runOnce(t, a)
			same(t, sorted(records(t, l)), slices.Delete(expected(5), 2, 3))
			if got := contents(s, "INBOX"); got != "3" {
				t.Errorf("INBOX has %q", got)
			}
		},
	},
	{
		name: "hoodiecrow: {0} for all but the first of a FETCH", goimap: byNature, server: onlyTheFirst(30),
		ours: deletes(1, "", expected(30)...),
	},
	{
		name: "imap4d: a message ends at its NUL", goimap: byNature,
		server: shaped(5, 300, replies(3, -1, func(b []byte) []byte { return b[:bytes.LastIndex(b, []byte("\r\n--"))] })),
		ours:   deletes(1, "3", expected(5)...),
	},
	{
		name: "Exchange: RFC822.SIZE is the stored size", goimap: byNature, server: sized(40, 300, func(b []byte) int64 { return int64(len(b)) + 117 }),
		ours: cheaply(40),
	},
	{
		name: "maddy: RFC822.SIZE counts CRLF, BODY[] has LF", goimap: byNature,
		server: func() *imaptest.Server {
			s := withExpunge(imaptest.New())
			for i := range 40 {
				b := bytes.ReplaceAll(messageOf(i, 300), []byte("\r\n"), []byte("\n"))
				s.AppendMessage("INBOX", imaptest.Message{Body: b, Size: int64(len(b) + bytes.Count(b, []byte("\n")))})
			}
			return s
		},
		ours: cheaply(40),
	},
	{
		name: "maddy: the sizes are wrong, and one message comes cut", goimap: byNature,
		server: func() *imaptest.Server {
			s := sized(40, 300, func(b []byte) int64 { return int64(len(b)) + 6 })()
			s.Shape = replies(33, -1, nearly)
			return s
		},
		ours: deletes(1, "33", expected(40)...),
	},
	{
		name: "GreenMail: RFC822.SIZE is smaller than the message", goimap: byNature, server: sized(40, 300, func(b []byte) int64 { return int64(len(b)) - 6 }),
		ours: cheaply(40),
	},
	{
		name: "Twisted: other boundaries at each fetch", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(5, 0)
			rewritten(s)
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			l := memory.New()
			same(t, sweeps(t, s, l), expected(5))
			for range 2 {
				readAgain(t, s, l)
			}
			same(t, records(t, l), expected(5))
		},
	},
	{
		name: "Microsoft: a whole message without its closing delimiter", goimap: byNature,
		server: func() *imaptest.Server {
			s := withExpunge(imaptest.New())
			for i := range 5 {
				s.Append("INBOX", nearly(messageOf(i, 300)))
			}
			return s
		},
		ours: deletes(1, "", expected(5)...),
	},
}

func nothing([]byte) []byte  { return nil }
func half(b []byte) []byte   { return b[:len(b)/2] }
func nearly(b []byte) []byte { return b[:len(b)-6] } // the end of the closing delimiter

func withExpunge(s *imaptest.Server) *imaptest.Server {
	s.Caps = append(s.Caps, "UIDPLUS")
	return s
}

// shaped is a server of so many reports whose answers have a shape.
func shaped(n, size int, shape func(int, uint32) imaptest.Shape) func() *imaptest.Server {
	return func() *imaptest.Server {
		s := withExpunge(filled(n, size))
		s.Shape = shape
		return s
	}
}

// long is a server of five reports whose report parts are behind the first prefix.
func long(shape func(int, uint32) imaptest.Shape) func() *imaptest.Server {
	return func() *imaptest.Server {
		s := withExpunge(imaptest.New())
		for i := range 5 {
			s.Append("INBOX", deepReport(i, 20_000))
		}
		s.Shape = shape
		return s
	}
}

// sized is a server of so many reports that gives them a size of its own.
func sized(n, octets int, size func([]byte) int64) func() *imaptest.Server {
	return func() *imaptest.Server {
		s := withExpunge(imaptest.New())
		for i := range n {
			s.AppendMessage("INBOX", imaptest.Message{Body: messageOf(i, octets), Size: size(messageOf(i, octets))})
		}
		return s
	}
}

// replies bends the first times replies for a message; a negative number: all.
func replies(uid uint32, times int, body func([]byte) []byte) func(int, uint32) imaptest.Shape {
	n := 0
	return func(_ int, of uint32) imaptest.Shape {
		if of != uid {
			return imaptest.Shape{}
		}
		if n++; times >= 0 && n > times {
			return imaptest.Shape{}
		}
		return imaptest.Shape{Body: body}
	}
}

// wholeOnly gives octets where no range of them is asked for.
func wholeOnly(n int) func() *imaptest.Server {
	return func() *imaptest.Server {
		s := withExpunge(filled(n, 300))
		var partial atomic.Bool
		s.Hook = func(at imaptest.Step) imaptest.Action {
			if at.Part == imaptest.Received {
				partial.Store(strings.Contains(at.Text, "]<0."))
			}
			return imaptest.Action{}
		}
		s.Shape = func(int, uint32) imaptest.Shape {
			if partial.Load() {
				return imaptest.Shape{Body: nothing}
			}
			return imaptest.Shape{}
		}
		return s
	}
}

// onlyTheFirst gives the octets of one message a FETCH.
func onlyTheFirst(n int) func() *imaptest.Server {
	return func() *imaptest.Server {
		s := withExpunge(filled(n, 300))
		var mu sync.Mutex
		given := false
		s.Hook = func(at imaptest.Step) imaptest.Action {
			if at.Part == imaptest.Received {
				mu.Lock()
				defer mu.Unlock()
				given = false
			}
			return imaptest.Action{}
		}
		s.Shape = func(int, uint32) imaptest.Shape {
			mu.Lock()
			defer mu.Unlock()
			if !given {
				given = true
				return imaptest.Shape{}
			}
			return imaptest.Shape{Body: nothing}
		}
		return s
	}
}

// instead is what n sample reports make, some of them other records.
func instead(n int, others map[int]string) []string {
	want := expected(n)
	for uid, other := range others {
		want[uid-1] = other
	}
	return want
}

// deletes sweeps so often, the last time without an error, and checks what is in
// the ledger and what was left in INBOX. What was left has a record that says why.
func deletes(sweeps int, left string, want ...string) func(*testing.T, *imaptest.Server, dialed) {
	return func(t *testing.T, s *imaptest.Server, _ dialed) {
		l := memory.New()
		a := account(s, l)
		a.After = After{Action{Do: "delete"}, Action{Do: "delete"}, Action{Do: "delete"}}
		for n := 1; ; n++ {
			if err := a.Run(t.Context(), true); err == nil {
				break
			} else if n >= sweeps {
				t.Fatal(err)
			}
			if got := contents(s, "INBOX"); got == "" {
				t.Fatal("INBOX is empty behind a sweep that failed")
			}
		}
		same(t, sorted(records(t, l)), want)
		if got := contents(s, "INBOX"); got != left {
			t.Errorf("INBOX has %q, want %q", got, left)
		}
		if left != "" {
			if status := statusOf(t, l, left); status.Status == "ok" || !strings.Contains(strings.Join(status.Warnings, "\n"), "octets") {
				t.Errorf("UID %s: %+v", left, status)
			}
		}
	}
}

// cheaply checks that each report is read and deleted, at the cost of one FETCH
// more than if all sizes were right.
func cheaply(n int) func(*testing.T, *imaptest.Server, dialed) {
	return func(t *testing.T, s *imaptest.Server, dial dialed) {
		deletes(1, "", expected(n)...)(t, s, dial)
		s.Append("INBOX", messageOf(n, 300))
		if fetches := commands(s, "UID FETCH"); len(fetches) > 2 {
			t.Errorf("%d FETCHes: %q", len(fetches), fetches)
		}
	}
}

// statusOf is how well the message with that UID was read.
func statusOf(t *testing.T, l ledger.Reader, uid string) report.ParseStatus {
	t.Helper()
	for _, r := range decoded(t, l) {
		if fmt.Sprint(r.Mailbox.UID) == uid {
			return r.Parse
		}
	}
	t.Fatalf("no record of UID %s", uid)
	return report.ParseStatus{}
}

// TestShortInWatch: a message whose octets come later is read and deleted then,
// and what comes meanwhile is not held up.
func TestShortInWatch(t *testing.T) {
	for name, body := range map[string]func([]byte) []byte{"nothing": nothing, "half": half} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := withExpunge(filled(2, 300))
				defer s.Close()
				s.Shape = replies(3, 3, body)
				l := memory.New()
				a := account(s, l)
				a.After.Report = Action{Do: "delete"}
				stop := whileWatching(t, a)
				defer stop()
				time.Sleep(time.Minute)
				s.Append("INBOX", messageOf(2, 300))
				s.Append("INBOX", messageOf(3, 300))
				time.Sleep(time.Minute)
				same(t, sorted(records(t, l)), expected(4))
				if got := contents(s, "INBOX"); got != "" {
					t.Errorf("INBOX has %q", got)
				}
			})
		})
	}
}
