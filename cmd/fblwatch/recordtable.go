package main

import (
	"strings"

	"github.com/fblwatch/fblwatch/internal/recordtable"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
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

// codesOf joins the codes of a record's verdict. Records of earlier versions have
// none.
func codesOf(r *report.Record, separator string) string {
	var codes []string
	for _, code := range some(r.Suppress).Codes {
		codes = append(codes, string(code))
	}
	return strings.Join(codes, separator)
}
