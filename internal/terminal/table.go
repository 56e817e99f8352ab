package terminal

import (
	"cmp"
	"io"
)

// Column is one column of a table. Widths are in columns of the terminal.
type Column struct {
	Title   string
	Want    int  // its width if there is room for all columns
	Least   int  // it is left out rather than narrower; 0 means Want
	Rank    int  // the highest is left out first; rank 0 stays and is cut
	Verdict bool // its values are coloured
}

// tableGap is between two columns.
const tableGap = 2

// Table formats rows of one width.
type Table struct {
	columns []Column
	widths  []int // 0: left out
	colour  Colours
}

// NewTable fits columns into a width; 0 means any.
func NewTable(columns []Column, width int, colour Colours) *Table {
	return &Table{columns, fit(columns, width), colour}
}

// fit decides on the widths of columns. If the room is too small, it leaves columns
// out by their rank, then cuts those of rank 0, the widest first. Room that is left
// goes to the lower ranks first.
func fit(columns []Column, width int) []int {
	widths := make([]int, len(columns))
	if width <= 0 {
		for i, c := range columns {
			widths[i] = c.Want
		}
		return widths
	}
	used := -tableGap
	for i, c := range columns {
		widths[i] = min(c.Want, cmp.Or(c.Least, c.Want))
		used += widths[i] + tableGap
	}
	for used > width {
		drop, widest := -1, 0
		for i, c := range columns {
			if widths[i] > 0 && c.Rank > 0 && (drop < 0 || c.Rank > columns[drop].Rank) {
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
			if c.Rank == rank && widths[i] > 0 {
				more := min(c.Want-widths[i], width-used)
				widths[i] += more
				used += more
			}
		}
	}
	return widths
}

// AppendHead appends the line of titles.
func (t *Table) AppendHead(dst []byte) []byte {
	return t.appendCells(dst, func(i int) string { return t.columns[i].Title }, false)
}

// AppendRow appends one line. It makes the cells printable.
func (t *Table) AppendRow(dst []byte, cells []string) []byte {
	return t.appendCells(dst, func(i int) string { return Printable(cells[i]) }, true)
}

func (t *Table) appendCells(dst []byte, cell func(int) string, coloured bool) []byte {
	blanks := 0 // owed: none at the end of a line
	for i, c := range t.columns {
		if t.widths[i] == 0 {
			continue
		}
		text := Cut(cell(i), t.widths[i])
		n := Cells(text)
		if n > 0 {
			for ; blanks > 0; blanks-- {
				dst = append(dst, ' ')
			}
		}
		blanks += t.widths[i] - n + tableGap
		if c.Verdict && coloured {
			text = t.colour.Verdict(text)
		}
		dst = append(dst, text...)
	}
	return append(dst, '\n')
}

// Sheet is a table that is written at its end: its columns are as wide as their
// longest cells. The Want of a column is its greatest width, 0 means any.
type Sheet struct {
	Columns []Column
	Rows    [][]string
}

// Row adds a row.
func (s *Sheet) Row(cells ...string) { s.Rows = append(s.Rows, cells) }

// Write writes the titles and all rows.
func (s *Sheet) Write(w io.Writer, width int, colour Colours) error {
	columns := make([]Column, len(s.Columns))
	for i, c := range s.Columns {
		longest := Cells(c.Title)
		for _, row := range s.Rows {
			longest = max(longest, Cells(Printable(row[i])))
		}
		if c.Want = min(longest, cmp.Or(c.Want, longest)); c.Least > c.Want {
			c.Least = c.Want
		}
		columns[i] = c
	}
	t := NewTable(columns, width, colour)
	text := t.AppendHead(nil)
	for _, row := range s.Rows {
		text = t.AppendRow(text, row)
	}
	_, err := w.Write(text)
	return err
}
