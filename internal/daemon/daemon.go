// Package daemon runs the body of watch and of sweep: sessions, sinks, hooks and the
// upkeep of the ledger, started and stopped as one.
package daemon

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/hook"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/sink"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/internal/watch"
)

// Options are what the config does not hold. All may be zero.
type Options struct {
	Person   settings.Person // answers what a login asks
	Resolver trust.Resolver  // of the keys of signatures; nil: the system's
	Log      *slog.Logger    // nil: none
	Stdout   io.Writer       // a sink, which gets the records one a line; nil: none
	Observer watch.Observer

	// Of a sweep.
	Drain  time.Duration                   // how long to wait at the end for sinks that fail; 0: a minute
	All    bool                            // from the first UID on
	DryRun bool                            // write nothing, neither to the ledger nor to a sink other than Stdout; run no hook; leave the mailbox as it is
	Would  func(sink, record, says string) // of a DryRun: what each sink that acts would do with each record; nil: nobody asks
	Failed func(error)                     // gets the error of each account that failed but the last, which Sweep returns
}

// Daemon reads the accounts of a config into its ledger.
type Daemon struct {
	Options
	config settings.Config
	sinks  sink.List // that a dry run does not open
}

// New makes a Daemon. It does nothing before Run or Sweep.
func New(config *settings.Config, o Options) *Daemon {
	d := &Daemon{Options: o, config: *config}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.DryRun {
		d.sinks = d.config.AllSinks()
		d.config.NoSinks()
		d.config.Hooks = hook.Config{}
	}
	return d
}

// running is what Run and Sweep have while they run.
type running struct {
	*Daemon
	ledger    ledger.Ledger
	board     *ledger.Board
	rules     process.Rules
	hooks     *hook.Hooks
	stopHooks func() // once
	sinks     *sinks
	rehearsed *rehearsals // nil: none
}

// start opens the ledger, the hooks and the sinks; close ends them. The context that it
// returns ends when a sink does: records that go nowhere must not pile up unseen.
func (d *Daemon) start(ctx context.Context) (_ context.Context, _ *running, err error) {
	r := &running{Daemon: d}
	if r.rules, err = d.config.Rules(d.Resolver); err != nil {
		return nil, nil, err
	}
	if r.ledger, err = openLedger(ctx, d.config.Ledger, d.DryRun); err != nil {
		return nil, nil, err
	}
	r.board = ledger.NewBoard(r.ledger.SetStates)
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	r.rules.Brake = d.config.NewBrake(d.Log)
	if r.hooks, err = hook.New(d.config.Hooks, d.Log); err != nil {
		return nil, nil, &settings.Error{Err: err}
	}
	r.stopHooks = stopHooks(ctx, r.board, r.hooks, d.Log)
	if d.DryRun && d.Would != nil {
		if r.rehearsed, err = rehearse(ctx, d.sinks, d.config.Ledger, d.Would); err != nil {
			return nil, nil, err
		}
	}
	if ctx, r.sinks, err = d.startSinks(ctx, r.ledger); err != nil {
		return nil, nil, err
	}
	// Other commands see at once which sinks this one has.
	if err := r.board.Set(ctx, r.sinks.states(false)...); err != nil {
		return nil, nil, errors.Join(err, r.sinks.close())
	}
	return ctx, r, nil
}

func (r *running) close() {
	if r.stopHooks != nil {
		r.stopHooks()
	}
	if r.rehearsed != nil {
		r.rehearsed.close()
	}
	r.ledger.Close()
}

// account is the config's account as internal/watch takes it. All accounts share the
// rules: what they cache, and their files in memory.
func (r *running) account(ctx context.Context, a settings.Account, imap imapclient.Options) watch.Account {
	account := watch.Account{
		Name: a.Name, IMAP: imap, Folders: a.FolderNames(), Ledger: r.ledger, Board: r.board, Log: r.Log, LogEvents: r.Log,
		Rules: r.rules, NoHeads: r.config.Keep == settings.KeepNone, All: r.All, Since: a.FirstAge(),
		Watch: a.Watch, Connections: a.Connections, OnUIDValidity: a.OnUIDValidity,
		Observer: watch.Join(watch.Observer{Committed: r.sinks.offer}, r.Observer),
	}
	if r.rehearsed != nil {
		account.Observer = watch.Join(account.Observer, watch.Observer{Committed: func(done ledger.Committed) { r.rehearsed.committed(ctx, done) }})
	}
	if !r.DryRun { // what no ledger keeps must not leave the mailbox
		account.After = a.After
	}
	listen(&r.config, &account, r.hooks)
	return account
}
