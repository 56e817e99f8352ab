package report

import (
	"github.com/fblwatch/fblwatch/internal/message"
)

// Ticket systems and gateways make one text of a message: then the fields of the report
// part are among the words, and the reported message follows them.

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
