package watch

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
)

const (
	idleAgain = time.Second      // pause after the server ended an IDLE by itself
	idleShort = 5 * time.Second  // an IDLE that ends sooner is of no use
	idleEnds  = 3                // such ends in a row after which the folder is polled
	idlePoll  = 10 * time.Second // how often then

	wakeEvery = 500 * time.Millisecond // between two wakes that brought a message
	wakeIdle  = time.Second            // pause after a wake that brought nothing
	wakesIdle = 5                      // such wakes in a row after which a warning is logged
	wakesAll  = 30                     // likewise, if other folders' expunges wake too
)

// lookAgain is how soon to look again after a wake that brought nothing: some
// servers announce a message before they give it.
var lookAgain = []time.Duration{2 * time.Second, 15 * time.Second}

// learned is what the sessions of one Run learn of the server.
type learned struct {
	quirks    imapclient.Quirks
	idleMute  atomic.Bool // IDLE did not announce a message that came
	tolerance tolerance
	idle      atomic.Bool // wakes brought nothing: the warning is logged
}

// waiter waits for news by IDLE, or without IDLE by polling.
type waiter struct {
	a    *Account
	c    *imapclient.Client
	poll time.Duration // how often to look without IDLE; 0: with IDLE
	ends ends
	pace pace

	rang  bool // the last wait ended by EXISTS
	full  bool // the last wait ended by the end of a whole slice
	looks int  // how many of lookAgain were used
}

func newWaiter(a *Account, c *imapclient.Client) *waiter {
	return &waiter{a: a, c: c, pace: pace{a: a, most: wakesIdle}, looks: len(lookAgain)}
}

// wait returns after an EXISTS (rang), or when it is time to look: with IDLE after
// slice at the latest. looked must be called before the next wait.
func (w *waiter) wait(ctx context.Context, slice time.Duration) (rang bool, err error) {
	w.rang, w.full = false, false
	if w.poll == 0 && (w.a.Watch == "poll" || !w.c.Has("IDLE")) {
		w.poll = w.a.Poll
	}
	if w.poll != 0 {
		return w.nap(ctx)
	}
	if err := w.pace.rest(ctx); err != nil {
		return false, err
	}
	slice = w.a.slice(slice)
	whole := w.looks == len(lookAgain)
	if !whole {
		slice = min(slice, lookAgain[w.looks])
		w.looks++
	}
	start := time.Now()
	wake, err := w.c.Idle(ctx, slice)
	if errors.Is(err, imapclient.ErrNoIdle) {
		w.a.Log.Warn("no IDLE: polling", "err", err, "every", w.a.Poll)
		w.poll = w.a.Poll
		return w.nap(ctx)
	}
	if err != nil || wake != imapclient.WakeEnded {
		w.rang, w.full = wake == imapclient.WakeExists, wake == imapclient.WakeTimeout && whole
		w.ends = 0
		return w.rang, err
	}
	if w.ends.often(start) {
		w.poll = min(w.a.Poll, idlePoll)
		w.a.Log.Warn("the server keeps ending IDLE: polling", "every", w.poll)
	}
	return false, sleep(ctx, idleAgain)
}

// looked notes whether the look after wait found a message.
func (w *waiter) looked(found bool) {
	switch {
	case found:
		w.pace.found()
		w.looks = len(lookAgain)
		if w.full {
			w.a.unannounced()
		}
	case w.rang:
		w.pace.nothing()
		w.looks = 0
	}
}

func (w *waiter) nap(ctx context.Context) (bool, error) {
	if rang, err := w.a.doze(ctx, w.c, w.poll); err != nil || rang {
		return rang, err
	}
	err := w.c.Noop(ctx)
	return w.c.Rang(), err
}

// slice is how long to wait in IDLE: no longer than Poll if the server has never
// announced anything in it.
func (a *Account) slice(most time.Duration) time.Duration {
	if a.learned.idleMute.Load() && !a.learned.quirks.Rings() {
		return min(most, a.Poll)
	}
	return most
}

// unannounced notes that a message came that IDLE did not announce.
func (a *Account) unannounced() {
	if !a.learned.quirks.Rings() && !a.learned.idleMute.Swap(true) {
		a.Log.Warn("the server offers IDLE and did not announce a message: looking more often until it does", "every", a.Poll)
	}
}

// ends counts the IDLEs in a row that a server has ended too soon to be of use.
type ends int

// often notes that the server ended the IDLE begun at start, and reports whether that happens too often.
func (e *ends) often(start time.Time) bool {
	if *e++; time.Since(start) >= idleShort {
		*e = 0
	}
	return *e >= idleEnds
}

// pace keeps a server that rings without end from making work without end.
type pace struct {
	a     *Account
	most  int       // empty wakes in a row after which a warning is logged
	next  time.Time // earliest next wake
	empty int       // wakes in a row that brought nothing
}

func (p *pace) rest(ctx context.Context) error {
	if wait := time.Until(p.next); wait > 0 {
		return sleep(ctx, wait)
	}
	return nil
}

func (p *pace) found() { p.next, p.empty = time.Now().Add(wakeEvery), 0 }

func (p *pace) nothing() {
	if time.Since(p.next) > wakeIdle {
		p.empty = 0
	}
	p.next = time.Now().Add(wakeIdle)
	if p.empty++; p.empty == p.most && !p.a.learned.idle.Swap(true) {
		p.a.Log.Warn("the server keeps announcing new messages and has none: looking once a second at most")
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
