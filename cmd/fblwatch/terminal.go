package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// terminalWidth is the columns of a terminal, 0 of what is none. One that does not
// say has 80.
func terminalWidth(stream any) int {
	if !isTerminal(stream) {
		return 0
	}
	width, _, err := term.GetSize(int(stream.(*os.File).Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}

// progress is a line on a terminal that is written again and again; nil is
// none.
type progress struct {
	w     io.Writer
	width func() int // now: a terminal may change it
	shown time.Time
}

// progress returns nil where stderr is no terminal, or where records are
// printed on the same one.
func (p *program) progress(printing bool) *progress {
	if !isTerminal(p.stderr) || !p.hasCursor() || printing && isTerminal(p.stdout) {
		return nil
	}
	return &progress{w: p.stderr, width: func() int { return terminalWidth(p.stderr) }}
}

func (p *progress) show(format string, args ...any) {
	if p == nil || time.Since(p.shown) < 100*time.Millisecond {
		return
	}
	p.shown = time.Now()
	fmt.Fprintf(p.w, "\r\x1b[K%s", cut(fmt.Sprintf(format, args...), p.width()-1)) // a second line would stay
}

func (p *progress) clear() {
	if p != nil && !p.shown.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// plural is "1 message", "2 messages".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
