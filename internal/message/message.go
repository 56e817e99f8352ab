package message

import (
	"bytes"
	"net/url"
	"strings"
)

// letter is a message as the readers see it, or a message within one.
type Message struct {
	Outer   *Message // the message that holds it; nil: it is the message itself
	At      int      // in which of its parts
	Message Part     // all of it
	Header  []byte   // its whole fields
	Top     Part     // its body, as a part
	Ended   bool     // its header is all there
	Leaves  []Part   // see parts
	names   [][]byte // of the leaves
	Walked  bool
	Inner   *Message // see within
	Opened  bool
	title   *string // see subject
}

// parts are the parts that are no multipart, in order.
func (m *Message) Parts() []Part {
	if !m.Walked {
		var w Walk
		w.Parts(m.Top, 0, func(p Part) { m.Leaves = append(m.Leaves, p) }, nil)
		m.Walked = true
	}
	return m.Leaves
}

// newLetter splits a message; body is its body, nil: what follows its header.
func New(outer *Message, message Part, body []byte) *Message {
	m := &Message{Outer: outer, Message: message}
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

// field is the first field of the name, in lower case, unfolded; "" is none.
func (m *Message) Field(name string) string {
	f, _ := m.find(name)
	return Unfold(f.Value)
}

// subject is the subject, decoded.
func (m *Message) Subject() string {
	if m.title == nil {
		title := strings.TrimSpace(DecodeWords(m.Field("subject")))
		m.title = &title
	}
	return *m.title
}

// find gives the field too, and the header from it on.
func (m *Message) find(name string) (f Field, from []byte) {
	for rest := m.Header; len(rest) > 0; {
		f, next, kind := ReadField(rest)
		if kind == FieldLine && Is(f.Name, name) {
			m.Message.Budget.Spend(len(m.Header) - len(next))
			return f, rest
		}
		rest = next
	}
	m.Message.Budget.Spend(len(m.Header))
	return Field{}, nil
}

// from is the message from the first field of that name on.
func (m *Message) From(name string) *Message {
	later := *m
	later.title = nil
	if _, rest := m.find(name); rest != nil {
		later.Message.Body = m.Message.Body[len(m.Header)-len(rest):]
	}
	return &later
}

// text is the first leaf that is text, decoded; start is what detect may see of
// it.
func (m *Message) Text() (text []byte, closed bool) {
	parts := m.Parts()
	for i := range parts {
		if q := &parts[i]; IsPlain(MediaType(q.ContentType)) {
			return q.Text(), q.Closed
		}
	}
	return nil, false
}

func (m *Message) Start() []byte {
	for _, q := range m.Parts() {
		if IsPlain(MediaType(q.ContentType)) {
			q.Body = q.Body[:min(len(q.Body), maxStart)]
			return q.Text()
		}
	}
	return nil
}

// isPlain knows the types of a text that is for no other program than its
// reader: plain text, and JSON by any name ("application/xarf+json").
func IsPlain(typ []byte) bool {
	return len(typ) == 0 || Is(typ, "text/plain") || Is(typ, "text") || len(typ) > 5 && Is(typ[len(typ)-5:], "/json") || len(typ) > 5 && Is(typ[len(typ)-5:], "+json")
}

// text is the part's body, decoded and in UTF-8.
func (p *Part) Text() []byte {
	b := p.Decoded()
	p.Budget.Spend(len(b) + len(p.ContentType))
	return ToUTF8(b, p.ContentType)
}

// name is the file name of a part.
func (p *Part) Name() []byte {
	p.Budget.Spend(len(p.disposition) + len(p.ContentType))
	if name := fileName(p.disposition, "filename"); name != nil {
		return name
	}
	return fileName(p.ContentType, "name")
}

// name is the file name of part i.
func (m *Message) Name(i int) []byte {
	if m.names == nil {
		m.names = make([][]byte, len(m.Leaves))
		for i := range m.Leaves {
			m.names[i] = m.Leaves[i].Name()
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
	if whole := Param(v, name); whole != nil || bytes.IndexByte(v, '*') < 0 {
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
func (m *Message) Within() *Message {
	if m.Opened {
		return m.Inner
	}
	m.Opened = true
	parts := m.Parts()
	for i := range parts {
		if m.Inner = m.Attached(i); m.Inner != nil || m.Message.Budget.Spent() {
			break
		}
	}
	return m.Inner
}

// attached is the message in part i; nil: it is none.
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

// isMail knows a message that is attached as part i; SpamAssassin may call it text.
func (m *Message) IsMessage(i int) bool {
	p := &m.Parts()[i]
	return IsOriginalType(MediaType(p.ContentType)) || Is(Param(p.ContentType, "x-spam-type"), "original") || bytes.HasSuffix(bytes.ToLower(m.Name(i)), []byte(".eml"))
}

// source names where a field of m was found.
func (m *Message) Source(name string) string {
	if m.Outer == nil {
		return "outer:" + name
	}
	return "forwarded:" + name
}

// lines yields what stands in b line by line; a last line that may be cut is
// left out.
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

// unfold is one value without its line breaks, in valid UTF-8.
func Unfold(v []byte) string {
	return strings.ToValidUTF8(strings.Join(strings.Fields(string(v)), " "), "\ufffd")
}
