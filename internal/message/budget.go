package message

import (
	"context"
	"errors"
)

// Each step over a message is linear, and the number of steps is bounded. The budget is
// the safety net: it counts the octets that are looked at, each time again. Time does
// not count, so that every machine reads a message alike.
const (
	WorkPerOctet = 64      // looks at each octet of a message
	WorkAtLeast  = 1 << 20 // octets for any message, in addition
	askEvery     = 1 << 20 // octets between two looks at the context
)

// ErrTooMuch is the error of a Budget of which nothing is left.
var ErrTooMuch = errors.New("reading: it costs more than 64 times its size")

// Budget is the work that is left for one message. A nil Budget never ends.
type Budget struct {
	ctx  context.Context // nil: none
	Left int             // octets
	ask  int             // of Left, below which ctx is looked at
	Err  error           // why the work ends: ErrTooMuch, or that of the context; nil: it goes on
}

// NewBudget returns the budget of a message of size octets.
func NewBudget(ctx context.Context, size int) Budget {
	left := WorkPerOctet*size + WorkAtLeast
	return Budget{ctx: ctx, Left: left, ask: left}
}

// Spend counts n octets.
func (b *Budget) Spend(n int) {
	if b == nil {
		return
	}
	if b.Left -= n; b.Left < b.ask {
		b.check()
	}
}

// check ends the work if nothing is left or the context is done.
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

// Spent reports whether the work ends. Loops ask it.
func (b *Budget) Spent() bool { return b != nil && b.Err != nil }
