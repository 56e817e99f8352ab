package watch

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
)

// leastTolerance is the shortest silence for which a server is taken to hang up. A
// connection that ends sooner ends for another reason.
const leastTolerance = 10 * time.Second

// tolerance is how long a server tolerates silence outside of IDLE. GreenMail hangs
// up after 30 s, without a BYE. 0: for ever.
type tolerance struct{ d atomic.Int64 }

// learn notes a silence after which the server hung up. From now on the server gets
// a command each time the returned duration has passed.
func (q *tolerance) learn(after time.Duration) time.Duration {
	every := after * 3 / 4
	q.d.Store(int64(every))
	return every
}

// within is d, or as much of it as the server tolerates.
func (q *tolerance) within(d time.Duration) time.Duration {
	if most := time.Duration(q.d.Load()); most > 0 {
		return min(d, most)
	}
	return d
}

// hungUp is the error of a session that the server ended because it was silent. It
// is no failure: the next session is not silent for so long.
type hungUp struct{ error }

func (h hungUp) Unwrap() error { return h.error }

// doze waits for d before the next poll. A server that hangs up on silent connections
// gets a NOOP in between. rang: its answer announced a message.
func (a *Account) doze(ctx context.Context, c *imapclient.Client, d time.Duration) (rang bool, err error) {
	for end := time.Now().Add(d); ; {
		start := time.Now()
		select {
		case <-time.After(a.learned.tolerance.within(time.Until(end))):
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-c.Ended():
			err := c.Noop(ctx) // returns why
			if after := time.Since(start); after >= leastTolerance && ctx.Err() == nil {
				every := a.learned.tolerance.learn(after)
				a.Log.Info("the server hangs up on silent connections: asking it more often", "after", after.Round(time.Second).String(), "every", every.Round(time.Second).String())
				return false, hungUp{err}
			}
			return false, err
		}
		if !time.Now().Before(end) {
			return false, nil
		}
		if err := c.Noop(ctx); err != nil && !isRefusal(err) {
			return false, err
		}
		if c.Rang() {
			return true, nil
		}
	}
}
