package enrich

import "time"

const (
	breakAfter = 3           // timeouts in a row
	breakFor   = time.Minute // between two tries while it is open
)

// breaker says when to ask a DNS that lets every question run into its time
// limit: not for a while, and then once. The zero breaker is closed.
type breaker struct {
	timeouts int       // in a row
	until    time.Time // while open: when to try again
}

func (b *breaker) open() bool { return b.timeouts >= breakAfter }

// allows tells whether to ask now. While it is open, one question is let through
// every breakFor.
func (b *breaker) allows(now time.Time) bool {
	if !b.open() {
		return true
	}
	if now.Before(b.until) {
		return false
	}
	b.until = now.Add(breakFor)
	return true
}

func (b *breaker) answered() { b.timeouts = 0 }

func (b *breaker) timedOut(now time.Time) {
	b.timeouts++
	b.until = now.Add(breakFor)
}
