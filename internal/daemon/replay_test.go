package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/ledger/ledgertest"
	"github.com/fblwatch/fblwatch/internal/sink"
)

// replayer is a sink that has the writer set its cursors back in the middle of a Write,
// before what it got is acknowledged.
type replayer struct {
	got    []delivery.Item
	before func(written int)
}

func (r *replayer) Write(_ context.Context, items []delivery.Item) (int, error) {
	r.before(len(r.got))
	r.got = append(r.got, items...)
	return len(items), nil
}

func (r *replayer) Close() error { return nil }

// After a replay during a delivery every record comes again, in order and with a key of
// its own, and no late acknowledgement loses one.
func TestReplayWhileDelivering(t *testing.T) {
	l, err := backend.Open(t.Context(), filepath.Join(t.TempDir(), "l.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := ledgertest.Claim(t, l, ledgertest.Inbox)
	const messages, each, replays, writeMost = 40, 50, 3, 500
	for i := range messages {
		ledgertest.Commit(t, l, c, ledgertest.Message(fmt.Sprint("m", i), each))
	}
	if err := l.Register(t.Context(), "s", false); err != nil {
		t.Fatal(err)
	}
	s := &replayer{}
	pump := sink.NewPump(sink.Config{Name: "s"}, l, s, slog.New(slog.DiscardHandler))
	n, last, numbered := 0, 0, 0
	s.before = func(written int) {
		if n == replays || written < (n+1)*700 {
			return
		}
		n++
		last = written
		done, err := l.Do(t.Context(), ledger.Change{Replay: []ledger.Replay{{Sink: "s"}}})
		if err != nil {
			t.Error(err)
		}
		if done.Resent > 0 { // else nothing was acknowledged yet
			numbered = n
		}
		pump.Replay()
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- pump.Run(ctx) }()
	err = pump.Flush(t.Context())
	stop()
	if runErr := <-ended; err != nil || runErr != nil {
		t.Fatal(err, runErr)
	}
	if n != replays {
		t.Fatalf("%d replays", n)
	}
	// What was under way when the last one came, and then all of them from the first on.
	after := s.got[last:]
	for len(after) > 0 && after[0].Seq != 1 {
		after = after[1:]
	}
	if len(after) != messages*each {
		t.Fatalf("%d records came after the last replay, want %d", len(after), messages*each)
	}
	for i, item := range after {
		if item.Seq != int64(i+1) {
			t.Fatalf("record %d is %d", i+1, item.Seq)
		}
	}
	if key, want := after[0].Key(), fmt.Sprintf("m0.1.1#%d", numbered); key != want || numbered == 0 {
		t.Errorf("key %s, want %s", key, want)
	}
	if len(s.got) > last+writeMost+messages*each { // the rest of what was read before is not sent
		t.Errorf("%d records after the last replay", len(s.got)-last)
	}
	if n, _, err := l.Lag(t.Context(), "s"); n != 0 || err != nil {
		t.Errorf("%d wait, %v", n, err)
	}
}
