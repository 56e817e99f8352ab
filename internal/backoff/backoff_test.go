package backoff

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestLongest(t *testing.T) {
	var got []time.Duration
	for _, failures := range []int{0, 1, 2, 3, 6, 7, 8, math.MaxInt} {
		got = append(got, Range{time.Second, time.Minute}.Longest(failures)/time.Second)
	}
	if want := []time.Duration{1, 1, 2, 4, 32, 60, 60, 60}; !slices.Equal(got, want) {
		t.Errorf("%v seconds, want %v", got, want)
	}
	if got := (Range{}).Longest(math.MaxInt); got != 0 {
		t.Errorf("the zero value: %v", got)
	}
	if got := (Range{time.Second, math.MaxInt64}).Longest(math.MaxInt); got <= 0 {
		t.Errorf("a range without end: %v", got)
	}
}

// Both spread over their whole range, and never leave it.
func TestJitter(t *testing.T) {
	for name, test := range map[string]struct {
		jitter func(time.Duration) time.Duration
		least  time.Duration
	}{"Full": {Full, 0}, "Equal": {Equal, 500}} {
		seen := make(map[time.Duration]bool)
		for range 100_000 {
			pause := test.jitter(1000)
			if pause < test.least || pause >= 1000 {
				t.Fatalf("%s: %v", name, pause)
			}
			seen[pause] = true
		}
		if want := 1000 - int(test.least); len(seen) != want {
			t.Errorf("%s: %d pauses, want %d", name, len(seen), want)
		}
		if got := test.jitter(0); got != 0 {
			t.Errorf("%s of no time: %v", name, got)
		}
	}
}
