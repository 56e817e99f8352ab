package imapclient

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
)

// shut closes the connection and waits for go-imap's reader. Events that come
// meanwhile are dropped.
func (c *Client) shut(cause error) {
	c.tap.end(cause)
	c.sayOmitted(true)
	for {
		select {
		case <-c.tap.events:
		case <-c.gi.Closed():
			return
		}
	}
}

// await runs events until the command is done.
func (c *Client) await(done <-chan error) error {
	for {
		select {
		case ev := <-c.tap.events:
			c.serve(ev)
		case err := <-done:
			c.drain()
			return err
		}
	}
}

// answer runs events until a command of our own is answered. ok is false if the
// session ends first.
func (c *Client) answer(answer <-chan status) (st status, ok bool) {
	for {
		select {
		case ev := <-c.tap.events:
			c.serve(ev)
		case st := <-answer:
			c.drain()
			return st, true
		case <-c.tap.quit:
			c.drain()
			select {
			case st := <-answer:
				return st, true
			default:
				return status{}, false
			}
		}
	}
}

// ready is why a command with a mailbox cannot be sent; nil: it can.
func (c *Client) ready(mailbox string) error {
	if c.locked {
		return ErrLocked
	}
	return validName(mailbox)
}

// begin starts a method. It refuses a call from a Handler, and one after the end of
// the session. Until end is called, the end of ctx closes the connection.
func (c *Client) begin(ctx context.Context) (end func(), err error) {
	if c.locked {
		return nil, ErrLocked
	}
	if cause := c.tap.ended(); cause != nil {
		c.drain() // its last words
		return nil, c.over(cause)
	}
	c.quiet = 0
	c.sayOmitted(false)
	stop := context.AfterFunc(ctx, func() { c.tap.end(context.Cause(ctx)) })
	return func() { stop() }, nil
}

// do runs one command of go-imap. run starts it and waits for the answer.
func (c *Client) do(ctx context.Context, name string, limit time.Duration, run func() error) error {
	end, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := c.leaveIdle(true); err != nil {
		return err
	}
	c.owed(name, limit)
	done, start := make(chan error, 1), time.Now()
	go func() { done <- run() }()
	err = c.await(done)
	c.timed(start)
	return c.finish(name, err)
}

// own runs one command without go-imap, which lacks it or does it wrongly.
func (c *Client) own(ctx context.Context, limit time.Duration, command string) error {
	end, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := c.leaveIdle(true); err != nil {
		return err
	}
	name, _, _ := strings.Cut(command, " ")
	if name == "UID" {
		name, _, _ = strings.Cut(command[len("UID "):], " ")
		name = "UID " + name
	}
	c.owed(name, limit)
	start := time.Now()
	answer, err := c.tap.inject(command)
	if err == nil {
		if st, ok := c.answer(answer); ok {
			c.serve(func(listener) { c.tagged(st) })
		}
	}
	c.timed(start)
	return c.finish(name, err)
}

// timed notes how long a command took: the quickest shows the round trip.
func (c *Client) timed(start time.Time) {
	if took := time.Since(start); c.roundTrip == 0 || took < c.roundTrip {
		c.roundTrip = took
	}
}

// owed sets how long the server may be silent before it answers the next commands.
func (c *Client) owed(name string, limit time.Duration) {
	c.refusal = status{}
	c.tap.owe("answer to "+name, limit)
}

// finish returns the error of a command that has ended.
func (c *Client) finish(name string, err error) error {
	if cause := c.tap.ended(); cause != nil {
		c.drain()
		c.shut(cause)
		return c.over(cause)
	}
	switch {
	case c.refusal.kind == "NO" || c.refusal.kind == "BAD":
		re := c.refusal.responseError(name)
		c.serve(func(listener) { c.told(callbacks.Error, re.Error()) })
		return re
	case err != nil: // go-imap could not read what the tap let through
		c.shut(fmt.Errorf("%w: %v", ErrProtocol, err))
		return c.over(c.tap.ended())
	}
	return nil
}

// over is the error for the end of the session, with the server's own words if
// there are any.
func (c *Client) over(cause error) error {
	var fetch *FetchError
	if errors.As(cause, &fetch) {
		return &FetchError{UID: fetch.UID, Octets: fetch.Octets, Err: c.over(fetch.Err)}
	}
	wait := max(0, time.Until(c.until))
	switch {
	case c.bye != nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded):
		return &ByeError{Code: c.bye.Code, Text: c.bye.Text, wait: wait}
	case !ours(cause):
		cause = fmt.Errorf("imapclient: connection to %s ended: %w", c.opts.Host, cause)
	}
	if wait > 0 {
		return &throttled{cause, wait}
	}
	return cause
}

// leaveIdle ends an IDLE that Idle has left, and waits for the answer. With alone
// it does so only if the server loses commands that come with DONE.
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

// isRefusal reports whether the server refused the command; the session has not
// ended, and the server did not ask for a pause.
func isRefusal(err error) bool {
	return errors.As(err, new(*ResponseError)) && Backoff(err) == 0
}
