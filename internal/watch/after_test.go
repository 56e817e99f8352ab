package watch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/sample"
)

func TestAction(t *testing.T) {
	for text, want := range map[string]Action{
		"none": {}, "seen": {Do: "seen"}, " delete ": {Do: "delete"}, "flag $Reported": {"flag", "$Reported"},
		"move Archive/FBL done": {"move", "Archive/FBL done"}, `flag \Flagged`: {"flag", `\Flagged`},
	} {
		var a Action
		if err := a.UnmarshalText([]byte(text)); err != nil || a != want {
			t.Errorf("%q: %+v, %v; want %+v", text, a, err, want)
		}
	}
	for _, text := range []string{"", "flag", "move", "Delete", "delete it", "seen it", "none at all", "flag a b", `flag a"b`, "flag *", "copy x", `flag \Deleted`, `flag \recent`} {
		if err := new(Action).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is an action", text)
		}
	}
}

// parcels is a mailbox with a report (UID 1), a bounce (2), a message that cannot be
// read as the report it says it is (3), the report again (4), a person's message (5),
// and a sixth that somebody else has marked \Deleted.
func parcels(t *testing.T) *imaptest.Server {
	s := imaptest.New()
	s.Caps = append(s.Caps, "UIDPLUS", "MOVE")
	s.AddMailbox("Archive")
	broken := []byte("From: fbl@fbl.example.net\r\nMessage-ID: <b@example.net>\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\n\r\nno report\r\n--b--\r\n")
	for _, body := range [][]byte{sample.Report(1, 0), sample.Message(2, "dsn"), broken, sample.Report(1, 0), sample.Message(3, "human"), sample.Message(4, "human")} {
		s.Append("INBOX", body)
	}
	s.SetFlags("INBOX", 6, `\Deleted`)
	return s
}

// contents lists the UIDs of a mailbox with their flags.
func contents(s *imaptest.Server, folder string) string {
	var list []string
	for _, uid := range s.UIDs(folder) {
		flags := slices.Sorted(slices.Values(s.Flags(folder, uid)))
		list = append(list, strings.TrimSpace(fmt.Sprintf("%d %s", uid, strings.Join(flags, " "))))
	}
	return strings.Join(list, ", ")
}

func TestAfter(t *testing.T) {
	action := func(text string) (a Action) {
		if err := a.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, test := range []struct {
		name           string
		report         string
		unparsed       string
		other          string
		inbox, archive string
		lacks          []string
	}{
		{"nothing", "none", "none", "none", `1, 2, 3, 4, 5, 6 \Deleted`, "", nil},
		{"seen and flagged", "seen", "flag $Odd", "none", `1 \Seen, 2, 3 $Odd, 4 \Seen, 5, 6 \Deleted`, "", nil},
		{"moved", "move Archive", "none", "none", `2, 3, 5, 6 \Deleted`, "1, 2", nil},
		{"moved without MOVE", "move Archive", "none", "seen", `2 \Seen, 3, 5 \Seen, 6 \Deleted \Seen`, "1, 2", []string{"MOVE"}},
		{"moved to a folder that is made", "move New", "none", "none", `2, 3, 5, 6 \Deleted`, "", nil},
		{"deleted", "delete", "none", "delete", "3", "", nil},
		{"deleted, the others left alone", "delete", "none", "none", `2, 3, 5, 6 \Deleted`, "", nil},
		{"refused without UIDPLUS", "delete", "seen", "seen", `1, 2, 3, 4, 5, 6 \Deleted`, "", []string{"UIDPLUS", "MOVE"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := parcels(t)
				defer s.Close()
				s.Caps = slices.DeleteFunc(s.Caps, func(c string) bool { return slices.Contains(test.lacks, c) })
				l := memory.New()
				a := account(s, l)
				a.After = After{action(test.report), action(test.unparsed), action(test.other)}
				for range 2 { // the second sweep finds nothing to do
					if err := a.Run(t.Context(), true); (err != nil) != slices.Contains(test.lacks, "UIDPLUS") || err != nil && !errors.Is(err, imapclient.ErrNoUIDPlus) {
						t.Fatal(err)
					}
					if got := contents(s, "INBOX"); got != test.inbox {
						t.Errorf("INBOX has %s, want %s", got, test.inbox)
					}
					if got := contents(s, "Archive"); got != test.archive {
						t.Errorf("Archive has %s, want %s", got, test.archive)
					}
				}
				if got := len(records(t, l)); got != 2 {
					t.Errorf("%d records", got)
				}
				if test.name == "moved to a folder that is made" && contents(s, "New") != "1, 2" {
					t.Errorf("New has %s", contents(s, "New"))
				}
			})
		})
	}
}

// TestAfterCut: whatever is cut short, each message is read and moved; the server's
// answers are lost at every step once.
func TestAfterCut(t *testing.T) {
	for _, caps := range [][]string{{"UIDPLUS", "MOVE"}, {"UIDPLUS"}} {
		for step := 0; ; step++ {
			hit := false
			synctest.Test(t, func(t *testing.T) {
				s := imaptest.New()
				defer s.Close()
				s.Caps = append(s.Caps, caps...)
				s.AddMailbox("Archive")
				for i := range 5 {
					s.Append("INBOX", messageOf(i, 300))
				}
				s.Append("INBOX", sample.Message(1, "human"))
				s.Hook = func(at imaptest.Step) imaptest.Action {
					if at.Conn == 1 && at.N == step {
						hit = true
						return imaptest.Action{Do: imaptest.Cut}
					}
					return imaptest.Action{}
				}
				l := memory.New()
				a := account(s, l)
				a.After.Report = Action{"move", "Archive"}
				for range 3 {
					if err := a.Run(t.Context(), true); err == nil {
						break
					}
				}
				same(t, records(t, l), expected(5))
				if got := contents(s, "INBOX"); got != "6" {
					t.Fatalf("step %d: INBOX has %s", step, got)
				}
				moved := strings.Count(contents(s, "Archive"), ",") + 1
				if moved < 5 || len(caps) == 2 && moved != 5 { // without MOVE, a copy may come twice
					t.Fatalf("step %d: %d messages were moved", step, moved)
				}
			})
			if !hit {
				if step < 30 {
					t.Errorf("only %d steps", step)
				}
				break
			}
		}
	}
}

// TestAfterWatch: a watch acts on what comes, tells of a refusal once, and does
// what it owes when that is over. A folder that messages are moved to is not watched.
func TestAfterWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.New()
		defer s.Close()
		s.Caps = append(s.Caps, "UIDPLUS", "MOVE")
		s.AddMailbox("FBL/new")
		s.AddMailbox("FBL/done")
		readOnly := false
		s.Hook = func(at imaptest.Step) imaptest.Action {
			if readOnly && at.Command == "UID MOVE" && at.Part == imaptest.Received {
				return imaptest.Action{Do: imaptest.Answer, Text: "NO [NOPERM] not now"}
			}
			return imaptest.Action{}
		}
		l := memory.New()
		a := account(s, l)
		a.Folders = []string{"FBL/*"}
		a.After.Report = Action{"move", "FBL/done"}
		book := logged(a)
		stop := whileWatching(t, a)
		time.Sleep(10 * time.Second)
		s.Append("FBL/new", messageOf(1, 300))
		time.Sleep(10 * time.Second)
		if a, b := contents(s, "FBL/new"), contents(s, "FBL/done"); a != "" || b != "1" {
			t.Errorf("new has %q, done has %q", a, b)
		}
		readOnly = true
		for i := range 3 {
			s.Append("FBL/new", messageOf(2+i, 300))
			time.Sleep(10 * time.Second)
		}
		if a, b := contents(s, "FBL/new"), contents(s, "FBL/done"); a != "2, 3, 4" || b != "1" {
			t.Errorf("new has %q, done has %q", a, b)
		}
		if rows := troubled(t, l); !strings.Contains(rows, "NOPERM") {
			t.Errorf("refused, and the rows of state say %q", rows)
		}
		readOnly = false
		s.Disconnect()
		time.Sleep(10 * time.Second)
		if a, b := contents(s, "FBL/new"), contents(s, "FBL/done"); a != "" || b != "1, 2, 3, 4" {
			t.Errorf("at last new has %q, done has %q", a, b)
		}
		if rows := troubled(t, l); rows != "" {
			t.Errorf("done at last, and the rows of state say %q", rows)
		}
		if n := len(records(t, l)); n != 4 {
			t.Errorf("%d records", n)
		}
		stop()
		if n := book.count("they stay owed"); n != 1 {
			t.Errorf("logged %d times:\n%s", n, book)
		}
	})
}

// TestAfterOther: what is owed to messages of another UIDVALIDITY, or by another
// config, is done to none.
func TestAfterOther(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*imaptest.Server, *Account)
		want   string
	}{
		{"another UIDVALIDITY", func(s *imaptest.Server, _ *Account) {
			for i := range 3 {
				s.Expunge("INBOX", uint32(1+i))
				s.AppendMessage("INBOX", imaptest.Message{Date: time.Now().Add(-96 * time.Hour), Body: sample.Message(i, "human")})
			}
			s.SetUIDValidity("INBOX", 7)
		}, "1, 2, 3"},
		{"another action", func(_ *imaptest.Server, a *Account) { a.After.Report = Action{Do: "seen"} }, "1, 2, 3"},
		{"the same action", func(*imaptest.Server, *Account) {}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := imaptest.New()
				defer s.Close()
				s.Caps = append(s.Caps, "UIDPLUS")
				for i := range 3 {
					s.AppendMessage("INBOX", imaptest.Message{Date: time.Now().Add(-96 * time.Hour), Body: messageOf(i, 300)})
				}
				s.Hook = func(at imaptest.Step) imaptest.Action {
					if at.Command == "UID STORE" && at.Part == imaptest.Received {
						return imaptest.Action{Do: imaptest.Answer, Text: "NO not now"}
					}
					return imaptest.Action{}
				}
				l := memory.New()
				a := account(s, l)
				a.After.Report, a.OnUIDValidity = Action{Do: "delete"}, "new-only"
				if err := a.Run(t.Context(), true); !errors.As(err, new(*ActionError)) || contents(s, "INBOX") != "1, 2, 3" {
					t.Fatalf("%v, INBOX has %s", err, contents(s, "INBOX"))
				}
				s.Hook = nil
				test.change(s, a)
				for range 2 {
					if err := a.Run(t.Context(), true); err != nil || contents(s, "INBOX") != test.want {
						t.Errorf("%v, INBOX has %s, want %s", err, contents(s, "INBOX"), test.want)
					}
				}
				a.After.Report = Action{Do: "delete"} // nothing was kept for later
				if err := a.Run(t.Context(), true); err != nil || contents(s, "INBOX") != test.want {
					t.Errorf("%v, at last INBOX has %s, want %s", err, contents(s, "INBOX"), test.want)
				}
			})
		})
	}
}
