package trust

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/report"
)

// BenchmarkCheck checks a report: by its signature, and by what our own server says of it
// where signatures are not verified.
func BenchmarkCheck(b *testing.B) {
	const domain = "feed.example.net" // with an RSA key, see keyOf
	for _, size := range []int{5_000, 25_000} {
		signed := sign(b, strings.ReplaceAll(string(sample.Report(1, size)), "fbl.example.net", domain), domain, allFields)
		said := "Authentication-Results: mx.example.com; dkim=pass header.d=" + domain + "\r\n" + signed
		for _, bench := range []struct {
			name, message string
			verifies      bool
			method        string
		}{
			{"dkim", signed, true, "dkim"},
			{"results", said, false, "a-r"},
		} {
			b.Run(fmt.Sprintf("%s/%dKB", bench.name, size/1000), func(b *testing.B) {
				c, err := New(Config{Own: Own{Domains: []string{"example.com"}}, Reporters: []string{domain}, AuthservIDs: []string{"mx.example.com"}, DKIM: &bench.verifies}, publish(b, domain), nil)
				if err != nil {
					b.Fatal(err)
				}
				message := []byte(bench.message)
				r := report.Parse(message)
				records := r.Records(report.Envelope{})
				b.ReportAllocs()
				for b.Loop() {
					c.Check(context.Background(), message, r, records, time.Time{}, false)
				}
				if reporter := records[0].Reporter; reporter.Auth != report.AuthPass || reporter.AuthMethod != bench.method {
					b.Fatalf("%+v", reporter)
				}
			})
		}
	}
}
