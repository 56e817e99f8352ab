package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
)

const (
	// startSpread is between the starts of two accounts, up to startMost for the
	// last of many.
	startSpread = 100 * time.Millisecond
	startMost   = 30 * time.Second
)

// Run watches every folder until ctx ends: then the error is nil, unless a sink ended
// before. An account that gives up does not end the others. Errors of type
// *settings.Error are mistakes in the config.
func (d *Daemon) Run(ctx context.Context) error {
	sessions := make([]imapclient.Options, len(d.config.Accounts))
	for i, a := range d.config.Accounts {
		var err error
		if sessions[i], err = a.IMAP(d.Person); err != nil {
			return err
		}
	}
	ctx, r, err := d.start(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	failures := make([]error, len(d.config.Accounts))
	var running sync.WaitGroup
	for i, a := range d.config.Accounts {
		account := r.account(ctx, a, sessions[i])
		running.Go(func() {
			select { // not all at one moment
			case <-time.After(min(time.Duration(i)*startSpread, startMost)):
			case <-ctx.Done():
				return
			}
			d.Log.Info("watching", "account", account.Name)
			if err := account.Run(ctx, false); err != nil && ctx.Err() == nil {
				d.Log.Error("gave up", "account", account.Name, "err", err)
				failures[i] = fmt.Errorf("account %s: %w", account.Name, err)
			}
		})
	}
	stopUpkeep := r.upkeep(ctx)
	running.Wait()
	stopUpkeep()
	var hooks sync.WaitGroup
	hooks.Go(r.stopHooks) // beside the sinks: each may take seconds
	err = errors.Join(append(failures, r.sinks.close(), r.sinks.settle(ctx, r.ledger, r.board))...)
	hooks.Wait()
	return err
}
