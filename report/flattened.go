package report

import "bytes"

// Ticket systems and gateways make one text of a mail: the fields of the report
// part stand among the words then, and the reported mail below them.

func isReportText(m *letter) bool { return fieldsAt(m.start()) >= 0 }

// fieldsAt is where a run of lines begins that are fields, a Feedback-Type and
// two more of a report among them; -1 is none.
func fieldsAt(b []byte) int {
	at, known, typed := 0, 0, false
	for rest := b; ; {
		f, next, kind := readField(rest)
		switch {
		case kind == endOfData:
			return -1
		case kind != fieldLine:
			at, known, typed = len(b)-len(next), 0, false
		case fieldOf(f.name) != extension:
			known++
			typed = typed || is(f.name, "feedback-type")
		}
		if typed && known > 2 {
			return at
		}
		rest = next
	}
}

func (p *parser) readReportText(m *letter) Kind {
	text, closed := m.text()
	at := fieldsAt(text)
	if at < 0 {
		p.loss("report part: none that can be read")
		return KindUnparsed
	}
	fields, rest := text[at:], []byte(nil)
	if end := bytes.Index(fields, []byte("\n\n")); end >= 0 {
		fields, rest = fields[:end+1], fields[end+2:]
	} else if end = bytes.Index(fields, []byte("\n\r\n")); end >= 0 {
		fields, rest = fields[:end+1], fields[end+3:]
	}
	p.readBlock(fields, closed || rest != nil, false)
	p.reportRaw = wholeLines(fields)
	p.dates()
	p.deviation("report part: its fields are in the text")
	if looksLikeHeader(rest) {
		p.readReported(newLetter(m, part{body: skipEnvelope(rest, true), closed: closed, found: true}, nil))
	}
	if eventOf(p.r.FeedbackType) == Unparsed {
		p.loss("feedback-type: missing")
		return KindUnparsed
	}
	if closed || rest != nil {
		p.derive()
	}
	return KindReport
}
