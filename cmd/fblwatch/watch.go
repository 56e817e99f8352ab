package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/daemon"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/recordtable"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/watch"
	"github.com/fblwatch/fblwatch/report"
)

func (p *program) watchCommand() *cli.Command {
	return &cli.Command{
		Name:  "watch",
		Usage: "watch every folder for ever; a new message is a record within seconds",
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
	options := daemon.Options{Person: p.person(), Resolver: p.resolver, Log: p.logger(config.Log), Drain: p.drain}
	if printing {
		options.Stdout = p.stdout
	}
	return options
}

// onlooker shows a person at a terminal one line for each record. A terminal may
// block, so lines wait in a queue; what does not fit is counted.
type onlooker struct {
	w       io.Writer
	table   *terminal.Table
	lines   chan string
	writing sync.WaitGroup

	mu     sync.Mutex
	missed int // records that did not fit, since the last line that did
}

// onlookerLines wait at most.
const onlookerLines = 1000

// onlooker returns nil where stderr is no terminal, or where the records
// themselves are printed on one.
func (p *program) onlooker(printing bool) *onlooker {
	if !terminal.IsTerminal(p.stderr) || printing && terminal.IsTerminal(p.stdout) {
		return nil
	}
	return newOnlooker(p.stderr, p.recordTable(p.stderr))
}

func newOnlooker(w io.Writer, t *terminal.Table) *onlooker {
	o := &onlooker{w: w, table: t, lines: make(chan string, onlookerLines)}
	o.writing.Go(func() {
		for line := range o.lines {
			_, _ = io.WriteString(o.w, line) // a terminal that is gone takes nothing from the ledger
		}
	})
	return o
}

// show queues the records of a commit. It never blocks.
func (o *onlooker) show(done ledger.Committed) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, row := range done.Rows {
		line := o.recordLine(row)
		if o.missed > 0 {
			line = fmt.Sprintf("... and %s\n%s", terminal.Plural(o.missed, "record"), line)
		}
		select {
		case o.lines <- line:
			o.missed = 0
		default:
			o.missed++
		}
	}
}

// close prints what waits. No show may come later.
func (o *onlooker) close() {
	if o == nil {
		return
	}
	close(o.lines)
	o.writing.Wait()
	if o.missed > 0 {
		fmt.Fprintf(o.w, "... and %s\n", terminal.Plural(o.missed, "record"))
	}
}

// recordLine is a record in one line; senders wrote much of it.
func (o *onlooker) recordLine(row ledger.Row) string {
	var r report.Record
	_ = json.Unmarshal(row.JSON, &r) // the columns have the rest
	r.ID, r.Event, r.Provider, r.ReceivedAt = row.ID, report.Event(row.Event), row.Provider, row.At
	r.Suppress = &report.Suppress{Verdict: report.Verdict(row.Verdict)}
	return string(o.table.AppendRow(nil, recordtable.Cells(&r)))
}
