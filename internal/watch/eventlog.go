package watch

import (
	"slices"
	"sync"

	"github.com/fblwatch/fblwatch/callbacks"
)

// heldErrors bounds the errors that are held back: a server may send any number.
const heldErrors = 16

// eventLog logs the events of one lane, but for errors that are logged or returned
// elsewhere: a sweep returns all, and a watch logs itself why a session could not be
// opened, with when it tries again.
type eventLog struct {
	callbacks.Handler
	once bool

	mu      sync.Mutex
	dialing bool
	held    []string // errors while a session is being opened
}

func (e *eventLog) Log(l callbacks.Level, text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case l != callbacks.Error:
		e.Handler.Log(l, text)
	case e.once:
	case e.dialing:
		if len(e.held) == heldErrors { // the error of Dial is the last one
			e.Handler.Log(callbacks.Error, e.held[0])
			e.held = e.held[1:]
		}
		e.held = append(e.held, text)
	default:
		e.Handler.Log(l, text)
	}
}

// dial begins the opening of a session. opened ends it by the error of Dial: the other
// errors since then are of commands without which the session does.
func (e *eventLog) dial() (opened func(error)) {
	if e == nil {
		return func(error) {}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dialing = true
	return func(err error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.dialing = false
		if err != nil {
			e.held = slices.DeleteFunc(e.held, func(text string) bool { return text == err.Error() })
		}
		for _, text := range e.held {
			e.Handler.Log(callbacks.Error, text)
		}
		e.held = nil
	}
}
