package message

import (
	"context"
	"errors"
)

// Every step over a message is linear, and the number of steps is bounded. The
// budget is the net below: it counts the octets that are looked at, each time
// anew. The clock decides nothing, so that a message has one record, whatever
// machine reads it.
const (
	WorkPerOctet = 64      // times that each octet may be looked at
	WorkAtLeast  = 1 << 20 // octets that any message may cost
	askEvery     = 1 << 20 // octets after which the context is asked again
)

var ErrTooMuch = errors.New("reading: it costs more than 64 times its size")

// budget is what the reading of one message may still cost. A nil budget is
// without end.
type Budget struct {
	ctx  context.Context // nil: nobody ends the reading
	Left int             // octets
	ask  int             // of left, below which ctx is asked
	Err  error           // why the reading ends
}

func NewBudget(ctx context.Context, size int) Budget {
	left := WorkPerOctet*size + WorkAtLeast
	return Budget{ctx: ctx, Left: left, ask: left}
}

// spend counts n octets.
func (b *Budget) Spend(n int) {
	if b == nil {
		return
	}
	if b.Left -= n; b.Left < b.ask {
		b.check()
	}
}

// check ends the reading if nothing is left or the context is done.
func (b *Budget) check() {
	b.ask = max(0, b.Left-askEvery)
	switch {
	case b.Err != nil:
	case b.Left < 0:
		b.Err = ErrTooMuch
	case b.ctx != nil:
		b.Err = b.ctx.Err()
	}
}

// spent reports whether the reading ends; loops ask it.
func (b *Budget) Spent() bool { return b != nil && b.Err != nil }
