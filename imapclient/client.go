package imapclient

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/fblwatch/fblwatch/callbacks"
)

// Client is one session with a server, logged in. Its methods may be called by
// one goroutine at a time. After an error that is none of *ResponseError,
// ErrNoIdle, ErrLocked and a missing UIDVALIDITY the session is over and every
// method returns the reason.
//
// A panic in a Handler, or in the loop over Fetch, goes through the method that
// ran it; of the session only Close may be called then.
type Client struct {
	opts    Options
	limits  Timeouts
	h       callbacks.Handler
	tap     *tap
	gi      *imapclient.Client
	caps    map[string]bool
	mailbox callbacks.Mailbox // as the events name it
	expires time.Time         // of what it is logged in by
	locked  bool              // a Handler or the loop over Fetch is running

	// What the events of the running command have gathered.
	selected Selected
	found    []uint32
	lists    []List
	statuses map[string]callbacks.Status
	refusal  status // the last tagged answer to a command of go-imap's
	bye      string
	rang     bool // EXISTS since the last look

	idle <-chan status // the answer to an IDLE that was ended by DONE and not waited for
}

// Stats counts a session's octets so far, TLS's own left out.
type Stats struct {
	In, Out  int64 // of the network
	Inflated int64 // what In came to since COMPRESS; 0 without
}

// Stats may be called at any time and from any goroutine.
func (c *Client) Stats() Stats {
	w := c.tap.wire
	return Stats{In: w.in.Load(), Out: w.out.Load(), Inflated: w.inflated.Load()}
}

// Has tells whether the server offers a capability, e.g. "IDLE".
func (c *Client) Has(capability string) bool { return c.caps[strings.ToUpper(capability)] }

// Expires is when the token expires by which the session is logged in. Zero: not
// known, or never.
func (c *Client) Expires() time.Time { return c.expires }

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
		answer, err := c.tap.inject("LOGOUT")
		if err == nil {
			stop := context.AfterFunc(ctx, func() { c.tap.end(ErrClosed) })
			c.await(first(answer, c.tap.quit))
			stop()
		}
	}
	c.shut(ErrClosed)
	return nil
}

// first is closed when there is an answer, or when there will be none.
func first(answer <-chan status, quit <-chan struct{}) <-chan error {
	done := make(chan error, 1)
	go func() {
		select {
		case <-answer:
			done <- nil
		case <-quit:
			done <- ErrClosed
		}
	}()
	return done
}

// shut closes the connection and waits for go-imap's reader; what it still
// tells on its way out is dropped.
func (c *Client) shut(cause error) {
	c.tap.end(cause)
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
	c.owed(name, limit)
	done := make(chan error, 1)
	go func() { done <- run() }()
	err = c.await(done)
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
		c.log(callbacks.Error, re.Error())
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
		return &FetchError{UID: fetch.UID, Err: c.over(fetch.Err)}
	}
	switch {
	case c.bye != "" && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded):
		return fmt.Errorf("%w: server said BYE %s", ErrClosed, c.bye)
	case ours(cause):
		return cause
	}
	return fmt.Errorf("imapclient: connection to %s ended: %w", c.opts.Host, cause)
}

func (c *Client) log(l callbacks.Level, text string) {
	c.serve(func(c *Client) { c.h.Log(l, text) })
}

// The events, run by the owner.

func (c *Client) exists(n uint32) {
	c.rang = true
	c.selected.Exists = n
	c.h.Exists(c.mailbox, n)
}

// maxFound is how many numbers the answers to one SEARCH may have; a window of
// UIDs has far fewer.
const maxFound = 1 << 20

func (c *Client) searched(nums []uint32) {
	if len(c.found)+len(nums) > maxFound {
		c.tap.end(fmt.Errorf("%w: more than %d numbers in answer to a SEARCH", ErrProtocol, maxFound))
		return
	}
	c.found = append(c.found, nums...)
	for _, n := range nums {
		c.h.Searched(c.mailbox, n)
	}
}

func (c *Client) listed(name, mailbox string, delim rune, attrs []string) {
	if name == "LSUB" {
		c.h.LSub(mailbox, delim, attrs)
		return
	}
	c.lists = append(c.lists, List{mailbox, delim, attrs})
	c.h.List(mailbox, delim, attrs)
}

func (c *Client) statusLine(mailbox string, st callbacks.Status) {
	if c.statuses != nil {
		c.statuses[mailbox] = st
	}
	m := callbacks.Mailbox{Account: c.opts.Account, Name: mailbox}
	if st.UIDValidity != nil {
		m.UIDValidity = *st.UIDValidity
	}
	c.h.Status(m, st)
}

// tagged takes the answer to a command of go-imap's.
func (c *Client) tagged(st status) {
	if _, ok := st.codeArg("READ-ONLY"); ok {
		c.selected.ReadOnly = true
	}
	if st.kind != "OK" {
		c.refusal = st
	}
}

// notified takes an untagged status response.
func (c *Client) notified(st status) {
	level := callbacks.Info
	switch st.kind {
	case "NO":
		level = callbacks.Warn
	case "BAD":
		level = callbacks.Error
	case "BYE":
		level = callbacks.Bye
		c.bye = strings.TrimSpace(st.text)
		if c.bye == "" {
			c.bye = st.code
		}
	}
	if arg, ok := st.codeArg("UIDVALIDITY"); ok {
		c.uidValidity(arg)
	}
	if arg, ok := st.codeArg("UIDNEXT"); ok {
		n, _ := strconv.ParseUint(arg, 10, 32)
		c.selected.UIDNext = uint32(n)
	}
	c.h.Notify(c.mailbox, level, st.code, st.text)
}

// uidValidity is told while a mailbox is opened. Told another one later, no
// UID means anything any more.
func (c *Client) uidValidity(arg string) {
	n, _ := strconv.ParseUint(arg, 10, 32)
	v := uint32(n)
	if had := c.selected.UIDValidity; had != 0 && had != v {
		c.tap.end(fmt.Errorf("%w: %d, was %d", ErrUIDValidity, v, had))
	}
	c.selected.UIDValidity = v
	c.mailbox.UIDValidity = v
}
