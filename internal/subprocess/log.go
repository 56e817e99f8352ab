package subprocess

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// LineOctets is what a log keeps of one line.
	LineOctets = 1000

	logLines = 100 // in a logSpan; further lines are counted only
	logSpan  = time.Minute
)

// Log logs each line of r until r ends: 1,000 octets of a line and 100 lines a minute
// at most, with control characters escaped.
func Log(r io.Reader, log *slog.Logger, level slog.Level) {
	l := LineLog{Log: log, Level: level}
	for line := range Lines(r, LineOctets) {
		l.Add(line)
	}
	l.End()
}

// LineLog logs lines that commands write, one command after the other or several at
// once: 100 lines a minute at most, with control characters escaped.
type LineLog struct {
	Log   *slog.Logger
	Level slog.Level

	mu              sync.Mutex
	since           time.Time
	logged, omitted int
}

// Add logs a line, unless there were too many.
func (l *LineLog) Add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.since) >= logSpan {
		l.report()
		l.since = time.Now()
	}
	if l.logged++; l.logged > logLines {
		l.omitted++
		return
	}
	l.Log.Log(context.Background(), l.Level, "command says: "+Printable(line))
}

// End logs how many lines were left out.
func (l *LineLog) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.report()
}

func (l *LineLog) report() {
	if l.omitted > 0 {
		l.Log.Warn("command writes too much", "lines_left_out", l.omitted)
	}
	l.logged, l.omitted = 0, 0
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
