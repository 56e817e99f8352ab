package privacy

import (
	"regexp"
	"strings"
)

// subjectField is a Subject with its continuation lines.
var subjectField = regexp.MustCompile(`(?mi)^(subject:)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*`)

// subjectJSON is what follows on "subject" in JSON, also in SES's notifications,
// which have a header as {"name": "Subject", "value": "..."}.
var subjectJSON = regexp.MustCompile(`(?i)^"\s*(?::|,\s*"value"\s*:)\s*("(?:\\.|[^"\\])*")`)

const subjectName = "subject"

// withoutSubjects leaves the fields named Subject of a header, and the members of
// JSON, empty.
func withoutSubjects(text string) string {
	var out strings.Builder
	done := 0
	for i := 0; i+len(subjectName) < len(text); i++ {
		if c := text[i]; c != 's' && c != 'S' || i < done || !strings.EqualFold(text[i:i+len(subjectName)], subjectName) {
			continue
		}
		end := i + len(subjectName)
		switch {
		case text[end] == ':' && (i == 0 || text[i-1] == '\n'):
			out.WriteString(text[done : end+1])
			done = end + 1 + fieldEnd(text[end+1:])
		case text[end] == '"' && i > 0 && text[i-1] == '"':
			if value := subjectJSON.FindStringSubmatchIndex(text[end:]); value != nil {
				out.WriteString(text[done : end+value[2]])
				out.WriteString(`""`)
				done = end + value[3]
			}
		}
	}
	if done == 0 {
		return text
	}
	return out.String() + text[done:]
}

// fieldEnd is the end of a field's value, with its continuation lines.
func fieldEnd(text string) int {
	for end := 0; ; {
		line := strings.IndexAny(text[end:], "\r\n")
		if line < 0 {
			return len(text)
		}
		end += line
		next := strings.TrimPrefix(text[end:], "\r")
		if len(next) < 2 || next[0] != '\n' || next[1] != ' ' && next[1] != '\t' {
			return end
		}
		end = len(text) - len(next) + 1
	}
}
