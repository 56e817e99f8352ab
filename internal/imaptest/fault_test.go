package imaptest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// filled is a server with three messages.
func filled(t testing.TB) *Server {
	return Filled(t, 3, func(n int) []byte { return body(10 + 10*n) })
}

// cleanSession is what read returns where nothing fails, and its steps.
func cleanSession(t *testing.T) ([]string, []Step) {
	t.Helper()
	s := filled(t)
	defer s.Close()
	lines, err := read(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	// dial, greeting; six commands with their received and tagged steps;
	// untagged: CAPABILITY 1, EXAMINE 6, SEARCH 1, LOGOUT 1; three a message.
	steps := s.Steps()
	if want := 2 + 2*6 + 9 + 3*3; len(steps) != want {
		t.Fatalf("%d steps, want %d: %v", len(steps), want, steps)
	}
	return lines, steps
}

func TestSilentAtEveryStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clean, steps := cleanSession(t)
		for _, step := range steps {
			for _, after := range []int{0, step.Size / 2} {
				s := filled(t)
				s.Hook = func(at Step) Action {
					if at.Conn == 1 && at.N == step.N {
						return Action{Do: Silent, After: after}
					}
					return Action{}
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				start := time.Now()
				lines, err := read(ctx, s)
				if err == nil || time.Since(start) != time.Hour {
					t.Errorf("silent at %v: %v after %v", step, err, time.Since(start))
				}
				if !strings.HasPrefix(strings.Join(clean, "\n"), strings.Join(lines, "\n")) {
					t.Errorf("silent at %v: read %q", step, lines)
				}
				cancel()
				if lines, err := read(t.Context(), s); err != nil || !slices.Equal(lines, clean) {
					t.Errorf("after %v: %v, %q", step, err, lines)
				}
				if s.Conns() != 2 {
					t.Errorf("%d connections, want 2", s.Conns())
				}
				s.Close()
				if s.Open() != 0 {
					t.Errorf("%d connections are left open", s.Open())
				}
			}
		}
	})
}

func TestByeAtEveryStep(t *testing.T) {
	clean, steps := cleanSession(t)
	for _, step := range steps[1:] {
		s := filled(t)
		s.Hook = func(at Step) Action {
			if at.N == step.N {
				return Bye("gone")
			}
			return Action{}
		}
		lines, err := read(t.Context(), s)
		if err == nil { // of a read, or of the next command's write
			t.Errorf("bye at %v: no error", step)
		}
		got, want := strings.Join(lines, "\n"), strings.Join(clean, "\n")
		if step.Part == Literal || strings.HasPrefix(step.Text, " RFC822") { // in a line, where it is no BYE
			if !strings.Contains(got, "* BYE gone") {
				t.Errorf("bye at %v: read %q", step, lines)
			}
		} else if before, ok := strings.CutSuffix(got, "* BYE gone"); !ok || !strings.HasPrefix(want, before) {
			t.Errorf("bye at %v: read %q", step, lines)
		}
		s.Close()
	}
}

func TestCutAtEveryByte(t *testing.T) {
	clean := filled(t)
	c := dial(t, clean)
	c.inbox()
	c.conn.Close()
	clean.Close()
	total := 0
	for _, step := range clean.Steps() {
		if step.Part != Dial {
			total += step.Size
		}
	}
	for k := range total + 1 {
		s := filled(t)
		s.Limit = func(conn int) int64 { return int64(k) }
		conn, err := s.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		// The commands go out in one write, which a server that is cut
		// early refuses.
		go io.WriteString(conn, "a1 LOGIN user pass\r\na2 EXAMINE INBOX\r\n")
		got, err := io.ReadAll(conn)
		if len(got) != k || err != nil {
			t.Fatalf("cut after %d octets: read %d, %v", k, len(got), err)
		}
		conn.Close()
		s.Close()
	}
}

// at answers with action where a step of the first connection reads like this.
func at(want string, action Action) func(Step) Action {
	return func(step Step) Action {
		if _, text, _ := strings.Cut(step.String(), " "); step.Conn == 1 && text == want {
			return action
		}
		return Action{}
	}
}

func TestActions(t *testing.T) {
	for name, test := range map[string]struct {
		hook func(Step) Action
		do   string
		want []string
		gone bool
	}{
		"bye before an answer": {
			at("received NOOP", Bye("too long")), "NOOP",
			[]string{"* BYE too long"}, true},
		"bye while idling": {
			at("idling IDLE", Bye("shutdown")), "IDLE",
			[]string{"+ idling", "* BYE shutdown"}, true},
		"lines between": {
			at("data UID FETCH uid 2", Action{Before: "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* VANISHED 9\r\n\r\n+ stray\r\n", Behind: "* XYZZY\r\n"}),
			"UID FETCH 2 (UID)",
			[]string{`* 1 FETCH (UID 1 FLAGS (\Seen))`, "* VANISHED 9", "", "+ stray", "* 2 FETCH (UID 2)", "* XYZZY", "OK FETCH completed"}, false},
		"a line left out": {
			at("data UID FETCH uid 2", Action{Do: Drop}), "UID FETCH 1:3 (UID)",
			[]string{"* 1 FETCH (UID 1)", "* 3 FETCH (UID 3)", "OK FETCH completed"}, false},
		"death in a literal": {
			at("literal UID FETCH uid 2", Action{Do: Cut, After: 7}), "UID FETCH 2 (BODY.PEEK[])",
			[]string{"* 2 FETCH (UID 2 BODY[] {30}Subject"}, true},
		"half closed": {
			at("tagged NOOP", Action{Do: HalfClose, After: 5}), "NOOP",
			[]string{"OK"}, true},
		"refused": {
			at("received UID SEARCH", Action{Do: Answer, Text: "NO [LIMIT] Suggested Backoff Time: 100 milliseconds"}), "UID SEARCH ALL",
			[]string{"NO [LIMIT] Suggested Backoff Time: 100 milliseconds"}, false},
		"answer taken back": {
			at("tagged UID FETCH", Action{Do: Answer, Text: "NO gone"}), "UID FETCH 1 (UID)",
			[]string{"* 1 FETCH (UID 1)", "NO gone"}, false},
		"idle refused": {
			at("received IDLE", Action{Do: Answer, Text: "BAD no IDLE"}), "IDLE",
			[]string{"BAD no IDLE"}, false},
		"idle ended by the server": {
			at("idling IDLE", Action{Do: Answer, Text: "OK enough"}), "IDLE",
			[]string{"+ idling", "OK enough"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := filled(t)
			defer s.Close()
			s.Hook = test.hook
			c := dial(t, s)
			c.inbox()
			lines, err := c.do(test.do)
			if gone := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF); gone != test.gone || err != nil && !gone {
				t.Fatalf("error %v", err)
			}
			if !slices.Equal(lines, test.want) {
				t.Fatalf("read %q, want %q", lines, test.want)
			}
			if !test.gone {
				c.ok("NOOP")
			}
		})
	}
}

func TestIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, what := range []string{"received IDLE", "continue IDLE", "push IDLE", "received DONE"} {
			s := filled(t)
			s.Hook = at(what, Action{Do: Drop})
			c := dial(t, s)
			c.inbox()
			c.send("i IDLE")
			if what == "push IDLE" || what == "received DONE" {
				c.want("+ idling")
			}
			synctest.Wait()
			s.Append("INBOX", body(20))
			if what == "received DONE" {
				c.want("* 4 EXISTS")
				c.send("DONE")
			}
			c.conn.SetReadDeadline(time.Now().Add(time.Hour))
			if line, err := c.line(); what == "continue IDLE" {
				if line != "* 4 EXISTS" {
					t.Errorf("%s dropped: read %q", what, line)
				}
			} else if line != "" || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s dropped: read %q, %v", what, line, err)
			}
			s.Close()
		}
	})
}

// A push that was lost shows only in what a later command answers.
func TestLostPush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(t)
		defer s.Close()
		s.Hook = at("push IDLE", Action{Do: Drop})
		c := dial(t, s)
		c.inbox()
		c.send("i IDLE")
		c.want("+ idling")
		s.Append("INBOX", body(20))
		synctest.Wait()
		c.send("DONE")
		c.want("i OK IDLE completed")
		c.check("UID FETCH 4:* (UID)", "* 4 FETCH (UID 4)", "OK FETCH completed")
	})
}

func TestIdleFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(t)
		defer s.Close()
		s.IdleFor = 10 * time.Minute
		c := dial(t, s)
		c.inbox()
		start := time.Now()
		c.check("IDLE", "+ idling", "OK IDLE ended by the server")
		if took := time.Since(start); took != s.IdleFor {
			t.Errorf("IDLE took %v", took)
		}
		c.send("DONE") // too late
		c.want("DONE BAD unknown command")
	})
}

// A message may arrive at the very moment that a step is reached.
func TestAppendInsideHook(t *testing.T) {
	s := filled(t)
	defer s.Close()
	s.Hook = func(step Step) Action {
		if step.Command == "IDLE" && step.Part == Continue {
			s.Append("INBOX", body(20))
		}
		return Action{}
	}
	c := dial(t, s)
	c.inbox()
	c.send("i IDLE")
	c.want("+ idling")
	c.want("* 4 EXISTS")
}

func TestShapes(t *testing.T) {
	s := filled(t)
	defer s.Close()
	s.AppendMessage("INBOX", Message{UID: 10, Body: []byte("A: b\r\n\r\n")})
	s.Descending = true
	shapes := map[uint32]Shape{
		1:  {QuotedBody: true, NilDate: true},
		2:  {NilBody: true, UIDLast: true},
		3:  {Missing: true},
		10: {Literal8: true, UIDLast: true},
	}
	s.Shape = func(_ int, uid uint32) Shape { return shapes[uid] }
	c := dial(t, s)
	c.inbox()
	c.check("UID FETCH 1:* (BODY.PEEK[]<0.4> INTERNALDATE)",
		`* 4 FETCH (BODY[]<0> ~{4}A: b INTERNALDATE " 1-Jan-2026 00:10:00 +0000" UID 10)`,
		`* 2 FETCH (BODY[]<0> NIL INTERNALDATE " 1-Jan-2026 00:02:00 +0000" UID 2)`,
		`* 1 FETCH (UID 1 BODY[]<0> "" INTERNALDATE NIL)`, "OK FETCH completed")
}

func TestDialFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		defer s.Close()
		s.Hook = at("dial", Action{Do: Cut})
		if _, err := s.Dial(t.Context(), "tcp", "x:143"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("refused: %v", err)
		}
		s.Hook = func(Step) Action { return Action{Do: Silent} }
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := s.Dial(ctx, "tcp", "x:143"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("silent: %v", err)
		}
		s.Close()
		if _, err := s.Dial(t.Context(), "tcp", "x:143"); err == nil {
			t.Error("a closed server was reached")
		}
	})
}

func TestDisconnect(t *testing.T) {
	s := filled(t)
	defer s.Close()
	c := dial(t, s)
	c.inbox()
	c.send("i IDLE")
	c.want("+ idling")
	s.Disconnect()
	c.wantEOF()
	dial(t, s).inbox()
}

// Close ends clients in every state, those whose reading has stopped too.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(t)
		for _, command := range []string{"", "i IDLE", "f UID FETCH 1:* (BODY.PEEK[])", "l LOGIN {4}"} {
			c := dial(t, s)
			c.inbox()
			if command != "" {
				c.send(command)
			}
		}
		synctest.Wait()
		if s.Open() != 4 {
			t.Errorf("%d are open, want 4", s.Open())
		}
		s.Close()
		if s.Open() != 0 {
			t.Errorf("%d are left open", s.Open())
		}
	})
}

// What a client pipelines is taken off it while the server still writes.
func TestPipeline(t *testing.T) {
	s := Filled(t, 0, nil)
	for range 20 {
		s.Append("INBOX", body(300))
	}
	c := dial(t, s)
	c.inbox()
	for i := range 50 {
		c.send(fmt.Sprintf("f%d UID FETCH 1:* (BODY.PEEK[]<0.100>)", i))
	}
	for range 50 {
		for range 20 {
			if line, err := c.line(); !strings.HasPrefix(line, "* ") || err != nil {
				t.Fatalf("read %q, %v", line, err)
			}
		}
		if line, err := c.line(); !strings.HasPrefix(line, "f") || err != nil {
			t.Fatalf("read %q, %v", line, err)
		}
	}
}

func TestListen(t *testing.T) {
	s := Filled(t, 0, nil)
	s.Append("INBOX", body(20))
	addr, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, conn)
	c.inbox()
	c.check("UID SEARCH ALL", "* SEARCH 1", "OK SEARCH completed")
}
