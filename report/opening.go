package report

import (
	"html"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// untagged parts a subject from the tags that programs and lists put before
// it, but for those of ticket systems, which have a number. It is cut to what
// counts of it.
func untagged(subject string) (tags, rest string) {
	for rest = subject[:min(len(subject), maxSubject)]; ; {
		closing := "]"
		if strings.HasPrefix(rest, "(") {
			closing = ")"
		} else if !strings.HasPrefix(rest, "[") {
			return tags, rest
		}
		tag, after, _ := strings.Cut(rest, closing)
		if after = strings.TrimSpace(after); after == "" {
			return tags, rest
		}
		if rest = after; !strings.Contains(tag, "#") {
			tags += tag + closing
		}
	}
}

// opening is what a message says first, in lower case: of what is always fetched,
// the first text that is not blank, if possible one that is no HTML.
func opening(m *message.Message) string {
	var other string
	for _, q := range m.Parts() {
		typ := message.MediaType(q.ContentType)
		if len(typ) > 0 && !message.HasPrefixFold(typ, "text") {
			continue
		}
		q.Body = q.Body[:min(len(q.Body), idBody)]
		text := strings.ToLower(string(q.Text()))
		if message.Is(typ, "text/html") {
			text = withoutTags(text)
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		if message.IsPlain(typ) {
			return text
		}
		if other == "" {
			other = text
		}
	}
	return other
}

// hasTable reports whether data are attached.
func hasTable(m *message.Message) bool {
	parts := m.Parts()
	for i := range parts {
		q := &parts[i]
		name := strings.ToLower(string(m.Name(i)))
		for _, suffix := range [...]string{".csv", ".csv.gz", ".xml", ".json", ".zip", ".log", ".xlsx"} {
			if strings.HasSuffix(name, suffix) {
				return true
			}
		}
		if message.Is(message.MediaType(q.ContentType), "text/csv") {
			return true
		}
	}
	return false
}

// withoutTags is the text of HTML in lower case: a row of a table is a line,
// its cells have a bar between them.
func withoutTags(text string) string {
	var b strings.Builder
	for text != "" {
		before, rest, _ := strings.Cut(text, "<")
		b.WriteString(before)
		tag, after, _ := strings.Cut(rest, ">")
		name, _, _ := strings.Cut(strings.TrimPrefix(tag, "/"), " ")
		switch strings.TrimSuffix(name, "/") {
		case "style", "script", "head", "title":
			if end := "</" + name; !strings.HasPrefix(tag, "/") {
				_, after, _ = strings.Cut(after, end)
				_, after, _ = strings.Cut(after, ">")
			}
		case "td", "th":
			b.WriteString(" | ")
		case "tr", "p", "div", "br", "li", "h1", "h2", "h3", "table", "ul", "pre":
			b.WriteByte('\n')
		}
		text = after
	}
	return html.UnescapeString(b.String())
}
