package process

import (
	"bytes"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/report"
)

// digestOf is a message with reports attached.
func digestOf(reports ...[]byte) []byte {
	message := "From: desk@example.com\r\nMessage-ID: <1@example.com>\r\nDate: Mon, 02 Mar 2026 06:00:00 +0000\r\nContent-Type: multipart/digest; boundary=b\r\n\r\n"
	for _, r := range reports {
		message += "--b\r\nContent-Type: message/rfc822\r\n\r\n" + string(r) + "\r\n"
	}
	return []byte(message + "--b--\r\n")
}

// TestReprocessOtherReports: where a kept message without its people is read as other
// reports than it was when it came, no record is given what another's report says.
func TestReprocessOtherReports(t *testing.T) {
	two := bytes.Replace(sample.Report(1, 0), []byte("Original-Rcpt-To: "), []byte("Original-Rcpt-To: user9@example.com\r\nOriginal-Rcpt-To: "), 1)
	for name, c := range map[string]struct {
		was, now []byte
	}{
		"fewer": {digestOf(sample.Report(1, 0), sample.Report(2, 0)), digestOf(sample.Report(1, 0))},
		"more":  {digestOf(two), digestOf(two, sample.Report(2, 0))},
		"same":  {digestOf(sample.Report(1, 0), sample.Report(2, 0)), digestOf(sample.Report(1, 0), sample.Report(2, 0))},
	} {
		g := Rules{Privacy: filter(t, "drop", "keep"), Identify: identifier(t, identify.Config{Rules: []identify.Rule{
			{From: "original:List-Unsubscribe", Match: `example\.com/u/[^/]+/(?P<subscriber>[0-9]+)>`},
		}})}
		s := shelve(t, g, c.was, len(c.was))
		for kept, err := range s.l.KeptMessages(t.Context(), time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			r := report.Parse(c.now)
			kept.Head = g.Head(c.now, r)
			kept.Size = int64(len(kept.Head))
			_, outcome, err := g.Reprocess(t.Context(), kept, s.rows(true), came.Add(time.Hour))
			if err != nil || outcome != Same {
				t.Errorf("%s: %s, %v", name, outcome, err)
			}
		}
	}
}
