package ledgertest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// Replay has records sent again, and wants so many.
func Replay(t *testing.T, l ledger.Ledger, r ledger.Replay, want int64) {
	t.Helper()
	if done, err := l.Do(t.Context(), ledger.Change{Replay: []ledger.Replay{r}}); err != nil || done.Resent != want {
		t.Errorf("%+v: %+v, %v; want %d", r, done, err, want)
	}
}

func wantResends(t *testing.T, what string, l ledger.Ledger, sink string, limit int, want string) []ledger.Row {
	t.Helper()
	rows, err := l.Resends(t.Context(), sink, limit)
	if err != nil {
		t.Fatal(err)
	}
	Want(t, what, numbered(rows), want)
	return rows
}

func numbered(rows []ledger.Row) string {
	var all []string
	for _, row := range rows {
		one := Places([]ledger.Row{row})
		if row.Replay > 0 {
			one += fmt.Sprintf("#%d", row.Replay)
		}
		all = append(all, one)
	}
	return strings.Join(all, " ")
}

func testReplaySince(t *testing.T, l ledger.Ledger) {
	a, b := Claim(t, l, Inbox), Claim(t, l, Junk)
	register(t, l, "s", "other")
	// Not in the order of time: a folder may hold mail that was moved there.
	rows := Commit(t, l, a, at("a", 0), at("b", 5*time.Hour), at("c", 2*time.Hour), at("d", 6*time.Hour)).Rows
	Commit(t, l, b, at("e", time.Hour), at("f", 2*time.Hour), at("g", 3*time.Hour))
	ack(t, l, "s", 0, a.ID, 3)
	ack(t, l, "s", 0, b.ID, 3)
	Bury(t, l, "s", rows[0], rows[1])

	if n, err := l.Replays(t.Context(), "s"); n != 0 || err != nil {
		t.Errorf("%d replays, %v", n, err)
	}
	Replay(t, l, ledger.Replay{Sink: "s", Since: Noon.Add(2 * time.Hour)}, 4)
	wantUnsent(t, "since 2 h", l, "s", "INBOX/2=b.1#1 INBOX/3=c.1#1 INBOX/4=d.1 Junk/2=f.1#1 Junk/3=g.1#1")
	wantDead(t, "those behind the cursor come again", l, "s", "s:INBOX/1=a.1")
	wantUnsent(t, "another sink", l, "other", "INBOX/1=a.1 INBOX/2=b.1 INBOX/3=c.1 INBOX/4=d.1 Junk/1=e.1 Junk/2=f.1 Junk/3=g.1")

	// What the sink got before is acknowledged too late.
	ack(t, l, "s", 0, a.ID, 4)
	wantUnsent(t, "a late Ack", l, "s", "INBOX/2=b.1#1 INBOX/3=c.1#1 INBOX/4=d.1 Junk/2=f.1#1 Junk/3=g.1#1")
	n, err := l.Replays(t.Context(), "s")
	if n != 1 || err != nil {
		t.Errorf("%d replays, %v", n, err)
	}
	ack(t, l, "s", n, a.ID, 2)
	ack(t, l, "s", n+7, b.ID, 3) // more often than it was: no harm
	wantUnsent(t, "acknowledged", l, "s", "INBOX/3=c.1#1 INBOX/4=d.1")

	// Once more, before the first one was through: c keeps its number.
	Replay(t, l, ledger.Replay{Sink: "s", Since: Noon.Add(150 * time.Minute)}, 2)
	wantUnsent(t, "again", l, "s", "INBOX/2=b.1#2 INBOX/3=c.1#1 INBOX/4=d.1 Junk/3=g.1#2")
	ack(t, l, "s", 2, a.ID, 4)
	ack(t, l, "s", 2, b.ID, 3)

	Replay(t, l, ledger.Replay{Sink: "s", Since: Noon.Add(7 * time.Hour)}, 0)
	wantUnsent(t, "later than all", l, "s", "")
	Replay(t, l, ledger.Replay{Sink: "s"}, 7)
	wantUnsent(t, "all", l, "s", "INBOX/1=a.1#4 INBOX/2=b.1#4 INBOX/3=c.1#4 INBOX/4=d.1#4 Junk/1=e.1#4 Junk/2=f.1#4 Junk/3=g.1#4")
	ack(t, l, "s", 4, a.ID, 4)
	Commit(t, l, a, at("h", 0))
	wantUnsent(t, "a new one", l, "s", "INBOX/5=h.1 Junk/1=e.1#4 Junk/2=f.1#4 Junk/3=g.1#4")

	for _, sink := range []string{"none", "with blank"} {
		_, err = l.Do(t.Context(), ledger.Change{Replay: []ledger.Replay{{Sink: "s"}, {Sink: sink}}})
		if want := fmt.Sprintf("ledger: there is no sink %q; there is other, s", sink); err == nil || err.Error() != want {
			t.Errorf("a sink that is not known: %v, want %s", err, want)
		}
	}
	wantUnsent(t, "nothing was changed", l, "s", "INBOX/5=h.1 Junk/1=e.1#4 Junk/2=f.1#4 Junk/3=g.1#4")
	Want(t, "of no sink at all", ledger.NoSink("s", []string{"a b"}).Error(), `ledger: there is no sink "s", nor any other`)
}

func testReplayDead(t *testing.T, l ledger.Ledger) {
	a, b := Claim(t, l, Inbox), Claim(t, l, Junk)
	register(t, l, "s", "other")
	rows := Commit(t, l, a, Message("a", 3), Message("b", 1)).Rows
	other := Commit(t, l, b, Message("c", 2)).Rows
	ack(t, l, "s", 0, a.ID, 4)
	ack(t, l, "s", 0, b.ID, 1)
	Bury(t, l, "s", other[1], other[0], rows[3], rows[0])
	Bury(t, l, "other", rows[0])

	Replay(t, l, ledger.Replay{Sink: "s", Dead: true, ID: "b.1"}, 1)
	Replay(t, l, ledger.Replay{Sink: "s", Dead: true, ID: "a.2"}, 0) // is not dead
	Replay(t, l, ledger.Replay{Sink: "s", Dead: true, ID: "x"}, 0)
	wantDead(t, "without one", l, "", "other:INBOX/1=a.1 s:INBOX/1=a.1 s:Junk/1=c.1 s:Junk/2=c.2")
	Replay(t, l, ledger.Replay{Sink: "s", Dead: true}, 3)
	wantDead(t, "without all", l, "", "other:INBOX/1=a.1")
	wantResends(t, "of another sink", l, "other", 9, "")
	wantResends(t, "at most 2", l, "s", 2, "INBOX/4=b.1#1 INBOX/1=a.1#4")
	was := wantResends(t, "in the order of the requests", l, "s", 9, "INBOX/4=b.1#1 INBOX/1=a.1#4 Junk/1=c.1#4 Junk/2=c.2#4")
	wantUnsent(t, "the cursor stays", l, "s", "Junk/2=c.2")
	if n, err := l.Replays(t.Context(), "s"); n != 0 || err != nil {
		t.Errorf("%d replays, %v", n, err)
	}

	// One that is asked for while it is on its way is sent again.
	Replay(t, l, ledger.Replay{Sink: "s", ID: "b"}, 1)
	if err := l.Resent(t.Context(), "s", was[:2]); err != nil {
		t.Fatal(err)
	}
	was = wantResends(t, "after two", l, "s", 9, "Junk/1=c.1#4 Junk/2=c.2#4 INBOX/4=b.1#5")
	if err := l.Resent(t.Context(), "s", was); err != nil {
		t.Fatal(err)
	}
	wantResends(t, "none", l, "s", 9, "")
}

func testReplayID(t *testing.T, l ledger.Ledger) {
	a := Claim(t, l, Inbox)
	register(t, l, "s")
	rows := Commit(t, l, a, Message("a", 3), Message("ab", 1), Message("b", 1)).Rows
	ack(t, l, "s", 0, a.ID, 2)
	Bury(t, l, "s", rows[1])
	Replay(t, l, ledger.Replay{Sink: "s", ID: "a"}, 2) // a.3 is on its way
	wantResends(t, "of a report", l, "s", 9, "INBOX/1=a.1#1 INBOX/2=a.2#1")
	wantDead(t, "none", l, "", "")
	Replay(t, l, ledger.Replay{Sink: "s", ID: "b.1"}, 0)
	Bury(t, l, "s", rows[4])
	Replay(t, l, ledger.Replay{Sink: "s", ID: "b.1"}, 1) // is dead already
	wantResends(t, "of a record", l, "s", 9, "INBOX/1=a.1#1 INBOX/2=a.2#1 INBOX/5=b.1#3")

	// A record that is replaced is not sent in place of the one that replaced it.
	ack(t, l, "s", 0, a.ID, 5)
	Bury(t, l, "s", rows[2])
	Revise(t, l, ledger.Revision{ReportID: "a", Records: []ledger.Record{Revised(rows[0].Record, 2, nil), Revised(rows[2].Record, 2, nil)}})
	wantResends(t, "revised meanwhile", l, "s", 9, "INBOX/2=a.2#1 INBOX/5=b.1#3")
	Replay(t, l, ledger.Replay{Sink: "s", Dead: true}, 0)
	wantDead(t, "it is dead no more", l, "", "")
	ack(t, l, "s", 0, a.ID, 7)
	Replay(t, l, ledger.Replay{Sink: "s", ID: "a.3"}, 1)
	wantResends(t, "the current one", l, "s", 9, "INBOX/2=a.2#1 INBOX/5=b.1#3 INBOX/7=a.3#5")

	// A cursor that is set back takes those behind it along.
	Replay(t, l, ledger.Replay{Sink: "s", Since: Noon.Add(time.Hour)}, 0)
	wantResends(t, "nothing behind", l, "s", 9, "INBOX/2=a.2#1 INBOX/5=b.1#3 INBOX/7=a.3#5")
	Replay(t, l, ledger.Replay{Sink: "s"}, 7)
	wantResends(t, "all behind", l, "s", 9, "")
}
