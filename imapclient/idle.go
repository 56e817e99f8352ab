package imapclient

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
)

// Wake is why Idle returned.
type Wake int

const (
	WakeExists  Wake = iota // EXISTS: there may be new messages
	WakeTimeout             // the time is over
	WakeEnded               // the server ended IDLE by itself
	WakeOther               // a mailbox of Notify has changed: call Changed
)

// A server that has stopped NOTIFY by itself is asked again, unless it stopped more
// than overflowMost times, each within overflowSpan of the time before.
const (
	overflowMost = 3
	overflowSpan = time.Minute
)

// Idle waits in IDLE (RFC 2177) for at most slice until a rising EXISTS arrives, or
// a change in a mailbox of Notify. It returns at once if there is news that neither
// Idle nor Rang or Changed has reported. Before IDLE it sends NOOP, for the news
// since the last command. RFC 2177 wants slice under 29 minutes.
//
// Errors: ErrNoIdle (the server refuses IDLE), ErrNoNotify (the server has stopped
// NOTIFY and does not resume), a *ResponseError with a Backoff (the server wants a
// pause). The session goes on after these. Others as for [Client].
//
// After Idle the IDLE goes on, and its events are received. The next command sends
// DONE in the same write. Only another Idle waits for the answer to DONE, and every
// command if the server loses commands that come with DONE.
//
// IDLE is the tap's own command. go-imap's IDLE waits for "+" for ever, and does
// not notice that the server has ended it.
func (c *Client) Idle(ctx context.Context, slice time.Duration) (Wake, error) {
	if c.overflow && !c.locked {
		if err := c.gaveUp(); err != nil {
			return 0, err
		}
		err := c.Notify(ctx, slices.Sorted(maps.Keys(c.watched))...)
		if errors.Is(err, ErrNoNotify) {
			c.overflow, c.watched = false, nil
		}
		if err != nil {
			return 0, err
		}
	}
	end, err := c.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	if c.news() { // it came before we asked
		return c.woken(WakeTimeout), nil
	}
	if err := c.leaveIdle(false); err != nil { // one IDLE at a time
		return 0, err
	}
	together := c.quirks.readsOn.Load() && !c.quirks.apart.Load()
	if !together {
		if err := c.announced(); err != nil {
			return 0, err
		}
	}
	if c.news() {
		return c.woken(WakeTimeout), nil
	}
	answer, told, cont, err := c.tap.idle(together)
	if err != nil {
		return 0, c.finish("IDLE", err)
	}
	timer := time.NewTimer(slice)
	defer timer.Stop()
	defer func() { c.waiting = false }()
	for over := false; !over; over = cont == nil && (over || c.news()) {
		select {
		case ev := <-c.tap.events:
			had := c.news()
			if c.serve(ev); c.waiting && !had && c.news() {
				c.quirks.rings.Store(true)
			}
		case <-cont:
			cont, c.waiting = nil, true // news may have come before
		case st := <-told:
			if told = nil; suggested(st.text) == 0 {
				continue
			}
			c.suggestion(st)
			if c.tap.endIdle() {
				c.idle = answer
			}
			return 0, st.responseError("NOOP")
		case st := <-answer:
			c.drain()
			return c.idled(st)
		case <-timer.C:
			over = cont == nil // "+" has its own deadline
			if !over {
				timer.Reset(time.Second)
			}
		case <-c.tap.quit:
			if together && cont != nil && errors.As(c.tap.ended(), new(*TimeoutError)) {
				c.quirks.apart.Store(true) // the server may have lost the IDLE that came with NOOP
			}
			return 0, c.finish("IDLE", nil)
		}
	}
	if c.tap.endIdle() {
		c.idle = answer
	}
	return c.woken(WakeTimeout), nil
}

// gaveUp is an error if the server has stopped NOTIFY too often to ask again.
func (c *Client) gaveUp() error {
	if time.Since(c.lastOverflow) > overflowSpan {
		c.overflows = 0
	}
	c.lastOverflow = time.Now()
	if c.overflows++; c.overflows <= overflowMost {
		return nil
	}
	c.overflow, c.watched = false, nil
	return fmt.Errorf("%w: it stops NOTIFY again and again", ErrNoNotify)
}

// announced sends NOOP and waits for its answer. In IDLE several servers (pymap,
// go-imap, maddy, imap4d) report only what comes after its start, so NOOP asks for
// the news since the last command.
func (c *Client) announced() error {
	c.owed("NOOP", c.limits.Command)
	answer, err := c.tap.inject("NOOP")
	if err == nil {
		if st, ok := c.answer(answer); ok && suggested(st.text) > 0 {
			c.serve(func(listener) { c.tagged(st) })
		}
	}
	return c.finish("NOOP", err)
}

// news reports whether there is news that no method has reported.
func (c *Client) news() bool { return c.rang || c.stirred }

// woken is why Idle returns: for news, or else for otherwise.
func (c *Client) woken(otherwise Wake) Wake {
	switch {
	case c.rang:
		c.rang = false
		return WakeExists
	case c.stirred:
		c.stirred = false
		return WakeOther
	}
	return otherwise
}

// idled handles the end of an IDLE by the server.
func (c *Client) idled(st status) (Wake, error) {
	if st.kind != "OK" {
		err := fmt.Errorf("%w: %s %s", ErrNoIdle, st.kind, st.text)
		if suggested(st.text) > 0 { // a pause is no refusal of IDLE
			c.suggestion(st)
			err = st.responseError("IDLE")
		}
		c.serve(func(listener) { c.told(callbacks.Warn, err.Error()) })
		return 0, err
	}
	return c.woken(WakeEnded), nil
}
