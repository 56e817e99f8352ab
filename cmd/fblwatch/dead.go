package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/recordtable"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

// deadLine is a dead letter as a line of JSON.
type deadLine struct {
	Sink   string          `json:"sink"`
	DeadAt time.Time       `json:"dead_at"`
	Tries  int             `json:"tries"`
	Reason string          `json:"reason"`
	Record json.RawMessage `json:"record"`
}

var deadHead = append([]string{"sink", "dead_at", "tries", "reason"}, recordtable.CSVHead...)

// besideReason is about how many columns of a terminal the other cells take at least.
const besideReason = 48

// dead prints the dead letters whose records query selects.
func (p *program) dead(c *cli.Context, reader ledger.Reader, query ledger.Query, format string) error {
	sink := c.String("sink")
	query.Replaced = true
	out := bufio.NewWriterSize(p.stdout, 64<<10)
	rows := csv.NewWriter(out)
	table := terminal.Sheet{Columns: []terminal.Column{
		{Title: "WHEN", Rank: 2}, {Title: "SINK", Least: 8}, {Title: "ID"}, {Title: "TRIES", Rank: 3}, {Title: "REASON", Least: 24},
	}}
	if format == "csv" {
		_ = rows.Write(deadHead) // an error stays in the writer
	}
	longest := 0 // reason
	end := func() error {
		width := terminal.Width(p.stdout)
		if rows.Flush(); len(table.Rows) > 0 {
			_ = table.Write(out, width, p.colours(p.stdout)) // likewise
		}
		err := errors.Join(rows.Error(), out.Flush())
		if width > 0 && longest > width-besideReason {
			fmt.Fprintln(p.stderr, "the reasons are cut: fblwatch records --dead --format json has the whole ones")
		}
		return err
	}
	n := 0
	for d, err := range reader.DeadLetters(c.Context, sink) {
		if err == nil && !query.Selects(&d.Row) {
			continue
		}
		if n++; err == nil {
			switch format {
			case "json":
				var line []byte
				line, err = appendLine(nil, deadLine{d.Sink, d.At, d.Tries, d.Reason, d.JSON})
				_, _ = out.Write(line)
			case "csv":
				record, readErr := process.ReadRecord(d.Row)
				err = readErr
				own := []string{d.Sink, terminal.LongTime(d.At), strconv.Itoa(d.Tries), recordtable.Inert(terminal.Printable(d.Reason))}
				_ = rows.Write(append(own, recordtable.CSVRow(&record)...))
			default:
				longest = max(longest, len(d.Reason))
				table.Row(terminal.ShortTime(d.At), d.Sink, d.ID, strconv.Itoa(d.Tries), d.Reason)
			}
		}
		if err != nil {
			return errors.Join(end(), err)
		}
		if n == query.Limit {
			break
		}
	}
	if err := end(); err != nil || n > 0 {
		return err
	}
	all, err := reader.DeadCounts(c.Context)
	total := int64(0)
	var known []string
	for _, s := range all {
		total += s.N
		known = append(known, s.Sink)
	}
	switch {
	case err != nil:
		return err
	case total == 0:
		fmt.Fprintln(p.stderr, "no sink has a dead letter")
	case sink != "":
		fmt.Fprintf(p.stderr, "the sink %s has no such dead letter; there are some of %s\n", sink, strings.Join(known, ", "))
	default:
		fmt.Fprintf(p.stderr, "none of %s matches\n", terminal.Plural(int(total), "dead letter"))
	}
	return nil
}
