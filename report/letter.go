package report

import (
	"bytes"
	"net/url"
	"strings"
)

// letter is a message as the readers see it, or a message within one.
type letter struct {
	outer   *letter  // the message that holds it; nil: it is the message itself
	at      int      // in which of its parts
	message part     // all of it
	header  []byte   // its whole fields
	top     part     // its body, as a part
	ended   bool     // its header is all there
	leaves  []part   // see parts
	names   [][]byte // of the leaves
	walked  bool
	inner   *letter // see within
	opened  bool
	title   *string // see subject
}

// parts are the parts that are no multipart, in order.
func (m *letter) parts() []part {
	if !m.walked {
		var w partWalk
		w.part(m.top, 0, func(p part) { m.leaves = append(m.leaves, p) }, nil)
		m.walked = true
	}
	return m.leaves
}

// newLetter splits a message; body is its body, nil: what follows its header.
func newLetter(outer *letter, message part, body []byte) *letter {
	m := &letter{outer: outer, message: message}
	b, from := message.body[:min(len(message.body), maxHeader)], false
	for rest := b; ; {
		f, next, kind := readField(rest)
		if kind == fieldLine && f.ended {
			switch {
			case is(f.name, "content-type") && m.top.contentType == nil:
				m.top.contentType = f.value
			case is(f.name, "content-transfer-encoding") && m.top.encoding == nil:
				m.top.encoding = f.value
			case is(f.name, "content-disposition") && m.top.disposition == nil:
				m.top.disposition = f.value
			}
			from = from || is(f.name, "from")
		}
		ends := kind == blankLine && (from && m.top.contentType != nil || !goesOn(next)) || kind == otherLine && bytes.HasPrefix(f.value, []byte("--"))
		if ends || kind == endOfData || !f.ended {
			m.header = b[:len(b)-len(rest)]
			if m.ended = ends; body == nil && ends {
				body = message.body[len(b)-len(next):]
			}
			break
		}
		rest = next
	}
	message.budget.spend(len(m.header))
	m.top.body, m.top.closed, m.top.found, m.top.budget = body, message.closed, true, message.budget
	return m
}

// field is the first field of the name, in lower case, unfolded; "" is none.
func (m *letter) field(name string) string {
	f, _ := m.find(name)
	return unfold(f.value)
}

// subject is the subject, decoded.
func (m *letter) subject() string {
	if m.title == nil {
		title := strings.TrimSpace(decodeWords(m.field("subject")))
		m.title = &title
	}
	return *m.title
}

// find gives the field too, and the header from it on.
func (m *letter) find(name string) (f field, from []byte) {
	for rest := m.header; len(rest) > 0; {
		f, next, kind := readField(rest)
		if kind == fieldLine && is(f.name, name) {
			m.message.budget.spend(len(m.header) - len(next))
			return f, rest
		}
		rest = next
	}
	m.message.budget.spend(len(m.header))
	return field{}, nil
}

// from is the message from the first field of that name on.
func (m *letter) from(name string) *letter {
	later := *m
	later.title = nil
	if _, rest := m.find(name); rest != nil {
		later.message.body = m.message.body[len(m.header)-len(rest):]
	}
	return &later
}

// text is the first leaf that is text, decoded; start is what detect may see of
// it.
func (m *letter) text() (text []byte, closed bool) {
	parts := m.parts()
	for i := range parts {
		if q := &parts[i]; isPlain(mediaType(q.contentType)) {
			return q.text(), q.closed
		}
	}
	return nil, false
}

func (m *letter) start() []byte {
	for _, q := range m.parts() {
		if isPlain(mediaType(q.contentType)) {
			q.body = q.body[:min(len(q.body), maxStart)]
			return q.text()
		}
	}
	return nil
}

// isPlain knows the types of a text that is for no other program than its
// reader: plain text, and JSON by any name ("application/xarf+json").
func isPlain(typ []byte) bool {
	return len(typ) == 0 || is(typ, "text/plain") || is(typ, "text") || len(typ) > 5 && is(typ[len(typ)-5:], "/json") || len(typ) > 5 && is(typ[len(typ)-5:], "+json")
}

// text is the part's body, decoded and in UTF-8.
func (p *part) text() []byte {
	b := p.decoded()
	p.budget.spend(len(b) + len(p.contentType))
	return toUTF8(b, p.contentType)
}

// name is the file name of a part.
func (p *part) name() []byte {
	p.budget.spend(len(p.disposition) + len(p.contentType))
	if name := fileName(p.disposition, "filename"); name != nil {
		return name
	}
	return fileName(p.contentType, "name")
}

// name is the file name of part i.
func (m *letter) name(i int) []byte {
	if m.names == nil {
		m.names = make([][]byte, len(m.leaves))
		for i := range m.leaves {
			m.names[i] = m.leaves[i].name()
		}
	}
	return m.names[i]
}

// fileName is a parameter that may be continued or in percents (RFC 2231
// sections 3 and 4); what charset it says it is in does not matter.
func fileName(v []byte, name string) []byte {
	if len(v) == 0 {
		return nil
	}
	if whole := param(v, name); whole != nil || bytes.IndexByte(v, '*') < 0 {
		return whole
	}
	var whole []byte                         // in percents
	var plain, percents [maxContinued][]byte // pieces
	first := func(piece *[]byte, value []byte) {
		if *piece == nil {
			*piece = value
		}
	}
	for p := parametersOf(v); p.next(); {
		if !hasPrefixFold(p.name, name) {
			continue
		}
		switch section := p.name[len(name):]; {
		case string(section) == "*":
			first(&whole, p.value)
		case len(section) < 2 || section[0] != '*' || section[1] < '0' || section[1] >= '0'+maxContinued:
		case len(section) == 2:
			first(&plain[section[1]-'0'], p.value)
		case string(section[2:]) == "*":
			first(&percents[section[1]-'0'], p.value)
		}
	}
	if whole != nil {
		return unescape(whole)
	}
	var joined []byte
	for i := range maxContinued {
		if plain[i] == nil && percents[i] == nil {
			break
		}
		if plain[i] == nil {
			plain[i] = unescape(percents[i])
		}
		joined = append(joined, plain[i]...)
	}
	return joined
}

// unescape undoes the percents behind the charset and the language.
func unescape(v []byte) []byte {
	v = v[bytes.LastIndexByte(v, '\'')+1:]
	s, err := url.PathUnescape(string(v))
	if err != nil {
		return v
	}
	return []byte(s)
}

// within is the first message attached; nil is none.
func (m *letter) within() *letter {
	if m.opened {
		return m.inner
	}
	m.opened = true
	parts := m.parts()
	for i := range parts {
		if m.inner = m.attached(i); m.inner != nil || m.message.budget.spent() {
			break
		}
	}
	return m.inner
}

// attached is the message in part i; nil: it is none.
func (m *letter) attached(i int) *letter {
	q := &m.parts()[i]
	if !m.isMessage(i) {
		return nil
	}
	inner := part{body: skipEnvelope(q.decoded(), true), closed: q.closed, found: true, budget: q.budget}
	if f, _, kind := readField(inner.body); kind != fieldLine || !f.ended {
		return nil
	}
	within := newLetter(m, inner, nil)
	within.at = i
	return within
}

// isMail knows a message that is attached as part i; SpamAssassin may call it text.
func (m *letter) isMessage(i int) bool {
	p := &m.parts()[i]
	return isOriginalType(mediaType(p.contentType)) || is(param(p.contentType, "x-spam-type"), "original") || bytes.HasSuffix(bytes.ToLower(m.name(i)), []byte(".eml"))
}

// source names where a field of m was found.
func (m *letter) source(name string) string {
	if m.outer == nil {
		return "outer:" + name
	}
	return "forwarded:" + name
}

// lines yields what stands in b line by line; a last line that may be cut is
// left out.
func lines(b []byte, closed bool) func(yield func(line, rest []byte) bool) {
	return func(yield func(line, rest []byte) bool) {
		for len(b) > 0 {
			line, rest, ended := cutLine(b)
			if !ended && !closed || !yield(line, rest) {
				return
			}
			b = rest
		}
	}
}

// unfold is one value without its line breaks, in valid UTF-8.
func unfold(v []byte) string {
	return strings.ToValidUTF8(strings.Join(strings.Fields(string(v)), " "), "\ufffd")
}
