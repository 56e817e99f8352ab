package main

import (
	"cmp"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/daemon"
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
	config.Log.Level = cmp.Or(config.Log.Level, "warn") // somebody is looking on
	printing := c.Bool("json") || !terminal.IsTerminal(p.stdout)
	total, progress := swept{start: time.Now()}, p.progress(printing)
	options := p.daemonOptions(config, printing)
	options.All, options.DryRun, options.Failed = c.Bool("all"), c.Bool("dry-run"), p.printError
	options.Observer = watch.Observer{Committed: total.add, Progress: func(at watch.Progress) {
		if at.Folder == "" {
			progress.Clear()
			return
		}
		progress.Show("%s %s: %d of %s, %s", terminal.Printable(at.Account), terminal.Printable(at.Folder), at.Done, terminal.Plural(at.Total, "mail"), terminal.Plural(at.Records, "record"))
	}}
	if err = daemon.New(config, options).Sweep(c.Context); err != nil && total.messages+total.known == 0 {
		return err
	}
	total.print(p.stderr, terminal.Width(p.stderr), p.colours(p.stderr))
	return err
}
