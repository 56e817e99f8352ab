package mailboxurl

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fblwatch/fblwatch/internal/nearest"
)

// c-client, the IMAP library of Pine and PHP, names a mailbox on a server
// {HOST:PORT/SWITCH/SWITCH=VALUE}FOLDER (its docs/naming.txt). Of its switches, ssl
// (TLS from the first octet), tls, notls, user, novalidate-cert and readonly have a
// meaning here. Without ssl, tls and notls, c-client does without TLS if the server
// has none; we use STARTTLS, as with tls.

// The errors name only switches of the lists below: another may be a password.
var (
	errNameForm    = errors.New("not of the form {HOST:PORT/imap/ssl/user=USER}FOLDER")
	errNameHost    = errors.New("names no valid host: {HOST:PORT/imap/ssl/user=USER}FOLDER")
	errNameUser    = errors.New("names no user; add /user=NAME before the }")
	errNameTwice   = errors.New("names a port, a user or a service twice")
	errNameQuote   = errors.New("has a \" without an end, or text after it")
	errNameService = errors.New("/service= is not imap: only IMAP mailboxes can be read")
	errNameSwitch  = errors.New("has a switch that is not known here")
	errNameRefused = errors.New("has a switch that is not supported")
	errNameClash   = errors.New("has switches that exclude each other")
)

// unsupported switches are c-client's, with what to do instead.
var unsupported = map[string]string{
	"pop": notIMAP, "pop3": notIMAP, "nntp": notIMAP, "smtp": notIMAP, "submit": notIMAP,
	"anonymous": "there is no anonymous login; name a /user",
	"authuser":  "nobody logs in for another here; name a /user",
	"debug":     "leave it out",
	"tryssl":    "it would do without TLS; name /ssl or /tls",
}

const notIMAP = "only IMAP mailboxes can be read"

var imapServices = []string{"imap", "imap2", "imap2bis", "imap4", "imap4rev1"}

// switches are the flags of a name. norsh (no rsh login) and loser (patience with
// old servers) change nothing.
var switches = []string{
	"ssl", "tls", "tls-sslv23", "notls", "secure", "validate-cert", "novalidate-cert", "readonly", "norsh", "loser",
}

// parseName reads a c-client mailbox name.
func parseName(name string) (URL, error) {
	inner, opened := strings.CutPrefix(name, "{")
	inner, folder, closed := strings.Cut(inner, "}")
	if !opened || !closed {
		return URL{}, errNameForm
	}
	if strings.ContainsFunc(name, isControl) {
		return URL{}, errURLControl
	}
	end := strings.IndexAny(inner, "/:")
	if strings.HasPrefix(inner, "[") {
		end = strings.IndexByte(inner, ']') + 1
	} else if end < 0 {
		end = len(inner)
	}
	host, _, err := hostPort(inner[:end], 1)
	if err != nil || strings.Contains(host, "@") {
		return URL{}, errNameHost
	}
	n := nameReader{rest: inner[end:], set: make(map[string]bool)}
	for n.rest != "" {
		if err := n.next(); err != nil {
			return URL{}, err
		}
	}
	return n.url(host, folder)
}

// nameReader reads the switches after the host.
type nameReader struct {
	rest string
	port int
	user string
	set  map[string]bool // the flags read so far, and "service" and "user"
}

func (n *nameReader) next() error {
	delimiter, rest := n.rest[0], n.rest[1:]
	end := strings.IndexAny(rest, "/:=")
	if end < 0 {
		end = len(rest)
	}
	word := strings.ToLower(rest[:end])
	n.rest = rest[end:]
	switch {
	case delimiter == ':':
		return n.setPort(word)
	case delimiter != '/':
		return errNameForm
	case strings.HasPrefix(n.rest, "="):
		value, err := n.value()
		if err != nil {
			return err
		}
		return n.assign(word, value)
	}
	return n.flag(word)
}

func (n *nameReader) setPort(digits string) error {
	port, err := strconv.ParseUint(digits, 10, 16)
	switch {
	case err != nil || port == 0:
		return errURLPort
	case n.port != 0:
		return errNameTwice
	}
	n.port = int(port)
	return nil
}

// value takes the text after an equals sign: up to the next / or :, or in
// quotation marks, where \ quotes a character.
func (n *nameReader) value() (string, error) {
	rest := n.rest[1:]
	if !strings.HasPrefix(rest, `"`) {
		end := strings.IndexAny(rest, "/:")
		if end < 0 {
			end = len(rest)
		}
		n.rest = rest[end:]
		return rest[:end], nil
	}
	var value strings.Builder
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '"':
			if n.rest = rest[i+1:]; n.rest != "" && n.rest[0] != '/' && n.rest[0] != ':' {
				return "", errNameQuote
			}
			return value.String(), nil
		case '\\':
			if i++; i == len(rest) {
				return "", errNameQuote
			}
		}
		value.WriteByte(rest[i])
	}
	return "", errNameQuote
}

func (n *nameReader) assign(name, value string) error {
	switch {
	case name == "user" && n.set[name]:
		return errNameTwice
	case name == "user":
		n.user, n.set[name] = value, true
		return nil
	case name == "service" && slices.Contains(imapServices, strings.ToLower(value)):
		return n.service()
	case name == "service":
		return errNameService
	}
	return unknownSwitch(name)
}

func (n *nameReader) service() error {
	if n.set["service"] {
		return errNameTwice
	}
	n.set["service"] = true
	return nil
}

func (n *nameReader) flag(name string) error {
	switch {
	case slices.Contains(imapServices, name):
		return n.service()
	case slices.Contains(switches, name):
		n.set[name] = true
		return nil
	}
	return unknownSwitch(name)
}

func unknownSwitch(name string) error {
	if instead, known := unsupported[name]; known {
		return fmt.Errorf("%w: /%s: %s", errNameRefused, name, instead)
	}
	if near := nearest.Word(name, slices.Concat(imapServices, switches, []string{"user", "service"})); near != "" {
		return fmt.Errorf("%w; is /%s meant?", errNameSwitch, near)
	}
	return fmt.Errorf("%w; known are /user=NAME, /imap, /%s", errNameSwitch, strings.Join(switches, ", /"))
}

func (n *nameReader) url(host, folder string) (URL, error) {
	for _, clash := range [][2]string{{"tls", "notls"}, {"tls-sslv23", "notls"}, {"validate-cert", "novalidate-cert"}} {
		if n.set[clash[0]] && n.set[clash[1]] {
			return URL{}, fmt.Errorf("%w: /%s and /%s", errNameClash, clash[0], clash[1])
		}
	}
	u := URL{
		Scheme: "imap+starttls", User: n.user, Host: host, Folder: folder,
		NoValidate: n.set["novalidate-cert"], ReadOnly: n.set["readonly"],
	}
	switch {
	case n.set["ssl"]:
		u.Scheme = "imaps"
	case n.set["notls"] && n.set["secure"]: // no password in clear
		return URL{}, fmt.Errorf("%w: /notls and /secure", errNameClash)
	case n.set["notls"]:
		u.Scheme = "imap"
	}
	if u.User == "" {
		return URL{}, errNameUser
	}
	if u.Port = n.port; u.Port == 0 {
		u.Port = imapPorts[u.Scheme]
	}
	return u, nil
}
