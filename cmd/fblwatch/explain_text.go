package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

// heading lists the keys that are in a record's first line.
var heading = []string{"schema", "id", "revision", "report_id", "event", "class", "provider", "feed", "dialect", "mailbox", "derived", "parse"}

// Where a value and its source are cut for a person, in columns.
const (
	longValue  = 160
	longReason = 500 // its end says what to do
	longSource = 60
	partGap    = 6 // blanks in a line of a part
	useWidth   = 20

	traceIndent = 14 // of a field of the trace
)

// mostShown is how many records are shown to a person.
const mostShown = 100

// text is for a person. Lines are broken at width, 0: never.
func (e *explanation) text(width int) string {
	var out strings.Builder
	out.WriteString(terminal.Wrap("", fmt.Sprintf("%s, message %d: %s, %d octets", terminal.Printable(e.Mailbox.Folder), e.Mailbox.UID, e.Kind, e.Mailbox.Size), 2, width))
	out.WriteString(terminal.Wrap("report_id ", e.ReportID, 2, width) + "\nparts\n")
	label, name := 44, 1<<10
	if width > 0 {
		label = max(1, min(label, width-partGap-9-useWidth))
		name = max(0, width-label-partGap-9-useWidth)
	}
	for _, part := range e.Parts {
		text := terminal.Cut(strings.Repeat("  ", part.Depth)+terminal.Printable(part.Type), label)
		fmt.Fprintf(&out, "  %s%s %9d  %-*s %s\n", text, strings.Repeat(" ", label-terminal.Cells(text)), part.Octets, useWidth, part.use(), terminal.Cut(terminal.Printable(strings.TrimSpace(part.Encoding+" "+part.Name)), name))
	}
	for _, rec := range e.Records[:min(len(e.Records), mostShown)] {
		out.WriteString("\n" + rec.text(width))
	}
	if more := len(e.Records) - mostShown; more > 0 {
		fmt.Fprintf(&out, "\nand %d more records: --format json shows all\n", more)
	}
	if len(e.Records) == 0 {
		out.WriteString("\nno record\n")
	}
	if len(e.Trace) > 0 {
		out.WriteString("\ntrust\n")
	}
	for _, f := range e.Trace {
		word := ""
		if f.Counted {
			word = "counts"
		}
		out.WriteString(terminal.Wrap(fmt.Sprintf("  %-6s  %s: ", word, f.Name), f.Says, traceIndent, width))
		if f.Why != "" {
			out.WriteString(terminal.Wrap(strings.Repeat(" ", traceIndent), f.Why, traceIndent, width))
		}
	}
	if len(e.Problems) > 0 {
		out.WriteString("\nproblems\n")
	}
	for _, problem := range e.Problems {
		how := "read all the same"
		if problem.Loss {
			how = "lost"
		}
		out.WriteString(terminal.Wrap(fmt.Sprintf("  %-18s ", how), terminal.Printable(problem.Text), 21, width))
	}
	lines := strings.Split(out.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// text gives each value with, in parentheses, where it is from.
func (rec *explainedRecord) text(width int) string {
	all, value := rowsOf(rec.Record), map[string]string{}
	for _, row := range all {
		value[row.key] = row.value
	}
	keyWidth := 0
	var rows []valueRow
	for _, row := range all {
		top, rest, _ := strings.Cut(row.key, ".")
		if slices.Contains(heading, top) || top == "identity" && strings.HasPrefix(rest, "by.") {
			continue
		}
		row.source = rec.Sources[terminal.Printable(row.key)]
		if rule := value["identity.by."+rest+".rule"]; top == "identity" && rule != "" {
			row.source = terminal.Printable(value["identity.by."+rest+".source"] + ", by " + rule)
		}
		most := longValue
		if row.key == "reporter.reason" || row.key == "suppress.reasons" {
			most = longReason
		}
		row.key, row.source, row.value = terminal.Cut(terminal.Printable(row.key), 40), terminal.Cut(row.source, longSource), terminal.Cut(terminal.Printable(row.value), most)
		keyWidth = max(keyWidth, terminal.Cells(row.key))
		rows = append(rows, row)
	}
	var out strings.Builder
	out.WriteString(terminal.Wrap("", terminal.Printable(fmt.Sprintf("record %s: %s, class %s, provider %s, feed %s, dialect %s, read %s",
		value["id"], value["event"], value["class"], value["provider"], value["feed"], value["dialect"], value["parse.status"])), 2, width))
	last := ""
	for _, row := range rows {
		key, text := row.key, row.value
		if key == last { // one more of a list
			key = ""
		} else if row.source != "" {
			text += "  (" + row.source + ")"
		}
		last = row.key
		out.WriteString(terminal.Wrap("  "+key+strings.Repeat(" ", keyWidth-terminal.Cells(key)+2), text, keyWidth+4, width))
	}
	return out.String()
}

// use says what the reader did with the part.
func (part messagePart) use() string {
	why, known := map[report.Why]string{
		report.WhyEmpty: "empty", report.WhySecond: "not first", report.WhyOther: "no report", report.WhyAfter: "not needed",
	}[part.Why]
	if !known {
		return string(part.Use)
	}
	return string(part.Use) + ": " + why
}
