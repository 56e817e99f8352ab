package sqlite

import (
	"fmt"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// bits reads a number of 64 bits, which SQLite keeps as a signed one.
type bits uint64

func (b *bits) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("ledger: %v is no integer", v)
	}
	*b = bits(n)
	return nil
}

// fromNoted reads a time that was not always noted.
func fromNoted(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return ledger.FromMilli(ms)
}
