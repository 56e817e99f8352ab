package suppress

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/report"
)

// Editor writes changes into a ledger, as [ledger.Editor] does.
type Editor interface {
	Do(ctx context.Context, c ledger.Change) (ledger.Changed, error)
}

// RefusedError has one error for each id or record that cannot be decided.
type RefusedError struct{ Causes []error }

func (e *RefusedError) Error() string { return errors.Join(e.Causes...).Error() }

// StaleError names the reports whose records changed between Decide and Apply.
// They are not decided.
type StaleError struct{ ReportIDs []string }

func (e *StaleError) Error() string {
	return "changed meanwhile, and not decided: " + strings.Join(e.ReportIDs, ", ")
}

// Decisions are the next revisions of records, with a person's verdict.
type Decisions struct {
	Records   int
	revisions []ledger.Revision
}

// Decide makes the next revision of each record that an id names: a record's, or
// a report's for all its records. The verdict is yes with accept, else no. If one
// of them cannot be decided, the error is a *RefusedError and none is.
func Decide(ctx context.Context, l Reader, ids []string, accept bool, now time.Time) (*Decisions, error) {
	var d Decisions
	at := make(map[string]int) // in d.revisions, by report
	decided := make(map[string]bool)
	var refused []error
	for _, id := range ids {
		found := false
		for row, err := range l.Records(ctx, ledger.Query{ID: id}) {
			if err != nil {
				return nil, err
			}
			if found = true; decided[row.ID] {
				continue
			}
			decided[row.ID] = true
			r, err := process.ReadRecord(row)
			if err == nil {
				err = decide(&r, accept, now)
			}
			if err != nil {
				refused = append(refused, fmt.Errorf("%s: %w", row.ID, err))
				continue
			}
			reportID, _, _ := strings.Cut(row.ID, ".")
			i, known := at[reportID]
			if !known {
				i = len(d.revisions)
				at[reportID] = i
				d.revisions = append(d.revisions, ledger.Revision{ReportID: reportID})
			}
			d.revisions[i].Records = append(d.revisions[i].Records, process.LedgerRecord(&r, r.AppendJSON(nil)))
			d.Records++
		}
		if !found {
			refused = append(refused, fmt.Errorf("no record has the id %s", id))
		}
	}
	if len(refused) > 0 {
		return nil, &RefusedError{refused}
	}
	return &d, nil
}

// mostRevisions are reports of one change of the ledger.
const mostRevisions = 200

// Apply writes the decisions. The error is a *StaleError if a record has changed
// since Decide; the reports in changes before that one are decided then.
func (d *Decisions) Apply(ctx context.Context, l Editor) error {
	for rest := d.revisions; len(rest) > 0; {
		n := min(len(rest), mostRevisions)
		done, err := l.Do(ctx, ledger.Change{Revise: rest[:n]})
		if err != nil {
			return err
		}
		if len(done.Stale) > 0 {
			return &StaleError{done.Stale}
		}
		rest = rest[n:]
	}
	return nil
}

// decide makes a record its next revision, with a person's verdict.
func decide(r *report.Record, accept bool, now time.Time) error {
	var s report.Suppress
	if r.Suppress != nil {
		s = *r.Suppress
	}
	switch {
	case s.DecidedAt.IsZero() && s.Verdict == report.SuppressNo:
		return fmt.Errorf("the verdict is no (%s), which is not for review", strings.Join(s.Reasons, "; "))
	case accept && r.OriginalRcptTo+r.RcptHash == "" && (r.Identity == nil || r.Identity.Subscriber == ""):
		return errors.New("it names nobody to suppress")
	}
	verdict, code, reason := report.SuppressNo, report.CodeRejected, "rejected in review"
	if accept {
		verdict, code, reason = report.SuppressYes, report.CodeAccepted, "accepted in review"
	}
	if s.Verdict == verdict && !s.DecidedAt.IsZero() {
		return fmt.Errorf("it is %s already", reason)
	}
	r.Revision++
	r.Suppress = &report.Suppress{Verdict: verdict, Codes: []report.Code{code}, Reasons: []string{reason}, DecidedAt: now.UTC().Truncate(time.Second)}
	return nil
}
