package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/recordtable"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

func (p *program) recordsCommand() *cli.Command {
	return &cli.Command{
		Name:  "records",
		Usage: "query and export the ledger, also during a watch",
		Description: "Prints records by folder, and within a folder in the order in which they were read.\n\n" +
			"Example: fblwatch records --since 7d --event complaint --format csv > complaints.csv\n" +
			"Example: fblwatch records --dead --format table",
		Flags: append(ledgerFlags(),
			&cli.StringFlag{Name: "format", Usage: "json (one record a line), csv or table; the default is table on a terminal, else json"},
			&cli.StringFlag{Name: "since", Usage: "received at or after `TIME`: 24h, 7d, 2026-01-31 or RFC 3339"},
			&cli.StringFlag{Name: "until", Usage: "received before `TIME`"},
			&cli.StringFlag{Name: "account", Usage: "of account `NAME`"},
			&cli.StringFlag{Name: "folder", Usage: "of folder `NAME`"},
			&cli.StringFlag{Name: "provider", Usage: "of provider `NAME`"},
			&cli.StringFlag{Name: "event", Usage: "`EVENT`: complaint, not_spam, opt_out, auth_failure or unparsed"},
			&cli.StringFlag{Name: "id", Usage: "the record `ID`, or all records of the report ID; the start of it is enough if no other begins so"},
			numberFlag("limit", "at most `N` records; 0 means all", 0),
			&cli.BoolFlag{Name: "dead", Usage: "dead letters: the records that a sink will never take, and why"},
			&cli.StringFlag{Name: "sink", Usage: "with --dead, only those of the sink `NAME`"},
			&cli.BoolFlag{Name: "revisions", Usage: "also records that a later revision, or another record, has replaced"},
		),
		Action: p.records,
	}
}

func (p *program) records(c *cli.Context) error {
	if c.Args().Present() {
		return wrong(fmt.Errorf("records takes no argument such as %q", c.Args().First()), "fblwatch records --help lists the options")
	}
	query := ledger.Query{
		Account: c.String("account"), Folder: c.String("folder"), Provider: c.String("provider"),
		Event: c.String("event"), ID: c.String("id"), Limit: c.Int("limit"), Replaced: c.Bool("revisions"),
	}
	if query.Event != "" && !slices.Contains(report.Events, report.Event(query.Event)) {
		hint := "events are complaint, not_spam, opt_out, auth_failure, unparsed"
		return wrong(fmt.Errorf("unknown event %q", query.Event), hint)
	}
	if query.Limit < 0 {
		return wrong(errors.New("--limit must be 0 or more"), "")
	}
	if c.String("sink") != "" && !c.Bool("dead") {
		return wrong(errors.New("--sink needs --dead"), "all records go to every sink whose when they match")
	}
	var err error
	if query.Since, err = timeFlag(c, "since"); err != nil {
		return err
	}
	if query.Until, err = timeFlag(c, "until"); err != nil {
		return err
	}
	format, err := p.format(c.String("format"), "csv")
	if err != nil {
		return err
	}
	reader, err := p.openReader(c)
	if err != nil {
		return err
	}
	defer reader.Close()
	if query.ID, err = wholeID(c.Context, reader, query.ID); err != nil {
		return err
	}
	if c.Bool("dead") {
		return p.dead(c, reader, query, format)
	}

	out, n := newRecordWriter(p, format), 0
	for row, err := range reader.Records(c.Context, query) {
		if err == nil {
			n++
			err = out.write(row.JSON)
		}
		if err != nil {
			return errors.Join(out.flush(), err)
		}
	}
	if err := out.flush(); err != nil || n > 0 {
		return err
	}
	return p.sayNothing(c.Context, reader, query)
}

// recordWriter writes records that are JSON already in another form.
type recordWriter struct {
	format string
	out    *bufio.Writer
	csv    *csv.Writer
	line   []byte
	table  *terminal.Table
}

// newRecordWriter writes to stdout, first the head of a csv or table.
func newRecordWriter(p *program, format string) *recordWriter {
	w := &recordWriter{format: format, out: bufio.NewWriterSize(p.stdout, 64<<10), table: p.recordTable(p.stdout)}
	w.csv = csv.NewWriter(w.out)
	switch format { // an error stays in the writer
	case "csv":
		_ = w.csv.Write(recordtable.CSVHead)
	case "table":
		_, _ = w.out.Write(w.table.AppendHead(nil))
	}
	return w
}

func (w *recordWriter) write(record []byte) error {
	if w.format == "json" {
		w.line = append(append(w.line[:0], record...), '\n')
		_, err := w.out.Write(w.line)
		return err
	}
	var r report.Record
	if err := json.Unmarshal(record, &r); err != nil {
		return fmt.Errorf("the ledger holds an unreadable record: %w", err)
	}
	if w.format == "csv" {
		return w.csv.Write(recordtable.CSVRow(&r))
	}
	w.line = w.table.AppendRow(w.line[:0], recordtable.Cells(&r))
	_, err := w.out.Write(w.line)
	return err
}

func (w *recordWriter) flush() error {
	w.csv.Flush()
	return errors.Join(w.csv.Error(), w.out.Flush())
}
