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
			t.Run("watch", func(t *testing.T) { familyWatch(t, s) })
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
// found by a pattern.
func familyWatch(t *testing.T, s *imaptest.RealServer) {
	one, two := s.Folder("Watched/One"), s.Folder("Two")
	s.Append(one, samples(0, 5, 0)...)
	s.Append(two, samples(5, 10, 0)...)
	l := openLedger(t)
	a := accountOn(t, s, imapclient.ImplicitTLS, l)
	a.Folders = []string{s.Folder("Watched/%"), two}
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
