// Package recordtable has the columns of a table of records on a terminal.
package recordtable

import (
	"cmp"
	"time"

	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

// Columns of the table.
var Columns = []terminal.Column{
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

// Cells are a record's values, one for each of Columns.
func Cells(r *report.Record) []string {
	verdict, subject := report.Verdict("-"), ""
	if r.Suppress != nil {
		verdict = cmp.Or(r.Suppress.Verdict, verdict)
	}
	if r.Original != nil {
		subject = r.Original.Subject
	}
	return []string{r.ID, terminal.ShortTime(When(r)), string(r.Event), string(verdict), r.Provider, cmp.Or(Recipient(r), "-"), r.SourceIP, subject}
}

// When is the best known time of a complaint.
func When(r *report.Record) time.Time {
	for _, t := range []time.Time{r.ReceivedAt, r.ReportedAt, r.ArrivalDate} {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// Recipient is the complainant that a record names; "" if none.
func Recipient(r *report.Record) string {
	subscriber := ""
	if r.Identity != nil {
		subscriber = r.Identity.Subscriber
	}
	return cmp.Or(subscriber, r.OriginalRcptTo, r.RcptHash)
}
