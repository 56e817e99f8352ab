package watch

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// uidFacts are of UIDs, UIDVALIDITY and SEARCH.
var uidFacts = []fact{
	{
		// Dynadot gives 41 bits, GreenMail its clock.
		name: "UIDVALIDITY of 41 bits (Dynadot) changes", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(3, 300)
			s.SetUIDValidity("INBOX", 1_700_000_000_001)
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			l := memory.New()
			same(t, sweeps(t, s, l), expected(3))
			if got := checkpoint(t, l).UIDValidity; got != 1_700_000_000_001 {
				t.Errorf("UIDVALIDITY %d in the ledger", got)
			}
			for _, uid := range s.UIDs("INBOX") { // made again, with other messages
				s.Expunge("INBOX", uid)
			}
			s.SetUIDValidity("INBOX", 1_700_000_000_002)
			s.Append("INBOX", messageOf(3, 300))
			same(t, sweeps(t, s, l), append(expected(3), "1 complaint user3@example.com"))
		},
	},
	{
		name: "UIDVALIDITY of 64 bits", goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(3, 300)
			s.SetUIDValidity("INBOX", 1<<64-1)
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			l := memory.New()
			same(t, sweeps(t, s, l), expected(3))
			if got := checkpoint(t, l).UIDValidity; got != 1<<64-1 {
				t.Errorf("UIDVALIDITY %d in the ledger", got)
			}
		},
	},
	beyond("UIDs beyond 32 bits", regexp.MustCompile(`UID 3\b|SEARCH 1 2 3|UIDNEXT 4\b`), func(s string) string {
		return strings.NewReplacer("UID 3", "UID 5000000003", "2 3", "2 5000000003", "UIDNEXT 4", "UIDNEXT 5000000004").Replace(s)
	}, 2),
	beyond("only UIDs beyond 32 bits", regexp.MustCompile(`UID \d\b|SEARCH .*|UIDNEXT \d\b`), func(s string) string {
		return regexp.MustCompile(`\b([1-9])\b`).ReplaceAllString(s, "500000000$1")
	}, 0),
}

// beyond is a server that gives UIDs that cannot be: what can be read is read, and
// the folder fails, whether it is swept or watched.
func beyond(name string, lines *regexp.Regexp, change func(string) string, readable int) fact {
	return fact{
		name: name, goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(3, 300)
			s.Hook = rewrite(func(line string) string { return lines.ReplaceAllStringFunc(line, change) })
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			for _, folders := range [][]string{{"INBOX"}, {"INBOX", "Other"}} {
				if len(folders) == 2 {
					s.AddMailbox("Other")
					s.Append("Other", messageOf(9, 300))
				}
				l := memory.New()
				a := account(s, l)
				a.Folders = folders
				err := a.Run(t.Context(), true)
				if !errors.Is(err, imapclient.ErrUID) || !errors.As(err, new(*FolderError)) || !strings.Contains(err.Error(), `folder "INBOX"`) {
					t.Errorf("a sweep of %q: %v", folders, err)
				}
				same(t, inFolder(t, l, "INBOX"), expected(readable))
			}
			l := memory.New()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			account(s, l).Run(ctx, false)
			same(t, inFolder(t, l, "INBOX"), expected(readable))
		},
	}
}

// rewrite is a hook that changes lines of the server.
func rewrite(change func(line string) string) func(imaptest.Step) imaptest.Action {
	return func(step imaptest.Step) imaptest.Action {
		switch step.Part {
		case imaptest.Data, imaptest.Push, imaptest.Tagged:
			if line := change(step.Text); line != step.Text {
				return imaptest.Action{Do: imaptest.Drop, Before: line + "\r\n"}
			}
		}
		return imaptest.Action{}
	}
}

// checkpoint is how far INBOX was read.
func checkpoint(t *testing.T, l ledger.Reader) ledger.Checkpoint {
	t.Helper()
	folders, err := l.Folders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if f.Folder.Name == "INBOX" {
			return f.Checkpoint
		}
	}
	return ledger.Checkpoint{}
}

// inFolder is records of one folder.
func inFolder(t *testing.T, l ledger.Reader, name string) (got []string) {
	t.Helper()
	for row, err := range l.Records(t.Context(), ledger.Query{Folder: name}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, summary(t, row.JSON))
	}
	return got
}
