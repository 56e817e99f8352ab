package watch

import (
	"cmp"
	"slices"

	"github.com/fblwatch/fblwatch/imapclient"
)

const (
	// heldMost is how many octets of messages may wait for one that comes before them.
	heldMost = 8 << 20
	// heldLeast is what a message counts: its buffer is at least so large.
	heldLeast = 4 << 10
)

func sizeHeld(m *imapclient.Message) int64 { return max(heldLeast, int64(len(m.Body))) }

// order gives messages in the order in which they were requested: a server may answer
// two FETCHes at once, in turns.
type order struct {
	uids *[]uint32 // ascending
	past int       // so many of them were given
	held map[uint32]*imapclient.Message
	size int64
	give func(*imapclient.Message) error
}

func newOrder(uids *[]uint32, give func(*imapclient.Message) error) *order {
	return &order{uids: uids, held: make(map[uint32]*imapclient.Message), give: give}
}

// next returns the UIDs not yet given.
func (o *order) next() []uint32 { return (*o.uids)[o.past:] }

// add takes a message that came, and gives those whose turn it is.
func (o *order) add(m *imapclient.Message) error {
	if next := o.next(); len(next) > 0 && m.UID == next[0] {
		o.past++
		if err := o.give(m); err != nil {
			return err
		}
		return o.follow()
	}
	if had := o.held[m.UID]; had != nil {
		o.size -= sizeHeld(had)
		had.Release()
	}
	o.held[m.UID] = m
	o.size += sizeHeld(m)
	if o.size > heldMost {
		return o.flush()
	}
	return nil
}

// follow gives the held messages that come next.
func (o *order) follow() error {
	for next := o.next(); len(o.held) > 0 && len(next) > 0 && o.held[next[0]] != nil; next = next[1:] {
		m := o.held[next[0]]
		o.past++
		delete(o.held, m.UID)
		o.size -= sizeHeld(m)
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
		n, there := slices.BinarySearch(o.next(), held[len(held)-1].UID)
		if o.past += n; there {
			o.past++
		}
	}
	return nil
}
