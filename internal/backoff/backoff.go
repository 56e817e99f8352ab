// Package backoff spaces the tries of something that fails: exponentially, and at
// random, so that many programs do not all knock at one moment.
package backoff

import (
	"math/rand/v2"
	"time"
)

// Range is the longest pause after the first failure and after many. The zero
// value makes no pause.
type Range struct{ First, Most time.Duration }

// Longest returns First after the first failure in a row, and twice as much after
// each further one, up to Most.
func (r Range) Longest(failures int) time.Duration {
	const doublings = 62 // of a nanosecond in a time.Duration
	pause := r.First
	for range min(failures-1, doublings) {
		if pause > r.Most/2 {
			return r.Most
		}
		pause *= 2
	}
	return min(pause, r.Most)
}

// Full returns a random pause of 0 or more and below longest.
func Full(longest time.Duration) time.Duration {
	if longest <= 0 {
		return 0
	}
	return rand.N(longest)
}

// Equal returns a random pause of at least half of longest and below longest.
func Equal(longest time.Duration) time.Duration {
	return longest/2 + Full(longest-longest/2)
}
