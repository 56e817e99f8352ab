package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/internal/hook"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/watch"
)

func (p *program) watchCommand() *cli.Command {
	return &cli.Command{
		Name:  "watch",
		Usage: "read every folder for ever; new mail makes records within seconds",
		Description: "Ends cleanly at Ctrl-C or SIGTERM. Lost connections are made again. With --url\n" +
			"it watches one folder without a config file. On a terminal it shows a line for\n" +
			"each record.\n\n" +
			"Example: fblwatch watch -c config.yaml",
		Flags: append(sessionFlags(),
			&cli.BoolFlag{Name: "json", Usage: "records to stdout, one a line; without it they stay out of the journal"},
		),
		Action: p.watch,
	}
}

const (
	obeyEvery  = time.Second / 2
	pruneEvery = time.Hour
	// startSpread is between the starts of two accounts, up to startMost for the
	// last of many.
	startSpread = 100 * time.Millisecond
	startMost   = 30 * time.Second
	stateEvery  = 30 * time.Second
	changeEvery = time.Second // for a sink or the hooks that fail, or work again
	lookEvery   = time.Minute
)

func (p *program) watch(c *cli.Context) error {
	config, err := p.setup(c)
	if err != nil {
		return err
	}
	reading, err := config.Rules(p.resolver)
	if err != nil {
		return err
	}
	l, err := backend.Open(c.Context, config.Ledger)
	if err != nil {
		return err
	}
	defer l.Close()
	log := p.logger(config.Log)
	reading.Brake = config.NewBrake(log)
	accounts := make([]watch.Account, len(config.Accounts))
	for i, a := range config.Accounts {
		if accounts[i], err = p.watched(reading, a, log); err != nil {
			return err
		}
	}
	hooks, err := startHooks(config, log)
	if err != nil {
		return err
	}
	stopHooks := stopHooks(c.Context, l, hooks, log)
	defer stopHooks()
	ctx, sinks, err := p.startSinks(c.Context, l, config, c.Bool("json"), log)
	if err != nil {
		return err
	}
	onlooker := p.onlooker(c.Bool("json"))
	defer onlooker.close()
	failures := make([]error, len(config.Accounts))
	var running, upkeep sync.WaitGroup
	for i, account := range accounts {
		account.Ledger = l
		account.NoHeads = config.Keep == settings.KeepNone
		listen(config, &account, undialed{callbacks.Slog(log)}, hooks)
		account.Committed = func(done ledger.Committed) {
			sinks.offer(done)
			onlooker.show(done)
		}
		running.Go(func() {
			select { // not all at one moment
			case <-time.After(min(time.Duration(i)*startSpread, startMost)):
			case <-ctx.Done():
				return
			}
			log.Info("watching", "account", account.Name)
			if err := account.Run(ctx, false); err != nil && ctx.Err() == nil {
				log.Error("gave up", "account", account.Name, "err", err)
				failures[i] = fmt.Errorf("account %s: %w", account.Name, err)
			}
		})
	}
	keeping, cancel := context.WithCancel(ctx)
	upkeep.Go(func() { obey(keeping, l, sinks, log) })
	upkeep.Go(func() {
		every(keeping, pruneEvery, func() error { return prune(keeping, l, config) }, "upkeep of the ledger", log)
	})
	states := func() error {
		return errors.Join(sinks.states(keeping, l, false), hookState(keeping, l, hooks.Counts(), hooks.Trouble(), false))
	}
	upkeep.Go(func() {
		every(keeping, stateEvery, func() error { return errors.Join(states(), feedStates(keeping, l)) }, "upkeep of the ledger", log)
	})
	upkeep.Go(func() {
		told := trouble(sinks, hooks)
		every(keeping, changeEvery, func() (err error) {
			if now := trouble(sinks, hooks); now != told {
				told, err = now, states()
			}
			return err
		}, "upkeep of the ledger", log)
	})
	if reading.Enrich != nil {
		upkeep.Go(func() {
			every(keeping, lookEvery, reading.Enrich.Refresh, "looking up addresses", log)
		})
	}
	running.Wait()
	cancel()
	upkeep.Wait()
	upkeep.Go(stopHooks) // beside the sinks: each may take seconds
	err = errors.Join(append(failures, sinks.close(), sinks.settle(ctx, l))...)
	upkeep.Wait()
	return err
}

// trouble is another text where a sink or the hooks begin to fail, fail by another
// record, or work again.
func trouble(sinks *sinks, hooks *hook.Hooks) string {
	t := hooks.Trouble()
	text := fmt.Sprint(t.Err != "", t.Dropping)
	for _, pump := range sinks.pumps {
		t := pump.Trouble()
		text += fmt.Sprint(" ", t.Err != "", t.Record)
	}
	return text
}

// obey carries out what other commands ask of the ledger's writer, until ctx
// ends.
func obey(ctx context.Context, l ledger.Ledger, sinks *sinks, log *slog.Logger) {
	every(ctx, obeyEvery, func() error {
		rows, err := l.RunRequests(ctx)
		sinks.offer(ledger.Committed{Rows: rows})
		return err
	}, "upkeep of the ledger", log)
}

// every does what is to be done now and again, until ctx ends. It logs a failure
// when it is another than before, and that it is over.
func every(ctx context.Context, pause time.Duration, do func() error, what string, log *slog.Logger) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	last := ""
	for {
		now := ""
		if err := do(); err != nil {
			now = err.Error()
		}
		switch {
		case now == last || ctx.Err() != nil:
		case now != "":
			log.Warn(what, "err", now)
		default:
			log.Info(what + ": works again")
		}
		last = now
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
