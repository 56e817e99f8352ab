package main

import (
	"cmp"
	"io"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// column is one column of a table. Widths are in columns of the terminal.
type column struct {
	title   string
	want    int  // its width where there is room for all
	least   int  // it is left out rather than narrower; 0: want
	rank    int  // the highest is left out first; 0 stays, and is cut
	verdict bool // its values are coloured
}

// tableGap is between two columns.
const tableGap = 2

// table writes rows of one width.
type table struct {
	columns []column
	widths  []int // 0: left out
	colour  colours
}

// newTable fits columns into a width; 0: any.
func newTable(columns []column, width int, colour colours) *table {
	return &table{columns, fit(columns, width), colour}
}

// fit decides on the widths of columns. Where the room is too small, columns are
// left out by their rank; then what has rank 0 is cut, the widest first. What is
// left over goes to the lower ranks first.
func fit(columns []column, width int) []int {
	widths := make([]int, len(columns))
	if width <= 0 {
		for i, c := range columns {
			widths[i] = c.want
		}
		return widths
	}
	used := -tableGap
	for i, c := range columns {
		widths[i] = min(c.want, cmp.Or(c.least, c.want))
		used += widths[i] + tableGap
	}
	for used > width {
		drop, widest := -1, 0
		for i, c := range columns {
			if widths[i] > 0 && c.rank > 0 && (drop < 0 || c.rank > columns[drop].rank) {
				drop = i
			}
			if widths[i] > widths[widest] {
				widest = i
			}
		}
		switch {
		case drop >= 0:
			used -= widths[drop] + tableGap
			widths[drop] = 0
		case widths[widest] > 1:
			used--
			widths[widest]--
		default:
			return widths // no terminal is that narrow
		}
	}
	for rank := 0; used < width && rank <= len(columns); rank++ {
		for i, c := range columns {
			if c.rank == rank && widths[i] > 0 {
				more := min(c.want-widths[i], width-used)
				widths[i] += more
				used += more
			}
		}
	}
	return widths
}

func (t *table) appendHead(dst []byte) []byte {
	return t.appendCells(dst, func(i int) string { return t.columns[i].title }, false)
}

// appendRow appends one line; others wrote much of what the cells hold.
func (t *table) appendRow(dst []byte, cells []string) []byte {
	return t.appendCells(dst, func(i int) string { return printable(cells[i]) }, true)
}

func (t *table) appendCells(dst []byte, cell func(int) string, coloured bool) []byte {
	blanks := 0 // owed: none at the end of a line
	for i, c := range t.columns {
		if t.widths[i] == 0 {
			continue
		}
		text := cut(cell(i), t.widths[i])
		n := cells(text)
		if n > 0 {
			for ; blanks > 0; blanks-- {
				dst = append(dst, ' ')
			}
		}
		blanks += t.widths[i] - n + tableGap
		if c.verdict && coloured {
			text = t.colour.verdict(text)
		}
		dst = append(dst, text...)
	}
	return append(dst, '\n')
}

// sheet is a table that is written at its end: its columns are as wide as their
// longest cells. The want of a column is the most, 0: any.
type sheet struct {
	columns []column
	rows    [][]string
}

func (s *sheet) row(cells ...string) { s.rows = append(s.rows, cells) }

func (s *sheet) write(w io.Writer, width int, colour colours) error {
	columns := make([]column, len(s.columns))
	for i, c := range s.columns {
		longest := cells(c.title)
		for _, row := range s.rows {
			longest = max(longest, cells(printable(row[i])))
		}
		if c.want = min(longest, cmp.Or(c.want, longest)); c.least > c.want {
			c.least = c.want
		}
		columns[i] = c
	}
	t := newTable(columns, width, colour)
	text := t.appendHead(nil)
	for _, row := range s.rows {
		text = t.appendRow(text, row)
	}
	_, err := w.Write(text)
	return err
}

// recordColumns are those of a record. See recordCells.
var recordColumns = []column{
	{title: "ID", want: idWidth},
	{title: "DATE", want: 16, rank: 2},
	{title: "EVENT", want: 12, rank: 1},
	{title: "VERDICT", want: 7, verdict: true},
	{title: "PROVIDER", want: 16, least: 12, rank: 3},
	{title: "SUBSCRIBER", want: 40, least: 18},
	{title: "SOURCE IP", want: 15, rank: 5},
	{title: "SUBJECT", want: 48, least: 20, rank: 4},
}

const idWidth = 34 // of a record's id with one digit behind the dot

func recordCells(r *report.Record) []string {
	return []string{r.ID, shortTime(when(r)), string(r.Event), string(cmp.Or(some(r.Suppress).Verdict, "-")), r.Provider, cmp.Or(recipient(r), "-"), r.SourceIP, some(r.Original).Subject}
}

// recordTable is a table of records on a stream of the program.
func (p *program) recordTable(stream any) *table {
	return newTable(recordColumns, terminalWidth(stream), p.colours(stream))
}

// when is the best known time of a complaint.
func when(r *report.Record) time.Time {
	for _, t := range []time.Time{r.ReceivedAt, r.ReportedAt, r.ArrivalDate} {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

func shortTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04")
}

// recipient is who complained, as far as the record knows.
func recipient(r *report.Record) string {
	return cmp.Or(some(r.Identity).Subscriber, r.OriginalRcptTo, r.RcptHash)
}

// some is *p, or a zero value where there is none.
func some[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}
