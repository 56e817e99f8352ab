package watch

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"

	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/report"
)

// benchRules are ten rules of a user, half of them for fields that the message
// does not have; with them all the presets are on.
var benchRules = []identify.Rule{
	{From: "original:X-Campaign", Match: `^(?P<campaign>[^.]+)\.(?P<subscriber>[0-9a-f-]{36})$`},
	{From: "original:X-Job", Match: `^(?P<tenant>[0-9]+)_(?P<campaign>[0-9]+)$`},
	{From: "original:X-Trace", Decode: "kumoref"},
	{From: "outer:X-Original-To", Match: `^fbl\+(?P<tenant>[a-z0-9]+)@`},
	{From: "report:X-Token", Decode: "msfbl"},
	{From: "mailfrom", Decode: "verp"},
	{From: "original:List-Unsubscribe", Match: `https://[a-z.]+/u/(?P<subscriber>[0-9]+)>`},
	{From: "original:Message-ID", Match: `^<[0-9]+\.(?P<campaign>[0-9]+)@news\.example\.net>$`},
	{From: "rcpt", Match: `^(?P<subscriber>[^@]+)@subscribers\.example\.net$`},
	{From: "text", Match: `tenant (?P<tenant>[0-9]+)`},
}

// BenchmarkRead reads, identifies and writes as JSON a report on one core, with
// all dialects, all presets and ten rules, and compares with go-message's bare
// Walk over the same bytes in the same run: walk/read. The other figures are
// what its steps take of it.
func BenchmarkRead(b *testing.B) {
	id, err := identify.New(identify.Config{Rules: benchRules})
	if err != nil {
		b.Fatal(err)
	}
	reading := process.Rules{Identify: id}
	received := time.Date(2026, time.July, 6, 10, 0, 6, 0, time.UTC)
	for _, size := range []int{5 << 10, 25 << 10} {
		message := sample.Arrived(size)
		var line []byte
		var memory process.Memory
		octets := int64(len(message))
		read := func() {
			got, _ := reading.Read(b.Context(), process.Message{
				Body: message, Size: octets, Most: octets, InternalDate: received, Memory: &memory,
				Mailbox: report.Mailbox{Account: "bench", Folder: "INBOX", UID: 1, UIDValidity: 1, Size: octets},
			}, process.Folder{})
			line = line[:0]
			for i := range got.Records {
				line = got.Records[i].AppendJSON(line)
			}
		}
		if read(); !bytes.Contains(line, []byte(`"subscriber":"4711","campaign":"42"`)) {
			b.Fatalf("%s", line)
		}
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				read()
			}
			b.StopTimer()
			paces := paces(
				read,
				func() { report.Parse(message) },
				func() { report.Parse(message).Records(report.Envelope{}) },
				func() { walk(b, message) },
			)
			b.ReportMetric(paces[0], "cpu-ns")
			b.ReportMetric(paces[3]/paces[0], "walk/read")
			b.ReportMetric(paces[1]/paces[0], "parse/read")
			b.ReportMetric((paces[2]-paces[1])/paces[0], "records/read")
		})
	}
}

// walk is what go-message does before anybody reads a field of a report.
func walk(b *testing.B, octets []byte) {
	parts := 0
	m, err := message.Read(bytes.NewReader(octets))
	if err == nil {
		err = m.Walk(func([]int, *message.Entity, error) error { parts++; return nil })
	}
	if err != nil || parts != 4 {
		b.Fatalf("%d parts, %v", parts, err)
	}
}

// paces is how many nanoseconds of this process's processor time each of fs
// takes: the median of turns in rotation, each so long that the garbage it makes
// is collected in it. What else the machine does counts for little.
func paces(fs ...func()) []float64 {
	const rounds, turn = 21, 1000
	all, median := make([][rounds]int64, len(fs)), make([]float64, len(fs))
	for round := range rounds {
		for i, f := range fs {
			start := cpu()
			for range turn {
				f()
			}
			all[i][round] = cpu() - start
		}
	}
	for i := range fs {
		slices.Sort(all[i][:])
		median[i] = float64(all[i][rounds/2]) / turn
	}
	return median
}

// cpu is the processor time that this process has taken, in nanoseconds.
func cpu() int64 {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // asks for what there always is
	return r.Utime.Nano() + r.Stime.Nano()
}
