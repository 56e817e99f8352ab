package watch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/sample"
)

func login(_ context.Context, ch imapclient.Challenge) (imapclient.Credentials, error) {
	return imapclient.Credentials{Username: "user", Password: "pass"}, ch.Last
}

// account reads INBOX of a scripted server into l.
func account(s *imaptest.Server, l ledger.Ledger) *Account {
	a := &Account{
		Name:    "test",
		IMAP:    imapclient.Options{Host: "imap.example.com", Security: imapclient.NoTLS, Insecure: true, Login: login},
		Folders: []string{"INBOX"},
		Ledger:  l,
	}
	if s != nil {
		a.IMAP.Dial = s.Dial
	}
	return a
}

// runOnce sweeps a.
func runOnce(t testing.TB, a *Account) {
	t.Helper()
	if err := a.Run(t.Context(), true); err != nil {
		t.Fatal(err)
	}
}

// whileWatching runs a watch of a until stop is called. stop fails the test if the watch did
// not end by that.
func whileWatching(t testing.TB, a *Account) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, false) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("the watch ended by %v", err)
		}
	}
}

// logbook is a log that tests look into.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logbook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logbook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *logbook) count(text string) int {
	return strings.Count(b.String(), text)
}

// logged has a log to a logbook.
func logged(a *Account) *logbook {
	book := &logbook{}
	a.Log = slog.New(slog.NewTextHandler(book, nil))
	return book
}

// later lets the hook of a server be changed while it serves.
func later(s *imaptest.Server) (set func(hook func(imaptest.Step) imaptest.Action)) {
	var now atomic.Pointer[func(imaptest.Step) imaptest.Action]
	s.Hook = func(at imaptest.Step) imaptest.Action {
		if hook := now.Load(); hook != nil {
			return (*hook)(at)
		}
		return imaptest.Action{}
	}
	return func(hook func(imaptest.Step) imaptest.Action) { now.Store(&hook) }
}

// filled is a server with the first n sample reports of about size octets.
func filled(n, size int) *imaptest.Server {
	s := imaptest.New()
	for i := range n {
		s.Append("INBOX", messageOf(i, size))
	}
	return s
}

var messages sync.Map // of the samples made so far: the fault tests want them thousands of times

func messageOf(i, size int) []byte {
	key := [2]int{i, size}
	if b, ok := messages.Load(key); ok {
		return b.([]byte)
	}
	b := sample.Report(i, size)
	messages.Store(key, b)
	return b
}

// records lists what the ledger holds: "uid recipient", in order of seq.
func records(t testing.TB, l ledger.Reader) []string {
	t.Helper()
	var got []string
	for row, err := range l.Records(context.Background(), ledger.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, summary(t, row.JSON))
	}
	return got
}

// expected is what n sample reports make of it.
func expected(n int) []string {
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf("%d complaint user%d@example.com", i+1, i))
	}
	return want
}

func same(t testing.TB, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("%d records, want %d; of them number %d is %q, want %q", len(got), len(want), i, g, w)
		}
	}
}

func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(3000, 300)
		defer s.Close()
		l := memory.New()
		a := account(s, l)
		runOnce(t, a)
		same(t, records(t, l), expected(3000))
		conns := s.Conns()
		runOnce(t, a)
		same(t, records(t, l), expected(3000))
		if conns != 1 {
			t.Errorf("%d connections for a sweep", conns)
		}
	})
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(5, 300)
		defer s.Close()
		l := memory.New()
		stop := whileWatching(t, account(s, l))
		synctest.Wait()
		same(t, records(t, l), expected(5))
		for i := 5; i < 20; i++ {
			s.Append("INBOX", sample.Report(i, 300))
			time.Sleep(time.Duration(i) * time.Minute)
			synctest.Wait()
			same(t, records(t, l), expected(i+1))
		}
		if n := s.Conns(); n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
		stop()
	})
}

// Without heads nothing of a message is kept but its records.
func TestNoHeads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(3, 300)
		defer s.Close()
		l := memory.New()
		a := account(s, l)
		a.NoHeads = true
		runOnce(t, a)
		n := 0
		for row, err := range l.Records(t.Context(), ledger.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			report, _, _ := strings.Cut(row.ID, ".")
			if head, err := l.Head(t.Context(), report); err != nil || head != nil {
				t.Errorf("%s: a head of %d octets, %v", row.ID, len(head), err)
			}
			n++
		}
		if n == 0 {
			t.Error("no records")
		}
	})
}
