package watch

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// withheldFacts are of messages that SEARCH lists and FETCH does not give
// (chatmail/core#4331, offlineimap#429, mailcore2#1256).
var withheldFacts = []fact{
	withholding("chatmail/core#4331: SEARCH lists, FETCH gives nothing for an hour", time.Hour, []uint32{2}, nil),
	withholding("offlineimap#429: the last message is listed and not given", time.Hour, []uint32{4}, nil),
	withholding("none of the messages is given for an hour", time.Hour, []uint32{1, 2, 3, 4}, nil),
	withholding("listed and not given, in a polled group", 2*time.Hour, []uint32{2, 4}, func(a *Account) {
		a.Folders, a.Watch = []string{"INBOX", "Other"}, "poll"
	}),
	withholding("listed and never given", 1000*time.Hour, []uint32{2}, nil),
	withholding("the last one is listed and never given", 1000*time.Hour, []uint32{4}, nil),
	{
		name: "mailcore2#1256: listed and not given to one sweep after the other", goimap: byNature,
		server: func() *imaptest.Server { return filled(4, 300) },
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			withheldUntil(s, time.Now().Add(30*time.Minute), 2)
			l := memory.New()
			for range 3 {
				if got := sweeps(t, s, l); len(got) != 3 {
					t.Errorf("%d records, want 3", len(got))
				}
				if p := checkpoint(t, l).Pending; len(p) != 1 || p[0].UID != 2 || p[0].Tries != 0 || p[0].Withheld.IsZero() {
					t.Errorf("pending %+v", p)
				}
				time.Sleep(10 * time.Minute)
			}
			same(t, sorted(sweeps(t, s, l)), expected(4))
			// The same once more, and for ever.
			s.Append("INBOX", messageOf(4, 300))
			withheldUntil(s, time.Now().Add(1000*time.Hour), 5)
			sweeps(t, s, l)
			time.Sleep(withheldFor + time.Minute)
			same(t, sorted(sweeps(t, s, l)), append(expected(4), "5 unparsed "))
		},
	},
	{
		name: "a message is not given and then gone", goimap: byNature,
		server: func() *imaptest.Server { return filled(4, 300) },
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			withheldUntil(s, time.Now().Add(1000*time.Hour), 2)
			l := memory.New()
			sweeps(t, s, l)
			s.Expunge("INBOX", 2)
			if got := sweeps(t, s, l); len(got) != 3 || len(checkpoint(t, l).Pending) != 0 {
				t.Errorf("%d records, pending %v", len(got), checkpoint(t, l).Pending)
			}
		},
	},
}

func withheldUntil(s *imaptest.Server, until time.Time, uids ...uint32) {
	s.Shape = func(_ int, uid uint32) imaptest.Shape {
		return imaptest.Shape{Missing: slices.Contains(uids, uid) && time.Now().Before(until)}
	}
}

// withholding is a server that gives nothing for some of four messages for a
// while. Within hours they are read, or unparsed; until then they are pending.
func withholding(name string, long time.Duration, uids []uint32, set func(*Account)) fact {
	return fact{
		name: name, goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(4, 300)
			s.AddMailbox("Other")
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			withheldUntil(s, time.Now().Add(long), uids...)
			l := memory.New()
			a := account(s, l)
			if set != nil {
				set(a)
			}
			stop := whileWatching(t, a)
			time.Sleep(50 * time.Minute)
			if got := len(records(t, l)); got != 4-len(uids) || len(checkpoint(t, l).Pending) != len(uids) {
				t.Errorf("%d records meanwhile, pending %v", got, checkpoint(t, l).Pending)
			}
			time.Sleep(8 * time.Hour)
			want := expected(4)
			if long > 9*time.Hour {
				for _, uid := range uids {
					want[uid-1] = strings.Fields(want[uid-1])[0] + " unparsed "
				}
			}
			same(t, sorted(records(t, l)), want)
			if p := checkpoint(t, l).Pending; len(p) != 0 {
				t.Errorf("pending %v", p)
			}
			if n := len(commands(s, "UID FETCH")); n > 500 {
				t.Errorf("%d FETCHes in nine hours", n)
			}
			stop()
		},
	}
}
