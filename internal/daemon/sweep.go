package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/watch"
)

// Sweep reads what is new in every folder, one account after the other, and waits
// until every sink has every record. An account that fails does not keep it from the
// next. When it has read all, it hands the zero Progress to the Observer. Errors of
// type *settings.Error are mistakes in the config.
func (d *Daemon) Sweep(ctx context.Context) error {
	ctx, r, err := d.start(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	requesting, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	beside.Go(func() {
		every(requesting, requestEvery, func() error { return r.requests(requesting) }, upkeepOf, d.Log)
	})
	beside.Go(func() {
		every(requesting, ledger.BeatEvery, func() error { return r.board.Beat(requesting) }, upkeepOf, d.Log)
	})
	err = r.accounts(ctx)
	if d.Observer.Progress != nil {
		d.Observer.Progress(watch.Progress{})
	}
	var hooks sync.WaitGroup
	hooks.Go(r.stopHooks) // beside the sinks: each may take seconds
	defer hooks.Wait()
	// Also where a folder failed: what the others gave is not to wait for the
	// next sweep. Other commands are served meanwhile.
	err = errors.Join(err, r.sinks.drain(ctx, r.ledger, cmp.Or(r.Drain, time.Minute)))
	stop()
	beside.Wait()
	if err == nil {
		err = prune(ctx, r.ledger, &r.config)
	}
	if sunk := errors.Join(r.sinks.close(), r.sinks.settle(ctx, r.ledger, r.board)); sunk != nil {
		err = sunk
	}
	return err
}

func (r *running) accounts(ctx context.Context) error {
	var last error
	for _, a := range r.config.Accounts {
		err := r.sweep(ctx, a)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && last != nil && r.Failed != nil {
			r.Failed(last)
		}
		if err != nil {
			last = fmt.Errorf("account %s: %w", a.Name, err)
		}
	}
	return last
}

func (r *running) sweep(ctx context.Context, a settings.Account) error {
	imap, err := a.IMAP(r.Person)
	if err != nil {
		return err
	}
	account := r.account(ctx, a, imap)
	return account.Run(ctx, true)
}

// openLedger opens the ledger for writing; a dry run gets one in memory that knows
// how far the real one has read.
func openLedger(ctx context.Context, path string, dry bool) (ledger.Ledger, error) {
	if !dry {
		return backend.Open(ctx, path)
	}
	l := memory.New()
	reader, err := backend.OpenReader(ctx, path)
	if errors.Is(err, ledger.ErrNone) {
		return l, nil
	} else if err != nil {
		return nil, err
	}
	defer reader.Close()
	folders, err := reader.Folders(ctx)
	if err != nil {
		return nil, err
	}
	for _, known := range folders {
		claim, err := l.Claim(ctx, known.Folder)
		if err == nil && known.Checkpoint.UIDValidity != 0 {
			_, err = l.Commit(ctx, claim, ledger.Batch{Checkpoint: known.Checkpoint})
		}
		if err != nil {
			return nil, err
		}
	}
	return l, nil
}
