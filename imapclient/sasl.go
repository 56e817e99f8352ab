package imapclient

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-sasl"
)

// saslClient is the client's side of a mechanism.
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

// loginClient is the LOGIN mechanism. That of go-sasl expects one wording of the
// server's questions, but servers differ.
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

// sasl is AUTHENTICATE (RFC 9051 section 6.2.2), with an initial response if the
// server accepts one (RFC 4959).
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
