package imapclient_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// at answers with action at one kind of step of the first connection.
func at(part imaptest.Part, command string, action imaptest.Action) func(imaptest.Step) imaptest.Action {
	return func(s imaptest.Step) imaptest.Action {
		if s.Part == part && s.Command == command && s.Conn == 1 {
			return action
		}
		return imaptest.Action{}
	}
}

// slow takes its time for each EXISTS once asked to.
type slow struct {
	recorder
	delay time.Duration
}

func (s *slow) Exists(m callbacks.Mailbox, n uint32) {
	s.recorder.Exists(m, n)
	time.Sleep(s.delay)
}

// The deadlines are the server's, not ours: it has answered, we are late.
func TestSlowHandlerDoesNotMakeTheServerLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := imaptest.Filled(t, 1, nil), &slow{}
		c := session(t, s, h)
		h.delay = time.Hour
		s.Append("INBOX", imaptest.Body(2))
		if err := c.Noop(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Append("INBOX", imaptest.Body(3))
		if wake, err := c.Idle(t.Context(), time.Minute); wake != imapclient.WakeExists || err != nil {
			t.Fatalf("Idle: %v, %v", wake, err)
		}
		if wake, err := c.Idle(t.Context(), time.Minute); wake != imapclient.WakeExists || err != nil {
			t.Fatalf("Idle: %v, %v", wake, err)
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSlowLoopDoesNotMakeTheServerLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := session(t, imaptest.Filled(t, 2500, nil), nil)
		n := 0
		for m, err := range c.FetchFrom(t.Context(), 1, 100) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n%500 == 0 {
				time.Sleep(time.Hour)
			}
			m.Release()
		}
		time.Sleep(time.Hour)
		if err := c.Noop(t.Context()); err != nil || n != 2500 {
			t.Fatalf("%d messages, then %v", n, err)
		}
	})
}

func TestByeIsToldWhereverItComes(t *testing.T) {
	for range 20 { // which of two ready channels is looked at first is left to chance
		synctest.Test(t, func(t *testing.T) {
			s, h := imaptest.Filled(t, 1, nil), &recorder{}
			s.Hook = at(imaptest.Idling, "IDLE", imaptest.Bye("see you later"))
			c := session(t, s, h)
			_, err := c.Idle(t.Context(), time.Minute)
			if err == nil || !strings.Contains(err.Error(), "BYE see you later") {
				t.Errorf("Idle: %v", err)
			}
			if !strings.Contains(h.text(), "mm_notify test/INBOX bye [] see you later") {
				t.Errorf("no BYE among the events:\n%s", h.text())
			}
		})
		synctest.Test(t, func(t *testing.T) {
			s, h := imaptest.Filled(t, 1, nil), &recorder{}
			s.Hook = at(imaptest.Tagged, "NOOP", imaptest.Action{Do: imaptest.Cut, After: 1000, Behind: "* BYE between commands\r\n"})
			c := session(t, s, h)
			if err := c.Noop(t.Context()); err != nil && !strings.Contains(err.Error(), "BYE between") {
				t.Fatal(err)
			}
			synctest.Wait()
			err := c.Noop(t.Context())
			if err == nil || !strings.Contains(err.Error(), "BYE between commands") {
				t.Errorf("the command after BYE: %v", err)
			}
			if !strings.Contains(h.text(), "mm_notify test/INBOX bye [] between commands") {
				t.Errorf("no BYE among the events:\n%s", h.text())
			}
		})
	}
}

// What a mailbox still had to say is not said of the next one.
func TestEventsBelongToTheirMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := imaptest.Filled(t, 1, nil), &recorder{}
		s.AddMailbox("Other")
		s.Hook = at(imaptest.Tagged, "NOOP", imaptest.Action{Behind: "* 77 EXISTS\r\n"})
		c := session(t, s, h)
		if err := c.Noop(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, err := c.Examine(t.Context(), "Other"); err != nil {
			t.Fatal(err)
		}
		if text := h.text(); !strings.Contains(text, "mm_exists test/INBOX 77") || strings.Contains(text, "Other 77") {
			t.Errorf("events:\n%s", text)
		}
	})
}

type panicker struct{ callbacks.Nop }

func (panicker) Expunged(callbacks.Mailbox, uint32, uint32) { panic("handler") }

// A panic passes through. Close is enough to clean up after it.
func TestPanicLeavesNothingBehind(t *testing.T) {
	catch := func(f func()) (got any) {
		defer func() { got = recover() }()
		f()
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		c := session(t, s, panicker{})
		s.Expunge("INBOX", 1)
		if got := catch(func() { c.Noop(t.Context()) }); got != "handler" {
			t.Errorf("recovered %v", got)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c := session(t, imaptest.Filled(t, 2500, nil), nil)
		got := catch(func() {
			for range c.FetchFrom(t.Context(), 1, 100) {
				panic("loop")
			}
		})
		if got != "loop" {
			t.Errorf("recovered %v", got)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Not even the answer to an older DONE may take longer than Timeouts.Done.
func TestUnansweredDone(t *testing.T) {
	for _, next := range []string{"NOOP", "IDLE", "FETCH"} {
		synctest.Test(t, func(t *testing.T) {
			s := imaptest.Filled(t, 1, nil)
			s.Hook = at(imaptest.Received, "DONE", imaptest.Action{Do: imaptest.Silent})
			c := session(t, s, nil)
			if wake, err := c.Idle(t.Context(), time.Minute); wake != imapclient.WakeTimeout || err != nil {
				t.Fatal(wake, err)
			}
			start := time.Now()
			var err error
			switch next {
			case "NOOP":
				err = c.Noop(t.Context())
			case "IDLE":
				_, err = c.Idle(t.Context(), time.Hour)
			case "FETCH":
				_, err = bodies(t.Context(), c, []uint32{1}, 100)
			}
			var timeout *imapclient.TimeoutError
			if !errors.As(err, &timeout) || timeout.Wait != "answer to DONE" || time.Since(start) != 15*time.Second {
				t.Errorf("%s behind DONE: %v after %v", next, err, time.Since(start))
			}
		})
	}
}

// DONE and the server's own end of IDLE cross on the way.
func TestDoneCrossesTheEndOfIdle(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			s := imaptest.Filled(t, 1, nil)
			s.IdleFor = time.Minute
			c := session(t, s, nil)
			wake, err := c.Idle(t.Context(), time.Minute)
			if err != nil || wake == imapclient.WakeExists {
				t.Fatal(wake, err)
			}
			if got, err := bodies(t.Context(), c, []uint32{1}, 7); err != nil || fmt.Sprint(got) != `[1 "Subject"]` {
				t.Fatal(got, err)
			}
			time.Sleep(time.Hour)
			if err := c.Noop(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}
