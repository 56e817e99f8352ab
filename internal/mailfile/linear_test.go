package mailfile

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/pacetest"
)

// TestLinear: eight times the octets of an mbox take about eight times as long,
// whatever they are.
func TestLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short: it takes some seconds")
	}
	const part = "\n--b\nContent-Type: message/rfc822\n\n"
	long := "\n--" + strings.Repeat("ab", 2000)
	for _, piece := range []string{
		"From ", "From From ", ">From \n", ">", ">>>>From x\n", "\nFrom ", "\n\nFrom ", "\n\nFrom x\n", "\n\n>From ", separator, "\n" + separator, "\n" + separator + "\n", part + separator,
		part + separator + strings.Repeat("From ", 1000), part + separator + strings.Repeat("From ", 25_000), "--b\n" + strings.Repeat("X: y\n", 1000) + "\n" + separator,
		long + "\nContent-Type: message/rfc822\n\n" + separator + strings.Repeat("ab", 20_000), "\n\nFrom " + strings.Repeat("x", 1000) + " Mon Mar  2 06:00:00 2026\n",
		"\r", "\r\n", "\n", "\n\n", "x", "--\n", "--b--\n", " ", "F", "Fro",
	} {
		read := func(n int) func() {
			box := []byte(separator + "\n" + strings.Repeat(piece, n/len(piece)))
			return func() {
				for _, err := range Read(t.Context(), "-", Options{Stdin: bytes.NewReader(box)}) {
					if err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		pacetest.Linear(t, fmt.Sprintf("%.80q", piece), 250*time.Millisecond, 8, read(1<<20), read(8<<20))
	}
}
