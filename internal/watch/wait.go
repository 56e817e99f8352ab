package watch

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
)

const (
	idleAgain = time.Second      // after a server ended IDLE by itself
	idleShort = 5 * time.Second  // an IDLE that ends sooner was no use
	idleEnds  = 3                // such ends in a row, and the folder is polled
	idlePoll  = 10 * time.Second // so often then: the server does have news at once

	wakeEvery = 500 * time.Millisecond // between two wakes that brought a message
	wakeIdle  = time.Second            // behind a wake that brought nothing
	wakesIdle = 5                      // such wakes on end of which a person is told
	wakesAll  = 30                     // where other folders' expunges wake too
)

// lookAgain is how soon to look again after a wake that brought nothing: some
// servers announce a message before they give it.
var lookAgain = []time.Duration{2 * time.Second, 15 * time.Second}

// learned is what the sessions of one Run learn of the server.
type learned struct {
	quirks    imapclient.Quirks
	idleMute  atomic.Bool // IDLE told nothing of a message that came
	tolerance tolerance
	idle      atomic.Bool // wakes brought nothing, as a person was told
}

// waiter waits for news by IDLE, or by polling where IDLE is not to be had.
type waiter struct {
	a    *Account
	c    *imapclient.Client
	poll time.Duration // not 0: without IDLE, so often
	ends ends
	pace pace

	rang  bool // the last wait ended by EXISTS
	full  bool // by the end of a whole slice
	looks int  // how many of lookAgain were used
}

func newWaiter(a *Account, c *imapclient.Client) *waiter {
	return &waiter{a: a, c: c, pace: pace{a: a, most: wakesIdle}, looks: len(lookAgain)}
}

// wait returns after an EXISTS (rang), or when it is time to look, behind slice
// at the latest where it is IDLE that waits. looked must be called before the
// next wait.
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

// looked tells what a look behind wait has brought.
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

// slice is how long to wait in IDLE: no longer than Poll where the server was
// never heard to tell anything in it.
func (a *Account) slice(most time.Duration) time.Duration {
	if a.learned.idleMute.Load() && !a.learned.quirks.Rings() {
		return min(most, a.Poll)
	}
	return most
}

// unannounced notes that a message came of which IDLE did not tell.
func (a *Account) unannounced() {
	if !a.learned.quirks.Rings() && !a.learned.idleMute.Swap(true) {
		a.Log.Warn("the server offers IDLE and told nothing of a message that had come: looking more often until it does", "every", a.Poll)
	}
}

// ends counts the IDLEs in a row that a server has ended too soon to be of use.
type ends int

// often notes that the server has ended the IDLE begun at start.
func (e *ends) often(start time.Time) bool {
	if *e++; time.Since(start) >= idleShort {
		*e = 0
	}
	return *e >= idleEnds
}

// pace keeps a server that rings without end from making work without end.
type pace struct {
	a     *Account
	most  int       // empty wakes of which a person is told
	next  time.Time // before which there is no other wake
	empty int       // wakes on end that brought nothing
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
		p.a.Log.Warn("the server keeps telling of new messages and has none: looking once a second at most")
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
