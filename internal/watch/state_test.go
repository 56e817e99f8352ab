package watch

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// TestState: the ledger tells what a session does and since when; the row of a
// session that lives is never older than ledger.BeatEvery.
func TestState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(3, 300)
		defer s.Close()
		var limit atomic.Int64
		limit.Store(-1)
		s.Limit = func(int) int64 { return limit.Load() }
		l := memory.New()
		stop := whileWatching(t, account(s, l))
		start := time.Now()
		look := func(want ledger.State) ledger.Status {
			t.Helper()
			states, err := l.States(t.Context())
			if err != nil || len(states) != 1 || states[0].Name != "session/test/INBOX" {
				t.Fatalf("%v, %v", states, err)
			}
			row := states[0]
			if row.State != want || time.Since(row.Beat) > ledger.BeatEvery || !row.Current {
				t.Errorf("after %v: %s, as of %v ago, current %v; want %s", time.Since(start), row.State, time.Since(row.Beat), row.Current, want)
			}
			return row
		}
		time.Sleep(10 * time.Minute)
		if row := look("watch"); row.Since.Sub(start) > time.Second || row.At.Sub(start) > time.Second {
			t.Errorf("watching since %v, written at %v, started at %v", row.Since, row.At, start)
		}
		limit.Store(0)
		s.Disconnect()
		time.Sleep(30 * time.Minute)
		row := look("backoff")
		if row.Error == "" {
			t.Error("no reason for the backoff")
		}
		if failing := row.Failing.Sub(start); failing < 10*time.Minute || failing > 11*time.Minute {
			t.Errorf("failing since %v behind the start, not since the link broke", failing)
		}
		limit.Store(-1)
		time.Sleep(10 * time.Minute)
		if row := look("watch"); row.Error != "" || !row.Failing.IsZero() {
			t.Errorf("it works again, and says %+v", row)
		}
		stop()
		look("closed")
	})
}

// forgetful counts the writes of states, and takes none while it is full.
type forgetful struct {
	ledger.Ledger
	full   atomic.Bool
	writes atomic.Int64
}

func (d *forgetful) SetStates(ctx context.Context, states ...ledger.Status) error {
	d.writes.Add(1)
	if d.full.Load() {
		return ledger.ErrFull
	}
	return d.Ledger.SetStates(ctx, states...)
}

// TestStateWrites: a watch of several folders in which nothing happens writes a
// heartbeat and no more.
func TestStateWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(3, 300)
		defer s.Close()
		s.AddMailbox("A")
		s.AddMailbox("B")
		l := &forgetful{Ledger: memory.New()}
		a := account(s, l)
		a.Folders = []string{"INBOX", "A", "B"}
		defer whileWatching(t, a)()
		time.Sleep(time.Minute + time.Second) // between two heartbeats
		before := l.writes.Load()
		time.Sleep(time.Hour)
		if n := l.writes.Load() - before; n != int64(time.Hour/ledger.BeatEvery) {
			t.Errorf("%d writes of states in an hour, want %d", n, time.Hour/ledger.BeatEvery)
		}
	})
}

// TestStateLater: a change of state that the ledger could not take is in it with the
// next heartbeat.
func TestStateLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(3, 300)
		defer s.Close()
		l := &forgetful{Ledger: memory.New()}
		defer whileWatching(t, account(s, l))()
		time.Sleep(time.Minute)
		cut := time.Now()
		l.full.Store(true)
		s.Disconnect()
		time.Sleep(time.Minute)
		l.full.Store(false)
		time.Sleep(ledger.BeatEvery + time.Second)
		states, err := l.States(t.Context())
		if err != nil || len(states) != 1 || states[0].State != ledger.StateWatch || states[0].Since.Before(cut) {
			t.Errorf("%+v, %v; want the state of the second session", states, err)
		}
	})
}

// TestWithoutUIDNext: a server that does not tell UIDNEXT in EXAMINE is asked
// by STATUS, so that no SEARCH has to list a whole folder.
func TestWithoutUIDNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(20, 300)
		defer s.Close()
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Command == "EXAMINE" && strings.Contains(step.Text, "UIDNEXT") {
				return imaptest.Action{Do: imaptest.Drop}
			}
			return imaptest.Action{}
		}
		same(t, sweeps(t, s, memory.New()), expected(20))
		asked := 0
		for _, line := range s.Transcript() {
			if strings.Contains(line, "STATUS INBOX (") || strings.Contains(line, `STATUS "INBOX" (`) {
				asked++
			}
			if strings.Contains(line, "UID SEARCH") {
				t.Errorf("%s", line)
			}
		}
		if asked == 0 {
			t.Error("STATUS was not asked")
		}
	})
}
