// Package pacetest tells linear work from quadratic, on a machine that may be busy.
package pacetest

import (
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tries is how often work is measured before it counts as slow.
const tries = 6

// Repeat is about n octets of a piece. A "#" in it is the number of the piece.
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

// Linear fails where large, which has factor times the octets of small, takes more
// than 2.5 times as much of the processor for each of them. What takes less than
// enough, or with the race detector as much more as that costs, passes anyway. The
// least of several measurements counts. It must not run
// beside other tests of its process.
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

// Within fails where work takes the processor longer than most each time; with the
// race detector it may take as much longer as that costs.
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

// cost is the processor time that this process takes for work.
func cost(work func()) time.Duration {
	runtime.GC()
	start := cpu()
	work()
	return cpu() - start
}

func cpu() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // asks for what there always is
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// Raced reports whether the race detector is on: a test of very many cases then
// tries some of them.
func Raced() bool { return slower > 1 }
