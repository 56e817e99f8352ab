package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

func register(t *testing.T, l ledger.Ledger, sinks ...string) {
	t.Helper()
	for _, sink := range sinks {
		if err := l.Register(t.Context(), sink, false); err != nil {
			t.Fatal(err)
		}
	}
}

func ack(t *testing.T, l ledger.Ledger, sink string, replays int, folder, seq int64) {
	t.Helper()
	if err := l.Ack(t.Context(), sink, replays, folder, seq); err != nil {
		t.Fatal(err)
	}
}

// at makes a message of one record that was received so long after Noon.
func at(id string, after time.Duration) ledger.Message {
	m := Message(id, 1)
	m.Records[0].At = Noon.Add(after)
	return m
}

// wantUnsent wants places, with #n behind those that a Replay sends again.
func wantUnsent(t *testing.T, what string, l ledger.Ledger, sink, want string) {
	t.Helper()
	Want(t, what, numbered(Rows(t, l.Unsent(t.Context(), sink))), want)
}

func wantLag(t *testing.T, what string, l ledger.Ledger, sink string, want int64, wantSince time.Time) {
	t.Helper()
	n, since, err := l.Lag(t.Context(), sink)
	if err != nil || n != want || !since.Equal(wantSince) {
		t.Errorf("%s: %d records wait since %v, %v; want %d since %v", what, n, since, err, want, wantSince)
	}
}

func testLag(t *testing.T, l ledger.Ledger) {
	a, b := Claim(t, l, Inbox), Claim(t, l, Junk)
	register(t, l, "s")
	wantLag(t, "nothing", l, "s", 0, time.Time{})
	Commit(t, l, a, at("a", 3*time.Hour), at("b", time.Hour), at("c", 2*time.Hour))
	Commit(t, l, b, at("d", 4*time.Hour))
	wantLag(t, "all", l, "s", 4, Noon.Add(3*time.Hour))
	ack(t, l, "s", 0, a.ID, 1)
	wantLag(t, "three", l, "s", 3, Noon.Add(time.Hour))
	wantLag(t, "a sink that is not known", l, "x", 4, Noon.Add(3*time.Hour))
	ack(t, l, "s", 0, a.ID, 3)
	wantLag(t, "one", l, "s", 1, Noon.Add(4*time.Hour))
	ack(t, l, "s", 0, b.ID, 1)
	wantLag(t, "none", l, "s", 0, time.Time{})
	Replay(t, l, ledger.Replay{Sink: "s", ID: "c"}, 1)
	wantLag(t, "one again", l, "s", 1, Noon.Add(2*time.Hour))

	// What is pruned waits no more.
	register(t, l, "late")
	if err := l.Prune(t.Context(), time.Time{}, Noon.Add(150*time.Minute)); err != nil {
		t.Fatal(err)
	}
	wantLag(t, "pruned again", l, "s", 0, time.Time{})
	Commit(t, l, a, at("e", 5*time.Hour))
	ack(t, l, "late", 0, a.ID, 1)
	wantLag(t, "pruned", l, "late", 2, Noon.Add(4*time.Hour))
}

func testBatches(t *testing.T, l ledger.Ledger) {
	a, b := Claim(t, l, Inbox), Claim(t, l, Junk)
	register(t, l, "s")
	Commit(t, l, a, Message("a", 9))
	Commit(t, l, b, Message("b", 9))
	set := func(folder, last int64, data string) {
		t.Helper()
		if err := l.SetBatch(t.Context(), "s", ledger.StoredBatch{FolderID: folder, Last: last, Data: []byte(data)}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what, want string) {
		t.Helper()
		batches, err := l.Batches(t.Context(), "s")
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, batch := range batches {
			all = append(all, fmt.Sprintf("%d/%d=%s", batch.FolderID-a.ID, batch.Last, batch.Data))
		}
		Want(t, what, strings.Join(all, " "), want)
	}
	check("none", "")
	set(b.ID, 4, "\x00\xff one")
	set(a.ID, 3, "two")
	check("by folder", "0/3=two 1/4=\x00\xff one")
	set(a.ID, 5, "three")
	check("in place of the one before", "0/5=three 1/4=\x00\xff one")
	ack(t, l, "s", 0, a.ID, 4)
	ack(t, l, "other", 0, a.ID, 9)
	check("before its last", "0/5=three 1/4=\x00\xff one")
	ack(t, l, "s", 0, a.ID, 5)
	check("its last", "1/4=\x00\xff one")
	ack(t, l, "s", 0, b.ID, 9)
	check("a later one", "")
	set(a.ID, 9, "four")
	set(a.ID, 9, "")
	check("no octets", "")
	set(a.ID, 9, "five")
	Replay(t, l, ledger.Replay{Sink: "s", Dead: true}, 0)
	check("no cursor was set back", "0/9=five")
	Replay(t, l, ledger.Replay{Sink: "s", Since: Noon.Add(time.Hour)}, 0)
	check("after a Replay", "")
	long := strings.Repeat("long ", 1<<20)
	set(a.ID, 9, long)
	check("long", "0/9="+long)
}

func testWaitings(t *testing.T, l ledger.Ledger) {
	a, b := Claim(t, l, Inbox), Claim(t, l, Junk)
	register(t, l, "s")
	Commit(t, l, a, Message("a", 9))
	Commit(t, l, b, Message("b", 9))
	one := ledger.Waiting{FolderID: a.ID, Seq: 3, ID: "a.3", Tries: 7, Since: Noon.Add(1234 * time.Millisecond), Error: "a\x00\xff b"}
	two := ledger.Waiting{FolderID: b.ID, Seq: 1, ID: "b.1", Tries: 1, Since: Noon, Error: "no answer"}
	check := func(what string, want ...ledger.Waiting) {
		t.Helper()
		got, err := l.Waitings(t.Context(), "s")
		if err != nil {
			t.Fatal(err)
		}
		Diff(t, what, got, want)
	}
	set := func(w ledger.Waiting) {
		t.Helper()
		if err := l.SetWaiting(t.Context(), "s", w); err != nil {
			t.Fatal(err)
		}
	}
	check("none")
	set(two)
	exact := one
	exact.Since = one.Since.Add(567 * time.Microsecond)
	set(exact)
	check("by folder", one, two)
	one.Tries, one.Error = 8, "timeout"
	set(one)
	check("in place of the one before", one, two)
	ack(t, l, "s", 0, a.ID, 2)
	ack(t, l, "other", 0, b.ID, 9)
	check("before it", one, two)
	ack(t, l, "s", 0, a.ID, 3)
	check("that one", two)
	ack(t, l, "s", 0, b.ID, 9)
	check("a later one")
	set(one)
	Replay(t, l, ledger.Replay{Sink: "s"}, 12)
	check("after a Replay")
}

func testActed(t *testing.T, l ledger.Ledger) {
	check := func(what, sink string, key byte, want time.Time) {
		t.Helper()
		got, err := l.Acted(t.Context(), sink, ledger.ActKey{0, key, 15: 0xff})
		if err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v; want %v", what, got, err, want)
		}
	}
	set := func(sink string, at time.Time, keys ...byte) {
		t.Helper()
		var all []ledger.ActKey
		for _, key := range keys {
			all = append(all, ledger.ActKey{0, key, 15: 0xff})
		}
		if err := l.SetActed(t.Context(), sink, all, at); err != nil {
			t.Fatal(err)
		}
	}
	check("never", "s", 1, time.Time{})
	set("s", Noon.Add(1234567*time.Microsecond), 1, 3, 1)
	check("once", "s", 1, Noon.Add(1234*time.Millisecond))
	check("another key", "s", 2, time.Time{})
	check("another sink", "r", 1, time.Time{})
	set("s", Noon)
	set("s", Noon.Add(time.Hour), 1)
	check("twice", "s", 1, Noon.Add(time.Hour))
	check("beside it", "s", 3, Noon.Add(1234*time.Millisecond))
	if err := l.Prune(t.Context(), time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	check("after Prune", "s", 1, Noon.Add(time.Hour))
}

// Sinks, replays and commits at once: every record is sent, and no number is lost.
func testDeliveriesAtOnce(t *testing.T, l ledger.Ledger) {
	const sinks, rounds = 3, 6
	c := Claim(t, l, Inbox)
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() {
		for i := range rounds {
			if _, err := l.Commit(t.Context(), c, ledger.Batch{Messages: []ledger.Message{Message(fmt.Sprint("m", i), 2)}}); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range sinks {
		sink := fmt.Sprint("s", i)
		register(t, l, sink)
		running.Go(func() {
			ctx, sent := t.Context(), make(map[int64]bool)
			deliver := func() error {
				replays, err := l.Replays(ctx, sink)
				for row, err := range l.Unsent(ctx, sink) {
					if err != nil {
						return err
					}
					err = errors.Join(
						l.SetBatch(ctx, sink, ledger.StoredBatch{FolderID: row.FolderID, Last: row.Seq, Data: []byte("x")}),
						l.SetWaiting(ctx, sink, ledger.Waiting{FolderID: row.FolderID, Seq: row.Seq, ID: row.ID, Tries: 1, Since: Noon}),
						l.Bury(ctx, []ledger.DeadLetter{{Row: row, Sink: sink, At: Noon, Tries: 1}}),
						l.SetActed(ctx, sink, []ledger.ActKey{{byte(row.Seq)}}, Noon),
						l.Ack(ctx, sink, replays, row.FolderID, row.Seq))
					if sent[row.Seq] = true; err != nil {
						return err
					}
				}
				return err
			}
			for range rounds {
				if err := deliver(); err != nil {
					t.Error(err)
				}
				if _, err := l.Do(ctx, ledger.Change{Replay: []ledger.Replay{{Sink: sink}}}); err != nil {
					t.Error(err)
				}
				if _, _, err := l.Lag(ctx, sink); err != nil {
					t.Error(err)
				}
			}
			for n := int64(1); n > 0; {
				var err error
				if err = deliver(); err == nil {
					n, _, err = l.Lag(ctx, sink)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
			if n, err := l.Replays(ctx, sink); n != rounds || err != nil {
				t.Errorf("%d replays, %v", n, err)
			}
			for seq := range int64(len(sent)) {
				if !sent[seq+1] {
					t.Errorf("%d was not sent", seq+1)
				}
			}
		})
	}
}

// Nothing is done after its context ended.
func testDeliveriesCancelled(t *testing.T, l ledger.Ledger) {
	c := Claim(t, l, Inbox)
	register(t, l, "s")
	rows := Commit(t, l, c, Message("a", 2)).Rows
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, do := range map[string]func() error{
		"Ack":    func() error { return l.Ack(ctx, "s", 0, c.ID, 2) },
		"Bury":   func() error { return l.Bury(ctx, []ledger.DeadLetter{{Row: rows[0], Sink: "s"}}) },
		"Resent": func() error { return l.Resent(ctx, "s", rows) },
		"SetBatch": func() error {
			return l.SetBatch(ctx, "s", ledger.StoredBatch{FolderID: c.ID, Last: 1, Data: []byte("x")})
		},
		"SetWaiting": func() error { return l.SetWaiting(ctx, "s", ledger.Waiting{FolderID: c.ID, Seq: 1}) },
		"SetActed":   func() error { return l.SetActed(ctx, "s", []ledger.ActKey{{}}, Noon) },
		"Do":         func() error { _, err := l.Do(ctx, ledger.Change{Replay: []ledger.Replay{{Sink: "s"}}}); return err },
		"Replays":    func() error { _, err := l.Replays(ctx, "s"); return err },
		"Lag":        func() error { _, _, err := l.Lag(ctx, "s"); return err },
		"DeadCounts": func() error { _, err := l.DeadCounts(ctx); return err },
		"Resends":    func() error { _, err := l.Resends(ctx, "s", 1); return err },
		"Batches":    func() error { _, err := l.Batches(ctx, "s"); return err },
		"Waitings":   func() error { _, err := l.Waitings(ctx, "s"); return err },
		"Acted":      func() error { _, err := l.Acted(ctx, "s", ledger.ActKey{}); return err },
		"DeadLetters": func() error {
			for _, err := range l.DeadLetters(ctx, "") {
				return err
			}
			return nil
		},
	} {
		if err := do(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	}
	wantLag(t, "nothing was acknowledged", l, "s", 2, Noon)
	wantDead(t, "nothing is dead", l, "", "")
}
