package report

import (
	"bytes"

	"github.com/fblwatch/fblwatch/internal/message"
)

// Ticket systems and gateways make one text of a message: the fields of the report
// part stand among the words then, and the reported message below them.

func isReportText(m *message.Message) bool { return fieldsAt(m.Start()) >= 0 }

// fieldsAt is where a run of lines begins that are fields, a Feedback-Type and
// two more of a report among them; -1 is none.
func fieldsAt(b []byte) int {
	at, known, typed := 0, 0, false
	for rest := b; ; {
		f, next, kind := message.ReadField(rest)
		switch {
		case kind == message.EndOfData:
			return -1
		case kind != message.FieldLine:
			if inner := dedent(f.Value); kind == message.OtherLine && len(inner) < len(f.Value) {
				block := paragraph(rest)
				if looksLikeReport(block, 3) {
					return len(b) - len(rest)
				}
				next = rest[len(block):]
			}
			at, known, typed = len(b)-len(next), 0, false
		case fieldOf(f.Name) != nil:
			known++
			typed = typed || message.Is(f.Name, "feedback-type")
		}
		if typed && known > 2 {
			return at
		}
		rest = next
	}
}

// paragraph is the start of b up to a blank line.
func paragraph(b []byte) []byte {
	for rest := b; ; {
		line, next, more := message.CutLine(rest)
		if len(line) == 0 {
			return b[:len(b)-len(rest)]
		}
		if !more {
			return b
		}
		rest = next
	}
}

// dedent takes the indentation of a first line that is a field off all lines.
func dedent(b []byte) []byte { return outdent(b, " \t") }

// unquote is dedent for a text that may be quoted too.
func unquote(b []byte) []byte { return outdent(b, " \t>") }

func outdent(b []byte, marks string) []byte {
	start := bytes.TrimLeft(b, marks)
	indent := b[:len(b)-len(start)]
	if len(indent) == 0 {
		return b
	}
	if _, _, kind := message.ReadField(start); kind != message.FieldLine && hyphens(start) == nil {
		return b
	}
	quotes := bytes.TrimRight(indent, " \t")
	var out []byte
	for line := range bytes.Lines(b) {
		switch rest, found := bytes.CutPrefix(line, indent); {
		case found:
			out = append(out, rest...)
		case !bytes.HasPrefix(indent, line): // else it is cut in its indentation
			out = append(out, bytes.TrimPrefix(line, quotes)...)
		}
	}
	return out
}

// reflow breaks a report part whose fields all stand on one line before the
// names that it knows.
func reflow(b []byte) []byte {
	f, rest, _ := message.ReadField(b)
	first := message.Is(f.Name, "feedback-type") || message.Is(f.Name, "user-agent") || message.Is(f.Name, "version")
	if !first || bytes.IndexByte(f.Value, ':') < 0 {
		return b
	}
	var out []byte
	fields := 0
	for word := range bytes.FieldsSeq(b[:len(b)-len(rest)]) {
		if name, _, found := bytes.Cut(word, []byte(":")); found && fieldOf(name) != nil {
			if fields++; fields > 1 {
				out = append(out, '\n')
			}
		} else {
			out = append(out, ' ')
		}
		out = append(out, word...)
	}
	if fields < 2 {
		return b
	}
	if f.Ended {
		out = append(out, '\n')
	}
	return append(out, rest...)
}

// rename puts the hyphens back into the names that it knows.
func rename(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for line := range bytes.Lines(b) {
		name := hyphens(line)
		out = append(append(out, name...), line[len(name):]...)
	}
	return out
}

// hyphens is the name at the start of a line with hyphens for its blanks, nil:
// it has none, or is not known.
func hyphens(line []byte) []byte {
	name, value, found := bytes.Cut(line[:min(len(line), message.MaxName)], []byte(":"))
	if name = bytes.TrimRight(name, " \t"); !found || bytes.IndexByte(name, ' ') < 0 || bytes.HasPrefix(value, []byte("//")) {
		return nil
	}
	if name = bytes.ReplaceAll(name, []byte(" "), []byte("-")); fieldOf(name) == nil {
		return nil
	}
	return name
}

func (p *parser) readReportText(m *message.Message) Kind {
	text, closed := p.text(m)
	p.budget.Spend(2 * len(text))
	at := fieldsAt(text)
	if at < 0 {
		p.loss("report part: none that can be read")
		return KindUnparsed
	}
	fields := paragraph(text[at:])
	_, rest, whole := message.CutLine(text[at+len(fields):])
	whole = whole || closed
	fields = dedent(fields)
	p.reportRaw, p.report = fields, p.report[:0]
	p.readBlock(fields, 0, whole, false)
	p.dates()
	p.deviation("report part: its fields are in the text")
	if message.LooksLikeHeader(rest) {
		p.readReported(message.New(m, message.Part{Body: message.SkipEnvelope(rest, true), Closed: closed, Found: true, Budget: p.budget}, nil))
	} else if inner := m.Within(); inner != nil {
		p.readReported(inner)
	}
	if eventOf(p.r.FeedbackType) == Unparsed {
		p.loss("feedback-type: missing")
		return KindUnparsed
	}
	if whole {
		p.derive()
	}
	return KindReport
}
