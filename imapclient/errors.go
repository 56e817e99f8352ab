package imapclient

import (
	"errors"
	"fmt"
	"slices"
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
	// ErrTLSPort: the server speaks TLS from the first octet, and Options.Security
	// is another.
	ErrTLSPort = errors.New("imapclient: this port is for TLS from the first octet on")
	// ErrInsecure: a password would have gone over the network in clear, or to
	// a server that nobody verifies.
	ErrInsecure = errors.New("imapclient: refusing to log in without verified TLS to a host that is not loopback")
	// ErrPin: the server's certificate is not the one of Options.Pin.
	ErrPin = errors.New("imapclient: the server's certificate is not the pinned one")
	// ErrNoMechanism: the server offers no way to log in by the credentials
	// there are.
	ErrNoMechanism = errors.New("imapclient: the server offers no way to log in with these credentials")
	// ErrExpired: an access token, or by [EXPIRED] (RFC 5530) a password, is no
	// longer valid. Only what the server says so of: Microsoft refuses an
	// expired token without a reason.
	ErrExpired = errors.New("imapclient: the credentials have expired")
	// ErrTemporary: the server cannot now, which is nobody's fault here: try
	// again later.
	ErrTemporary = errors.New("imapclient: the server is unavailable for now")
	// ErrProtocol: the server sent what no IMAP server may send.
	ErrProtocol = errors.New("imapclient: protocol error")
	// ErrNoQuota: the server does not offer QUOTA (RFC 2087).
	ErrNoQuota = errors.New("imapclient: the server tells no quota")
	// ErrNoNotify: the server does not offer NOTIFY (RFC 5465), or not for so
	// many mailboxes.
	ErrNoNotify = errors.New("imapclient: the server does not tell of other mailboxes")
	// ErrNoIdle: the server refused IDLE.
	ErrNoIdle = errors.New("imapclient: the server refused IDLE")
	// ErrReadOnly: the mailbox was opened by Examine, or the server allows no
	// changes in it.
	ErrReadOnly = errors.New("imapclient: the mailbox is read-only")
	// ErrNoFlag: the mailbox would forget the flag with the session.
	ErrNoFlag = errors.New("imapclient: the mailbox does not keep this flag")
	// ErrNoMove: the server does not offer MOVE (RFC 6851).
	ErrNoMove = errors.New("imapclient: the server does not offer MOVE")
	// ErrNoUIDPlus: the server does not offer UIDPLUS (RFC 4315), without which
	// an EXPUNGE removes other people's messages too.
	ErrNoUIDPlus = errors.New("imapclient: the server does not offer UIDPLUS, so that no message can be removed alone")
	// ErrUID: the mailbox has messages whose UIDs are beyond 32 bits, the most
	// there may be (RFC 9051 section 2.3.1.1). No command can name them.
	ErrUID = errors.New("imapclient: UID beyond 32 bits")
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

// Is makes it ErrExpired or ErrTemporary, as far as the server says why.
func (e *ResponseError) Is(target error) bool { return because(e.Code, e.Text, target) }

// is tells whether the response code is this one.
func (e *ResponseError) is(code string) bool {
	word, _, _ := strings.Cut(e.Code, " ")
	return strings.EqualFold(word, code)
}

// because tells whether the server's words mean target.
func because(code, text string, target error) bool {
	code, _, _ = strings.Cut(strings.ToUpper(code), " ")
	switch target {
	case ErrExpired:
		return code == "EXPIRED" || strings.Contains(text, "AccessTokenExpired") // Microsoft
	case ErrTemporary:
		switch code {
		case "UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG": // RFC 5530 section 3
			return true
		}
		return strings.Contains(text, backoffText) || isCrowded(text) // Microsoft
	}
	return false
}

// crowded is what servers say instead of a response code: the account or the
// server has too many connections, or is not up to it now. No word of it speaks
// of the password.
var crowded = []string{
	"too many simultaneous connections", // Google
	"too many connections",              // Zimbra, Courier, WildDuck
	"too many concurrent",
	"too many open connections",
	"too many open sessions",
	"too many sessions",
	"too many clients",
	"maximum number of connections", // Dovecot
	"maximum connections",
	"connection limit",
	"connections limit",
	"connection count exceeded",
	"session limit",
	"authenticated but not connected", // Microsoft: over its limit of connections
	"rate limit",                      // Yahoo
	"server is busy",
	"server busy",
	"server too busy",
	"server unavailable", // Exchange
	"system busy",
	"temporarily unavailable",
	"temporary authentication failure", // Dovecot
	"temporary failure",
	"temporary error",
	"service not available",
}

func isCrowded(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(crowded, func(words string) bool { return strings.Contains(text, words) })
}

// AuthError is a refused login; it wraps the server's ResponseError. It is
// ErrTemporary where the server cannot tell now, ErrExpired where a new token is
// wanted; otherwise user name, password or token are wrong.
type AuthError struct {
	Username   string
	Mechanism  string // SASL name
	TokenError string // what the server said of a token (RFC 7628 section 3.2.2), e.g. "status 401"
	Err        error

	expired bool
}

func (e *AuthError) Error() string {
	s := fmt.Sprintf("imapclient: login of %q refused: %s", e.Username, bare(e.Err))
	if e.TokenError != "" {
		s += "; of the token: " + e.TokenError
	}
	return s
}

func (e *AuthError) Unwrap() error { return e.Err }

// Is makes it ErrExpired, unless it is ErrTemporary.
func (e *AuthError) Is(target error) bool {
	return target == ErrExpired && e.expired && !errors.Is(e.Err, ErrTemporary)
}

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

// FetchError is a session that ended while a message was on the wire.
type FetchError struct {
	UID    uint32
	Octets int64 // of its body that had come
	Err    error
}

func (e *FetchError) Error() string {
	return fmt.Sprintf("imapclient: at message UID %d: %s", e.UID, bare(e.Err))
}

func (e *FetchError) Unwrap() error { return e.Err }

const packageName = "imapclient: "

// ours tells an error that is complete as it stands.
func ours(err error) bool { return strings.HasPrefix(err.Error(), packageName) }

// bare is an error's text for use within another of ours.
func bare(err error) string { return strings.TrimPrefix(err.Error(), packageName) }
