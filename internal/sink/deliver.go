package sink

import (
	"context"
	"errors"
	"iter"
	"time"

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
)

// errGap means that the queue does not continue what the sink has.
var errGap = errors.New("sink: gap")

// deliver writes until nothing is left.
func (p *Pump) deliver(ctx context.Context) error {
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

// catchUp writes what the ledger has for the sink in folders that are not stuck. If
// the sink does not take a record, that folder is stuck and the others go on. The
// error is that of the first such folder.
func (p *Pump) catchUp(ctx context.Context) error {
	var first error
	for {
		err := eachRun(p.out.Unsent(ctx, p.name, p.stuck...), func(run []ledger.Row) error { return p.write(ctx, run) })
		if first == nil || IsPermanent(err) {
			first = err
		}
		refused := (*refusal)(nil)
		if !errors.As(err, &refused) || IsPermanent(err) || ctx.Err() != nil || len(p.stuck) >= maxStuck {
			return first
		}
		p.stuck = append(p.stuck, refused.folder)
	}
}

// write writes a run and acknowledges it, soon if not at once. If only the
// acknowledgement failed the last time, the sink does not get the records twice.
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
	p.owed[folder] = last
	if p.ackDue() > 0 {
		return nil
	}
	return p.acknowledge(ctx)
}

// ackDue returns how long the acknowledgements that are owed may still wait.
func (p *Pump) ackDue() time.Duration { return ackEvery - time.Since(p.acked) }

// acknowledge notes in the ledger what the sink has.
func (p *Pump) acknowledge(ctx context.Context) error {
	for folder, seq := range p.owed {
		if err := p.out.Ack(ctx, p.name, folder, seq); err != nil {
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
