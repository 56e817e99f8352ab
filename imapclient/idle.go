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

// Wake says why Idle returned.
type Wake int

const (
	WakeExists  Wake = iota // EXISTS: there may be new message
	WakeTimeout             // the time is over
	WakeEnded               // the server ended IDLE by itself
	WakeOther               // a mailbox of Notify has changed: see Changed
)

// So often in a row, each sooner than that, a server that has given up telling is
// asked again.
const (
	overflowMost = 3
	overflowSpan = time.Minute
)

// Idle waits in IDLE (RFC 2177) for an EXISTS, or for what Notify asked for, at
// most for slice. A NOOP goes ahead, for what came since the last command. DONE
// goes out with the next command, so that this is answered one round trip after
// the news; only another Idle waits in between, and every command where the
// server was seen to lose what comes with DONE. Until then the server goes on
// telling, and it is heard. News that came before, and that neither Idle nor Rang or Changed has told of, makes it return
// at once. ErrNoIdle: the server refused; the session goes on, as it does after a
// *ResponseError that has a Backoff. ErrNoNotify: it has
// stopped telling what Notify asked for, and would not start again; likewise.
//
// IDLE is the tap's own command and not go-imap's, whose IDLE waits for "+"
// for ever and does not notice that the server has ended it.
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
			cont, c.waiting = nil, true // it may have rung before
		case st := <-told:
			if told = nil; suggested(st.text) == 0 {
				continue
			}
			c.suggestion(st)
			if c.tap.endIdle() {
				c.idle = answer
			}
			return 0, &ResponseError{Command: "NOOP", Status: st.kind, Code: st.code, Text: st.text}
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
				c.quirks.apart.Store(true) // it may have lost what came with NOOP
			}
			return 0, c.finish("IDLE", nil)
		}
	}
	if c.tap.endIdle() {
		c.idle = answer
	}
	return c.woken(WakeTimeout), nil
}

// gaveUp is an error where the server has given up telling too often to be asked
// again.
func (c *Client) gaveUp() error {
	if time.Since(c.lastOverflow) > overflowSpan {
		c.overflows = 0
	}
	c.lastOverflow = time.Now()
	if c.overflows++; c.overflows <= overflowMost {
		return nil
	}
	c.overflow, c.watched = false, nil
	return fmt.Errorf("%w: it gives up telling again and again", ErrNoNotify)
}

// announced sends NOOP and waits for its answer. Several servers (pymap, go-imap,
// maddy, imap4d) tell in IDLE only what comes after it began, so that what came
// since the last command must be asked for.
func (c *Client) announced() error {
	c.owed("NOOP", c.limits.Command)
	answer, err := c.tap.inject("NOOP")
	if err == nil {
		if st, ok := c.answer(answer); ok && suggested(st.text) > 0 {
			c.serve(func(c *Client) { c.tagged(st) })
		}
	}
	return c.finish("NOOP", err)
}

// leaveIdle ends an IDLE that was left, and waits for the answer. alone: only
// where the server takes no command along with DONE.
func (c *Client) leaveIdle(alone bool) error {
	if c.idle == nil || alone && !c.quirks.doneAlone.Load() {
		return nil
	}
	if err := c.tap.leave(); err != nil {
		return c.finish("DONE", err)
	}
	c.answer(c.idle)
	c.idle = nil
	if c.tap.ended() != nil {
		return c.finish("DONE", nil)
	}
	return nil
}

// news tells whether something came that nobody was told of.
func (c *Client) news() bool { return c.rang || c.stirred }

// woken says why Idle returns: for the news, or else for another reason.
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

// idled takes the answer to an IDLE that we had not ended.
func (c *Client) idled(st status) (Wake, error) {
	if st.kind != "OK" {
		err := fmt.Errorf("%w: %s %s", ErrNoIdle, st.kind, st.text)
		if suggested(st.text) > 0 { // not now: that says nothing of IDLE
			c.suggestion(st)
			err = &ResponseError{Command: "IDLE", Status: st.kind, Code: st.code, Text: st.text}
		}
		c.serve(func(c *Client) { c.told(callbacks.Warn, err.Error()) })
		return 0, err
	}
	return c.woken(WakeEnded), nil
}
