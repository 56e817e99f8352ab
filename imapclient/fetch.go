package imapclient

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const (
	maxSet    = 1000    // UIDs in one FETCH
	inFlight  = 2       // FETCHes the server works on at once
	mailQueue = 64      // messages that may wait for the owner
	poolMost  = 1 << 17 // a larger buffer is not kept for the next message
)

// Message is one message of a FETCH.
type Message struct {
	UID          uint32
	InternalDate time.Time // zero where the server gave none
	Size         int64     // octets of the whole message (RFC822.SIZE); -1: not told
	Body         []byte    // its first octets, all that was asked for

	// Gone: asked for twice and not so much as named either time, and not listed
	// by a SEARCH behind that; it was expunged.
	Gone bool
	// Withheld: likewise, but the SEARCH lists it. Servers give such a message
	// later, or never.
	Withheld bool
	// Bodyless: the server knows the message but gave no body for it.
	Bodyless bool

	buf *[]byte
}

// Release gives Body's memory back. Body must not be used any more.
func (m *Message) Release() {
	if m.buf != nil && cap(*m.buf) <= poolMost {
		buffers.Put(m.buf)
	}
	m.Body, m.buf = nil, nil
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Fetch yields the messages of the open mailbox with these UIDs (ascending), of
// each the first prefix octets, in the server's order. Messages the server gives no
// body for are asked for once more, and then yielded as Bodyless, Gone or Withheld.
//
// The second value is not nil once, at the end: a *ResponseError where the
// server refused a set and the session goes on (what is missing was neither
// read nor gone), a *FetchError where the session ended while a message was on
// the wire, or why it ended otherwise. Breaking off the loop before the last
// body ends the session.
func (c *Client) Fetch(ctx context.Context, uids []uint32, prefix int64) iter.Seq2[*Message, error] {
	return c.fetchUIDs(ctx, uids, prefix, false)
}

// FetchWhole is Fetch for servers that answer a request for the first octets of a
// body wrongly: it asks for whole bodies, and yields at most prefix octets of each.
// The server sends what is beyond all the same.
func (c *Client) FetchWhole(ctx context.Context, uids []uint32, prefix int64) iter.Seq2[*Message, error] {
	return c.fetchUIDs(ctx, uids, prefix, true)
}

func (c *Client) fetchUIDs(ctx context.Context, uids []uint32, prefix int64, whole bool) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		missing := make(map[uint32]bool, len(uids))
		for _, uid := range uids {
			missing[uid] = true
		}
		for range 2 { // the second time for what is missing
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
			if !c.give(f.bodyless(), yield) {
				return
			}
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
			if nameless { // it may be the one
				m.Gone, m.Bodyless = false, true
			} else if _, is := slices.BinarySearch(listed, uid); is {
				m.Gone, m.Withheld = false, true
			} else {
				c.serve(func(c *Client) { c.h.Expunged(c.mailbox, 0, uid) })
			}
			if !c.give(m, yield) {
				return
			}
		}
	}
}

// FetchOnce is Fetch without the second request: what the server knows and gives no
// body for is Bodyless, and what it does not name is left out.
func (c *Client) FetchOnce(ctx context.Context, uids []uint32, prefix int64) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		if !c.fetch(ctx, slices.Collect(slices.Chunk(uids, maxSet)), 0, prefix, false, yield) {
			return
		}
		named, _ := c.tap.left()
		for _, f := range named {
			if !c.give(f.bodyless(), yield) {
				return
			}
		}
	}
}

// FetchFrom yields every message with a UID of from or above, as Fetch does; what
// the server does not name is not missed, so a message may have been left out. It
// is for the few messages that have just come. ErrUID at the end: the server named
// messages that no command can ask for.
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
		for _, f := range named {
			if !c.give(f.bodyless(), yield) {
				return
			}
		}
		if err := c.unnamed(); err != nil {
			yield(nil, err)
		}
	}
}

func (f fetchLine) bodyless() *Message {
	return &Message{UID: f.uid, InternalDate: f.date, Size: f.size, Bodyless: true}
}

func uidSet(uids []uint32) imap.UIDSet {
	var set imap.UIDSet
	for i := 0; i < len(uids); {
		j := i + 1
		for j < len(uids) && uids[j] == uids[j-1]+1 {
			j++
		}
		set = append(set, imap.UIDRange{Start: imap.UID(uids[i]), Stop: imap.UID(uids[j-1])})
		i = j
	}
	return set
}

// fetching is the state of one fetch: the FETCHes in flight share it.
type fetching struct {
	c        *Client
	prefix   int64
	body     bool          // the whole body is asked for, and not its start
	messages chan arrival  // in the server's order
	done     chan error    // one for each FETCH
	left     chan struct{} // closed when the owner has left
	leave    func()        // closes it
}

// arrival is a message whose body has been read; whole tells whether the rest of
// its line came too.
type arrival struct {
	message *Message
	whole   chan bool
}

// fetch runs the sets, at most inFlight at once; with from, one that has none
// means all UIDs from there on. It returns false after an error was yielded, or
// when yield wanted no more.
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
	f := &fetching{c: c, prefix: prefix, body: whole, messages: make(chan arrival, mailQueue), done: make(chan error, inFlight), left: make(chan struct{})}
	f.leave = sync.OnceFunc(func() { close(f.left) })
	defer f.leave() // also when a Handler or the loop panics
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
			c.drain() // the refusal, if it was one
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

// whole waits for the rest of a message's line, which is right behind its body.
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

// abort ends the session in mid-FETCH, hands over what had been read whole,
// and yields why, unless yield wanted no more.
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

// wait takes the end of one FETCH, and the events on the way.
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

// drain runs one FETCH. Each has a goroutine of its own: drained one after the
// other, two of them can wait for each other.
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
			// go-imap is not to be touched any more: wait until it is out.
			f.c.tap.end(err)
			<-f.c.gi.Closed()
			f.done <- err
			return
		}
	}
	f.done <- cmd.Close()
}

// read reads one message by its exact size. It hands it on while go-imap waits for
// us to be through with the body, so that no message overtakes another.
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
