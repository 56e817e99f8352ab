package watch

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/sample"
)

const (
	familyTime = time.Minute     // bounds each part of TestFamilies
	sweepTime  = 3 * time.Minute // its sweep: hoodiecrow gives one message each 40 ms
)

// TestFamilies is what every family of servers must give, whatever it lacks.
func TestFamilies(t *testing.T) {
	for _, family := range realserver.Families {
		t.Run(family.Name, func(t *testing.T) {
			t.Parallel()
			s := family.Start(t)
			for _, part := range familyParts {
				t.Run(part.name, func(t *testing.T) { part.test(t, s) })
			}
		})
	}
}

// familyParts is the contract.
var familyParts = []struct {
	name string
	test func(*testing.T, *realserver.Server)
}{
	{"sweep", familySweep},
	{"folders", familyFolders},
	{"watch-auto", func(t *testing.T, s *realserver.Server) { familyWatch(t, s, "auto") }},
	{"watch-idle", func(t *testing.T, s *realserver.Server) { familyWatch(t, s, "idle") }},
	{"watch-poll", func(t *testing.T, s *realserver.Server) { familyWatch(t, s, "poll") }},
	{"open-folder", familyOpenFolder},
	{"after", familyAfter},
	{"password", familyPassword},
	{"restart", familyRestart},
}

// securest is the best of what a server offers.
func securest(s *realserver.Server) imapclient.Security {
	switch {
	case s.Offers("TLS"):
		return imapclient.ImplicitTLS
	case s.Offers("STARTTLS"):
		return imapclient.STARTTLS
	}
	return imapclient.NoTLS
}

// people lists who complained by the ledger's records, in order of seq. UIDs
// begin at other numbers than 1 on some servers.
func people(t *testing.T, l ledger.Reader) []string {
	t.Helper()
	var got []string
	for _, record := range records(t, l) {
		_, summary, _ := strings.Cut(record, " ")
		got = append(got, strings.TrimPrefix(summary, "complaint "))
	}
	return got
}

// expectedPeople complained in n sample reports.
func expectedPeople(n int) []string {
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf("user%d@example.com", i))
	}
	return want
}

// familySweep: more messages than are read without a SEARCH, over each security.
func familySweep(t *testing.T, s *realserver.Server) {
	const many = fewMessages + 500
	s.Append("INBOX", samples(0, many, 0)...)
	for name, security := range map[string]imapclient.Security{
		"plain": imapclient.NoTLS, "STARTTLS": imapclient.STARTTLS, "TLS": imapclient.ImplicitTLS,
	} {
		if name != "plain" && !s.Offers(name) {
			continue
		}
		l := openLedger(t)
		a := accountOn(t, s, security, l)
		ctx, cancel := context.WithTimeout(t.Context(), sweepTime)
		defer cancel()
		if err := a.Run(ctx, true); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		same(t, people(t, l), expectedPeople(many))
		read := 0
		a.Committed = func(c ledger.Committed) { read += c.Messages + c.Duplicates }
		if err := a.Run(ctx, true); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if read != 0 {
			t.Errorf("%s: a second sweep read %d messages", name, read)
		}
	}
	// It leaves no trace.
	c, err := imapclient.Dial(t.Context(), accountOn(t, s, imapclient.NoTLS, nil).IMAP)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if st, err := c.Status(t.Context(), "INBOX"); err != nil || st.Unseen == nil || *st.Unseen != many {
		t.Errorf("INBOX %+v, %v; want %d unseen", st, err, many)
	}
}

// familyFolders: which folders the patterns find, and that each is read.
func familyFolders(t *testing.T, s *realserver.Server) {
	for i, name := range []string{"FBL/2025", "FBL/2026", "FBL/2026/Old", "Bounces"} {
		s.Append(s.Folder(name), samples(i, i+1, 0)...)
	}
	for _, test := range []struct {
		patterns []string
		want     []int // samples
	}{
		{[]string{"FBL/*"}, []int{0, 1, 2}},
		{[]string{"FBL/%"}, []int{0, 1}},
		{[]string{"FBL*", "FBL/2026"}, []int{0, 1, 2}},
		{[]string{"Boun%", "FBL/2026/Old"}, []int{2, 3}},
	} {
		l := openLedger(t)
		a := accountOn(t, s, imapclient.NoTLS, l)
		a.Folders = nil
		for _, pattern := range test.patterns {
			a.Folders = append(a.Folders, s.Folder(pattern))
		}
		ctx, cancel := context.WithTimeout(t.Context(), familyTime)
		defer cancel()
		if err := a.Run(ctx, true); err != nil {
			t.Errorf("%q: %v", a.Folders, err)
		}
		var want []string
		for _, i := range test.want {
			want = append(want, fmt.Sprintf("user%d@example.com", i))
		}
		got := people(t, l)
		slices.Sort(got)
		same(t, got, want)
	}
}

// liveWatch runs a watch in which the records arrive.
type liveWatch struct {
	t    *testing.T
	rows chan int
	ctx  context.Context
	done chan error
	stop func()
}

func startWatch(t *testing.T, a *Account) *liveWatch {
	w := &liveWatch{t: t, rows: make(chan int, 1000), done: make(chan error, 1)}
	a.Committed = func(c ledger.Committed) { w.rows <- len(c.Rows) }
	w.ctx, w.stop = context.WithTimeout(t.Context(), familyTime)
	go func() { w.done <- a.Run(w.ctx, false) }()
	return w
}

// wait waits for n more records.
func (w *liveWatch) wait(n int) {
	w.t.Helper()
	for n > 0 {
		select {
		case k := <-w.rows:
			n -= k
		case <-w.ctx.Done():
			w.t.Fatalf("%d records did not come", n)
		}
	}
}

func (w *liveWatch) end() {
	w.t.Helper()
	w.stop()
	if err := <-w.done; !errors.Is(err, context.Canceled) {
		w.t.Errorf("Run: %v", err)
	}
}

// familyWatch: messages that arrive while two folders are watched, one of them
// found by a pattern; compressed, where the server can.
func familyWatch(t *testing.T, s *realserver.Server, way string) {
	one, two := s.Folder("Watch/"+way+"/One"), s.Folder("Two/"+way)
	s.Append(one, samples(0, 5, 0)...)
	s.Append(two, samples(5, 10, 0)...)
	l := openLedger(t)
	a := accountOn(t, s, securest(s), l)
	a.Folders = []string{s.Folder("Watch/" + way + "/%"), two}
	a.Watch, a.Poll, a.IMAP.Compress = way, time.Second, imapclient.CompressOn
	if s.Name() == "imap4d" { // it tells nothing in IDLE, so the first news comes at the end of a slice
		a.Slice = 5 * time.Second
	}
	w := startWatch(t, a)
	w.wait(10)
	for i := 10; i < 40; i += 10 {
		s.Append(one, samples(i, i+5, 0)...)
		s.Append(two, samples(i+5, i+10, 0)...)
		w.wait(10)
	}
	w.end()
	want, got := expectedPeople(40), people(t, l)
	slices.Sort(want)
	slices.Sort(got)
	same(t, got, want)
}

// familyOpenFolder: of several folders that one connection polls, one is open, and
// STATUS of that one may be stale (Dovecot, Courier). What comes into it one after
// the other is read all the same.
func familyOpenFolder(t *testing.T, s *realserver.Server) {
	one, two := s.Folder("Open/One"), s.Folder("Open/Two")
	s.Append(one, samples(0, 1, 0)...)
	s.Append(two, samples(1, 2, 0)...)
	l := openLedger(t)
	a := accountOn(t, s, imapclient.NoTLS, l)
	a.Folders, a.Watch, a.Poll = []string{one, two}, "poll", time.Second
	w := startWatch(t, a)
	w.wait(2)
	for i, folder := range []string{one, one, one, two, two} {
		s.Append(folder, samples(2+i, 3+i, 0)...)
		w.wait(1)
	}
	w.end()
	if n := len(records(t, l)); n != 7 {
		t.Errorf("%d records, want 7", n)
	}
}

// familyAfter: what is done to the messages that were read, and to no others. The
// third message is somebody else's to delete. Where the server cannot do it without
// a danger to other messages, nothing is done.
func familyAfter(t *testing.T, s *realserver.Server) {
	done := s.Folder("Done")
	for _, test := range []struct {
		name          string
		action        Action
		all           string // places of messages, from 1
		seen, flagged string
	}{
		{"seen", Action{"seen", ""}, "1 2 3 4 5", "1 2 4", ""},
		{"flagged", Action{"flag", `\Flagged`}, "1 2 3 4 5", "", "1 2 4"},
		{"marked", Action{"flag", "Reported"}, "1 2 3 4 5", "", ""},
		{"moved", Action{"move", done}, "3 5", "", ""},
		{"deleted", Action{"delete", ""}, "3 5", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := s.Folder("After/" + test.name)
			// Not by SEARCH: maddy's finds flags of other folders' messages too. In
			// lower case, as maddy stores them.
			found := func(folder, flag string) (uids []string) {
				s.Do("EXAMINE " + folder)
				defer s.Do("EXAMINE INBOX")
				for _, line := range s.Ask("UID FETCH 1:* (UID FLAGS)") {
					if words := fetched.FindStringSubmatch(line); words != nil && strings.Contains(strings.ToLower(line), flag) {
						uids = append(uids, words[1])
					}
				}
				return uids
			}
			s.Append(folder, messageOf(0, 0), messageOf(1, 0), sample.Message(2, "human"), messageOf(3, 0), sample.Message(4, "human"))
			uids := found(folder, "")
			if len(uids) != 5 {
				t.Fatalf("UIDs %q", uids)
			}
			s.Do("SELECT " + folder)
			s.Do("UID STORE " + uids[2] + ` +FLAGS (\Deleted)`)
			s.Do("EXAMINE INBOX")
			uids = found(folder, "") // imap4d has just given the last one another
			l := openLedger(t)
			a := accountOn(t, s, securest(s), l)
			a.Folders, a.After.Report = []string{folder}, test.action
			ctx, cancel := context.WithTimeout(t.Context(), familyTime)
			defer cancel()
			refused := refusals[s.Name()]["after-"+test.name] != ""
			all := test.all
			if err := a.Run(ctx, true); refused {
				all = "1 2 3 4 5"
				t.Logf("refused: %v", err)
			} else if err != nil {
				t.Error(err)
			}
			if n := len(records(t, l)); n != 3 {
				t.Errorf("%d records", n)
			}
			if todos := owed(t, l, folder); todos != 0 && !refused {
				t.Errorf("%d are still owed", todos)
			}
			for key, want := range map[string]string{"": all, `\seen`: test.seen, `\flagged`: test.flagged, `\deleted`: "3"} {
				if got := places(found(folder, key), uids); got != want {
					t.Errorf("with flag %q are %q, want %q", key, got, want)
				}
			}
			if test.action.Arg == "Reported" && !refused {
				if got := places(found(folder, "reported"), uids); got != "1 2 4" {
					t.Errorf("marked are %q", got)
				}
			}
			if test.action.Do == "move" && !refused {
				if got := found(done, ""); len(got) != 3 {
					t.Errorf("%s has %q", done, got)
				}
			}
		})
	}
}

var fetched = regexp.MustCompile(`^\* \d+ FETCH .*\bUID (\d+)`)

// places says which of all the UIDs in some are, from 1.
func places(some, all []string) string {
	var at []string
	for i, uid := range all {
		if slices.Contains(some, uid) {
			at = append(at, fmt.Sprint(i+1))
		}
	}
	return strings.Join(at, " ")
}

// owed is how many after-actions of a folder are still to be done.
func owed(t *testing.T, l ledger.Ledger, folder string) int {
	t.Helper()
	claim, err := l.Claim(t.Context(), ledger.Folder{Account: "real", Name: folder})
	if err != nil {
		t.Fatal(err)
	}
	todos, err := l.Todos(t.Context(), claim, 100)
	if err != nil {
		t.Fatal(err)
	}
	return len(todos)
}

// familyPassword: a login that is refused is told as such.
func familyPassword(t *testing.T, s *realserver.Server) {
	a := accountOn(t, s, securest(s), openLedger(t))
	a.IMAP.Login = func(_ context.Context, ch imapclient.Challenge) (imapclient.Credentials, error) {
		return imapclient.Credentials{Username: s.User(), Password: "wrong"}, ch.Last
	}
	ctx, cancel := context.WithTimeout(t.Context(), familyTime)
	defer cancel()
	var auth *imapclient.AuthError
	if err := a.Run(ctx, true); !errors.As(err, &auth) || auth.Username != s.User() {
		t.Errorf("Run: %v, want an AuthError", err)
	}
}

// familyRestart: the server goes away and comes back, and messages have come. One
// that forgets its messages then has others under the same UIDs.
func familyRestart(t *testing.T, s *realserver.Server) {
	folder := s.Folder("Restarted")
	s.Append(folder, samples(0, 10, 0)...)
	l := openLedger(t)
	a := accountOn(t, s, imapclient.NoTLS, l)
	a.Folders = []string{folder}
	w := startWatch(t, a)
	w.wait(10)
	for n := 10; n < 30; n += 10 {
		s.Append(folder, samples(n, n+5, 0)...)
		if s.Forgets() {
			w.wait(5)
		}
		s.Restart()
		s.Append(folder, samples(n+5, n+10, 0)...)
		if s.Forgets() {
			w.wait(5)
		} else {
			w.wait(10)
		}
	}
	w.end()
	same(t, people(t, l), expectedPeople(30))
}
