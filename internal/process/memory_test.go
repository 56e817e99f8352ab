package process_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/report"
)

// TestMemory: what a message gives does not depend on those that were read into the same
// memory before, and its row in the ledger stays when memory and message are used again.
func TestMemory(t *testing.T) {
	identifier, err := identify.New(identify.Config{})
	if err != nil {
		t.Fatal(err)
	}
	g := process.Rules{Identify: identifier}
	at := time.Date(2026, time.July, 6, 10, 0, 0, 0, time.UTC)
	read := func(body []byte, memory *process.Memory) (rows []ledger.Record) {
		size := int64(len(body))
		result, err := g.Read(t.Context(), process.Message{Body: body, Size: size, Most: size, InternalDate: at, Memory: memory}, process.Folder{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range result.Records {
			r := &result.Records[i]
			r.ProcessedAt = at
			rows = append(rows, process.LedgerRecord(r, r.AppendJSON(nil)))
		}
		return rows
	}
	var memory process.Memory
	var buffer []byte
	var got, want [][]ledger.Record
	for n := range 3 {
		for _, d := range sample.Dialects() {
			message := d.Message(sample.NewComplaint(3, n))
			want = append(want, read(message, nil))
			buffer = append(buffer[:0], message...)
			got = append(got, read(buffer, &memory))
			clear(buffer)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(want) < 100 || want[0][0].Event != string(report.Complaint) {
		t.Errorf("%d messages, the first gives %+v", len(want), want[0])
	}
}
