package report

import (
	"github.com/fblwatch/fblwatch/internal/message"
	"html"
	"net/netip"
	"strings"
)

// Most reports of abuse follow no format. One is known by three things: a
// program wrote it, it names a wrong, and it names what did the wrong. Persons
// write the same, but they are no reporters. Which wrong it was, and whose, is
// for a person to read: the words are never taken for values.

// maxSubject is how many octets of a subject count.
const maxSubject = 1000

// accuses reports whether a program says that somebody behind the reader's
// addresses did wrong. An answer to what the reader wrote does not, nor does
// what is said to everybody.
func (p *parser) accuses() bool {
	by := p.sender(p.letter())
	named := p.subject()
	named = named[:min(len(named), maxSubject)]
	whole := strings.TrimSpace(ownWords(named))
	tags, subject := untagged(whole)
	if by.answer || startsWith(subject, answers) || containsAny(whole, excuses) {
		return false
	}
	s := newStatement(registrable(p.r.Outer.FromDomain), registrable(message.DomainOf(by.ticket)))
	_, named = untagged(named)
	s.text(named)
	titled, sum, plainly := s.wrong >= 0 || wrongs.in(tags), containsAny(subject, sums), containsAny(subject, accusations)
	if !plainly && !s.isAccusation() && containsAny(subject, services) {
		return false
	}
	text := opening(p.letter())
	own := ownWords(text)
	if !titled && !plainly && !wrongs.in(own) || disclaimers.in(own) || settles(own) || isOwnFilter(p.letter(), own) {
		return false
	}
	if !sum && (by.program || by.ticket != "") && plainly || !sum && by.program && titled && (s.host || s.ours && !by.bulk) {
		return true
	}
	if by.bulk {
		return false // what stands in the text is said to everybody
	}
	p.budget.Spend(8 * len(text))
	s.text(text)
	if !by.program && !((by.ticket == "" && numbered(whole) || s.byProgram()) && !startsWith(subject, sentOn) && fieldsAt([]byte(text)) < 0) {
		return false // a person, who may quote what a program wrote
	}
	return s.isAccusation() || titled && s.thing >= 0 || (titled || s.wrong >= 0) && !sum && hasTable(p.letter())
}

// numbered reports whether a subject has a number of its own, as only programs
// give; those of networks, as in AS64500, are none.
func numbered(subject string) bool {
	digits := 0
	for i, c := range subject {
		if c < '0' || c > '9' {
			digits = 0
		} else if digits++; digits == 5 && !strings.HasSuffix(subject[:i-4], "as") {
			return true
		}
	}
	return false
}

// settles reports whether a text says that a matter is settled, and not only
// what is to be done then.
func settles(text string) bool {
	if !settled.in(text) {
		return false
	}
	for sentence := range strings.SplitSeq(strings.Join(strings.Fields(text), " "), ". ") {
		if settled.in(sentence) && !containsAny(sentence, conditions) {
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

// near is how many lines a wrong may stand behind the thing that did it; below
// there are only footers.
const near = 6

// statement is what the lines of a text, in lower case, say together.
type statement struct {
	own []string // domains of the message's author: they accuse nobody

	lines int
	wrong int  // the first line that names a wrong; -1: none
	thing int  // the last line that names an address or URL; -1: none
	close bool // a thing stands behind a wrong, or shortly before one
	link  bool // a URL was named in passing
	ours  bool // the text speaks of something of the reader's
	host  bool // a line names a domain
	rows  int  // lines that look like data
	row   bool // one of them holds an address or URL
	label bool // the last line that ends in a colon names a wrong or a thing
	auto  bool // it says itself that a program wrote it
	head  bool // within a header that was pasted
}

func newStatement(own ...string) *statement { return &statement{own: own, wrong: -1, thing: -1} }

// isAccusation reports whether a wrong and what did it stand together.
func (s *statement) isAccusation() bool { return s.close || s.wrong >= 0 && s.link && s.ours }

// byProgram reports whether the text is of a form that no person writes.
func (s *statement) byProgram() bool { return s.auto || s.row && s.rows >= 3 }

func (s *statement) text(text string) {
	own := ownWords(text)
	s.ours = s.ours || yours.in(own)
	s.auto = s.auto || automatic.in(own)
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, ">") { // what is quoted, somebody else said
			s.line(line)
		}
	}
}

func (s *statement) line(raw string) {
	line := strings.TrimSpace(raw)
	if line == "" {
		s.head = false
		return
	}
	s.lines++
	own := strings.TrimSpace(ownWords(line))
	named := wrongs.in(harmless.Replace(own))
	row := s.isRow(raw, line)
	thing, link := s.things(line)
	if link {
		before, _, _ := strings.Cut(line, "://")
		labelled := len(before) < 60 && strings.ContainsAny(before, ":=|") && containsAny(ownWords(before), labels)
		thing = thing || labelled || s.label && !strings.ContainsAny(line, " \t")
		s.link = true
	}
	host, labelled := s.domain(line)
	thing = thing || labelled
	s.host = s.host || thing || host || link
	if row {
		s.rows++
		s.row = s.row || thing
	}
	if strings.HasSuffix(line, ":") {
		s.label = named || containsAny(own, labels) // of what follows
	}
	if named && s.wrong < 0 {
		s.wrong = s.lines
		s.close = s.thing >= 0 && s.lines-s.thing <= near
	}
	if thing {
		s.thing = s.lines
		s.close = s.close || s.wrong >= 0
	}
}

// isRow knows a line of data: a label and its value, a row of a table, of CSV,
// or of XML; but for the header of a message and what ticket systems and
// registries put around a text.
func (s *statement) isRow(raw, line string) bool {
	if s.head && (raw[0] == ' ' || raw[0] == '\t') {
		return false
	}
	at := strings.IndexAny(line, ":=|")
	s.head = at > 0 && line[at] == ':' && (message.IsMessageField([]byte(line[:at])) || message.IsTraceField([]byte(line[:at])))
	switch {
	case s.head:
		return false
	case strings.Count(line, "|") >= 2, strings.HasPrefix(line, "<") && strings.HasSuffix(line, ">"):
		return true
	case strings.Count(line, ",")-strings.Count(line, ", ") >= 3, strings.Count(line, ";")-strings.Count(line, "; ") >= 3:
		return true
	case at <= 0 || at == len(line)-1 || len(strings.Fields(line[:at])) > 4 || strings.ContainsAny(line[:at], "0123456789,<"):
		return false
	}
	return !startsWith(line, envelopes)
}

// things reports whether a line names an address or a host that is written so
// that nobody clicks on it, and whether it has a URL of somebody else.
func (s *statement) things(line string) (thing, link bool) {
	if thing = strings.Contains(line, "[.]") || strings.Contains(line, "hxxp"); thing {
		return true, false
	}
	for word := range strings.FieldsFuncSeq(line, func(c rune) bool { return !isHex(c) && c != '.' && c != ':' }) {
		thing = thing || isThing(word)
	}
	for rest := line; !link; {
		_, after, found := strings.Cut(rest, "://")
		if !found {
			break
		}
		host := after
		if i := strings.IndexAny(after, "/:?#\"'<>)] \t"); i >= 0 {
			host = after[:i]
		}
		link = strings.Contains(host, ".") && !message.Within(host, s.own...)
		rest = after
	}
	return thing, link
}

// isThing knows an address that can be somebody's, with a port or without.
func isThing(word string) bool {
	if strings.Count(word, ".") >= 3 {
		for piece := range strings.SplitSeq(word, ":") {
			addr, err := netip.ParseAddr(strings.Trim(piece, "."))
			if err == nil && !addr.IsUnspecified() && !addr.IsLoopback() {
				return true
			}
		}
		return false
	}
	if strings.Count(word, ":") < 2 {
		return false
	}
	if strings.HasPrefix(word, ":") && !strings.HasPrefix(word, "::") {
		word = word[1:] // of a label
	}
	addr, err := netip.ParseAddr(strings.TrimRight(word, ".:"))
	return err == nil && !addr.IsUnspecified() && !addr.IsLoopback()
}

func isHex(c rune) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }

// domain reports whether a word of the line is a domain of somebody else, and
// whether the word before it says what it is.
func (s *statement) domain(line string) (named, labelled bool) {
	before := ""
	for word := range strings.FieldsFuncSeq(line, func(c rune) bool { return strings.ContainsRune(" \t()[]<>\"',;:|", c) }) {
		name, last, found := cutLast(strings.TrimRight(word, "."), ".")
		if found && len(name) > 1 && len(last) > 1 && strings.Trim(last, "abcdefghijklmnopqrstuvwxyz") == "" && !strings.ContainsAny(word, "@/") && !message.Within(word, s.own...) {
			named = true
			labelled = labelled || containsAny(ownWords(before), labels)
		}
		before = word
	}
	return named, labelled
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
