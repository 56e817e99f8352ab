// Package digest sums up records and alarms for people: the mail of a day, and what
// Slack shows. Its memory does not grow with the number of records.
package digest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

const (
	maxNames = 10000 // of one kind that are counted apart
	maxText  = 120   // octets of one value
	maxLines = 1000  // of one list
)

// Digest is a sum. The zero value is empty. It is not for concurrent use. Senders
// choose most of its texts, which have no control characters, and at most 120 octets.
type Digest struct {
	Lines int // of each list; 0: 20

	First, Last time.Time // of the records' receipt
	Records     int       // first readings of a record; the tables and lists are about them
	Revisions   int       // later readings of a record, and decisions about one

	Verdicts  Table // by event and verdict
	Providers Table // of complaints and opt-outs
	Campaigns Table // of complaints and opt-outs that have one
	Alarms    List
	Dead      List // dead letters
	Review    List // records that need a person's decision
}

// List is the first of some lines.
type List struct {
	Shown []Line
	Total int
}

// Line is one line of a List.
type Line struct{ ID, Text string }

func (l *List) add(most int, line Line) {
	if l.Total++; len(l.Shown) < most {
		l.Shown = append(l.Shown, line)
	}
}

// Table counts by name.
type Table struct {
	counts map[string]int
	others int // of names for which there was no room
}

// Count is a row of a Table.
type Count struct {
	Name string
	N    int
}

func (t *Table) add(name string) {
	if _, known := t.counts[name]; !known && len(t.counts) >= maxNames {
		t.others++
		return
	}
	if t.counts == nil {
		t.counts = make(map[string]int)
	}
	t.counts[name]++
}

// Top returns the n names that occur most often, and how often all others do.
func (t *Table) Top(n int) (top []Count, others int) {
	for name, count := range t.counts {
		top = append(top, Count{name, count})
	}
	slices.SortFunc(top, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Name, b.Name))
	})
	others = t.others
	if len(top) > n {
		for _, c := range top[n:] {
			others += c.N
		}
		top = top[:n]
	}
	return top, others
}

// Empty reports whether nothing happened.
func (d *Digest) Empty() bool {
	return d.Records+d.Revisions+d.Alarms.Total+d.Dead.Total == 0
}

func (d *Digest) lines() int { return min(cmp.Or(d.Lines, 20), maxLines) }

// Add adds an item.
func (d *Digest) Add(item *delivery.Item) {
	if item.Kind == delivery.KindAlarm {
		d.Alarms.add(d.lines(), Line{clean(item.ID), clean(string(item.JSON[:min(len(item.JSON), 4*maxText)]))})
		return
	}
	if at := item.At; !at.IsZero() {
		if d.First.IsZero() || at.Before(d.First) {
			d.First = at
		}
		if at.After(d.Last) {
			d.Last = at
		}
	}
	if item.Verdict == string(report.SuppressReview) && !item.Replaced {
		d.Review.add(d.lines(), Line{clean(item.ID), doubt(item)})
	}
	if item.Revision > 1 {
		d.Revisions++
		return
	}
	d.Records++
	d.Verdicts.add(clean(item.Event) + ", verdict " + clean(cmp.Or(item.Verdict, "none")))
	if event := report.Event(item.Event); event != report.Complaint && event != report.OptOut {
		return
	}
	d.Providers.add(clean(cmp.Or(item.Provider, "unknown")))
	if item.Campaign != "" {
		d.Campaigns.add(clean(item.Campaign))
	}
}

// doubt says what a record is about and why it needs a decision, without an address.
func doubt(item *delivery.Item) string {
	text := clean(item.Event) + " by " + clean(item.Provider)
	if item.Campaign != "" {
		text += ", campaign " + clean(item.Campaign)
	}
	record, err := item.Record()
	if err != nil || record.Suppress == nil || len(record.Suppress.Codes) == 0 {
		return text
	}
	codes := make([]string, 0, len(record.Suppress.Codes))
	for _, code := range record.Suppress.Codes {
		codes = append(codes, string(code))
	}
	return text + ": " + clean(strings.Join(codes, ", "))
}

// AddDead adds a dead letter.
func (d *Digest) AddDead(dead ledger.DeadLetter) {
	d.Dead.add(d.lines(), Line{clean(dead.ID), "not taken by " + clean(dead.Sink) + ": " + clean(beforeAddress(dead.Reason))})
}

// atSigns are the forms of "@" that receivers write when they repeat an address.
var atSigns = []string{"@", "%40", `\u0040`, "&#64;"}

// beforeAddress is a receiver's answer up to the word that holds an address, or up to the
// first quote or bracket, since a local part may have blanks in quotes.
func beforeAddress(reason string) string {
	at := -1
	for _, sign := range atSigns {
		if i := strings.Index(reason, sign); i >= 0 && (at < 0 || i < at) {
			at = i
		}
	}
	if at < 0 {
		return reason
	}
	start := strings.LastIndexAny(reason[:at], " \t\n") + 1
	if quote := strings.IndexAny(reason[:at], "\"'`<({["); quote >= 0 {
		start = min(start, quote)
	}
	return reason[:start] + "..."
}

// clean makes a value safe to show on a line. No program for mail makes a link of it.
func clean(s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "..."
	}
	return strings.ReplaceAll(terminal.Printable(s), "://", "[:]//")
}

// ReviewCommand is what a person runs to decide about the records of Review.
const ReviewCommand = "fblwatch review"

// Title says in a few words what happened. It has no text of a sender.
func (d *Digest) Title() string {
	var parts []string
	for _, part := range []struct {
		n    int
		noun string
	}{{d.Alarms.Total, "alarm"}, {d.Records, "record"}, {d.Dead.Total, "dead letter"}} {
		if part.n > 0 {
			parts = append(parts, terminal.Plural(part.n, part.noun))
		}
	}
	if d.Review.Total > 0 {
		parts = append(parts, terminal.Plural(d.Review.Total, "record")+" to review")
	}
	if len(parts) == 0 {
		return "fblwatch: nothing new"
	}
	return "fblwatch: " + strings.Join(parts, ", ")
}
