package imapclient

import (
	"sync"
	"time"
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
