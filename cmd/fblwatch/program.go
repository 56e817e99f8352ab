package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/trust"
)

// program is what a command sees of the process around it.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(name string) (value string, set bool)
	resolver       trust.Resolver // of signatures' keys; nil: the system's
	configFile     string         // that was read with -c; empty: none
}

// colours reports whether a stream of the program takes colours.
func (p *program) colours(stream any) terminal.Colours { return terminal.ColoursOf(stream, p.env) }

// progress is a line on stderr; nil if records are printed on the same terminal.
func (p *program) progress(printing bool) *terminal.Progress {
	if printing && terminal.IsTerminal(p.stdout) {
		return nil
	}
	return terminal.NewProgress(p.stderr, p.env)
}

func (p *program) printError(err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") { // errors.Join makes lines
		fmt.Fprintf(p.stderr, "fblwatch: %s %s\n", p.colours(p.stderr).Failure("error:"), terminal.Printable(line))
	}
	if hint := hintFor(err); hint != "" {
		fmt.Fprintf(p.stderr, "fblwatch: hint: %s\n", hint)
	}
}

func (p *program) warn(text string) {
	fmt.Fprintf(p.stderr, "fblwatch: warning: %s\n", terminal.Printable(text))
}

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
