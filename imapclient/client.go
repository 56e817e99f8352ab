package imapclient

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/fblwatch/fblwatch/callbacks"
)

// Client is one session with a server, logged in. Its methods may be called by
// one goroutine at a time. After an error that is none of *ResponseError, those
// named ErrNo..., ErrReadOnly, ErrLocked and a missing UIDVALIDITY the session is
// over and every method returns the reason.
//
// A panic in a Handler, or in the loop over Fetch, goes through the method that
// ran it; of the session only Close may be called then.
type Client struct {
	opts    Options
	limits  Timeouts
	quirks  *Quirks
	h       callbacks.Handler
	tap     *tap
	gi      *imapclient.Client
	caps    map[string]bool
	mailbox callbacks.Mailbox  // as the events name it
	next    *callbacks.Mailbox // that is being opened, until the events are its
	expires time.Time          // of what it is logged in by
	locked  bool               // a Handler or the loop over Fetch is running

	// What the events of the running command have gathered.
	selected Selected
	searches bool   // a SEARCH found a message
	odd      string // UIDVALIDITY, where it is no number of 64 bits
	found    []uint32
	far      uint64 // a UID beyond 32 bits, told since the command began; 0: none
	lists    []List
	listing  string // LIST or LSUB, while lists gathers its lines
	asking   string // the mailbox whose STATUS status is
	status   callbacks.Status
	refusal  status // the last tagged answer to a command of go-imap's
	bye      *ByeError
	quiet    int       // words that were only information
	until    time.Time // when a server that was asked too much wants to be asked again

	// Of the doorbell.
	rang    bool   // since the last look
	opening bool   // a mailbox is being opened: its EXISTS is no news
	arrived uint64 // messages that EXISTS announced since the mailbox was opened
	shrunk  bool   // by an expunge since the last EXISTS
	recents uint32 // of the last RECENT
	risen   uint32 // by EXISTS since then
	alone   bool   // no EXISTS since then
	waiting bool   // in IDLE, behind its "+"
	babbled int    // weight of needless EXISTS lines

	// Of extensions.
	asked     bool            // for QRESYNC
	enabled   bool            // QRESYNC
	permanent []string        // flags the open mailbox keeps; nil: not told
	watched   map[string]bool // what Notify asked for; nil: nothing
	overflow  bool            // and the server has given up
	overflows int             // how often in a row
	changed   map[string]bool // of those, since Changed
	stirred   bool            // and since Idle told
	personal  List            // namespace
	spelled   spellings
	overlists bool // warned that LIST answers with more than was asked for
	quotas    []Quota

	lastOverflow time.Time

	idle <-chan status // the answer to an IDLE that was left and not waited for
}

// Has tells whether the server offers a capability, e.g. "IDLE".
func (c *Client) Has(capability string) bool { return c.caps[strings.ToUpper(capability)] }

// Expires is when the token expires by which the session is logged in. Zero: not
// known, or never.
func (c *Client) Expires() time.Time { return c.expires }

// Ended is closed once the session is over: by Close, by the server or by the
// network. It may be called at any time and from any goroutine.
func (c *Client) Ended() <-chan struct{} { return c.tap.quit }

// Close ends the session at once and waits until nothing of it runs.
func (c *Client) Close() error {
	if c.locked {
		return ErrLocked
	}
	c.shut(ErrClosed)
	return nil
}

// Logout ends the session politely: LOGOUT, at most a second for its answer,
// then Close.
func (c *Client) Logout(ctx context.Context) error {
	if c.locked {
		return ErrLocked
	}
	if c.tap.ended() == nil {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		stop := context.AfterFunc(ctx, func() { c.tap.end(ErrClosed) })
		err := c.leaveIdle(true)
		if err == nil {
			c.owed("LOGOUT", c.limits.Command)
			var answer <-chan status
			if answer, err = c.tap.inject("LOGOUT"); err == nil {
				c.answer(answer)
			}
		}
		stop()
	}
	c.shut(ErrClosed)
	return nil
}

// shut closes the connection and waits for go-imap's reader; what it still
// tells on its way out is dropped.
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

// await runs events until done says that the command is through.
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

// answer runs events until a command of our own is answered. false: it never
// will be.
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

// drain runs the events that came before a command's answer.
func (c *Client) drain() {
	for {
		select {
		case ev := <-c.tap.events:
			c.serve(ev)
		default:
			return
		}
	}
}

func (c *Client) serve(ev func(*Client)) {
	was := c.locked
	defer func() { c.locked = was }() // also when a Handler panics
	c.locked = true
	ev(c)
}

// begin guards a method: not from a Handler, not on a dead session. The
// connection lives no longer than ctx until end is called.
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

// do runs one command of go-imap's. run starts it and waits for its answer.
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
	done := make(chan error, 1)
	go func() { done <- run() }()
	err = c.await(done)
	return c.finish(name, err)
}

// own runs one command of our own, which go-imap has not or would harm.
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
	answer, err := c.tap.inject(command)
	if err == nil {
		if st, ok := c.answer(answer); ok {
			c.serve(func(c *Client) { c.tagged(st) })
		}
	}
	return c.finish(name, err)
}

// owed says how long the server may be silent on the commands to come.
func (c *Client) owed(name string, limit time.Duration) {
	c.refusal = status{}
	c.tap.owe("answer to "+name, limit)
}

// finish turns the end of a command into an error of ours.
func (c *Client) finish(name string, err error) error {
	if cause := c.tap.ended(); cause != nil {
		c.drain()
		c.shut(cause)
		return c.over(cause)
	}
	switch {
	case c.refusal.kind == "NO" || c.refusal.kind == "BAD":
		re := &ResponseError{Command: name, Status: c.refusal.kind, Code: c.refusal.code, Text: c.refusal.text}
		c.serve(func(c *Client) { c.told(callbacks.Error, re.Error()) })
		return re
	case err != nil: // go-imap gave up on what the tap let through
		c.shut(fmt.Errorf("%w: %v", ErrProtocol, err))
		return c.over(c.tap.ended())
	}
	return nil
}

// over says why the session ended, in the server's own words where it had any.
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

func (c *Client) log(l callbacks.Level, text string) {
	c.serve(func(c *Client) { c.h.Log(l, text) })
}
