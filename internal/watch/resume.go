package watch

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	resumeEvery = 10 * time.Second // how often the clocks are compared
	resumeGap   = 30 * time.Second // by which they are apart once the machine was suspended
)

// errResumed ends the sessions of before the machine was suspended: their
// connections are dead, and the time for which they wait did not go by.
var errResumed = progress{errors.New("the machine was suspended")}

// resume knows the sessions of an account, and ends them when the machine wakes
// up: the clock on the wall has gone on while no timer did.
type resume struct {
	wall func() time.Time // without its monotonic part

	mu   sync.Mutex
	open map[*context.CancelCauseFunc]bool
}

func newResume(wall func() time.Time) *resume {
	if wall == nil {
		wall = func() time.Time { return time.Now().Round(0) }
	}
	return &resume{wall: wall, open: make(map[*context.CancelCauseFunc]bool)}
}

// session is a context that ends with ctx, or when the machine wakes up.
func (r *resume) session(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[&cancel] = true
	return ctx, func() {
		cancel(nil)
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.open, &cancel)
	}
}

// run compares the clocks until ctx ends.
func (r *resume) run(ctx context.Context) {
	ticker := time.NewTicker(resumeEvery)
	defer ticker.Stop()
	for last := r.wall(); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := r.wall()
		if now.Sub(last) > resumeEvery+resumeGap {
			r.mu.Lock()
			for cancel := range r.open {
				(*cancel)(errResumed)
			}
			r.mu.Unlock()
		}
		last = now
	}
}
