package process

import (
	"bytes"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

// A report that a sink of ours sent on and that came back is no report again, by any
// way to read it. What another fblwatch sent is one.
func TestForwardedComesBack(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("Received: from a.example.com by b.example.com; Mon, 04 May 2026 03:02:05 +0000\r\nX-Fblwatch-Forwarded: 1.1\r\n")
	err := report.Write(&b, report.Message{
		Report: report.Report{Outer: report.Outer{From: "FBL-Forward@esp.example.com", Date: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)},
			FeedbackType: "abuse", UserAgent: "fblwatch", Version: "1"},
		To: []string{"abuse@shop.example.com"}, Original: []byte("From: news@shop.example.com\r\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	plain := bytes.Replace(b.Bytes(), []byte("X-Fblwatch-Forwarded"), []byte("X-Other"), 1)
	for name, test := range map[string]struct {
		from []string
		body []byte
		want report.Kind
	}{
		"ours":                {[]string{"a@example.com", "fbl-forward@esp.example.com"}, b.Bytes(), report.KindOther},
		"another's":           {[]string{"a@example.com"}, b.Bytes(), report.KindReport},
		"ours, not a sink's":  {[]string{"fbl-forward@esp.example.com"}, plain, report.KindReport},
		"without such a sink": {nil, b.Bytes(), report.KindReport},
	} {
		g := Rules{Forwarders: test.from}
		size := int64(len(test.body))
		result, err := g.Read(t.Context(), Message{Body: test.body, Size: size, Most: size, Head: 1 << 16, InternalDate: time.Date(2026, 5, 4, 3, 2, 5, 0, time.UTC)}, Folder{})
		if err != nil || result.Kind != test.want || (len(result.Records) > 0) != (test.want == report.KindReport) {
			t.Errorf("%s: %s with %d records, %v", name, result.Kind, len(result.Records), err)
		}
		start, err := g.ReadStart(t.Context(), Message{Body: test.body[:size-10], Size: size, InternalDate: time.Date(2026, 5, 4, 3, 2, 5, 0, time.UTC)}, Folder{}, "too long")
		if err != nil || start.Kind != test.want || (len(start.Records) > 0) != (test.want == report.KindReport) {
			t.Errorf("%s, its start: %s with %d records, %v", name, start.Kind, len(start.Records), err)
		}
		kept := ledger.KeptMessage{Message: ledger.Message{ReportID: result.ID, Kind: string(report.KindOther), Size: size, Head: result.Head}}
		again, _, err := g.Reprocess(t.Context(), kept, nil, time.Now())
		if err != nil || (len(again.Records) > 0) != (test.want == report.KindReport) {
			t.Errorf("%s, read again: %d records, %v", name, len(again.Records), err)
		}
	}
}
