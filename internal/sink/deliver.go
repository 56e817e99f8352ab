package sink

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

const (
	// writeRows and writeBytes bound what one Write gets. A single row may exceed
	// writeBytes.
	writeRows  = 500
	writeBytes = 1 << 20
	// ackEvery is how long an acknowledgement may wait for more records, since each is
	// a transaction. A crash repeats what the sink got meanwhile.
	ackEvery = 250 * time.Millisecond
	// maxStuck is how many folders may be stuck before the sink itself counts as
	// down.
	maxStuck = 8
	// maxPassed is how many folders may be left out until each other one was tried: a sink
	// may hold what it could not send of each.
	maxPassed = 32
)

// errGap means that the queue does not continue what the sink has.
var errGap = errors.New("sink: gap")

// errReplayed means that Replay was called: what comes next is not known.
var errReplayed = errors.New("sink: replayed")

// deliver writes until nothing is left.
func (p *Pump) deliver(ctx context.Context) error {
	for {
		if p.replayed() {
			if err := p.forget(ctx); err != nil {
				p.Replay()
				return err
			}
		}
		if err := p.deliverAll(ctx); !errors.Is(err, errReplayed) {
			return err
		}
	}
}

// deliverAll is deliver until Replay is called.
func (p *Pump) deliverAll(ctx context.Context) error {
	if g, gathers := p.sink.(Gatherer); gathers {
		return p.gather(ctx, g)
	}
	if len(p.stuck) == 0 && p.resends {
		if err := p.resend(ctx); errors.Is(err, errReplayed) || isLater(err) {
			return err
		} else if err != nil {
			p.stuck = append(p.stuck, noFolder)
			return errors.Join(err, p.deliverNew(ctx))
		}
		p.resends = false
	}
	return p.deliverNew(ctx)
}

// deliverNew is deliver for what is behind the cursor.
func (p *Pump) deliverNew(ctx context.Context) error {
	for {
		rows, behind := p.takeQueue()
		if behind {
			err := p.acknowledge(ctx)
			if err == nil {
				err = p.catchUp(ctx)
			}
			if err != nil || len(p.stuck) > 0 {
				p.readLedger()
				return err
			}
			continue
		}
		if len(rows) == 0 {
			return nil
		}
		for len(rows) > 0 {
			n := runOf(rows)
			err := errGap
			if last, ok := p.written[rows[0].FolderID]; ok && rows[0].Seq <= last+1 {
				err = p.write(ctx, rows[:n])
			}
			if err != nil {
				p.readLedger()
			}
			if err == errGap {
				break
			} else if err != nil {
				return err
			}
			rows = rows[n:]
		}
	}
}

// noFolder is the entry of Pump.stuck for records that are sent again.
const noFolder = 0

// forget forgets what was written: the cursors may have been set back.
func (p *Pump) forget(ctx context.Context) error {
	replays, err := p.out.Replays(ctx, p.Name())
	if err != nil {
		return err
	}
	p.resends, p.refused = true, 0
	if p.written != nil && replays == p.replays { // what it waits for an acknowledgement of stays
		return nil
	}
	waitings, err := p.out.Waitings(ctx, p.Name())
	if err != nil {
		return err
	}
	p.replays = replays
	p.written, p.owed, p.waiting = make(map[int64]int64), make(map[int64]int64), make(map[int64]waiting)
	for _, w := range waitings {
		p.waiting[w.FolderID] = waiting(w)
	}
	return nil
}

// resend sends the records that a person wants sent again, one by one: they are not
// behind the cursor.
func (p *Pump) resend(ctx context.Context) error {
	for {
		rows, err := p.out.Resends(ctx, p.Name(), writeRows)
		if err != nil || len(rows) == 0 {
			return err
		}
		for len(rows) > 0 {
			if p.toReplay() {
				return errReplayed // it may have taken some of rows out
			}
			n, err := p.resendFirst(ctx, rows)
			if err != nil {
				return err
			}
			rows = rows[n:]
		}
	}
}

// resendFirst sends the first of rows, or the first two if the first one proves to be at
// fault. n is how many are done.
func (p *Pump) resendFirst(ctx context.Context, rows []ledger.Row) (n int, err error) {
	items, others, _, err := p.choose(ctx, rows[:1])
	if err != nil {
		return 0, err
	}
	n = 1
	if len(items) > 0 {
		w := p.waiting[noFolder]
		if w.ID != items[0].ID || w.Seq != items[0].Seq {
			w = waiting{Seq: items[0].Seq, ID: items[0].ID, Since: time.Now()}
		}
		if w.Tries > 0 && w.probes() {
			n, err = p.probeResend(ctx, items, rows[1:], w)
		} else {
			_, err = p.send(ctx, items)
		}
		if err != nil {
			if w.Tries++; ctx.Err() == nil && plannedPause(err) == 0 {
				p.waiting[noFolder] = w
			}
			return 0, err
		}
	}
	if err := p.out.Resent(ctx, p.Name(), rows[:n]); err != nil {
		return 0, err
	}
	p.countOthers(others, rows[0].Seq)
	return n, nil
}

// probeResend is probe for a record that is sent again, and the first one behind it.
func (p *Pump) probeResend(ctx context.Context, items []delivery.Item, behind []ledger.Row, w waiting) (done int, err error) {
	if len(behind) > 0 {
		next, _, _, err := p.choose(ctx, behind[:1])
		if err != nil {
			return 0, err
		}
		items = append(items, next...)
	}
	return p.probe(ctx, items, w)
}

func (p *Pump) countOthers(others []leftOut, upTo int64) {
	for _, o := range others {
		if o.seq <= upTo {
			p.count(o.what, 1)
		}
	}
}

// catchUp writes what the ledger has for the sink in folders that are not stuck. If
// the sink does not take a record, that folder is stuck and the others go on, unless the
// receiver names a time for all. The next delivery begins with those that have not been
// tried. The error is that of the first such folder.
func (p *Pump) catchUp(ctx context.Context) error {
	var first error
	for {
		without := slices.Concat(p.passed, p.stuck)
		err := eachRun(p.out.Unsent(ctx, p.Name(), without...), func(run []ledger.Row) error { return p.write(ctx, run) })
		if first == nil || IsPermanent(err) {
			first = err
		}
		if err == nil && len(p.passed) > 0 {
			p.passed = nil // their turn again
			continue
		}
		b := (*blocked)(nil)
		if !errors.As(err, &b) || IsPermanent(err) || ctx.Err() != nil {
			return first
		}
		if isLater(err) || len(p.stuck) >= maxStuck {
			if p.passed = append(without, b.folder); len(p.passed) > maxPassed {
				p.passed = nil
			}
			return first
		}
		p.stuck = append(p.stuck, b.folder)
	}
}

// write writes a run and acknowledges it, soon if not at once. If only the
// acknowledgement failed the last time, the sink does not get the records twice.
func (p *Pump) write(ctx context.Context, run []ledger.Row) error {
	for {
		n, err := p.writePart(ctx, run)
		if run = run[n:]; err != nil || len(run) == 0 {
			return err
		}
	}
}

// writePart is write for the first n rows of a run, see choose.
func (p *Pump) writePart(ctx context.Context, run []ledger.Row) (n int, err error) {
	if p.toReplay() {
		return 0, errReplayed // the ledger takes no acknowledgement of what was read before
	}
	folder, skip := run[0].FolderID, 0
	for skip < len(run) && run[skip].Seq <= p.written[folder] {
		skip++
	}
	items, others, n, err := p.choose(ctx, run[skip:])
	if err != nil {
		return 0, err
	}
	n += skip
	last := run[n-1].Seq
	done, err := p.send(ctx, items)
	if done < len(items) {
		last = items[done].Seq - 1
	}
	p.countOthers(others, last)
	if last > p.written[folder] {
		p.written[folder], p.owed[folder] = last, last
	} else if last == p.written[folder] && err == nil {
		p.owed[folder] = last
	}
	if w, waits := p.waiting[folder]; waits && w.Seq <= last {
		delete(p.waiting, folder)
	}
	if err != nil {
		if errors.As(err, new(*blocked)) || done == len(items) || plannedPause(err) > 0 {
			return n, err
		}
		return n, p.block(ctx, &items[done], err)
	}
	if r, ok := p.sink.(Resender); p.ackDue() > 0 && !(ok && r.Resends()) {
		return n, nil
	}
	return n, p.acknowledge(ctx)
}

// ackDue returns how long the acknowledgements that are owed may still wait.
func (p *Pump) ackDue() time.Duration { return ackEvery - time.Since(p.acked) }

// acknowledge notes in the ledger what the sink has.
func (p *Pump) acknowledge(ctx context.Context) error {
	for folder, seq := range p.owed {
		if err := p.out.Ack(ctx, p.Name(), p.replays, folder, seq); err != nil {
			return err
		}
		delete(p.owed, folder)
		p.acked = time.Now()
	}
	return nil
}

// runOf returns how many of the first rows one Write may get.
func runOf(rows []ledger.Row) int {
	size := 0
	for i := range rows {
		if i > 0 && !goesOn(rows[:i], size, &rows[i]) {
			return i
		}
		size += len(rows[i].JSON)
	}
	return len(rows)
}

// goesOn reports whether one Write may get row with a run of size octets.
func goesOn(run []ledger.Row, size int, row *ledger.Row) bool {
	last := &run[len(run)-1]
	return last.FolderID == row.FolderID && last.Seq+1 == row.Seq && len(run) < writeRows && size <= writeBytes
}

// eachRun calls f with runs of consecutive records of one folder. f must not keep
// the run.
func eachRun(rows iter.Seq2[ledger.Row, error], f func(run []ledger.Row) error) error {
	var run []ledger.Row
	size := 0
	for row, err := range rows {
		if err != nil {
			return err
		}
		if len(run) > 0 && !goesOn(run, size, &row) {
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
