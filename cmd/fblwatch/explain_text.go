package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// heading has what a record's first line says.
var heading = []string{"schema", "id", "revision", "report_id", "event", "class", "provider", "feed", "dialect", "mailbox", "derived", "parse"}

// Where a value and its source are cut for a person, in runes.
const (
	longValue  = 160
	longSource = 60
)

// text is for a person. Lines are broken at width, 0: never.
func (e *explanation) text(width int) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s, mail %d: %s, %d octets\nreport_id %s\n\nparts\n", printable(e.Mailbox.Folder), e.Mailbox.UID, e.Kind, e.Mailbox.Size, e.ReportID)
	for _, part := range e.Parts {
		label := strings.Repeat("  ", part.Depth) + part.Type
		fmt.Fprintf(&out, "  %-44s %9d  %s\n", cut(label, 44), part.Octets, strings.TrimSpace(part.Encoding+" "+part.Name))
	}
	for _, rec := range e.Records {
		out.WriteString("\n" + rec.text(width))
	}
	if len(e.Records) == 0 {
		out.WriteString("\nno record\n")
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
	value := map[string]string{}
	for _, row := range rec.rows {
		value[row.key] = row.value
	}
	keyWidth := 0
	var rows []valueRow
	for _, row := range rec.rows {
		top, rest, _ := strings.Cut(row.key, ".")
		if slices.Contains(heading, top) || top == "identity" && strings.HasPrefix(rest, "by.") {
			continue
		}
		if rule := value["identity.by."+rest+".rule"]; top == "identity" && rule != "" {
			row.source = value["identity.by."+rest+".source"] + ", by " + rule
		}
		row.key, row.source, row.value = cut(printable(row.key), 40), cut(printable(row.source), longSource), cut(printable(row.value), longValue)
		keyWidth = max(keyWidth, utf8.RuneCountInString(row.key))
		rows = append(rows, row)
	}
	out := broken("", printable(fmt.Sprintf("record %s: %s, class %s, provider %s, feed %s, dialect %s, read %s",
		value["id"], value["event"], value["class"], value["provider"], value["feed"], value["dialect"], value["parse.status"])), 2, width)
	last := ""
	for _, row := range rows {
		key, text := row.key, row.value
		if key == last { // one more of a list
			key = ""
		} else if row.source != "" {
			text += "  (" + row.source + ")"
		}
		last = row.key
		out += broken(fmt.Sprintf("  %-*s  ", keyWidth, key), text, keyWidth+4, width)
	}
	return out
}

// broken is head and text, in lines of width at most where that leaves room, the
// others indented.
func broken(head, text string, indent, width int) string {
	room := width - indent
	if room < 20 || utf8.RuneCountInString(head+text) <= width {
		return head + text + "\n"
	}
	var out strings.Builder
	rest := []rune(text)
	first := width - utf8.RuneCountInString(head)
	for line, room := head, first; len(rest) > 0; line, room = strings.Repeat(" ", indent), width-indent {
		n := min(room, len(rest))
		if n < len(rest) {
			for at := n; at > 0; at-- { // better at a blank
				if rest[at] == ' ' {
					n = at
					break
				}
			}
		}
		out.WriteString(line + strings.TrimRight(string(rest[:n]), " ") + "\n")
		rest = []rune(strings.TrimLeft(string(rest[n:]), " "))
	}
	return out.String()
}
