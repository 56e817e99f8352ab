package main

import (
	"cmp"
	"time"
	"unicode/utf8"

	"github.com/fblwatch/fblwatch/report"
)

// column is one column of a table; a longer value is cut, but for the last.
type column struct {
	title string
	width int
	value func(*report.Record) string
}

var columns = []column{
	{"DATE", 16, func(r *report.Record) string { return shortTime(when(r)) }},
	{"EVENT", 12, func(r *report.Record) string { return r.Event }},
	{"PROVIDER", 16, func(r *report.Record) string { return r.Provider }},
	{"SOURCE IP", 15, func(r *report.Record) string { return r.SourceIP }},
	{"RECIPIENT", 28, recipient},
	{"SUBJECT", 48, func(r *report.Record) string { return some(r.Original).Subject }},
}

func appendTableHead(dst []byte) []byte {
	return appendRow(dst, func(c column) string { return c.title })
}

func appendTableRow(dst []byte, r *report.Record) []byte {
	return appendRow(dst, func(c column) string { return printable(c.value(r)) })
}

func appendRow(dst []byte, cell func(column) string) []byte {
	start := len(dst)
	for i, c := range columns {
		if i > 0 {
			dst = append(dst, "  "...)
		}
		text := cut(cell(c), c.width)
		dst = append(dst, text...)
		for range c.width - utf8.RuneCountInString(text) {
			dst = append(dst, ' ')
		}
	}
	end := len(dst)
	for end > start && dst[end-1] == ' ' {
		end--
	}
	return append(dst[:end], '\n')
}

// cut shortens s to n runes, the last of them an ellipsis.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := []rune(s)
	return string(runes[:n-1]) + "…"
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
