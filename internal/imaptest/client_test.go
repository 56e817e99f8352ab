package imaptest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// client is the least that can talk to a server.
type client struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
	tag  int
}

func dial(t testing.TB, s *Server) *client {
	t.Helper()
	conn, err := s.Dial(t.Context(), "tcp", "imap.example.com:143")
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, conn)
}

func newClient(t testing.TB, conn net.Conn) *client {
	t.Cleanup(func() { conn.Close() })
	return &client{t: t, conn: conn, r: bufio.NewReader(conn)}
}

// line reads one line with its literals, CRLF left out.
func (c *client) line() (string, error) {
	var all strings.Builder
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return all.String() + line, err
		}
		all.WriteString(strings.TrimSuffix(line, "\r\n"))
		n, _, ok := literalSize(strings.TrimSuffix(line, "\r\n"))
		if !ok {
			return all.String(), nil
		}
		octets := make([]byte, n)
		got, err := io.ReadFull(c.r, octets)
		all.Write(octets[:got])
		if err != nil {
			return all.String(), err
		}
	}
}

func (c *client) want(want string) {
	c.t.Helper()
	if got, err := c.line(); got != want || err != nil {
		c.t.Fatalf("read %q, %v, want %q", got, err, want)
	}
}

func (c *client) wantEOF() {
	c.t.Helper()
	if got, err := c.line(); got != "" || err != io.EOF {
		c.t.Fatalf("read %q, %v, want EOF", got, err)
	}
}

func (c *client) send(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
		c.t.Fatal(err)
	}
}

// do sends a command and returns its untagged lines and, last, the tagged one
// without its tag; with an error, what was read of a line before it.
func (c *client) do(command string) ([]string, error) {
	c.tag++
	tag := fmt.Sprintf("a%d ", c.tag)
	if _, err := io.WriteString(c.conn, tag+command+"\r\n"); err != nil {
		return nil, err
	}
	var lines []string
	for {
		line, err := c.line()
		if err != nil {
			if line = strings.TrimPrefix(line, tag); line != "" {
				lines = append(lines, line)
			}
			return lines, err
		}
		if answer, ok := strings.CutPrefix(line, tag); ok {
			return append(lines, answer), nil
		}
		lines = append(lines, line)
	}
}

// check sends a command and compares the whole answer.
func (c *client) check(command string, want ...string) {
	c.t.Helper()
	got, err := c.do(command)
	if err != nil {
		c.t.Fatalf("%s: %q, %v", command, got, err)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		c.t.Fatalf("%s answered\n\t%s\nwant\n\t%s", command, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// ok sends a command that must succeed.
func (c *client) ok(command string) []string {
	c.t.Helper()
	got, err := c.do(command)
	if err != nil || !strings.HasPrefix(got[len(got)-1], "OK") {
		c.t.Fatalf("%s: %q, %v", command, got, err)
	}
	return got
}

// inbox logs in and opens INBOX for reading.
func (c *client) inbox() {
	c.t.Helper()
	if _, err := c.line(); err != nil {
		c.t.Fatal(err)
	}
	c.ok("LOGIN user pass")
	c.ok("EXAMINE INBOX")
}

// read does a whole session: what a sweep asks for. It stops at the first
// error.
func read(ctx context.Context, s *Server) ([]string, error) {
	conn, err := s.Dial(ctx, "tcp", "imap.example.com:143")
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	c := &client{conn: conn, r: bufio.NewReader(conn)}
	all := []string{}
	line, err := c.line()
	if err != nil {
		return nil, err
	}
	all = append(all, line)
	for _, command := range []string{
		"CAPABILITY", "LOGIN user {4+}\r\npass", "EXAMINE INBOX", "UID SEARCH UID 1:*",
		"UID FETCH 1:* (INTERNALDATE BODY.PEEK[]<0.100> RFC822.SIZE UID)", "LOGOUT",
	} {
		lines, err := c.do(command)
		all = append(all, lines...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// body is a message of n octets.
func body(n int) []byte {
	head := []byte("Subject: test\r\n\r\n")
	return append(head, bytes.Repeat([]byte{'x'}, n-len(head))...)
}
