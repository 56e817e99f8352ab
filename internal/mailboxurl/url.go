// Package mailboxurl reads the names of mailboxes on servers: URLs (RFC 5092) and
// c-client mailbox names. No error holds a piece of the name: it may be a password.
package mailboxurl

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// MailboxURL says where a mailbox is: SCHEME://USER@HOST[:PORT][/FOLDER], after
// RFC 5092. USER may hold an @; percent-encoding is undone in USER and FOLDER. It
// may also be a c-client mailbox name.
type URL struct {
	Scheme string // "imaps", "imap+starttls" or "imap" (no encryption)
	User   string
	Host   string // no brackets around an IPv6 address
	Port   int    // 1 to 65535
	Folder string // "": the URL names none

	// Only a c-client name can set these.
	NoValidate bool // accept any certificate
	ReadOnly   bool // do not change the folder
}

var imapPorts = map[string]int{"imaps": 993, "imap+starttls": 143, "imap": 143}

// The errors never hold a piece of the URL: it may be a password.
var (
	errURLForm    = errors.New("not of the form imaps://USER@HOST/FOLDER")
	errURLScheme  = errors.New("must begin with imaps://, imap+starttls:// or imap://")
	ErrPassword   = errors.New("a password does not belong in a URL; use password_file, password_command or password: ${NAME}")
	errURLUser    = errors.New("names no user: imaps://USER@HOST/FOLDER")
	errURLHost    = errors.New("names no valid host: imaps://USER@HOST/FOLDER")
	errURLPort    = errors.New("has a port that is no number from 1 to 65535")
	errURLEscape  = errors.New("has a % that is not followed by two hexadecimal digits; write %25 for a %")
	errURLControl = errors.New("has a control character in it")
)

// UnmarshalText reads a URL or a c-client mailbox name.
func (u *URL) UnmarshalText(text []byte) error {
	if isName(string(text)) {
		named, err := parseName(string(text))
		if err == nil {
			*u = named
		}
		return err
	}
	scheme, rest, ok := strings.Cut(string(text), "://")
	if !ok {
		return errURLForm
	}
	scheme = strings.ToLower(scheme)
	defaultPort, ok := imapPorts[scheme]
	if !ok {
		return errURLScheme
	}
	authority, folder, _ := strings.Cut(rest, "/")
	at := strings.LastIndexByte(authority, '@')
	if strings.Contains(authority[:max(at, 0)], ":") {
		return ErrPassword
	}
	if at < 1 {
		return errURLUser
	}
	host, port, err := hostPort(authority[at+1:], defaultPort)
	if err != nil {
		return err
	}
	user, err := url.PathUnescape(authority[:at])
	if err != nil {
		return errURLEscape
	}
	if folder, err = url.PathUnescape(folder); err != nil {
		return errURLEscape
	}
	if strings.ContainsFunc(user+folder, isControl) {
		return errURLControl
	}
	*u = URL{Scheme: scheme, User: user, Host: host, Port: port, Folder: folder}
	return nil
}

// IsRemote reports whether s names a mailbox on a server, not a path: a c-client
// name, or a URL of any scheme.
func IsRemote(s string) bool { return isName(s) || isURL(s) }

var schemeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

func isURL(s string) bool { return schemeForm.MatchString(s) }

// isName reports whether s is a c-client mailbox name, not a URL or a path.
func isName(s string) bool { return strings.HasPrefix(s, "{") }

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func hostPort(s string, defaultPort int) (string, int, error) {
	host, port := s, ""
	if inner, found := strings.CutPrefix(s, "["); found {
		address, rest, closed := strings.Cut(inner, "]")
		if _, err := netip.ParseAddr(address); err != nil || !closed || rest != "" && rest[0] != ':' {
			return "", 0, errURLHost
		}
		host, port = address, strings.TrimPrefix(rest, ":")
	} else {
		host, port, _ = strings.Cut(s, ":")
		if host == "" || strings.ContainsFunc(host, notHost) {
			return "", 0, errURLHost
		}
	}
	if port == "" {
		return host, defaultPort, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", 0, errURLPort
	}
	return host, int(n), nil
}

// notHost is generous: the resolver refuses what is not a name.
func notHost(r rune) bool {
	return r <= ' ' || r == 0x7f || strings.ContainsRune(`%?#[]<>"\^{}|`, r)
}
