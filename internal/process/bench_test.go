package process

import (
	"context"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/privacy"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/report"
)

// ownRules are rules as a sender has them: one of a field that is in each message, one of
// a link, one of a field that no message has.
var ownRules = []identify.Rule{
	{From: "original:X-Campaign", Match: `^(?P<campaign>[a-z]+-[0-9]+)\.(?P<subscriber>[0-9]+)$`},
	{From: "original:List-Unsubscribe", Match: `https://example\.com/u/(?P<campaign>[^/]+)/(?P<subscriber>[0-9]+)`},
	{From: "original:X-Subscriber", Match: `^(?P<subscriber>[0-9]+)$`},
}

// BenchmarkRead is a report of 5 KB from its octets to the row of the ledger.
func BenchmarkRead(b *testing.B) {
	const size = 5_000
	var sent [16][]byte
	for i := range sent {
		sent[i] = sample.Report(i, size)
	}
	dropping, err := privacy.New(privacy.Config{Addresses: "drop"})
	if err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name  string
		rules Rules
	}{
		{"nothing", Rules{}},
		{"presets", Rules{Identify: identifier(b, identify.Config{})}},
		{"own rules", Rules{Identify: identifier(b, identify.Config{Rules: ownRules})}},
		{"privacy", Rules{Identify: identifier(b, identify.Config{}), Privacy: dropping}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			m := Message{Size: size, Most: 1 << 20, InternalDate: sample.Start, Mailbox: report.Mailbox{Account: "a", Folder: "INBOX", UID: 1, Size: size}, Head: 64 << 10, Memory: new(Memory)}
			f := Folder{FirstSeen: sample.Start, Since: 90 * 24 * time.Hour}
			var line []byte
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				m.Body = sent[n%len(sent)]
				result, err := bench.rules.Read(context.Background(), m, f)
				if err != nil || len(result.Records) != 1 {
					b.Fatal(err)
				}
				for i := range result.Records {
					line = result.Records[i].AppendJSON(line[:0])
					LedgerRecord(&result.Records[i], line)
				}
			}
		})
	}
}

// BenchmarkRecords is what the rules add to a report of 5 KB that was parsed.
func BenchmarkRecords(b *testing.B) {
	message := sample.Report(1, 5_000)
	r := report.Parse(message)
	for _, bench := range []struct {
		name  string
		rules Rules
	}{
		{"nothing", Rules{}},
		{"presets", Rules{Identify: identifier(b, identify.Config{})}},
		{"own rules", Rules{Identify: identifier(b, identify.Config{Rules: ownRules})}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bench.rules.Records(context.Background(), r, message, true, report.Envelope{ReceivedAt: sample.Start})
			}
		})
	}
}
