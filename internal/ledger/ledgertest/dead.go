package ledgertest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

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
