package watch

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	clocksEvery = 10 * time.Second // how often the clocks are compared
	suspendGap  = 30 * time.Second // difference of the clocks that shows a suspension
)

// errSuspended ends the sessions that were open when the machine was suspended:
// their connections are dead, and their timers stood still.
var errSuspended = advanced{errors.New("the machine was suspended")}

// wakeDetector ends the sessions of an account when the machine wakes up: the wall
// clock went on while timers stood still.
type wakeDetector struct {
	wall func() time.Time // without its monotonic part

	mu   sync.Mutex
	open map[*context.CancelCauseFunc]bool
}

func newWakeDetector(wall func() time.Time) *wakeDetector {
	if wall == nil {
		wall = func() time.Time { return time.Now().Round(0) }
	}
	return &wakeDetector{wall: wall, open: make(map[*context.CancelCauseFunc]bool)}
}

// session returns a context that ends with ctx, or when the machine wakes up.
func (d *wakeDetector) session(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open[&cancel] = true
	return ctx, func() {
		cancel(nil)
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.open, &cancel)
	}
}

// run compares the clocks until ctx ends.
func (d *wakeDetector) run(ctx context.Context) {
	ticker := time.NewTicker(clocksEvery)
	defer ticker.Stop()
	for last := d.wall(); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := d.wall()
		if now.Sub(last) > clocksEvery+suspendGap {
			d.mu.Lock()
			for cancel := range d.open {
				(*cancel)(errSuspended)
			}
			d.mu.Unlock()
		}
		last = now
	}
}
