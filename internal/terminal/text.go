package terminal

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Printable replaces each character that could move a terminal's cursor, change its
// colours or hide text: senders and servers write much of what is printed.
func Printable(s string) string {
	clean := func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}
	return strings.Map(clean, strings.ToValidUTF8(s, "\uFFFD"))
}

// Plural returns a number with its noun: "1 message", "2 messages".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Duration returns a length of time in its largest unit, such as "3 hours".
func Duration(d time.Duration) string {
	switch {
	case d < time.Minute:
		return Plural(max(0, int(d.Seconds())), "second")
	case d < time.Hour:
		return Plural(int(d.Minutes()), "minute")
	case d < 48*time.Hour:
		return Plural(int(d.Hours()), "hour")
	}
	return Plural(int(d.Hours()/24), "day")
}

// ShortTime returns a time in UTC, to the minute; "" for the zero time.
func ShortTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04")
}

// LongTime returns a time in UTC by RFC 3339; "" for the zero time.
func LongTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// wordIndent is the indent of a word that does not fit after the given one.
const wordIndent = 4

// Wrap returns head and text in lines of at most width columns; those after the first
// are indented. Wrap breaks at blanks and divides a word that is longer than a line.
// Width 0 means one line.
func Wrap(head, text string, indent, width int) string {
	if width <= 0 || Cells(head+text) <= width {
		return head + text + "\n"
	}
	if width-indent < 20 { // a narrow terminal has no room for an indent
		indent = min(2, width/2)
		if strings.TrimSpace(head) == "" {
			head = strings.Repeat(" ", indent)
		}
	}
	var out strings.Builder
	line, used, fresh := head, Cells(head), true
	flush := func() {
		out.WriteString(strings.TrimRight(line, " ") + "\n")
		line, used, fresh = strings.Repeat(" ", indent), indent, true
	}
	for word := range strings.SplitSeq(text, " ") {
		n, room := Cells(word), width-used
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
