package imapclient

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// ByeError is the end of a session by the server's BYE (RFC 9051 section 7.1.5). It
// is ErrClosed. It is also ErrTemporary or ErrExpired if the server says so.
type ByeError struct {
	Code string // response code with its arguments, without brackets; or empty
	Text string // the server's words, without control characters

	wait time.Duration // that the server asked for before
}

func (e *ByeError) Error() string {
	s := bare(ErrClosed) + ": server said BYE"
	if e.Code != "" {
		s += " [" + e.Code + "]"
	}
	return strings.TrimSpace(packageName + s + " " + e.Text)
}

func (e *ByeError) Unwrap() error { return ErrClosed }

// Is reports whether the server's words mean target, which is ErrExpired or
// ErrTemporary.
func (e *ByeError) Is(target error) bool {
	return because(e.Code, e.Text, target) || e.wait > 0 && target == ErrTemporary
}

func (e *ByeError) backoff() time.Duration { return max(e.wait, suggested(e.Text)) }

func (e *ResponseError) backoff() time.Duration { return suggested(e.Text) }

// throttled is the end of a session after the server asked for a pause: Microsoft
// does so in a BAD, and then closes the connection.
type throttled struct {
	error
	wait time.Duration
}

func (t *throttled) Unwrap() error          { return t.error }
func (t *throttled) Is(target error) bool   { return target == ErrTemporary }
func (t *throttled) backoff() time.Duration { return t.wait }

// Backoff returns the pause that the server asked for in an error of this package:
// Microsoft's "Suggested Backoff Time: 299910 milliseconds" in a NO, BAD or BYE. It
// is at most an hour, and 0 if the server did not ask.
func Backoff(err error) time.Duration {
	var asked interface{ backoff() time.Duration }
	for errors.As(err, &asked) {
		if wait := asked.backoff(); wait > 0 {
			return wait
		}
		if err = errors.Unwrap(asked.(error)); err == nil {
			break
		}
	}
	return 0
}

const (
	backoffText = "Suggested Backoff Time: "
	maxBackoff  = time.Hour
)

// suggested is the pause in a server's words, or 0.
func suggested(text string) time.Duration {
	_, rest, found := strings.Cut(text, backoffText)
	digits, _, _ := strings.Cut(rest, " ")
	if !found || !strings.HasPrefix(rest[len(digits):], " milliseconds") {
		return 0
	}
	ms, err := strconv.ParseUint(digits, 10, 63)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return time.Duration(min(ms, uint64(maxBackoff/time.Millisecond))) * time.Millisecond
}
