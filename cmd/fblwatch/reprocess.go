package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

func (p *program) reprocessCommand() *cli.Command {
	return &cli.Command{
		Name:  "reprocess",
		Usage: "read kept messages again by today's rules; differences make new revisions",
		Description: "The ledger keeps the start of each message for a while (keep in the config). A\n" +
			"record that reads differently today goes to the sinks as its next revision. A\n" +
			"person's decision stays, and no record is withdrawn. It also works during a watch.\n\n" +
			"Example: fblwatch reprocess -c config.yaml --kind unidentified --dry-run",
		Flags: append(ledgerFlags(),
			&cli.StringFlag{Name: "since", Usage: "only messages received at or after `TIME`: 24h, 7d, 2026-01-31 or RFC 3339"},
			&cli.StringFlag{Name: "kind", Usage: "only messages of `KIND`: unparsed, unidentified (complaints that name no subscriber) or other (made no record)"},
			&cli.BoolFlag{Name: "dry-run", Usage: "change nothing; print the differences"},
		),
		Action: p.reprocess,
	}
}

const (
	againChunk    = 64      // messages that are read at once
	reviseReports = 200     // of one change of the ledger
	reviseOctets  = 2 << 20 // likewise
)

// reprocessing is one run of the command.
type reprocessing struct {
	p       *program
	reader  ledger.Reader
	editor  ledger.Editor // nil: a dry run
	later   string        // see program.sinksLater
	brake   ledger.Brake  // of a dry run
	reading process.Rules
	doubts  func(ledger.KeptMessage) []report.Reason
	unknown bool // only messages with a complaint that names no subscriber

	wait   []ledger.Revision
	octets int
	total  struct {
		messages, records, stale int
		by                       map[process.Outcome]int
	}
}

func (p *program) reprocess(c *cli.Context) error {
	if c.Args().Present() {
		return wrong(fmt.Errorf("reprocess takes no argument such as %q", c.Args().First()), "fblwatch reprocess --help lists the options")
	}
	kinds, err := kindsOf(c.String("kind"))
	if err != nil {
		return err
	}
	since, err := timeFlag(c, "since")
	if err != nil {
		return err
	}
	config, err := p.configOrNone(c)
	if err != nil {
		return err
	}
	p.warnExposed(config)
	reading, err := config.Rules(p.resolver)
	if err != nil {
		return err
	}
	reader, err := p.openReader(c)
	if err != nil {
		return err
	}
	defer reader.Close()
	reading.Brake = config.NewBrake(p.logger(config.Log))
	r := reprocessing{p: p, reader: reader, reading: reading, unknown: c.String("kind") == "unidentified"}
	r.brake.Count = func(day time.Time, provider, feed string) (n int64, err error) {
		counts, err := reader.Counts(c.Context, day, day.Add(24*time.Hour))
		for _, count := range counts {
			if count.Verdict == string(report.SuppressYes) && count.Provider == provider && count.Feed == feed {
				n += count.N
			}
		}
		return n, err
	}
	r.total.by = make(map[process.Outcome]int)
	folders, err := reader.Folders(c.Context)
	if err != nil {
		return err
	}
	for _, f := range folders { // an account of --url has a host in its name
		if len(config.Accounts) == 0 && !strings.Contains(f.Folder.Account, "@") {
			return wrong(fmt.Errorf("the ledger has messages of account %s, but its config file does not exist", f.Folder.Account),
				"name it with -c FILE; without its rules, trust and privacy every record would be revised")
		}
	}
	r.doubts = doubtsOf(folders, config)
	if !c.Bool("dry-run") {
		if r.later, err = p.sinksLater(c, reader); err != nil {
			return err
		}
		if r.editor, err = p.openEditor(c); err != nil {
			return err
		}
		defer r.editor.Close()
	}
	err = r.run(c.Context, since, kinds)
	r.print()
	if r.total.messages == 0 && config.Keep == settings.KeepNone {
		fmt.Fprintln(p.stderr, "keep is none in the config: the ledger keeps no message to read again")
	}
	return err
}

// kindsOf are the kinds of message of --kind; none means all.
func kindsOf(kind string) ([]string, error) {
	switch kind {
	case "":
		return nil, nil
	case "unparsed":
		return []string{string(report.KindUnparsed)}, nil
	case "unidentified":
		return []string{string(report.KindReport)}, nil
	case "other":
		var kinds []string
		for _, k := range report.Kinds {
			if k != report.KindReport && k != report.KindUnparsed {
				kinds = append(kinds, string(k))
			}
		}
		return kinds, nil
	}
	return nil, wrong(fmt.Errorf("unknown kind %q", kind), "kinds are unparsed, unidentified, other")
}

// doubtsOf returns a function that gives the doubts about a kept message, by its
// account's since.
func doubtsOf(folders []ledger.Claim, config *settings.Config) func(ledger.KeptMessage) []report.Reason {
	contact := make(map[int64]time.Time)
	for _, f := range folders {
		contact[f.ID] = f.FirstSeen
	}
	since := make(map[string]time.Duration)
	for _, a := range config.Accounts {
		since[a.Name] = a.FirstAge()
	}
	return func(k ledger.KeptMessage) []report.Reason {
		age, known := since[k.Folder.Account]
		if !known {
			age = settings.Account{}.FirstAge()
		}
		return process.Doubts(k.At, contact[k.FolderID], age)
	}
}

func (r *reprocessing) run(ctx context.Context, since time.Time, kinds []string) error {
	progress := r.p.progress(r.editor == nil)
	defer progress.Clear()
	chunk := make([]ledger.KeptMessage, 0, againChunk)
	for kept, err := range r.reader.KeptMessages(ctx, since, kinds...) {
		if err != nil {
			return err
		}
		if chunk = append(chunk, kept); len(chunk) < againChunk {
			continue
		}
		if err := r.chunk(ctx, chunk); err != nil {
			return err
		}
		chunk = chunk[:0]
		progress.Show("%s read again, %s revised", terminal.Plural(r.total.messages, "message"), terminal.Plural(r.total.records, "record"))
	}
	if err := r.chunk(ctx, chunk); err != nil {
		return err
	}
	return r.write(ctx)
}

// again is the result of reading one message again.
type again struct {
	rows     []ledger.Row
	revision ledger.Revision
	outcome  process.Outcome // empty: it was not asked for
	err      error
}

// chunk reads messages again, several at once, and takes the results in order.
func (r *reprocessing) chunk(ctx context.Context, messages []ledger.KeptMessage) error {
	done := make([]again, len(messages))
	workers := runtime.GOMAXPROCS(0)
	if r.reading.Asks() {
		workers = againChunk // they wait for the DNS
	}
	var wg sync.WaitGroup
	turn := make(chan struct{}, workers)
	for i := range messages {
		turn <- struct{}{}
		wg.Go(func() {
			done[i] = r.message(ctx, messages[i])
			<-turn
		})
	}
	wg.Wait()
	for i := range done {
		if err := done[i].err; err != nil {
			return err
		}
		if err := r.take(ctx, &done[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *reprocessing) message(ctx context.Context, kept ledger.KeptMessage) (a again) {
	for row, err := range r.reader.Records(ctx, ledger.Query{ID: kept.ReportID, Replaced: true}) {
		if err != nil {
			return again{err: err}
		}
		a.rows = append(a.rows, row)
	}
	if r.unknown && !slices.ContainsFunc(a.rows, func(row ledger.Row) bool {
		return !row.Replaced && row.Subscriber == "" && (row.Event == string(report.Complaint) || row.Event == string(report.OptOut))
	}) {
		return again{}
	}
	a.revision, a.outcome, a.err = r.reading.Reprocess(ctx, kept, a.rows, time.Now(), r.doubts(kept)...)
	return a
}

func (r *reprocessing) take(ctx context.Context, a *again) error {
	if a.outcome == "" {
		return nil
	}
	r.total.messages++
	r.total.by[a.outcome]++
	if a.outcome != process.Revises {
		return nil
	}
	if r.editor == nil {
		changes, err := a.revision.Changes(a.revision.Kind, a.rows, &r.brake)
		if err != nil {
			return err
		}
		a.revision.Records = changes.Records
		r.reading.Brake.Log(r.brake.Over())
		r.total.records += len(a.revision.Records)
		return r.show(a)
	}
	r.wait = append(r.wait, a.revision)
	for _, record := range a.revision.Records {
		r.octets += len(record.JSON)
	}
	if len(r.wait) < reviseReports && r.octets < reviseOctets {
		return nil
	}
	return r.write(ctx)
}

func (r *reprocessing) write(ctx context.Context) error {
	if len(r.wait) == 0 {
		return nil
	}
	done, err := r.editor.Do(ctx, ledger.Change{Revise: r.wait})
	r.reading.Brake.Log(done.Over)
	r.total.records += done.Records
	r.total.stale += len(done.Stale)
	r.wait, r.octets = nil, 0
	return err
}

// show prints each difference on a line.
func (r *reprocessing) show(a *again) error {
	was := make(map[string]json.RawMessage)
	for _, row := range a.rows {
		if !row.Replaced {
			was[row.ID] = row.JSON
		}
	}
	var out strings.Builder
	for _, record := range a.revision.Records {
		fmt.Fprintf(&out, "%s revision %d\n", record.ID, record.Revision)
		for _, line := range differences(was[record.ID], record.JSON) {
			out.WriteString(terminal.Wrap("  ", terminal.Printable(line), 4, terminal.Width(r.p.stdout)))
		}
	}
	if len(a.revision.Records) == 0 {
		fmt.Fprintf(&out, "%s is %s\n", a.revision.ReportID, terminal.Printable(a.revision.Kind))
	}
	_, err := fmt.Fprint(r.p.stdout, out.String())
	return err
}

// differences lists the keys whose values differ, without the keys that differ in
// every revision.
func differences(was, now json.RawMessage) (lines []string) {
	old, keys := valuesOf(was)
	values, order := valuesOf(now)
	for _, key := range keys {
		if values[key] == "" {
			order = append(order, key)
		}
	}
	for _, key := range order {
		had, has := terminal.Cut(old[key], longExample), terminal.Cut(values[key], longExample)
		switch {
		case key == "revision" || key == "processed_at" || was == nil || old[key] == values[key]:
		case had == "":
			lines = append(lines, key+": "+has)
		case has == "":
			lines = append(lines, key+": gone")
		default:
			lines = append(lines, key+": "+had+" -> "+has)
		}
	}
	return lines
}

// valuesOf returns a record's values by key, those of a list joined, and the keys in
// their order.
func valuesOf(record json.RawMessage) (values map[string]string, keys []string) {
	values = make(map[string]string)
	for _, row := range rowsOf(record) {
		if had, there := values[row.key]; there {
			values[row.key] = had + ", " + row.value
		} else {
			values[row.key], keys = row.value, append(keys, row.key)
		}
	}
	return values, keys
}

func (r *reprocessing) print() {
	t := &r.total
	would := ""
	if r.editor == nil {
		would = "would be "
	}
	if t.records == 0 {
		r.later = ""
	}
	fmt.Fprintf(r.p.stderr, "%s read again, %s %srevised%s\n", terminal.Plural(t.messages, "message"), terminal.Plural(t.records, "record"), would, r.later)
	for _, line := range []struct {
		n    int
		what string
	}{
		{t.stale, "changed meanwhile: run reprocess again"},
		{t.by[process.Short], "of which more would be needed than is kept"},
		{t.by[process.Worse], "that would say less today: left as they are"},
		{t.by[process.Pruned], "whose records are not kept any more"},
	} {
		if line.n > 0 {
			fmt.Fprintf(r.p.stderr, "%s %s\n", terminal.Plural(line.n, "message"), line.what)
		}
	}
}
