package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

func register(t *testing.T, l ledger.Ledger, sinks ...string) {
	t.Helper()
	for _, sink := range sinks {
		if err := l.Register(t.Context(), sink, false); err != nil {
			t.Fatal(err)
		}
	}
}

func ack(t *testing.T, l ledger.Ledger, sink string, replays int, folder, seq int64) {
	t.Helper()
	if err := l.Ack(t.Context(), sink, replays, folder, seq); err != nil {
		t.Fatal(err)
	}
}

// at makes a message of one record that was received so long after Noon.
func at(id string, after time.Duration) ledger.Message {
	m := Message(id, 1)
	m.Records[0].At = Noon.Add(after)
	return m
}

// Bury makes dead letters of rows.
func Bury(t *testing.T, l ledger.Ledger, sink string, rows ...ledger.Row) {
	t.Helper()
	var dead []ledger.DeadLetter
	for _, row := range rows {
		dead = append(dead, ledger.DeadLetter{Row: row, Sink: sink, At: Noon, Tries: 1, Reason: "422: no"})
	}
	if err := l.Bury(t.Context(), dead); err != nil {
		t.Fatal(err)
	}
}

// Replay has records sent again, and wants so many.
func Replay(t *testing.T, l ledger.Ledger, r ledger.Replay, want int64) {
	t.Helper()
	if done, err := l.Do(t.Context(), ledger.Change{Replay: []ledger.Replay{r}}); err != nil || done.Resent != want {
		t.Errorf("%+v: %+v, %v; want %d", r, done, err, want)
	}
}

func wantDead(t *testing.T, what string, l ledger.Ledger, sink, want string) {
	t.Helper()
	var all []string
	for d, err := range l.DeadLetters(t.Context(), sink) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d.Sink+":"+Places([]ledger.Row{d.Row}))
	}
	Want(t, what, strings.Join(all, " "), want)
}

// wantUnsent wants places, with #n behind those that a Replay sends again.
func wantUnsent(t *testing.T, what string, l ledger.Ledger, sink, want string) {
	t.Helper()
	Want(t, what, numbered(Rows(t, l.Unsent(t.Context(), sink))), want)
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

func wantLag(t *testing.T, what string, l ledger.Ledger, sink string, want int64, wantSince time.Time) {
	t.Helper()
	n, since, err := l.Lag(t.Context(), sink)
	if err != nil || n != want || !since.Equal(wantSince) {
		t.Errorf("%s: %d records wait since %v, %v; want %d since %v", what, n, since, err, want, wantSince)
	}
}

func testDead(t *testing.T, l ledger.Ledger) {
	a, b := Claim(t, l, Inbox), Claim(t, l, Junk)
	register(t, l, "s", "r")
	rows := Commit(t, l, a, Message("a", 3)).Rows
	other := Commit(t, l, b, Message("b", 1)).Rows
	Bury(t, l, "s", other[0], rows[2])
	Bury(t, l, "s", rows[0])
	Bury(t, l, "r", rows[1])
	wantDead(t, "all", l, "", "r:INBOX/2=a.2 s:INBOX/1=a.1 s:INBOX/3=a.3 s:Junk/1=b.1")
	counts, err := l.DeadCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	Diff(t, "counts", counts, []ledger.DeadCount{{Sink: "r", N: 1}, {Sink: "s", N: 3}})
	wantDead(t, "of one", l, "s", "s:INBOX/1=a.1 s:INBOX/3=a.3 s:Junk/1=b.1")
	wantDead(t, "of none", l, "x", "")
	wantUnsent(t, "the cursor stays", l, "s", "INBOX/1=a.1 INBOX/2=a.2 INBOX/3=a.3 Junk/1=b.1")

	// A later one takes the place of the first. It has all of its record.
	again := ledger.DeadLetter{Row: rows[0], Sink: "s", At: Noon.Add(1234567 * time.Microsecond), Tries: 21, Reason: "a\x00\xff<b>\"; DROP TABLE dead\n"}
	if err := l.Bury(t.Context(), []ledger.DeadLetter{again}); err != nil {
		t.Fatal(err)
	}
	again.At = Noon.Add(1234 * time.Millisecond)
	for d, err := range l.DeadLetters(t.Context(), "s") {
		if err != nil {
			t.Fatal(err)
		}
		Diff(t, "letter", d, again)
		break
	}

	// Changes between yields need no transaction of the reader's.
	n := 0
	for d, err := range l.DeadLetters(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		Bury(t, l, "z", d.Row)
		if n++; n > 20 {
			t.Fatal("it does not end")
		}
	}
	if _, err := l.Revise(t.Context(), []ledger.Revision{{ReportID: "a", Records: []ledger.Record{Revised(rows[0].Record, 2, nil)}}}); err != nil {
		t.Fatal(err)
	}
	for d, err := range l.DeadLetters(t.Context(), "s") {
		if err != nil || !d.Replaced || d.Revision != 1 {
			t.Errorf("a letter whose record was replaced: %+v, %v", d, err)
		}
		break
	}
}

// More letters than a page has, in order.
func testDeadMany(t *testing.T, l ledger.Ledger) {
	c := Claim(t, l, Inbox)
	register(t, l, "s")
	const n = 1234
	rows := Commit(t, l, c, Message("m", n)).Rows
	Bury(t, l, "s", rows...)
	i := int64(0)
	for d, err := range l.DeadLetters(t.Context(), "") {
		if i++; err != nil || d.Seq != i || d.ID != fmt.Sprintf("m.%d", i) || len(d.JSON) == 0 {
			t.Fatalf("letter %d: %+v, %v", i, d, err)
		}
	}
	if i != n {
		t.Errorf("%d letters", i)
	}
	ack(t, l, "s", 0, c.ID, n)
	Replay(t, l, ledger.Replay{Sink: "s", Dead: true}, n)
	i = 0
	for {
		some, err := l.Resends(t.Context(), "s", 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(some) == 0 {
			break
		}
		for _, row := range some {
			if i++; row.Seq != i {
				t.Fatalf("resend %d: %+v", i, row)
			}
		}
		if err := l.Resent(t.Context(), "s", some); err != nil {
			t.Fatal(err)
		}
	}
	if i != n {
		t.Errorf("%d resends", i)
	}
}

func testLag(t *testing.T, l ledger.Ledger) {
	a, b := Claim(t, l, Inbox), Claim(t, l, Junk)
	register(t, l, "s")
	wantLag(t, "nothing", l, "s", 0, time.Time{})
	Commit(t, l, a, at("a", 3*time.Hour), at("b", time.Hour), at("c", 2*time.Hour))
	Commit(t, l, b, at("d", 4*time.Hour))
	wantLag(t, "all", l, "s", 4, Noon.Add(3*time.Hour))
	ack(t, l, "s", 0, a.ID, 1)
	wantLag(t, "three", l, "s", 3, Noon.Add(time.Hour))
	wantLag(t, "a sink that is not known", l, "x", 4, Noon.Add(3*time.Hour))
	ack(t, l, "s", 0, a.ID, 3)
	wantLag(t, "one", l, "s", 1, Noon.Add(4*time.Hour))
	ack(t, l, "s", 0, b.ID, 1)
	wantLag(t, "none", l, "s", 0, time.Time{})
	Replay(t, l, ledger.Replay{Sink: "s", ID: "c"}, 1)
	wantLag(t, "one again", l, "s", 1, Noon.Add(2*time.Hour))

	// What is pruned waits no more.
	register(t, l, "late")
	if err := l.Prune(t.Context(), time.Time{}, Noon.Add(150*time.Minute)); err != nil {
		t.Fatal(err)
	}
	wantLag(t, "pruned again", l, "s", 0, time.Time{})
	Commit(t, l, a, at("e", 5*time.Hour))
	ack(t, l, "late", 0, a.ID, 1)
	wantLag(t, "pruned", l, "late", 2, Noon.Add(4*time.Hour))
}

func testBatches(t *testing.T, l ledger.Ledger) {
	a, b := Claim(t, l, Inbox), Claim(t, l, Junk)
	register(t, l, "s")
	Commit(t, l, a, Message("a", 9))
	Commit(t, l, b, Message("b", 9))
	set := func(folder, last int64, data string) {
		t.Helper()
		if err := l.SetBatch(t.Context(), "s", ledger.StoredBatch{FolderID: folder, Last: last, Data: []byte(data)}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what, want string) {
		t.Helper()
		batches, err := l.Batches(t.Context(), "s")
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, batch := range batches {
			all = append(all, fmt.Sprintf("%d/%d=%s", batch.FolderID-a.ID, batch.Last, batch.Data))
		}
		Want(t, what, strings.Join(all, " "), want)
	}
	check("none", "")
	set(b.ID, 4, "\x00\xff one")
	set(a.ID, 3, "two")
	check("by folder", "0/3=two 1/4=\x00\xff one")
	set(a.ID, 5, "three")
	check("in place of the one before", "0/5=three 1/4=\x00\xff one")
	ack(t, l, "s", 0, a.ID, 4)
	ack(t, l, "other", 0, a.ID, 9)
	check("before its last", "0/5=three 1/4=\x00\xff one")
	ack(t, l, "s", 0, a.ID, 5)
	check("its last", "1/4=\x00\xff one")
	ack(t, l, "s", 0, b.ID, 9)
	check("a later one", "")
	set(a.ID, 9, "four")
	set(a.ID, 9, "")
	check("no octets", "")
	set(a.ID, 9, "five")
	Replay(t, l, ledger.Replay{Sink: "s", Dead: true}, 0)
	check("no cursor was set back", "0/9=five")
	Replay(t, l, ledger.Replay{Sink: "s", Since: Noon.Add(time.Hour)}, 0)
	check("after a Replay", "")
	long := strings.Repeat("long ", 1<<20)
	set(a.ID, 9, long)
	check("long", "0/9="+long)
}

func testWaitings(t *testing.T, l ledger.Ledger) {
	a, b := Claim(t, l, Inbox), Claim(t, l, Junk)
	register(t, l, "s")
	Commit(t, l, a, Message("a", 9))
	Commit(t, l, b, Message("b", 9))
	one := ledger.Waiting{FolderID: a.ID, Seq: 3, ID: "a.3", Tries: 7, Since: Noon.Add(1234 * time.Millisecond), Error: "a\x00\xff b"}
	two := ledger.Waiting{FolderID: b.ID, Seq: 1, ID: "b.1", Tries: 1, Since: Noon, Error: "no answer"}
	check := func(what string, want ...ledger.Waiting) {
		t.Helper()
		got, err := l.Waitings(t.Context(), "s")
		if err != nil {
			t.Fatal(err)
		}
		Diff(t, what, got, want)
	}
	set := func(w ledger.Waiting) {
		t.Helper()
		if err := l.SetWaiting(t.Context(), "s", w); err != nil {
			t.Fatal(err)
		}
	}
	check("none")
	set(two)
	exact := one
	exact.Since = one.Since.Add(567 * time.Microsecond)
	set(exact)
	check("by folder", one, two)
	one.Tries, one.Error = 8, "timeout"
	set(one)
	check("in place of the one before", one, two)
	ack(t, l, "s", 0, a.ID, 2)
	ack(t, l, "other", 0, b.ID, 9)
	check("before it", one, two)
	ack(t, l, "s", 0, a.ID, 3)
	check("that one", two)
	ack(t, l, "s", 0, b.ID, 9)
	check("a later one")
	set(one)
	Replay(t, l, ledger.Replay{Sink: "s"}, 12)
	check("after a Replay")
}

func testActed(t *testing.T, l ledger.Ledger) {
	check := func(what, sink string, key byte, want time.Time) {
		t.Helper()
		got, err := l.Acted(t.Context(), sink, ledger.ActKey{0, key, 15: 0xff})
		if err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v; want %v", what, got, err, want)
		}
	}
	set := func(sink string, at time.Time, keys ...byte) {
		t.Helper()
		var all []ledger.ActKey
		for _, key := range keys {
			all = append(all, ledger.ActKey{0, key, 15: 0xff})
		}
		if err := l.SetActed(t.Context(), sink, all, at); err != nil {
			t.Fatal(err)
		}
	}
	check("never", "s", 1, time.Time{})
	set("s", Noon.Add(1234567*time.Microsecond), 1, 3, 1)
	check("once", "s", 1, Noon.Add(1234*time.Millisecond))
	check("another key", "s", 2, time.Time{})
	check("another sink", "r", 1, time.Time{})
	set("s", Noon)
	set("s", Noon.Add(time.Hour), 1)
	check("twice", "s", 1, Noon.Add(time.Hour))
	check("beside it", "s", 3, Noon.Add(1234*time.Millisecond))
	if err := l.Prune(t.Context(), time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	check("after Prune", "s", 1, Noon.Add(time.Hour))
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

func testPruneDead(t *testing.T, l ledger.Ledger) {
	a := Claim(t, l, Inbox)
	register(t, l, "s")
	rows := Commit(t, l, a, at("a", 0), at("b", time.Hour), at("c", 0), at("d", time.Hour)).Rows
	ack(t, l, "s", 0, a.ID, 4)
	Bury(t, l, "s", rows...)
	Replay(t, l, ledger.Replay{Sink: "s", Dead: true, ID: "c"}, 1)
	Replay(t, l, ledger.Replay{Sink: "s", Dead: true, ID: "d"}, 1)
	if err := l.Prune(t.Context(), time.Now(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	wantDead(t, "heads only", l, "", "s:INBOX/1=a.1 s:INBOX/2=b.1")
	if err := l.Prune(t.Context(), time.Time{}, Noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	wantDead(t, "pruned", l, "", "s:INBOX/2=b.1")
	wantResends(t, "pruned", l, "s", 9, "INBOX/4=d.1#2")
	Replay(t, l, ledger.Replay{Sink: "s"}, 3) // b, d, and the number of c between them
	wantUnsent(t, "since ever", l, "s", "INBOX/2=b.1#3 INBOX/4=d.1#3")
}

// Sinks, replays and commits at once: every record is sent, and no number is lost.
func testDeliveriesAtOnce(t *testing.T, l ledger.Ledger) {
	const sinks, rounds = 3, 6
	c := Claim(t, l, Inbox)
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() {
		for i := range rounds {
			if _, err := l.Commit(t.Context(), c, ledger.Batch{Messages: []ledger.Message{Message(fmt.Sprint("m", i), 2)}}); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range sinks {
		sink := fmt.Sprint("s", i)
		register(t, l, sink)
		running.Go(func() {
			ctx, sent := t.Context(), make(map[int64]bool)
			deliver := func() error {
				replays, err := l.Replays(ctx, sink)
				for row, err := range l.Unsent(ctx, sink) {
					if err != nil {
						return err
					}
					err = errors.Join(
						l.SetBatch(ctx, sink, ledger.StoredBatch{FolderID: row.FolderID, Last: row.Seq, Data: []byte("x")}),
						l.SetWaiting(ctx, sink, ledger.Waiting{FolderID: row.FolderID, Seq: row.Seq, ID: row.ID, Tries: 1, Since: Noon}),
						l.Bury(ctx, []ledger.DeadLetter{{Row: row, Sink: sink, At: Noon, Tries: 1}}),
						l.SetActed(ctx, sink, []ledger.ActKey{{byte(row.Seq)}}, Noon),
						l.Ack(ctx, sink, replays, row.FolderID, row.Seq))
					if sent[row.Seq] = true; err != nil {
						return err
					}
				}
				return err
			}
			for range rounds {
				if err := deliver(); err != nil {
					t.Error(err)
				}
				if _, err := l.Do(ctx, ledger.Change{Replay: []ledger.Replay{{Sink: sink}}}); err != nil {
					t.Error(err)
				}
				if _, _, err := l.Lag(ctx, sink); err != nil {
					t.Error(err)
				}
			}
			for n := int64(1); n > 0; {
				var err error
				if err = deliver(); err == nil {
					n, _, err = l.Lag(ctx, sink)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
			if n, err := l.Replays(ctx, sink); n != rounds || err != nil {
				t.Errorf("%d replays, %v", n, err)
			}
			for seq := range int64(len(sent)) {
				if !sent[seq+1] {
					t.Errorf("%d was not sent", seq+1)
				}
			}
		})
	}
}

// Nothing is done after its context ended.
func testDeliveriesCancelled(t *testing.T, l ledger.Ledger) {
	c := Claim(t, l, Inbox)
	register(t, l, "s")
	rows := Commit(t, l, c, Message("a", 2)).Rows
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, do := range map[string]func() error{
		"Ack":    func() error { return l.Ack(ctx, "s", 0, c.ID, 2) },
		"Bury":   func() error { return l.Bury(ctx, []ledger.DeadLetter{{Row: rows[0], Sink: "s"}}) },
		"Resent": func() error { return l.Resent(ctx, "s", rows) },
		"SetBatch": func() error {
			return l.SetBatch(ctx, "s", ledger.StoredBatch{FolderID: c.ID, Last: 1, Data: []byte("x")})
		},
		"SetWaiting": func() error { return l.SetWaiting(ctx, "s", ledger.Waiting{FolderID: c.ID, Seq: 1}) },
		"SetActed":   func() error { return l.SetActed(ctx, "s", []ledger.ActKey{{}}, Noon) },
		"Do":         func() error { _, err := l.Do(ctx, ledger.Change{Replay: []ledger.Replay{{Sink: "s"}}}); return err },
		"Replays":    func() error { _, err := l.Replays(ctx, "s"); return err },
		"Lag":        func() error { _, _, err := l.Lag(ctx, "s"); return err },
		"DeadCounts": func() error { _, err := l.DeadCounts(ctx); return err },
		"Resends":    func() error { _, err := l.Resends(ctx, "s", 1); return err },
		"Batches":    func() error { _, err := l.Batches(ctx, "s"); return err },
		"Waitings":   func() error { _, err := l.Waitings(ctx, "s"); return err },
		"Acted":      func() error { _, err := l.Acted(ctx, "s", ledger.ActKey{}); return err },
		"DeadLetters": func() error {
			for _, err := range l.DeadLetters(ctx, "") {
				return err
			}
			return nil
		},
	} {
		if err := do(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	}
	wantLag(t, "nothing was acknowledged", l, "s", 2, Noon)
	wantDead(t, "nothing is dead", l, "", "")
}
