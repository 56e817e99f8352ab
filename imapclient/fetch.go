package imapclient

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
)

// Fetch yields the messages with these UIDs, which must ascend, of the open mailbox
// (RFC 9051 section 6.4.5). Body holds the first prefix octets. Messages come in the
// server's order. Fetch asks once more for messages without a body, and then yields
// them as Bodyless, Gone or Withheld. It does not set \Seen.
//
// An error is the last value that the loop yields; its Message is nil. A
// *ResponseError: the server refused a part, and the session goes on; the missing
// messages may exist. A *FetchError: the session ended in the middle of a message.
// Others as for [Client].
//
// Do not leave the loop early: that ends the session with ErrClosed. Within the loop
// every method that sends a command returns ErrLocked.
func (c *Client) Fetch(ctx context.Context, uids []uint32, prefix int64) iter.Seq2[*Message, error] {
	return c.fetchUIDs(ctx, request{uids: uids, prefix: func() int64 { return prefix }})
}

// FetchGrowing is Fetch with a prefix that may change: it is asked for before each of
// the FETCH commands that the messages take. Message.Asked is what it was.
func (c *Client) FetchGrowing(ctx context.Context, uids []uint32, prefix func() int64) iter.Seq2[*Message, error] {
	return c.fetchUIDs(ctx, request{uids: uids, prefix: prefix})
}

// FetchWhole is Fetch for servers that answer a request for the first octets
// wrongly. It asks for whole bodies, and yields at most prefix octets of each. The
// server sends the rest too.
func (c *Client) FetchWhole(ctx context.Context, uids []uint32, prefix int64) iter.Seq2[*Message, error] {
	return c.fetchUIDs(ctx, request{uids: uids, prefix: func() int64 { return prefix }, whole: true})
}

func (c *Client) fetchUIDs(ctx context.Context, r request) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		for range 2 { // the second time for the missing ones
			if !c.fetch(ctx, r, yield) {
				return
			}
			if r.uids = c.tap.answered(); len(r.uids) == 0 {
				return
			}
		}
		named, nameless := c.tap.left()
		if !c.giveBodyless(named, yield) {
			return
		}
		left := slices.DeleteFunc(r.uids, func(uid uint32) bool {
			_, is := slices.BinarySearchFunc(named, uid, func(f fetchLine, uid uint32) int { return cmp.Compare(f.uid, uid) })
			return is
		})
		var listed []uint32
		if len(left) > 0 && !nameless {
			var err error
			listed, err = c.among(ctx, left)
			if err != nil && !isRefusal(err) {
				yield(nil, err)
				return
			}
		}
		for _, uid := range left {
			m := &Message{UID: uid, Size: -1, Gone: true}
			if nameless { // the body without a UID may be its
				m.Gone, m.Bodyless = false, true
			} else if _, is := slices.BinarySearch(listed, uid); is {
				m.Gone, m.Withheld = false, true
			} else {
				c.serve(func(listener) { c.h.Expunged(c.mailbox, 0, uid) })
			}
			if !c.give(m, yield) {
				return
			}
		}
	}
}

// FetchOnce is Fetch without the second request. Messages that the server does not
// mention are left out; none is Gone or Withheld.
func (c *Client) FetchOnce(ctx context.Context, uids []uint32, prefix int64) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		if !c.fetch(ctx, request{uids: uids, prefix: func() int64 { return prefix }}, yield) {
			return
		}
		named, _ := c.tap.left()
		c.giveBodyless(named, yield)
	}
}

// giveBodyless yields messages without a body. It returns false if yield did.
func (c *Client) giveBodyless(lines []fetchLine, yield func(*Message, error) bool) bool {
	for _, f := range lines {
		if !c.give(f.bodyless(), yield) {
			return false
		}
	}
	return true
}

// FetchFrom is FetchOnce for every message with a UID of from or above. Use it for
// the few messages that have just come. The last error is ErrUID if the server
// mentioned a message with a UID over 32 bits.
func (c *Client) FetchFrom(ctx context.Context, from uint32, prefix int64) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		c.far = 0
		if !c.fetch(ctx, request{from: max(from, 1), prefix: func() int64 { return prefix }}, yield) {
			return
		}
		named, nameless := c.tap.left()
		if nameless {
			err := fmt.Errorf("%w: a message without a UID", ErrProtocol)
			c.shut(err)
			yield(nil, err)
			return
		}
		if !c.giveBodyless(named, yield) {
			return
		}
		if err := c.unnamed(); err != nil {
			yield(nil, err)
		}
	}
}

func (f fetchLine) bodyless() *Message {
	return &Message{UID: f.uid, InternalDate: f.date, Size: f.size, Bodyless: true}
}

// request is the messages that are fetched.
type request struct {
	uids   []uint32     // ascending
	from   uint32       // not 0: this UID and all above, instead of uids
	prefix func() int64 // octets of a body; called before each FETCH
	whole  bool         // ask for the whole body instead of its start
}

// Several FETCHes get the messages. A new one is on its way before the last has ended,
// so that no round trip is lost. Some servers answer two in turns (Dovecot), which
// holds up those of the first: so each asks for more than the one before, and the
// next waits until few octets are left of it.
const (
	inFlight  = 2       // FETCHes that run at once
	setFirst  = 512     // messages of the first: what it shows of them helps the next
	setGrows  = 4       // the next asks for so many times as many
	setMost   = 1 << 15 // and for so many at most
	fetchNext = 8 << 20 // octets that are left of a FETCH when the next is sent
)

// fetching is the state of one fetch.
type fetching struct {
	c       *Client
	request                         // uids: those that no FETCH has asked for
	answers [inFlight]<-chan status // of the FETCHes that run; nil: none
	set     int                     // messages of the next
	due     int                     // messages that were asked for and have not come
	came    int                     // messages that have come, with
	octets  int64                   // so many octets
}

// fetch runs the FETCHes of a request. It returns false after it has yielded an error,
// or if yield returned false.
func (c *Client) fetch(ctx context.Context, r request, yield func(*Message, error) bool) bool {
	end, err := c.begin(ctx)
	if err != nil {
		yield(nil, err)
		return false
	}
	defer end()
	if err := c.leaveIdle(true); err != nil {
		yield(nil, err)
		return false
	}
	f := &fetching{c: c, request: r, set: setFirst}
	c.tap.expect(r.from, 0)
	c.owed("UID FETCH", c.limits.Command)
	for {
		if c.refusal.kind == "" {
			f.start()
		}
		if f.running() == 0 {
			break
		}
		select {
		case ev := <-c.tap.events:
			c.serve(ev)
		case m := <-c.tap.messages:
			if !f.give(m, yield) {
				return c.abort(errBroken, yield)
			}
		case st := <-f.answers[0]:
			f.answered(0, st)
		case st := <-f.answers[1]:
			f.answered(1, st)
		case <-c.tap.quit:
			return c.abort(nil, yield)
		}
	}
	c.tap.answered()
	for len(c.tap.messages) > 0 {
		if !f.give(<-c.tap.messages, yield) {
			return c.abort(errBroken, yield)
		}
	}
	if err := c.finish("UID FETCH", nil); err != nil {
		yield(nil, err)
		return false
	}
	return true
}

func (f *fetching) running() (n int) {
	for _, answer := range f.answers {
		if answer != nil {
			n++
		}
	}
	return n
}

// start sends the next FETCHes, if it is time.
func (f *fetching) start() {
	for i, answer := range f.answers {
		if answer != nil || len(f.uids) == 0 && f.from == 0 || f.running() > 0 && !f.short() {
			continue
		}
		prefix := f.prefix()
		var set []byte
		if f.from != 0 {
			set = fmt.Appendf(nil, "%d:*", f.from)
			f.c.tap.expect(f.from, prefix)
			f.from = 0
		} else {
			var n int
			set, n = appendSet(nil, f.uids[:min(len(f.uids), f.set)], maxCommand)
			f.c.tap.ask(f.uids[:n], prefix)
			f.uids, f.due, f.set = f.uids[n:], f.due+n, min(setGrows*f.set, setMost)
		}
		part := ""
		if !f.whole {
			part = fmt.Sprintf("<0.%d>", prefix)
		}
		// An error ends the session, as the loop sees.
		f.answers[i], _ = f.c.tap.inject(fmt.Sprintf("UID FETCH %s (UID INTERNALDATE RFC822.SIZE BODY.PEEK[]%s)", set, part))
	}
}

// short reports whether few octets are left of the FETCH that runs.
func (f *fetching) short() bool {
	each := f.prefix()
	if f.came > 0 {
		each = f.octets / int64(f.came)
	}
	return int64(f.due)*each < fetchNext
}

// answered takes the tagged answer to a FETCH.
func (f *fetching) answered(i int, st status) {
	f.c.drain()
	f.c.serve(func(listener) { f.c.tagged(st) })
	if f.answers[i] = nil; f.running() == 0 {
		f.due = len(f.c.tap.messages) // the others do not come any more
	}
}

func (f *fetching) give(m *Message, yield func(*Message, error) bool) bool {
	f.due, f.came, f.octets = f.due-1, f.came+1, f.octets+int64(len(m.Body))
	return f.c.give(m, yield)
}

var errBroken = fmt.Errorf("%w: the loop over Fetch was left", ErrClosed)

func (c *Client) give(m *Message, yield func(*Message, error) bool) bool {
	c.locked = true
	defer func() { c.locked = false }()
	return yield(m, nil)
}

// abort ends the session during a FETCH. Unless yield has returned false (errBroken),
// it yields the messages that have been read whole, and then the error.
func (c *Client) abort(err error, yield func(*Message, error) bool) bool {
	c.tap.end(err)
	for open := err != errBroken; open; {
		select {
		case ev := <-c.tap.events:
			c.serve(ev)
		case <-c.gi.Closed():
			c.drain()
			open = false
		}
	}
	c.shut(err)
	for len(c.tap.messages) > 0 {
		m := <-c.tap.messages
		if err == errBroken {
			m.Release()
		} else if !c.give(m, yield) {
			err = errBroken
		}
	}
	if err != errBroken {
		yield(nil, c.over(c.tap.ended()))
	}
	return false
}
