package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/sink"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

func (p *program) digestCommand() *cli.Command {
	return &cli.Command{
		Name:  "digest",
		Usage: "print what the next digest of a sink holds",
		Description: "Reads the config for a sink of mode digest, and the ledger for what it has not sent\n" +
			"yet. It sends nothing.\n\n" +
			"Example: fblwatch digest\n" +
			"Example: fblwatch digest --sink ops",
		Flags: append(ledgerFlags(),
			&cli.StringFlag{Name: "sink", Usage: "that of sink `NAME`; needed if there are several"},
		),
		Action: p.digest,
	}
}

func (p *program) digest(c *cli.Context) error {
	if c.Args().Present() {
		return wrong(fmt.Errorf("%s is not expected", c.Args().First()), "--sink NAME chooses the sink")
	}
	config, err := p.config(c.Context, c.String("config"))
	if err != nil {
		return err
	}
	chosen, err := digestSink(config.Sinks, c.String("sink"))
	if err != nil {
		return err
	}
	reader, err := p.openReader(c)
	if err != nil {
		return err
	}
	defer reader.Close()
	digests, ok := reader.(sink.DigestReader)
	if !ok {
		return errors.New("this ledger does not know when a digest was sent")
	}
	now := time.Now()
	sum, due, err := sink.NextDigest(c.Context, chosen, digests, now)
	if err != nil {
		return err
	}
	when := "due now"
	if due.After(now) {
		when = "due " + terminal.LongTime(due)
	}
	fmt.Fprintf(p.stderr, "sink %s, %s\n", chosen.Name, when)
	_, err = fmt.Fprintf(p.stdout, "%s\n\n%s", sum.Title(), sum.Text())
	return err
}

// digestSink returns the sink of mode digest that has the name, or the only one.
func digestSink(sinks sink.List, name string) (sink.Config, error) {
	var found []sink.Config
	var names []string
	for _, s := range sinks {
		if s.Digest.Mode == sink.ModeDigest {
			if names = append(names, s.Name); name == "" || s.Name == name {
				found = append(found, s)
			}
		}
	}
	switch {
	case len(names) == 0:
		return sink.Config{}, wrong(errors.New("the config has no sink of mode digest"), "docs/sinks/smtp.md and docs/sinks/slack.md show one")
	case len(found) == 0:
		return sink.Config{}, wrong(fmt.Errorf("no sink of mode digest is named %s", name), "they are "+strings.Join(names, ", "))
	case len(found) > 1:
		return sink.Config{}, wrong(errors.New("several sinks have mode digest"), "--sink chooses one of "+strings.Join(names, ", "))
	}
	return found[0], nil
}
