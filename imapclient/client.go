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

// Client is one logged-in session with a server. Only one goroutine at a time may
// call its methods.
//
// The session goes on after these errors: *ResponseError, ErrNoIdle, ErrNoNotify,
// ErrNoQuota, ErrNoFlag, ErrNoMove, ErrNoUIDPlus, ErrReadOnly, ErrUID, ErrLocked,
// an argument that is not valid, and a mailbox without UIDVALIDITY. After any
// other error the session is over: [Client.Ended] is closed and every method
// returns the reason. That is a *TimeoutError, a *ByeError, a *FetchError,
// ErrProtocol, ErrUIDValidity, ErrClosed, the cause of the context, or an error of
// the network.
//
// A panic in a Handler or in the loop over Fetch passes through the method that
// called it. Then only Close may be called.
type Client struct {
	opts    Options
	limits  Timeouts
	quirks  *Quirks
	h       callbacks.Handler
	tap     *tap
	gi      *imapclient.Client
	caps    map[string]bool
	mailbox callbacks.Mailbox  // as the events name it
	next    *callbacks.Mailbox // the mailbox that is being opened, until its events begin
	expires time.Time          // of the credentials
	locked  bool               // a Handler or the loop over Fetch is running

	// Gathered by the events of the running command.
	selected Selected
	searches bool   // a SEARCH found a message
	odd      string // UIDVALIDITY, if it is no number of 64 bits
	found    []uint32
	far      uint64 // a UID beyond 32 bits since the command began; 0: none
	lists    []List
	listing  string // LIST or LSUB, while it runs
	asking   string // the mailbox whose STATUS status is
	status   callbacks.Status
	refusal  status // the last tagged NO or BAD
	bye      *ByeError
	quiet    int       // texts of level Info during the command
	until    time.Time // end of the pause that the server asked for

	// Of the doorbell.
	rang    bool   // new messages that Rang and Idle have not reported
	opening bool   // a mailbox is being opened: its EXISTS is not news
	arrived uint64 // messages announced by EXISTS since the mailbox was opened
	shrunk  bool   // an EXPUNGE came after the last EXISTS
	recents uint32 // number of the last RECENT
	risen   uint32 // rise of EXISTS since then
	alone   bool   // no EXISTS since then
	waiting bool   // in IDLE, after its "+"
	babbled int    // weight of the needless EXISTS lines

	// Of extensions.
	asked     bool            // ENABLE QRESYNC was sent
	enabled   bool            // QRESYNC is on
	permanent []string        // flags that the open mailbox keeps; nil: not known
	watched   map[string]bool // mailboxes of Notify; nil: none
	overflow  bool            // the server has stopped NOTIFY by itself
	overflows int             // so often in a row
	changed   map[string]bool // of watched, since Changed
	stirred   bool            // changed has news that Idle has not reported
	personal  List            // the personal namespace
	spelled   spellings
	overlists bool // the Handler was warned that LIST answers with too much
	quotas    []Quota

	lastOverflow time.Time

	idle <-chan status // answer to an IDLE that Idle has left; nil: none
}

// Has reports whether the server offers a capability, such as "IDLE" (RFC 9051
// section 7.2.2). Case does not matter.
func (c *Client) Has(capability string) bool { return c.caps[strings.ToUpper(capability)] }

// Expires is the Expires of the Credentials that logged in. Zero: not known, or
// never.
func (c *Client) Expires() time.Time { return c.expires }

// Ended returns a channel that is closed when the session is over: by Close, by the
// server or by the network. Any goroutine may call it at any time.
func (c *Client) Ended() <-chan struct{} { return c.tap.quit }

// Close closes the connection, and waits until all goroutines of the session have
// ended. It returns ErrLocked or nil. A second Close does nothing.
func (c *Client) Close() error {
	if c.locked {
		return ErrLocked
	}
	c.shut(ErrClosed)
	return nil
}

// Logout sends LOGOUT (RFC 9051 section 6.1.3), waits at most a second for the
// answer, and closes the session. It returns ErrLocked or nil.
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

// drain runs the events that have come so far.
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
	done := make(chan error, 1)
	go func() { done <- run() }()
	err = c.await(done)
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
	answer, err := c.tap.inject(command)
	if err == nil {
		if st, ok := c.answer(answer); ok {
			c.serve(func(c *Client) { c.tagged(st) })
		}
	}
	return c.finish(name, err)
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
		re := &ResponseError{Command: name, Status: c.refusal.kind, Code: c.refusal.code, Text: c.refusal.text}
		c.serve(func(c *Client) { c.told(callbacks.Error, re.Error()) })
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

func (c *Client) log(l callbacks.Level, text string) {
	c.serve(func(c *Client) { c.h.Log(l, text) })
}
