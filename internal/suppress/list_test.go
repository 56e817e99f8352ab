package suppress

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/report"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// commit puts one record of each verdict into a ledger; the last names nobody.
func commit(t *testing.T) ledger.Ledger {
	t.Helper()
	l := memory.New()
	t.Cleanup(func() { l.Close() })
	claim, err := l.Claim(t.Context(), ledger.Folder{Account: "a", Name: "INBOX"})
	if err != nil {
		t.Fatal(err)
	}
	batch := ledger.Batch{Checkpoint: ledger.Checkpoint{UIDValidity: 1, High: 4}}
	for i, verdict := range []report.Verdict{report.SuppressYes, report.SuppressReview, report.SuppressNo, report.SuppressReview} {
		id := fmt.Sprintf("r%d", i)
		r := report.Record{Schema: 1, ID: id + ".1", Revision: 1, Event: report.Complaint, ReceivedAt: noon.Add(time.Duration(i) * time.Hour), Suppress: &report.Suppress{Verdict: verdict}}
		if i < 3 {
			r.OriginalRcptTo = fmt.Sprintf("user%d@example.com", i)
		}
		batch.Messages = append(batch.Messages, ledger.Message{ReportID: id, UIDValidity: 1, UID: uint32(i + 1), Kind: "report", At: r.ReceivedAt,
			Records: []ledger.Record{process.LedgerRecord(&r, r.AppendJSON(nil))}})
	}
	if _, err := l.Commit(t.Context(), claim, batch); err != nil {
		t.Fatal(err)
	}
	return l
}

func names(list *List) string {
	var out []string
	for _, e := range list.Entries {
		out = append(out, e.Rcpt+" "+string(e.Verdict))
	}
	return strings.Join(out, ", ")
}

func TestList(t *testing.T) {
	l := commit(t)
	for _, test := range []struct {
		review   bool
		since    time.Time
		want     string
		nameless int
	}{
		{want: "user0@example.com yes"},
		{review: true, want: "user1@example.com review, user0@example.com yes", nameless: 1},
		{review: true, since: noon.Add(time.Hour), want: "user1@example.com review", nameless: 1},
		{since: noon.Add(time.Hour)},
	} {
		list, err := Read(t.Context(), l, test.since, test.review)
		if err != nil || names(list) != test.want || list.Nameless != test.nameless {
			t.Errorf("review %t: %s, %d without a name, %v", test.review, names(list), list.Nameless, err)
		}
	}
}

// The same records come again until they are acknowledged.
func TestReadNew(t *testing.T) {
	l := commit(t)
	read := func(want string, records int64) *List {
		t.Helper()
		list, err := ReadNew(t.Context(), l, false)
		if err != nil || names(list) != want || list.Read != records {
			t.Errorf("%d records, %s, %v; want %d, %q", list.Read, names(list), err, records, want)
		}
		return list
	}
	ack := func(list *List, but int64) {
		t.Helper()
		for _, ack := range list.Acks().Ack {
			if err := l.Ack(t.Context(), ack.Sink, 0, ack.FolderID, ack.Seq-but); err != nil {
				t.Fatal(err)
			}
		}
	}
	read("user0@example.com yes", 4)
	ack(read("user0@example.com yes", 4), 1)
	ack(read("", 1), 0)
	read("", 0)
}

// editor notes the changes, and refuses some reports as changed.
type editor struct {
	stale   []string
	reports []string
}

func (e *editor) Do(_ context.Context, c ledger.Change) (ledger.Changed, error) {
	for _, r := range c.Revise {
		e.reports = append(e.reports, r.ReportID)
	}
	return ledger.Changed{Stale: e.stale}, nil
}

func TestDecide(t *testing.T) {
	l := commit(t)
	var refused *RefusedError
	for ids, causes := range map[string]int{"r2.1": 1, "r3": 1, "r9": 1, "r1 r2 r9": 2} { // no; names nobody; unknown
		d, err := Decide(t.Context(), l, strings.Fields(ids), true, noon)
		if d != nil || !errors.As(err, &refused) || len(refused.Causes) != causes {
			t.Errorf("%s: %v, %v", ids, d, err)
		}
	}
	d, err := Decide(t.Context(), l, []string{"r1.1", "r0", "r1"}, true, noon)
	if err != nil || d.Records != 2 {
		t.Fatal(d, err)
	}
	var to editor
	if err := d.Apply(t.Context(), &to); err != nil || strings.Join(to.reports, " ") != "r1 r0" {
		t.Error(to.reports, err)
	}
	var stale *StaleError
	if err := d.Apply(t.Context(), &editor{stale: []string{"r1"}}); !errors.As(err, &stale) || stale.ReportIDs[0] != "r1" {
		t.Error(err)
	}
}

func TestFeeds(t *testing.T) {
	now := noon
	var counts counter
	for day := 40; day >= 0; day-- { // one complains each day, the other no more since ten days
		hour := now.AddDate(0, 0, -day).Truncate(time.Hour)
		counts = append(counts, ledger.Count{Hour: hour, Provider: "yahoo", Feed: "cfl", Identity: "identified", N: 1})
		if day >= 10 {
			counts = append(counts, ledger.Count{Hour: hour, Provider: "aol", Feed: "scomp", Identity: "unknown", N: 2})
		}
	}
	feeds, err := Feeds(t.Context(), counts, now)
	if err != nil || len(feeds) != 2 {
		t.Fatal(feeds, err)
	}
	if f := feeds[0]; f.Name != "aol scomp" || !f.Silent(now) || f.UsualGap != 24*time.Hour || f.Identified != 0 {
		t.Errorf("%+v", f)
	}
	if f := feeds[1]; f.Name != "yahoo cfl" || f.Silent(now) || f.Complaints != 31 || f.Identified != 31 {
		t.Errorf("%+v", f)
	}
}

type counter []ledger.Count

func (c counter) Counts(context.Context, time.Time, time.Time) ([]ledger.Count, error) { return c, nil }
