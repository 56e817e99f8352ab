package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/recordtable"
	"github.com/fblwatch/fblwatch/internal/suppress"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

func (p *program) reviewCommand() *cli.Command {
	return &cli.Command{
		Name:  "review",
		Usage: "list the complaints that need a person's decision, and decide them",
		Description: "Without --accept or --reject it lists them, the oldest first. A decision makes the\n" +
			"next revision of the record, which goes to the sinks too. Its verdict is yes or no\n" +
			"and outlasts every later reading of the message. docs/trust.md has an answer to each\n" +
			"code; fblwatch explain ID shows one message. An ID is a record's or a report's;\n" +
			"- reads ids from standard input, the first word of each line.\n\n" +
			"Example: fblwatch review --provider yahoo\n" +
			"Example: fblwatch review --accept ce129da5cffb0c534c20a70476098aec.1",
		ArgsUsage: "[ID...]",
		Flags: append(ledgerFlags(),
			&cli.BoolFlag{Name: "accept", Usage: "act on these complaints"},
			&cli.BoolFlag{Name: "reject", Usage: "do not act on these complaints"},
			&cli.StringFlag{Name: "format", Usage: "table or json (one record a line)", Value: "table"},
			&cli.StringFlag{Name: "since", Usage: "list those received at or after `TIME`: 24h, 7d, 2026-01-31 or RFC 3339"},
			&cli.StringFlag{Name: "provider", Usage: "list those of provider `NAME`"},
			numberFlag("limit", "list at most `N`", 100),
		),
		Action: p.review,
	}
}

func (p *program) review(c *cli.Context) error {
	accept, reject := c.Bool("accept"), c.Bool("reject")
	switch {
	case accept && reject:
		return wrong(errors.New("--accept and --reject exclude each other"), "")
	case !accept && !reject && c.Args().Present():
		return wrong(fmt.Errorf("%s needs --accept or --reject", c.Args().First()), "--accept acts on the complaint, --reject does not")
	case !accept && !reject:
		return p.listReview(c)
	case !c.Args().Present():
		return wrong(errors.New("--accept and --reject need an id"), "fblwatch review lists them; - reads ids from standard input")
	}
	ids, err := p.idsOf(c.Args().Slice())
	if err != nil {
		return err
	}
	return p.decide(c, ids, accept)
}

func (p *program) listReview(c *cli.Context) error {
	format := c.String("format")
	if format != "table" && format != "json" {
		return wrong(fmt.Errorf("unknown format %q", format), "formats are table, json")
	}
	since, err := timeFlag(c, "since")
	if err != nil {
		return err
	}
	limit := c.Int("limit")
	if limit < 0 {
		return wrong(errors.New("--limit must be 0 or more"), "")
	}
	reader, err := p.openReader(c)
	if err != nil {
		return err
	}
	defer reader.Close()
	out := bufio.NewWriterSize(p.stdout, 64<<10)
	list := terminal.Sheet{Columns: []terminal.Column{
		{Title: "ID"}, {Title: "RECEIVED", Rank: 2}, {Title: "PROVIDER", Least: 12, Rank: 3}, {Title: "WHO", Want: 40, Least: 18},
		{Title: "CODE", Want: 40, Least: 16}, {Title: "WHY", Least: 60, Rank: 4},
	}}
	print := func() error {
		if len(list.Rows) > 0 {
			_ = list.Write(out, terminal.Width(p.stdout), p.colours(p.stdout)) // an error stays in the writer
		}
		return out.Flush()
	}
	n := 0
	query := ledger.Query{Since: since, Provider: c.String("provider"), Verdict: string(report.SuppressReview)}
	if limit > 0 {
		query.Limit = limit + 1
	}
	for row, err := range reader.Records(c.Context, query) {
		if err != nil {
			return errors.Join(print(), err)
		}
		if n++; limit > 0 && n > limit {
			break
		}
		if format == "json" {
			_, _ = out.Write(append(row.JSON, '\n')) // an error stays in the writer
			continue
		}
		r, err := process.ReadRecord(row)
		if err != nil {
			return err
		}
		who := recordtable.Recipient(&r)
		if who == "" {
			who = "nobody"
		}
		list.Row(row.ID, terminal.ShortTime(recordtable.When(&r)), r.Provider, who, recordtable.Codes(&r, ","), strings.Join(some(r.Suppress).Reasons, "; "))
	}
	if err := print(); err != nil {
		return err
	}
	switch {
	case n == 0:
		fmt.Fprintln(p.stderr, "no record has verdict review")
		if query.Provider != "" || !since.IsZero() {
			return p.sayNothing(c.Context, reader, query)
		}
	case limit > 0 && n > limit:
		fmt.Fprintf(p.stderr, "more than %d records have verdict review; --limit 0 lists all\n", limit)
	}
	return nil
}

// idsOf reads ids from standard input where one of args is "-".
func (p *program) idsOf(args []string) (ids []string, err error) {
	for _, arg := range args {
		if arg != "-" {
			ids = append(ids, arg)
			continue
		}
		lines := bufio.NewScanner(p.stdin)
		for lines.Scan() {
			if words := strings.Fields(lines.Text()); len(words) > 0 && words[0] != "ID" {
				ids = append(ids, words[0])
			}
		}
		if err := lines.Err(); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("standard input: %w", err)
		}
	}
	return ids, nil
}

// decide decides all records of ids, or none.
func (p *program) decide(c *cli.Context, ids []string, accept bool) error {
	reader, err := p.openReader(c)
	if err != nil {
		return err
	}
	defer reader.Close()
	for i := range ids {
		if ids[i], err = wholeID(c.Context, reader, ids[i]); err != nil {
			return err
		}
	}
	decisions, err := suppress.Decide(c.Context, reader, ids, accept, time.Now())
	if errors.As(err, new(*suppress.RefusedError)) {
		return wrong(err, "nothing was decided; fblwatch review lists what there is to decide")
	} else if err != nil {
		return err
	}
	later, err := p.sinksLater(c, reader)
	if err != nil {
		return err
	}
	editor, err := p.openEditor(c)
	if err != nil {
		return err
	}
	defer editor.Close()
	err = decisions.Apply(c.Context, editor)
	if errors.As(err, new(*suppress.StaleError)) {
		return failed(err, "look at them again with fblwatch review")
	} else if err != nil {
		return err
	}
	what := "rejected"
	if accept {
		what = "accepted"
	}
	fmt.Fprintf(p.stderr, "%s %s%s\n", terminal.Plural(decisions.Records, "record"), what, later)
	return nil
}
