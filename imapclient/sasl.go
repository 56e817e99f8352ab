package imapclient

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
)

// mechanisms are what a Client can log in by, each kind of credentials' best
// first. LOGIN is the SASL mechanism, or the command where that is not offered.
var (
	byToken       = []string{sasl.OAuthBearer, xoauth2}
	byPassword    = []string{sasl.Plain, sasl.Login}
	byCertificate = []string{sasl.External}
)

// mechanism chooses how to log in: as cred says, or the best that the server
// offers for what is in cred.
func mechanism(cred Credentials, offered map[string]bool) (string, error) {
	if cred.Mechanism != "" {
		return strings.ToUpper(cred.Mechanism), nil
	}
	var have []string
	if cred.Token != "" {
		have = append(have, byToken...)
	}
	if cred.Password != "" {
		have = append(have, byPassword...)
	}
	if len(have) == 0 {
		have = byCertificate
	}
	for _, name := range have {
		if offered["AUTH="+name] {
			return name, nil
		}
	}
	switch {
	case cred.Password == "":
		return "", fmt.Errorf("%w: it wants none of %s", ErrNoMechanism, strings.Join(have, ", "))
	case offered["LOGINDISABLED"]:
		return "", fmt.Errorf("%w: it allows no login by password here (LOGINDISABLED)", ErrNoMechanism)
	}
	return sasl.Login, nil
}

// saslClient speaks the client's side of a mechanism.
func (s *setup) saslClient(name string, cred Credentials) (sasl.Client, error) {
	user, pass, token := cred.Username, cred.Password.Reveal(), cred.Token.Reveal()
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	if strings.ContainsFunc(user, control) || strings.Contains(pass, "\x00") || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, errors.New("imapclient: the user name, password or token has characters that it cannot have")
	}
	switch name {
	case sasl.Plain:
		return sasl.NewPlainClient("", user, pass), nil
	case sasl.Login:
		return &loginClient{user, pass, false}, nil
	case sasl.External:
		return sasl.NewExternalClient(user), nil
	case sasl.OAuthBearer:
		return newBearerClient(user, token, s.opts.Host, s.opts.port()), nil
	case xoauth2:
		return newXOAUTH2Client(user, token), nil
	}
	return nil, fmt.Errorf("%w: this client does not know %s", ErrNoMechanism, clean(name))
}

// loginClient is the LOGIN mechanism. go-sasl's insists on one wording of the
// server's questions; they differ, user and password do not.
type loginClient struct {
	user, pass string
	asked      bool
}

func (l *loginClient) Start() (string, []byte, error) { return sasl.Login, []byte(l.user), nil }

func (l *loginClient) Next([]byte) ([]byte, error) {
	if l.asked {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	l.asked = true
	return []byte(l.pass), nil
}

// authenticate makes one trial to log in.
func (s *setup) authenticate(cred Credentials, offered map[string]bool) error {
	name, err := mechanism(cred, offered)
	if err != nil {
		return err
	}
	client, err := s.saslClient(name, cred)
	if err != nil {
		return err
	}
	clear(s.caps)
	var st status
	if name == sasl.Login && !offered["AUTH=LOGIN"] {
		st, err = s.loginCommand(cred)
	} else {
		st, err = s.sasl(client, offered["SASL-IR"])
	}
	if err != nil || st.kind == "OK" {
		return err
	}
	refused := &AuthError{
		Username: cred.Username, Mechanism: name,
		Err: &ResponseError{Command: "login", Status: st.kind, Code: st.code, Text: st.text},
	}
	if token, ok := client.(*tokenClient); ok {
		refused.TokenError = token.text
		refused.expired = token.refused() || !cred.Expires.IsZero() && time.Now().After(cred.Expires)
	}
	return refused
}

// loginCommand is LOGIN (RFC 9051 section 6.2.3).
func (s *setup) loginCommand(cred Credentials) (status, error) {
	user, pass := cred.Username, cred.Password.Reveal()
	for _, c := range []byte(user + pass) {
		if c < ' ' || c >= 0x7f {
			return status{}, errors.New("imapclient: the server takes user names and passwords in ASCII only")
		}
	}
	line := fmt.Sprintf("LOGIN %s %s", quote([]byte(user)), quote([]byte(pass)))
	return s.command(line, fmt.Sprintf("LOGIN %s %s", quote([]byte(user)), hidden), nil)
}

// sasl is AUTHENTICATE (RFC 9051 section 6.2.2), with an initial response where
// the server takes one (RFC 4959).
func (s *setup) sasl(client sasl.Client, saslIR bool) (status, error) {
	name, first, err := client.Start()
	if err != nil {
		return status{}, err
	}
	line := "AUTHENTICATE " + name
	if !saslIR {
		started := false
		return s.command(line, line, func(challenge []byte) ([]byte, error) {
			if !started {
				started = true
				return first, nil
			}
			return client.Next(challenge)
		})
	}
	initial := base64.StdEncoding.EncodeToString(first)
	if initial == "" {
		initial = "=" // RFC 4959 section 3
	}
	return s.command(line+" "+initial, line+" "+hidden, client.Next)
}

// answer answers a "+" line.
func (s *setup) answer(line []byte, next func([]byte) ([]byte, error)) error {
	text := strings.TrimPrefix(strings.TrimPrefix(string(line), "+"), " ")
	challenge, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		challenge = []byte(text)
	}
	response, err := next(challenge)
	if err != nil {
		return s.wire.send("*", "*") // cancels, RFC 9051 section 6.2.2
	}
	return s.wire.send(base64.StdEncoding.EncodeToString(response), hidden)
}
