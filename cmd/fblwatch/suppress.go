package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

func (p *program) suppressCommand() *cli.Command {
	return &cli.Command{
		Name:  "suppress",
		Usage: "list whom to send no more mail, by the ledger's complaints",
		Description: "One line for each complainant, the newest first: a recipient, or a subscriber of\n" +
			"one tenant. A later \"not spam\" takes nobody off the list. Verdict yes is genuine\n" +
			"and about your mail, as trust in the config has it; review needs a person.\n\n" +
			"Example: fblwatch suppress --since 7d --format csv > suppress.csv",
		Flags: append(ledgerFlags(),
			&cli.StringFlag{Name: "format", Usage: "csv, json (one object a line) or table; csv where stdout is no terminal, or with --new, else table"},
			&cli.StringFlag{Name: "include", Usage: "`VERDICT` review: also those for whom no complaint has verdict yes"},
			&cli.StringFlag{Name: "since", Usage: "by complaints received from `TIME` on: 24h, 7d, 2026-01-31 or RFC 3339"},
			&cli.BoolFlag{Name: "new", Usage: "only by records that came, or were revised, since the last call with --new"},
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
		if isTerminal(p.stdout) && !c.Bool("new") { // a table may leave something out, and --new shows it once
			format = "table"
		}
	case "csv", "json", "table":
	default:
		return wrong(fmt.Errorf("unknown format %q", format), "formats are csv, json, table")
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
	verdicts := []string{string(report.SuppressYes)}
	if include != "" {
		verdicts = append(verdicts, include)
	}
	list := &suppressions{lines: make(map[complainant]*suppression), seen: make(map[int64]int64)}
	if c.Bool("new") {
		err = list.readNew(c.Context, reader, verdicts)
	} else {
		err = list.read(c.Context, reader, since, verdicts)
	}
	if err != nil {
		return err
	}
	if list.nobody > 0 {
		fmt.Fprintf(p.stderr, "left out: %s to review that name nobody\n", plural(list.nobody, "record"))
	}
	if err := p.printSuppressions(list.sorted(), format); err != nil {
		return err
	}
	silent := c.Bool("new") && len(list.seen) == 0 // nothing came: nothing is to be said each day
	if len(list.lines) == 0 && list.nobody == 0 && !silent {
		if err := p.sayNobody(c.Context, reader, since); err != nil {
			return err
		}
	}
	if len(list.seen) == 0 {
		return nil
	}
	// Only now: what could not be written comes again.
	editor, err := p.openEditor(c)
	if err != nil {
		return err
	}
	defer editor.Close()
	_, err = editor.Do(c.Context, list.acks())
	return err
}

// complainant is whom a record names. A subscriber's id means nothing without
// its tenant, and one address may be several subscribers: none of them is lost.
type complainant struct{ rcpt, hash, subscriber, tenant string }

// suppression is one complainant's line.
type suppression struct {
	Subscriber    string    `json:"subscriber,omitempty"`
	Rcpt          string    `json:"original_rcpt_to,omitempty"`
	RcptHash      string    `json:"rcpt_hash,omitempty"` // what the provider gives instead of an address
	Campaign      string    `json:"campaign,omitempty"`
	Tenant        string    `json:"tenant,omitempty"`
	Provider      string    `json:"provider"`
	Verdict       string    `json:"verdict"`
	FirstReported time.Time `json:"first_reported,omitzero"`
	LastReceived  time.Time `json:"last_received,omitzero"`
	Reports       int       `json:"reports"`
	ID            string    `json:"id"` // of the record received last

	reports map[string]bool // report_ids, from the second on
}

// suppressions holds one line a complainant, however many records there are.
type suppressions struct {
	lines  map[complainant]*suppression
	nobody int             // records that say review and name nobody
	seen   map[int64]int64 // of --new: up to which seq, by folder
}

// read reads the records that have one of the verdicts today.
func (s *suppressions) read(ctx context.Context, reader ledger.Reader, since time.Time, verdicts []string) error {
	for _, verdict := range verdicts {
		for row, err := range reader.Records(ctx, ledger.Query{Since: since, Verdict: verdict}) {
			if err == nil {
				err = s.add(row)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// newSuppressions is the cursor of --new, which moves as a sink's does.
const newSuppressions = "suppress --new"

// readNew reads what came since it did so last. What says yes goes first, as in
// read.
func (s *suppressions) readNew(ctx context.Context, reader ledger.Reader, verdicts []string) error {
	for _, verdict := range verdicts {
		for row, err := range reader.Unsent(ctx, newSuppressions) {
			if err == nil && row.Verdict == verdict && !row.Replaced {
				err = s.add(row)
			}
			if err != nil {
				return err
			}
			if verdict == verdicts[0] { // later rounds may see more
				s.seen[row.FolderID] = row.Seq
			}
		}
	}
	return nil
}

func (s *suppressions) acks() (c ledger.Change) {
	for folder, seq := range s.seen {
		c.Ack = append(c.Ack, ledger.Acked{Sink: newSuppressions, FolderID: folder, Seq: seq})
	}
	return c
}

// add counts a record for its complainant. What says yes comes first, and then
// nothing that says review changes the line: anybody could have sent it.
func (s *suppressions) add(row ledger.Row) error {
	r, err := readRecord(row)
	if err != nil {
		return err
	}
	identity := some(r.Identity)
	who := complainant{strings.ToLower(r.OriginalRcptTo), r.RcptHash, identity.Subscriber, identity.Tenant}
	if who.rcpt+who.hash+who.subscriber == "" {
		s.nobody++
		return nil
	}
	line := s.lines[who]
	if line == nil {
		line = &suppression{Verdict: row.Verdict}
		s.lines[who] = line
	}
	if line.Verdict != row.Verdict {
		return nil
	}
	reported := cmp.Or(r.ReportedAt, row.At)
	if line.FirstReported.IsZero() || reported.Before(line.FirstReported) {
		line.FirstReported = reported
	}
	line.count(row.ID)
	if !row.At.Before(line.LastReceived) {
		line.Subscriber, line.Tenant, line.Campaign = identity.Subscriber, identity.Tenant, identity.Campaign
		line.Rcpt, line.RcptHash = r.OriginalRcptTo, r.RcptHash
		line.Provider, line.LastReceived, line.ID = r.Provider, row.At, row.ID
	}
	return nil
}

// count counts distinct reports. Most complainants have one: it needs no map.
func (l *suppression) count(id string) {
	report, _, _ := strings.Cut(id, ".")
	if l.Reports == 0 {
		l.Reports = 1
		return
	}
	if l.reports == nil {
		first, _, _ := strings.Cut(l.ID, ".")
		l.reports = map[string]bool{first: true}
	}
	l.reports[report] = true
	l.Reports = len(l.reports)
}

// sorted returns the lines, the one received last first.
func (s *suppressions) sorted() []*suppression {
	return slices.SortedFunc(maps.Values(s.lines), func(a, b *suppression) int {
		return cmp.Or(b.LastReceived.Compare(a.LastReceived), strings.Compare(a.ID, b.ID))
	})
}

var suppressHead = []string{"subscriber", "original_rcpt_to", "rcpt_hash", "campaign", "tenant", "provider", "verdict", "first_reported", "last_received", "reports", "id"}

func (l *suppression) row() []string {
	row := []string{l.Subscriber, l.Rcpt, l.RcptHash, l.Campaign, l.Tenant, l.Provider, l.Verdict,
		longTime(l.FirstReported), longTime(l.LastReceived), strconv.Itoa(l.Reports), l.ID}
	for i := range row {
		row[i] = inert(printable(row[i]))
	}
	return row
}

// appendJSON writes the line so that no value of it can move a cursor or turn
// text round: what encoding/json leaves of such as it is stands in strings.
func (l *suppression) appendJSON(dst []byte) ([]byte, error) {
	text, err := json.Marshal(l)
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

func (p *program) printSuppressions(lines []*suppression, format string) error {
	if format == "table" {
		return p.tableSuppressions(lines)
	}
	out := bufio.NewWriterSize(p.stdout, 64<<10)
	if format == "json" {
		var text []byte
		for _, line := range lines {
			var err error
			if text, err = line.appendJSON(text[:0]); err != nil {
				return err
			}
			_, _ = out.Write(text) // an error stays in the writer
		}
		return out.Flush()
	}
	table := csv.NewWriter(out)
	_ = table.Write(suppressHead) // an error stays in the writer
	for _, line := range lines {
		_ = table.Write(line.row())
	}
	table.Flush()
	return errors.Join(table.Error(), out.Flush())
}

func (p *program) tableSuppressions(lines []*suppression) error {
	list := sheet{columns: []column{
		{title: "SUBSCRIBER", least: 24}, {title: "VERDICT", verdict: true}, {title: "REPORTS", rank: 2}, {title: "RECEIVED", rank: 1},
		{title: "PROVIDER", least: 12, rank: 3}, {title: "CAMPAIGN", least: 12, rank: 5}, {title: "TENANT", least: 12, rank: 6}, {title: "ID", rank: 4},
	}}
	for _, l := range lines {
		list.row(cmp.Or(l.Subscriber, l.Rcpt, l.RcptHash), l.Verdict, strconv.Itoa(l.Reports), shortTime(l.LastReceived), l.Provider, l.Campaign, l.Tenant, l.ID)
	}
	return list.write(p.stdout, terminalWidth(p.stdout), p.colours(p.stdout))
}
