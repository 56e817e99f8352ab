package watch

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// lateFacts are of UIDs that go back under the same UIDVALIDITY, and of those that
// show up late.
var lateFacts = []fact{
	goesBack("GreenMail: a folder made again in the same second, with fewer messages", 3, nil),
	goesBack("hoodiecrow: the same, with as many messages", 10, nil),
	goesBack("GMX: the same, refilled beyond the mark", 15, nil),
	goesBack("a folder made again, and everything that is read is deleted", 15, func(a *Account) {
		a.After = After{Report: Action{Do: "delete"}, Unparsed: Action{Do: "delete"}, Other: Action{Do: "none"}}
	}),
	remade("hoodiecrow: a folder made again, and its messages are {0} at first", imaptest.Shape{Body: nothing}),
	remade("hoodiecrow: a folder made again, and its messages are NIL at first", imaptest.Shape{NilBody: true}),
	{
		name: "GNU imap4d: the lowest free UID is given again", goimap: byNature,
		server: func() *imaptest.Server { return filled(5, 300) },
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			l := memory.New()
			sweeps(t, s, l)
			s.Expunge("INBOX", 4)
			s.Expunge("INBOX", 5)
			s.SetUIDNext("INBOX", 4)
			sweeps(t, s, l)
			s.Append("INBOX", messageOf(5, 300)) // as UID 4
			same(t, sweeps(t, s, l), append(expected(5), "4 complaint user5@example.com"))
			read := 0
			a := account(s, l)
			a.Committed = func(c ledger.Committed) { read += c.Messages + c.Duplicates }
			if err := a.Run(t.Context(), true); err != nil || read != 0 {
				t.Errorf("%d messages were read again, %v", read, err)
			}
		},
	},
	{
		name: "GNU imap4d: a UID in the middle is given again, in a watch", goimap: byNature,
		server: func() *imaptest.Server { return filled(5, 300) },
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			l := memory.New()
			stop := whileWatching(t, account(s, l))
			time.Sleep(time.Hour)
			s.Expunge("INBOX", 2)
			time.Sleep(time.Hour)
			s.Insert("INBOX", 2, messageOf(5, 300))
			time.Sleep(time.Hour)
			same(t, records(t, l), append(expected(5), "2 complaint user5@example.com"))
			stop()
		},
	},
	{
		name: "UIDNEXT is always too low", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(5, 300)
			s.Hook = rewrite(func(line string) string {
				return regexp.MustCompile(`UIDNEXT \d+`).ReplaceAllString(line, "UIDNEXT 1")
			})
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			l := memory.New()
			a := account(s, l)
			read := 0
			a.Committed = func(c ledger.Committed) { read += c.Messages + c.Duplicates }
			for range 3 {
				runOnce(t, a)
			}
			if same(t, records(t, l), expected(5)); read != 5 {
				t.Errorf("%d messages were read, want 5", read)
			}
		},
	},
	{
		name: "nothing changes: one small FETCH a sweep", goimap: byNature,
		server: func() *imaptest.Server { return filled(5, 300) },
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			l := memory.New()
			sweeps(t, s, l)
			fetches, searches := len(commands(s, "UID FETCH")), len(commands(s, "UID SEARCH"))
			sweeps(t, s, l)
			if f, n := commands(s, "UID FETCH")[fetches:], commands(s, "UID SEARCH")[searches:]; len(f) != 1 || !strings.HasPrefix(f[0], "UID FETCH 3:5 ") || len(n) != 0 {
				t.Errorf("sent %q and %q", f, n)
			}
		},
	},
	lateUID("mailcore2#1256: a UID shows up late below the mark", time.Minute, nil),
	lateUID("late by hours", 20*time.Hour, nil),
	lateUID("late, without IDLE", time.Hour, func(a *Account) { a.Watch = "poll" }),
	lateUID("late, in a polled group", time.Hour, func(a *Account) {
		a.Folders, a.Watch = []string{"INBOX", "Other", "Third"}, "poll"
	}),
	lateUID("late, with NOTIFY", time.Hour, func(a *Account) { a.Folders = []string{"INBOX", "Other", "Third"} }, "NOTIFY"),
	{
		name: "a UID shows up between two sweeps", goimap: byNature,
		server: lateServer,
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			l := memory.New()
			if got := sweeps(t, s, l); len(got) != 3 {
				t.Fatalf("%d records", len(got))
			}
			s.Insert("INBOX", 3, messageOf(2, 300))
			sweeps(t, s, l)
			s.Insert("INBOX", 1, messageOf(0, 300))
			same(t, sorted(sweeps(t, s, l)), expected(5))
			if gaps := checkpoint(t, l).Gaps; len(gaps) != 0 {
				t.Errorf("gaps %v", gaps)
			}
			searches := len(commands(s, "UID SEARCH"))
			sweeps(t, s, l)
			if n := commands(s, "UID SEARCH")[searches:]; len(n) != 0 {
				t.Errorf("sent %q although there is no gap", n)
			}
		},
	},
	{
		name: "a gap is forgotten after a day", goimap: byNature,
		server: lateServer,
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			l := memory.New()
			sweeps(t, s, l)
			time.Sleep(gapFor + time.Minute)
			searches := len(commands(s, "UID SEARCH"))
			sweeps(t, s, l)
			if n := commands(s, "UID SEARCH")[searches:]; len(n) != 0 {
				t.Errorf("sent %q", n)
			}
		},
	},
	{
		name: "EXISTS tells of a message in a place that is no gap any more", goimap: byNature,
		server: lateServer,
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			l := memory.New()
			stop := whileWatching(t, account(s, l))
			time.Sleep(gapFor + time.Hour)
			s.Insert("INBOX", 3, messageOf(2, 300))
			time.Sleep(time.Hour)
			s.Insert("INBOX", 1, messageOf(0, 300))
			time.Sleep(time.Hour)
			same(t, sorted(records(t, l)), expected(5))
			stop()
		},
	},
}

// lateServer has the messages 2, 4 and 5 of five.
func lateServer() *imaptest.Server {
	s := imaptest.New()
	for _, uid := range []uint32{2, 4, 5} {
		s.AppendMessage("INBOX", imaptest.Message{UID: uid, Body: messageOf(int(uid)-1, 300)})
	}
	s.AddMailbox("Other")
	s.AddMailbox("Third")
	return s
}

// lateUID is a server in which two of five messages show up late.
func lateUID(name string, late time.Duration, set func(*Account), caps ...string) fact {
	return fact{
		name: name, goimap: byNature,
		server: func() *imaptest.Server {
			s := lateServer()
			s.Caps = append(s.Caps, caps...)
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			l := memory.New()
			a := account(s, l)
			if set != nil {
				set(a)
			}
			stop := whileWatching(t, a)
			time.Sleep(late)
			s.Insert("INBOX", 3, messageOf(2, 300))
			time.Sleep(late / 20)
			s.Insert("INBOX", 1, messageOf(0, 300))
			time.Sleep(5 * time.Minute)
			same(t, sorted(records(t, l)), expected(5))
			if n := s.Conns(); n > len(a.Folders) {
				t.Errorf("%d connections", n)
			}
			stop()
		},
	}
}

// goesBack is a folder of ten messages that is made again under the same
// UIDVALIDITY with others: in a sweep, in a watch and in a polled group.
func goesBack(name string, messages int, set func(*Account)) fact {
	return fact{
		name: name, goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(10, 300)
			s.Caps = append(s.Caps, "UIDPLUS")
			s.AddMailbox("Other")
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			want := expected(10)
			l := memory.New()
			a := account(s, l)
			if set != nil {
				set(a)
			}
			runOnce(t, a)
			n := 10
			again := func() {
				s.Remake("INBOX")
				for i := range messages {
					s.Append("INBOX", messageOf(n, 300))
					want = append(want, fmt.Sprintf("%d complaint user%d@example.com", i+1, n))
					n++
				}
			}
			again()
			runOnce(t, a)
			same(t, sorted(records(t, l)), sorted(slices.Clone(want)))
			for _, folders := range [][]string{{"INBOX"}, {"INBOX", "Other"}} {
				a.Folders, a.Watch = folders, "poll"
				stop := whileWatching(t, a)
				time.Sleep(30 * time.Minute)
				again()
				time.Sleep(30 * time.Minute)
				// In a folder that is not open it may show with the next message only.
				want = append(want, fmt.Sprintf("%d complaint user%d@example.com", messages+1, n))
				s.Append("INBOX", messageOf(n, 300))
				n++
				time.Sleep(30 * time.Minute)
				same(t, sorted(records(t, l)), sorted(slices.Clone(want)))
				stop()
			}
		},
	}
}

// remade is a folder of five messages that is made again under the same UIDVALIDITY
// with eight others, of which each comes without its octets once.
func remade(name string, first imaptest.Shape) fact {
	return fact{
		name: name, goimap: byNature,
		server: func() *imaptest.Server { return filled(5, 300) },
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			l := memory.New()
			sweeps(t, s, l)
			s.Remake("INBOX")
			want := expected(5)
			for i := range 8 {
				s.Append("INBOX", messageOf(5+i, 300))
				want = append(want, fmt.Sprintf("%d complaint user%d@example.com", i+1, 5+i))
			}
			given := make(map[uint32]bool)
			s.Shape = func(_ int, uid uint32) imaptest.Shape {
				if !given[uid] {
					given[uid] = true
					return first
				}
				return imaptest.Shape{}
			}
			same(t, sorted(sweeps(t, s, l)), sorted(want))
		},
	}
}
