// Package pacetest tests that work takes linear time, on a machine that may be busy.
package pacetest

import (
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tries is how many measurements must be slow before a test fails.
const tries = 6

// Repeat returns about n octets of repeated pieces. It replaces "#" by the number of the
// piece.
func Repeat(piece string, n int) string {
	if !strings.Contains(piece, "#") {
		return strings.Repeat(piece, max(1, n/len(piece)))
	}
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString(strings.ReplaceAll(piece, "#", strconv.Itoa(i)))
	}
	return b.String()
}

// Linear fails the test if large takes more than 2.5 times the processor time of small
// for each octet; large has factor times the octets of small. It passes if large takes
// less than enough, or 8 times that with the race detector. The least of several
// measurements counts. Do not run it in parallel with other tests of its process.
func Linear(t testing.TB, what string, enough time.Duration, factor int, small, large func()) {
	t.Helper()
	enough *= slower
	one, many := time.Hour, time.Hour
	for range tries {
		if many = min(many, cost(large)); many < enough {
			return
		}
		if one = min(one, cost(small)); many <= one*time.Duration(factor)*5/2 {
			return
		}
	}
	t.Errorf("%s: %s, and %s for %d times the octets", what, one, many, factor)
}

// Within fails the test if work takes more processor time than most at each of several
// measurements. The race detector allows 8 times as much.
func Within(t testing.TB, what string, most time.Duration, work func()) {
	t.Helper()
	most *= slower
	least := time.Hour
	for range tries {
		if least = min(least, cost(work)); least < most {
			return
		}
	}
	t.Errorf("%s: takes %s, more than %s", what, least, most)
}

// cost returns the processor time of this process for work.
func cost(work func()) time.Duration {
	runtime.GC()
	start := cpu()
	work()
	return cpu() - start
}

func cpu() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // cannot fail for this process
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// Raced reports whether the race detector is on. A test with very many cases can then
// try some of them only.
func Raced() bool { return slower > 1 }
