package imapclient_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2/imapclient"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// saying is a server that says lines ahead of its answer to the first NOOP.
func saying(lines string) func(*imaptest.Server) {
	return func(s *imaptest.Server) {
		var once sync.Once
		s.Hook = func(st imaptest.Step) (a imaptest.Action) {
			if st.Command == "NOOP" && st.Part == imaptest.Tagged {
				once.Do(func() { a.Before = lines })
			}
			return a
		}
	}
}

// told is a line that go-imap ignores, and our event for it.
func told(name, line, event string) fact {
	return fact{
		name: name, server: saying(line + "\r\n"), goimap: "nothing",
		bare: func(t *testing.T, b *bare) string {
			got := "nothing"
			b.opts.UnilateralDataHandler = &goimap.UnilateralDataHandler{
				Expunge: func(uint32) { got = "something" },
				Mailbox: func(*goimap.UnilateralDataMailbox) { got = "something" },
				Fetch:   func(*goimap.FetchMessageData) { got = "something" },
			}
			b.open(t)
			got = "nothing"
			if comes := b.noop(); comes != works {
				return comes
			}
			return got
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			h := &recorder{}
			if err := session(t, s, h).Noop(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(h.text(), event+"\n") {
				t.Errorf("no %q among\n%s", event, h.text())
			}
		},
	}
}

// eventFacts are about lines that a server sends without a command.
var eventFacts = []fact{
	told("item 11: the text of OK", "* OK [ALERT] maintenance tonight", "mm_notify test/INBOX info [ALERT] maintenance tonight"),
	told("item 11: the text of NO", "* NO [ALERT] disk is nearly full", "mm_notify test/INBOX warn [ALERT] disk is nearly full"),
	told("item 11: the text of BAD", "* BAD what was that", "mm_notify test/INBOX error [] what was that"),
	told("item 11: STATUS that nobody asked for", "* STATUS FBL (MESSAGES 4 UIDNEXT 9)", "mm_status test/FBL messages 4 uidnext 9"),
	told("item 11: LIST that nobody asked for", `* LIST (\NonExistent) "/" FBL`, `mm_list FBL '/' [\NonExistent]`),
	{
		name: "item 11: the text of BYE", goimap: dies + " of unexpected EOF",
		server: func(s *imaptest.Server) {
			s.Hook = at(imaptest.Received, "NOOP", imaptest.Bye("[UNAVAILABLE] going down"))
		},
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			var err error
			got := b.comes(func() error { err = b.Noop().Wait(); return err })
			return fmt.Sprint(got, " of ", err)
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			var bye *imapclient.ByeError
			err := session(t, s, nil).Noop(t.Context())
			if !errors.As(err, &bye) || bye.Code != "UNAVAILABLE" || bye.Text != "going down" || !errors.Is(err, imapclient.ErrTemporary) {
				t.Errorf("error: %v", err)
			}
		},
	},
	{
		name: "item 11: READ-ONLY", goimap: "not a word",
		server: func(s *imaptest.Server) {
			s.Hook = at(imaptest.Tagged, "SELECT", imaptest.Action{Do: imaptest.Answer, Text: "OK [READ-ONLY] SELECT completed"})
		},
		bare: func(t *testing.T, b *bare) string {
			b.login(t)
			data, err := b.Select("INBOX", nil).Wait()
			if err != nil {
				t.Fatal(err)
			}
			if all := strings.ToLower(fmt.Sprintf("%+v %+v", *data, *b.Mailbox())); strings.Contains(all, "only") {
				return all
			}
			return "not a word"
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c := dialed(t, s, nil)
			if sel, err := c.Select(t.Context(), "INBOX"); err != nil || !sel.ReadOnly {
				t.Errorf("%+v, %v", sel, err)
			}
			if err := c.Store(t.Context(), []uint32{1}, `\Seen`); !errors.Is(err, imapclient.ErrReadOnly) || sent(s, "UID STORE") != nil {
				t.Errorf("error: %v", err)
			}
		},
	},
	{
		name: "item 11: flags out of order", goimap: "[2 1]",
		server: saying("* 1 FETCH (UID 1 FLAGS (a))\r\n* 2 FETCH (UID 2 FLAGS (b))\r\n"),
		bare: func(t *testing.T, b *bare) string {
			var mu sync.Mutex
			var order []uint32
			b.opts.UnilateralDataHandler = &goimap.UnilateralDataHandler{Fetch: func(m *goimap.FetchMessageData) {
				if m.SeqNum == 1 {
					time.Sleep(time.Second)
				}
				for m.Next() != nil {
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, m.SeqNum)
			}}
			b.open(t)
			if got := b.noop(); got != works {
				return got
			}
			time.Sleep(time.Minute)
			mu.Lock()
			defer mu.Unlock()
			return fmt.Sprint(order)
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			h := &slowFlags{}
			if err := session(t, s, h).Noop(t.Context()); err != nil {
				t.Fatal(err)
			}
			want(t, h.events("mm_flags"), "mm_flags test/INBOX seq 1 uid 1 [a]", "mm_flags test/INBOX seq 2 uid 2 [b]")
		},
	},
	{
		name: "item 11: a command in a handler", goimap: hangs, server: saying("* 9 EXISTS\r\n"),
		bare: func(t *testing.T, b *bare) string {
			got, free := make(chan string, 1), make(chan bool)
			armed := false
			b.opts.UnilateralDataHandler = &goimap.UnilateralDataHandler{Mailbox: func(*goimap.UnilateralDataMailbox) {
				if !armed {
					return
				}
				done := make(chan error, 1)
				go func() { done <- b.Noop().Wait() }()
				select {
				case <-done:
					got <- works
				case <-time.After(24 * time.Hour):
					got <- hangs
				}
				<-free
			}}
			b.open(t)
			armed = true
			b.Noop()
			defer close(free)
			return <-got
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			h := &caller{}
			c := session(t, s, h)
			h.c = c
			if err := c.Noop(t.Context()); err != nil || len(h.errs) != 9 {
				t.Fatalf("%v, called back %d times", err, len(h.errs))
			}
			for _, err := range h.errs {
				if !errors.Is(err, imapclient.ErrLocked) {
					t.Errorf("called back: %v", err)
				}
			}
			intact(t, c)
		},
	},
	{
		name: "item 11: a panic in a handler", goimap: dies, server: saying("* 3 EXPUNGE\r\n"),
		bare: func(t *testing.T, b *bare) string { // swallowed, and nobody knows why it died
			b.opts.UnilateralDataHandler = &goimap.UnilateralDataHandler{Expunge: func(uint32) { panic("handler") }}
			b.open(t)
			return b.noop()
		},
		ours: func(t *testing.T, s *imaptest.Server) { // through to whoever ran it
			c := session(t, s, panicker{})
			got := func() (got any) {
				defer func() { got = recover() }()
				return c.Noop(t.Context())
			}()
			if got != "handler" {
				t.Errorf("recovered %v", got)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		},
	},
}

// slowFlags takes its time over the flags of the first message.
type slowFlags struct{ recorder }

func (h *slowFlags) Flags(m callbacks.Mailbox, seq, uid uint32, flags []string) {
	if seq == 1 {
		time.Sleep(time.Second)
	}
	h.recorder.Flags(m, seq, uid, flags)
}
