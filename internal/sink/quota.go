package sink

import (
	"context"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// Acts is where a sink keeps when it did something. What the methods do,
// ledger.Deliveries says.
type Acts interface {
	Acted(ctx context.Context, sink string, key ledger.ActKey) (time.Time, error)
	SetActed(ctx context.Context, sink string, keys []ledger.ActKey, at time.Time) error
}

// quota keeps to a Rate, also over a restart: all that it needs is one time, until which
// the rate is used up (the generic cell rate algorithm, ITU-T I.371).
type quota struct {
	rate Rate
	sink string
	acts Acts // nil: each start begins anew
	used time.Time
	read bool
}

// quotaKey notes in the ledger until when the rate is used up.
var quotaKey = ledger.ActKey{'r', 'a', 't', 'e'}

func (q *quota) load(ctx context.Context) (err error) {
	if q.acts != nil && !q.read {
		q.used, err = q.acts.Acted(ctx, q.sink, quotaKey)
	}
	q.read = err == nil
	return err
}

func (q *quota) save(ctx context.Context) error {
	if q.acts == nil {
		return nil
	}
	return q.acts.SetActed(ctx, q.sink, []ledger.ActKey{quotaKey}, q.used)
}

func (q *quota) interval() time.Duration { return q.rate.Per / time.Duration(q.rate.N) }

// wait returns how long the next one must wait; 0: it may go.
func (q *quota) wait(now time.Time) time.Duration {
	if q.used.Before(now) {
		return 0
	}
	return max(0, q.used.Sub(now)-(q.rate.Per-q.interval()))
}

// spend counts one.
func (q *quota) spend(now time.Time) {
	if q.used.Before(now) {
		q.used = now
	}
	q.used = q.used.Add(q.interval())
}
