package imapclient

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The causes of errors, for errors.Is.
var (
	// ErrLocked: a Handler, or the loop over a Fetch, called a method of its own
	// Client. The method did nothing.
	ErrLocked = errors.New("imapclient: the session is locked: called from a Handler or from within Fetch")
	// ErrClosed: the session is over, because of Close, Logout, a *ByeError, or a
	// loop over a Fetch that was left.
	ErrClosed = errors.New("imapclient: session closed")
	// ErrNoSTARTTLS: the server does not offer STARTTLS, or an attacker removed
	// the offer. From Dial.
	ErrNoSTARTTLS = errors.New("imapclient: the server does not offer STARTTLS")
	// ErrInjected: data followed the answer to STARTTLS without encryption. Only
	// an attacker sends that (CVE-2011-0411). From Dial.
	ErrInjected = errors.New("imapclient: unencrypted data after the answer to STARTTLS")
	// ErrTLSPort: the port is for TLS from the first octet, and Options.Security
	// is not ImplicitTLS. From Dial.
	ErrTLSPort = errors.New("imapclient: this port is for TLS from the first octet on")
	// ErrInsecure: the login would go over the network unencrypted, or to a
	// server that is not verified. No credential was sent. From Dial.
	ErrInsecure = errors.New("imapclient: refusing to log in without verified TLS to a host that is not loopback")
	// ErrPin: the server's certificate does not match Options.Pin. From Dial.
	ErrPin = errors.New("imapclient: the server's certificate is not the pinned one")
	// ErrNoMechanism: the server offers no way to log in with these Credentials.
	// From Dial.
	ErrNoMechanism = errors.New("imapclient: the server offers no way to log in with these credentials")
	// ErrExpired: the access token, or with [EXPIRED] (RFC 5530 section 3) the
	// password, is no longer valid. Get another one. Microsoft refuses an expired
	// token without a reason: that is an *AuthError only.
	ErrExpired = errors.New("imapclient: the credentials have expired")
	// ErrTemporary: the server cannot do it now. Try again later, after Backoff.
	// It says so by a response code (UNAVAILABLE, INUSE, LIMIT, SERVERBUG: RFC
	// 5530 section 3) or by known words.
	ErrTemporary = errors.New("imapclient: the server is unavailable for now")
	// ErrProtocol: the server sent what RFC 9051 does not allow, or more than
	// any honest server sends. The session is over.
	ErrProtocol = errors.New("imapclient: protocol error")
	// ErrNoQuota: the server does not offer QUOTA (RFC 2087).
	ErrNoQuota = errors.New("imapclient: the server does not support QUOTA")
	// ErrNoNotify: the server does not offer NOTIFY (RFC 5465), refuses it for
	// these mailboxes, or has stopped it.
	ErrNoNotify = errors.New("imapclient: the server does not report other mailboxes")
	// ErrNoIdle: the server refused IDLE (RFC 2177).
	ErrNoIdle = errors.New("imapclient: the server refused IDLE")
	// ErrReadOnly: the mailbox was opened by Examine, or the server allows no
	// changes in it (RFC 9051 section 7.1, READ-ONLY).
	ErrReadOnly = errors.New("imapclient: the mailbox is read-only")
	// ErrNoFlag: the mailbox would lose the flag at the end of the session (RFC
	// 9051 section 7.1, PERMANENTFLAGS).
	ErrNoFlag = errors.New("imapclient: the mailbox does not keep this flag")
	// ErrNoMove: the server does not offer MOVE (RFC 6851).
	ErrNoMove = errors.New("imapclient: the server does not offer MOVE")
	// ErrNoUIDPlus: the server does not offer UIDPLUS (RFC 4315). Its EXPUNGE
	// would also remove the messages that other clients have marked.
	ErrNoUIDPlus = errors.New("imapclient: the server does not offer UIDPLUS, so that no message can be removed alone")
	// ErrUID: the mailbox has messages with a UID over 32 bits (RFC 9051 section
	// 2.3.1.1). No command can name them. The other messages are returned.
	ErrUID = errors.New("imapclient: UID over 32 bits")
	// ErrUIDValidity: UIDVALIDITY (RFC 9051 section 2.3.1.1) changed while the
	// mailbox was open, and the session is over; or the mailbox has none, and the
	// session goes on.
	ErrUIDValidity = errors.New("imapclient: UIDVALIDITY changed or missing")
)

// ResponseError is the server's refusal of a command: a tagged NO or BAD, or a BYE
// as greeting (RFC 9051 section 7.1). The session goes on, except after a BYE. It
// is ErrExpired or ErrTemporary if the server says so.
type ResponseError struct {
	Command string // such as "EXAMINE"; "login" for a login, "greeting" for the greeting
	Status  string // NO, BAD or BYE
	Code    string // response code with its arguments, without brackets; or empty
	Text    string // the server's words, without control characters
}

func (e *ResponseError) Error() string {
	s := fmt.Sprintf("imapclient: %s: server said %s", e.Command, e.Status)
	if e.Code != "" {
		s += " [" + e.Code + "]"
	}
	return s + " " + e.Text
}

// Is reports whether the server's words mean target, which is ErrExpired or
// ErrTemporary.
func (e *ResponseError) Is(target error) bool { return because(e.Code, e.Text, target) }

// is reports whether the response code is code.
func (e *ResponseError) is(code string) bool {
	word, _, _ := strings.Cut(e.Code, " ")
	return strings.EqualFold(word, code)
}

// because reports whether the server's words mean target.
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

// crowded are the words of servers that give no response code: the account or the
// server has too many connections, or is busy. None of them is about the password.
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

// AuthError is a refused login. It is ErrTemporary if the server cannot check the
// login now, and ErrExpired if the server wants a new token. Otherwise the user
// name, password or token is wrong. It never holds a secret.
type AuthError struct {
	Username   string
	Mechanism  string // SASL name, such as "PLAIN"
	TokenError string // the server's reason to refuse a token (RFC 7628 section 3.2.2), such as "status 401"; or empty
	Err        error  // the server's *ResponseError

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

// Is reports whether target is ErrExpired and the token has expired. A temporary
// refusal is not ErrExpired.
func (e *AuthError) Is(target error) bool {
	return target == ErrExpired && e.expired && !errors.Is(e.Err, ErrTemporary)
}

// TimeoutError is a wait over its limit, see [Timeouts]. The session is over.
type TimeoutError struct {
	Wait  string        // what did not come, such as "answer to EXAMINE"
	After time.Duration // the limit
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("imapclient: no %s within %v", e.Wait, e.After)
}

// Timeout returns true, as for a net.Error.
func (e *TimeoutError) Timeout() bool { return true }

// FetchError is the end of a session in the middle of a message's body.
type FetchError struct {
	UID    uint32 // the message
	Octets int64  // received of its body
	Err    error  // why the session ended
}

func (e *FetchError) Error() string {
	return fmt.Sprintf("imapclient: at message UID %d: %s", e.UID, bare(e.Err))
}

func (e *FetchError) Unwrap() error { return e.Err }

const packageName = "imapclient: "

// ours reports whether the text of err has the package's prefix.
func ours(err error) bool { return strings.HasPrefix(err.Error(), packageName) }

// bare is the text of err without the package's prefix.
func bare(err error) string { return strings.TrimPrefix(err.Error(), packageName) }
