package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/demo"
	"github.com/fblwatch/fblwatch/internal/settings"
)

func (p *program) demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "see it work without a set-up: an IMAP server, sample reports and a watch",
		Description: "Runs until Ctrl-C. Everything is on this machine and is deleted at the end.\n\n" +
			"Example: fblwatch demo --count 5",
		Flags: []cli.Flag{
			numberFlag("count", "stop after `N` records; 0 means never", 0),
		},
		Action: p.demo,
	}
}

func (p *program) demo(c *cli.Context) error {
	if c.Int("count") < 0 {
		return wrong(errors.New("--count must be 0 or more"), "")
	}
	return demo.Run(c.Context, p.stdout, demo.Options{
		Count: c.Int("count"), Colours: p.colours(p.stdout), Log: p.logger(settings.LogConfig{Level: "warn"}),
	})
}
