package main

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/internal/hook"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/watch"
)

func (p *program) sweepCommand() *cli.Command {
	return &cli.Command{
		Name:  "sweep",
		Usage: "read what is new in every folder, then exit",
		Description: "Records go to the ledger and to the config's sinks, and with --json, or where\n" +
			"stdout is no terminal, to stdout too, one a line: those of this sweep, and what an\n" +
			"interrupted one before it left.\n\n" +
			"Example: fblwatch sweep --url imaps://fbl@imap.example.com/INBOX",
		Flags: append(sessionFlags(),
			&cli.BoolFlag{Name: "all", Usage: "from the first mail on; what the ledger knows makes no new record"},
			&cli.BoolFlag{Name: "dry-run", Usage: "write nothing, neither to the ledger nor to a sink other than stdout, run no hook, and leave the mailbox as it is"},
			&cli.BoolFlag{Name: "json", Usage: "records to stdout although it is a terminal"},
		),
		Action: p.sweep,
	}
}

func (p *program) sweep(c *cli.Context) error {
	config, err := p.setup(c)
	if err != nil {
		return err
	}
	reading, err := config.Rules(p.resolver)
	if err != nil {
		return err
	}
	l, err := openLedger(c.Context, config.Ledger, c.Bool("dry-run"))
	if err != nil {
		return err
	}
	defer l.Close()
	if c.Bool("dry-run") {
		config.Records.File, config.Hooks = "", hook.Config{}
	}
	config.Log.Level = cmp.Or(config.Log.Level, "warn") // somebody is looking on
	log := p.logger(config.Log)
	reading.Brake = config.NewBrake(log)
	hooks, err := startHooks(config, log)
	if err != nil {
		return err
	}
	stopHooks := stopHooks(c.Context, l, hooks, log)
	defer stopHooks()
	printing := c.Bool("json") || !terminal.IsTerminal(p.stdout)
	ctx, sinks, err := p.startSinks(c.Context, l, config, printing, log)
	if err != nil {
		return err
	}
	c.Context = ctx
	total := swept{start: time.Now()}
	progress := p.progress(printing)
	obeying, stop := context.WithCancel(ctx)
	var upkeep sync.WaitGroup
	upkeep.Go(func() { obey(obeying, l, sinks, log) })
	err = p.eachSession(c, config, func(c *cli.Context, a settings.Account) error {
		account, err := p.watched(reading, a, log)
		if err != nil {
			return err
		}
		account.Ledger = l
		account.NoHeads = config.Keep == settings.KeepNone
		listen(config, &account, returned{callbacks.Slog(log)}, hooks)
		account.All = c.Bool("all")
		if c.Bool("dry-run") { // what no ledger keeps must not leave the mailbox
			account.After = watch.After{}
		}
		account.Committed = func(done ledger.Committed) {
			total.add(done)
			sinks.offer(done)
		}
		account.Progress = func(at watch.Progress) {
			progress.Show("%s %s: %d of %s, %s", terminal.Printable(a.Name), terminal.Printable(at.Folder), at.Done, terminal.Plural(at.Total, "mail"), terminal.Plural(at.Records, "record"))
		}
		return account.Run(c.Context, true)
	})
	progress.Clear()
	stop()
	upkeep.Wait()
	upkeep.Go(stopHooks) // beside the sinks: each may take seconds
	defer upkeep.Wait()
	// Also where a folder failed: what the others gave is not to wait for the
	// next sweep.
	err = errors.Join(err, sinks.flush(ctx))
	if err == nil {
		err = prune(ctx, l, config)
	}
	if sunk := errors.Join(sinks.close(), sinks.settle(ctx, l)); sunk != nil {
		err = sunk
	}
	if err != nil && total.messages+total.known == 0 {
		return err
	}
	total.print(p.stderr, terminal.Width(p.stderr), p.colours(p.stderr))
	return err
}

// returned is a Handler for a command that returns its errors: they are printed
// then, and need not be logged before.
type returned struct{ callbacks.Handler }

func (r returned) Log(l callbacks.Level, text string) {
	if l != callbacks.Error {
		r.Handler.Log(l, text)
	}
}

// undialed is a Handler for watch. Why a session could not be opened watch logs
// itself, with when it tries again; what remains is of single commands.
type undialed struct{ callbacks.Handler }

func (u undialed) Log(l callbacks.Level, text string) {
	if l != callbacks.Error || ofCommand.MatchString(text) {
		u.Handler.Log(l, text)
	}
}

var ofCommand = regexp.MustCompile(`^imapclient: [A-Z][A-Z ]*: server said `)

// openLedger opens the ledger for writing; a dry run gets one in memory that
// knows how far the real one has read.
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

// prune drops what the config wants kept no longer.
func prune(ctx context.Context, l ledger.Ledger, config *settings.Config) error {
	var heads, records time.Time // zero: for ever
	switch now := time.Now(); {
	case config.Keep == settings.KeepNone:
		heads = now // also those that were kept before the config said none
	case config.Keep != 0:
		heads = now.Add(-time.Duration(config.Keep))
	}
	if config.Retention != 0 {
		records = time.Now().Add(-time.Duration(config.Retention))
	}
	return l.Prune(ctx, heads, records)
}
