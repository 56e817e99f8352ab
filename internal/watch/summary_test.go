package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

// decoded are the ledger's records, in order of seq.
func decoded(t testing.TB, l ledger.Reader) (records []report.Record) {
	t.Helper()
	for row, err := range l.Records(context.Background(), ledger.Query{}) {
		var r report.Record
		if err := errors.Join(err, json.Unmarshal(row.JSON, &r)); err != nil {
			t.Fatal(err)
		}
		if r.Suppress != nil && string(r.Suppress.Verdict) != row.Verdict {
			t.Errorf("%s is %s in its row and %s in its record", row.ID, row.Verdict, r.Suppress.Verdict)
		}
		records = append(records, r)
	}
	return records
}

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
