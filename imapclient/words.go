package imapclient

import (
	"fmt"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
)

// How much of a server's words the Handler hears: so many at once and one more each
// wordsEvery, and of an OK that is no ALERT so many a command. What is beyond is
// counted.
const (
	wordsMost  = 30
	wordsEvery = 10 * time.Second
	quietMost  = 100
)

// words limits the words of one server, over all its sessions.
type words struct {
	mu   sync.Mutex
	paid time.Time // until when those that were passed on are paid for
	left int       // that were left out
}

// pass tells whether the Handler is to hear one more.
func (w *words) pass() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if w.paid.Before(now) {
		w.paid = now
	}
	if w.paid.Sub(now) > (wordsMost-1)*wordsEvery {
		w.left++
		return false
	}
	w.paid = w.paid.Add(wordsEvery)
	return true
}

// omit notes that one was left out.
func (w *words) omit() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left++
}

// omitted is how many were left out since it was told last; 0: it is too early to
// tell again.
func (w *words) omitted(end bool) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if end || time.Until(w.paid) < (wordsMost-1)*wordsEvery {
		n, w.left = w.left, 0
	}
	return n
}

// notify hands the text of a status response on.
func (c *Client) notify(level callbacks.Level, st status, last bool) {
	quiet := level == callbacks.Info && !(&ResponseError{Code: st.code}).is("ALERT")
	if quiet {
		if c.quiet++; c.quiet > quietMost {
			c.quirks.words.omit()
			return
		}
	} else if !last && !c.quirks.words.pass() {
		return
	}
	c.h.Notify(c.mailbox, level, st.code, st.text)
}

// told logs what a server's line makes one say.
func (c *Client) told(level callbacks.Level, text string) {
	if c.quirks.words.pass() {
		c.h.Log(level, text)
	}
}

// sayOmitted tells how much was left out, if it is time again.
func (c *Client) sayOmitted(end bool) {
	if n := c.quirks.words.omitted(end); n > 0 {
		c.log(callbacks.Warn, fmt.Sprintf("the server says too much: %d of its words and refusals were left out", n))
	}
}
