package daemon

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/pacetest"
	"github.com/fblwatch/fblwatch/internal/sink"
)

const perCommit = 500

// intake commits records of one folder.
type intake struct {
	ledger.Ledger
	claim ledger.Claim
	uid   uint32
}

func newIntake(tb testing.TB, path string) *intake {
	tb.Helper()
	l, err := backend.Open(tb.Context(), path)
	if err != nil {
		tb.Fatal(err)
	}
	claim, err := l.Claim(tb.Context(), ledger.Folder{Account: "a", Name: "INBOX"})
	if err == nil {
		err = l.Register(tb.Context(), "s", false)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return &intake{Ledger: l, claim: claim}
}

var padding = strings.Repeat("x", 2000)

// batch makes the next commit's messages, of one record each.
func (in *intake) batch() ledger.Batch {
	var b ledger.Batch
	for range perCommit {
		in.uid++
		id := fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, in.uid)))[:32]
		b.Messages = append(b.Messages, ledger.Message{
			ReportID: id, Kind: "report", UIDValidity: 1, UID: in.uid,
			Records: []ledger.Record{{ID: id + ".1", Revision: 1, At: time.Now(), JSON: fmt.Appendf(nil, `{"id":"%s.1","x":%q}`, id, padding)}},
		})
	}
	b.Checkpoint = ledger.Checkpoint{UIDValidity: 1, High: in.uid}
	return b
}

func (in *intake) commit(tb testing.TB, b ledger.Batch) []ledger.Row {
	tb.Helper()
	done, err := in.Commit(tb.Context(), in.claim, b)
	if err != nil {
		tb.Fatal(err)
	}
	return done.Rows
}

// door is a sink that is shut or open. It counts what comes out of order.
type door struct {
	shut     atomic.Bool
	tries    atomic.Int64
	seq      atomic.Int64 // of the last record
	disorder atomic.Int64
}

func (d *door) Write(_ context.Context, items []delivery.Item) (int, error) {
	d.tries.Add(1)
	if d.shut.Load() {
		return 0, errors.New("shut")
	}
	for i := range items {
		if !d.seq.CompareAndSwap(items[i].Seq-1, items[i].Seq) {
			d.disorder.Add(1)
		}
	}
	return len(items), nil
}

func (d *door) Close() error { return nil }

// TestOutage: a sink is down for an hour while 100,000 records arrive, or a tenth of them
// with the race detector. Memory stays flat,
// nothing is dead, and afterwards all records come in order.
func TestOutage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	commits := 200
	if pacetest.Raced() {
		commits = 20
	}
	synctest.Test(t, func(t *testing.T) {
		all := int64(commits * perCommit)
		in := newIntake(t, path)
		d := &door{}
		d.shut.Store(true)
		pump := sink.NewPump(sink.Config{Name: "s"}, in, d, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- pump.Run(ctx) }()
		var early, late uint64
		for i := range commits {
			pump.Offer(in.commit(t, in.batch()))
			time.Sleep(time.Hour / time.Duration(commits))
			synctest.Wait()
			switch i {
			case commits / 10:
				early = heap()
			case commits - 1:
				late = heap()
			}
		}
		tries := d.tries.Load()
		lag, _, err := in.Lag(t.Context(), "s")
		if err != nil || lag != all || d.seq.Load() != 0 || tries < 60 {
			t.Errorf("at the end of the hour %d records wait after %d tries, and %d are delivered; %v", lag, tries, d.seq.Load(), err)
		}
		d.shut.Store(false)
		start := time.Now()
		time.Sleep(2 * time.Minute) // the longest pause, twice
		synctest.Wait()
		if d.seq.Load() != all || d.disorder.Load() != 0 || pump.Counts()[sink.CountDead] != 0 {
			t.Errorf("%d delivered, %d out of order, %v", d.seq.Load(), d.disorder.Load(), pump.Counts())
		}
		t.Logf("heap: %d KiB after a tenth, %d KiB at the end; %d tries; delivered within %v", early>>10, late>>10, tries, time.Since(start))
		if late > early+8<<20 {
			t.Errorf("the heap grew from %d to %d octets", early, late)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkIntakeBesideOutage commits in turns without a sink and beside one that is down.
// beside/alone is the ratio of their medians: at most 1.05.
func BenchmarkIntakeBesideOutage(b *testing.B) {
	alone, beside := newIntake(b, filepath.Join(b.TempDir(), "alone.db")), newIntake(b, filepath.Join(b.TempDir(), "beside.db"))
	defer alone.Close()
	defer beside.Close()
	d := &door{}
	d.shut.Store(true)
	pump := sink.NewPump(sink.Config{Name: "s"}, beside, d, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() { ended <- pump.Run(ctx) }()
	var times [2][]time.Duration
	timed := func(i int, in *intake, offer func([]ledger.Row)) {
		batch := in.batch()
		start := time.Now()
		offer(in.commit(b, batch))
		times[i] = append(times[i], time.Since(start))
	}
	for b.Loop() {
		timed(0, alone, func([]ledger.Row) {})
		timed(1, beside, pump.Offer)
	}
	stop()
	if err := <-ended; err != nil {
		b.Error(err)
	}
	median := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)/2])
	}
	b.ReportMetric(median(times[1])/median(times[0]), "beside/alone")
	b.ReportMetric(float64(d.tries.Load()), "tries")
	b.ReportMetric(0, "ns/op")
}
