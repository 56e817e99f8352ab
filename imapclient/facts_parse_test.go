package imapclient_test

import (
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// stray is a line that go-imap dies of, ahead of the second of three messages.
func stray(name, line string) fact {
	return strayThat(dies, name, line)
}

func strayThat(comes, name, line string) fact {
	return fact{
		name: name, server: func(s *imaptest.Server) { s.Hook = before(line + "\r\n") }, goimap: comes,
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			got, _ := b.fetch(t)
			return got
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c := session(t, s, nil)
			intact(t, c)
			if err := c.Noop(t.Context()); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		},
	}
}

// parseFacts are of lines that are not understood.
var parseFacts = []fact{
	stray("item 4: VANISHED", "* VANISHED (EARLIER) 41,43:45"),
	stray("item 4: LSUB", `* LSUB () "/" INBOX`),
	stray("item 4: an unknown word", "* XYZZY plugh"),
	stray("item 4: an unknown FETCH item", "* 2 FETCH (UID 2 X-GM-LABELS (a))"),
	stray("item 4: a stray +", "+ go on"),
	stray("item 4: a blank line", ""),
	stray("item 4: ] in a flag", "* 2 FETCH (UID 2 FLAGS ($a]b))"),
	stray("item 4: % in a flag", "* 2 FETCH (UID 2 FLAGS ($a%b))"),
	stray("item 4: ENVELOPE with an address of three fields", `* 2 FETCH (UID 2 ENVELOPE (NIL "s" ((NIL NIL "a")) NIL NIL NIL NIL NIL NIL NIL))`),
	stray("item 4: ENVELOPE with empty address lists", `* 2 FETCH (UID 2 ENVELOPE (NIL "s" "" NIL NIL NIL NIL NIL NIL NIL))`),
	stray("item 4: BODYSTRUCTURE without parts", `* 2 FETCH (UID 2 BODYSTRUCTURE ("mixed" ("boundary" "b") NIL NIL))`),
	stray("item 4: BODYSTRUCTURE with NIL for a size", `* 2 FETCH (UID 2 BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" NIL NIL))`),
	stray("item 4: BODYSTRUCTURE NIL", `* 2 FETCH (UID 2 BODYSTRUCTURE NIL)`),
	{
		name: "item 4: INTERNALDATE NIL", goimap: dies,
		server: func(s *imaptest.Server) {
			s.Shape = func(_ int, uid uint32) imaptest.Shape { return imaptest.Shape{NilDate: uid == 2} }
		},
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			got, _ := b.fetch(t)
			return got
		},
		ours: func(t *testing.T, s *imaptest.Server) { intact(t, session(t, s, nil)) },
	},
	{
		name: "item 4: so BODYSTRUCTURE and ENVELOPE are never asked for", goimap: byNature,
		ours: func(t *testing.T, s *imaptest.Server) {
			intact(t, session(t, s, nil))
			fetches := sent(s, "UID FETCH")
			if len(fetches) != 1 || strings.Contains(fetches[0], "ENVELOPE") || strings.Contains(fetches[0], "STRUCTURE") {
				t.Errorf("sent %q", fetches)
			}
		},
	},
	{
		name: "item 1: no limit of a line", goimap: works,
		server: func(s *imaptest.Server) { s.Hook = before("* OK " + strings.Repeat("x", 4<<20) + "\r\n") },
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			got, _ := b.fetch(t)
			return got
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			_, err := bodies(t.Context(), session(t, s, nil), []uint32{1, 2, 3}, 1000)
			if err == nil || !strings.Contains(err.Error(), "a line of over 1048576 octets") {
				t.Errorf("error: %v", err)
			}
		},
	},
	strayThat(works, "the tap: a text that ends like a literal", "* OK see {12}"),
}
