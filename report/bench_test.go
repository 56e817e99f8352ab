package report

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"

	"github.com/fblwatch/fblwatch/internal/sample"
)

// walk is what go-message does before anybody reads a field of a report; read:
// the bodies of the parts too.
func walk(b *testing.B, octets []byte, read bool) {
	parts := 0
	m, err := message.Read(bytes.NewReader(octets))
	if err == nil {
		err = m.Walk(func(_ []int, part *message.Entity, err error) error {
			parts++
			if err == nil && read && part.MultipartReader() == nil {
				_, err = io.Copy(io.Discard, part.Body)
			}
			return err
		})
	}
	if err != nil {
		b.Fatal(err)
	}
	if parts != 4 {
		b.Fatalf("%d parts", parts)
	}
}

func countLines(b []byte) (n int) {
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			return n
		}
		n++
		b = b[i+1:]
	}
}

// paces is how many nanoseconds each of fs takes on average, garbage collection
// included. They take many turns in rotation, so that a busy machine slows
// all of them alike.
func paces(fs ...func()) []float64 {
	const rounds, turn = 50, 100
	total := make([]float64, len(fs))
	for range rounds {
		for i, f := range fs {
			start := time.Now()
			for range turn {
				f()
			}
			total[i] += float64(time.Since(start).Nanoseconds()) / (rounds * turn)
		}
	}
	return total
}

// BenchmarkParse compares with go-message's bare Walk, with a Walk that reads
// the parts' bodies, and with a scan for line breaks, over the same bytes in one
// run: walk/parse, walk+read/parse and parse/scan.
func BenchmarkParse(b *testing.B) {
	for _, size := range []int{5 << 10, 25 << 10} {
		message := sample.Arrived(size)
		if r := Parse(message); r.Kind != KindReport || r.Original == nil || r.SourceIP != "192.0.2.10" {
			b.Fatalf("%+v", r)
		}
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				Parse(message)
			}
			b.StopTimer()
			mean := paces(
				func() { Parse(message) },
				func() { walk(b, message, false) },
				func() { walk(b, message, true) },
				func() { countLines(message) },
				func() { sha256.Sum256(message[:4<<10]) },
			)
			b.ReportMetric(mean[0], "mean-ns")
			b.ReportMetric(mean[1]/mean[0], "walk/parse")
			b.ReportMetric(mean[2]/mean[0], "walk+read/parse")
			b.ReportMetric(mean[0]/mean[3], "parse/scan")
			b.ReportMetric(mean[4]/mean[0], "sha/parse")
		})
	}
}

// BenchmarkRead is all that the reading of a message costs: a Parser, the records, and
// their JSON.
func BenchmarkRead(b *testing.B) {
	for _, size := range []int{5_000, 25_000} {
		var sent [16][]byte
		for i := range sent {
			sent[i] = sample.Report(i, size)
		}
		b.Run(fmt.Sprintf("%dKB", size/1000), func(b *testing.B) {
			var p Parser
			var records []Record
			var line []byte
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				r, err := p.Parse(b.Context(), sent[n%len(sent)], int64(size))
				if err != nil {
					b.Fatal(err)
				}
				records = r.AppendRecords(records[:0], envelope)
				for i := range records {
					line = records[i].AppendJSON(line[:0])
				}
			}
		})
	}
}

// BenchmarkRecords is what follows Parse: the records, and their JSON.
func BenchmarkRecords(b *testing.B) {
	r := Parse(sample.Arrived(5 << 10))
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		for _, record := range r.Records(Envelope{}) {
			line = record.AppendJSON(line[:0])
		}
	}
	b.SetBytes(int64(len(line)))
}
