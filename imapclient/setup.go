package imapclient

import (
	"bytes"
	"context"
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

	challenge Challenge    // of the next trial to log in
	cred      *Credentials // for it, once asked for
}

const maxTrials = 10 // connections for one login, whatever Options.Login says

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
	if !s.opts.private() && !s.opts.Insecure && !isLoopback(s.wire.raw) {
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
	st, err := s.command("STARTTLS", "STARTTLS", nil)
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
	st, err := s.command("CAPABILITY", "CAPABILITY", nil)
	if err == nil && st.kind != "OK" {
		err = &ResponseError{Command: "CAPABILITY", Status: st.kind, Code: st.code, Text: st.text}
	}
	return err
}

// login asks with what to log in, unless cred says it, and makes one trial. The
// mechanisms offered stay for the next.
func (s *setup) login(ctx context.Context) error {
	if len(s.caps) == 0 {
		if err := s.capability(); err != nil {
			return err
		}
	}
	offered := maps.Clone(s.caps) // of before the login: after it they change
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

// ask has Options.Login decide on the next trial.
func (s *setup) ask(ctx context.Context) error {
	s.challenge.Trial++
	cred, err := s.opts.Login(ctx, s.challenge)
	s.cred = &cred
	return err
}

// command sends one line and reads up to its tagged answer. next answers the "+"
// lines; nil: there may be none.
func (s *setup) command(line, shown string, next func([]byte) ([]byte, error)) (status, error) {
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
			if next == nil {
				return status{}, fmt.Errorf("%w: + where nothing was to be continued", ErrProtocol)
			}
			if err := s.answer(b, next); err != nil {
				return status{}, err
			}
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
