package imapclient

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

var (
	// ErrLocked: a Handler, or the loop over Fetch, called back into its Client.
	ErrLocked = errors.New("imapclient: the session is locked: called from a Handler or from within Fetch")
	// ErrClosed: the session is over.
	ErrClosed = errors.New("imapclient: session closed")
	// ErrNoSTARTTLS: the server does not offer STARTTLS, or somebody on the way
	// took the offer out.
	ErrNoSTARTTLS = errors.New("imapclient: the server does not offer STARTTLS")
	// ErrInjected: there were octets behind the server's answer to STARTTLS,
	// which only an attacker sends (CVE-2011-0411).
	ErrInjected = errors.New("imapclient: unencrypted data behind the answer to STARTTLS")
	// ErrInsecure: a password would have gone over the network in clear.
	ErrInsecure = errors.New("imapclient: refusing to log in without TLS to a host that is not loopback")
	// ErrProtocol: the server sent what no IMAP server may send.
	ErrProtocol = errors.New("imapclient: protocol error")
	// ErrNoIdle: the server refused IDLE.
	ErrNoIdle = errors.New("imapclient: the server refused IDLE")
	// ErrUIDValidity: UIDVALIDITY changed under an open mailbox, or is missing.
	ErrUIDValidity = errors.New("imapclient: UIDVALIDITY changed or missing")
)

// ResponseError is a tagged NO or BAD, or a BYE where an answer was due (RFC
// 9051 section 7.1).
type ResponseError struct {
	Command string // e.g. "EXAMINE"
	Status  string // NO, BAD or BYE
	Code    string // response code without brackets, or empty
	Text    string // the server's words
}

func (e *ResponseError) Error() string {
	s := fmt.Sprintf("imapclient: %s: server said %s", e.Command, e.Status)
	if e.Code != "" {
		s += " [" + e.Code + "]"
	}
	return s + " " + e.Text
}

// AuthError is a refused login; it wraps the server's ResponseError.
type AuthError struct {
	Username string
	Err      error
}

func (e *AuthError) Error() string {
	return fmt.Sprintf("imapclient: login of %q refused: %s", e.Username, bare(e.Err))
}

func (e *AuthError) Unwrap() error { return e.Err }

// TimeoutError is a wait that reached its deadline. The session is closed.
type TimeoutError struct {
	Wait  string // what was waited for
	After time.Duration
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("imapclient: no %s within %v", e.Wait, e.After)
}

// Timeout makes it a net.Error in spirit.
func (e *TimeoutError) Timeout() bool { return true }

// FetchError is a session that ended while a mail was on the wire.
type FetchError struct {
	UID uint32
	Err error
}

func (e *FetchError) Error() string {
	return fmt.Sprintf("imapclient: at mail UID %d: %s", e.UID, bare(e.Err))
}

func (e *FetchError) Unwrap() error { return e.Err }

const packageName = "imapclient: "

// ours tells an error that is complete as it stands.
func ours(err error) bool { return strings.HasPrefix(err.Error(), packageName) }

// bare is an error's text for use within another of ours.
func bare(err error) string { return strings.TrimPrefix(err.Error(), packageName) }
