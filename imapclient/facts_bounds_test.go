package imapclient_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// talker is a server that answers each command by OK, up to the one that flood is
// for: there it says line for ever, once each pause.
type talker struct {
	flood string // the command's name; empty: the greeting
	line  string
	pause time.Duration
	said  atomic.Int64 // lines
}

func (s *talker) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		out := bufio.NewWriterSize(server, 32<<10)
		in := bufio.NewReader(server)
		fmt.Fprint(server, "* OK [CAPABILITY IMAP4rev1 IDLE ID AUTH=PLAIN SASL-IR] hello\r\n")
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			tag, command, _ := strings.Cut(strings.TrimSpace(line), " ")
			if strings.HasPrefix(command, s.flood) {
				break
			}
			switch command, _, _ := strings.Cut(command, " "); command {
			case "CAPABILITY":
				fmt.Fprint(server, "* CAPABILITY IMAP4rev1 IDLE ID\r\n")
			case "EXAMINE":
				fmt.Fprint(server, "* 3 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n")
			}
			fmt.Fprintf(server, "%s OK done\r\n", tag)
		}
		go io.Copy(io.Discard, in)
		for {
			if _, err := out.WriteString(s.line); err != nil {
				return
			}
			s.said.Add(1)
			if s.pause > 0 {
				if out.Flush() != nil {
					return
				}
				time.Sleep(s.pause)
			}
		}
	}()
	return client, nil
}

// endless is a fact of such a server. The session must end by itself, after so long
// and so many lines at most.
func endless(name, command, line string, pause, most time.Duration, lines int) fact {
	return fact{
		name: name, goimap: byNature,
		ours: func(t *testing.T, _ *imaptest.Server) {
			s := &talker{flood: command, line: line, pause: pause}
			start := time.Now()
			c, err := imapclient.Dial(t.Context(), imapclient.Options{
				Host: "imap.example.com", Security: imapclient.NoTLS, Insecure: true, Login: login, Dial: s.dial,
			})
			if err == nil {
				_, err = c.List(t.Context(), "*")
				if err == nil {
					_, err = c.Examine(t.Context(), "INBOX")
				}
				if err == nil {
					err = c.Noop(t.Context())
				}
				for err == nil && time.Since(start) < 24*time.Hour {
					_, err = c.Idle(t.Context(), 4*time.Minute)
				}
				c.Close()
			}
			if d := time.Since(start); err == nil || d > most {
				t.Errorf("%v after %v", err, d)
			}
			if !errors.Is(err, imapclient.ErrProtocol) && !errors.As(err, new(*imapclient.TimeoutError)) {
				t.Errorf("error: %v", err)
			}
			time.Sleep(time.Minute)
			if n := s.said.Load(); n > int64(lines) {
				t.Errorf("%d lines were taken", n)
			}
		},
	}
}

// bomb is a fact of a server whose COMPRESS makes very much of little, in answer to
// a FETCH or a NOOP.
func bomb(name, head, rest string) fact {
	return fact{
		name: name, goimap: byNature,
		ours: func(t *testing.T, _ *imaptest.Server) {
			packed := pack(head)
			chunk := pack(strings.Repeat(rest, 1<<20/len(rest))) // stands by itself
			packed = append(packed, bytes.Repeat(chunk, 4<<20/len(chunk))...)
			c, err := imapclient.Dial(t.Context(), imapclient.Options{
				Host: "imap.example.com", Security: imapclient.NoTLS, Insecure: true, Login: login, Compress: imapclient.CompressOn,
				Dial: deflating(func(w io.Writer, _ string) { w.Write(packed) }),
			})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			err = c.Noop(t.Context())
			if !errors.Is(err, imapclient.ErrProtocol) {
				t.Errorf("error: %v", err)
			}
			if st := c.Stats(); st.Inflated > 200<<20 {
				t.Errorf("%d octets came to %d", st.In, st.Inflated)
			}
		},
	}
}

// dense is a fact of honest message that DEFLATE takes to a thousandth: 16 MiB of it
// in each of ten messages, read whole in one session.
func dense(name string, body []byte) fact {
	return fact{
		name: name, goimap: byNature,
		ours: func(t *testing.T, _ *imaptest.Server) {
			const size, many = 16 << 20, 10
			message := append([]byte("Subject: dense\r\n\r\n"), bytes.Repeat(body, size/len(body))...)
			s := compressed(t, 0)
			var uids []uint32
			for range many {
				uids = append(uids, s.Append("INBOX", message))
			}
			opts := options(s, nil)
			opts.Compress = imapclient.CompressOn
			c, err := imapclient.Dial(t.Context(), opts)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			defer c.Close()
			if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
				t.Fatal(err)
			}
			n := 0
			for m, err := range c.Fetch(t.Context(), uids, size+1000) {
				if err != nil || !bytes.Equal(m.Body, message) {
					t.Fatal(err)
				}
				n++
				m.Release()
			}
			if st := c.Stats(); n != many || st.Inflated < 300*st.In/2 {
				t.Errorf("%d messages; %d octets came to %d", n, st.In, st.Inflated)
			}
		},
	}
}

// boundFacts are of servers that do not come to an end.
var boundFacts = []fact{
	endless("untagged lines without end: CAPABILITY", "CAPABILITY", "* OK and then\r\n", 0, time.Minute, 5000),
	endless("untagged lines without end: login", "AUTHENTICATE", "* OK and then\r\n", 0, time.Minute, 5000),
	endless("untagged lines without end: ID", "ID", "* ID NIL\r\n", 0, time.Minute, 8000),
	endless("blank lines without end: login", "AUTHENTICATE", "\r\n", 0, time.Minute, 50_000),
	endless("questions without end: login", "AUTHENTICATE", "+ \r\n", 0, time.Minute, 20_000),
	endless("literals without end: login", "AUTHENTICATE", "* X {100000}\r\n"+strings.Repeat("x", 100_000)+"\r\n", 0, time.Minute, 20),
	endless("an untagged line a second: login", "AUTHENTICATE", "* OK and then\r\n", time.Second, time.Minute, 100),
	endless("untagged lines without end: LIST", "LIST", "* OK and then\r\n", 0, time.Minute, 200_000),
	endless("untagged lines without end: EXAMINE", "EXAMINE", "* FLAGS ()\r\n", 0, time.Minute, 200_000),
	endless("untagged lines without end: NOOP", "NOOP", "* 1 FETCH (FLAGS (a))\r\n", 0, time.Minute, 200_000),
	endless("untagged lines without end: IDLE", "IDLE", "* 1 FETCH (FLAGS (a))\r\n", 0, time.Minute, 200_000),
	endless("literals without end: NOOP", "NOOP", "* X {100000}\r\n"+strings.Repeat("x", 100_000)+"\r\n", 0, time.Minute, 1000),
	endless("an untagged line a minute: LIST", "LIST", "* OK and then\r\n", 59*time.Second, 11*time.Minute, 20),
	endless("an untagged line a minute: NOOP", "NOOP", "* OK and then\r\n", 59*time.Second, 11*time.Minute, 20),
	endless("an octet a minute: NOOP", "NOOP", "x", 59*time.Second, 3*time.Hour, 200),
	endless("an untagged line each 20 s and no +", "IDLE", "* OK and then\r\n", 20*time.Second, 6*time.Minute, 20),
	bomb("4 MB of DEFLATE: a body", "* 1 FETCH (UID 1 BODY[]<0> {1000000000}\r\n", "\x00"),
	bomb("4 MB of DEFLATE: a body without a UID", "* 1 FETCH (BODY[]<0> {1000000000}\r\n", " "),
	bomb("4 MB of DEFLATE: lines", "", "* OK and then\r\n"),
	bomb("4 MB of DEFLATE: blank lines", "", "\r\n"),
	bomb("4 MB of DEFLATE: a line", "* OK ", "x"),
	bomb("4 MB of DEFLATE: long lines", "", "* OK "+strings.Repeat("x", 1<<20-100)+"\r\n"),
	dense("honest message of blanks", []byte(strings.Repeat(" ", 1000)+"\r\n")),
	dense("honest message of zeros in base64", []byte(base64.StdEncoding.EncodeToString(make([]byte, 57))+"\r\n")),
}
