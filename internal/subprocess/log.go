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
	logLines  = 100  // of one stream in a logSpan; further lines are counted only
	logSpan   = time.Minute
)

// Log logs each line of r until r ends: 1,000 octets of a line and 100 lines a minute
// at most, with control characters escaped.
func Log(r io.Reader, log *slog.Logger, level slog.Level) {
	ctx := context.Background()
	var since time.Time
	logged, omitted := 0, 0
	report := func() {
		if omitted > 0 {
			log.Warn("command writes too much", "lines_left_out", omitted)
		}
		logged, omitted = 0, 0
	}
	for line := range Lines(r, logOctets) {
		if time.Since(since) >= logSpan {
			report()
			since = time.Now()
		}
		if logged++; logged > logLines {
			omitted++
			continue
		}
		log.Log(ctx, level, "command says: "+Printable(line))
	}
	report()
}

// Lines yields the lines of r without their line ends, until r ends. If a line is
// longer than limit octets, Lines yields its start at once, with "..." at the end, and
// skips the rest.
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

// Printable returns s with Go's escapes for characters that are not printable and for
// octets that are not UTF-8.
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
