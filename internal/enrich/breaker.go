package enrich

import "time"

const (
	breakAfter = 3           // timeouts in a row
	breakFor   = time.Minute // between two questions while the breaker is open
)

// breaker limits the questions to a DNS that does not answer in time: while it is open,
// one question a minute. The zero breaker is closed.
type breaker struct {
	timeouts int       // in a row
	until    time.Time // while open: when to ask again
}

func (b *breaker) open() bool { return b.timeouts >= breakAfter }

// allows reports whether to ask now. While the breaker is open, it allows one question
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
