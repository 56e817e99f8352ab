package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/ledgertest"
)

// Ids are found before, during and after they are merged into their table, by the writer,
// by a reader beside it, and by the next process, which begins an interrupted merge again.
func TestMergeIDs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	id := func(i int) string {
		if i%5 == 0 {
			return fmt.Sprintf("alike-%d", i) // texts that begin alike
		}
		return fmt.Sprintf("%016x%016x", i/7, i) // some have equal first octets
	}
	stages := make(map[string]bool) // what was seen
	next := 0
	for range 6 {
		l := openTest(t, path)
		s := l.(*store)
		s.recentMost = 100
		beside, err := OpenReader(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		c := ledgertest.Claim(t, l, ledgertest.Inbox)
		for range 13 {
			var batch []ledger.Message
			for i := next - 3; i < next+5; i++ { // three are known, once there are any
				if i >= 0 {
					batch = append(batch, ledgertest.Message(id(i), 1))
				}
			}
			done := ledgertest.Commit(t, l, c, batch...)
			if done.Messages != 5 || done.Duplicates != len(batch)-5 {
				t.Fatalf("message %d: %d new, %d known", next, done.Messages, done.Duplicates)
			}
			next += 5
			switch {
			case len(s.merge.ids) > 0 && s.merge.done > 0:
				stages["in a merge"] = true
			case s.recent.indexed > 0:
				stages["merged"] = true
			}
			for _, i := range []int{0, 1, next / 2, max(0, next-6), next - 1} {
				for what, r := range map[string]ledger.Reader{"writer": l, "beside": beside} {
					rows := ledgertest.Rows(t, r.Records(t.Context(), ledger.Query{ID: id(i)}))
					if len(rows) != 1 || rows[0].ID != id(i)+".1" || rows[0].Seq != int64(i+1) {
						t.Fatalf("%s: message %d of %d: %+v", what, i, next, rows)
					}
				}
			}
			if rows := ledgertest.Rows(t, beside.Records(t.Context(), ledger.Query{ID: id(next)})); len(rows) != 0 {
				t.Fatalf("message %d is not there yet: %+v", next, rows)
			}
		}
		if len(s.merge.ids) > 0 {
			stages["interrupted"] = true
		}
		beside.Close()
		l.Close()
	}
	for _, stage := range []string{"in a merge", "merged", "interrupted"} {
		if !stages[stage] {
			t.Errorf("no commit was %s", stage)
		}
	}
	l := openTest(t, path)
	defer l.Close()
	var indexed, twice int
	if err := l.(*store).conn.QueryRowContext(t.Context(), "SELECT (SELECT n FROM indexed), (SELECT count(*) - count(DISTINCT n) FROM mail_id)").Scan(&indexed, &twice); err != nil || indexed == 0 || indexed > next || twice != 0 {
		t.Errorf("%d of %d messages are indexed, %d twice, %v", indexed, next, twice, err)
	}
}

// A transaction that fails leaves no id behind.
func TestMergeFails(t *testing.T) {
	l := openFull(t, filepath.Join(t.TempDir(), "l.db"), 60)
	defer l.Close()
	s := l.(*store)
	s.recentMost = 10
	c := ledgertest.Claim(t, l, ledgertest.Inbox)
	failed := 0
	for i := range 60 {
		m := ledgertest.Message(fmt.Sprintf("%032x", i), 1)
		m.Records[0].JSON = fmt.Appendf(nil, `{"text":"%x"}`, noise(m.ReportID, 6000))
		if _, err := l.Commit(t.Context(), c, ledger.Batch{Messages: []ledger.Message{m}}); err == nil {
			continue
		}
		failed++
		if _, err := s.conn.ExecContext(t.Context(), "PRAGMA max_page_count = 100000"); err != nil {
			t.Fatal(err)
		}
		if done := ledgertest.Commit(t, l, c, m); done.Messages != 1 {
			t.Errorf("message %d: %+v", i, done)
		}
	}
	if failed != 1 {
		t.Errorf("%d commits failed", failed)
	}
	for i := range 60 {
		if rows := ledgertest.Rows(t, l.Records(t.Context(), ledger.Query{ID: fmt.Sprintf("%032x", i)})); len(rows) != 1 {
			t.Errorf("message %d: %+v", i, rows)
		}
	}
}

// A commit that could not read the recent ids does not take them for unknown later.
func TestRecentFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	l := openTest(t, path)
	l.(*store).recentMost = 3
	c := ledgertest.Claim(t, l, ledgertest.Inbox)
	var last ledger.Message
	for i := range 6 {
		last = ledgertest.Message(fmt.Sprintf("%016x%016x", i, i), 1)
		ledgertest.Commit(t, l, c, last)
	}
	if l.(*store).recent.indexed == 0 || l.(*store).recent.indexed == 6 {
		t.Fatalf("%d of 6 messages are indexed", l.(*store).recent.indexed)
	}
	l.Close()
	l = openTest(t, path)
	defer l.Close()
	c = ledgertest.Claim(t, l, ledgertest.Inbox)
	run := func(script string) {
		t.Helper()
		if _, err := l.(*store).conn.ExecContext(t.Context(), script); err != nil {
			t.Fatal(err)
		}
	}
	run("ALTER TABLE mail RENAME COLUMN report_id TO away")
	if _, err := l.Commit(t.Context(), c, ledger.Batch{Messages: []ledger.Message{last}}); err == nil {
		t.Fatal("a commit without the ids")
	}
	run("ALTER TABLE mail RENAME COLUMN away TO report_id")
	if done := ledgertest.Commit(t, l, c, last); done.Duplicates != 1 {
		t.Errorf("%+v", done)
	}
}

// An id is found by its prefix while a merge ends.
func TestReportIDsMerging(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	l := openTest(t, path)
	defer l.Close()
	l.(*store).recentMost = 1
	c := ledgertest.Claim(t, l, ledgertest.Inbox)
	beside, err := OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	var last atomic.Pointer[string]
	var asking sync.WaitGroup
	defer asking.Wait()
	ended := make(chan struct{})
	defer close(ended)
	for i := range 100 {
		id := fmt.Sprintf("%016x%016x", i, i)
		ledgertest.Commit(t, l, c, ledgertest.Message(id, 0))
		if last.Swap(&id) != nil {
			continue
		}
		asking.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				id := *last.Load()
				if found, err := beside.ReportIDs(t.Context(), id, 2); err != nil || len(found) != 1 {
					t.Errorf("%s: %v, %v", id, found, err)
					return
				}
			}
		})
	}
}

// A record without its pack ends Prune with an error.
func TestPruneDamaged(t *testing.T) {
	l := openTest(t, filepath.Join(t.TempDir(), "l.db"))
	defer l.Close()
	c := ledgertest.Claim(t, l, ledgertest.Inbox)
	young := ledgertest.Message("young", 1)
	young.Records[0].At = ledgertest.Noon.Add(2 * time.Hour)
	ledgertest.Commit(t, l, c, young)
	ledgertest.Commit(t, l, c, ledgertest.Message("old", 1))
	if _, err := l.(*store).conn.ExecContext(t.Context(), "DELETE FROM pack WHERE key & 1 = 0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := l.Prune(ctx, time.Time{}, ledgertest.Noon.Add(time.Hour)); !errors.Is(err, errPack) {
		t.Error(err)
	}
}
