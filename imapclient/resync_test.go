package imapclient_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// syncing is a server with n messages that offers QRESYNC.
func syncing(tb testing.TB, n int) *imaptest.Server {
	s := imaptest.Filled(tb, n, nil)
	s.AddMailbox("Other")
	s.Caps = append(s.Caps, "ENABLE", "CONDSTORE", "QRESYNC")
	return s
}

// dialed is a client whose connection is closed with the test.
func dialed(t *testing.T, s *imaptest.Server, h callbacks.Handler) *imapclient.Client {
	t.Helper()
	c, err := imapclient.Dial(t.Context(), options(s, h))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// sent lists the commands that begin so, without their tags.
func sent(s *imaptest.Server, beginnings ...string) []string {
	var commands []string
	for _, line := range s.Transcript() {
		if _, command, ok := strings.Cut(line, " C: "); ok {
			_, command, _ = strings.Cut(command, " ")
			if slices.ContainsFunc(beginnings, func(b string) bool { return strings.HasPrefix(command, b) }) {
				commands = append(commands, command)
			}
		}
	}
	return commands
}

// events lists those that begin so.
func (r *recorder) events(beginnings ...string) []string {
	var events []string
	for line := range strings.Lines(r.text()) {
		if slices.ContainsFunc(beginnings, func(b string) bool { return strings.HasPrefix(line, b) }) {
			events = append(events, strings.TrimSuffix(line, "\n"))
		}
	}
	return events
}

// Changes without a connection are reported after the next one.
func TestResync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := syncing(t, 5), &recorder{}
		defer s.Close()
		c := dialed(t, s, h)
		first, err := c.ExamineSince(t.Context(), "INBOX", imapclient.Since{})
		if err != nil || first.HighestModSeq != 6 || first.Resynced || c.HighestModSeq() != 6 {
			t.Fatalf("%+v, %v", first, err)
		}
		s.Expunge("INBOX", 5) // while connected: by its UID, as QRESYNC is on
		if err := c.Noop(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(t, h.events("mm_expunged"), "mm_expunged test/INBOX seq 0 uid 5")
		c.Close()

		s.Expunge("INBOX", 2)
		s.SetFlags("INBOX", 3, `\Seen`, "$Junk")
		s.Append("INBOX", imaptest.Body(6))
		s.SetFlags("INBOX", 6, `\Flagged`) // not known then
		h = &recorder{}
		c = dialed(t, s, h)
		again, err := c.SelectSince(t.Context(), "INBOX", imapclient.Since{UIDValidity: 1, ModSeq: first.HighestModSeq, UID: 5})
		if err != nil || !again.Resynced || again.HighestModSeq != 11 || again.ReadOnly || again.Exists != 4 || again.UIDNext != 7 {
			t.Errorf("%+v, %v", again, err)
		}
		want(t, h.events("mm_expunged", "mm_flags"),
			"mm_expunged test/INBOX seq 0 uid 5", "mm_expunged test/INBOX seq 0 uid 2", `mm_flags test/INBOX seq 2 uid 3 [\Seen $Junk]`)
		want(t, sent(s, "ENABLE", "EXAMINE", "SELECT"),
			"ENABLE QRESYNC", "EXAMINE INBOX", "ENABLE QRESYNC", `SELECT "INBOX" (QRESYNC (1 6 1:5))`)
		got, err := bodies(t.Context(), c, []uint32{1, 2, 6}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		want(t, got, message(1), message(6), `2 "gone"`)
		// Once on, it stays on.
		if _, err := c.ExamineSince(t.Context(), "Other", imapclient.Since{}); err != nil {
			t.Fatal(err)
		}
		if got := sent(s, "ENABLE"); len(got) != 2 {
			t.Errorf("sent %q", got)
		}
	})
}

// A server that does not know the changes says so.
func TestNoResync(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*imaptest.Server)
		since  imapclient.Since
		sent   []string
		modSeq uint64
	}{
		{"not offered", func(s *imaptest.Server) { s.Caps = s.Caps[:len(s.Caps)-1] }, imapclient.Since{UIDValidity: 1, ModSeq: 2, UID: 3}, []string{"EXAMINE INBOX"}, 0},
		{"ENABLE not offered", func(s *imaptest.Server) {
			s.Caps = slices.DeleteFunc(s.Caps, func(c string) bool { return c == "ENABLE" })
		}, imapclient.Since{UIDValidity: 1, ModSeq: 2, UID: 3}, []string{"EXAMINE INBOX"}, 4},
		{"ENABLE refused", func(s *imaptest.Server) {
			s.Hook = at(imaptest.Received, "ENABLE", imaptest.Action{Do: imaptest.Answer, Text: "BAD no"})
		}, imapclient.Since{UIDValidity: 1, ModSeq: 2, UID: 3}, []string{"ENABLE QRESYNC", "EXAMINE INBOX"}, 4},
		{"not enabled", func(s *imaptest.Server) {
			s.Hook = at(imaptest.Received, "ENABLE", imaptest.Action{Do: imaptest.Answer, Before: "* ENABLED\r\n", Text: "OK no"})
		}, imapclient.Since{UIDValidity: 1, ModSeq: 2, UID: 3}, []string{"ENABLE QRESYNC", "EXAMINE INBOX"}, 4},
		{"ENABLED, but nobody asked", func(s *imaptest.Server) {
			s.Caps = s.Caps[:len(s.Caps)-1]
			s.Hook = at(imaptest.Received, "EXAMINE", imaptest.Action{Before: "* ENABLED QRESYNC\r\n"})
		}, imapclient.Since{UIDValidity: 1, ModSeq: 2, UID: 3}, []string{"EXAMINE INBOX"}, 0},
		{"another UIDVALIDITY", func(s *imaptest.Server) { s.SetUIDValidity("INBOX", 7) }, imapclient.Since{UIDValidity: 1, ModSeq: 2, UID: 3}, []string{"ENABLE QRESYNC", `EXAMINE "INBOX" (QRESYNC (1 2 1:3))`}, 4},
		{"a state of long before", func(s *imaptest.Server) {}, imapclient.Since{UIDValidity: 1, ModSeq: 99, UID: 3}, []string{"ENABLE QRESYNC", `EXAMINE "INBOX" (QRESYNC (1 99 1:3))`}, 4},
		{"no state kept", func(s *imaptest.Server) {
			s.Hook = func(st imaptest.Step) imaptest.Action {
				if strings.Contains(st.Text, "[HIGHESTMODSEQ") {
					return imaptest.Action{Do: imaptest.Drop, Before: "* OK [NOMODSEQ] none here\r\n"}
				}
				return imaptest.Action{}
			}
		}, imapclient.Since{UIDValidity: 1, ModSeq: 2}, []string{"ENABLE QRESYNC", `EXAMINE "INBOX" (QRESYNC (1 2))`}, 0},
		{"a state beyond 63 bits", func(s *imaptest.Server) {
			s.Hook = func(st imaptest.Step) imaptest.Action {
				if strings.Contains(st.Text, "[HIGHESTMODSEQ") {
					return imaptest.Action{Do: imaptest.Drop, Before: "* OK [HIGHESTMODSEQ 9223372036854775808] much\r\n"}
				}
				return imaptest.Action{}
			}
		}, imapclient.Since{}, []string{"ENABLE QRESYNC", "EXAMINE INBOX"}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := syncing(t, 3)
				defer s.Close()
				test.change(s)
				c := dialed(t, s, nil)
				sel, err := c.ExamineSince(t.Context(), "INBOX", test.since)
				if err != nil || sel.Resynced || sel.Exists != 3 || sel.HighestModSeq != test.modSeq {
					t.Errorf("%+v, %v", sel, err)
				}
				want(t, sent(s, "ENABLE", "EXAMINE"), test.sent...)
			})
		})
	}
}

// What the mailbox before still says on the way is not said of the next one.
func TestClosed(t *testing.T) {
	for _, closed := range []bool{true, false} { // some forget to say so
		synctest.Test(t, func(t *testing.T) {
			s, h := syncing(t, 3), &recorder{}
			defer s.Close()
			s.Append("Other", imaptest.Body(1))
			opened := 0
			s.Hook = func(st imaptest.Step) imaptest.Action {
				switch {
				case st.Command == "EXAMINE" && st.Part == imaptest.Received:
					if opened++; opened == 2 {
						return imaptest.Action{Before: "* VANISHED 2\r\n* 9 EXISTS\r\n* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n"}
					}
				case strings.Contains(st.Text, "[CLOSED]") && !closed:
					return imaptest.Action{Do: imaptest.Drop}
				}
				return imaptest.Action{}
			}
			c := dialed(t, s, h)
			if _, err := c.ExamineSince(t.Context(), "INBOX", imapclient.Since{}); err != nil {
				t.Fatal(err)
			}
			s.SetUIDValidity("Other", 77)
			sel, err := c.ExamineSince(t.Context(), "Other", imapclient.Since{})
			if err != nil || sel.UIDValidity != 77 || sel.Exists != 1 || sel.UIDNext != 2 || sel.HighestModSeq != 2 {
				t.Errorf("closed %v: %+v, %v", closed, sel, err)
			}
			want(t, h.events("mm_exists", "mm_expunged", "mm_flags"), "mm_exists test/INBOX 3",
				"mm_expunged test/INBOX seq 0 uid 2", "mm_exists test/INBOX 9", `mm_flags test/INBOX seq 1 uid 1 [\Seen]`, "mm_exists test/Other 1")
			if _, err := c.ExamineSince(t.Context(), "Missing", imapclient.Since{}); !errors.As(err, new(*imapclient.ResponseError)) {
				t.Errorf("a missing mailbox: %v", err)
			}
			if sel, err := c.ExamineSince(t.Context(), "INBOX", imapclient.Since{}); err != nil || sel.Exists != 3 || sel.UIDValidity != 1 {
				t.Errorf("afterwards: %+v, %v", sel, err)
			}
		})
	}
}

func TestHighestModSeqMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := syncing(t, 3)
		defer s.Close()
		s.Hook = at(imaptest.Tagged, "NOOP", imaptest.Action{Before: "* OK [HIGHESTMODSEQ 40] x\r\n* OK [HIGHESTMODSEQ 30] y\r\n"})
		c := dialed(t, s, nil)
		if _, err := c.ExamineSince(t.Context(), "INBOX", imapclient.Since{}); err != nil {
			t.Fatal(err)
		}
		if err := c.Noop(t.Context()); err != nil || c.HighestModSeq() != 40 {
			t.Errorf("%d, %v", c.HighestModSeq(), err)
		}
		if _, err := c.Examine(t.Context(), "Other"); err != nil || c.HighestModSeq() != 1 {
			t.Errorf("%d, %v", c.HighestModSeq(), err)
		}
	})
}

// The session ends in ENABLE as in any other command.
func TestEnableCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := syncing(t, 3)
		defer s.Close()
		s.Hook = at(imaptest.Received, "ENABLE", imaptest.Action{Do: imaptest.Silent})
		c := dialed(t, s, nil)
		_, err := c.ExamineSince(context.Background(), "INBOX", imapclient.Since{})
		var timeout *imapclient.TimeoutError
		if !errors.As(err, &timeout) || timeout.Wait != "answer to ENABLE" {
			t.Errorf("silent: %v", err)
		}
	})
}
