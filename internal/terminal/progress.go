package terminal

import (
	"fmt"
	"io"
	"time"
)

// Progress is one line on a terminal that is written again and again. A nil
// Progress shows nothing.
type Progress struct {
	w     io.Writer
	width func() int // now: a terminal may change it
	shown time.Time
}

// NewProgress returns nil if w is no terminal whose line can be erased.
func NewProgress(w io.Writer, env Environment) *Progress {
	if !IsTerminal(w) || !hasCursor(env) {
		return nil
	}
	return &Progress{w: w, width: func() int { return Width(w) }}
}

// Show writes the line, at most ten times a second.
func (p *Progress) Show(format string, args ...any) {
	if p == nil || time.Since(p.shown) < 100*time.Millisecond {
		return
	}
	p.shown = time.Now()
	fmt.Fprintf(p.w, "\r\x1b[K%s", Cut(fmt.Sprintf(format, args...), p.width()-1)) // nothing would erase a second line
}

// Clear erases the line.
func (p *Progress) Clear() {
	if p != nil && !p.shown.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
