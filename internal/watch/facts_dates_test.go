package watch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/report"
)

// start is when a bubble of testing/synctest begins.
var start = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// dateFacts are of servers whose INTERNALDATE is none.
var dateFacts = []fact{
	{
		name: "NioImapClient#51: INTERNALDATE with a zone name behind it", goimap: byNature,
		server: dating(`"31-Dec-1999 12:00:00 +0300 MSK"`),
		ours:   dates("1 1999-12-31T09:00:00Z", "2 1999-12-31T09:00:00Z"),
	},
	{
		name: "NioImapClient#51: and an old one is old", goimap: byNature,
		server: dating(`"31-Oct-1999 12:00:00 +0300 MSK"`),
		ours:   dates("1 1999-10-31T09:00:00Z old", "2 1999-10-31T09:00:00Z old"),
	},
	{
		name: "INTERNALDATE without a zone", goimap: byNature,
		server: dating(`"31-Dec-1999 12:00:00"`),
		ours:   dates("1 1999-12-31T12:00:00Z", "2 1999-12-31T12:00:00Z"),
	},
	{
		name: "asimap#458: INTERNALDATE in the form of a Date", goimap: byNature,
		server: dating(`"Fri, 31 Dec 1999 12:00:00 +0300"`),
		ours:   dates("1 1999-12-31T09:00:00Z", "2 1999-12-31T09:00:00Z"),
	},
	{
		name: "MailKit#1236: 00-Jan-0000, no date in the header: the backlog is old, what comes later is not", goimap: byNature,
		server: dating(`"00-Jan-0000 00:00:00 +0000"`),
		ours:   dates("1 - old", "2 -"),
	},
	{
		name: "Zarafa 7.2.4, thunderbird-android#1819: NIL, the topmost Received counts", goimap: byNature,
		server: dating("NIL", received(-time.Hour), received(-90*day), date(-90*day)),
		ours:   dates("1 1999-12-31T23:00:00Z", "2 1999-12-31T23:00:00Z"),
	},
	{
		name: "NIL, an old Received", goimap: byNature, // live messages of before the contact there are none
		server: dating("NIL", received(-90*day), date(-time.Hour)),
		ours:   dates("1 1999-10-03T00:00:00Z old", "2 1999-12-31T23:00:00Z"),
	},
	{
		name: "NIL, no Received: the Date counts", goimap: byNature,
		server: dating("NIL", date(-2*time.Hour)),
		ours:   dates("1 1999-12-31T22:00:00Z", "2 1999-12-31T22:00:00Z"),
	},
	{
		name: "NIL, an old Date", goimap: byNature,
		server: dating("NIL", date(-90*day)),
		ours:   dates("1 1999-10-03T00:00:00Z old", "2 -"),
	},
	{
		name: "NIL, a forged Date in the future", goimap: byNature,
		server: dating("NIL", date(3*day)),
		ours:   dates("1 - old", "2 -"),
	},
	{
		name: "NIL, a forged Received in the future: the Date counts", goimap: byNature,
		server: dating("NIL", received(90*day), date(-3*time.Hour)),
		ours:   dates("1 1999-12-31T21:00:00Z", "2 1999-12-31T21:00:00Z"),
	},
	{
		name: "NIL, a clock that is ahead by an hour", goimap: byNature, // the second comes after a minute
		server: dating("NIL", received(time.Hour)),
		ours:   dates("1 2000-01-01T00:00:00Z", "2 2000-01-01T00:01:00Z"),
	},
	{
		name: "NIL, and no UIDNEXT", goimap: byNature,
		server: func() *imaptest.Server {
			s := dating("NIL")()
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if strings.Contains(step.Text, "UIDNEXT") && step.Part != imaptest.Received {
					return imaptest.Action{Do: imaptest.Drop}
				}
				return imaptest.Action{}
			}
			return s
		},
		ours: dates("1 - old", "2 -"),
	},
}

const day = 24 * time.Hour

// received and date are lines of a header, so long after start.
func received(d time.Duration) string {
	return "Received: from x.example.net by mx.example.com; " + start.Add(d).Format(time.RFC1123Z) + "\r\n"
}

func date(d time.Duration) string { return "Date: " + start.Add(d).Format(time.RFC1123Z) + "\r\n" }

// dating is a server that says date of every message. It has one, whose header
// has these lines more.
func dating(date string, header ...string) func() *imaptest.Server {
	return func() *imaptest.Server {
		s := imaptest.New()
		s.Shape = func(int, uint32) imaptest.Shape { return imaptest.Shape{Date: date} }
		s.Append("INBOX", undated(0, header...))
		return s
	}
}

// undated is a report without an outer Date or Received but these.
func undated(n int, header ...string) []byte {
	return slices.Concat([]byte(strings.Join(header, "")), messageOf(n, 300))
}

// dates watches, and a message like the first comes after a minute. want is of
// each record the UID, received_at and whether it counts as history.
func dates(want ...string) func(*testing.T, *imaptest.Server, dialed) {
	return func(t *testing.T, s *imaptest.Server, dial dialed) {
		first := s.Messages("INBOX")[0].Body
		l := memory.New()
		a := account(s, l)
		a.IMAP.Dial, a.Since = dial, 30*day
		stop := whileWatching(t, a)
		time.Sleep(time.Minute)
		header, _, _ := strings.Cut(string(first), "From:")
		s.Append("INBOX", undated(1, header))
		time.Sleep(time.Minute)
		stop()
		if got := ages(t, l); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func ages(t *testing.T, l ledger.Reader) (got []string) {
	t.Helper()
	for _, r := range decoded(t, l) {
		at := "-"
		if !r.ReceivedAt.IsZero() {
			at = r.ReceivedAt.Format(time.RFC3339)
		}
		line := fmt.Sprint(r.Mailbox.UID, " ", at)
		if slices.Contains(r.Suppress.Codes, report.CodeHistory) {
			line += " old"
		}
		got = append(got, line)
	}
	return got
}

// TestDatesInterrupted ends a first read of messages without any date in its
// midst. What a later process reads of the backlog is history all the same.
func TestDatesInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := dating("NIL")()
		defer s.Close()
		set := later(s)
		for n := 1; n < 4; n++ {
			s.Append("INBOX", undated(n))
		}
		set(func(step imaptest.Step) imaptest.Action {
			if step.UID >= 3 && step.Part == imaptest.Data || step.Part == imaptest.Dial && step.Conn > 1 {
				return imaptest.Action{Do: imaptest.Cut}
			}
			return imaptest.Action{}
		})
		l := memory.New()
		a := account(s, l)
		a.Since = 30 * day
		if err := a.Run(t.Context(), true); err == nil {
			t.Error("no error")
		}
		if got := ages(t, l); len(got) != 2 {
			t.Fatalf("the first sweep: %q", got)
		}
		set(func(imaptest.Step) imaptest.Action { return imaptest.Action{} })
		s.Append("INBOX", undated(4))
		a = account(s, l)
		a.Since = 30 * day
		runOnce(t, a)
		want := []string{"1 - old", "2 - old", "3 - old", "4 - old", "5 -"}
		if got := ages(t, l); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
