package imapclient_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

func TestID(t *testing.T) {
	for _, test := range []struct {
		name string
		set  func(*imaptest.Server, *imapclient.Options)
		sent bool
	}{
		{"listed", func(*imaptest.Server, *imapclient.Options) {}, true},
		{"not listed", func(s *imaptest.Server, _ *imapclient.Options) {
			s.Caps = slices.DeleteFunc(s.Caps, func(c string) bool { return c == "ID" })
		}, false},
		{"not wanted", func(_ *imaptest.Server, o *imapclient.Options) { o.NoID = true }, false},
		{"PREAUTH", func(s *imaptest.Server, _ *imapclient.Options) { s.Greeting = "* PREAUTH hi" }, true},
		{"refused", func(s *imaptest.Server, _ *imapclient.Options) {
			s.Hook = at(imaptest.Received, "ID", imaptest.Action{Do: imaptest.Answer, Text: "NO nobody asked"})
		}, true},
		{"NIL", func(s *imaptest.Server, _ *imapclient.Options) {
			s.Hook = at(imaptest.Data, "ID", imaptest.Action{Do: imaptest.Drop, Before: "* ID NIL\r\n"})
		}, true},
		{"literals in the answer", func(s *imaptest.Server, _ *imapclient.Options) {
			s.Hook = at(imaptest.Data, "ID", imaptest.Action{Do: imaptest.Drop, Before: "* ID (\"name\" {14}\r\nS2 OK\r\n* BYE {9 \"x\" {0}\r\n)\r\n"})
		}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := imaptest.Filled(t, 1, nil)
				defer s.Close()
				opts := options(s, nil)
				test.set(s, &opts)
				c, err := imapclient.Dial(t.Context(), opts)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
					t.Fatal(err)
				}
				var sent []string
				for _, line := range s.Transcript() {
					if _, command, ok := strings.Cut(line, " C: "); ok {
						tag, command, _ := strings.Cut(command, " ")
						name, _, _ := strings.Cut(command, " ")
						sent = append(sent, name)
						if name == "ID" && (!strings.HasPrefix(command, `ID ("name" "fblwatch" "version" "`) || tag != "S2") {
							t.Errorf("sent %q", line)
						}
					}
				}
				// 163.com opens no mailbox before ID.
				if id := slices.Index(sent, "ID"); (id >= 0) != test.sent || id > slices.Index(sent, "EXAMINE") {
					t.Errorf("sent %v", sent)
				}
			})
		})
	}
}

// A literal that never ends its line is as bounded as a line.
func TestIDWithoutEnd(t *testing.T) {
	for _, answer := range []string{"* ID ({1048577}\r\n", "* ID (" + strings.Repeat("{400000}\r\n"+strings.Repeat("x", 400000), 4) + ")\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			s := imaptest.Filled(t, 1, nil)
			defer s.Close()
			s.Hook = at(imaptest.Data, "ID", imaptest.Action{Before: answer})
			_, err := imapclient.Dial(t.Context(), options(s, nil))
			if err == nil || !strings.Contains(err.Error(), "protocol error: a literal of") {
				t.Errorf("error: %v", err)
			}
		})
	}
}
