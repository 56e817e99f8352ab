package imapclient_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

const farAway = 80 * time.Millisecond // there and back

// farSession is INBOX of a server that is far away, open.
func farSession(t *testing.T, s *imaptest.Server) *imapclient.Client {
	opts := options(s, nil)
	opts.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { return far(ctx, s, farAway/2) }
	c, err := imapclient.Dial(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		s.Close()
		time.Sleep(time.Minute)
	})
	if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	return c
}

// A server that gives a message each millisecond is never idle between two FETCHes,
// and never has more than one to answer.
func TestFetchesMeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 6000
		s := imaptest.New()
		var uids []uint32
		for i := range uint32(many) {
			uid := 10_001 + 2*i // so that their sets are long
			s.AppendMessage("INBOX", imaptest.Message{UID: uid, Body: imaptest.Body(int(i))})
			uids = append(uids, uid)
		}
		s.Hook = func(st imaptest.Step) imaptest.Action {
			if st.Command == "UID FETCH" && st.Part == imaptest.Literal {
				time.Sleep(time.Millisecond)
			}
			return imaptest.Action{}
		}
		c := farSession(t, s)
		start, n := time.Now(), 0
		for m, err := range c.Fetch(t.Context(), uids, 1000) {
			if err != nil || m.UID != uids[n] {
				t.Fatal(m, err)
			}
			n++
			m.Release()
		}
		fetches := len(sent(s, "UID FETCH"))
		if took := time.Since(start); n != many || fetches < 5 || took > many*time.Millisecond+farAway+time.Duration(fetches)*5*time.Millisecond {
			t.Errorf("%d messages by %d FETCHes in %v", n, fetches, took)
		}
		running := 0
		for _, line := range s.Transcript() {
			if strings.Contains(line, " UID FETCH ") {
				running++
			}
			if strings.Contains(line, " OK FETCH") {
				running--
			}
			if running > 1 {
				t.Errorf("sent while another one runs: %s", line)
			}
		}
	})
}

// The messages of FetchListed come one round trip after it begins, and behind their list.
func TestFetchListed(t *testing.T) {
	refuse := imaptest.Action{Do: imaptest.Answer, Text: "NO not today"}
	for _, test := range []struct {
		name string
		from uint32
		hook func(imaptest.Step) imaptest.Action
		want int // messages
		err  bool
	}{
		{name: "some", from: 2001, want: 100},
		{name: "more than one FETCH", from: 1, want: 2100},
		{name: "none", from: 3000},
		{name: "SEARCH is refused", from: 1, hook: at(imaptest.Received, "UID SEARCH", refuse), err: true},
		{name: "not all are listed", from: 2001, want: 2, hook: at(imaptest.Data, "UID SEARCH", imaptest.Action{Do: imaptest.Drop, Before: "* SEARCH 2005 2099\r\n"})},
		{name: "nothing is listed", from: 2001, hook: at(imaptest.Data, "UID SEARCH", imaptest.Action{Do: imaptest.Drop, Before: "* SEARCH\r\n"})},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := imaptest.Filled(t, 2100, nil)
				s.Hook = test.hook
				c := farSession(t, s)
				start, n, listed := time.Now(), 0, 0
				var first time.Duration
				var last error
				prefix := func(early bool) int64 { return 1000 }
				for m, err := range c.FetchListed(t.Context(), test.from, 0, prefix, func(uids []uint32, err error) { listed = len(uids) }) {
					if last = err; err != nil {
						break
					}
					if n++; n == 1 {
						first = time.Since(start)
					}
					if n > listed || m.Asked != 1000 || string(m.Body) != string(imaptest.Body(int(m.UID))) {
						t.Errorf("message %d of %d: %+v", n, listed, m)
					}
				}
				if n != test.want || listed != test.want || test.err != errors.As(last, new(*imapclient.ResponseError)) {
					t.Errorf("%d messages, %d listed, want %d; %v", n, listed, test.want, last)
				}
				if first > farAway+20*time.Millisecond {
					t.Errorf("the first after %v", first)
				}
				if err := c.Noop(t.Context()); err != nil {
					t.Errorf("the session afterwards: %v", err)
				}
			})
		})
	}
}

// TestListLate: Dovecot may answer the FETCH before the SEARCH that came first.
func TestListLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			fmt.Fprint(server, "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n")
			search := ""
			for lines := bufio.NewScanner(server); lines.Scan(); {
				tag, command, _ := strings.Cut(lines.Text(), " ")
				switch {
				case strings.HasPrefix(command, "EXAMINE"):
					fmt.Fprint(server, "* 2 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n")
				case strings.HasPrefix(command, "UID SEARCH"):
					search = tag
					continue
				case strings.HasPrefix(command, "UID FETCH"):
					fmt.Fprint(server, "* 1 FETCH (UID 1 BODY[]<0> {3}\r\none)\r\n* 2 FETCH (UID 2 BODY[]<0> {3}\r\ntwo)\r\n")
					time.Sleep(time.Second)
					fmt.Fprintf(server, "%s OK done\r\n* SEARCH 1 2\r\n", tag)
					tag = search
				}
				fmt.Fprintf(server, "%s OK done\r\n", tag)
			}
		}()
		c, err := imapclient.Dial(t.Context(), imapclient.Options{
			Host: "imap.example.com", Security: imapclient.NoTLS, Insecure: true, Login: login,
			Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		var got []string
		prefix := func(bool) int64 { return 1000 }
		for m, err := range c.FetchListed(t.Context(), 1, 0, prefix, func(uids []uint32, err error) { got = append(got, fmt.Sprint(uids)) }) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(m.Body))
		}
		want(t, got, "[1 2]", "one", "two")
	})
}

// A range without a UID has no messages.
func TestFetchListedNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := farSession(t, imaptest.Filled(t, 9, nil))
		prefix := func(bool) int64 { return 1000 }
		for m, err := range c.FetchListed(t.Context(), 5, 3, prefix, func(uids []uint32, _ error) { t.Errorf("listed %d", uids) }) {
			t.Errorf("%+v, %v", m, err)
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Errorf("the session afterwards: %v", err)
		}
	})
}

// After a panic in the function that gets the list the session can be closed.
func TestPanicAtTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := farSession(t, imaptest.Filled(t, 9, nil))
		func() {
			defer func() { recover() }()
			for range c.FetchListed(t.Context(), 1, 0, func(bool) int64 { return 1000 }, func([]uint32, error) { panic("list") }) {
				t.Error("a message")
			}
		}()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}
