package main

import (
	"github.com/fblwatch/fblwatch/internal/recordtable"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

// recordTable is a table of records on a stream of the program.
func (p *program) recordTable(stream any) *terminal.Table {
	return terminal.NewTable(recordtable.Columns, terminal.Width(stream), p.colours(stream))
}

const longExample = 60 // columns of a value that is shown as an example

// some is *p, or a zero value if p is nil.
func some[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}
