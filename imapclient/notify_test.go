package imapclient_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// telling is a server with an empty mailbox of each name that offers NOTIFY.
func telling(tb testing.TB, names ...string) *imaptest.Server {
	s := imaptest.Filled(tb, 1, nil)
	for _, name := range names {
		s.AddMailbox(name)
	}
	s.Caps = append(s.Caps, "NOTIFY")
	return s
}

// later appends a message in a minute.
func later(s *imaptest.Server, mailboxes ...string) {
	time.AfterFunc(time.Minute, func() {
		for _, name := range mailboxes {
			s.Append(name, imaptest.Body(1))
		}
	})
}

func TestNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := telling(t, "FBL/Yahoo", "Entw&APw-rfe", "Other"), &recorder{}
		defer s.Close()
		c := session(t, s, h)
		if err := c.Notify(t.Context(), "FBL/Yahoo", "Entwürfe", "inbox"); err != nil {
			t.Fatal(err)
		}
		want(t, sent(s, "NOTIFY"), `NOTIFY SET (selected (MessageNew MessageExpunge FlagChange)) (mailboxes ("FBL/Yahoo" "Entw&APw-rfe" "inbox") (MessageNew MessageExpunge))`)
		idle := func(wake imapclient.Wake, after time.Duration) {
			t.Helper()
			start := time.Now()
			got, err := c.Idle(t.Context(), 4*time.Minute)
			if got != wake || err != nil || time.Since(start) != after {
				t.Errorf("Idle: %v, %v after %v; want %v after %v", got, err, time.Since(start), wake, after)
			}
		}
		later(s, "FBL/Yahoo", "Entw&APw-rfe", "Other")
		idle(imapclient.WakeOther, time.Minute)
		want(t, h.events("mm_status"), "mm_status test/FBL/Yahoo messages 1 uidnext 2")
		idle(imapclient.WakeOther, 0) // the other one, which came as the IDLE ended
		want(t, c.Changed(), "Entwürfe", "FBL/Yahoo")
		want(t, c.Changed())
		idle(imapclient.WakeTimeout, 4*time.Minute)

		// It lasts when another mailbox is opened, and reports the previous one.
		if _, err := c.Examine(t.Context(), "FBL/Yahoo"); err != nil {
			t.Fatal(err)
		}
		later(s, "INBOX")
		idle(imapclient.WakeOther, time.Minute)
		want(t, c.Changed(), "INBOX")
		later(s, "FBL/Yahoo")
		idle(imapclient.WakeExists, time.Minute)
		want(t, c.Changed())

		// Asked for, it is an answer and no news.
		if st, err := c.Status(t.Context(), "INBOX"); err != nil || *st.Messages != 2 {
			t.Errorf("%+v, %v", st, err)
		}
		want(t, c.Changed())
		// News of another mailbox on the way is news all the same.
		s.Hook = at(imaptest.Received, "STATUS", imaptest.Action{Before: "* STATUS \"Entw&APw-rfe\" (MESSAGES 7)\r\n"})
		if st, err := c.Status(t.Context(), "inbox"); err != nil || *st.Messages != 2 {
			t.Errorf("%+v, %v", st, err)
		}
		want(t, c.Changed(), "Entwürfe")

		if err := c.Notify(t.Context()); err != nil {
			t.Fatal(err)
		}
		later(s, "INBOX")
		idle(imapclient.WakeTimeout, 4*time.Minute)
		want(t, sent(s, "NOTIFY")[1:], "NOTIFY NONE")
	})
}

// What rang in a mailbox and was not looked at is not lost by opening another.
func TestNotifyOfTheMailboxBefore(t *testing.T) {
	for _, qresync := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := telling(t, "Other")
			defer s.Close()
			if qresync {
				s.Caps = append(s.Caps, "ENABLE", "QRESYNC")
			}
			c := session(t, s, nil)
			if err := c.Notify(t.Context(), "INBOX", "Other"); err != nil {
				t.Fatal(err)
			}
			s.Append("INBOX", imaptest.Body(2))
			if err := c.Noop(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Examine(t.Context(), "Other"); err != nil {
				t.Fatal(err)
			}
			if wake, err := c.Idle(t.Context(), time.Minute); wake != imapclient.WakeOther || err != nil {
				t.Errorf("Idle: %v, %v", wake, err)
			}
			want(t, c.Changed(), "INBOX")
			if !qresync {
				return
			}
			// It comes while the next one is being opened.
			s.Hook = func(st imaptest.Step) imaptest.Action {
				if st.Command == "EXAMINE" && st.Part == imaptest.Received {
					return imaptest.Action{Before: "* 9 EXISTS\r\n"}
				}
				return imaptest.Action{}
			}
			if sel, err := c.Examine(t.Context(), "INBOX"); err != nil || sel.Exists != 2 {
				t.Fatal(sel, err)
			}
			want(t, c.Changed(), "Other")
		})
	}
}

func TestNoNotify(t *testing.T) {
	refuse := func(text string) func(*imaptest.Server) {
		return func(s *imaptest.Server) {
			s.Hook = at(imaptest.Received, "NOTIFY", imaptest.Action{Do: imaptest.Answer, Text: text})
		}
	}
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprint("FBL/", i)
	}
	for _, test := range []struct {
		name   string
		change func(*imaptest.Server)
		names  []string
		says   string
	}{
		{"not offered", func(s *imaptest.Server) { s.Caps = s.Caps[:len(s.Caps)-1] }, []string{"Other"}, ""},
		{"refused", refuse("NO [BADEVENT (MessageNew)] not that"), []string{"Other"}, "server said NO [BADEVENT (MessageNew)] not that"},
		{"not understood", refuse("BAD what"), []string{"Other"}, "server said BAD what"},
		{"too many, of others", func(s *imaptest.Server) {
			s.Caps = append(s.Caps, "NAMESPACE")
			s.Hook = at(imaptest.Received, "NAMESPACE", imaptest.Action{Do: imaptest.Answer, Before: "* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n", Text: "OK done"})
		}, many, "so many mailboxes must all be under \"INBOX.\", which FBL/0 is not"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := telling(t, "Other")
				test.change(s)
				c := session(t, s, nil)
				err := c.Notify(t.Context(), test.names...)
				if !errors.Is(err, imapclient.ErrNoNotify) || !strings.Contains(err.Error(), test.says) || strings.Count(err.Error(), "imapclient: ") != 1 {
					t.Errorf("error: %v", err)
				}
				if err := c.Noop(t.Context()); err != nil {
					t.Errorf("afterwards: %v", err)
				}
				if c.Changed() != nil {
					t.Error("something has changed")
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c := session(t, telling(t), nil)
		if err := c.Notify(t.Context(), "a\nb"); err == nil || errors.Is(err, imapclient.ErrNoNotify) {
			t.Errorf("no name: %v", err)
		}
	})
}

// A server with too many changes stops NOTIFY (RFC 5465 section 5.8): then every
// mailbox may have changed, and NOTIFY must be sent again.
func TestNotifyOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := telling(t, "A", "B")
		defer s.Close()
		overflows := true
		s.Hook = func(st imaptest.Step) imaptest.Action {
			if st.Part == imaptest.Idling && overflows {
				overflows = false
				return imaptest.Action{Before: "* OK [NOTIFICATIONOVERFLOW] too much\r\n"}
			}
			return imaptest.Action{}
		}
		c := session(t, s, nil)
		if err := c.Notify(t.Context(), "A", "B"); err != nil {
			t.Fatal(err)
		}
		if wake, err := c.Idle(t.Context(), time.Minute); wake != imapclient.WakeOther || err != nil {
			t.Fatal(wake, err)
		}
		want(t, c.Changed(), "A", "B")
		later(s, "B")
		if wake, err := c.Idle(t.Context(), time.Hour); wake != imapclient.WakeOther || err != nil {
			t.Fatal(wake, err)
		}
		want(t, c.Changed(), "B")
		if got := sent(s, "NOTIFY"); len(got) != 2 || got[0] != got[1] {
			t.Errorf("sent %q", got)
		}
	})
	synctest.Test(t, func(t *testing.T) { // and it will not be asked again
		s := telling(t, "A")
		defer s.Close()
		c := session(t, s, nil)
		if err := c.Notify(t.Context(), "A"); err != nil {
			t.Fatal(err)
		}
		s.Hook = func(st imaptest.Step) imaptest.Action {
			switch {
			case st.Command == "NOTIFY" && st.Part == imaptest.Received:
				return imaptest.Action{Do: imaptest.Answer, Text: "NO enough"}
			case st.Command == "NOOP" && st.Part == imaptest.Received:
				return imaptest.Action{Before: "* OK [NOTIFICATIONOVERFLOW] too much\r\n"}
			}
			return imaptest.Action{}
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Idle(t.Context(), time.Minute); !errors.Is(err, imapclient.ErrNoNotify) {
			t.Errorf("refused: %v", err)
		}
		want(t, c.Changed(), "A")
		if wake, err := c.Idle(t.Context(), time.Minute); wake != imapclient.WakeTimeout || err != nil {
			t.Errorf("without: %v, %v", wake, err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // of which nobody wanted to hear
		s := telling(t, "A")
		defer s.Close()
		s.Hook = at(imaptest.Received, "NOOP", imaptest.Action{Before: "* OK [NOTIFICATIONOVERFLOW] too much\r\n* STATUS A (MESSAGES 3)\r\n"})
		c := session(t, s, nil)
		if err := c.Noop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if wake, err := c.Idle(t.Context(), time.Minute); wake != imapclient.WakeTimeout || err != nil || c.Changed() != nil || len(sent(s, "NOTIFY")) != 0 {
			t.Errorf("%v, %v", wake, err)
		}
	})
}
