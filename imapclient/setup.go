package imapclient

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
)

// setup is the part of a session before go-imap: greeting, STARTTLS, login. It runs
// on the goroutine of Dial, and reads status lines, CAPABILITY and "+" only.
type setup struct {
	*Client
	wire *wire
	tags int
	said chatter

	challenge Challenge    // of the next trial to log in
	cred      *Credentials // for that trial; nil: not asked for yet
	cancelled bool         // we cancelled, so the server says BAD
	ways      []string     // left of an interrupted trial; nil: all
	veil      veil         // of all trials
}

func (s *setup) capability() error {
	clear(s.caps)
	st, err := s.command("CAPABILITY", "CAPABILITY", nil)
	if err == nil && st.kind != "OK" {
		err = st.responseError("CAPABILITY")
	}
	return err
}

// command sends one line and reads up to its tagged answer. The debug log gets shown.
// next answers the "+" lines; if it is nil there must be none.
func (s *setup) command(line, shown string, next func([]byte) ([]byte, error)) (status, error) {
	s.tags++
	tag := fmt.Sprintf("S%d", s.tags)
	name, _, _ := strings.Cut(shown, " ")
	s.wire.armTotal("answer to "+name, s.limits.Auth)
	if err := s.wire.send(tag+" "+line, tag+" "+shown); err != nil {
		return status{}, err
	}
	for {
		b, err := s.readLine()
		if err != nil {
			return status{}, err
		}
		if len(b) == 0 {
			continue
		}
		if b[0] == '+' {
			if next == nil {
				return status{}, fmt.Errorf("%w: + although no command goes on", ErrProtocol)
			}
			if err := s.answer(b, next); err != nil {
				return status{}, err
			}
			continue
		}
		word, rest, _ := bytes.Cut(b, []byte(" "))
		switch string(word) {
		case "*":
			if rest, err = s.whole(rest); err != nil {
				return status{}, err
			}
			s.untagged(rest)
		case tag:
			st, ok := s.wire.readStatus(rest)
			if !ok {
				return status{}, fmt.Errorf("%w: answer to %s was %q", ErrProtocol, name, s.excerpt(rest))
			}
			s.capabilityCode(st)
			return st, nil
		default:
			return status{}, fmt.Errorf("%w: an answer to no command: %q", ErrProtocol, s.excerpt(b))
		}
	}
}

// whole reads on if an untagged line ends in a literal, as the answer to ID may.
func (s *setup) whole(line []byte) ([]byte, error) {
	if _, isStatus := s.wire.readStatus(line); isStatus {
		return line, nil
	}
	for {
		head, size, ok := literalSize(line)
		if !ok {
			return line, nil
		}
		if size > maxLine-int64(len(head)) {
			return nil, fmt.Errorf("%w: a literal of %d octets before the end of the login", ErrProtocol, size)
		}
		if err := s.said.add(0, int(size)); err != nil {
			return nil, err
		}
		line = slices.Clone(head)
		b := make([]byte, size)
		if _, err := io.ReadFull(s.wire.r, b); err != nil {
			return nil, s.ended(err)
		}
		line = append(line, quote(b)...)
		rest, err := s.readLine()
		if err != nil {
			return nil, err
		}
		if line = append(line, rest...); len(line) > maxLine {
			return nil, fmt.Errorf("%w: a response of over %d octets", ErrProtocol, maxLine)
		}
	}
}

// untagged takes an untagged line, without its "* ".
func (s *setup) untagged(rest []byte) {
	if st, ok := s.wire.readStatus(rest); ok {
		s.capabilityCode(st)
		s.serve(func(l listener) { l.notified(st) })
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

// excerpt is the part of a server's line that an error may hold.
func (s *setup) excerpt(line []byte) string { return excerpt(s.wire.veil.over(line)) }

func excerpt(line []byte) string { return clean(string(line[:min(len(line), 100)])) }

func (s *setup) readLine() ([]byte, error) {
	b, err := s.wire.readLine()
	if err != nil {
		return nil, s.ended(err)
	}
	if err := s.said.add(1, len(b)); err != nil {
		return nil, err
	}
	s.wire.log("S: ", string(b))
	return b, nil
}

// ended is why nothing more can be read.
func (s *setup) ended(err error) error {
	switch {
	case s.bye != nil:
		return s.bye
	case ours(err):
		return err
	}
	return fmt.Errorf("imapclient: connection to %s ended before the end of the login: %w", s.opts.Host, err)
}

// answer answers a "+" line.
func (s *setup) answer(line []byte, next func([]byte) ([]byte, error)) error {
	text := strings.TrimPrefix(strings.TrimPrefix(string(line), "+"), " ")
	challenge, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		challenge = []byte(text)
	}
	response, err := next(s.wire.veil.over(challenge))
	if err != nil {
		s.cancelled = true
		return s.wire.send("*", "*") // cancels, RFC 9051 section 6.2.2
	}
	return s.wire.send(base64.StdEncoding.EncodeToString(response), hidden)
}
