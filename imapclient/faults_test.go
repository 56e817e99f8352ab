package imapclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// The messages of a sweep. The server keeps two more folders.
const sweepMessages = 4

func sweepServer(tb testing.TB) *imaptest.Server {
	s := imaptest.Filled(tb, sweepMessages, nil)
	s.AddMailbox("FBL")
	return s
}

// sweep is a session with every command there is; it returns what it has been
// given, also where it ends in an error.
func sweep(ctx context.Context, opts imapclient.Options) (got []string, err error) {
	c, err := imapclient.Dial(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	lists, err := c.List(ctx, "*")
	if err != nil {
		return got, err
	}
	for _, l := range lists {
		got = append(got, "list "+l.Mailbox)
	}
	if _, err := c.Status(ctx, "FBL"); err != nil {
		return got, err
	}
	if _, err := c.Examine(ctx, "INBOX"); err != nil {
		return got, err
	}
	uids, err := c.Search(ctx, 1, 0)
	if err != nil {
		return got, err
	}
	got = append(got, fmt.Sprint("uids ", uids))
	messages, err := bodies(ctx, c, uids, 1000)
	got = append(got, messages...)
	if err != nil {
		return got, err
	}
	wake, err := c.Idle(ctx, 4*time.Minute)
	if err != nil {
		return got, err
	}
	got = append(got, fmt.Sprint("wake ", wake))
	if err := c.Noop(ctx); err != nil {
		return got, err
	}
	return append(got, "end"), c.Logout(ctx)
}

// clean is a sweep where nothing fails, and its steps.
func clean(t *testing.T) ([]string, []imaptest.Step) {
	t.Helper()
	s := sweepServer(t)
	defer s.Close()
	got, err := sweep(t.Context(), options(s, nil))
	if err != nil {
		t.Fatal(err)
	}
	steps := s.Steps()
	if len(steps) < 40 {
		t.Fatalf("%d steps", len(steps))
	}
	return got, steps
}

// checkSweep holds what a broken sweep has given against a clean one: it must
// be its beginning.
func checkSweep(t *testing.T, where any, got, whole []string) {
	t.Helper()
	if len(got) > len(whole) || !slices.Equal(got, whole[:len(got)]) {
		t.Errorf("%v: got\n%s\nwhich is not how\n%s\nbegins", where, strings.Join(got, "\n"), strings.Join(whole, "\n"))
	}
}

// limit is the longest wait at a step.
func limit(s imaptest.Step) time.Duration {
	switch {
	case s.Part == imaptest.Dial:
		return 20 * time.Second
	case s.Part == imaptest.Greeting, s.Command == "IDLE" && s.Part != imaptest.Idling:
		return 30 * time.Second
	case s.Part == imaptest.Idling, s.Command == "DONE", s.Command == "IDLE":
		return 15 * time.Second
	}
	return 60 * time.Second
}

func TestSilentAtEveryStep(t *testing.T) {
	var whole []string
	var steps []imaptest.Step
	synctest.Test(t, func(t *testing.T) { whole, steps = clean(t) })
	done := slices.IndexFunc(steps, func(s imaptest.Step) bool { return s.Command == "DONE" })
	for n, step := range steps {
		for _, after := range []int{0, step.Size / 2, step.Size} {
			synctest.Test(t, func(t *testing.T) {
				where := fmt.Sprintf("silent after %d octets of %v", after, step)
				s := sweepServer(t)
				var silent time.Time
				s.Hook = func(at imaptest.Step) imaptest.Action {
					if at.N == step.N {
						silent = time.Now()
						return imaptest.Action{Do: imaptest.Silent, After: after}
					}
					return imaptest.Action{}
				}
				got, err := sweep(t.Context(), options(s, nil))
				ended := time.Now()
				s.Close()
				waited := ended.Sub(silent)
				checkSweep(t, where, got, whole)
				most := limit(step)
				if step.Part == imaptest.Idling { // noticed at the slice's end
					most += 4 * time.Minute
				}
				atLogout := step.Command == "LOGOUT" || n > done && step.Command == "NOOP" && step.Part == imaptest.Tagged && after == step.Size
				if atLogout { // a second is all that politeness gets
					if err != nil || waited > time.Second {
						t.Errorf("%s: %v after %v", where, err, waited)
					}
					return
				}
				var timeout *imapclient.TimeoutError
				if !errors.As(err, &timeout) {
					t.Errorf("%s: %v", where, err)
				} else if waited > most && !(after == step.Size && waited <= 4*time.Minute+15*time.Second) {
					t.Errorf("%s: %v after %v, want %v at most", where, err, waited, most)
				}
				var fetch *imapclient.FetchError
				onWire := step.UID != 0 && (step.Part == imaptest.Literal || step.Text == ")" && after < step.Size ||
					strings.HasSuffix(step.Text, "}") && after == step.Size)
				if errors.As(err, &fetch) != onWire || onWire && fetch.UID != step.UID {
					t.Errorf("%s: %v, message on the wire: %d", where, err, step.UID)
				} else if onWire && step.Part == imaptest.Literal && fetch.Octets != int64(after) {
					t.Errorf("%s: %d octets of the message had come, want %d", where, fetch.Octets, after)
				}
			})
		}
	}
}

func TestCutAtEveryByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		whole, steps := clean(t)
		total := 0
		for _, step := range steps {
			if step.Part != imaptest.Dial && step.Part != imaptest.Received {
				total += step.Size
			}
		}
		for n := range total {
			s := sweepServer(t)
			s.Limit = func(int) int64 { return int64(n) }
			got, err := sweep(t.Context(), options(s, nil))
			checkSweep(t, fmt.Sprintf("cut after %d octets", n), got, whole)
			if err == nil && (len(got) != len(whole) || got[len(got)-1] != "end") {
				t.Errorf("cut after %d octets: no error, got %q", n, got)
			}
			s.Close()
			synctest.Wait()
		}
	})
}

func TestByeInEveryState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		whole, steps := clean(t)
		for _, step := range steps {
			if step.Part == imaptest.Dial || step.Part == imaptest.Literal || step.Command == "LOGOUT" ||
				step.UID != 0 && !strings.HasPrefix(step.Text, "* ") {
				continue // there a BYE would be part of a message
			}
			s, h := sweepServer(t), &recorder{}
			s.Hook = func(at imaptest.Step) imaptest.Action {
				if at.N == step.N {
					return imaptest.Bye("shutting down")
				}
				return imaptest.Action{}
			}
			got, err := sweep(t.Context(), options(s, h))
			checkSweep(t, step, got, whole)
			if err == nil || !strings.Contains(err.Error(), "BYE") || !strings.Contains(err.Error(), "shutting down") {
				t.Errorf("BYE at %v: %v", step, err)
			}
			if !strings.Contains(h.text(), "bye [] shutting down") {
				t.Errorf("BYE at %v: no event", step)
			}
			s.Close()
		}
	})
}

// Lines that answer no command, at every place where one may come.
func TestStrayLinesEverywhere(t *testing.T) {
	const stray = "* 1 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (UID 1 FLAGS ($a]b %c))\r\n* VANISHED (EARLIER) 900:903\r\n" +
		"* ENABLED QRESYNC\r\n* XYZZY plugh\r\n* OK see {12}\r\n* OK [CAPABILITY IMAP4rev1] new\r\n\r\n" +
		"* LIST () \"/\" {3}\r\na b\r\n* 4 EXISTS\r\n* 0 RECENT\r\n* NO [ALERT] disk\r\n* BAD what\r\n"
	synctest.Test(t, func(t *testing.T) {
		whole, steps := clean(t)
		for _, step := range steps {
			setup := step.Command == "" || step.Command == "AUTHENTICATE" || step.Command == "ID"
			if setup || step.Part == imaptest.Literal || step.UID != 0 && !strings.HasPrefix(step.Text, "* ") || step.Command == "LIST" {
				continue
			}
			s, h := sweepServer(t), &recorder{}
			s.Hook = func(at imaptest.Step) imaptest.Action {
				if at.N == step.N {
					lines := stray
					if step.Command != "IDLE" {
						lines += "+ stray\r\n"
					}
					return imaptest.Action{Before: lines}
				}
				return imaptest.Action{}
			}
			got, err := sweep(t.Context(), options(s, h))
			if err != nil {
				t.Errorf("at %v: %v", step, err)
			}
			wanted := slices.Clone(whole)
			for i, line := range wanted {
				if line == "wake 1" && !slices.Contains(got, line) {
					wanted[i] = "wake 0" // the EXISTS rang
				}
			}
			checkSweep(t, step, got, wanted)
			for _, event := range []string{"seq 1 uid 1 [$a]b %c]", "uid 903", "ignored: * XYZZY plugh", "see {12}", "mm_list a b", "warn [ALERT] disk"} {
				if strings.Count(h.text(), event) != 1 {
					t.Errorf("at %v: not one %q in\n%s", step, event, h.text())
				}
			}
			s.Close()
		}
	})
}

func TestCancelAtEveryStep(t *testing.T) {
	var whole []string
	var steps []imaptest.Step
	synctest.Test(t, func(t *testing.T) { whole, steps = clean(t) })
	reason := errors.New("the operator said so")
	for _, step := range steps {
		synctest.Test(t, func(t *testing.T) {
			s := sweepServer(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			var cancelled time.Time
			s.Hook = func(at imaptest.Step) imaptest.Action {
				if at.N == step.N {
					// The server is silent, so that only ctx can end the wait.
					cancelled = time.Now().Add(time.Second / 2)
					time.AfterFunc(time.Second/2, func() { cancel(reason) })
					return imaptest.Action{Do: imaptest.Silent, After: at.Size / 2}
				}
				return imaptest.Action{}
			}
			got, err := sweep(ctx, options(s, nil))
			ended := time.Now()
			s.Close()
			if d := ended.Sub(cancelled); cancelled.IsZero() || d > 100*time.Millisecond {
				t.Errorf("at %v: returned %v after the cancel", step, d)
			}
			if step.Command != "LOGOUT" && !errors.Is(err, reason) {
				t.Errorf("at %v: %v", step, err)
			}
			checkSweep(t, step, got, whole)
		})
	}
}

// The peer has closed its side and goes on reading, or is gone for good.
func TestHalfOpenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		s.Hook = at(imaptest.Idling, "IDLE", imaptest.Action{Do: imaptest.HalfClose})
		c := session(t, s, nil)
		start := time.Now()
		if _, err := c.Idle(t.Context(), 4*time.Minute); err == nil || time.Since(start) > time.Second {
			t.Errorf("half closed: %v after %v", err, time.Since(start))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		s.Hook = at(imaptest.Idling, "IDLE", imaptest.Action{Do: imaptest.Silent})
		c := session(t, s, nil)
		start := time.Now()
		if wake, err := c.Idle(t.Context(), 4*time.Minute); wake != imapclient.WakeTimeout || err != nil {
			t.Fatal(wake, err)
		}
		_, err := bodies(t.Context(), c, []uint32{1}, 10)
		var timeout *imapclient.TimeoutError
		if !errors.As(err, &timeout) || time.Since(start) != 4*time.Minute+15*time.Second {
			t.Errorf("a dead peer: %v after %v", err, time.Since(start))
		}
		if err := c.Noop(t.Context()); !errors.As(err, &timeout) {
			t.Errorf("the reason is not kept: %v", err)
		}
	})
}

// A server that is silent inside a literal is not, as long as octets come.
func TestSlowLiteral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.New()
		s.Append("INBOX", bytes.Repeat([]byte("x"), 100))
		defer s.Close()
		opts := options(s, nil)
		dial := opts.Dial
		drip := false
		opts.Dial = func(ctx context.Context, network, addr string) (netConn, error) {
			conn, err := dial(ctx, network, addr)
			return &slowly{Conn: conn, on: &drip}, err
		}
		c, err := imapclient.Dial(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		drip = true
		start := time.Now()
		got, err := bodies(t.Context(), c, []uint32{1}, 1000)
		if err != nil || len(got) != 1 || time.Since(start) < time.Hour {
			t.Errorf("%v, %v after %v", got, err, time.Since(start))
		}
	})
}
