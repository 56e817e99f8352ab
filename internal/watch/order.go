package watch

import (
	"cmp"
	"slices"

	"github.com/fblwatch/fblwatch/imapclient"
)

// heldMost is how many octets of messages may wait for one that comes before them.
const heldMost = 8 << 20

// order gives messages in the order in which they were requested: a server may answer
// two FETCHes at once, in turns.
type order struct {
	next []uint32 // UIDs not yet given, ascending
	held map[uint32]*imapclient.Message
	size int64
	give func(*imapclient.Message) error
}

func newOrder(uids []uint32, give func(*imapclient.Message) error) *order {
	return &order{next: uids, held: make(map[uint32]*imapclient.Message), give: give}
}

// add takes a message that came, and gives those whose turn it is.
func (o *order) add(m *imapclient.Message) error {
	if len(o.next) > 0 && m.UID == o.next[0] {
		o.next = o.next[1:]
		if err := o.give(m); err != nil {
			return err
		}
		return o.follow()
	}
	if had := o.held[m.UID]; had != nil {
		o.size -= int64(len(had.Body))
		had.Release()
	}
	o.held[m.UID] = m
	o.size += int64(len(m.Body))
	if o.size > heldMost {
		return o.flush()
	}
	return nil
}

// follow gives the held messages that come next.
func (o *order) follow() error {
	for len(o.next) > 0 && o.held[o.next[0]] != nil {
		m := o.held[o.next[0]]
		o.next = o.next[1:]
		delete(o.held, m.UID)
		o.size -= int64(len(m.Body))
		if err := o.give(m); err != nil {
			return err
		}
	}
	return nil
}

// flush gives all held messages: those before them are missing or late.
func (o *order) flush() error {
	held := make([]*imapclient.Message, 0, len(o.held))
	for _, m := range o.held {
		held = append(held, m)
	}
	slices.SortFunc(held, func(a, b *imapclient.Message) int { return cmp.Compare(a.UID, b.UID) })
	clear(o.held)
	o.size = 0
	for i, m := range held {
		if err := o.give(m); err != nil {
			for _, m := range held[i+1:] {
				m.Release()
			}
			return err
		}
	}
	if len(held) > 0 {
		last := held[len(held)-1].UID
		o.next = slices.DeleteFunc(slices.Clone(o.next), func(uid uint32) bool { return uid <= last })
	}
	return nil
}
