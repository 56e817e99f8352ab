package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/report"
)

func (p *program) reviewCommand() *cli.Command {
	return &cli.Command{
		Name:  "review",
		Usage: "list the complaints that need a person's decision, and decide",
		Description: "Without --accept or --reject it lists them, the oldest first. A decision makes\n" +
			"the next revision of the record, for the sinks too: suppress says yes or no then,\n" +
			"whatever is read of the mail later. docs/trust.md says what to do about each code;\n" +
			"fblwatch explain shows one mail. An id may be a record's or a report's; - reads\n" +
			"ids from standard input, the first word of each line.\n\n" +
			"Example: fblwatch review --provider yahoo\n" +
			"Example: fblwatch review --accept ce129da5cffb0c534c20a70476098aec.1",
		ArgsUsage: "[ID...]",
		Flags: append(ledgerFlags(),
			&cli.BoolFlag{Name: "accept", Usage: "act on these complaints"},
			&cli.BoolFlag{Name: "reject", Usage: "do not act on these complaints"},
			&cli.StringFlag{Name: "format", Usage: "table or json (one record a line)", Value: "table"},
			&cli.StringFlag{Name: "since", Usage: "list those received from `TIME` on: 24h, 7d, 2026-01-31 or RFC 3339"},
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
		return wrong(fmt.Errorf("what is to be done with %s?", c.Args().First()), "name --accept or --reject")
	case !accept && !reject:
		return p.listReview(c)
	case !c.Args().Present():
		return wrong(errors.New("no id is named"), "fblwatch review lists them; - reads ids from standard input")
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
		return wrong(errors.New("--limit is below 0"), "")
	}
	reader, err := p.openReader(c)
	if err != nil {
		return err
	}
	defer reader.Close()
	out := bufio.NewWriterSize(p.stdout, 64<<10)
	list := sheet{columns: []column{
		{title: "ID"}, {title: "RECEIVED", rank: 2}, {title: "PROVIDER", least: 12, rank: 3}, {title: "WHO", want: 40, least: 18},
		{title: "CODE", want: 40, least: 16}, {title: "WHY", least: 60, rank: 4},
	}}
	print := func() error {
		if len(list.rows) > 0 {
			_ = list.write(out, terminalWidth(p.stdout), p.colours(p.stdout)) // an error stays in the writer
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
		r, err := readRecord(row)
		if err != nil {
			return err
		}
		who := recipient(&r)
		if who == "" {
			who = "nobody"
		}
		list.row(row.ID, shortTime(when(&r)), r.Provider, who, codesOf(some(r.Suppress)), strings.Join(some(r.Suppress).Reasons, "; "))
	}
	if err := print(); err != nil {
		return err
	}
	switch {
	case n == 0:
		fmt.Fprintln(p.stderr, "nothing waits for review")
		if query.Provider != "" || !since.IsZero() {
			return p.sayNothing(c.Context, reader, query)
		}
	case limit > 0 && n > limit:
		fmt.Fprintf(p.stderr, "there are more than these %d; --limit 0 lists all\n", limit)
	}
	return nil
}

// codesOf lists the codes of a verdict. The records of earlier versions have none.
func codesOf(s report.Suppress) string {
	codes := make([]string, len(s.Codes))
	for i, code := range s.Codes {
		codes[i] = string(code)
	}
	return strings.Join(codes, ",")
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
	revisions := make(map[string]*ledger.Revision) // by report
	var order []string
	decided := make(map[string]bool)
	var refused []error
	total := 0
	for _, id := range ids {
		found := false
		for row, err := range reader.Records(c.Context, ledger.Query{ID: id}) {
			if err != nil {
				return err
			}
			if found = true; decided[row.ID] {
				continue
			}
			decided[row.ID] = true
			r, err := readRecord(row)
			if err == nil {
				err = decideRecord(&r, accept, time.Now())
			}
			if err != nil {
				refused = append(refused, fmt.Errorf("%s: %w", row.ID, err))
				continue
			}
			report, _, _ := strings.Cut(row.ID, ".")
			if revisions[report] == nil {
				revisions[report] = &ledger.Revision{ReportID: report}
				order = append(order, report)
			}
			revisions[report].Records = append(revisions[report].Records, process.LedgerRecord(&r, r.AppendJSON(nil)))
			total++
		}
		if !found {
			refused = append(refused, fmt.Errorf("no record has the id %s", id))
		}
	}
	if len(refused) > 0 {
		return wrong(errors.Join(refused...), "nothing was decided; fblwatch review lists what there is to decide")
	}
	editor, err := p.openEditor(c)
	if err != nil {
		return err
	}
	defer editor.Close()
	for len(order) > 0 {
		n := min(len(order), reviseMessages)
		var some []ledger.Revision
		for _, report := range order[:n] {
			some = append(some, *revisions[report])
		}
		done, err := editor.Do(c.Context, ledger.Change{Revise: some})
		if err != nil {
			return err
		}
		if len(done.Stale) > 0 {
			return failed(fmt.Errorf("changed meanwhile, and not decided: %s", strings.Join(done.Stale, ", ")), "look at them again with fblwatch review")
		}
		order = order[n:]
	}
	what := "rejected"
	if accept {
		what = "accepted"
	}
	fmt.Fprintf(p.stderr, "%s %s\n", plural(total, "record"), what)
	return nil
}

// decideRecord makes a record its next revision, with the verdict that a person
// gave.
func decideRecord(r *report.Record, accept bool, now time.Time) error {
	s := some(r.Suppress)
	switch {
	case s.DecidedAt.IsZero() && s.Verdict == report.SuppressNo:
		return fmt.Errorf("the verdict is no (%s), which is not for review", strings.Join(s.Reasons, "; "))
	case accept && r.OriginalRcptTo+r.RcptHash+some(r.Identity).Subscriber == "":
		return errors.New("it names nobody to suppress")
	}
	verdict, code, reason := report.SuppressNo, report.CodeRejected, "rejected in review"
	if accept {
		verdict, code, reason = report.SuppressYes, report.CodeAccepted, "accepted in review"
	}
	if s.Verdict == verdict && !s.DecidedAt.IsZero() {
		return fmt.Errorf("it is %s already", reason)
	}
	r.Revision++
	r.Suppress = &report.Suppress{Verdict: verdict, Codes: []report.Code{code}, Reasons: []string{reason}, DecidedAt: now.UTC().Truncate(time.Second)}
	return nil
}

func readRecord(row ledger.Row) (r report.Record, err error) {
	if err := json.Unmarshal(row.JSON, &r); err != nil {
		return r, fmt.Errorf("record %s of the ledger is no record: %w", row.ID, err)
	}
	return r, nil
}

// openEditor opens the ledger of the flags for changes.
func (p *program) openEditor(c *cli.Context) (*ledger.Editor, error) {
	path, err := p.ledgerPath(c)
	if err != nil {
		return nil, err
	}
	return ledger.Edit(c.Context, path)
}

// timeFlag is the moment that an option names; zero without it.
func timeFlag(c *cli.Context, name string) (time.Time, error) {
	text := c.String(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := parseTime(text, time.Now())
	if err != nil {
		return t, wrong(fmt.Errorf("--%s: %w", name, err), "")
	}
	return t, nil
}
