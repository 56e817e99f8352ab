package imapclient

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// ByeError is a session that the server ended by BYE (RFC 9051 section 7.1.5). It
// is ErrClosed, and ErrTemporary or ErrExpired as far as the server says why.
type ByeError struct {
	Code string // response code without brackets, or empty
	Text string // the server's words

	wait time.Duration // asked for before
}

func (e *ByeError) Error() string {
	s := bare(ErrClosed) + ": server said BYE"
	if e.Code != "" {
		s += " [" + e.Code + "]"
	}
	return strings.TrimSpace(packageName + s + " " + e.Text)
}

func (e *ByeError) Unwrap() error { return ErrClosed }

// Is tells why, by the server's words.
func (e *ByeError) Is(target error) bool {
	return because(e.Code, e.Text, target) || e.wait > 0 && target == ErrTemporary
}

func (e *ByeError) backoff() time.Duration { return max(e.wait, suggested(e.Text)) }

func (e *ResponseError) backoff() time.Duration { return suggested(e.Text) }

// throttled is a session that ended otherwise, after the server had asked to be
// left alone: Microsoft's tells so in a BAD, and then hangs up.
type throttled struct {
	error
	wait time.Duration
}

func (t *throttled) Unwrap() error          { return t.error }
func (t *throttled) Is(target error) bool   { return target == ErrTemporary }
func (t *throttled) backoff() time.Duration { return t.wait }

// Backoff returns how long the server asked to be left alone, by any error of this
// package's: Microsoft's "Suggested Backoff Time: 299910 milliseconds" in a NO, BAD
// or BYE. 0: it did not. At most an hour.
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

// suggested reads a server's words.
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
