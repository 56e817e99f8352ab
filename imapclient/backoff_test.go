package imapclient_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

func TestBackoffText(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"Request is throttled. Suggested Backoff Time: 299910 milliseconds":      299910 * time.Millisecond,
		"Request is throttled. Suggested Backoff Time: 1 milliseconds. And more": time.Millisecond,
		"Suggested Backoff Time: 0 milliseconds":                                 0,
		"Suggested Backoff Time: 3600001 milliseconds":                           time.Hour,
		"Suggested Backoff Time: 99999999999999999999999999 milliseconds":        time.Hour,
		"Suggested Backoff Time: -5 milliseconds":                                0,
		"Suggested Backoff Time: 5 fortnights":                                   0,
		"Suggested Backoff Time: 5":                                              0,
		"Suggested Backoff Time: ":                                               0,
		"Suggested Backoff Time:  milliseconds":                                  0,
		"":                                                                       0,
	} {
		for _, err := range []error{
			&imapclient.ResponseError{Command: "SELECT", Status: "NO", Text: text},
			&imapclient.AuthError{Username: "u", Err: &imapclient.ResponseError{Text: text}},
			&imapclient.ByeError{Text: text},
			fmt.Errorf("folder: %w", &imapclient.FetchError{UID: 1, Err: &imapclient.ByeError{Text: text}}),
		} {
			if got := imapclient.Backoff(err); got != want {
				t.Errorf("%T %q: %v, want %v", err, text, got, want)
			}
		}
	}
	for _, err := range []error{nil, errors.New("x"), imapclient.ErrClosed} {
		if got := imapclient.Backoff(err); got != 0 {
			t.Errorf("%v: %v", err, got)
		}
	}
}

// A server that is asked too much says so in more than one way, and may hang up.
func TestThrottled(t *testing.T) {
	const wait = 299910 * time.Millisecond
	const text = "Request is throttled. Suggested Backoff Time: 299910 milliseconds"
	for _, test := range []struct {
		name   string
		action imaptest.Action // in place of the answer to NOOP
		over   bool            // the session is
		bye    bool
	}{
		{"NO", imaptest.Action{Do: imaptest.Answer, Text: "NO " + text}, false, false},
		{"BAD", imaptest.Action{Do: imaptest.Answer, Text: "BAD " + text}, false, false},
		{"BYE", imaptest.Bye(text), true, true},
		{"BAD and BYE", imaptest.Action{Do: imaptest.Cut, Before: "T2 BAD " + text + "\r\n* BYE Connection closed. 14\r\n"}, true, true},
		{"BAD, and gone", imaptest.Action{Do: imaptest.Cut, Before: "T2 BAD " + text + "\r\n"}, true, false},
		{"an untagged NO, and gone", imaptest.Action{Do: imaptest.Cut, Before: "* NO " + text + "\r\n"}, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := imaptest.Filled(t, 1, nil)
				s.Hook = at(imaptest.Tagged, "NOOP", test.action)
				c := session(t, s, nil)
				err := c.Noop(t.Context())
				if test.over { // it may have come behind the answer
					synctest.Wait()
					err = c.Noop(t.Context())
				}
				if got := imapclient.Backoff(err); got != wait || !errors.Is(err, imapclient.ErrTemporary) {
					t.Errorf("%v: %v, temporary %v", err, got, errors.Is(err, imapclient.ErrTemporary))
				}
				var bye *imapclient.ByeError
				var no *imapclient.ResponseError
				if errors.As(err, &bye) != test.bye || test.bye && !errors.Is(err, imapclient.ErrClosed) || errors.As(err, &no) == test.over {
					t.Errorf("%#v", err)
				}
				if strings.Count(err.Error(), "imapclient: ") != 1 {
					t.Errorf("not one prefix in %q", err)
				}
			})
		})
	}
	// What was asked long ago is over.
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		s.Hook = at(imaptest.Tagged, "NOOP", imaptest.Action{Do: imaptest.Answer, Text: "NO " + text})
		c := session(t, s, nil)
		if err := c.Noop(t.Context()); imapclient.Backoff(err) != wait {
			t.Error(err)
		}
		time.Sleep(wait - time.Minute)
		s.Disconnect()
		synctest.Wait()
		if got := imapclient.Backoff(c.Noop(t.Context())); got != time.Minute {
			t.Errorf("a minute before its end: %v", got)
		}
		time.Sleep(time.Minute)
		if got := imapclient.Backoff(c.Noop(t.Context())); got != 0 {
			t.Errorf("at its end: %v", got)
		}
	})
}

// Why the server ended the session says when to come back.
func TestByeReasons(t *testing.T) {
	for _, test := range []struct {
		bye string
		is  error
	}{
		{"Session invalidated - AccessTokenExpired", imapclient.ErrExpired}, // Microsoft
		{"[UNAVAILABLE] going down", imapclient.ErrTemporary},
		{"[INUSE] locked", imapclient.ErrTemporary},
		{"[LIMIT] too many connections", imapclient.ErrTemporary},
		{"[EXPIRED] the password", imapclient.ErrExpired},
		{"so long", nil},
		{"[ALERT]", nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := imaptest.Filled(t, 1, nil)
			s.Hook = at(imaptest.Idling, "IDLE", imaptest.Bye(test.bye))
			c := session(t, s, nil)
			_, err := c.Idle(t.Context(), time.Hour)
			for _, why := range []error{imapclient.ErrExpired, imapclient.ErrTemporary} {
				if errors.Is(err, why) != (why == test.is) {
					t.Errorf("%v, is %v: %v", err, why, errors.Is(err, why))
				}
			}
			var bye *imapclient.ByeError
			if !errors.As(err, &bye) || !errors.Is(err, imapclient.ErrClosed) || !strings.HasSuffix(err.Error(), "session closed: server said BYE "+test.bye) {
				t.Errorf("%v", err)
			}
		})
	}
}
