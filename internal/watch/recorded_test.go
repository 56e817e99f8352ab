package watch

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// rewritten makes a server write each message anew at each fetch, with a boundary
// of its own, as Twisted does for a plain IMessage.
func rewritten(s *imaptest.Server) {
	var n atomic.Int64
	s.Shape = func(int, uint32) imaptest.Shape {
		return imaptest.Shape{Body: func(b []byte) []byte {
			_, rest, _ := bytes.Cut(b, []byte(`boundary="`))
			boundary, _, _ := bytes.Cut(rest, []byte(`"`))
			next := fmt.Sprintf("%0*d", len(boundary), n.Add(1))
			b = bytes.ReplaceAll(b, boundary, []byte(next))
			return bytes.Replace(b, []byte("Content-Type: message/feedback-report\r\n"), []byte("Content-Type: message/feedback-report; boundary="+next+"\r\n"), 1)
		}}
	}
}

// readAgain sweeps everything from the first UID on.
func readAgain(t *testing.T, s *imaptest.Server, l ledger.Ledger) (known int) {
	t.Helper()
	a := account(s, l)
	a.All = true
	a.Committed = func(c ledger.Committed) { known += c.Duplicates }
	runOnce(t, a)
	return known
}

// TestRewrittenMessages: what the server writes anew at each fetch makes one set of
// records, however often its place is read.
func TestRewrittenMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(5, 0)
		defer s.Close()
		rewritten(s)
		l := memory.New()
		same(t, sweeps(t, s, l), expected(5))
		for range 2 {
			if known := readAgain(t, s, l); known != 5 {
				t.Errorf("%d messages were known, want 5", known)
			}
		}
		s.Append("INBOX", messageOf(5, 0))
		same(t, sweeps(t, s, l), expected(6))
		same(t, records(t, l), expected(6))
	})
}

// TestRewrittenWithoutHeads: so it is where the ledger keeps no heads.
func TestRewrittenWithoutHeads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(5, 0)
		defer s.Close()
		rewritten(s)
		l := memory.New()
		a := account(s, l)
		a.NoHeads = true
		for range 2 {
			runOnce(t, a)
			same(t, records(t, l), expected(5))
			a.All = true
		}
	})
}

// TestRewrittenInterrupted: a reading from the first UID on that ends midway goes
// on in another session, which still knows what was read before.
func TestRewrittenInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 1500 // more than one FETCH
		s := filled(many, 0)
		defer s.Close()
		rewritten(s)
		set := later(s)
		l := memory.New()
		same(t, sorted(sweeps(t, s, l)), expected(many))
		var cut atomic.Bool
		set(func(at imaptest.Step) imaptest.Action {
			if at.UID == 1200 && cut.CompareAndSwap(false, true) {
				return imaptest.Action{Do: imaptest.Cut}
			}
			return imaptest.Action{}
		})
		readAgain(t, s, l)
		if !cut.Load() {
			t.Error("the reading was not cut")
		}
		same(t, sorted(records(t, l)), expected(many))
	})
}

// TestRewrittenKilled: so does another process.
func TestRewrittenKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 1500
		s := filled(many, 0)
		defer s.Close()
		rewritten(s)
		l := memory.New()
		same(t, sorted(sweeps(t, s, l)), expected(many))
		a := account(s, l)
		a.All = true
		ctx, cancel := context.WithCancel(t.Context())
		a.Committed = func(ledger.Committed) { cancel() }
		if err := a.Run(ctx, true); err == nil {
			t.Error("no error of a sweep that was cancelled")
		}
		if sweeps(t, s, l); len(records(t, l)) != many {
			t.Errorf("%d records, want %d", len(records(t, l)), many)
		}
	})
}

// TestOthersAtThePlace: another message at a place that was read makes its records:
// one with another From, Date or Message-ID, or without one of them.
func TestOthersAtThePlace(t *testing.T) {
	change := func(old, new string) func([]byte) []byte {
		return func(b []byte) []byte {
			out := bytes.Replace(b, []byte(old), []byte(new), 1)
			return bytes.ReplaceAll(out, []byte("user1@"), []byte("another@"))
		}
	}
	for name, bend := range map[string]func([]byte) []byte{
		"another From":       change("From: Feedback Loop", "From: Another Loop"),
		"another Date":       change("\r\nDate: ", "\r\nDate: 1 Jan 2026 00:00:00 +0000\r\nX-Date: "),
		"another Message-ID": change("Message-ID: <report.", "Message-ID: <other."),
		"no Message-ID":      change("Message-ID: <report.", "X-Message-ID: <report."),
		"no Date":            change("\r\nDate: ", "\r\nX-Date: "),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := imaptest.New()
				defer s.Close()
				s.Append("INBOX", sample.Report(1, 0))
				l := memory.New()
				sweeps(t, s, l)
				s.Shape = func(int, uint32) imaptest.Shape { return imaptest.Shape{Body: bend} }
				readAgain(t, s, l)
				if got := strings.Join(records(t, l), ", "); got != "1 complaint user1@example.com, 1 complaint another@example.com" {
					t.Errorf("records %s", got)
				}
			})
		})
	}
}

// originless is a ledger that has not noted the origin of its messages yet.
type originless struct{ ledger.Ledger }

func (w originless) Commit(ctx context.Context, c ledger.Claim, b ledger.Batch) (ledger.Committed, error) {
	for i := range b.Messages {
		b.Messages[i].Origin = 0
	}
	return w.Ledger.Commit(ctx, c, b)
}

// TestRewrittenOlderLedger: where the ledger has not noted it, the kept head tells
// what a message was.
func TestRewrittenOlderLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(5, 0)
		defer s.Close()
		rewritten(s)
		l := originless{memory.New()}
		same(t, sweeps(t, s, l), expected(5))
		if known := readAgain(t, s, l); known != 5 {
			t.Errorf("%d messages were known, want 5", known)
		}
		same(t, records(t, l), expected(5))
	})
}

// asking counts the queries for places.
type asking struct {
	ledger.Ledger
	places int
}

func (a *asking) Places(ctx context.Context, id int64, validity uint64, from uint32, limit int) ([]ledger.Place, error) {
	a.places++
	return a.Ledger.Places(ctx, id, validity, from, limit)
}

// TestNewMessagesAreNotLookedUp: only what may have been read before costs a query.
func TestNewMessagesAreNotLookedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(500, 0)
		defer s.Close()
		l := &asking{Ledger: memory.New()}
		sweeps(t, s, l)
		if fetches := commands(s, "UID FETCH"); len(fetches) != 1 {
			t.Errorf("%d FETCHes for 500 messages, want 1", len(fetches))
		}
		for i := range 10 {
			s.Append("INBOX", messageOf(500+i, 0))
		}
		if got := len(sweeps(t, s, l)); got != 510 || l.places != 0 {
			t.Errorf("%d records, %d queries for places", got, l.places)
		}
		readAgain(t, s, l)
		s.Append("INBOX", messageOf(510, 0))
		if got := len(sweeps(t, s, l)); got != 511 || l.places != 1 {
			t.Errorf("%d records, %d queries for places, want 1", got, l.places)
		}
	})
}
