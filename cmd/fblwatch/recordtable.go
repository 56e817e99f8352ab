package main

import (
	"cmp"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

// recordColumns are the columns of a table of records.
var recordColumns = []terminal.Column{
	{Title: "ID", Want: idWidth},
	{Title: "DATE", Want: 16, Rank: 2},
	{Title: "EVENT", Want: 12, Rank: 1},
	{Title: "VERDICT", Want: 7, Verdict: true},
	{Title: "PROVIDER", Want: 16, Least: 12, Rank: 3},
	{Title: "SUBSCRIBER", Want: 40, Least: 18},
	{Title: "SOURCE IP", Want: 15, Rank: 5},
	{Title: "SUBJECT", Want: 48, Least: 20, Rank: 4},
}

const idWidth = 34 // of a record's id with one digit after the dot

func recordCells(r *report.Record) []string {
	return []string{r.ID, terminal.ShortTime(when(r)), string(r.Event), string(cmp.Or(some(r.Suppress).Verdict, "-")), r.Provider, cmp.Or(recipient(r), "-"), r.SourceIP, some(r.Original).Subject}
}

// recordTable is a table of records on a stream of the program.
func (p *program) recordTable(stream any) *terminal.Table {
	return terminal.NewTable(recordColumns, terminal.Width(stream), p.colours(stream))
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

// recipient is the complainant that a record names; "" if none.
func recipient(r *report.Record) string {
	return cmp.Or(some(r.Identity).Subscriber, r.OriginalRcptTo, r.RcptHash)
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
