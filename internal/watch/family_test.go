package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// familyTime bounds each part of TestFamilies.
const familyTime = time.Minute

// TestFamilies is what every family of servers must give, whatever it lacks.
func TestFamilies(t *testing.T) {
	for _, family := range imaptest.Families {
		t.Run(family.Name, func(t *testing.T) {
			t.Parallel()
			s := family.Start(t)
			t.Run("sweep", func(t *testing.T) { familySweep(t, s) })
			t.Run("folders", func(t *testing.T) { familyFolders(t, s) })
			for _, way := range []string{"auto", "idle", "poll"} {
				t.Run("watch/"+way, func(t *testing.T) { familyWatch(t, s, way) })
			}
			t.Run("open folder", func(t *testing.T) { familyOpenFolder(t, s) })
			t.Run("after", func(t *testing.T) { familyAfter(t, s) })
			t.Run("password", func(t *testing.T) { familyPassword(t, s) })
			t.Run("restart", func(t *testing.T) { familyRestart(t, s) })
		})
	}
}

// familySweep: more mails than are read without a SEARCH, over each security.
func familySweep(t *testing.T, s *imaptest.RealServer) {
	const many = fewMails + 500
	s.Append("INBOX", samples(0, many, 0)...)
	for name, security := range map[string]imapclient.Security{
		"plain": imapclient.Plain, "STARTTLS": imapclient.STARTTLS, "TLS": imapclient.ImplicitTLS,
	} {
		l := openLedger(t)
		a := accountOn(t, s, security, l)
		ctx, cancel := context.WithTimeout(t.Context(), familyTime)
		defer cancel()
		if err := a.Run(ctx, true); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		same(t, records(t, l), expected(many))
		read := 0
		a.Committed = func(c ledger.Committed) { read += c.Mails + c.Duplicates }
		if err := a.Run(ctx, true); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if read != 0 {
			t.Errorf("%s: a second sweep read %d mails", name, read)
		}
	}
	// It leaves no trace.
	c, err := imapclient.Dial(t.Context(), accountOn(t, s, imapclient.Plain, nil).IMAP)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if st, err := c.Status(t.Context(), "INBOX"); err != nil || st.Unseen == nil || *st.Unseen != many {
		t.Errorf("INBOX %+v, %v; want %d unseen", st, err, many)
	}
}

// familyFolders: which folders the patterns find, and that each is read.
func familyFolders(t *testing.T, s *imaptest.RealServer) {
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
		a := accountOn(t, s, imapclient.Plain, l)
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
			want = append(want, fmt.Sprintf("1 complaint user%d@example.com", i))
		}
		got := records(t, l)
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

// familyWatch: mails that arrive while two folders are watched, one of them
// found by a pattern; compressed, where the server can.
func familyWatch(t *testing.T, s *imaptest.RealServer, way string) {
	one, two := s.Folder("Watch/"+way+"/One"), s.Folder("Two/"+way)
	s.Append(one, samples(0, 5, 0)...)
	s.Append(two, samples(5, 10, 0)...)
	l := openLedger(t)
	a := accountOn(t, s, imapclient.ImplicitTLS, l)
	a.Folders = []string{s.Folder("Watch/" + way + "/%"), two}
	a.Watch, a.Poll, a.IMAP.Compress = way, time.Second, imapclient.CompressOn
	w := startWatch(t, a)
	w.wait(10)
	for i := 10; i < 40; i += 10 {
		s.Append(one, samples(i, i+5, 0)...)
		s.Append(two, samples(i+5, i+10, 0)...)
		w.wait(10)
	}
	w.end()
	var want, got []string
	for i := range 40 {
		want = append(want, fmt.Sprintf("user%d@example.com", i))
	}
	for _, record := range records(t, l) {
		got = append(got, record[strings.LastIndexByte(record, ' ')+1:])
	}
	slices.Sort(want)
	slices.Sort(got)
	same(t, got, want)
}

// familyOpenFolder: of several folders that one connection polls, one is open, and
// STATUS of that one may be stale (Dovecot, Courier). What comes into it one after
// the other is read all the same.
func familyOpenFolder(t *testing.T, s *imaptest.RealServer) {
	one, two := s.Folder("Open/One"), s.Folder("Open/Two")
	s.Append(one, samples(0, 1, 0)...)
	s.Append(two, samples(1, 2, 0)...)
	l := openLedger(t)
	a := accountOn(t, s, imapclient.Plain, l)
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

// familyAfter: what is done to the mails that were read, and to no others. Mail 3
// is somebody else's to delete.
func familyAfter(t *testing.T, s *imaptest.RealServer) {
	done := s.Folder("Done")
	for _, test := range []struct {
		name          string
		action        Action
		all           string // UIDs
		seen, flagged string
	}{
		{"seen", Action{"seen", ""}, "1 2 3 4 5", "1 2 4", ""},
		{"flagged", Action{"flag", `\Flagged`}, "1 2 3 4 5", "", "1 2 4"},
		{"marked", Action{"flag", "Reported"}, "1 2 3 4 5", "", ""},
		{"moved", Action{"move", done}, "3 5", "", ""},
		{"deleted", Action{"delete", ""}, "3 5", "", ""},
	} {
		folder := s.Folder("After/" + test.name)
		s.Append(folder, mailOf(0, 0), mailOf(1, 0), sample.Mail(2, "human"), mailOf(3, 0), sample.Mail(4, "human"))
		s.Do("SELECT " + folder)
		s.Do(`UID STORE 3 +FLAGS (\Deleted)`)
		s.Do("EXAMINE INBOX")
		l := openLedger(t)
		a := accountOn(t, s, imapclient.ImplicitTLS, l)
		a.Folders, a.After.Report = []string{folder}, test.action
		ctx, cancel := context.WithTimeout(t.Context(), familyTime)
		defer cancel()
		if err := a.Run(ctx, true); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if n := len(records(t, l)); n != 3 {
			t.Errorf("%s: %d records", test.name, n)
		}
		if todos := owed(t, l, folder); todos != 0 {
			t.Errorf("%s: %d are still owed", test.name, todos)
		}
		found := func(folder, key string) string {
			s.Do("EXAMINE " + folder)
			return strings.TrimSpace(strings.TrimPrefix(s.Ask("UID SEARCH " + key)[0], "* SEARCH"))
		}
		for key, want := range map[string]string{"ALL": test.all, "SEEN": test.seen, "FLAGGED": test.flagged, "DELETED": "3"} {
			if got := found(folder, key); got != want {
				t.Errorf("%s: %s are %q, want %q", test.name, key, got, want)
			}
		}
		if test.action.Arg == "Reported" {
			if got := found(folder, "KEYWORD Reported"); got != "1 2 4" {
				t.Errorf("%s: marked are %q", test.name, got)
			}
		}
		if test.action.Do == "move" {
			if got := found(done, "ALL"); got != "1 2 3" {
				t.Errorf("%s has %q", done, got)
			}
		}
		s.Do("EXAMINE INBOX")
	}
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
func familyPassword(t *testing.T, s *imaptest.RealServer) {
	a := accountOn(t, s, imapclient.STARTTLS, openLedger(t))
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

// familyRestart: the server goes away and comes back, and mails have come.
func familyRestart(t *testing.T, s *imaptest.RealServer) {
	folder := s.Folder("Restarted")
	s.Append(folder, samples(0, 10, 0)...)
	l := openLedger(t)
	a := accountOn(t, s, imapclient.Plain, l)
	a.Folders = []string{folder}
	w := startWatch(t, a)
	w.wait(10)
	for n := 10; n < 30; n += 10 {
		s.Append(folder, samples(n, n+5, 0)...)
		s.Restart()
		s.Append(folder, samples(n+5, n+10, 0)...)
		w.wait(10)
	}
	w.end()
	same(t, records(t, l), expected(30))
}
