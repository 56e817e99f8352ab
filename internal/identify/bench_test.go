package identify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/report"
)

// BenchmarkIdentify measures one record of a message of a usual header, with ten
// rules and all presets; parsing the message is not in it.
func BenchmarkIdentify(b *testing.B) {
	var rules []Rule
	for i := range 10 {
		rules = append(rules, Rule{From: fmt.Sprintf("original:X-Ref-%d", i), Match: `^(?P<campaign>[^.]+)\.(?P<subscriber>[0-9a-f-]{36})$`})
	}
	fields := []string{
		"Return-Path: <bounce-bob=example.org@example.com>",
		"List-Unsubscribe: <https://example.com/u/0123456789abcdef>, <mailto:unsubscribe@example.com?subject=0123456789abcdef>",
		"List-ID: <news.example.com>", "Feedback-ID: c1:t1:news:examplesend", "Message-ID: <0123456789@mail.example.com>", "X-Ref-7: summer." + uuid1,
	}
	for i := range 20 {
		fields = append(fields, fmt.Sprintf("X-Other-%d: %s", i, strings.Repeat("other words ", 8)))
	}
	for _, bench := range []struct {
		name  string
		rules []Rule
		in    []byte
	}{
		{"presets", nil, complaint(fields...)},
		{"presets and ten rules", rules, complaint(fields...)},
		{"nothing to find", rules, complaint(fields[6:]...)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			id, err := New(Config{Rules: bench.rules})
			if err != nil {
				b.Fatal(err)
			}
			r := report.Parse(bench.in)
			records := r.Records(report.Envelope{})
			b.ReportAllocs()
			for b.Loop() {
				id.Identify(r, records)
			}
		})
	}
}
