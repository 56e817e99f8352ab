package imaptest

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
)

// Reasons to leave a command or a session.
var (
	errSilent   = errors.New("imaptest: silent from here on")
	errCut      = errors.New("imaptest: cut")
	errAnswered = errors.New("imaptest: the hook answered")
	errIgnored  = errors.New("imaptest: the hook dropped the command")
	errGone     = errors.New("imaptest: client gone")
	errLogout   = errors.New("imaptest: logged out")
)

// maxCommand limits a command, in octets with its literals.
const maxCommand = 16 << 20

// session is one connection. One goroutine owns it. Others also use box, changed,
// notify and stirred, under Server.mu.
type session struct {
	srv     *Server
	n       int
	raw     net.Conn // closed to end everything
	conn    net.Conn // raw, or TLS on top of it
	in      *pump
	buf     []byte // read and not yet used
	stop    chan struct{}
	pumps   sync.WaitGroup
	wake    chan struct{}
	limited bool
	left    int64 // octets that may still be written, if limited

	steps    int
	tag      string
	command  string
	secure   bool
	deflated bool
	loggedIn bool
	qresync  bool

	notify  map[string]bool // mailboxes to report while another is open
	stirred []*mailbox      // those with changes to report

	box      *mailbox
	changed  []uint32 // UIDs with new flags
	validity uint64   // of box, when it was opened
	readOnly bool
	view     []uint32 // UIDs the client knows of, by sequence number
}

func newSession(s *Server, n int, conn net.Conn) *session {
	return &session{srv: s, n: n, raw: conn, conn: conn, stop: make(chan struct{}), wake: make(chan struct{}, 1)}
}

func (c *session) end() {
	c.raw.Close()
	close(c.stop)
	c.pumps.Wait()
	c.srv.mu.Lock()
	delete(c.srv.sessions, c)
	c.srv.mu.Unlock()
	c.srv.wg.Done()
}

func (c *session) ring() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *session) startTLS() error {
	if err := c.emit(TLS, 0, nil); err != nil {
		return err
	}
	conn := tls.Server(pumped{c.raw, c.in}, c.srv.TLS)
	if err := conn.Handshake(); err != nil {
		c.srv.note(c.n, "S", "<"+err.Error()+">")
		return errGone
	}
	c.conn, c.secure = conn, true
	c.in = newPump(conn, c.stop, &c.pumps)
	return nil
}

// line emits one line.
func (c *session) line(part Part, text string) error {
	return c.emit(part, 0, []byte(text+"\r\n"))
}

// linef emits one untagged line of an answer.
func (c *session) linef(format string, args ...any) error {
	return c.line(Data, "* "+fmt.Sprintf(format, args...))
}

// ask records a step and asks the hook.
func (c *session) ask(part Part, uid uint32, size int, text string) Action {
	step := Step{Conn: c.n, N: c.steps, Command: c.command, Part: part, UID: uid, Size: size, Text: text}
	c.steps++
	c.srv.mu.Lock()
	c.srv.steps = append(c.srv.steps, step)
	c.srv.mu.Unlock()
	if c.srv.Hook == nil {
		return Action{}
	}
	return c.srv.Hook(step)
}

// emit writes one unit, or does what the hook wants instead.
func (c *session) emit(part Part, uid uint32, unit []byte) error {
	text := ""
	if part != Literal {
		text = strings.TrimSuffix(string(unit), "\r\n")
	}
	return c.act(part, unit, c.ask(part, uid, len(unit), text))
}

func (c *session) act(part Part, unit []byte, action Action) error {
	switch action.Do {
	case Drop, Answer:
		unit = nil
	case Silent, Cut, HalfClose:
		unit = unit[:min(action.After, len(unit))]
	}
	shown := fmt.Sprintf("<%d octets>\r\n", len(unit))
	if part != Literal {
		shown = string(unit)
	}
	if action.Do == Answer {
		action.Behind += c.tag + " " + action.Text + "\r\n"
	}
	if shown = action.Before + shown + action.Behind; shown != "" {
		c.srv.note(c.n, "S", shown)
	}
	if err := c.write(action.Before, unit, action.Behind); err != nil {
		return err
	}
	switch action.Do {
	case Silent:
		return errSilent
	case Cut:
		return errCut
	case HalfClose:
		if conn, ok := c.conn.(interface{ CloseWrite() error }); ok {
			conn.CloseWrite()
		}
		return errSilent
	case Answer:
		return errAnswered
	case Drop:
		if part == Received {
			return errIgnored
		}
	}
	return nil
}

// write sends its arguments in one write, up to the limit.
func (c *session) write(before string, unit []byte, behind string) error {
	if before != "" || behind != "" {
		unit = bytes.Join([][]byte{[]byte(before), unit, []byte(behind)}, nil)
	}
	cut := c.limited && int64(len(unit)) >= c.left
	if cut {
		unit = unit[:c.left]
	}
	c.left -= int64(len(unit))
	if len(unit) > 0 {
		if _, err := c.conn.Write(unit); err != nil {
			return errGone
		}
	}
	if cut {
		return errCut
	}
	return nil
}

// readLine returns the next line without its line break.
func (c *session) readLine() (string, error) {
	for {
		if line, ok := c.bufferedLine(); ok {
			return line, nil
		}
		if err := c.readMore(); err != nil {
			return "", err
		}
	}
}

func (c *session) bufferedLine() (string, bool) {
	line, rest, ok := bytes.Cut(c.buf, []byte("\n"))
	if !ok {
		return "", false
	}
	text := strings.TrimSuffix(string(line), "\r")
	c.buf = rest
	c.srv.note(c.n, "C", text)
	return text, true
}

func (c *session) readMore() error {
	chunk, ok := <-c.in.chunks
	if !ok || len(c.buf) > maxCommand {
		return errGone
	}
	c.buf = append(c.buf, chunk...)
	return nil
}

// literal reads n octets as they are.
func (c *session) literal(n int) (string, error) {
	for len(c.buf) < n {
		if err := c.readMore(); err != nil {
			return "", err
		}
	}
	text := string(c.buf[:n])
	c.buf = c.buf[n:]
	return text, nil
}
