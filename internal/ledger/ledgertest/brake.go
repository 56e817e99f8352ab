package ledgertest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// Limited makes a message with a record of the verdict yes, which may be one of most
// on its day; 0: it always passes.
func Limited(id string, most int) ledger.Message {
	m := Message(id, 1)
	m.Records[0].Verdict = "yes"
	if most > 0 {
		m.Records[0].Held = &ledger.Held{Most: most, Verdict: "review", JSON: fmt.Appendf(nil, `{"id":%q,"held":true}`, m.Records[0].ID)}
	}
	return m
}

func reportOf(id string) string {
	report, _, _ := strings.Cut(id, ".")
	return report
}

// verdicts writes rows as "id verdict", and fails where the JSON says otherwise.
func verdicts(t *testing.T, rows []ledger.Row) string {
	t.Helper()
	var s []string
	for _, r := range rows {
		if held := strings.Contains(string(r.JSON), "held"); held != (r.Verdict == "review") || r.Held != nil {
			t.Errorf("%s is %s, and says %s; held %v", r.ID, r.Verdict, r.JSON, r.Held)
		}
		s = append(s, reportOf(r.ID)+" "+r.Verdict)
	}
	return strings.Join(s, ", ")
}

func testBrake(t *testing.T, l ledger.Ledger) {
	c, d := Claim(t, l, Inbox), Claim(t, l, Junk)
	today := ledger.FeedDay{Day: Noon.Truncate(24 * time.Hour), Provider: "yahoo", Feed: "cfl", Most: 3}
	other, later := Limited("other", 3), Limited("later", 3)
	other.Records[0].Feed = "jmrp"
	later.Records[0].At = Noon.Add(12 * time.Hour) // midnight

	done := Commit(t, l, c, Limited("a", 3), Limited("a", 3), other, Limited("b", 3), later)
	Want(t, "below the limit", verdicts(t, done.Rows), "a yes, other yes, b yes, later yes")
	Diff(t, "days", done.Over, []ledger.FeedDay(nil))

	// A failed commit and known messages take no place.
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Commit(ended, c, ledger.Batch{Messages: []ledger.Message{Limited("x", 3), Limited("y", 3)}}); err == nil {
		t.Error("a commit on an ended context")
	}
	done = Commit(t, l, d, Limited("a", 3), Limited("c", 3), Limited("e", 3), Limited("f", 3))
	Want(t, "over the limit", verdicts(t, done.Rows), "c yes, e review, f review")
	Diff(t, "days", done.Over, []ledger.FeedDay{today})
	Want(t, "of another folder", verdicts(t, Rows(t, l.Records(t.Context(), ledger.Query{ID: "e"}))), "e review")

	// Without a limit a record passes, and counts.
	Want(t, "without a limit", verdicts(t, Commit(t, l, c, Limited("g", 0)).Rows), "g yes")
	Want(t, "a higher limit", verdicts(t, Commit(t, l, c, Limited("h", 5), Limited("i", 5)).Rows), "h yes, i review")
	counts, err := l.Counts(t.Context(), Noon, Noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	n := make(map[string]int64)
	for _, count := range counts {
		n[count.Feed+" "+count.Verdict] += count.N
	}
	Diff(t, "counts", n, map[string]int64{"cfl yes": 5, "cfl review": 3, "jmrp yes": 1})
}

// A revision of a yes keeps its place; a new yes needs one.
func testBrakeRevise(t *testing.T, l ledger.Ledger) {
	c := Claim(t, l, Inbox)
	a, b, review := Limited("a", 2), Limited("b", 2), Message("r", 1)
	Commit(t, l, c, a, b, review)
	limited := func(r ledger.Record, most int) ledger.Record {
		return Revised(r, 2, func(next *ledger.Record) { next.Verdict, next.Held = "yes", Limited("r", most).Records[0].Held })
	}
	done := Revise(t, l,
		ledger.Revision{ReportID: "a", Records: []ledger.Record{Revised(a.Records[0], 2, func(r *ledger.Record) { r.Held = nil })}},
		ledger.Revision{ReportID: "r", Records: []ledger.Record{limited(review.Records[0], 2)}})
	Want(t, "the day is full", verdicts(t, done.Rows), "a yes, r review")
	again := Revise(t, l, // the day of several is listed once, and what is stale takes no place
		ledger.Revision{ReportID: "r", Records: []ledger.Record{limited(review.Records[0], 2), limited(review.Records[0], 2)}},
		ledger.Revision{ReportID: "r", Records: []ledger.Record{Revised(limited(review.Records[0], 2), 3, nil)}},
		ledger.Revision{ReportID: "r", Records: []ledger.Record{Revised(limited(review.Records[0], 2), 4, nil)}})
	if len(again.Rows) != 2 || len(again.Stale) != 1 || len(again.Over) != 1 {
		t.Errorf("revised twice: %+v", again)
	}
	if len(done.Over) != 1 || done.Over[0].Most != 2 || done.Over[0].Provider != "yahoo" {
		t.Errorf("days %+v", done.Over)
	}
	// A place that becomes free is given again.
	done = Revise(t, l,
		ledger.Revision{ReportID: "b", Records: []ledger.Record{Revised(b.Records[0], 2, func(r *ledger.Record) { r.Verdict, r.JSON = "review", []byte(`{"held":true}`) })}},
		ledger.Revision{ReportID: "r", Records: []ledger.Record{Revised(limited(review.Records[0], 2), 5, nil)}})
	Want(t, "a place is free", verdicts(t, done.Rows), "b review, r yes")
	Diff(t, "days", done.Over, []ledger.FeedDay(nil))
}

// Two committers and a reviser share one limit.
func testBrakeRace(t *testing.T, l ledger.Ledger) {
	const most, batches, size = 25, 10, 4
	known := Message("k", 1)
	Commit(t, l, Claim(t, l, ledger.Folder{Account: "a", Name: "Other"}), known)
	var wg sync.WaitGroup
	for _, f := range []ledger.Folder{Inbox, Junk} {
		c := Claim(t, l, f)
		wg.Go(func() {
			for i := range batches {
				var messages []ledger.Message
				for j := range size {
					messages = append(messages, Limited(fmt.Sprintf("%s-%d-%d", f.Name, i, j), most))
				}
				if _, err := l.Commit(t.Context(), c, ledger.Batch{Messages: messages}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for i := range batches {
			next := Revised(known.Records[0], i+2, nil)
			next.Verdict, next.Held = "yes", Limited("k", most).Records[0].Held
			if _, err := l.Revise(t.Context(), []ledger.Revision{{ReportID: "k", Records: []ledger.Record{next}}}); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	if n := len(Rows(t, l.Records(t.Context(), ledger.Query{Verdict: "yes"}))); n != most {
		t.Errorf("%d records say yes, want %d", n, most)
	}
}
