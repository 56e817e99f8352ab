package imapclient_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	goimap "github.com/emersion/go-imap/v2/imapclient"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// fact is one thing that servers do, and what comes of it: of go-imap
// v2.0.0-beta.8 by itself, and of us. A fact that go-imap shows no longer fails
// here, and then the way round it is to be looked at.
type fact struct {
	name   string
	server func(s *imaptest.Server) // bends a server of three messages
	goimap string                   // what bare returns; where there is no bare: why
	bare   func(t *testing.T, b *bare) string
	ours   func(t *testing.T, s *imaptest.Server)
}

// What go-imap may come to.
const (
	works    = "works"
	fails    = "fails" // an error, and the session goes on
	dies     = "dies"  // the connection is closed
	hangs    = "hangs" // nothing comes back in a day
	byNature = "design"
)

func TestFacts(t *testing.T) {
	seen := map[string]bool{}
	for _, facts := range [][]fact{
		waitFacts,
		parseFacts,
		fetchFacts,
		commandFacts,
		eventFacts,
		providerFacts,
		nameFacts,
		boundFacts,
		loginFacts,
		wordFacts,
	} {
		for _, f := range facts {
			if seen[f.name] || f.ours == nil || (f.bare == nil) != (f.goimap == byNature) {
				t.Fatalf("%s: not one whole case", f.name)
			}
			seen[f.name] = true
			if f.bare != nil {
				t.Run(f.name+"/go-imap", func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						if got := f.bare(t, &bare{s: f.serve(t)}); got != f.goimap {
							t.Errorf("go-imap: %s, want %s", got, f.goimap)
						}
					})
				})
			}
			t.Run(f.name+"/fblwatch", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f.ours(t, f.serve(t))
				})
			})
		}
	}
}

func (f *fact) serve(t testing.TB) *imaptest.Server {
	s := imaptest.Filled(t, 3, nil)
	if f.server != nil {
		f.server(s)
	}
	return s
}

// bare is go-imap on a connection to a server, without anything of ours.
type bare struct {
	*goimap.Client
	s    *imaptest.Server
	opts goimap.Options
}

// dial connects. The connection ends with the test.
func (b *bare) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := b.s.Dial(t.Context(), "tcp", "imap.example.com:143")
	if err != nil {
		t.Fatal(err)
	}
	b.Client = goimap.New(conn, &b.opts)
	t.Cleanup(func() { conn.Close(); b.s.Close() })
	return conn
}

// login opens a session.
func (b *bare) login(t *testing.T) {
	t.Helper()
	b.dial(t)
	if err := b.Login("user", "pass").Wait(); err != nil {
		t.Fatal(err)
	}
}

// open opens a session and INBOX.
func (b *bare) open(t *testing.T) {
	t.Helper()
	b.login(t)
	if _, err := b.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
}

// comes is what a call comes to. What hangs is freed by the connection's end.
func (b *bare) comes(call func() error) string {
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		synctest.Wait()
		select {
		case <-b.Closed():
			return dies
		default:
		}
		if err != nil {
			return fails
		}
		return works
	case <-time.After(24 * time.Hour):
		return hangs
	}
}

// noop is what a NOOP comes to.
func (b *bare) noop() string { return b.comes(func() error { return b.Noop().Wait() }) }

// silentAt keeps silent from one kind of step on.
func silentAt(part imaptest.Part, command string) func(*imaptest.Server) {
	return func(s *imaptest.Server) { s.Hook = at(part, command, imaptest.Action{Do: imaptest.Silent}) }
}

// expires checks that a call ends by its deadline.
func expires(t *testing.T, after time.Duration, call func() error) {
	t.Helper()
	start := time.Now()
	err := call()
	var timeout *imapclient.TimeoutError
	if !errors.As(err, &timeout) || time.Since(start) != after {
		t.Errorf("%v after %v, want a TimeoutError after %v", err, time.Since(start), after)
	}
}

// intact checks that the three messages can be had.
func intact(t *testing.T, c *imapclient.Client) {
	t.Helper()
	got, err := bodies(t.Context(), c, []uint32{1, 2, 3}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	want(t, got, message(1), message(2), message(3))
}

// waitFacts are of waiting for a server.
var waitFacts = []fact{
	{
		name: "item 1: no context", server: silentAt(imaptest.Received, "NOOP"), goimap: hangs,
		bare: func(t *testing.T, b *bare) string { b.open(t); return b.noop() },
		ours: func(t *testing.T, s *imaptest.Server) {
			c := session(t, s, nil)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			if err := c.Noop(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		},
	},
	{
		name: "item 2: an unanswered NOOP", server: silentAt(imaptest.Received, "NOOP"), goimap: hangs,
		bare: func(t *testing.T, b *bare) string { b.open(t); return b.noop() },
		ours: func(t *testing.T, s *imaptest.Server) {
			c := session(t, s, nil)
			expires(t, time.Minute, func() error { return c.Noop(t.Context()) })
		},
	},
	{
		name: "item 2: no + after IDLE", server: silentAt(imaptest.Received, "IDLE"), goimap: hangs,
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			return b.comes(func() error { _, err := b.Idle(); return err })
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c := session(t, s, nil)
			expires(t, 30*time.Second, func() error { _, err := c.Idle(t.Context(), 4*time.Minute); return err })
		},
	},
	{
		name: "item 2: IDLE on a half-open peer, its Wait", server: silentAt(imaptest.Idling, "IDLE"), goimap: hangs,
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			idle, err := b.Idle()
			if err != nil {
				t.Fatal(err)
			}
			if got := b.comes(idle.Close); got != works { // the facts say it hangs too: only behind 28 minutes
				t.Errorf("Close %s", got)
			}
			return b.comes(idle.Wait)
		},
		ours: halfOpen,
	},
	{
		name: "item 2: IDLE on a half-open peer, its Close after 28 minutes", server: silentAt(imaptest.Idling, "IDLE"), goimap: hangs,
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			idle, err := b.Idle()
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(29 * time.Minute)
			return b.comes(idle.Close)
		},
		ours: halfOpen,
	},
	{
		name: "item 3: IDLE is renewed every 28 minutes only", goimap: "28m0s",
		bare: func(t *testing.T, b *bare) string {
			var first atomic.Int64
			start := time.Now()
			b.s.Hook = func(s imaptest.Step) imaptest.Action {
				if s.Command == "DONE" {
					first.CompareAndSwap(0, int64(time.Since(start)))
				}
				return imaptest.Action{}
			}
			b.open(t)
			if _, err := b.Idle(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			return time.Duration(first.Load()).String()
		},
		ours: func(t *testing.T, s *imaptest.Server) { // a slice is what the caller says
			c := session(t, s, nil)
			start := time.Now()
			for range 5 {
				if wake, err := c.Idle(t.Context(), 4*time.Minute); wake != imapclient.WakeTimeout || err != nil {
					t.Fatal(wake, err)
				}
			}
			if d := time.Since(start); d != 20*time.Minute || len(sent(s, "IDLE")) != 5 {
				t.Errorf("%d IDLEs in %v", len(sent(s, "IDLE")), d)
			}
		},
	},
	{
		name: "item 3: IDLE that the server ends", server: func(s *imaptest.Server) { s.IdleFor = time.Minute }, goimap: dies,
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			idle, err := b.Idle()
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- idle.Wait() }()
			time.Sleep(2 * time.Minute)
			select {
			case err := <-ended:
				t.Errorf("it noticed: %v", err)
			default:
			}
			return b.comes(func() error { idle.Close(); return <-ended })
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c := session(t, s, nil)
			start := time.Now()
			if wake, err := c.Idle(t.Context(), 4*time.Minute); wake != imapclient.WakeEnded || err != nil || time.Since(start) != time.Minute {
				t.Errorf("%v, %v after %v", wake, err, time.Since(start))
			}
			intact(t, c)
		},
	},
}

func halfOpen(t *testing.T, s *imaptest.Server) {
	c := session(t, s, nil)
	expires(t, 4*time.Minute+15*time.Second, func() error {
		if wake, err := c.Idle(t.Context(), 4*time.Minute); wake != imapclient.WakeTimeout || err != nil {
			t.Fatal(wake, err)
		}
		return c.Noop(t.Context())
	})
}
