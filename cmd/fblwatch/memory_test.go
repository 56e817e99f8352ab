//go:build linux

package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// BenchmarkMemory prints the peak memory of the program itself: of a sweep of
// 2,000 and 20,000 messages, and of an mbox of 0.1 GB and 1 GB read from a pipe.
// Flat in the number of messages, it is about the same in each pair.
func BenchmarkMemory(b *testing.B) {
	binary := build(b)
	d := realserver.Dovecot(b)
	delivered := 0
	for _, many := range []int{2000, 20_000} {
		b.Run("sweep/"+strconv.Itoa(many), func(b *testing.B) {
			var messages [][]byte
			for ; delivered < many; delivered++ {
				messages = append(messages, sample.Report(delivered, 6100))
			}
			d.Deliver("INBOX", messages...)
			for b.Loop() {
				cmd := exec.Command(binary, "sweep", "--url", "imap://"+d.User()+"@"+d.PlainAddr()+"/INBOX",
					"--ledger", filepath.Join(b.TempDir(), "fblwatch.db"))
				cmd.Env = append(os.Environ(), "FBLWATCH_PASSWORD="+d.Password())
				peak(b, cmd)
			}
		})
	}
	for _, many := range []int{20_000, 200_000} {
		b.Run("mbox/"+strconv.Itoa(many), func(b *testing.B) {
			for b.Loop() {
				r, w := io.Pipe()
				go func() { w.CloseWithError(writeSamples(w, many, 5200)) }()
				cmd := exec.Command(binary, "parse", "--format", "json", "-")
				cmd.Stdin = r
				start := time.Now()
				peak(b, cmd)
				b.ReportMetric(float64(many)*5200/1e6/time.Since(start).Seconds(), "MB/s")
			}
		})
	}
}

// peak runs a command and reports its largest resident size.
func peak(b *testing.B, cmd *exec.Cmd) {
	b.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	kB, err := watchMemory(cmd, nil, nil)
	if err != nil {
		b.Fatalf("%v\n%s", err, stderr.String())
	}
	if kB == 0 {
		b.Fatal("the peak was not seen")
	}
	b.ReportMetric(float64(kB)/1000, "MB-peak")
	b.ReportMetric(0, "ns/op")
}

// writeSamples writes an mbox of n reports.
func writeSamples(w io.Writer, n, size int) error {
	bw := bufio.NewWriterSize(w, 1<<20)
	for i := range n {
		bw.WriteString("From fbl@example.com Mon Nov 23 19:00:00 2026\n")
		bw.Write(bytes.ReplaceAll(sample.Report(i, size), []byte("\r\n"), []byte("\n")))
		bw.WriteString("\n")
	}
	return bw.Flush()
}
