package imapclient

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const (
	inFlight     = 2  // FETCHes that run at once
	messageQueue = 64 // messages that may wait for the owner

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
	return c.fetchUIDs(ctx, uids, prefix, false)
}

// FetchWhole is Fetch for servers that answer a request for the first octets
// wrongly. It asks for whole bodies, and yields at most prefix octets of each. The
// server sends the rest too.
func (c *Client) FetchWhole(ctx context.Context, uids []uint32, prefix int64) iter.Seq2[*Message, error] {
	return c.fetchUIDs(ctx, uids, prefix, true)
}

func (c *Client) fetchUIDs(ctx context.Context, uids []uint32, prefix int64, whole bool) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		missing := make(map[uint32]bool, len(uids))
		for _, uid := range uids {
			missing[uid] = true
		}
		for range 2 { // the second time for the missing ones
			left := slices.DeleteFunc(slices.Clone(uids), func(uid uint32) bool { return !missing[uid] })
			ok := c.fetch(ctx, slices.Collect(slices.Chunk(left, maxSet)), 0, prefix, whole, func(m *Message, err error) bool {
				if err == nil {
					delete(missing, m.UID)
				}
				return yield(m, err)
			})
			if !ok || len(missing) == 0 {
				return
			}
		}
		named, nameless := c.tap.left()
		for _, f := range named {
			delete(missing, f.uid)
		}
		if !c.giveBodyless(named, yield) {
			return
		}
		left := slices.DeleteFunc(slices.Clone(uids), func(uid uint32) bool { return !missing[uid] })
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
		if !c.fetch(ctx, slices.Collect(slices.Chunk(uids, maxSet)), 0, prefix, false, yield) {
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
		from := max(from, 1)
		c.far = 0
		if !c.fetch(ctx, [][]uint32{nil}, from, prefix, false, yield) {
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

// fetching is the state of one fetch. Its FETCHes share it.
type fetching struct {
	c        *Client
	prefix   int64
	body     bool          // ask for the whole body instead of its start
	messages chan arrival  // in the server's order
	done     chan error    // one for each FETCH
	left     chan struct{} // closed when the owner has left
	leave    func()        // closes it
}

// arrival is a message whose body has been read. whole receives whether the rest of
// its line came too.
type arrival struct {
	message *Message
	whole   chan bool
}

// fetch runs a FETCH for each set, at most inFlight at once. If from is not 0, it
// runs one for all UIDs from there on. It returns false after it has yielded an
// error, or if yield returned false.
func (c *Client) fetch(ctx context.Context, sets [][]uint32, from uint32, prefix int64, whole bool, yield func(*Message, error) bool) bool {
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
	c.tap.expect(prefix, from)
	c.owed("UID FETCH", c.limits.Command)
	f := &fetching{c: c, prefix: prefix, body: whole, messages: make(chan arrival, messageQueue), done: make(chan error, inFlight), left: make(chan struct{})}
	f.leave = sync.OnceFunc(func() { close(f.left) })
	defer f.leave() // also after a panic in a Handler or in the loop
	var refused error
	var starting chan struct{} // closed when the last FETCH has been written
	for running := 0; ; {
		if refused == nil && len(sets) > 0 && running < inFlight && starting == nil {
			set := uidSet(sets[0])
			if from != 0 {
				set = imap.UIDSet{{Start: imap.UID(from), Stop: 0}}
			}
			c.tap.ask(sets[0])
			starting = make(chan struct{})
			go f.drain(set, starting)
			sets = sets[1:]
			running++
		}
		if running == 0 {
			break
		}
		select {
		case ev := <-c.tap.events:
			c.serve(ev)
		case <-starting:
			starting = nil
		case a := <-f.messages:
			if c.whole(a) && !c.give(a.message, yield) {
				return f.abort(running, errBroken, yield)
			}
		case err := <-f.done:
			running--
			c.drain() // the refusal, if there is one
			if c.tap.ended() != nil || err != nil && c.refusal.kind == "" {
				return f.abort(running, err, yield)
			}
			if err != nil {
				refused = err
			}
		}
	}
	for len(f.messages) > 0 {
		if a := <-f.messages; c.whole(a) && !c.give(a.message, yield) {
			return f.abort(0, errBroken, yield)
		}
	}
	if err := c.finish("UID FETCH", nil); err != nil {
		yield(nil, err)
		return false
	}
	return true
}

var errBroken = fmt.Errorf("%w: the loop over Fetch was left", ErrClosed)

// whole waits for the rest of a message's line, which follows its body.
func (c *Client) whole(a arrival) bool {
	for {
		select {
		case ev := <-c.tap.events:
			c.serve(ev)
		case whole := <-a.whole:
			return whole
		}
	}
}

func (c *Client) give(m *Message, yield func(*Message, error) bool) bool {
	c.locked = true
	defer func() { c.locked = false }()
	return yield(m, nil)
}

// abort ends the session during a FETCH. It yields the messages that have been read
// whole, and then the error, unless yield has returned false.
func (f *fetching) abort(running int, err error, yield func(*Message, error) bool) bool {
	c := f.c
	if err == nil {
		err = ErrClosed
	}
	c.tap.end(err)
	f.leave()
	for ; running > 0; running-- {
		f.wait(err == errBroken)
	}
	c.shut(err)
	for len(f.messages) > 0 {
		a := <-f.messages
		if err == errBroken || !<-a.whole {
			a.message.Release()
		} else if !c.give(a.message, yield) {
			err = errBroken
		}
	}
	if err != errBroken {
		yield(nil, c.over(c.tap.ended()))
	}
	return false
}

// wait waits for the end of one FETCH, and runs the events meanwhile.
func (f *fetching) wait(broken bool) {
	for {
		select {
		case ev := <-f.c.tap.events:
			if !broken {
				f.c.serve(ev)
			}
		case <-f.done:
			return
		}
	}
}

// drain runs one FETCH. Each needs a goroutine of its own, because two that are
// drained in turn can wait for each other.
func (f *fetching) drain(set imap.UIDSet, started chan<- struct{}) {
	section := &imap.FetchItemBodySection{Peek: true}
	if !f.body {
		section.Partial = &imap.SectionPartial{Offset: 0, Size: f.prefix}
	}
	cmd := f.c.gi.Fetch(set, &imap.FetchOptions{
		UID: true, InternalDate: true, RFC822Size: true,
		BodySection: []*imap.FetchItemBodySection{section},
	})
	close(started)
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		if err := f.read(msg); err != nil {
			// Do not touch go-imap any more; wait until its reader has ended.
			f.c.tap.end(err)
			<-f.c.gi.Closed()
			f.done <- err
			return
		}
	}
	f.done <- cmd.Close()
}

// read reads one message by its exact size. It passes the message on before go-imap
// reads further, so that no message overtakes another.
func (f *fetching) read(msg *imapclient.FetchMessageData) error {
	m := &Message{Size: -1}
	var whole chan bool
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			m.UID = uint32(item.UID)
		case imapclient.FetchItemDataBodySection:
			m.buf = buffers.Get().(*[]byte)
			n := int(item.Literal.Size())
			if cap(*m.buf) < n {
				*m.buf = make([]byte, n)
			}
			m.Body = (*m.buf)[:n]
			if _, err := io.ReadFull(item.Literal, m.Body); err != nil {
				return err
			}
			whole = make(chan bool, 1)
			select {
			case f.messages <- arrival{m, whole}:
			case <-f.left:
				// The connection is closed; the rest of cmd ends by itself.
			}
		}
	}
	if whole != nil {
		b, ok := f.c.tap.beside(m.UID)
		m.InternalDate, m.Size = b.date, b.size
		whole <- ok // false: the connection ended between the body and the line's end
	}
	return nil
}
