package mailfile

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestLinear: eight times the octets of an mbox take no more than sixteen times as
// long, whatever they are. The least of several times counts.
func TestLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds")
	}
	const part = "\n--b\nContent-Type: message/rfc822\n\n"
	long := "\n--" + strings.Repeat("ab", 2000)
	for _, piece := range []string{
		"From ", "From From ", ">From \n", ">", ">>>>From x\n", "\nFrom ", "\n\nFrom ", "\n\nFrom x\n", "\n\n>From ", separator, "\n" + separator, "\n" + separator + "\n", part + separator,
		part + separator + strings.Repeat("From ", 1000), part + separator + strings.Repeat("From ", 25_000), "--b\n" + strings.Repeat("X: y\n", 1000) + "\n" + separator,
		long + "\nContent-Type: message/rfc822\n\n" + separator + strings.Repeat("ab", 20_000), "\n\nFrom " + strings.Repeat("x", 1000) + " Mon Mar  2 06:00:00 2026\n",
		"\r", "\r\n", "\n", "\n\n", "x", "--\n", "--b--\n", " ", "F", "Fro",
	} {
		read := func(n int) time.Duration {
			box := separator + "\n" + strings.Repeat(piece, n/len(piece))
			start := time.Now()
			for _, err := range Read(t.Context(), "-", Options{Stdin: bytes.NewReader([]byte(box))}) {
				if err != nil {
					t.Fatal(err)
				}
			}
			return time.Since(start)
		}
		fast, slow := time.Hour, time.Hour
		for try := 0; ; try++ {
			if slow = min(slow, read(8<<20)); slow < 250*time.Millisecond {
				break
			}
			if fast = min(fast, read(1<<20)); slow <= 16*fast && slow < time.Second {
				break
			}
			if try == 4 {
				t.Errorf("%.80q: 1 MB takes %s, 8 MB take %s", piece, fast, slow)
				break
			}
			runtime.GC()
		}
	}
}
