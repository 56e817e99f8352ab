package message

import (
	"bytes"
	"net/url"
	"strings"
)

// Message is a message, or a message attached to one. It is not for concurrent use.
type Message struct {
	Outer  *Message // the message that holds this one; nil: none does
	At     int      // which of Outer.Parts holds it
	Whole  Part     // header and body
	Header []byte   // the complete fields
	Top    Part     // the body, as a part
	Ended  bool     // the header is complete
	leaves []Part   // see Parts
	names  [][]byte // of the leaves
	walked bool
	inner  *Message // see Within
	opened bool
	title  *string // see Subject
}

// Parts returns the parts that are no multipart, in order.
func (m *Message) Parts() []Part {
	if !m.walked {
		var w Walk
		w.Parts(m.Top, 0, func(p Part) { m.leaves = append(m.leaves, p) }, nil)
		m.walked = true
	}
	return m.leaves
}

// WithParts returns a copy of m that has these parts.
func (m *Message) WithParts(parts []Part) *Message {
	later := *m
	later.leaves, later.walked = parts, true
	later.inner, later.opened = nil, false
	return &later
}

// Opened returns what Within returned, without looking; nil if nobody asked.
func (m *Message) Opened() *Message { return m.inner }

// New splits a message into header and body. outer is the message that holds it, or
// nil. A nil body is what follows the header.
func New(outer *Message, message Part, body []byte) *Message {
	m := &Message{Outer: outer, Whole: message}
	b, from := message.Body[:min(len(message.Body), MaxHeader)], false
	for rest := b; ; {
		f, next, kind := ReadField(rest)
		if kind == FieldLine && f.Ended {
			switch {
			case Is(f.Name, "content-type") && m.Top.ContentType == nil:
				m.Top.ContentType = f.Value
			case Is(f.Name, "content-transfer-encoding") && m.Top.Encoding == nil:
				m.Top.Encoding = f.Value
			case Is(f.Name, "content-disposition") && m.Top.disposition == nil:
				m.Top.disposition = f.Value
			}
			from = from || Is(f.Name, "from")
		}
		ends := kind == BlankLine && (from && m.Top.ContentType != nil || !GoesOn(next)) || kind == OtherLine && bytes.HasPrefix(f.Value, []byte("--"))
		if ends || kind == EndOfData || !f.Ended {
			m.Header = b[:len(b)-len(rest)]
			if m.Ended = ends; body == nil && ends {
				body = message.Body[len(b)-len(next):]
			}
			break
		}
		rest = next
	}
	message.Budget.Spend(len(m.Header))
	m.Top.Body, m.Top.Closed, m.Top.Found, m.Top.Budget = body, message.Closed, true, message.Budget
	return m
}

// Field returns the value of the first field of the name, which is in lower case,
// unfolded; "" if there is none.
func (m *Message) Field(name string) string {
	f, _ := m.find(name)
	return Unfold(f.Value)
}

// Subject returns the Subject, decoded.
func (m *Message) Subject() string {
	if m.title == nil {
		title := strings.TrimSpace(DecodeWords(m.Field("subject")))
		m.title = &title
	}
	return *m.title
}

// find returns the first field of the name, and the header from there.
func (m *Message) find(name string) (f Field, from []byte) {
	for rest := m.Header; len(rest) > 0; {
		f, next, kind := ReadField(rest)
		if kind == FieldLine && Is(f.Name, name) {
			m.Whole.Budget.Spend(len(m.Header) - len(next))
			return f, rest
		}
		rest = next
	}
	m.Whole.Budget.Spend(len(m.Header))
	return Field{}, nil
}

// From returns the message from its first field of that name on.
func (m *Message) From(name string) *Message {
	later := *m
	later.title = nil
	if _, rest := m.find(name); rest != nil {
		later.Whole.Body = m.Whole.Body[len(m.Header)-len(rest):]
	}
	return &later
}

// Text returns the first part of plain text, decoded, in UTF-8. closed reports whether
// the part is complete.
func (m *Message) Text() (text []byte, closed bool) {
	parts := m.Parts()
	for i := range parts {
		if q := &parts[i]; IsPlain(MediaType(q.ContentType)) {
			return q.Text(), q.Closed
		}
	}
	return nil, false
}

// Start is Text of the first 4,096 octets of that part.
func (m *Message) Start() []byte {
	for _, q := range m.Parts() {
		if IsPlain(MediaType(q.ContentType)) {
			q.Body = q.Body[:min(len(q.Body), maxStart)]
			return q.Text()
		}
	}
	return nil
}

// IsPlain reports whether the type is of plain text, or of JSON by any name
// ("application/xarf+json").
func IsPlain(typ []byte) bool {
	return len(typ) == 0 || Is(typ, "text/plain") || Is(typ, "text") || len(typ) > 5 && Is(typ[len(typ)-5:], "/json") || len(typ) > 5 && Is(typ[len(typ)-5:], "+json")
}

// Text returns the body, decoded and in UTF-8.
func (p *Part) Text() []byte {
	b := p.Decoded()
	p.Budget.Spend(len(b) + len(p.ContentType))
	return ToUTF8(b, p.ContentType)
}

// Name returns the file name of the part; nil if it has none.
func (p *Part) Name() []byte {
	p.Budget.Spend(len(p.disposition) + len(p.ContentType))
	if name := fileName(p.disposition, "filename"); name != nil {
		return name
	}
	return fileName(p.ContentType, "name")
}

// Name returns the file name of part i; nil if it has none.
func (m *Message) Name(i int) []byte {
	if m.names == nil {
		m.names = make([][]byte, len(m.leaves))
		for i := range m.leaves {
			m.names[i] = m.leaves[i].Name()
		}
	}
	return m.names[i]
}

// fileName is a parameter that may be continued or percent-encoded (RFC 2231 sections 3
// and 4). Its charset does not matter.
func fileName(v []byte, name string) []byte {
	if len(v) == 0 {
		return nil
	}
	if whole := Param(v, name); whole != nil || bytes.IndexByte(v, '*') < 0 {
		return whole
	}
	var whole []byte                         // percent-encoded
	var plain, percents [maxContinued][]byte // pieces
	first := func(piece *[]byte, value []byte) {
		if *piece == nil {
			*piece = value
		}
	}
	for p := parametersOf(v); p.next(); {
		if !HasPrefixFold(p.name, name) {
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

// unescape decodes the value after the charset and the language.
func unescape(v []byte) []byte {
	v = v[bytes.LastIndexByte(v, '\'')+1:]
	s, err := url.PathUnescape(string(v))
	if err != nil {
		return v
	}
	return []byte(s)
}

// Within returns the first attached message; nil if there is none.
func (m *Message) Within() *Message {
	if m.opened {
		return m.inner
	}
	m.opened = true
	parts := m.Parts()
	for i := range parts {
		if m.inner = m.Attached(i); m.inner != nil || m.Whole.Budget.Spent() {
			break
		}
	}
	return m.inner
}

// Attached returns the message in part i; nil if the part is none.
func (m *Message) Attached(i int) *Message {
	q := &m.Parts()[i]
	if !m.IsMessage(i) {
		return nil
	}
	inner := Part{Body: SkipEnvelope(q.Decoded(), true), Closed: q.Closed, Found: true, Budget: q.Budget}
	if f, _, kind := ReadField(inner.Body); kind != FieldLine || !f.Ended {
		return nil
	}
	within := New(m, inner, nil)
	within.At = i
	return within
}

// IsMessage reports whether part i is a message. SpamAssassin may declare it as text.
func (m *Message) IsMessage(i int) bool {
	p := &m.Parts()[i]
	return IsOriginalType(MediaType(p.ContentType)) || Is(Param(p.ContentType, "x-spam-type"), "original") || bytes.HasSuffix(bytes.ToLower(m.Name(i)), []byte(".eml"))
}

// Source names a field of m, for people: "outer:From", "forwarded:From".
func (m *Message) Source(name string) string {
	if m.Outer == nil {
		return "outer:" + name
	}
	return "forwarded:" + name
}

// Lines yields each line of b, and what follows it. Unless closed, it leaves out a last
// line without a line break.
func Lines(b []byte, closed bool) func(yield func(line, rest []byte) bool) {
	return func(yield func(line, rest []byte) bool) {
		for len(b) > 0 {
			line, rest, ended := CutLine(b)
			if !ended && !closed || !yield(line, rest) {
				return
			}
			b = rest
		}
	}
}

// Unfold returns v in valid UTF-8, with one blank for each run of white space and line
// breaks.
func Unfold(v []byte) string {
	return strings.ToValidUTF8(strings.Join(strings.Fields(string(v)), " "), "\ufffd")
}
