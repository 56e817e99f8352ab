package watch

import (
	"encoding/json"
	"fmt"
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
