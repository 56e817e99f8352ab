package delivery

import (
	"fmt"
	"time"
)

// Refusal says that a receiver will never take one of N items, from First on: it said
// so, and another try would be refused too. If N is 1, that item is at fault. Otherwise
// it is unknown which one, and the items are to be sent in smaller parts.
type Refusal struct {
	First, N int
	Reason   string // what the receiver said, for people; one line without secrets
}

// Refusals is the error of a Write whose receiver refused some of the items for good,
// ascending and apart from each other. The items before done are delivered but for
// these. One with N above 1 ends at done.
type Refusals []Refusal

func (r Refusals) Error() string {
	if len(r) == 1 {
		return r[0].Reason
	}
	return fmt.Sprintf("%s; and %d more refusals", r[0].Reason, len(r)-1)
}

// Fit reports whether the refusals are about some of the first done items, as the
// comment of Refusals says.
func (r Refusals) Fit(done int) bool {
	end := 0
	for _, one := range r {
		if one.First < end || one.N < 1 || one.N > done-one.First || one.N > 1 && one.First+one.N != done {
			return false
		}
		end = one.First + one.N
	}
	return len(r) > 0
}

// Later is the error of a receiver that says when to try again.
type Later struct {
	After time.Duration // from now on
	Err   error

	// Planned: the sink keeps to a plan of its own, such as a rate. That is no trouble,
	// and no try that failed.
	Planned bool
}

func (l *Later) Error() string { return l.Err.Error() }
func (l *Later) Unwrap() error { return l.Err }
