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
	return c.fetchUIDs(ctx, request{uids: uids, prefix: constant(prefix)})
}

// FetchGrowing is Fetch with a prefix that may change: it is called before each of the
// FETCH commands that the messages take. Message.Asked is what it returned. early: the
// last command has not ended yet; 0 means that it is to end first, or to say more.
func (c *Client) FetchGrowing(ctx context.Context, uids []uint32, prefix func(early bool) int64) iter.Seq2[*Message, error] {
	return c.fetchUIDs(ctx, request{uids: uids, prefix: prefix})
}

// FetchListed is Search and FetchGrowing for the messages with UIDs from lo to hi; a hi
// of 0 means no upper limit. It takes one round trip less. listed gets the answer to the
// SEARCH, as Search returns it, before any message is yielded. If the server refuses the
// SEARCH, or finds nothing, it is not called.
func (c *Client) FetchListed(ctx context.Context, lo, hi uint32, prefix func(early bool) int64, listed func(uids []uint32, err error)) iter.Seq2[*Message, error] {
	return c.fetchUIDs(ctx, request{from: max(lo, 1), hi: hi, listed: listed, prefix: prefix})
}

// FetchWhole is Fetch for servers that answer a request for the first octets
// wrongly. It asks for whole bodies, and yields at most prefix octets of each. The
// server sends the rest too.
func (c *Client) FetchWhole(ctx context.Context, uids []uint32, prefix int64) iter.Seq2[*Message, error] {
	return c.fetchUIDs(ctx, request{uids: uids, prefix: constant(prefix), whole: true})
}

func (c *Client) fetchUIDs(ctx context.Context, r request) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		for range 2 { // the second time for the missing ones
			if !c.fetch(ctx, &r, yield) {
				return
			}
			if r.uids = r.existing(c.tap.answered()); len(r.uids) == 0 {
				return
			}
			r.from, r.listed = 0, nil
		}
		bodyless, nameless := c.tap.left()
		if !c.giveAll(bodyless, yield) {
			return
		}
		left := slices.DeleteFunc(r.uids, func(uid uint32) bool {
			_, is := slices.BinarySearchFunc(bodyless, uid, func(m *Message, uid uint32) int { return cmp.Compare(m.UID, uid) })
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
		if !c.fetch(ctx, &request{uids: uids, prefix: constant(prefix)}, yield) {
			return
		}
		bodyless, _ := c.tap.left()
		c.giveAll(bodyless, yield)
	}
}

// giveAll yields messages. It returns false if yield did.
func (c *Client) giveAll(messages []*Message, yield func(*Message, error) bool) bool {
	for _, m := range messages {
		if !c.give(m, yield) {
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
		if !c.fetch(ctx, &request{from: max(from, 1), prefix: constant(prefix)}, yield) {
			return
		}
		bodyless, nameless := c.tap.left()
		if nameless {
			err := fmt.Errorf("%w: a message without a UID", ErrProtocol)
			c.shut(err)
			yield(nil, err)
			return
		}
		if !c.giveAll(bodyless, yield) {
			return
		}
		if err := c.unnamed(); err != nil {
			yield(nil, err)
		}
	}
}
