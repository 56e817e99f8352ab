package main

import (
	"fmt"
	"slices"
	"strings"
)

// heading has what a record's first line says.
var heading = []string{"schema", "id", "revision", "report_id", "event", "class", "provider", "feed", "dialect", "mailbox", "derived", "parse"}

// Where a value and its source are cut for a person, in columns.
const (
	longValue  = 160
	longReason = 500 // its end says what is to be done
	longSource = 60
	partGap    = 5 // blanks in a line of a part

	traceIndent = 14 // of what a field of the trace says, and why
)

// mostShown is how many records are shown to a person.
const mostShown = 100

// text is for a person. Lines are broken at width, 0: never.
func (e *explanation) text(width int) string {
	var out strings.Builder
	out.WriteString(broken("", fmt.Sprintf("%s, mail %d: %s, %d octets", printable(e.Mailbox.Folder), e.Mailbox.UID, e.Kind, e.Mailbox.Size), 2, width))
	out.WriteString(broken("report_id ", e.ReportID, 2, width) + "\nparts\n")
	label, name := 44, 1<<10
	if width > 0 {
		label = max(1, min(label, width-partGap-9))
		name = max(0, width-label-partGap-9)
	}
	for _, part := range e.Parts {
		text := cut(strings.Repeat("  ", part.Depth)+printable(part.Type), label)
		fmt.Fprintf(&out, "  %s%s %9d  %s\n", text, strings.Repeat(" ", label-cells(text)), part.Octets, cut(printable(strings.TrimSpace(part.Encoding+" "+part.Name)), name))
	}
	for _, rec := range e.Records[:min(len(e.Records), mostShown)] {
		out.WriteString("\n" + rec.text(width))
	}
	if more := len(e.Records) - mostShown; more > 0 {
		fmt.Fprintf(&out, "\nand %d records more: --format json shows all\n", more)
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
		out.WriteString(broken(fmt.Sprintf("  %-6s  %s: ", word, f.Name), f.Says, traceIndent, width))
		if f.Why != "" {
			out.WriteString(broken(strings.Repeat(" ", traceIndent), f.Why, traceIndent, width))
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
		out.WriteString(broken(fmt.Sprintf("  %-18s ", how), printable(problem.Text), 21, width))
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
		row.source = rec.Sources[printable(row.key)]
		if rule := value["identity.by."+rest+".rule"]; top == "identity" && rule != "" {
			row.source = printable(value["identity.by."+rest+".source"] + ", by " + rule)
		}
		most := longValue
		if row.key == "reporter.reason" || row.key == "suppress.reasons" {
			most = longReason
		}
		row.key, row.source, row.value = cut(printable(row.key), 40), cut(row.source, longSource), cut(printable(row.value), most)
		keyWidth = max(keyWidth, cells(row.key))
		rows = append(rows, row)
	}
	var out strings.Builder
	out.WriteString(broken("", printable(fmt.Sprintf("record %s: %s, class %s, provider %s, feed %s, dialect %s, read %s",
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
		out.WriteString(broken("  "+key+strings.Repeat(" ", keyWidth-cells(key)+2), text, keyWidth+4, width))
	}
	return out.String()
}

// wordIndent is of a word that is too long for a line's own indent.
const wordIndent = 4

// broken is head and text, in lines of width at most, the others indented. It breaks
// at a blank; a word that is longer than a line is divided. Width 0: one line.
func broken(head, text string, indent, width int) string {
	if width <= 0 || cells(head+text) <= width {
		return head + text + "\n"
	}
	if width-indent < 20 { // a narrow terminal has no room for an indent
		indent = min(2, width/2)
		if strings.TrimSpace(head) == "" {
			head = strings.Repeat(" ", indent)
		}
	}
	var out strings.Builder
	line, used, fresh := head, cells(head), true
	flush := func() {
		out.WriteString(strings.TrimRight(line, " ") + "\n")
		line, used, fresh = strings.Repeat(" ", indent), indent, true
	}
	for word := range strings.SplitSeq(text, " ") {
		n, room := cells(word), width-used
		if !fresh {
			room--
		}
		if n > room && n <= width-indent && (!fresh || used > indent) {
			flush()
		} else if n > width-indent && n <= width-wordIndent {
			flush()
			line, used = strings.Repeat(" ", wordIndent), wordIndent
		}
		if !fresh {
			line += " "
			used++
		}
		for _, r := range word {
			if used+runeCells(r) > width && used > indent {
				flush()
			}
			line += string(r)
			used += runeCells(r)
		}
		fresh = false
	}
	out.WriteString(strings.TrimRight(line, " ") + "\n")
	return out.String()
}
