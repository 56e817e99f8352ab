package watch

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// nameFacts are of folders that a server knows by octets of its own, and of one
// that it refuses among others.
var nameFacts = []fact{
	{
		name: "imap4d, Yandex: raw names, in the config", goimap: byNature, server: oddly,
		ours: oddlyNamed("Raw & name", "R&D", "a&2D0-b", "Früher", "Später"),
	},
	{
		name: "imap4d, Yandex: raw names, by a pattern", goimap: byNature, server: oddly,
		ours: oddlyNamed("*"),
	},
	{
		name: "GreenMail: NO to LIST of a name with %", goimap: byNature,
		server: func() *imaptest.Server {
			s := oddly()
			s.Hook = refusing("LIST", "%", "NO LIST failed. Invalid name")
			return s
		},
		ours: oddlyNamed("%"),
	},
	{
		name: "a pattern that is refused, and other folders", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(3, 300)
			s.Hook = refusing("LIST", "", "NO no")
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			l := memory.New()
			a := account(s, l)
			a.Folders = []string{"FBL/%", "INBOX"}
			if err := a.Run(t.Context(), true); err == nil || !strings.Contains(err.Error(), `folder "FBL/%"`) {
				t.Errorf("error: %v", err)
			}
			same(t, records(t, l), expected(3))
			watchesOn(t, s, a, l)
		},
	},
	{
		name: "a folder whose STATUS and EXAMINE are refused, and other folders", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(3, 300)
			for _, name := range []string{"A", "B", "C"} {
				s.AddMailbox(name)
			}
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if strings.HasSuffix(strings.TrimSuffix(step.Text, " (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)"), ` "B"`) {
					return refusing("", "", "NO [SERVERBUG] Internal error")(step)
				}
				return imaptest.Action{}
			}
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			l := memory.New()
			a := account(s, l)
			a.Folders, a.Watch = []string{"A", "B", "C", "INBOX"}, "poll"
			watchesOn(t, s, a, l)
		},
	},
}

// refusing answers each command of that name, whose line has part in it.
func refusing(command, part, text string) func(imaptest.Step) imaptest.Action {
	return func(step imaptest.Step) imaptest.Action {
		if step.Part == imaptest.Received && (command == "" || step.Command == command) && strings.Contains(step.Text, part) {
			return imaptest.Action{Do: imaptest.Answer, Text: text}
		}
		return imaptest.Action{}
	}
}

// oddly has a report in each of five folders.
func oddly() *imaptest.Server {
	s := imaptest.New()
	for i, name := range []string{"Raw & name", "R&D", "a&2D0-b", "Fr\xc3\xbcher", "Sp\xe4ter"} {
		s.AddMailbox(name)
		s.Append(name, messageOf(i, 300))
	}
	return s
}

func oddlyNamed(folders ...string) func(*testing.T, *imaptest.Server, dialed) {
	return func(t *testing.T, s *imaptest.Server, dial dialed) {
		l := memory.New()
		a := account(s, l)
		a.Folders, a.IMAP.Dial = folders, dial
		if err := a.Run(t.Context(), true); err != nil {
			t.Error(err)
		}
		want := []string{"Früher", "R&D", "Raw & name", "Später", "a&2D0-b"}
		if got := slices.DeleteFunc(folderNames(t, l), func(name string) bool { return name == "INBOX" }); !slices.Equal(got, want) {
			t.Errorf("folders %q, want %q", got, want)
		}
		if got := records(t, l); len(got) != 5 {
			t.Errorf("records %q", got)
		}
	}
}

func folderNames(t *testing.T, l ledger.Reader) (names []string) {
	t.Helper()
	folders, err := l.Folders(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		names = append(names, f.Folder.Name)
	}
	slices.Sort(names)
	return names
}

// watchesOn checks that a message to INBOX is read within two polls.
func watchesOn(t *testing.T, s *imaptest.Server, a *Account, l ledger.Ledger) {
	t.Helper()
	stop := whileWatching(t, a)
	time.Sleep(time.Minute)
	s.Append("INBOX", messageOf(3, 300))
	time.Sleep(2 * time.Minute)
	stop()
	same(t, records(t, l), expected(4))
}
