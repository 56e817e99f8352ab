package imapclient_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// writes keeps what each Write had.
type writes struct {
	net.Conn
	mu   sync.Mutex
	each []string
}

func (w *writes) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.each = append(w.each, string(p))
	w.mu.Unlock()
	return w.Conn.Write(p)
}

// far is a connection on which everything takes a while, in either direction.
func far(ctx context.Context, s *imaptest.Server, oneWay time.Duration) (net.Conn, error) {
	there, err := s.Dial(ctx, "tcp", "far")
	if err != nil {
		return nil, err
	}
	client, here := net.Pipe()
	carry := func(to, from net.Conn) {
		type parcel struct {
			b  []byte
			at time.Time
		}
		road := make(chan parcel, 1000)
		go func() {
			defer close(road)
			for {
				b := make([]byte, 64<<10)
				n, err := from.Read(b)
				if err != nil {
					return
				}
				road <- parcel{b[:n], time.Now().Add(oneWay)}
			}
		}()
		go func() {
			defer to.Close()
			for p := range road {
				time.Sleep(time.Until(p.at))
				if _, err := to.Write(p.b); err != nil {
					from.Close()
				}
			}
		}()
	}
	carry(there, here)
	carry(here, there)
	return client, nil
}

// The message is in hand one round trip after its EXISTS, by one write.
func TestFetchRightBehindDone(t *testing.T) {
	const oneWay = 40 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		var conn *writes
		opts := options(s, nil)
		opts.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			c, err := far(ctx, s, oneWay)
			conn = &writes{Conn: c}
			return conn, err
		}
		c, err := imapclient.Dial(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		for uid := range uint32(3) {
			var came time.Time
			time.AfterFunc(time.Minute, func() { came = time.Now(); s.Append("INBOX", imaptest.Body(int(uid)+2)) })
			if wake, err := c.Idle(t.Context(), 4*time.Minute); wake != imapclient.WakeExists || err != nil {
				t.Fatal(wake, err)
			}
			rang := time.Now()
			for m, err := range c.FetchFrom(t.Context(), uid+2, 1000) {
				if err != nil || string(m.Body) != string(imaptest.Body(int(uid)+2)) {
					t.Fatal(m, err)
				}
				if rang.Sub(came) != oneWay || time.Since(rang) != 2*oneWay {
					t.Errorf("rang after %v, the message %v later; one way takes %v", rang.Sub(came), time.Since(rang), oneWay)
				}
			}
			if last := conn.each[len(conn.each)-1]; !strings.HasPrefix(last, "DONE\r\nW") || !strings.Contains(last, " UID FETCH ") || strings.Count(last, "\r\n") != 2 {
				t.Errorf("written in one: %q", last)
			}
		}
		c.Close()
		s.Close()
		time.Sleep(time.Minute)
	})
}

// Until something else is sent the server idles on, and is heard.
func TestIdleUntilTheNextCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := imaptest.Filled(t, 1, nil), &recorder{}
		c := session(t, s, h)
		time.AfterFunc(time.Minute, func() { s.Append("INBOX", imaptest.Body(2)) })
		if wake, err := c.Idle(t.Context(), 4*time.Minute); wake != imapclient.WakeExists || err != nil {
			t.Fatal(wake, err)
		}
		s.Append("INBOX", imaptest.Body(3))
		time.Sleep(20 * time.Minute) // longer than any deadline: nobody is owed anything
		if lines := s.Transcript(); lines[len(lines)-1] != "1 S: * 3 EXISTS" || slices.Contains(lines, "1 C: DONE") {
			t.Errorf("the dialogue ends %q", lines[len(lines)-3:])
		}
		if wake, err := c.Idle(t.Context(), 4*time.Minute); wake != imapclient.WakeExists || err != nil { // at once
			t.Fatal(wake, err)
		}
		if wake, err := c.Idle(t.Context(), 4*time.Minute); wake != imapclient.WakeTimeout || err != nil { // a new one
			t.Fatal(wake, err)
		}
		if got := sent(s, "IDLE"); len(got) != 2 {
			t.Errorf("%d IDLEs", len(got))
		}
		want(t, h.events("mm_exists"), "mm_exists test/INBOX 1", "mm_exists test/INBOX 2", "mm_exists test/INBOX 3")
		if err := c.Logout(t.Context()); err != nil {
			t.Fatal(err)
		}
		lines := s.Transcript()
		if at := slices.Index(lines, "1 C: W6 LOGOUT"); at < 1 || !slices.Contains(lines[:at], "1 C: DONE") {
			t.Errorf("the dialogue ends %q", lines[len(lines)-6:])
		}
	})
}

// The server ends IDLE before we get to say DONE: then there is none to say.
func TestEndedBeforeDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		s.IdleFor = 2 * time.Minute
		c := session(t, s, nil)
		if wake, err := c.Idle(t.Context(), time.Minute); wake != imapclient.WakeTimeout || err != nil {
			t.Fatal(wake, err)
		}
		time.Sleep(time.Hour)
		if got, err := bodies(t.Context(), c, []uint32{1}, 1000); err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		if wake, err := c.Idle(t.Context(), time.Minute); wake != imapclient.WakeTimeout || err != nil {
			t.Fatal(wake, err)
		}
		if got := s.Transcript(); slices.Contains(got, "1 C: DONE") {
			t.Errorf("DONE to a server that does not idle:\n%s", strings.Join(got, "\n"))
		}
	})
}
