package imapclient_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// wordy is a fact of a server that says a line 35,000 times ahead of its answer to a
// NOOP, of which so many may be heard; the others must be counted. Then it says it
// once a minute, and is heard.
func wordy(name, line, event string, most int) fact {
	const many = 35_000
	return fact{
		name: name, goimap: byNature,
		server: func(s *imaptest.Server) {
			first := true
			s.Hook = func(st imaptest.Step) (a imaptest.Action) {
				switch {
				case st.Command != "NOOP" || st.Part != imaptest.Tagged:
				case first:
					first, a.Before = false, strings.Repeat(line+"\r\n", many)
				default:
					a.Before = line + "\r\n"
				}
				return a
			}
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			h := &recorder{}
			opts := options(s, h)
			opts.Quirks = new(imapclient.Quirks)
			c, err := imapclient.Dial(t.Context(), opts)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			heard := func() int { return strings.Count(h.text(), event) }
			if err := c.Noop(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := heard(); n > most || n < 20 {
				t.Errorf("%d heard, want %d", n, most)
			}
			before := heard()
			time.Sleep(time.Minute)
			for n := range 5 {
				if err := c.Noop(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := heard() - before; got != n+1 {
					t.Errorf("%d heard in %d minutes", got, n+1)
				}
				time.Sleep(time.Minute)
			}
			if got := fmt.Sprintf("mm_log warn the server says too much: %d of its texts", many-before); strings.Count(h.text(), got) != 1 {
				t.Errorf("no %q in\n%.3000s", got, h.text())
			}
			// A session anew is no new allowance.
			for range 40 {
				c, err := imapclient.Dial(t.Context(), opts)
				if err != nil {
					t.Fatal(err)
				}
				c.Noop(t.Context())
				c.Close()
			}
			if got := heard() - before; most < 100 && got > 50 {
				t.Errorf("%d heard in 40 more sessions", got)
			}
		},
	}
}

// wordFacts are of servers that say very much.
var wordFacts = []fact{
	wordy("35,000 ALERTs", "* OK [ALERT] maintenance", "[ALERT] maintenance\n", 30),
	wordy("35,000 times NO", "* NO disk is full", "disk is full\n", 30),
	wordy("35,000 times OK", "* OK still here", "still here\n", 100),
	wordy("35,000 lines of an unknown kind", "* XYZZY plugh", "ignored: * XYZZY", 30),
	wordy("35,000 stray +", "+ go on", "a + that answers nothing", 30),
	wordy("35,000 answers to no command", "X1 OK done", "an answer to no command", 30),
	{
		name: "a server that refuses every command", goimap: byNature, server: refusing("UID SEARCH", "NO not now"),
		ours: func(t *testing.T, s *imaptest.Server) {
			h := &recorder{}
			c := session(t, s, h)
			for range 1000 {
				if _, err := c.Search(t.Context(), 1, 0); err == nil {
					t.Fatal("no error")
				}
			}
			c.Close()
			if n := strings.Count(h.text(), "server said NO not now"); n != 30 || !strings.Contains(h.text(), "970 of its texts and refusals") {
				t.Errorf("%d heard:\n%.3000s", n, h.text())
			}
		},
	},
}
