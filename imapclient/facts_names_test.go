package imapclient_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// nameFacts are of mailbox names: a server knows a mailbox by the octets that it
// lists, and by no others.
var nameFacts = []fact{
	named("imap4d: `Raw & name`", "Raw & name", "Raw & name"),
	named("a raw ampersand", "R&D", "R&D"),
	named("Yandex: half a surrogate in modified UTF-7", "a&2D0-b", "a&2D0-b"),
	named("raw UTF-8", "Fr\xc3\xbcher", "Früher"),
	named("raw ISO 8859-1", "Fr\xfcher", "Früher"),
	named("ASCII in modified UTF-7", "&AGEAYg-", "ab"),
	named("two shifts in a row", "&APw-&APw-", "üü"),
	{
		name: "a raw ampersand beside an encoded one", goimap: byNature, server: having("R&D", "R&-D"),
		ours: func(t *testing.T, s *imaptest.Server) {
			c := dialed(t, s, nil)
			lists, err := c.List(t.Context(), "*")
			if err != nil {
				t.Fatal(err)
			}
			want(t, boxes(lists), `"R&D"`, "INBOX", "R&D")
			for _, name := range []string{`"R&D"`, "R&D"} {
				if _, err := c.Examine(t.Context(), name); err != nil {
					t.Error(err)
				}
			}
			want(t, sent(s, "EXAMINE"), `EXAMINE "R&D"`, `EXAMINE "R&-D"`)
		},
	},
	{
		name: "imap4d: a name with blanks and no quotes", goimap: byNature, server: func(s *imaptest.Server) {
			s.AddMailbox("Raw & name")
			s.Hook = func(step imaptest.Step) imaptest.Action {
				switch {
				case step.Part == imaptest.Received && step.Command == "LIST":
					return imaptest.Action{Do: imaptest.Answer, Before: "* LIST () \"/\" Raw & name\r\n", Text: "OK done"}
				case step.Part == imaptest.Received && step.Command == "STATUS":
					return imaptest.Action{Do: imaptest.Answer, Before: "* STATUS Raw & name (MESSAGES 7)\r\n", Text: "OK done"}
				}
				return imaptest.Action{}
			}
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c := dialed(t, s, nil)
			lists, err := c.List(t.Context(), "*")
			if err != nil {
				t.Fatal(err)
			}
			want(t, boxes(lists), "Raw & name")
			if st, err := c.Status(t.Context(), "Raw & name"); err != nil || st.Messages == nil || *st.Messages != 7 {
				t.Errorf("%+v, %v", st, err)
			}
		},
	},
	{
		name: "GreenMail: NO to LIST of a name with %", goimap: byNature, server: func(s *imaptest.Server) {
			s.AddMailbox("Sale 100%")
			s.AddMailbox("FBL/Yahoo")
			s.Hook = refusePercent
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c := dialed(t, s, nil)
			for pattern, names := range map[string][]string{"Sale 100%": {"Sale 100%"}, "FBL/%": {"FBL/Yahoo"}, "%": {"INBOX", "Sale 100%"}} {
				lists, err := c.List(t.Context(), pattern)
				if err != nil {
					t.Fatal(err)
				}
				want(t, boxes(lists), names...)
			}
		},
	},
	{
		name: "Twisted 26.10: a pattern is the beginning of a name", goimap: byNature, server: func(s *imaptest.Server) {
			s.Hook = listsMore("FBL", "FBL2", "fbl/Yahoo", "FBL/2026/Old", "FBL/R&D", "INBOX")
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			rec := &recorder{}
			c := dialed(t, s, rec)
			for range 2 {
				lists, err := c.List(t.Context(), "FBL/%")
				if err != nil {
					t.Fatal(err)
				}
				want(t, boxes(lists), "FBL/R&D", "fbl/Yahoo")
			}
			for pattern, names := range map[string][]string{
				"INB": nil, "inbox": {"INBOX"}, "*": {"FBL", "FBL/2026/Old", "FBL/R&D", "FBL2", "INBOX", "fbl/Yahoo"}, "fbl": {"FBL"},
			} {
				lists, err := c.List(t.Context(), pattern)
				if err != nil {
					t.Fatal(err)
				}
				want(t, boxes(lists), names...)
			}
			lists, err := c.LSub(t.Context(), "FBL%")
			if err != nil {
				t.Fatal(err)
			}
			want(t, boxes(lists), "FBL", "FBL2")
			warned := rec.events("mm_log warn the server answers")
			want(t, warned, `mm_log warn the server answers LIST with names that the pattern "FBL/%" does not match: 4 of 6 left out`)
			if n := len(rec.events("mm_list ")); n != 6*6 {
				t.Errorf("%d events of LIST, want one for each line", n)
			}
		},
	},
	{
		name: "a server that refuses every LIST", goimap: byNature, server: refusing("LIST", "NO no"),
		ours: func(t *testing.T, s *imaptest.Server) {
			c := dialed(t, s, nil)
			var no *imapclient.ResponseError
			if _, err := c.List(t.Context(), "FBL/%"); !errors.As(err, &no) {
				t.Errorf("error: %v", err)
			}
			if _, err := c.Examine(t.Context(), "R&D"); !errors.As(err, &no) || no.Command != "EXAMINE" {
				t.Errorf("error: %v", err)
			}
			if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
				t.Error(err)
			}
		},
	},
}

func refusePercent(step imaptest.Step) imaptest.Action {
	if step.Part == imaptest.Received && step.Command == "LIST" && strings.Contains(step.Text, "%") {
		return imaptest.Action{Do: imaptest.Answer, Text: "NO LIST failed. Invalid name"}
	}
	return imaptest.Action{}
}

// listsMore answers each LIST and LSUB with all of these names.
func listsMore(octets ...string) func(imaptest.Step) imaptest.Action {
	return func(step imaptest.Step) imaptest.Action {
		if step.Part != imaptest.Received || step.Command != "LIST" && step.Command != "LSUB" {
			return imaptest.Action{}
		}
		var lines strings.Builder
		for _, name := range octets {
			fmt.Fprintf(&lines, "* %s () \"/\" %q\r\n", step.Command, name)
		}
		return imaptest.Action{Do: imaptest.Answer, Before: lines.String(), Text: "OK done"}
	}
}

func having(octets ...string) func(*imaptest.Server) {
	return func(s *imaptest.Server) {
		for _, name := range octets {
			s.AddMailbox(name)
		}
	}
}

func boxes(lists []imapclient.List) (names []string) {
	for _, l := range lists {
		names = append(names, l.Mailbox)
	}
	slices.Sort(names)
	return names
}

// named is a fact of one mailbox: listed or not, it is opened by its octets.
func named(what, octets, name string) fact {
	return fact{
		name: what, goimap: byNature, server: func(s *imaptest.Server) {
			having(octets)(s)
			s.Append(octets, []byte(message(1)))
			s.Caps = append(s.Caps, "MOVE", "QUOTA")
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			arg := ` "` + octets + `"`
			fresh := dialed(t, s, nil) // knows the name from its user only
			if name == "ab" {          // which does not look as if there were two spellings
				if _, err := fresh.List(t.Context(), "*"); err != nil {
					t.Fatal(err)
				}
			}
			if sel, err := fresh.Select(t.Context(), name); err != nil || sel.Exists != 1 {
				t.Fatalf("%+v, %v", sel, err)
			}
			got, err := bodies(t.Context(), fresh, []uint32{1}, 1000)
			if err != nil {
				t.Fatal(err)
			}
			want(t, got, fmt.Sprintf("1 %q", message(1)))
			c := dialed(t, s, nil)
			lists, err := c.List(t.Context(), "*")
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(boxes(lists), slices.Sorted(slices.Values([]string{"INBOX", name}))) {
				t.Fatalf("mailboxes %q", boxes(lists))
			}
			if st, err := c.Status(t.Context(), name); err != nil || st.Messages == nil || *st.Messages != 1 {
				t.Errorf("%+v, %v", st, err)
			}
			if sel, err := c.Examine(t.Context(), name); err != nil || sel.Exists != 1 {
				t.Errorf("%+v, %v", sel, err)
			}
			want(t, []string{sent(s, "EXAMINE")[0]}, "EXAMINE"+arg)
			if _, err := c.Select(t.Context(), "INBOX"); err != nil {
				t.Fatal(err)
			}
			if err := c.Copy(t.Context(), []uint32{2}, name); err != nil {
				t.Error(err)
			}
			if err := c.Move(t.Context(), []uint32{1}, name); err != nil {
				t.Error(err)
			}
			want(t, sent(s, "UID COPY", "UID MOVE"), "UID COPY 2"+arg, "UID MOVE 1"+arg)
			want(t, []string{contents(s, octets)}, `1 [] 2 [] 3 []`)
		},
	}
}
