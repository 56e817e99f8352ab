package process

import (
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/report"
)

// What a person decided stands.
func TestReprocessDecided(t *testing.T) {
	message := sample.Report(1, 0)
	s := shelve(t, Rules{}, message, len(message))
	r := s.records()[0]
	r.Revision, r.Suppress = 2, &report.Suppress{Verdict: report.SuppressNo, Reasons: []string{"rejected in review"}, DecidedAt: came}
	if _, err := s.l.Revise(t.Context(), []ledger.Revision{{ReportID: r.ReportID, Records: []ledger.Record{LedgerRecord(&r, r.AppendJSON(nil))}}}); err != nil {
		t.Fatal(err)
	}
	if got := s.again(Rules{}); got != Same {
		t.Errorf("by the same rules: %s", got)
	}
	if got := s.again(Rules{Identify: identifier(t, identify.Config{})}); got != Revises {
		t.Errorf("by others: %s", got)
	}
	if r := s.records()[0]; r.Revision != 3 || r.Suppress.Verdict != report.SuppressNo || !r.Suppress.DecidedAt.Equal(came) || r.Identity.Campaign == "" {
		t.Errorf("%+v", *r.Suppress)
	}
}

// Where trust was switched off nobody is trusted; what was proved is not forgotten.
func TestReprocessWithoutTrust(t *testing.T) {
	message := sample.Signed(1)
	whom := trusting()
	for _, addresses := range []string{"keep", "hash"} {
		g := Rules{Trust: checker(t, whom), Privacy: filter(t, addresses, "keep")}
		s := shelve(t, g, message, len(message))
		if was := s.records()[0]; was.Suppress.Verdict != report.SuppressYes {
			t.Fatalf("verdict %+v", *was.Suppress)
		}
		off := g
		off.Trust = nil
		if got := s.again(off); got != Revises {
			t.Fatalf("%s: %s", addresses, got)
		}
		if r := s.records()[0]; r.Suppress.Verdict != report.SuppressReview || r.Reporter.Auth != "pass" || r.Reporter.AuthDomain != "fbl.example.net" || r.Reporter.Trusted {
			t.Errorf("%s: %+v, %+v", addresses, *r.Suppress, *r.Reporter)
		}
		if got := s.again(off); got != Same {
			t.Errorf("%s, once more: %s", addresses, got)
		}
		s.again(g)
		if r := s.records()[0]; r.Suppress.Verdict != report.SuppressYes {
			t.Errorf("%s, on again: %+v, %+v", addresses, *r.Suppress, *r.Reporter)
		}
	}
}

// A record without received_at keeps its place in time: the moment it was made.
func TestReprocessUndated(t *testing.T) {
	message := sample.Report(1, 0)
	r := report.Parse(message)
	s := shelf{t: t, l: memory.New()}
	s.c, _ = s.l.Claim(t.Context(), ledger.Folder{Account: "a", Name: "INBOX"})
	m := ledger.Message{ReportID: r.ID, Kind: "report", Size: int64(len(message)), Head: message}
	records, _ := Rules{}.Records(t.Context(), r, message, true, report.Envelope{ProcessedAt: came})
	m.Records = []ledger.Record{LedgerRecord(&records[0], records[0].AppendJSON(nil))}
	if _, err := s.l.Commit(t.Context(), s.c, ledger.Batch{Messages: []ledger.Message{m}}); err != nil {
		t.Fatal(err)
	}
	rule := identify.Config{Presets: "none", Rules: []identify.Rule{{From: "original:Feedback-ID", Match: `^(?P<campaign>[a-z]+)-`}}}
	if got := s.again(Rules{Identify: identifier(t, rule)}); got != Revises {
		t.Fatal(got)
	}
	if rows := s.rows(false); len(rows) != 1 || !rows[0].At.Equal(came) {
		t.Errorf("%d rows, at %v", len(rows), rows[0].At)
	}
	if counts, err := s.l.Counts(t.Context(), came.Truncate(time.Hour), came.Add(time.Hour)); err != nil || len(counts) != 1 || counts[0].N != 1 {
		t.Errorf("counts %+v, %v", counts, err)
	}
}

// A decision about one person says nothing about another whom the same record
// names today.
func TestReprocessDecidedOther(t *testing.T) {
	message := sample.Report(1, 0)
	s := shelve(t, Rules{}, message, len(message))
	r := s.records()[0]
	r.Revision, r.OriginalRcptTo = 2, "other@example.com"
	r.Suppress = &report.Suppress{Verdict: report.SuppressYes, Reasons: []string{"accepted in review"}, DecidedAt: came}
	if _, err := s.l.Revise(t.Context(), []ledger.Revision{{ReportID: r.ReportID, Records: []ledger.Record{LedgerRecord(&r, r.AppendJSON(nil))}}}); err != nil {
		t.Fatal(err)
	}
	if got := s.again(Rules{}); got != Revises {
		t.Fatal(got)
	}
	if r := s.records()[0]; r.OriginalRcptTo != "user1@example.com" || r.Suppress.Verdict != report.SuppressReview {
		t.Errorf("%s: %+v", r.OriginalRcptTo, *r.Suppress)
	}
}
