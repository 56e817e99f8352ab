package imapclient_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// recorder writes every event down under its c-client name.
type recorder struct {
	callbacks.Nop
	mu    sync.Mutex
	lines []string
}

func (r *recorder) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n") + "\n"
}

func (r *recorder) Exists(m callbacks.Mailbox, n uint32) { r.add("mm_exists %s %d", m, n) }
func (r *recorder) Expunged(m callbacks.Mailbox, seq, uid uint32) {
	r.add("mm_expunged %s seq %d uid %d", m, seq, uid)
}
func (r *recorder) Flags(m callbacks.Mailbox, seq, uid uint32, flags []string) {
	r.add("mm_flags %s seq %d uid %d %v", m, seq, uid, flags)
}
func (r *recorder) Searched(m callbacks.Mailbox, uid uint32) { r.add("mm_searched %s %d", m, uid) }
func (r *recorder) List(mailbox string, delim rune, attrs []string) {
	r.add("mm_list %s %q %v", mailbox, delim, attrs)
}
func (r *recorder) LSub(mailbox string, delim rune, attrs []string) {
	r.add("mm_lsub %s %q %v", mailbox, delim, attrs)
}
func (r *recorder) Status(m callbacks.Mailbox, st callbacks.Status) {
	r.add("mm_status %s messages %s uidnext %s", m, num(st.Messages), num(st.UIDNext))
}
func (r *recorder) Notify(m callbacks.Mailbox, l callbacks.Level, code, text string) {
	r.add("mm_notify %s %s [%s] %s", m, l, code, text)
}
func (r *recorder) Log(l callbacks.Level, text string) { r.add("mm_log %s %s", l, text) }
func (r *recorder) Debug(line string)                  { r.add("mm_dlog %s", line) }

func num(n *uint32) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

func login(_ context.Context, ch imapclient.Challenge) (imapclient.Credentials, error) {
	if ch.Trial > 1 {
		return imapclient.Credentials{}, ch.Last
	}
	return imapclient.Credentials{Username: "user", Password: "pass"}, nil
}

// options lead to the scripted server.
func options(s *imaptest.Server, h callbacks.Handler) imapclient.Options {
	return imapclient.Options{
		Account: "test", Host: "imap.example.com", Security: imapclient.NoTLS, Insecure: true,
		Login: login, Handler: h, Dial: s.Dial,
	}
}

// session is a client with INBOX open. Both ends are closed with the test.
func session(t *testing.T, s *imaptest.Server, h callbacks.Handler) *imapclient.Client {
	t.Helper()
	c, err := imapclient.Dial(t.Context(), options(s, h))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	return c
}

// bodies fetches and returns "uid body" in the order of the answer.
func bodies(ctx context.Context, c *imapclient.Client, uids []uint32, prefix int64) ([]string, error) {
	var got []string
	for m, err := range c.Fetch(ctx, uids, prefix) {
		if err != nil {
			return got, err
		}
		what := string(m.Body)
		switch {
		case m.Withheld:
			what = "withheld"
		case m.Gone:
			what = "gone"
		case m.Bodyless:
			what = "bodyless"
		}
		got = append(got, fmt.Sprintf("%d %q", m.UID, what))
		m.Release()
	}
	return got, nil
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func TestFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := session(t, imaptest.Filled(t, 3, nil), nil)
		uids, err := c.Search(t.Context(), 1, 0)
		if err != nil || fmt.Sprint(uids) != "[1 2 3]" {
			t.Fatalf("Search: %v, %v", uids, err)
		}
		for m, err := range c.Fetch(t.Context(), []uint32{2}, 12) {
			if err != nil {
				t.Fatal(err)
			}
			if want := time.Date(2026, 1, 1, 0, 2, 0, 0, time.UTC); !m.InternalDate.Equal(want) {
				t.Errorf("InternalDate %v, want %v", m.InternalDate, want)
			}
			if m.Size != int64(len(imaptest.Body(2))) {
				t.Errorf("Size %d, want %d", m.Size, len(imaptest.Body(2)))
			}
			if string(m.Body) != "Subject: mai" {
				t.Errorf("Body %q, want its first 12 octets", m.Body)
			}
			if _, err := c.Search(t.Context(), 1, 0); !errors.Is(err, imapclient.ErrLocked) {
				t.Errorf("a call from within the loop: %v, want ErrLocked", err)
			}
		}
		got, err := bodies(t.Context(), c, []uint32{1, 2, 3, 9}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		want(t, got, fmt.Sprintf("1 %q", imaptest.Body(1)), fmt.Sprintf("2 %q", imaptest.Body(2)), fmt.Sprintf("3 %q", imaptest.Body(3)), `9 "gone"`)
	})
}

func TestOctetsAndSelectable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		s.AddMailbox("Archive", `\NoSelect`)
		c := session(t, s, nil)
		before := c.Stats().In
		lists, err := c.List(t.Context(), "*")
		if err != nil || len(lists) != 2 || !lists[0].Selectable() || lists[1].Selectable() {
			t.Fatal(lists, err)
		}
		if got, want := c.Stats().In-before, len("* LIST () \"/\" \"INBOX\"\r\n* LIST (\\NoSelect) \"/\" \"Archive\"\r\nT2 OK LIST completed\r\n"); got != int64(want) {
			t.Errorf("%d octets read, want %d", got, want)
		}
	})
}

func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		c := session(t, s, nil)
		start := time.Now()
		if wake, err := c.Idle(t.Context(), 4*time.Minute); wake != imapclient.WakeTimeout || err != nil {
			t.Fatalf("Idle: %v, %v; want WakeTimeout", wake, err)
		}
		if d := time.Since(start); d != 4*time.Minute {
			t.Errorf("a slice took %v", d)
		}
		go func() {
			time.Sleep(time.Minute)
			s.Append("INBOX", imaptest.Body(2))
		}()
		if wake, err := c.Idle(t.Context(), 4*time.Minute); wake != imapclient.WakeExists || err != nil {
			t.Fatalf("Idle: %v, %v; want WakeExists", wake, err)
		}
		var got []string
		for m, err := range c.FetchFrom(t.Context(), 2, 1000) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(m.Body))
		}
		want(t, got, string(imaptest.Body(2)))
		for m, err := range c.FetchFrom(t.Context(), 3, 1000) {
			t.Errorf("nothing is above 2, got %v %v", m, err)
		}
	})
}

// trials log in with one password after the other.
func trials(passwords ...imapclient.Secret) func(context.Context, imapclient.Challenge) (imapclient.Credentials, error) {
	return func(_ context.Context, ch imapclient.Challenge) (imapclient.Credentials, error) {
		if ch.Trial > len(passwords) {
			return imapclient.Credentials{}, ch.Last
		}
		return imapclient.Credentials{Username: "user", Password: passwords[ch.Trial-1]}, nil
	}
}
