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
	mailQueue = 64      // mails that may wait for the owner
	poolMost  = 1 << 17 // a larger buffer is not kept for the next mail
)

// Mail is one mail of a FETCH.
type Mail struct {
	UID          uint32
	InternalDate time.Time // zero where the server gave none
	Size         int64     // octets of the whole mail (RFC822.SIZE); -1: not told
	Body         []byte    // its first octets, all that was asked for

	// Gone: asked for twice and answered neither time; it was expunged.
	Gone bool
	// Bodyless: the server knows the mail but gave no body for it.
	Bodyless bool

	buf *[]byte
}

// Release gives Body's memory back. Body must not be used any more.
func (m *Mail) Release() {
	if m.buf != nil && cap(*m.buf) <= poolMost {
		buffers.Put(m.buf)
	}
	m.Body, m.buf = nil, nil
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Fetch yields the mails of the open mailbox with these UIDs (ascending), of
// each the first prefix octets, in the server's order. Mails the server leaves
// out are asked for once more, and then yielded as Gone.
//
// The second value is not nil once, at the end: a *ResponseError where the
// server refused a set and the session goes on (what is missing was neither
// read nor gone), a *FetchError where the session ended while a mail was on
// the wire, or why it ended otherwise. Breaking off the loop ends the session.
func (c *Client) Fetch(ctx context.Context, uids []uint32, prefix int64) iter.Seq2[*Mail, error] {
	return func(yield func(*Mail, error) bool) {
		missing := make(map[uint32]bool, len(uids))
		for _, uid := range uids {
			missing[uid] = true
		}
		for range 2 { // the second time for what is missing
			var sets []imap.UIDSet
			left := slices.DeleteFunc(slices.Clone(uids), func(uid uint32) bool { return !missing[uid] })
			for part := range slices.Chunk(left, maxSet) {
				sets = append(sets, uidSet(part))
			}
			ok := c.fetch(ctx, sets, prefix, func(m *Mail, err error) bool {
				if err == nil && !missing[m.UID] {
					m.Release()
					return true
				}
				if err == nil {
					delete(missing, m.UID)
				}
				return yield(m, err)
			})
			if !ok || len(missing) == 0 {
				return
			}
		}
		for _, uid := range uids {
			if missing[uid] {
				c.serve(func(c *Client) { c.h.Expunged(c.mailbox, 0, uid) })
				if !yield(&Mail{UID: uid, Gone: true}, nil) {
					return
				}
			}
		}
	}
}

// FetchFrom yields every mail with a UID of from or above, as Fetch does; what
// is not there is not missed. It is for the few mails that have just come.
func (c *Client) FetchFrom(ctx context.Context, from uint32, prefix int64) iter.Seq2[*Mail, error] {
	return func(yield func(*Mail, error) bool) {
		var set imap.UIDSet
		set.AddRange(imap.UID(from), 0)
		c.fetch(ctx, []imap.UIDSet{set}, prefix, func(m *Mail, err error) bool {
			if err == nil && m.UID < from { // "n:*" names the last mail whatever its UID
				m.Release()
				return true
			}
			return yield(m, err)
		})
	}
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
	ctx    context.Context
	c      *Client
	prefix int64
	mails  chan *Mail
	done   chan error    // one for each FETCH
	left   chan struct{} // closed when the owner has left
}

// fetch runs the sets, at most inFlight at once. It returns false after an
// error was yielded, or when yield wanted no more.
func (c *Client) fetch(ctx context.Context, sets []imap.UIDSet, prefix int64, yield func(*Mail, error) bool) bool {
	end, err := c.begin(ctx)
	if err != nil {
		yield(nil, err)
		return false
	}
	defer end()
	c.tap.expect(prefix)
	c.owed("UID FETCH", c.limits.Command)
	f := &fetching{ctx: ctx, c: c, prefix: prefix, mails: make(chan *Mail, mailQueue), done: make(chan error, inFlight), left: make(chan struct{})}
	var refused error
	running := 0
	for refused == nil && len(sets) > 0 || running > 0 {
		for refused == nil && len(sets) > 0 && running < inFlight {
			started := make(chan error, 1)
			go f.drain(sets[0], started)
			sets = sets[1:]
			running++
			c.await(started) // before the next is written
		}
		select {
		case ev := <-c.tap.events:
			c.serve(ev)
		case <-c.idle:
			c.idle = nil
			c.tap.arm(c.owes, c.most)
		case m := <-f.mails:
			if !c.give(m, yield) {
				return f.abort(&running, errBroken, yield)
			}
		case err := <-f.done:
			running--
			c.drain() // the refusal, if it was one
			if c.tap.ended() != nil || err != nil && c.refusal.kind == "" {
				return f.abort(&running, err, yield)
			}
			if err != nil {
				refused = err
			}
		}
	}
	for len(f.mails) > 0 {
		if !c.give(<-f.mails, yield) {
			return f.abort(&running, errBroken, yield)
		}
	}
	if err := c.finish("UID FETCH", nil); err != nil {
		yield(nil, err)
		return false
	}
	return true
}

var errBroken = fmt.Errorf("%w: the loop over Fetch was left", ErrClosed)

func (c *Client) give(m *Mail, yield func(*Mail, error) bool) bool {
	c.locked = true
	defer func() { c.locked = false }()
	return yield(m, nil)
}

// abort ends the session in mid-FETCH, hands over what had been read whole,
// and yields why, unless yield wanted no more.
func (f *fetching) abort(running *int, err error, yield func(*Mail, error) bool) bool {
	c := f.c
	if err == nil {
		err = ErrClosed
	}
	c.tap.end(err)
	uid := c.tap.onWire.Load()
	close(f.left)
	for ; *running > 0; *running-- {
		f.wait()
	}
	c.shut(err)
	for len(f.mails) > 0 {
		m := <-f.mails
		if err == errBroken {
			m.Release()
		} else if !c.give(m, yield) {
			err = errBroken
		}
	}
	if err == errBroken {
		return false
	}
	cause := c.over(c.tap.ended())
	if uid != 0 && f.ctx.Err() == nil {
		cause = &FetchError{UID: uid, Err: cause}
	}
	yield(nil, cause)
	return false
}

// wait takes the end of one FETCH; the events on the way are dropped with the
// connection.
func (f *fetching) wait() {
	for {
		select {
		case <-f.c.tap.events:
		case <-f.done:
			return
		}
	}
}

// drain runs one FETCH. Each has a goroutine of its own: drained one after the
// other, two of them can wait for each other.
func (f *fetching) drain(set imap.UIDSet, started chan<- error) {
	cmd := f.c.gi.Fetch(set, &imap.FetchOptions{
		UID: true, InternalDate: true, RFC822Size: true,
		BodySection: []*imap.FetchItemBodySection{{
			Peek: true, Partial: &imap.SectionPartial{Offset: 0, Size: f.prefix},
		}},
	})
	started <- nil
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		m, err := f.read(msg)
		if err != nil {
			// go-imap is not to be touched any more: wait until it is out.
			f.c.tap.end(err)
			<-f.c.gi.Closed()
			f.done <- err
			return
		}
		if m == nil {
			continue
		}
		select {
		case f.mails <- m:
		case <-f.left:
			// The connection is closed; the rest of cmd ends by itself.
		}
	}
	f.done <- cmd.Close()
}

// read reads one mail by its exact size.
func (f *fetching) read(msg *imapclient.FetchMessageData) (*Mail, error) {
	m := &Mail{Size: -1}
	got := false
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			m.UID = uint32(item.UID)
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil {
				continue
			}
			m.buf = buffers.Get().(*[]byte)
			n := int(item.Literal.Size())
			if cap(*m.buf) < n {
				*m.buf = make([]byte, n)
			}
			m.Body = (*m.buf)[:n]
			if _, err := io.ReadFull(item.Literal, m.Body); err != nil {
				return nil, err
			}
			got = true
		}
	}
	if !got || m.UID == 0 {
		return nil, nil
	}
	b := f.c.tap.beside(m.UID)
	if b.uid == 0 { // the connection ended between the body and the line's end
		return nil, io.ErrUnexpectedEOF
	}
	m.InternalDate, m.Size, m.Bodyless = b.date, b.size, !b.hasBody
	return m, nil
}
