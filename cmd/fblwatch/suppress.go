package main

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/recordtable"
	"github.com/fblwatch/fblwatch/internal/suppress"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

func (p *program) suppressCommand() *cli.Command {
	return &cli.Command{
		Name:  "suppress",
		Usage: "list the people who must get no more messages, by the ledger's complaints",
		Description: "One line for each complainant, the newest first: a recipient, or a subscriber of\n" +
			"one tenant. A later \"not spam\" removes nobody from the list. Verdict yes means a\n" +
			"genuine report about one of your messages, by trust in the config; verdict review\n" +
			"needs a person.\n\n" +
			"The formats list and postfix have plain addresses only, one a line; stderr says how\n" +
			"many complainants they leave out. postfix is a table for check_recipient_access.\n\n" +
			"Example: fblwatch suppress --since 7d --format csv > suppress.csv\n" +
			"Example: fblwatch suppress --format postfix > complainants && postmap complainants",
		Flags: append(ledgerFlags(),
			&cli.StringFlag{Name: "format", Usage: "csv, json (one object a line), list (addresses), postfix (a table of them) or table; the default is table on a terminal without --new, else csv"},
			&cli.StringFlag{Name: "include", Usage: "`VERDICT` review: also the complainants without a complaint of verdict yes"},
			&cli.StringFlag{Name: "since", Usage: "only complaints received at or after `TIME`: 24h, 7d, 2026-01-31 or RFC 3339"},
			&cli.BoolFlag{Name: "new", Usage: "only records that are new or revised since the last call with --new"},
		),
		Action: p.suppress,
	}
}

func (p *program) suppress(c *cli.Context) error {
	if c.Args().Present() {
		return wrong(fmt.Errorf("suppress takes no argument such as %q", c.Args().First()), "fblwatch suppress --help lists the options")
	}
	format, include := c.String("format"), c.String("include")
	switch format {
	case "":
		format = "csv"
		if terminal.IsTerminal(p.stdout) && !c.Bool("new") { // a table may leave something out, and --new shows it once
			format = "table"
		}
	case "csv", "json", "list", "postfix", "table":
	default:
		return wrong(fmt.Errorf("unknown format %q", format), "formats are csv, json, list, postfix, table")
	}
	if include != "" && include != string(report.SuppressReview) {
		return wrong(fmt.Errorf("--include is %q", include), "only review can be included")
	}
	since, err := timeFlag(c, "since")
	if err != nil {
		return err
	}
	if c.Bool("new") && !since.IsZero() {
		return wrong(errors.New("--new and --since exclude each other"), "")
	}
	reader, err := p.openReader(c)
	if err != nil {
		return err
	}
	defer reader.Close()
	read := func() (*suppress.List, error) { return suppress.Read(c.Context, reader, since, include != "") }
	if c.Bool("new") {
		read = func() (*suppress.List, error) { return suppress.ReadNew(c.Context, reader, include != "") }
	}
	list, err := read()
	if err != nil {
		return err
	}
	if list.Nameless > 0 {
		fmt.Fprintf(p.stderr, "left out: %s with verdict review and without a complainant\n", terminal.Plural(list.Nameless, "record"))
	}
	if err := p.printSuppressions(list, format); err != nil {
		return err
	}
	quiet := c.Bool("new") && list.Read == 0 // a daily job says nothing if nothing came
	if len(list.Entries) == 0 && list.Nameless == 0 && !quiet {
		if err := p.sayNobody(c.Context, reader, since); err != nil {
			return err
		}
	}
	if list.Read == 0 {
		return nil
	}
	// Only now: an entry that could not be written comes again.
	editor, err := p.openEditor(c)
	if err != nil {
		return err
	}
	defer editor.Close()
	_, err = editor.Do(c.Context, list.Acks())
	return err
}

var suppressHead = []string{"subscriber", "original_rcpt_to", "rcpt_hash", "campaign", "tenant", "provider", "verdict", "first_reported", "last_received", "reports", "id"}

func suppressRow(e *suppress.Entry) []string {
	row := []string{e.Subscriber, e.Rcpt, e.RcptHash, e.Campaign, e.Tenant, e.Provider, string(e.Verdict),
		terminal.LongTime(e.FirstReported), terminal.LongTime(e.LastReceived), strconv.Itoa(e.Reports), e.ID}
	for i := range row {
		row[i] = recordtable.Inert(terminal.Printable(row[i]))
	}
	return row
}

// appendLine appends a value as a line of JSON. It escapes every character that
// could move a cursor or reverse text: encoding/json leaves some of them.
func appendLine(dst []byte, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	for _, r := range string(text) {
		if r < 0x7f || unicode.IsPrint(r) {
			dst = utf8.AppendRune(dst, r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			dst = fmt.Appendf(dst, "\\u%04x", unit)
		}
	}
	return append(dst, '\n'), err
}

func (p *program) printSuppressions(list *suppress.List, format string) error {
	entries := list.Entries
	switch format {
	case "table":
		return p.tableSuppressions(entries)
	case "list", "postfix":
		return p.printAddresses(list.Addresses(), format)
	}
	out := bufio.NewWriterSize(p.stdout, 64<<10)
	if format == "json" {
		var text []byte
		for _, e := range entries {
			var err error
			if text, err = appendLine(text[:0], e); err != nil {
				return err
			}
			_, _ = out.Write(text) // an error stays in the writer
		}
		return out.Flush()
	}
	table := csv.NewWriter(out)
	_ = table.Write(suppressHead) // an error stays in the writer
	for _, e := range entries {
		_ = table.Write(suppressRow(e))
	}
	table.Flush()
	return errors.Join(table.Error(), out.Flush())
}

// printAddresses prints what a mail server reads. What is left out must not be missed.
func (p *program) printAddresses(a suppress.Addresses, format string) error {
	for _, left := range []struct {
		n    int
		what string
	}{
		{a.Subscribers, "known by a subscriber's id only"},
		{a.Hashes, "known by a hash only"},
		{a.Odd, "with an address that is not plain (quotes, blanks, wildcards, letters beyond ASCII)"},
	} {
		if left.n > 0 {
			fmt.Fprintf(p.stderr, "left out: %s %s; --format json has them\n", terminal.Plural(left.n, "complainant"), left.what)
		}
	}
	var text []byte
	if format == "postfix" {
		text = suppress.AppendPostfix(nil, a.Plain)
	} else if len(a.Plain) > 0 {
		text = []byte(strings.Join(a.Plain, "\n") + "\n")
	}
	_, err := p.stdout.Write(text)
	return err
}

func (p *program) tableSuppressions(entries []*suppress.Entry) error {
	list := terminal.Sheet{Columns: []terminal.Column{
		{Title: "SUBSCRIBER", Least: 24}, {Title: "VERDICT", Verdict: true}, {Title: "REPORTS", Rank: 2}, {Title: "RECEIVED", Rank: 1},
		{Title: "PROVIDER", Least: 12, Rank: 3}, {Title: "CAMPAIGN", Least: 12, Rank: 5}, {Title: "TENANT", Least: 12, Rank: 6}, {Title: "ID", Rank: 4},
	}}
	for _, e := range entries {
		list.Row(cmp.Or(e.Subscriber, e.Rcpt, e.RcptHash), string(e.Verdict), strconv.Itoa(e.Reports), terminal.ShortTime(e.LastReceived), e.Provider, e.Campaign, e.Tenant, e.ID)
	}
	return list.Write(p.stdout, terminal.Width(p.stdout), p.colours(p.stdout))
}
