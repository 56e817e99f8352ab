package watch

import (
	"context"
	"errors"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
)

const (
	idleAgain = time.Second // after a server ended IDLE by itself
	idleEnds  = 3           // such ends in idleSpan, and the folder is polled
	idleSpan  = time.Minute
)

// waiter waits for news by IDLE, or by polling where IDLE is not to be had.
type waiter struct {
	a    *Account
	c    *imapclient.Client
	poll bool
	ends []time.Time
}

// wait returns after an EXISTS (rang), or when it is time to look, behind slice
// at the latest where it is IDLE that waits.
func (w *waiter) wait(ctx context.Context, slice time.Duration) (rang bool, err error) {
	if w.poll || w.a.Watch == "poll" || !w.c.Has("IDLE") {
		return w.nap(ctx)
	}
	wake, err := w.c.Idle(ctx, slice)
	if errors.Is(err, imapclient.ErrNoIdle) {
		w.a.Log.Warn("no IDLE: polling", "err", err, "every", w.a.Poll)
		w.poll = true
		return w.nap(ctx)
	}
	if err != nil || wake != imapclient.Ended {
		return wake == imapclient.Rang, err
	}
	now := time.Now()
	w.ends = append(w.ends, now)
	if len(w.ends) >= idleEnds {
		w.ends = w.ends[len(w.ends)-idleEnds:]
		if now.Sub(w.ends[0]) < idleSpan {
			w.a.Log.Warn("the server keeps ending IDLE: polling", "every", w.a.Poll)
			w.poll = true
		}
	}
	return false, sleep(ctx, idleAgain)
}

func (w *waiter) nap(ctx context.Context) (bool, error) {
	if err := sleep(ctx, w.a.Poll); err != nil {
		return false, err
	}
	err := w.c.Noop(ctx)
	return w.c.Rang(), err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
