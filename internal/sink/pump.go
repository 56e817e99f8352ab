package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/backoff"
	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

const (
	// drainLimit is how long Run goes on delivering after its context ended.
	drainLimit = 5 * time.Second
	// queueBytes bounds the records that wait in memory; the ledger has the
	// others.
	queueBytes = 8 << 20
	// rowBytes is roughly what a row takes beside its JSON.
	rowBytes = 512
)

// pauses are between a sink's tries that fail.
var pauses = backoff.Range{First: time.Second, Most: time.Minute}

// Pump delivers records to one sink: those just committed from memory, the others
// from the ledger. The others are left over from an earlier run, a failure or a
// full queue. A Pump remembers what it wrote: tell it with Replay if a cursor was set
// back.
type Pump struct {
	config Config
	out    Outbox
	sink   Sink
	log    *slog.Logger

	wake    chan struct{}
	flushes chan chan error
	done    chan struct{}
	result  error // of Run, once done is closed

	mu      sync.Mutex
	queue   []ledger.Row
	size    int     // octets in queue
	behind  bool    // the ledger has more than the queue
	replay  bool    // the ledger has other records for the sink, see forget
	trouble Trouble // zero while the sink works
	recall  Trouble // of an earlier run
	counts  map[string]int64

	// Of the goroutine in Run.
	replays int               // the ledger's, when Replay was last called
	refused int               // records in a row that the receiver refused
	resends bool              // the ledger may have records to send again
	logged  time.Time         // when the trouble was logged last
	written map[int64]int64   // by folder, up to which Seq
	owed    map[int64]int64   // by folder, up to which Seq the ledger does not know it yet
	acked   time.Time         // when the ledger was told last
	stuck   []int64           // folders whose first record the sink did not take
	passed  []int64           // folders whose turn comes after the others, see catchUp
	waiting map[int64]waiting // by folder: that record
	sent    time.Time         // of a Gatherer: when its last message was
}

// NewPump returns a Pump, which does nothing before Run. The config's name is the key
// of the sink's cursors in the ledger: it must stay the same.
func NewPump(c Config, out Outbox, s Sink, log *slog.Logger) *Pump {
	return &Pump{
		config: c, out: out, sink: s, log: log.With("sink", c.Name),
		wake: make(chan struct{}, 1), flushes: make(chan chan error), done: make(chan struct{}),
		behind: true, replay: true, counts: make(map[string]int64),
	}
}

// Name returns the sink's name.
func (p *Pump) Name() string { return p.config.Name }

// The counts of a Pump.
const (
	CountDelivered = "delivered" // items that the sink took
	CountDead      = "dead"      // dead letters
	CountOther     = "other"     // items that the config's when and revisions leave out
	CountSkipped   = "skipped: " // items that the sink has no use for, with the reason behind it
)

// CountTries is beside them in a sink's row of state: how often the record that waits
// has failed.
const CountTries = "tries"

// Counts returns what became of the items since the Pump began and in earlier runs, see
// Recall, and what the sink counts itself.
func (p *Pump) Counts() map[string]int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	counts := maps.Clone(p.counts)
	if own, is := p.sink.(interface{ Counts() map[string]int64 }); is {
		for what, n := range own.Counts() {
			counts[what] += n
		}
	}
	return counts
}

func (p *Pump) count(what string, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[what] += int64(n)
}

// Replay tells the Pump that the ledger has other records for it now than those that
// were committed last.
func (p *Pump) Replay() {
	p.mu.Lock()
	p.replay = true
	p.dropQueue()
	p.mu.Unlock()
	p.ring()
}

// replayed reports whether Replay was called since the last time.
func (p *Pump) replayed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.replay
	p.replay = false
	return was
}

// toReplay reports whether replayed will return true.
func (p *Pump) toReplay() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.replay
}

// Offer adds records that have just been committed, consecutive ones of a folder in
// their order. It never blocks: what does not fit is read from the ledger later. Do not
// change rows after it.
func (p *Pump) Offer(rows []ledger.Row) {
	p.mu.Lock()
	if !p.behind {
		if len(p.queue) == 0 {
			p.queue = slices.Clip(rows)
		} else {
			p.queue = append(p.queue, rows...)
		}
		for _, r := range rows {
			p.size += len(r.JSON) + rowBytes
		}
		if p.size > queueBytes {
			p.dropQueue()
		}
	}
	p.mu.Unlock()
	p.ring()
}

func (p *Pump) ring() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// dropQueue leaves the queue's records to the ledger. The caller holds mu.
func (p *Pump) dropQueue() {
	p.behind, p.queue, p.size = true, nil, 0
}

// takeQueue empties the queue. behind: read the ledger instead.
func (p *Pump) takeQueue() (rows []ledger.Row, behind bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rows, behind = p.queue, p.behind
	p.behind, p.queue, p.size = false, nil, 0
	return rows, behind
}

// readLedger makes the next delivery read the ledger.
func (p *Pump) readLedger() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropQueue()
}

// Flush waits until the sink has everything that was committed before the call. It
// returns the first error at once. Run must be running, or have ended.
func (p *Pump) Flush(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case p.flushes <- answer:
	case <-p.done:
		return p.ended()
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

func (p *Pump) ended() error {
	if p.result != nil {
		return p.result
	}
	return fmt.Errorf("sink: %s has stopped", p.Name())
}

// Drain is Flush that goes on after an error, with the pauses of Run, until ctx ends. It
// returns the last error.
func (p *Pump) Drain(ctx context.Context) error {
	for failures := 1; ; failures++ {
		err := p.Flush(ctx)
		if t := p.Trouble(); t.Err != "" && ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
			return errors.New(t.Err) // of the try before: this one has not ended
		}
		if err == nil || IsPermanent(err) {
			return err
		}
		select {
		case <-time.After(pauseAfter(err, failures)):
		case <-p.done:
			return p.ended()
		case <-ctx.Done():
			return err
		}
	}
}

// mostLater is how long a receiver may make a sink wait.
const mostLater = time.Hour

// pauseAfter returns the pause after so many failures, the last of which was err.
func pauseAfter(err error, failures int) time.Duration {
	pause := backoff.Full(pauses.Longest(failures))
	if later := (*delivery.Later)(nil); errors.As(err, &later) {
		pause = max(pause, min(later.After, mostLater))
	}
	return pause
}

// Run delivers until ctx ends, and then for at most five seconds what is waiting. It
// gives the ledger at most five more to note that. The rest stays in the ledger, and Run
// returns nil. A permanent error ends Run at once, with that error. Run logs an error that differs from the one before, repeats it
// once an hour, and logs when the sink works again.
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
	noting, stopNoting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopNoting()
	defer context.AfterFunc(ctx, func() {
		limit.Reset(drainLimit)
		time.AfterFunc(2*drainLimit, stopNoting) // the ledger may be stuck
	})()

	var flush chan error // of the Flush that waits for this delivery
	var retry <-chan time.Time
	whole := true // this delivery includes the stuck folders
	for failures := 0; ; {
		ending := ctx.Err() != nil
		if whole {
			p.stuck = nil
		}
		err := p.deliver(work)
		planned := plannedPause(err)
		var unsent error // what a Flush is told beside err
		if planned > 0 {
			if unsent, err = err, nil; errors.Is(unsent, errNotDue) {
				unsent = nil
			}
		}
		if err != nil || planned > 0 || retry != nil || ending || flush != nil || p.ackDue() <= 0 {
			// Also if the time is up: the sink has those records.
			if ackErr := p.acknowledge(noting); err == nil {
				err = ackErr
			}
		}
		if flush != nil {
			flush <- cmp.Or(err, unsent)
			flush = nil
		}
		// An error is no trouble if our own time was up, or if the stuck folders
		// were left out.
		if work.Err() == nil && (whole || IsPermanent(err)) {
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
		later := isLater(err)
		if later {
			p.stuck = nil // no folder is tried before that time
		}
		switch {
		case !whole && !later: // retry stays as it is
		case planned > 0 && err == nil:
			failures, retry = 0, time.After(planned)
		case err == nil:
			failures, retry = 0, nil
		default:
			failures++
			retry = time.After(pauseAfter(err, failures))
		}
		// After a failure, new records are a reason to try again only in folders
		// that are not stuck.
		wake := p.wake
		if retry != nil && (len(p.stuck) == 0 || len(p.stuck) >= maxStuck) {
			wake = nil
		}
		var due <-chan time.Time
		if retry == nil && len(p.owed) > 0 {
			due = time.After(p.ackDue())
		}
		whole = true
		select {
		case <-due:
		case <-wake:
			whole = retry == nil
		case <-retry:
		case flush = <-p.flushes:
			p.readLedger()
		case <-ctx.Done():
		}
	}
}
