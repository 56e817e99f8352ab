package ledger

import (
	"cmp"
	"fmt"
	"math"
	"time"
)

// CompareCounts orders as Counts does.
func CompareCounts(a, b Count) int {
	return cmp.Or(a.Hour.Compare(b.Hour), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Class, b.Class),
		cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Feed, b.Feed), cmp.Compare(a.Identity, b.Identity), cmp.Compare(a.Verdict, b.Verdict))
}

// CompareFolders orders by account and name.
func CompareFolders(a, b Folder) int {
	return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Name, b.Name))
}

// NoFolder is the error for the number of a folder that there is not.
func NoFolder(id int64) error { return fmt.Errorf("ledger: there is no folder %d", id) }

// Span is a half open interval in milliseconds; a zero time is open.
func Span(since, until time.Time) (low, high int64) {
	low, high = math.MinInt64, math.MaxInt64
	if !since.IsZero() {
		low = Milli(since)
	}
	if !until.IsZero() {
		high = Milli(until)
	}
	return low, high
}
