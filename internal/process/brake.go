package process

import (
	"log/slog"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

var overTheBrake = report.Reason{Code: report.CodeOverBrake, Text: "over the brake"}

// Brake limits the verdicts yes of a day (UTC, of receipt) and feed, over all
// accounts: if a loop or a rule runs wild, the rest waits for a person. The ledger
// counts. nil: no limit.
type Brake struct {
	most int
	log  *slog.Logger
	mu   sync.Mutex
	told map[ledger.FeedDay]bool
}

// NewBrake allows most verdicts yes a day and feed. A nil log is none.
func NewBrake(most int, log *slog.Logger) *Brake {
	return &Brake{most: most, log: log, told: make(map[ledger.FeedDay]bool)}
}

// Hold gives a row whose record says yes what to say over the limit. A person's yes
// has no limit.
func (b *Brake) Hold(row *ledger.Record, r *report.Record) {
	if b == nil || r.Suppress == nil || r.Suppress.Verdict != report.SuppressYes || !r.Suppress.DecidedAt.IsZero() {
		return
	}
	held := *r
	held.Suppress = &report.Suppress{
		Verdict: report.SuppressReview, Codes: []report.Code{overTheBrake.Code}, Reasons: []string{overTheBrake.Text},
	}
	row.Held = &ledger.Held{Most: b.most, Verdict: string(report.SuppressReview), JSON: held.AppendJSON(nil)}
}

// Log logs each day of a feed once.
func (b *Brake) Log(over []ledger.FeedDay) {
	if b == nil || b.log == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range over {
		if !b.told[d] {
			b.told[d] = true
			b.log.Warn("more complaints to act upon in a day than the brake allows: the others of that day wait for fblwatch review",
				"provider", d.Provider, "feed", d.Feed, "day", d.Day.Format(time.DateOnly), "brake", d.Most)
		}
	}
}
