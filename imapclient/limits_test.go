package imapclient_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// caller calls back into its Client at every event.
type caller struct {
	callbacks.Nop
	c    *imapclient.Client
	errs []error
}

func (h *caller) Exists(callbacks.Mailbox, uint32) {
	if h.c == nil {
		return
	}
	ctx := context.Background()
	_, e1 := h.c.Search(ctx, 1, 0)
	_, e2 := h.c.Examine(ctx, "INBOX")
	_, e3 := h.c.List(ctx, "*")
	_, e4 := h.c.Status(ctx, "INBOX")
	_, e5 := h.c.Idle(ctx, time.Minute)
	h.errs = append(h.errs, e1, e2, e3, e4, e5, h.c.Noop(ctx), h.c.Logout(ctx), h.c.Close())
	for _, err := range h.c.Fetch(ctx, []uint32{1}, 10) {
		h.errs = append(h.errs, err)
	}
}

func TestHandlersMustNotCallBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := imaptest.Filled(t, 1, nil), &caller{}
		c := session(t, s, h)
		h.c = c
		s.Append("INBOX", imaptest.Body(2))
		if err := c.Noop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(h.errs) != 9 || slices.ContainsFunc(h.errs, func(err error) bool { return !errors.Is(err, imapclient.ErrLocked) }) {
			t.Errorf("calls from a Handler: %v", h.errs)
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// More events than the queue holds, while the owner sleeps: none is lost, and
// the order is the server's.
func TestManyEventsAndASlowHandler(t *testing.T) {
	const events = 3000
	synctest.Test(t, func(t *testing.T) {
		var lines, wanted strings.Builder
		for n := range events {
			fmt.Fprintf(&lines, "* %d EXISTS\r\n", n+10)
			fmt.Fprintf(&wanted, "mm_exists test/INBOX %d\n", n+10)
		}
		s, h := imaptest.Filled(t, 1, nil), &slow{}
		s.Hook = at(imaptest.Received, "NOOP", imaptest.Action{Before: lines.String()})
		c := session(t, s, h)
		h.delay = time.Second
		start := time.Now()
		if err := c.Noop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != events*time.Second {
			t.Errorf("took %v", d)
		}
		if !strings.HasSuffix(h.text(), wanted.String()) {
			t.Error("events lost or out of order")
		}
	})
}

// Lines that come between two commands wait for the next one.
func TestEventsBetweenCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines strings.Builder
		for n := range 3000 {
			fmt.Fprintf(&lines, "* %d EXISTS\r\n", n+10)
		}
		s, h := imaptest.Filled(t, 1, nil), &recorder{}
		s.Hook = at(imaptest.Tagged, "NOOP", imaptest.Action{Behind: lines.String()})
		c := session(t, s, h)
		if err := c.Noop(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if wake, err := c.Idle(t.Context(), time.Minute); wake != imapclient.WakeExists || err != nil {
			t.Fatal(wake, err)
		}
		if _, err := c.Search(t.Context(), 1, 0); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(h.text(), "mm_exists"); n != 3001 || !strings.Contains(h.text(), "INBOX 3009\n") {
			t.Errorf("%d events", n)
		}
	})
}

// The session goes on after a NO to a FETCH, and no message is called gone.
func TestRefusedFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 3, nil)
		refuse := true
		s.Hook = func(st imaptest.Step) imaptest.Action {
			if refuse && st.Command == "UID FETCH" && st.Part == imaptest.Data && st.UID == 2 {
				return imaptest.Action{Do: imaptest.Answer, Text: "NO [SERVERBUG] cannot read that message"}
			}
			return imaptest.Action{}
		}
		c := session(t, s, nil)
		got, err := bodies(t.Context(), c, []uint32{1, 2, 3}, 1000)
		var re *imapclient.ResponseError
		if !errors.As(err, &re) || re.Command != "UID FETCH" || re.Status != "NO" || re.Code != "SERVERBUG" {
			t.Errorf("error: %v", err)
		}
		want(t, got, message(1))
		refuse = false
		got, err = bodies(t.Context(), c, []uint32{2, 3}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		want(t, got, message(2), message(3))
	})
}

func TestDescendingServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 3, nil)
		s.Descending = true
		c := session(t, s, nil)
		got, err := bodies(t.Context(), c, []uint32{1, 2, 3}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		want(t, got, message(3), message(2), message(1))
	})
}

// Leaving the loop ends the session, and waits for all of it.
func TestLeavingTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 2500, nil)
		c := session(t, s, nil)
		for range c.FetchFrom(t.Context(), 1, 1000) {
			break
		}
		if err := c.Noop(t.Context()); !errors.Is(err, imapclient.ErrClosed) {
			t.Errorf("afterwards: %v", err)
		}
		synctest.Wait()
		if s.Open() != 0 {
			t.Error("the connection is open")
		}
	})
}

func TestSelectedAndRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 2, nil)
		c := session(t, s, nil)
		got, err := c.Examine(t.Context(), "INBOX")
		if want := (imapclient.Selected{UIDValidity: 1, UIDNext: 3, Exists: 2, ReadOnly: true}); got != want || err != nil {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
		var re *imapclient.ResponseError
		if _, err := c.Examine(t.Context(), "Missing"); !errors.As(err, &re) || re.Code != "NONEXISTENT" {
			t.Errorf("a missing mailbox: %v", err)
		}
		if _, err := c.Status(t.Context(), "Missing"); !errors.As(err, &re) {
			t.Errorf("its status: %v", err)
		}
		for _, name := range []string{"", "a\r\nb", strings.Repeat("x", 1001)} {
			if _, err := c.Examine(t.Context(), name); err == nil || len(err.Error()) > 200 {
				t.Errorf("Examine(%.20q): %v", name, err)
			}
		}
		st, err := c.Status(t.Context(), "inbox")
		if err != nil || st.Messages == nil || *st.Messages != 2 || *st.UIDNext != 3 {
			t.Errorf("Status: %+v, %v", st, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		s.Hook = func(st imaptest.Step) imaptest.Action {
			if strings.HasPrefix(st.Text, "* OK [UIDVALIDITY") {
				return imaptest.Action{Do: imaptest.Drop}
			}
			return imaptest.Action{}
		}
		c, err := imapclient.Dial(t.Context(), options(s, nil))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		defer c.Close()
		if _, err := c.Examine(t.Context(), "INBOX"); !errors.Is(err, imapclient.ErrUIDValidity) {
			t.Errorf("no UIDVALIDITY: %v", err)
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		s.Hook = at(imaptest.Received, "NOOP", imaptest.Action{Before: "* OK [UIDVALIDITY 2] surprise\r\n"})
		c := session(t, s, nil)
		if err := c.Noop(t.Context()); err == nil {
			err = c.Noop(t.Context())
			if !errors.Is(err, imapclient.ErrUIDValidity) {
				t.Errorf("UIDVALIDITY changed: %v", err)
			}
		} else if !errors.Is(err, imapclient.ErrUIDValidity) {
			t.Errorf("UIDVALIDITY changed: %v", err)
		}
	})
}

// "n:*" names the last message, whatever its UID.
func TestSearchBeyondTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := session(t, imaptest.Filled(t, 3, nil), nil)
		for _, test := range []struct {
			lo, hi uint32
			want   string
		}{{1, 0, "[1 2 3]"}, {0, 0, "[1 2 3]"}, {0, 2, "[1 2]"}, {2, 0, "[2 3]"}, {4, 0, "[]"}, {2, 2, "[2]"}, {7, 9, "[]"}} {
			got, err := c.Search(t.Context(), test.lo, test.hi)
			if err != nil || fmt.Sprint(got) != test.want {
				t.Errorf("%d:%d: %v, %v, want %s", test.lo, test.hi, got, err, test.want)
			}
		}
	})
}

func TestIdleEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		s.IdleFor = time.Minute
		c := session(t, s, nil)
		start := time.Now()
		if wake, err := c.Idle(t.Context(), 4*time.Minute); wake != imapclient.WakeEnded || err != nil || time.Since(start) != time.Minute {
			t.Errorf("ended by the server: %v, %v after %v", wake, err, time.Since(start))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s, h := imaptest.Filled(t, 1, nil), &recorder{}
		s.Hook = at(imaptest.Received, "IDLE", imaptest.Action{Do: imaptest.Answer, Text: "BAD what is that"})
		c := session(t, s, h)
		if _, err := c.Idle(t.Context(), time.Minute); !errors.Is(err, imapclient.ErrNoIdle) || !strings.Contains(err.Error(), "BAD what is that") {
			t.Errorf("refused: %v", err)
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		time.Sleep(time.Hour)
		if err := c.Noop(t.Context()); err != nil {
			t.Errorf("an hour later: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		s.Hook = at(imaptest.Continue, "IDLE", imaptest.Action{Before: "* 2 EXISTS\r\n"})
		c := session(t, s, nil)
		start := time.Now()
		if wake, err := c.Idle(t.Context(), time.Hour); wake != imapclient.WakeExists || err != nil || time.Since(start) > time.Second {
			t.Errorf("EXISTS ahead of +: %v, %v after %v", wake, err, time.Since(start))
		}
		time.Sleep(time.Hour)
		if err := c.Noop(t.Context()); err != nil {
			t.Errorf("an hour later: %v", err)
		}
		if c.Rang() {
			t.Error("rang twice")
		}
	})
}

// TestInsecureBeforeDialing: an address that is surely remote is refused before
// anything is connected.
func TestInsecureBeforeDialing(t *testing.T) {
	dialed := false
	_, err := imapclient.Dial(t.Context(), imapclient.Options{
		Host: "192.0.2.1", Security: imapclient.NoTLS, Login: login,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			dialed = true
			return nil, errors.New("not to be reached")
		},
	})
	if !errors.Is(err, imapclient.ErrInsecure) || dialed {
		t.Errorf("%v, dialed %v; want ErrInsecure and no connection", err, dialed)
	}
}

// TestHugeList: a list far beyond any mailbox's flags is cut, so that a
// thousand waiting events stay small.
func TestHugeList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Command == "NOOP" && step.Part == imaptest.Tagged {
				return imaptest.Action{Before: `* 1 FETCH (UID 1 FLAGS (\Seen ` + strings.Repeat("keyword ", 100_000) + "))\r\n"}
			}
			return imaptest.Action{}
		}
		r := &flagCounter{}
		c := session(t, s, r)
		if err := c.Noop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r.first != `\Seen` || r.octets > 8<<10 || r.octets < 4<<10 {
			t.Errorf("first flag %q, %d octets of flags", r.first, r.octets)
		}
	})
}

type flagCounter struct {
	callbacks.Nop
	first  string
	octets int
}

func (f *flagCounter) Flags(_ callbacks.Mailbox, _, _ uint32, flags []string) {
	f.first = flags[0]
	for _, flag := range flags {
		f.octets += len(flag)
	}
}
