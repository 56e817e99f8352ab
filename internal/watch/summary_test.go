package watch

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/fblwatch/fblwatch/report"
)

func summary(t testing.TB, b []byte) string {
	t.Helper()
	var r report.Record
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return fmt.Sprintf("%d %s %s", r.Mailbox.UID, r.Event, r.OriginalRcptTo)
}

// sorted orders summaries by UID, as a clean run has them.
func sorted(l []string) []string {
	slices.SortFunc(l, func(a, b string) int {
		var x, y int
		fmt.Sscan(a, &x)
		fmt.Sscan(b, &y)
		return x - y
	})
	return l
}
