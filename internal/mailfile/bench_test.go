package mailfile

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// sampleMbox is an mbox of n reports of size octets.
func sampleMbox(n, size int) []byte {
	var messages [][]byte
	for i := range n {
		messages = append(messages, sample.Report(i, size))
	}
	box, _ := mboxrd(messages)
	return box
}

// BenchmarkMbox reads an mbox of 64 MB. The ratio is its time to that of
// looking for each newline of the same file in reads of the same size.
func BenchmarkMbox(b *testing.B) {
	for _, size := range []int{2500, 5000, 25000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			n := 64 << 20 / size
			path := filepath.Join(b.TempDir(), "box")
			fixture.File(b, path, sampleMbox(n, size))
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(info.Size())
			var plain time.Duration
			for b.Loop() {
				messages := 0
				for _, err := range Read(b.Context(), path, Options{}) {
					if err != nil {
						b.Fatal(err)
					}
					messages++
				}
				if messages != n {
					b.Fatalf("%d messages, want %d", messages, n)
				}
				b.StopTimer()
				start := time.Now()
				countLines(b, path)
				plain += time.Since(start)
				b.StartTimer()
			}
			b.ReportMetric(b.Elapsed().Seconds()/plain.Seconds(), "x-newline-scan")
		})
	}
}

func countLines(b *testing.B, path string) (lines int) {
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	for buf := make([]byte, windowSize); ; {
		n, err := file.Read(buf)
		for rest := buf[:n]; ; lines++ {
			i := bytes.IndexByte(rest, '\n')
			if i < 0 {
				break
			}
			rest = rest[i+1:]
		}
		if err == io.EOF {
			return lines
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMaildir reads a Maildir of 10,000 reports of 5 KB.
func BenchmarkMaildir(b *testing.B) {
	dir := b.TempDir()
	const n, size = 10_000, 5000
	for _, sub := range []string{"cur", "new"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			b.Fatal(err)
		}
	}
	for i := range n {
		fixture.File(b, filepath.Join(dir, "cur", fmt.Sprintf("%d.host:2,", i)), sample.Report(i, size))
	}
	b.SetBytes(n * size)
	for b.Loop() {
		for _, err := range Read(b.Context(), dir, Options{}) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
