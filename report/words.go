package report

import (
	"html"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/fblwatch/fblwatch/internal/message"
)

// ownWords is a text without the names in it: URLs, e-mail addresses, hosts, paths
// and file names become blanks. Their words are somebody else's: "signin" in an
// accused URL says nothing about the message. Line breaks stay.
func ownWords(text string) string {
	if !strings.ContainsAny(text, "./@\\") {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for len(text) > 0 {
		end := strings.IndexFunc(text, endsName)
		if end < 0 {
			end = len(text)
		}
		if word := text[:end]; isName(word) { // the brackets of a tag stay
			b.WriteString(word[:len(word)-len(strings.TrimLeft(word, "["))])
			b.WriteByte(' ')
			b.WriteString(word[len(strings.TrimRight(word, "]")):])
		} else {
			b.WriteString(word)
		}
		if end < len(text) {
			b.WriteByte(text[end])
			end++
		}
		text = text[end:]
	}
	return b.String()
}

// endsName knows the characters, all of one octet, that stand around names.
func endsName(c rune) bool { return strings.ContainsRune(" \t\r\n<>\"'()|;,{}`", c) }

// isName knows a URL, an e-mail address, a host, a path or the name of a file,
// also one written so that nobody clicks on it ("hxxp", "[.]").
func isName(word string) bool {
	if !strings.ContainsAny(word, "./@\\") {
		return false
	}
	word = undefanged.Replace(word)
	if strings.Contains(word, "://") || strings.HasPrefix(strings.ToLower(word), "www.") {
		return true
	}
	if before, after, found := strings.Cut(word, "@"); found {
		return strings.Trim(before, "[]:=*") != "" && strings.Trim(after, "[]:=*") != ""
	}
	word = strings.Trim(word, ".:!?[]*=_-")
	if _, value, labelled := strings.Cut(word, "="); labelled {
		word = value // as in src=host
	} else if label, value, labelled := strings.Cut(word, ":"); labelled && !strings.Contains(label, ".") {
		word = value // as in host:www.example.com
	}
	if len(word) > 1 && (word[0] == '/' || strings.Contains(word, `:\`) || strings.HasPrefix(word, `\`)) {
		return true
	}
	host, _, isPath := strings.Cut(strings.ReplaceAll(word, `\`, "/"), "/")
	if isPath && strings.Contains(host, ".") {
		return true
	}
	if !isPath {
		host, _, _ = strings.Cut(host, ":") // a port
	}
	if last := word[strings.LastIndexAny(word, `/\`)+1:]; isPath {
		return isFileName(last) // logs/access.log
	}
	return isFileName(host) || isHostName(host)
}

var undefanged = strings.NewReplacer("[.]", ".", "[.", ".", ".]", ".", "[:]", ":", "[@]", "@", "[at]", "@")

// isHostName knows a host by its last label; "spam.please" is the end of one
// sentence and the start of another.
func isHostName(word string) bool {
	name, last, found := cutLast(strings.ToLower(word), ".")
	if !found || name == "" || !message.IsHost(word) {
		return false
	}
	if strings.Trim(last, "0123456789") == "" {
		return strings.Count(word, ".") == 3 // an address, no number of a version
	}
	if len(last) < 2 {
		return false
	}
	switch last {
	case "example", "test", "invalid", "local", "localdomain", "lan", "internal", "onion", "arpa":
		return true
	}
	_, known := publicsuffix.PublicSuffix(last)
	return known || strings.HasPrefix(last, "xn--")
}

// isFileName knows a file by its suffix.
func isFileName(word string) bool {
	name, suffix, found := cutLast(strings.ToLower(word), ".")
	if !found || name == "" || strings.ContainsAny(name, "[]") {
		return false
	}
	switch suffix {
	case "php", "html", "htm", "asp", "aspx", "jsp", "cgi", "js", "css", "exe", "dll", "scr", "bat", "cmd", "ps1", "vbs", "jar", "apk", "iso", "img", "msi", "bin", "so", "py", "pl", "sh",
		"zip", "rar", "7z", "gz", "tar", "tgz", "bz2", "xz", "pdf", "doc", "docx", "docm", "xls", "xlsx", "xlsm", "ppt", "pptx", "rtf", "odt", "txt", "log", "csv", "xml", "json", "yaml", "yml",
		"eml", "msg", "mbox", "jpg", "jpeg", "png", "gif", "svg", "ico", "mp3", "mp4", "avi", "mkv", "torrent", "conf", "ini", "cfg", "sql", "bak", "lnk", "mht", "one":
		return true
	}
	return false
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func containsAny(text string, words []string) bool {
	for _, word := range words {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

func startsWith(subject string, starts []string) bool {
	for _, start := range starts {
		if strings.HasPrefix(subject, start) {
			return true
		}
	}
	return false
}

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
