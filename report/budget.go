package report

import (
	"context"
	"errors"
)

// Every step over a message is linear, and the number of steps is bounded. The
// budget is the net below: it counts the octets that are looked at, each time
// anew. The clock decides nothing, so that a message has one record, whatever
// machine reads it.
const (
	workPerOctet = 64      // times that each octet may be looked at
	workAtLeast  = 1 << 20 // octets that any message may cost
	askEvery     = 1 << 20 // octets after which the context is asked again
)

var errTooMuch = errors.New("reading: it costs more than 64 times its size")

// budget is what the reading of one message may still cost. A nil budget is
// without end.
type budget struct {
	ctx  context.Context // nil: nobody ends the reading
	left int             // octets
	ask  int             // of left, below which ctx is asked
	err  error           // why the reading ends
}

func newBudget(ctx context.Context, size int) budget {
	left := workPerOctet*size + workAtLeast
	return budget{ctx: ctx, left: left, ask: left}
}

// spend counts n octets.
func (b *budget) spend(n int) {
	if b == nil {
		return
	}
	if b.left -= n; b.left < b.ask {
		b.check()
	}
}

// check ends the reading if nothing is left or the context is done.
func (b *budget) check() {
	b.ask = max(0, b.left-askEvery)
	switch {
	case b.err != nil:
	case b.left < 0:
		b.err = errTooMuch
	case b.ctx != nil:
		b.err = b.ctx.Err()
	}
}

// spent reports whether the reading ends; loops ask it.
func (b *budget) spent() bool { return b != nil && b.err != nil }
