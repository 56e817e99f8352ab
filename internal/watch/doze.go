package watch

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
)

// leastSilence is the shortest silence that a server is taken to hang up for. A
// connection that ends sooner ends for another reason.
const leastSilence = 10 * time.Second

// silence is how long a server bears silence outside of IDLE. GreenMail hangs up
// after 30 s, without a BYE. 0: as long as anybody waits.
type silence struct{ d atomic.Int64 }

// learn notes a silence after which the server hung up, and returns how often it
// is asked something from now on.
func (q *silence) learn(after time.Duration) time.Duration {
	every := after * 3 / 4
	q.d.Store(int64(every))
	return every
}

// within is d, or as much of it as the server bears.
func (q *silence) within(d time.Duration) time.Duration {
	if most := time.Duration(q.d.Load()); most > 0 {
		return min(d, most)
	}
	return d
}

// hungUp is a session that the server ended because it was silent. It is no
// failure: the next one is not silent for so long.
type hungUp struct{ error }

func (h hungUp) Unwrap() error { return h.error }

// doze waits for d before the next poll. A server that hangs up on silent
// connections is asked in between. rang: it told of a message then.
func (a *Account) doze(ctx context.Context, c *imapclient.Client, d time.Duration) (rang bool, err error) {
	for end := time.Now().Add(d); ; {
		start := time.Now()
		select {
		case <-time.After(a.learned.silence.within(time.Until(end))):
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-c.Ended():
			err := c.Noop(ctx) // says why
			if after := time.Since(start); after >= leastSilence && ctx.Err() == nil {
				every := a.learned.silence.learn(after)
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
