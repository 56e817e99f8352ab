package sink

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// outbox is a ledger of rows: what is committed and how far it is acknowledged.
type outbox struct {
	mu     sync.Mutex
	rows   []ledger.Row
	cursor map[int64]int64
	reads  int   // calls of Unsent
	acks   int   // calls of Ack
	fails  error // of Ack
	stuck  bool  // Ack ends with its context only

	replays  int
	dead     []ledger.DeadLetter
	resends  []ledger.Row
	waitings map[int64]ledger.Waiting
	acted    map[ledger.ActKey]time.Time
	noAct    error // of SetActed
}

func newOutbox(rows ...ledger.Row) *outbox {
	return &outbox{rows: rows, cursor: map[int64]int64{}, waitings: map[int64]ledger.Waiting{}, acted: map[ledger.ActKey]time.Time{}}
}

func (o *outbox) Replays(context.Context, string) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.replays, nil
}

// replay is a ledger.Replay with a Since: all records come again.
func (o *outbox) replay() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.replays++
	clear(o.cursor)
	clear(o.waitings)
}

func (o *outbox) Bury(_ context.Context, dead []ledger.DeadLetter) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fails != nil {
		return o.fails
	}
	o.dead = append(o.dead, dead...)
	return nil
}

func (o *outbox) Resends(_ context.Context, _ string, limit int) ([]ledger.Row, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.resends[:min(limit, len(o.resends))]), nil
}

func (o *outbox) Resent(_ context.Context, _ string, rows []ledger.Row) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.resends = slices.DeleteFunc(o.resends, func(r ledger.Row) bool {
		return slices.ContainsFunc(rows, func(done ledger.Row) bool { return done.FolderID == r.FolderID && done.Seq == r.Seq })
	})
	return nil
}

func (o *outbox) Waitings(context.Context, string) ([]ledger.Waiting, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(maps.Values(o.waitings)), nil
}

func (o *outbox) SetWaiting(_ context.Context, _ string, w ledger.Waiting) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waitings[w.FolderID] = w
	return nil
}

func (o *outbox) Acted(_ context.Context, _ string, key ledger.ActKey) (time.Time, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.acted[key], nil
}

func (o *outbox) SetActed(ctx context.Context, _ string, keys []ledger.ActKey, at time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := cmp.Or(o.noAct, ctx.Err()); err != nil {
		return err
	}
	for _, key := range keys {
		o.acted[key] = at
	}
	return nil
}

func (o *outbox) commit(rows ...ledger.Row) []ledger.Row {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rows = append(o.rows, rows...)
	return rows
}

func (o *outbox) Unsent(ctx context.Context, sink string, without ...int64) iter.Seq2[ledger.Row, error] {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reads++
	var rows []ledger.Row
	for _, r := range o.rows {
		if r.Seq > o.cursor[r.FolderID] && !slices.Contains(without, r.FolderID) {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b ledger.Row) int { return cmp.Compare(a.FolderID, b.FolderID) })
	return func(yield func(ledger.Row, error) bool) {
		for _, r := range rows {
			if err := ctx.Err(); err != nil {
				yield(ledger.Row{}, err)
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (o *outbox) Ack(ctx context.Context, sink string, replays int, folderID, seq int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if replays < o.replays {
		return nil
	}
	if o.stuck {
		<-ctx.Done()
		return ctx.Err()
	}
	o.acks++
	if o.fails != nil {
		return o.fails
	}
	o.cursor[folderID] = max(o.cursor[folderID], seq)
	return nil
}

func (o *outbox) acked(folder int64) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return int(o.cursor[folder])
}

// tries are those of the record of a folder that waits.
func (o *outbox) tries(folder int64) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.waitings[folder].Tries
}

// recorder is a sink that does what the test says.
type recorder struct {
	mu    sync.Mutex
	got   []ledger.Row
	sizes []int
	times []time.Time // of every Write
	do    func(ctx context.Context) error
}

func (r *recorder) Close() error { return nil }

func (r *recorder) Write(ctx context.Context, items []delivery.Item) (done int, err error) {
	r.mu.Lock()
	r.times = append(r.times, time.Now())
	do := r.do
	r.mu.Unlock()
	if do != nil {
		if err := do(ctx); err != nil {
			return 0, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, item := range items {
		if item.FolderID != items[0].FolderID || item.Seq != items[0].Seq+int64(i) {
			return 0, Permanent(fmt.Errorf("not consecutive: %v", items))
		}
		r.got = append(r.got, item.Row)
	}
	r.sizes = append(r.sizes, len(items))
	return len(items), nil
}

func (r *recorder) set(do func(context.Context) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.do = do
}

func (r *recorder) ids() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for _, row := range r.got {
		ids = append(ids, row.ID)
	}
	return strings.Join(ids, " ")
}

// pumping is a Pump at work in a bubble.
type pumping struct {
	*Pump
	out    *outbox
	sink   *recorder
	log    *fixture.Log
	stop   context.CancelFunc
	result chan error
}

func start(t *testing.T, out *outbox, sink *recorder) *pumping {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	p := &pumping{out: out, sink: sink, log: &fixture.Log{}, stop: stop, result: make(chan error, 1)}
	p.Pump = NewPump(Config{Name: "test"}, out, sink, p.log.Logger())
	go func() { p.result <- p.Run(ctx) }()
	return p
}

func (p *pumping) end(t *testing.T) {
	t.Helper()
	p.stop()
	if err := <-p.result; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func (p *pumping) logged(t *testing.T, word string, n int) {
	t.Helper()
	if got := strings.Count(p.log.String(), word); got != n {
		t.Errorf("%q was logged %d times, want %d:\n%s", word, got, n, p.log)
	}
}

// pass lets time go by in the bubble, and all that it brings happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// What the ledger holds at the start comes first, then what is offered, from
// memory.
func TestPumpHandsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, newOutbox(rows(1, 1, 2)...), &recorder{})
		synctest.Wait()
		expect(t, "at the start", p.sink.ids(), "1-1 1-2")
		expect(t, "acknowledged", p.out.acked(1), 2)
		reads := p.out.reads
		p.Offer(p.out.commit(rows(1, 3, 2)...))
		synctest.Wait()
		p.Offer(p.out.commit(rows(1, 5, 1)...))
		synctest.Wait()
		expect(t, "offered", p.sink.ids(), "1-1 1-2 1-3 1-4 1-5")
		expect(t, "reads of the ledger for what was offered", p.out.reads-reads, 0)
		p.Offer(p.out.commit(rows(2, 1, 1)...)) // a folder not seen yet: the ledger has its cursor
		synctest.Wait()
		expect(t, "new folder", p.sink.ids(), "1-1 1-2 1-3 1-4 1-5 2-1")
		expect(t, "time", time.Since(p.sink.times[0]), time.Duration(0))
		pass(ackEvery)
		expect(t, "acknowledged", p.out.acked(2), 1)
		p.end(t)
		expect(t, "log", p.log.String(), "")
	})
}

// An Offer that was lost, came twice or came late costs neither a record nor
// the order.
func TestPumpOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, newOutbox(rows(1, 1, 1)...), &recorder{})
		synctest.Wait()
		p.out.commit(rows(1, 2, 2)...) // never offered
		p.Offer(p.out.commit(rows(1, 4, 1)...))
		synctest.Wait()
		expect(t, "after a gap", p.sink.ids(), "1-1 1-2 1-3 1-4")
		p.Offer(rows(1, 2, 3))
		p.Offer(p.out.commit(rows(1, 5, 1)...))
		synctest.Wait()
		expect(t, "after a repetition", p.sink.ids(), "1-1 1-2 1-3 1-4 1-5")
		p.end(t)
	})
}

func TestPumpRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("connection refused")
		sink := &recorder{do: func(context.Context) error { return down }}
		p := start(t, newOutbox(rows(1, 1, 1)...), sink)
		for range 100 { // new records do not hurry a sink that is down
			pass(3 * time.Second)
			p.Offer(p.out.commit(rows(1, int64(len(p.out.rows))+1, 1)...))
		}
		synctest.Wait()
		tries := len(sink.times)
		for i := 1; i < tries; i++ {
			wait, limit := sink.times[i].Sub(sink.times[i-1]), min(time.Second<<(i-1), time.Minute)
			if wait > limit {
				t.Errorf("try %d came after %v, want %v at most", i+1, wait, limit)
			}
		}
		// 1+2+4+...+32 s are 63 s, then at most a minute each; half of that on average.
		if tries < 10 || tries > 40 {
			t.Errorf("%d tries in 5 minutes", tries)
		}
		p.logged(t, "connection refused", 1)
		expect(t, "acknowledged", p.out.acked(1), 0)
		sink.set(func(context.Context) error { return errors.New("no route to host") })
		pass(5 * time.Minute)
		p.logged(t, "no route to host", 1)
		sink.set(nil)
		pass(time.Minute)
		p.logged(t, "sink works again", 1)
		expect(t, "records", len(sink.got), 101)
		expect(t, "acknowledged", p.out.acked(1), 101)
		expect(t, "first try again", sink.sizes[0], 101)

		// The next failure starts from a second again.
		sink.set(func(context.Context) error { return down })
		p.Offer(p.out.commit(rows(1, 102, 1)...))
		synctest.Wait()
		sink.set(nil)
		pass(time.Second)
		expect(t, "acknowledged", p.out.acked(1), 102)
		p.end(t)
	})
}

// The ledger fails at the acknowledgement: the sink does not get the records
// again each time.
func TestPumpAckFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newOutbox(rows(1, 1, 3)...)
		out.fails = errors.New("disk full")
		p := start(t, out, &recorder{})
		pass(5 * time.Minute)
		expect(t, "records", p.sink.ids(), "1-1 1-2 1-3")
		p.logged(t, "disk full", 1)
		out.mu.Lock()
		out.fails = nil
		out.mu.Unlock()
		pass(time.Minute)
		expect(t, "acknowledged", out.acked(1), 3)
		expect(t, "records", p.sink.ids(), "1-1 1-2 1-3")
		p.end(t)
	})
}

func TestPumpPermanent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &recorder{do: func(context.Context) error { return ErrClosed }}
		p := start(t, newOutbox(rows(1, 1, 1)...), sink)
		if err := <-p.result; !errors.Is(err, ErrClosed) {
			t.Errorf("Run: %v", err)
		}
		expect(t, "acknowledged", p.out.acked(1), 0)
		expect(t, "tries", len(sink.times), 1)
		if err := p.Flush(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("Flush: %v", err)
		}
		p.Offer(rows(1, 2, 1)) // harmless
		p.stop()
	})
}

// A slow sink: the queue is bounded, and what did not fit comes from the
// ledger.
func TestPumpOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newOutbox()
		big := func(seq int64) ledger.Row {
			return ledger.Row{FolderID: 1, Seq: seq, Record: ledger.Record{ID: fmt.Sprint(seq), JSON: bytes.Repeat([]byte("x"), writeBytes/2)}}
		}
		out.commit(big(1))
		sink := &recorder{do: func(context.Context) error { time.Sleep(time.Second); return nil }}
		p := start(t, out, sink)
		for seq := int64(2); seq <= 60; seq++ {
			p.Offer(out.commit(big(seq)))
			p.mu.Lock()
			if p.size > queueBytes || len(p.queue) > queueBytes/(writeBytes/2) {
				t.Errorf("the queue holds %d octets", p.size)
			}
			p.mu.Unlock()
		}
		pass(time.Minute)
		expect(t, "records", len(sink.got), 60)
		for i, r := range sink.got {
			if r.Seq != int64(i+1) {
				t.Fatalf("record %d has seq %d", i, r.Seq)
			}
		}
		if most := slices.Max(sink.sizes); most > 4 {
			t.Errorf("one Write got %d records of half the limit", most)
		}
		p.end(t)
	})
}

func TestPumpWriteRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, newOutbox(append(rows(1, 1, 1200), rows(2, 5, 3)...)...), &recorder{})
		synctest.Wait()
		expect(t, "sizes", fmt.Sprint(p.sink.sizes), "[500 500 200 3]")
		p.end(t)
	})
}

func TestPumpFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newOutbox(rows(1, 1, 2)...)
		sink := &recorder{do: func(context.Context) error { time.Sleep(time.Second); return nil }}
		p := start(t, out, sink)
		out.commit(rows(2, 1, 1)...) // committed, not yet offered
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		expect(t, "records", sink.ids(), "1-1 1-2 2-1")
		expect(t, "acknowledged", out.acked(2), 1)

		down := errors.New("down")
		sink.set(func(context.Context) error { return down })
		p.Offer(out.commit(rows(1, 3, 1)...))
		pass(time.Hour) // deep in its backoff, and still Flush tries at once
		at := time.Now()
		if err := p.Flush(t.Context()); !errors.Is(err, down) || time.Since(at) != 0 {
			t.Errorf("%v after %v", err, time.Since(at))
		}
		sink.set(nil)
		if err := p.Flush(t.Context()); err != nil || time.Since(at) != 0 {
			t.Errorf("%v after %v", err, time.Since(at))
		}
		expect(t, "acknowledged", out.acked(1), 3)

		sink.set(func(context.Context) error { time.Sleep(time.Hour); return nil })
		p.Offer(out.commit(rows(1, 4, 1)...))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := p.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		p.end(t)
		if err := p.Flush(t.Context()); err == nil {
			t.Error("Flush after the end: no error")
		}
	})
}

// At the end of its context a Pump hands over what there is, for five seconds.
func TestPumpDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &recorder{do: func(context.Context) error { time.Sleep(time.Second); return nil }}
		p := start(t, newOutbox(rows(1, 1, 1)...), sink)
		synctest.Wait() // in the first Write
		p.Offer(p.out.commit(rows(1, 2, 3)...))
		p.end(t)
		expect(t, "records", sink.ids(), "1-1 1-2 1-3 1-4")
		expect(t, "acknowledged", p.out.acked(1), 4)
	})
	synctest.Test(t, func(t *testing.T) {
		sink := &recorder{do: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		p := start(t, newOutbox(rows(1, 1, 1)...), sink)
		synctest.Wait()
		at := time.Now()
		p.end(t)
		expect(t, "drained for", time.Since(at), drainLimit)
		expect(t, "acknowledged", p.out.acked(1), 0)
		p.logged(t, "left for the next start", 1)
	})
	synctest.Test(t, func(t *testing.T) {
		out := newOutbox(rows(1, 1, 1)...)
		out.stuck = true
		p := start(t, out, &recorder{})
		synctest.Wait() // in Ack
		at := time.Now()
		p.end(t)
		expect(t, "a ledger that is stuck held it for", time.Since(at), 2*drainLimit)
		p.logged(t, "left for the next start", 1)
	})
	synctest.Test(t, func(t *testing.T) {
		sink := &recorder{do: func(context.Context) error { return errors.New("down") }}
		p := start(t, newOutbox(rows(1, 1, 1)...), sink)
		pass(time.Hour)
		at := time.Now()
		p.end(t) // one more try, no waiting
		expect(t, "a sink that is down ended after", time.Since(at), time.Duration(0))
	})
}
