package subprocess

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	logOctets = 1000 // of one line
	logLines  = 100  // of one stream in a logSpan; the others are counted
	logSpan   = time.Minute
)

// Log logs each line that r says, until it ends: no more than 1,000 octets of a
// line, 100 lines a minute, control characters as their escapes.
func Log(r io.Reader, log *slog.Logger, level slog.Level) {
	ctx := context.Background()
	var since time.Time
	said, left := 0, 0
	tell := func() {
		if left > 0 {
			log.Warn("command says too much", "lines_left_out", left)
		}
		said, left = 0, 0
	}
	for line := range Lines(r, logOctets) {
		if time.Since(since) >= logSpan {
			tell()
			since = time.Now()
		}
		if said++; said > logLines {
			left++
			continue
		}
		log.Log(ctx, level, "command says: "+Printable(line))
	}
	tell()
}

// Lines yields the lines of r without their ends, until it ends. A line of more
// than limit octets is yielded as soon as it has them, with "..." at its end.
func Lines(r io.Reader, limit int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for in := bufio.NewReaderSize(r, limit); ; {
			part, cut, err := in.ReadLine()
			if err != nil {
				return
			}
			line := string(part)
			if cut {
				line += "..."
			}
			if !yield(line) {
				return
			}
			for cut && err == nil {
				_, cut, err = in.ReadLine()
			}
		}
	}
}

// Printable writes what is not to be shown as it is, such as a control
// character or an octet that is no UTF-8, as an escape of Go's.
func Printable(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(fmt.Sprintf("%+q", r), "'"))
		}
	}
	return b.String()
}
