package sink

import (
	"context"
	"errors"
	"iter"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

const (
	// writeRows and writeBytes bound what one Write gets. A single row may exceed
	// writeBytes.
	writeRows  = 500
	writeBytes = 1 << 20
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
			if err := p.catchUp(ctx); err != nil || len(p.stuck) > 0 {
				p.readLedger()
				return err
			}
			continue
		}
		if len(rows) == 0 {
			return nil
		}
		err := eachRun(yieldAll(rows), func(run []ledger.Row) error {
			last, ok := p.written[run[0].FolderID]
			if !ok || run[0].Seq > last+1 {
				return errGap
			}
			return p.write(ctx, run)
		})
		if err != nil {
			p.readLedger()
		}
		if err != nil && !errors.Is(err, errGap) {
			return err
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

// write writes a run and acknowledges it. If only the acknowledgement failed the
// last time, the sink does not get the records twice.
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
	return p.out.Ack(ctx, p.name, folder, last)
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

func yieldAll(rows []ledger.Row) iter.Seq2[ledger.Row, error] {
	return func(yield func(ledger.Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}
