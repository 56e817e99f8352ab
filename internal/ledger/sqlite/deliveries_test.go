package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/ledgertest"
)

// What is kept for the sinks is there after a restart.
func TestReopenDeliveries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	l := openTest(t, path)
	ctx := t.Context()
	c := ledgertest.Claim(t, l, ledgertest.Inbox)
	rows := ledgertest.Commit(t, l, c, ledgertest.Message("a", 3)).Rows
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(l.Ack(ctx, "s", 0, c.ID, 3))
	ledgertest.Replay(t, l, ledger.Replay{Sink: "s"}, 3)
	check(l.Ack(ctx, "s", 1, c.ID, 1))
	ledgertest.Replay(t, l, ledger.Replay{Sink: "s", ID: "a.1"}, 1)
	ledgertest.Bury(t, l, "s", rows[1])
	batch := ledger.StoredBatch{FolderID: c.ID, Last: 3, Data: []byte("x")}
	check(l.SetBatch(ctx, "s", batch))
	waiting := ledger.Waiting{FolderID: c.ID, Seq: 3, ID: "a.3", Tries: 2, Since: ledgertest.Noon, Error: "no"}
	check(l.SetWaiting(ctx, "s", waiting))
	check(l.SetActed(ctx, "s", []ledger.ActKey{{1}}, ledgertest.Noon))
	check(l.Close())

	l = openTest(t, path)
	defer l.Close()
	resends, err := l.Resends(ctx, "s", 9)
	if err != nil || len(resends) != 1 || resends[0].ID != "a.1" || resends[0].Replay != 2 {
		t.Errorf("resends %+v, %v", resends, err)
	}
	unsent := ledgertest.Rows(t, l.Unsent(ctx, "s"))
	if len(unsent) != 2 || unsent[0].ID != "a.2" || unsent[0].Replay != 1 {
		t.Errorf("unsent %+v", unsent)
	}
	for d, err := range l.DeadLetters(ctx, "") {
		if err != nil || d.ID != "a.2" || d.Reason != "422: no" {
			t.Errorf("dead %+v, %v", d, err)
		}
	}
	batches, err := l.Batches(ctx, "s")
	check(err)
	ledgertest.Diff(t, "batches", batches, []ledger.StoredBatch{batch})
	waitings, err := l.Waitings(ctx, "s")
	check(err)
	ledgertest.Diff(t, "waitings", waitings, []ledger.Waiting{waiting})
	at, err := l.Acted(ctx, "s", ledger.ActKey{1})
	check(err)
	ledgertest.Diff(t, "acted", at, ledgertest.Noon)
	if n, err := l.Replays(ctx, "s"); n != 1 || err != nil {
		t.Errorf("%d replays, %v", n, err)
	}
}

// The first record since a time is found from both ends, in a page and over many.
func TestFirstSince(t *testing.T) {
	l := openTest(t, filepath.Join(t.TempDir(), "l.db"))
	defer l.Close()
	a, b := ledgertest.Claim(t, l, ledgertest.Inbox), ledgertest.Claim(t, l, ledgertest.Junk)
	const n = 300
	var hours [n]int // of each record
	for i := range n {
		hours[i] = i
	}
	for i := 7; i < n-9; i += 10 { // out of order
		hours[i], hours[i+9] = hours[i+9], hours[i]
	}
	message := func(prefix string, i int) ledger.Message {
		m := ledgertest.Message(fmt.Sprint(prefix, i), 1)
		m.Records[0].At = ledgertest.Noon.Add(time.Duration(hours[i]) * time.Hour)
		return m
	}
	for i := range n {
		ledgertest.Commit(t, l, a, message("a", i))
		ledgertest.Commit(t, l, b, message("b", n-1-i))
	}
	for hour := -1; hour <= n; hour += 7 {
		since := ledger.Milli(ledgertest.Noon.Add(time.Duration(hour) * time.Hour))
		want := int64(0)
		for i, h := range hours {
			if h >= hour && want == 0 && i < n-20 {
				want = key(a.ID, int64(i+1))
			}
		}
		for _, rows := range []int{1, 16, 1000} {
			got, err := l.(*store).firstSince(t.Context(), since, key(a.ID, 0), key(a.ID, n-20), rows)
			if err != nil || got != want {
				t.Errorf("hour %d, pages of %d: %d, %v; want %d", hour, rows, got-key(a.ID, 0), err, want-key(a.ID, 0))
			}
		}
	}
}

// BenchmarkAck acknowledges one record after the other.
func BenchmarkAck(b *testing.B) {
	for _, what := range []string{"plain", "batch"} {
		b.Run(what, func(b *testing.B) {
			l, err := Open(b.Context(), filepath.Join(b.TempDir(), "l.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			c, err := l.Claim(b.Context(), ledgertest.Inbox)
			if err == nil {
				_, err = l.Commit(b.Context(), c, ledger.Batch{Messages: bigBatch(0, 5000, time.Minute)})
			}
			if err != nil {
				b.Fatal(err)
			}
			from, seq := cpu(), int64(0)
			for b.Loop() {
				seq++
				if what == "batch" {
					err = l.SetBatch(b.Context(), "s", ledger.StoredBatch{FolderID: c.ID, Last: seq, Data: make([]byte, 100_000)})
				}
				if err == nil {
					err = l.Ack(b.Context(), "s", 0, c.ID, seq)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cpu()-from).Nanoseconds())/1e3/float64(b.N), "cpu-us/op")
		})
	}
}
