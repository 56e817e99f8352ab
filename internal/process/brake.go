package process

import (
	"log/slog"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

var overTheBrake = report.Reason{Code: report.CodeOverBrake, Text: "over the brake"}

// Brake keeps each feed's verdicts yes of a day (UTC, of receipt) within a limit,
// whatever accounts its messages come to: where a loop runs wild, or a rule does, the
// rest waits for a person. nil: no limit.
type Brake struct {
	most int
	log  *slog.Logger
	mu   sync.Mutex
	days map[feedDay]int
	said map[feedDay]bool // that a day has too many
}

type feedDay struct {
	day            int64 // since 1970
	provider, feed string
}

func dayOf(at time.Time, provider, feed string) feedDay {
	return feedDay{at.Unix() / (24 * 60 * 60), provider, feed}
}

// NewBrake allows most verdicts yes a day and feed, those of counts among them.
func NewBrake(most int, counts []ledger.Count, log *slog.Logger) *Brake {
	b := &Brake{most: most, log: log, days: make(map[feedDay]int), said: make(map[feedDay]bool)}
	for _, c := range counts {
		if c.Verdict == string(report.SuppressYes) {
			b.days[dayOf(c.Hour, c.Provider, c.Feed)] += int(c.N)
		}
	}
	return b
}

// allows takes a place for one more yes, if there is one.
func (b *Brake) allows(r *report.Record) bool {
	if b == nil {
		return true
	}
	at := r.ReceivedAt
	if at.IsZero() {
		at = r.ProcessedAt
	}
	d := dayOf(at, r.Provider, r.Feed)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.days[d] < b.most {
		b.days[d]++
		return true
	}
	if !b.said[d] && b.log != nil {
		b.log.Warn("more complaints to act upon in a day than the brake allows: the others of that day wait for fblwatch review",
			"provider", r.Provider, "feed", r.Feed, "day", at.UTC().Format(time.DateOnly), "brake", b.most)
	}
	b.said[d] = true
	return false
}

// settle gives back the places of what was not written: those messages were known,
// or will be read again.
func (b *Brake) Settle(messages []ledger.Message, written []ledger.Row) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range messages {
		for i := range m.Records {
			b.add(&m.Records[i], -1)
		}
	}
	for i := range written {
		b.add(&written[i].Record, 1)
	}
}

func (b *Brake) add(r *ledger.Record, n int) {
	if r.Verdict == string(report.SuppressYes) {
		b.days[dayOf(r.At, r.Provider, r.Feed)] += n
	}
}
