package main

import (
	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/daemon"
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

func (p *program) watch(c *cli.Context) error {
	config, err := p.setup(c)
	if err != nil {
		return err
	}
	options := p.daemonOptions(config, c.Bool("json"))
	onlooker := p.onlooker(c.Bool("json"))
	defer onlooker.close()
	options.Observer = watch.Observer{Committed: onlooker.show}
	return daemon.New(config, options).Run(c.Context)
}

// daemonOptions are those of watch and sweep. printing: records go to stdout.
func (p *program) daemonOptions(config *settings.Config, printing bool) daemon.Options {
	p.warnWay(config.Accounts...)
	options := daemon.Options{Person: p.person(), Resolver: p.resolver, Log: p.logger(config.Log)}
	if printing {
		options.Stdout = p.stdout
	}
	return options
}
