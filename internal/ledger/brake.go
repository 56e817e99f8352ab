package ledger

import (
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// Held is what a record with the verdict yes says instead if its feed has Most
// records of that verdict on its day already.
type Held struct {
	Most    int // records a day (UTC, of At) and feed
	Verdict string
	JSON    []byte
}

// FeedDay is a day of a feed on which a limit held records back.
type FeedDay struct {
	Day            time.Time // its start, UTC
	Provider, Feed string
	Most           int
}

// Brake applies the limits of records within one transaction.
type Brake struct {
	// Count returns how many records of a feed have the verdict yes on a day, by the
	// ledger's counts.
	Count func(day time.Time, provider, feed string) (int64, error)

	counted map[FeedDay]int64 // by Count; Most is 0 in the keys
	taken   map[FeedDay]int64 // since
	over    []FeedDay
}

// Over lists the days on which records were held back.
func (b *Brake) Over() []FeedDay { return b.over }

// Recount makes the Brake count again. It is for after each revision, when the ledger's
// counts include that revision or it was stale.
func (b *Brake) Recount() {
	clear(b.counted)
	clear(b.taken)
}

// pass holds r back if its day is full.
func (b *Brake) pass(r *Record) error {
	held := r.Held
	r.Held = nil
	if r.Verdict != string(report.SuppressYes) {
		return nil
	}
	day := dayOf(r)
	if held != nil {
		n, known := b.counted[day]
		if !known {
			var err error
			if n, err = b.Count(day.Day, day.Provider, day.Feed); err != nil {
				return err
			}
			if b.counted == nil {
				b.counted = make(map[FeedDay]int64)
			}
			b.counted[day] = n
		}
		if n+b.taken[day] >= int64(held.Most) {
			r.Verdict, r.JSON = held.Verdict, held.JSON
			day.Most = held.Most
			if !slices.Contains(b.over, day) {
				b.over = append(b.over, day)
			}
			return nil
		}
	}
	b.take(day, 1)
	return nil
}

// free gives back the place of a record that is replaced.
func (b *Brake) free(r *Record) {
	if r.Verdict == string(report.SuppressYes) {
		b.take(dayOf(r), -1)
	}
}

func (b *Brake) take(day FeedDay, n int64) {
	if b.taken == nil {
		b.taken = make(map[FeedDay]int64)
	}
	b.taken[day] += n
}

func dayOf(r *Record) FeedDay {
	return FeedDay{Day: r.At.UTC().Truncate(24 * time.Hour), Provider: r.Provider, Feed: r.Feed}
}
