package main

import (
	"errors"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // wrong usage or config
)

// advice is an error that knows what the reader can do about it, and the code
// the program exits with.
type advice struct {
	err  error
	hint string
	code int
}

func (a *advice) Error() string { return a.err.Error() }
func (a *advice) Unwrap() error { return a.err }
func (a *advice) Hint() string  { return a.hint }

// wrong marks err as wrong usage or config.
func wrong(err error, hint string) error { return &advice{err, hint, exitUsage} }

// failed gives err a hint.
func failed(err error, hint string) error { return &advice{err, hint, exitFailed} }

// hintFor returns what to do about err, or "".
func hintFor(err error) string {
	if advised := interface{ Hint() string }(nil); errors.As(err, &advised) {
		return advised.Hint()
	}
	return sessionHint(err)
}
