package mailfile

import "io"

const (
	windowSize = 256 << 10
	// history is how many octets before pos a window keeps.
	history = 8 << 10
	// maxHead is the offset before which the first non-empty line must begin.
	maxHead = 4 << 10
	// noProgress is how many empty reads in a row end a source.
	noProgress = 100
)

// window is a section of a file: buf[pos:end] is still to be taken, and up to history
// octets that were taken are kept before it.
type window struct {
	src      io.Reader
	buf      []byte
	pos, end int
	err      error // why src ended
}

func (w *window) reset(src io.Reader) {
	*w = window{src: src, buf: w.buf}
}

// want returns the octets to be taken, at least n unless the source ends before. n is
// at most windowSize-history.
func (w *window) want(n int) []byte {
	for empty := 0; w.end-w.pos < n && w.err == nil; {
		if len(w.buf)-w.pos < n {
			from := max(0, w.pos-history)
			w.end = copy(w.buf, w.buf[from:w.end])
			w.pos -= from
		}
		var got int
		got, w.err = w.src.Read(w.buf[w.end:])
		w.end += got
		if got > 0 {
			empty = 0
		} else if empty++; empty == noProgress && w.err == nil {
			w.err = io.ErrNoProgress
		}
	}
	return w.buf[w.pos:w.end]
}

// collector keeps the beginning of a message and counts all its octets.
type collector struct {
	max  int64 // octets to keep
	body []byte
	size int64
}

func (c *collector) reset() {
	c.body, c.size = c.body[:0], 0
}

func (c *collector) add(b []byte) {
	c.size += int64(len(b))
	room := c.max - int64(len(c.body))
	if int64(len(b)) > room {
		b = b[:room]
	}
	if need := len(c.body) + len(b); need > cap(c.body) {
		// Doubling, but never past max: append's own steps would overshoot it.
		grown := make([]byte, len(c.body), min(c.max, int64(max(need, 2*cap(c.body), windowSize))))
		copy(grown, c.body)
		c.body = grown
	}
	c.body = append(c.body, b...)
}
