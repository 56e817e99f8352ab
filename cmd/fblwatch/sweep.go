package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/daemon"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/watch"
	"github.com/fblwatch/fblwatch/report"
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
			&cli.BoolFlag{Name: "all", Usage: "from the first message on; already recorded messages are skipped"},
			&cli.BoolFlag{Name: "dry-run", Usage: "write nothing, neither to the ledger nor to a sink other than stdout, run no hook, and leave the mailbox as it is; say what each sink that acts would do"},
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
	options.Would = func(sink, record, says string) {
		progress.Clear()
		fmt.Fprintln(p.stderr, terminal.Printable(sink+": "+record+": "+says))
	}
	options.Observer = watch.Observer{Committed: total.add, Progress: func(at watch.Progress) {
		if at.Folder == "" {
			progress.Clear()
			return
		}
		progress.Show("%s %s: %d of %s, %s", terminal.Printable(at.Account), terminal.Printable(at.Folder), at.Done, terminal.Plural(at.Total, "message"), terminal.Plural(at.Records, "record"))
	}}
	if err = daemon.New(config, options).Sweep(c.Context); err != nil && total.messages+total.known == 0 {
		return err
	}
	total.print(p.stderr, terminal.Width(p.stderr), p.colours(p.stderr))
	return err
}

// swept counts what a sweep read.
type swept struct {
	start                    time.Time
	messages, known, records int
	verdicts                 map[string]map[string]int // records, by event
	left                     map[report.Kind]int       // messages that made no record
}

func (s *swept) add(done ledger.Committed) {
	if s.verdicts == nil {
		s.verdicts, s.left = make(map[string]map[string]int), make(map[report.Kind]int)
	}
	s.messages += done.Messages
	s.known += done.Duplicates
	s.records += len(done.Rows)
	for _, row := range done.Rows {
		if s.verdicts[row.Event] == nil {
			s.verdicts[row.Event] = make(map[string]int)
		}
		s.verdicts[row.Event][row.Verdict]++
	}
	for kind, n := range done.Kinds {
		if kind := report.Kind(kind); kind != report.KindReport && kind != report.KindUnparsed {
			s.left[kind] += int(n)
		}
	}
}

// leftAlone are the kinds for people.
var leftAlone = map[report.Kind]string{
	report.KindDSN: "bounce", report.KindMDN: "read receipt", report.KindDMARCAggregate: "DMARC report", report.KindTLSRPT: "TLS report",
	report.KindAutoReply: "auto-reply", report.KindUnsubscribe: "unsubscribe request", report.KindNotice: "notice", report.KindOther: "other message",
}

// print shows the sums, then a line for each event with its verdicts, one for what
// was left alone, and the time it took.
func (s *swept) print(w io.Writer, width int, colour terminal.Colours) {
	head := terminal.Plural(s.messages, "new message") + ", " + terminal.Plural(s.records, "record")
	if s.known > 0 {
		head += "; already recorded: " + terminal.Plural(s.known, "message")
	}
	fmt.Fprintln(w, head)
	line := func(name string, n int, parts []string) {
		text := terminal.Wrap(fmt.Sprintf("  %-12s %6d  ", name, n), strings.Join(parts, ", "), 23, width)
		for _, verdict := range verdicts { // after a number, so no other word
			for _, end := range []string{",", "\n"} {
				text = strings.ReplaceAll(text, " "+verdict+end, " "+colour.Verdict(verdict)+end)
			}
		}
		fmt.Fprint(w, text)
	}
	for _, e := range report.Events {
		event := string(e)
		var parts []string
		sum := 0
		for _, verdict := range append(verdicts, "") {
			n := s.verdicts[event][verdict]
			if sum += n; n > 0 && verdict != "" {
				parts = append(parts, fmt.Sprintf("%d %s", n, verdict))
			}
		}
		if sum > 0 {
			line(event, sum, parts)
		}
	}
	var parts []string
	sum := 0
	for _, kind := range report.Kinds {
		if n := s.left[kind]; n > 0 {
			sum += n
			parts = append(parts, terminal.Plural(n, leftAlone[kind]))
		}
	}
	if sum > 0 {
		line("left alone", sum, parts)
	}
	fmt.Fprintf(w, "  took %s\n", short(time.Since(s.start)))
}

// verdicts are all there are.
var verdicts = []string{string(report.SuppressYes), string(report.SuppressReview), string(report.SuppressNo)}

// short is a length of time with as many digits as matter.
func short(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}
