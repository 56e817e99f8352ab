package sink

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/backoff"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

const (
	// drainLimit is how long Run goes on handing over after its context ended.
	drainLimit = 5 * time.Second
	// queueBytes bounds the records that wait in memory; the ledger has the
	// others.
	queueBytes = 8 << 20
	// rowBytes is roughly what a row takes beside its JSON.
	rowBytes = 512
	// writeRows and writeBytes bound what one Write gets, one row aside.
	writeRows  = 500
	writeBytes = 1 << 20
	// tellEvery is how often the log repeats that a sink fails.
	tellEvery = time.Hour
	// mostStuck is how many folders one pass gives up, before it takes the sink
	// itself for down.
	mostStuck = 8
)

// pauses are between a sink's tries that fail.
var pauses = backoff.Range{First: time.Second, Most: time.Minute}

// Pump hands records to one sink: just-committed ones from memory, and from the
// ledger what was left over by an earlier run, by a failure or by a queue that
// was full. It remembers what it wrote, so a cursor that is set back counts for
// the next Pump only.
type Pump struct {
	out  Outbox
	sink Sink
	log  *slog.Logger

	wake    chan struct{}
	flushes chan chan error
	done    chan struct{}
	result  error // of Run, once done is closed

	mu      sync.Mutex
	queue   []ledger.Row
	size    int     // octets in queue
	behind  bool    // the ledger has more than the queue
	trouble Trouble // zero while the sink works
	recall  Trouble // of an earlier run

	told time.Time // when the trouble was logged last; of the goroutine in Run

	// Of the goroutine in Run.
	written map[int64]int64 // by folder, up to which Seq
	stuck   []int64         // folders whose first record the sink did not take
}

// NewPump makes a Pump; it does nothing before Run.
func NewPump(out Outbox, s Sink, log *slog.Logger) *Pump {
	return &Pump{
		out: out, sink: s, log: log.With("sink", s.Name()),
		wake: make(chan struct{}, 1), flushes: make(chan chan error), done: make(chan struct{}),
		behind: true, written: make(map[int64]int64),
	}
}

// Offer hands over records that have just been committed, consecutive ones of a
// folder in their order. It never blocks: what does not fit is read from the
// ledger later.
func (p *Pump) Offer(rows []ledger.Row) {
	p.mu.Lock()
	if !p.behind {
		p.queue = append(p.queue, rows...)
		for _, r := range rows {
			p.size += len(r.JSON) + rowBytes
		}
		if p.size > queueBytes {
			p.fallBehind()
		}
	}
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// fallBehind leaves the queue's records to the ledger; mu is held.
func (p *Pump) fallBehind() {
	p.behind, p.queue, p.size = true, nil, 0
}

// take empties the queue, or tells that the ledger must be read.
func (p *Pump) take() (rows []ledger.Row, behind bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rows, behind = p.queue, p.behind
	p.behind, p.queue, p.size = false, nil, 0
	return rows, behind
}

// lag makes the next delivery read the ledger.
func (p *Pump) lag() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fallBehind()
}

// Flush waits until the sink has everything that was committed before the call,
// and returns the first error instead of waiting for a better time. Run must be
// running, or have run.
func (p *Pump) Flush(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case p.flushes <- answer:
	case <-p.done:
		return p.stopped()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Pump) stopped() error {
	if p.result != nil {
		return p.result
	}
	return fmt.Errorf("sink: %s has stopped", p.sink.Name())
}

// Run delivers until ctx ends, and for five seconds more what there is then;
// what is left stays in the ledger. It returns nil then, or a permanent error
// as soon as one comes. It logs an error once, and once when it is over.
func (p *Pump) Run(ctx context.Context) error {
	defer close(p.done)
	p.result = p.run(ctx)
	return p.result
}

func (p *Pump) run(ctx context.Context) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	limit := time.AfterFunc(math.MaxInt64, stop)
	defer limit.Stop()
	defer context.AfterFunc(ctx, func() { limit.Reset(drainLimit) })()

	var asked chan error // the Flush that waits for this delivery
	var retry <-chan time.Time
	whole := true // this delivery is also of the stuck folders
	for failures := 0; ; {
		ending := ctx.Err() != nil
		if whole {
			p.stuck = nil
		}
		err := p.deliver(work)
		if asked != nil {
			asked <- err
			asked = nil
		}
		if work.Err() == nil && (whole || IsPermanent(err)) { // else it was we who had no more time, or the trouble stands
			p.note(err)
		}
		if IsPermanent(err) {
			return err
		}
		if ending {
			if err != nil {
				p.log.Warn("records are left for the next start", "err", err)
			}
			return nil
		}
		switch {
		case !whole: // the retry stands
		case err == nil:
			failures, retry = 0, nil
		default:
			failures++
			retry = time.After(backoff.Equal(pauses.Longest(failures)))
		}
		// After a failure new records are no reason to try again, but in folders
		// that are not stuck.
		wake := p.wake
		if retry != nil && (len(p.stuck) == 0 || len(p.stuck) >= mostStuck) {
			wake = nil
		}
		whole = true
		select {
		case <-wake:
			whole = retry == nil
		case <-retry:
		case asked = <-p.flushes:
			p.lag()
		case <-ctx.Done():
		}
	}
}

// Trouble is what a failing sink waits for.
type Trouble struct {
	Record string    // the id of the first record that the sink does not take; empty: it has nothing to do with a record
	Waits  time.Time // since when that record waits: its first try that failed
	Since  time.Time // since when every try failed
	Err    string    // of the last try; empty: the sink works
}

// note keeps the trouble of the last try. It logs an error where it differs from
// the last one, and once an hour.
func (p *Pump) note(err error) {
	p.mu.Lock()
	was, now := p.trouble, time.Now()
	p.trouble = Trouble{}
	if err != nil {
		p.trouble = p.since(was, err, now)
	}
	is := p.trouble
	p.mu.Unlock()
	switch {
	case IsPermanent(err):
		p.log.Error("sink ended", "err", err)
	case err == nil && was.Err != "":
		p.log.Info("sink works again")
	case err == nil, is.Err == was.Err && now.Sub(p.told) < tellEvery:
		return
	case is.Record == "":
		p.log.Warn("sink fails; its records wait in the ledger", "since", is.Since.UTC(), "err", err)
	default:
		p.log.Warn("sink fails; its records wait in the ledger", "record", is.Record, "since", is.Waits.UTC(), "err", err)
	}
	p.told = now
}

// since is the trouble that err means after that of the last try; mu is held.
func (p *Pump) since(was Trouble, err error, now time.Time) Trouble {
	is := Trouble{Waits: now, Since: now, Err: err.Error()}
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		is.Record = refused.id
	}
	if was.Err == "" && p.recall.Err != "" && p.recall.Record == is.Record {
		was = p.recall
	}
	p.recall = Trouble{}
	if was.Err == "" {
		return is
	}
	is.Since = was.Since
	if was.Record == is.Record {
		is.Waits = was.Waits
	}
	return is
}

// Trouble is why the sink fails just now; zero while it works.
func (p *Pump) Trouble() Trouble {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trouble
}

// Recall tells the trouble that an earlier run had: if the same record waits at
// the first try, it has waited since then. Call it before Run.
func (p *Pump) Recall(t Trouble) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recall = t
}

// refusal is a record that the sink did not take; its folder waits for it.
type refusal struct {
	id     string
	folder int64
	err    error
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// Name is the sink's.
func (p *Pump) Name() string { return p.sink.Name() }

// deliver hands over until nothing is left.
func (p *Pump) deliver(ctx context.Context) error {
	for {
		rows, behind := p.take()
		if behind {
			if err := p.catchUp(ctx); err != nil || len(p.stuck) > 0 {
				p.lag()
				return err
			}
			continue
		}
		if len(rows) == 0 {
			return nil
		}
		err := p.each(all(rows), func(run []ledger.Row) error {
			last, ok := p.written[run[0].FolderID]
			if !ok || run[0].Seq > last+1 {
				return errGap
			}
			return p.write(ctx, run)
		})
		if err != nil {
			p.lag()
		}
		if err != nil && !errors.Is(err, errGap) {
			return err
		}
	}
}

// catchUp hands over what the ledger has of folders that are not stuck. A record
// that the sink does not take stops its folder, and no other; the error is the
// first such folder's.
func (p *Pump) catchUp(ctx context.Context) error {
	var first error
	for {
		err := p.each(p.out.Unsent(ctx, p.sink.Name(), p.stuck...), func(run []ledger.Row) error { return p.write(ctx, run) })
		if first == nil || IsPermanent(err) {
			first = err
		}
		refused := (*refusal)(nil)
		if !errors.As(err, &refused) || IsPermanent(err) || ctx.Err() != nil || len(p.stuck) >= mostStuck {
			return first
		}
		p.stuck = append(p.stuck, refused.folder)
	}
}

// errGap means that the queue does not go on where the sink is.
var errGap = errors.New("sink: gap")

// write hands over a run and acknowledges it. Where only the acknowledgement
// failed the last time, the sink does not get the records twice.
func (p *Pump) write(ctx context.Context, run []ledger.Row) error {
	folder, last := run[0].FolderID, run[len(run)-1].Seq
	for len(run) > 0 && run[0].Seq <= p.written[folder] {
		run = run[1:]
	}
	if len(run) > 0 {
		if err := p.sink.Write(ctx, run); err != nil {
			if errors.As(err, new(*refusal)) {
				return err
			}
			return &refusal{run[0].ID, folder, err}
		}
		p.written[folder] = last
	}
	return p.out.Ack(ctx, p.sink.Name(), folder, last)
}

// each calls f with runs of consecutive records of one folder.
func (p *Pump) each(rows iter.Seq2[ledger.Row, error], f func(run []ledger.Row) error) error {
	var run []ledger.Row
	size := 0
	for row, err := range rows {
		if err != nil {
			return err
		}
		if n := len(run); n > 0 && (run[n-1].FolderID != row.FolderID || run[n-1].Seq+1 != row.Seq ||
			n == writeRows || size > writeBytes) {
			if err := f(run); err != nil {
				return err
			}
			run, size = run[:0], 0
		}
		run = append(run, row)
		size += len(row.JSON)
	}
	if len(run) == 0 {
		return nil
	}
	return f(run)
}

func all(rows []ledger.Row) iter.Seq2[ledger.Row, error] {
	return func(yield func(ledger.Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}
