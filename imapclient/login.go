package imapclient

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-sasl"

	"github.com/fblwatch/fblwatch/callbacks"
)

const maxTrials = 10 // connections for one login

// trial asks for credentials, unless cred has them, and makes one trial. The offered
// mechanisms are kept for the next.
func (s *setup) trial(ctx context.Context) error {
	if len(s.caps) == 0 {
		if err := s.capability(); err != nil {
			return err
		}
	}
	offered := maps.Clone(s.caps) // the login changes them
	s.challenge.Mechanisms = nil
	for name := range offered {
		if m, ok := strings.CutPrefix(name, "AUTH="); ok {
			s.challenge.Mechanisms = append(s.challenge.Mechanisms, m)
		}
	}
	slices.Sort(s.challenge.Mechanisms)
	if s.cred == nil {
		if err := s.ask(ctx); err != nil {
			return err
		}
	}
	cred := *s.cred
	s.cred = nil
	s.veil.hide(cred.Password)
	s.veil.hide(cred.Token)
	if err := s.authenticate(cred, offered); err != nil {
		return err
	}
	s.expires = cred.Expires
	s.Client.log(callbacks.Info, fmt.Sprintf("logged in as %q", cred.Username))
	if len(s.caps) == 0 {
		return s.capability()
	}
	return nil
}

// ask calls Options.Login for the next trial.
func (s *setup) ask(ctx context.Context) error {
	s.challenge.Trial++
	cred, err := s.opts.Login(ctx, s.challenge)
	s.cred = &cred
	return err
}

// authenticate makes one trial to log in. If the server does not understand the
// command, it tries other ways: without the initial response, which GreenMail needs,
// and at last a password by LOGIN. It never sends a refused password again.
func (s *setup) authenticate(cred Credentials, offered map[string]bool) error {
	name, err := mechanism(cred, offered)
	if err != nil {
		return err
	}
	clear(s.caps)
	s.cancelled = false
	ways := []string{name}
	switch {
	case name == sasl.Login && !offered["AUTH=LOGIN"] && cred.Mechanism == "":
		ways = []string{loginCommand}
	case (name == sasl.Plain || name == sasl.Login) && cred.Mechanism == "" && !offered["LOGINDISABLED"]:
		ways = append(ways, loginCommand)
	}
	if ways[0] != loginCommand && offered["SASL-IR"] {
		ways = append([]string{name + atOnce}, ways...)
	}
	if s.ways != nil {
		ways, s.ways = s.ways, nil
	}
	var refused error
	for i, way := range ways {
		st, client, err := s.tryWay(cred, way)
		switch {
		case err == nil || refused == nil:
		case errors.Is(err, errNotASCII):
			return refused // LOGIN cannot send it
		default: // the server closed after its BAD: try the other ways on another connection
			s.ways, s.cred = ways[i:], &cred
			return again{err}
		}
		if err != nil || st.kind == "OK" {
			return err
		}
		refused = s.refusal(cred, name, st, client)
		if s.cancelled || !notUnderstood(st) {
			break
		}
	}
	return refused
}

// again is the end of a connection although there are other ways to log in.
type again struct{ error }

func (a again) Unwrap() error { return a.error }

// The ways to log in, besides the names of mechanisms.
const (
	atOnce       = " at once" // after a mechanism: with an initial response (RFC 4959)
	loginCommand = "the LOGIN command"
)

// tryWay logs in by one way. client is that of the mechanism; nil: none.
func (s *setup) tryWay(cred Credentials, way string) (status, sasl.Client, error) {
	if way == loginCommand {
		st, err := s.loginCommand(cred)
		return st, nil, err
	}
	name, initial := strings.CutSuffix(way, atOnce)
	client, err := s.saslClient(name, cred)
	if err != nil {
		return status{}, nil, err
	}
	st, err := s.sasl(client, initial)
	return st, client, err
}

// refusal is a login that the server refused.
func (s *setup) refusal(cred Credentials, name string, st status, client sasl.Client) error {
	refused := &AuthError{
		Username: cred.Username, Mechanism: name,
		Err: st.responseError("login"),
	}
	if token, ok := client.(*tokenClient); ok {
		refused.TokenError = token.text
		refused.expired = token.refused() || !cred.Expires.IsZero() && time.Now().After(cred.Expires)
	}
	return refused
}

// notUnderstood reports whether the server refused the command, not the credentials.
func notUnderstood(st status) bool {
	if st.code != "" || because(st.code, st.text, ErrTemporary) || because(st.code, st.text, ErrExpired) {
		return false
	}
	return st.kind == "BAD" || strings.Contains(strings.ToLower(st.text), "mechanism")
}

var errNotASCII = errors.New("imapclient: the server takes user names and passwords in ASCII only")

// loginCommand is LOGIN (RFC 9051 section 6.2.3).
func (s *setup) loginCommand(cred Credentials) (status, error) {
	user, pass := cred.Username, cred.Password.Reveal()
	for _, c := range []byte(user + pass) {
		if c < ' ' || c >= 0x7f {
			return status{}, errNotASCII
		}
	}
	line := fmt.Sprintf("LOGIN %s %s", quote([]byte(user)), quote([]byte(pass)))
	return s.command(line, fmt.Sprintf("LOGIN %s %s", quote([]byte(user)), hidden), nil)
}

// The mechanisms for each kind of credentials, the best first. LOGIN means the SASL
// mechanism, or the command if the server does not offer that.
var (
	byToken       = []string{sasl.OAuthBearer, xoauth2}
	byPassword    = []string{sasl.Plain, sasl.Login}
	byCertificate = []string{sasl.External}
)

// mechanism chooses how to log in: cred.Mechanism, or the best that the server offers
// for these credentials.
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
