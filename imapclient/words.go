package imapclient

import (
	"sync"
	"time"
)

// Limits of the texts that a Handler receives from a server: wordsMost at once and
// one more each wordsEvery; quietMost a command of those with level Info. The rest
// is counted.
const (
	wordsMost  = 30
	wordsEvery = 10 * time.Second
	quietMost  = 100
)

// words limits the texts of one server over all its sessions.
type words struct {
	mu   sync.Mutex
	paid time.Time // end of the time that the passed texts use up
	left int       // omitted texts
}

// pass reports whether the Handler receives one more text.
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

// omit counts an omitted text.
func (w *words) omit() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left++
}

// omitted returns how many texts were omitted since the last call that did not return
// 0. It returns 0 if that is too recent.
func (w *words) omitted(end bool) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if end || time.Until(w.paid) < (wordsMost-1)*wordsEvery {
		n, w.left = w.left, 0
	}
	return n
}
