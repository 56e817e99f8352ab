package imapclient

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/callbacks"
)

// setup is the part of a session before go-imap: greeting, STARTTLS, login.
// It runs on the owner's goroutine and knows status lines, CAPABILITY and "+"
// only.
type setup struct {
	*Client
	wire *wire
	tags int
}

const maxTrials = 10 // of a login, whatever Options.Login says

func (s *setup) run(ctx context.Context) error {
	if s.opts.Security == ImplicitTLS {
		if err := s.wire.secure(ctx, s.opts.tlsConfig(), s.limits.Dial); err != nil {
			return err
		}
	}
	s.wire.armTotal("greeting", s.limits.Greeting)
	preauth, err := s.greeting()
	if err != nil {
		return err
	}
	if s.opts.Security == STARTTLS {
		if preauth { // the command is not allowed any more, RFC 9051 section 7.1.4
			return fmt.Errorf("%w: it greets with PREAUTH", ErrNoSTARTTLS)
		}
		if err := s.starttls(ctx); err != nil {
			return err
		}
	}
	if preauth {
		return s.capability()
	}
	if s.opts.Security == Plain && !s.opts.Insecure && !isLoopback(s.wire.raw) {
		return ErrInsecure
	}
	return s.login(ctx)
}

func (s *setup) greeting() (preauth bool, err error) {
	line, err := s.line()
	if err != nil {
		return false, err
	}
	rest, ok := bytes.CutPrefix(line, []byte("* "))
	st, isStatus := parseStatus(rest)
	if !ok || !isStatus {
		return false, fmt.Errorf("%w: greeting was %q: is this an IMAP server, and the right port for TLS or not?", ErrProtocol, excerpt(line))
	}
	s.untagged(rest)
	switch st.kind {
	case "OK":
		return false, nil
	case "PREAUTH":
		return true, nil
	}
	return false, &ResponseError{Command: "greeting", Status: st.kind, Code: st.code, Text: st.text}
}

func (s *setup) starttls(ctx context.Context) error {
	if len(s.caps) == 0 {
		if err := s.capability(); err != nil {
			return err
		}
	}
	if !s.Has("STARTTLS") {
		return ErrNoSTARTTLS
	}
	st, err := s.command("STARTTLS", "STARTTLS")
	if err != nil {
		return err
	}
	if st.kind != "OK" {
		return fmt.Errorf("%w: %s %s", ErrNoSTARTTLS, st.kind, st.text)
	}
	if s.wire.r.Buffered() > 0 {
		return ErrInjected
	}
	clear(s.caps) // what was said in clear counts for nothing
	return s.wire.secure(ctx, s.opts.tlsConfig(), s.limits.Dial)
}

func (s *setup) capability() error {
	clear(s.caps)
	st, err := s.command("CAPABILITY", "CAPABILITY")
	if err == nil && st.kind != "OK" {
		err = &ResponseError{Command: "CAPABILITY", Status: st.kind, Code: st.code, Text: st.text}
	}
	return err
}

func (s *setup) login(ctx context.Context) error {
	if len(s.caps) == 0 {
		if err := s.capability(); err != nil {
			return err
		}
	}
	offered := maps.Clone(s.caps) // of before the login: after it they change
	var mechanisms []string
	for name := range offered {
		if m, ok := strings.CutPrefix(name, "AUTH="); ok {
			mechanisms = append(mechanisms, m)
		}
	}
	slices.Sort(mechanisms)
	var last error
	for trial := 1; trial <= maxTrials; trial++ {
		cred, err := s.opts.Login(ctx, Challenge{Trial: trial, Mechanisms: mechanisms, Last: last})
		if err != nil {
			return err
		}
		clear(s.caps)
		st, err := s.authenticate(cred, offered)
		if err != nil {
			return err
		}
		if st.kind == "OK" {
			s.Client.log(callbacks.Info, fmt.Sprintf("logged in as %q", cred.Username))
			if len(s.caps) == 0 {
				return s.capability()
			}
			return nil
		}
		last = &AuthError{Username: cred.Username, Err: &ResponseError{Command: "login", Status: st.kind, Code: st.code, Text: st.text}}
		s.Client.log(callbacks.Warn, last.Error())
	}
	return last
}

// authenticate tries one login, by the best of PLAIN, LOGIN and the LOGIN
// command.
func (s *setup) authenticate(cred Credentials, offered map[string]bool) (status, error) {
	user, pass := cred.Username, cred.Password.Reveal()
	switch {
	case offered["AUTH=PLAIN"]:
		return s.sasl("PLAIN", offered["SASL-IR"], "\x00"+user+"\x00"+pass) // RFC 4616
	case offered["AUTH=LOGIN"]:
		// What a server asks with differs; user and password do not.
		return s.sasl("LOGIN", offered["SASL-IR"], user, pass)
	case offered["LOGINDISABLED"]:
		return status{}, errors.New("imapclient: the server allows no login by password here (LOGINDISABLED)")
	}
	for _, c := range []byte(user + pass) {
		if c < ' ' || c >= 0x7f {
			return status{}, errors.New("imapclient: the server takes user names and passwords in ASCII only")
		}
	}
	line := fmt.Sprintf("LOGIN %s %s", quote([]byte(user)), quote([]byte(pass)))
	return s.command(line, fmt.Sprintf("LOGIN %s %s", quote([]byte(user)), hidden))
}

// sasl logs in by a mechanism whose responses depend on no challenge.
func (s *setup) sasl(mechanism string, saslIR bool, responses ...string) (status, error) {
	line := "AUTHENTICATE " + mechanism
	if !saslIR {
		return s.command(line, line, responses...)
	}
	first := base64.StdEncoding.EncodeToString([]byte(responses[0]))
	if first == "" {
		first = "=" // RFC 4959 section 3
	}
	return s.command(line+" "+first, line+" "+hidden, responses[1:]...)
}

// command sends one line and reads up to its tagged answer. The responses
// answer the "+" lines.
func (s *setup) command(line, shown string, responses ...string) (status, error) {
	s.tags++
	tag := fmt.Sprintf("S%d", s.tags)
	name, _, _ := strings.Cut(shown, " ")
	s.wire.armTotal("answer to "+name, s.limits.Auth)
	if err := s.wire.send(tag+" "+line, tag+" "+shown); err != nil {
		return status{}, err
	}
	for {
		b, err := s.line()
		if err != nil {
			return status{}, err
		}
		if len(b) == 0 {
			continue
		}
		if b[0] == '+' {
			if name != "AUTHENTICATE" {
				return status{}, fmt.Errorf("%w: + where nothing was to be continued", ErrProtocol)
			}
			if err := s.answer(responses); err != nil {
				return status{}, err
			}
			responses = responses[min(1, len(responses)):]
			continue
		}
		word, rest, _ := bytes.Cut(b, []byte(" "))
		switch string(word) {
		case "*":
			s.untagged(rest)
		case tag:
			st, ok := parseStatus(rest)
			if !ok {
				return status{}, fmt.Errorf("%w: answer to %s was %q", ErrProtocol, name, excerpt(rest))
			}
			s.capabilityCode(st)
			return st, nil
		default:
			return status{}, fmt.Errorf("%w: an answer to what was not asked: %q", ErrProtocol, excerpt(b))
		}
	}
}

func (s *setup) answer(responses []string) error {
	if len(responses) == 0 {
		return s.wire.send("*", "*") // cancels, RFC 9051 section 6.2.2
	}
	return s.wire.send(base64.StdEncoding.EncodeToString([]byte(responses[0])), hidden)
}

// untagged takes an untagged line, without its "* ".
func (s *setup) untagged(rest []byte) {
	if st, ok := parseStatus(rest); ok {
		s.capabilityCode(st)
		s.serve(func(c *Client) { c.notified(st) })
		return
	}
	if words := strings.Fields(string(rest)); len(words) > 0 && strings.EqualFold(words[0], "CAPABILITY") {
		s.capabilities(words[1:])
	}
}

func (s *setup) capabilityCode(st status) {
	if arg, ok := st.codeArg("CAPABILITY"); ok {
		s.capabilities(strings.Fields(arg))
	}
}

func (s *setup) capabilities(words []string) {
	clear(s.caps)
	for _, w := range words {
		s.caps[strings.ToUpper(w)] = true
	}
}

// excerpt is as much of a server's line as an error may hold.
func excerpt(line []byte) string { return clean(string(line[:min(len(line), 100)])) }

func (s *setup) line() ([]byte, error) {
	b, err := s.wire.readLine()
	if err != nil {
		if s.bye != "" {
			return nil, fmt.Errorf("%w: server said BYE %s", ErrClosed, s.bye)
		}
		if ours(err) {
			return nil, err
		}
		return nil, fmt.Errorf("imapclient: connection to %s ended before the login was through: %w", s.opts.Host, err)
	}
	s.wire.log("S: ", string(b))
	return b, nil
}
