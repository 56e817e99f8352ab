package watch

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// actionFacts are what servers say to after-actions.
var actionFacts = []fact{
	{
		name: "maddy: MOVE to a missing folder is NO without TRYCREATE", goimap: byNature,
		server: answering("UID MOVE", "NO no such mailbox", lacking("New")), ours: moves("", "1, 2, 3", ""),
	},
	{
		name: "imap4d: TRYCREATE behind other text", goimap: byNature,
		server: answering("UID COPY", "NO COPY failed [TRYCREATE] no such mailbox", lacking("New"), "MOVE"), ours: moves("", "1, 2, 3", ""),
	},
	{
		name: "a missing folder is BAD", goimap: byNature,
		server: answering("UID MOVE", "BAD unknown mailbox", lacking("New")), ours: moves("", "1, 2, 3", ""),
	},
	{
		name: "a missing folder cannot be made", goimap: byNature,
		server: func() *imaptest.Server {
			s := answering("UID MOVE", "NO no such mailbox", lacking("New"))()
			move := s.Hook
			s.Hook = func(at imaptest.Step) imaptest.Action {
				if at.Command == "CREATE" && at.Part == imaptest.Received {
					return imaptest.Action{Do: imaptest.Answer, Text: "NO [NOPERM] not by you"}
				}
				return move(at)
			}
			return s
		},
		ours: moves("1, 2, 3", "", "not by you"),
	},
	{
		name: "a folder that is there is full", goimap: byNature,
		server: func() *imaptest.Server {
			s := answering("UID MOVE", "NO quota exceeded", func(*imaptest.Server) bool { return true })()
			s.AddMailbox("New")
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			moves("1, 2, 3", "", "quota exceeded")(t, s, dial)
			if creates := commands(s, "CREATE"); len(creates) > 0 {
				t.Errorf("sent %q", creates)
			}
		},
	},
	{
		name: "Dovecot: a mailbox that may only be read", goimap: byNature,
		server: func() *imaptest.Server {
			s := answering("", "", nil)()
			s.Hook = func(at imaptest.Step) imaptest.Action {
				if at.Command == "SELECT" && at.Part == imaptest.Tagged {
					return imaptest.Action{Do: imaptest.Answer, Text: "OK [READ-ONLY] opened"}
				}
				return imaptest.Action{}
			}
			return s
		},
		ours: moves("1, 2, 3", "", imapclient.ErrReadOnly.Error()),
	},
	{
		name: "maddy: neither MOVE nor UIDPLUS", goimap: byNature,
		server: answering("", "", nil, "MOVE", "UIDPLUS"), ours: moves("1, 2, 3", "", imapclient.ErrNoMove.Error()),
	},
}

// lacking says whether a server has no folder of that name.
func lacking(folder string) func(*imaptest.Server) bool {
	return func(s *imaptest.Server) bool { return s.UIDs(folder) == nil && len(commands(s, "CREATE")) == 0 }
}

// answering is a server of three reports that answers a command so, while when
// holds; without is what it does not offer.
func answering(command, text string, when func(*imaptest.Server) bool, without ...string) func() *imaptest.Server {
	return func() *imaptest.Server {
		s := filled(3, 300)
		for _, capability := range []string{"MOVE", "UIDPLUS"} {
			if !strings.Contains(strings.Join(without, " "), capability) {
				s.Caps = append(s.Caps, capability)
			}
		}
		s.Hook = func(at imaptest.Step) imaptest.Action {
			if command != "" && at.Command == command && at.Part == imaptest.Received && when(s) {
				return imaptest.Action{Do: imaptest.Answer, Text: text}
			}
			return imaptest.Action{}
		}
		return s
	}
}

// moves sweeps with reports moved to New, and checks what the folders have then,
// and what the sweep says of it.
func moves(inbox, moved, fails string) func(*testing.T, *imaptest.Server, dialed) {
	return func(t *testing.T, s *imaptest.Server, _ dialed) {
		l := memory.New()
		a := account(s, l)
		a.After.Report = Action{"move", "New"}
		for range 2 { // the second time it is owed still, or nothing is
			err := a.Run(t.Context(), true)
			if (err == nil) != (fails == "") || err != nil && (!errors.As(err, new(*ActionError)) || !strings.Contains(err.Error(), fails)) {
				t.Errorf("the sweep says %v, want %q", err, fails)
			}
			if in, out := contents(s, "INBOX"), contents(s, "New"); in != inbox || out != moved {
				t.Errorf("INBOX has %q, New has %q", in, out)
			}
		}
		same(t, records(t, l), expected(3))
	}
}

// troubled lists the errors of the sessions, by their rows of state.
func troubled(t *testing.T, l ledger.Reader) (errs string) {
	t.Helper()
	states, err := l.States(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		if !s.Failing.IsZero() {
			errs += s.Name + ": " + s.Error + "\n"
		}
	}
	return errs
}

// TestActionsRefusedInWatch: a watch goes on where after-actions are refused, with
// several folders too.
func TestActionsRefusedInWatch(t *testing.T) {
	for _, way := range []string{"idle", "poll"} {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := answering("UID MOVE", "NO never", func(*imaptest.Server) bool { return true })()
				defer s.Close()
				s.AddMailbox("Other")
				s.AddMailbox("New")
				l := memory.New()
				a := account(s, l)
				a.Folders, a.Watch, a.After.Report = []string{"INBOX", "Other"}, way, Action{"move", "New"}
				stop := whileWatching(t, a)
				defer stop()
				time.Sleep(2 * time.Minute)
				s.Append("Other", messageOf(3, 300))
				s.Append("INBOX", messageOf(4, 300))
				time.Sleep(3 * time.Minute)
				if n := len(records(t, l)); n != 5 {
					t.Errorf("%d records, want 5", n)
				}
				if n := s.Conns(); n > 2 {
					t.Errorf("%d connections", n)
				}
				if rows := troubled(t, l); !strings.Contains(rows, "UID MOVE") || !strings.Contains(rows, "stays owed") {
					t.Errorf("the rows of state say %q", rows)
				}
			})
		})
	}
}
