package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

// swept counts what a sweep read.
type swept struct {
	start                    time.Time
	messages, known, records int
	verdicts                 map[string]map[string]int // records, by event
	left                     map[report.Kind]int       // messages that made no record
}

func (s *swept) add(done ledger.Committed) {
	if s.verdicts == nil {
		s.verdicts, s.left = make(map[string]map[string]int), make(map[report.Kind]int)
	}
	s.messages += done.Messages
	s.known += done.Duplicates
	s.records += len(done.Rows)
	for _, row := range done.Rows {
		if s.verdicts[row.Event] == nil {
			s.verdicts[row.Event] = make(map[string]int)
		}
		s.verdicts[row.Event][row.Verdict]++
	}
	for kind, n := range done.Kinds {
		if kind := report.Kind(kind); kind != report.KindReport && kind != report.KindUnparsed {
			s.left[kind] += int(n)
		}
	}
}

// leftAlone are the kinds for people.
var leftAlone = map[report.Kind]string{
	report.KindDSN: "bounce", report.KindMDN: "read receipt", report.KindDMARCAggregate: "DMARC report", report.KindTLSRPT: "TLS report",
	report.KindAutoReply: "auto-reply", report.KindUnsubscribe: "unsubscribe request", report.KindNotice: "notice", report.KindOther: "other message",
}

// print shows the sums, then a line for each event with its verdicts, one for what
// was left alone, and the time it took.
func (s *swept) print(w io.Writer, width int, colour terminal.Colours) {
	head := terminal.Plural(s.messages, "new mail") + ", " + terminal.Plural(s.records, "record")
	if s.known > 0 {
		head += "; known already: " + terminal.Plural(s.known, "mail")
	}
	fmt.Fprintln(w, head)
	line := func(name string, n int, parts []string) {
		text := terminal.Wrap(fmt.Sprintf("  %-12s %6d  ", name, n), strings.Join(parts, ", "), 23, width)
		for _, verdict := range verdicts { // behind a number, so no other word
			for _, end := range []string{",", "\n"} {
				text = strings.ReplaceAll(text, " "+verdict+end, " "+colour.Verdict(verdict)+end)
			}
		}
		fmt.Fprint(w, text)
	}
	for _, event := range events {
		var parts []string
		sum := 0
		for _, verdict := range append(verdicts, "") {
			n := s.verdicts[event][verdict]
			if sum += n; n > 0 && verdict != "" {
				parts = append(parts, fmt.Sprintf("%d %s", n, verdict))
			}
		}
		if sum > 0 {
			line(event, sum, parts)
		}
	}
	var parts []string
	sum := 0
	for _, kind := range report.Kinds {
		if n := s.left[kind]; n > 0 {
			sum += n
			parts = append(parts, terminal.Plural(n, leftAlone[kind]))
		}
	}
	if sum > 0 {
		line("left alone", sum, parts)
	}
	fmt.Fprintf(w, "  took %s\n", short(time.Since(s.start)))
}

// verdicts are all there are.
var verdicts = []string{string(report.SuppressYes), string(report.SuppressReview), string(report.SuppressNo)}

// short is a length of time with as many digits as matter.
func short(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}
