package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/sink"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

func (p *program) replayCommand() *cli.Command {
	return &cli.Command{
		Name:  "replay",
		Usage: "send records to a sink again",
		Description: "The running watch sends them now; without one the next watch or sweep does. A key that\n" +
			"a receiver gets ends in #n then, n being the number of the replay. Records that the\n" +
			"sink has not taken yet are not concerned.\n\n" +
			"Example: fblwatch replay --sink crm --dead\n" +
			"Example: fblwatch replay --sink crm --since 2026-01-31",
		Flags: append(ledgerFlags(),
			&cli.StringFlag{Name: "sink", Usage: "to the sink `NAME` of the config"},
			&cli.BoolFlag{Name: "dead", Usage: "its dead letters, with --id only those of that id; fblwatch records --dead lists them"},
			&cli.StringFlag{Name: "since", Usage: "all records received at or after `TIME` and, in their folders, those behind them: 24h, 7d, 2026-01-31, RFC 3339, or start for everything"},
			&cli.StringFlag{Name: "id", Usage: "the record `ID`, or all records of the report ID; the start of it is enough if no other begins so"},
		),
		Action: p.replay,
	}
}

// startWord is the --since of a replay of everything, as from: start in the config.
const startWord = sink.FromStart

func (p *program) replay(c *cli.Context) error {
	replay := ledger.Replay{Sink: c.String("sink"), Dead: c.Bool("dead"), ID: c.String("id")}
	since := c.String("since")
	switch {
	case c.Args().Present():
		return wrong(fmt.Errorf("replay takes no argument such as %q", c.Args().First()), "fblwatch replay --help lists the options")
	case replay.Sink == "":
		return wrong(errors.New("replay needs --sink NAME"), "")
	case replay.Sink == sink.StdoutName:
		return wrong(errors.New("the standard output is not replayed"), "fblwatch records --format json prints what the ledger has")
	case since != "" && (replay.Dead || replay.ID != ""):
		return wrong(errors.New("--since excludes --dead and --id"), "")
	case since == "" && !replay.Dead && replay.ID == "":
		return wrong(errors.New("replay needs --dead, --since or --id"), "--since "+startWord+" sends everything again that the ledger has")
	}
	if since != startWord {
		var err error
		if replay.Since, err = timeFlag(c, "since"); err != nil {
			return err
		}
	}
	if err := p.hasSink(c, replay.Sink); err != nil {
		return err
	}
	reader, err := p.openReader(c)
	if err != nil {
		return err
	}
	defer reader.Close()
	if replay.ID != "" {
		if replay.ID, err = wholeID(c.Context, reader, replay.ID); err != nil {
			return err
		}
		there := false
		for _, err := range reader.Records(c.Context, ledger.Query{ID: replay.ID, Replaced: true, Limit: 1}) {
			if there = true; err != nil {
				return err
			}
		}
		if !there {
			return wrong(fmt.Errorf("no record has the id %s", replay.ID), "")
		}
	}
	watched, err := p.watched(c, reader, replay.Sink)
	if err != nil {
		return err
	}
	editor, err := p.openEditor(c)
	if err != nil {
		return err
	}
	defer editor.Close()
	done, err := editor.Do(c.Context, ledger.Change{Replay: []ledger.Replay{replay}})
	if err != nil {
		return err
	}
	switch {
	case done.Resent == 0:
		fmt.Fprintln(p.stderr, nothingAgain(replay))
	case watched:
		fmt.Fprintf(p.stderr, "the running watch sends %s again now\n", terminal.Plural(int(done.Resent), "record"))
	default:
		fmt.Fprintf(p.stderr, "the next watch or sweep sends %s again\n", terminal.Plural(int(done.Resent), "record"))
	}
	return nil
}

// hasSink fails if the ledger is that of a config without a sink of the name: no run
// would send to it.
func (p *program) hasSink(c *cli.Context, name string) error {
	if c.String("ledger") != "" {
		return nil
	}
	config, err := p.config(c.Context, c.String("config"))
	if err != nil {
		return nil // ledgerPath says it, or takes the default
	}
	sinks := config.AllSinks()
	names := make([]string, len(sinks))
	for i, s := range sinks {
		if names[i] = s.Name; s.Name == name {
			return nil
		}
	}
	hint := "the config has no sinks"
	if len(names) > 0 {
		hint = "they are " + strings.Join(names, ", ")
	}
	return wrong(fmt.Errorf("no sink of the config is named %s", name), hint)
}

// watched reports whether a watch runs that has the sink.
func (p *program) watched(c *cli.Context, reader ledger.Reader, name string) (bool, error) {
	path, err := p.ledgerPath(c)
	if err != nil {
		return false, err
	}
	written, err := backend.Written(c.Context, path)
	if err != nil || !written {
		return false, err
	}
	states, err := reader.States(c.Context)
	return slices.ContainsFunc(states, func(s ledger.Status) bool {
		return s.Name == ledger.SinkStatus+name && s.Current && !s.Ended
	}), err
}

// sinksLater goes behind the number of new revisions: it says when the sinks get them,
// unless a watch runs that gives them at once. Call it before this process writes.
func (p *program) sinksLater(c *cli.Context, reader ledger.Reader) (string, error) {
	path, err := p.ledgerPath(c)
	if err != nil {
		return "", err
	}
	written, err := backend.Written(c.Context, path)
	if err != nil || written {
		return "", err
	}
	states, err := reader.States(c.Context)
	if !slices.ContainsFunc(states, func(s ledger.Status) bool {
		return strings.HasPrefix(s.Name, ledger.SinkStatus) && s.Name != ledger.SinkStatus+sink.StdoutName
	}) {
		return "", err
	}
	return ", which the sinks get at the next watch or sweep", err
}

// nothingAgain says why no record is sent again.
func nothingAgain(r ledger.Replay) string {
	switch {
	case r.Dead && r.ID != "":
		return fmt.Sprintf("nothing is sent again: %s is no dead letter of the sink %s", r.ID, r.Sink)
	case r.Dead:
		return fmt.Sprintf("nothing is sent again: the sink %s has no dead letter that is still current", r.Sink)
	case r.ID != "":
		return fmt.Sprintf("nothing is sent again: %s is still on its way to the sink %s, or replaced", r.ID, r.Sink)
	case r.Since.IsZero():
		return fmt.Sprintf("nothing is sent again: the sink %s has passed no record", r.Sink)
	}
	return fmt.Sprintf("nothing is sent again: the sink %s has passed no record received at %s or later; --since %s sends everything", r.Sink, r.Since.Format(time.RFC3339), startWord)
}
