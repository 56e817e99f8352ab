package report

import (
	"github.com/fblwatch/fblwatch/internal/message"
)

// reader reads one dialect that has no report part.
type reader struct {
	dialect string
	detect  func(*message.Message) bool
	// read fills the report and says what the message is; of a message that is no
	// complaint it leaves nothing behind.
	read func(*parser, *message.Message) Kind
}

// readers know their dialect by its own marks. They are tried in this order on
// the message and on the messages within it. Of a message that is one leaf, detect sees
// the header and the first idBody octets, which are always fetched.
func readers() []reader {
	return []reader{
		{"", isAttachedReport, (*parser).readAttachedReport}, // before jmrp, as a report of 2026 has its subject
		{"zimbra", isZimbra, (*parser).readZimbra},
		{"m365-user", isMicrosoftUser, (*parser).readMicrosoftUser},
		{"jmrp", isJMRP, (*parser).readJMRP},
		{"ses-json", isSES, (*parser).readSES},
		{"xarf", isXARF, (*parser).readXARF},
		{"xarf", isXARFJSON, (*parser).readXARFJSON},
		{"spamcop-plain", isSpamCop, (*parser).readSpamCop},
		{"dmarc-plaintext", isDMARCText, (*parser).readDMARCText},
	}
}

// carriers go by how a message brings another one, and have their turn last.
var carriers = []reader{
	{"redirected", isRedirected, (*parser).readRedirected},
	{"forward", isForward, (*parser).readForward},
}

func (p *parser) readBy(reader reader, m *message.Message) {
	r := p.r
	r.Dialect, p.lead = reader.dialect, m
	switch r.Kind = reader.read(p, m); r.Kind {
	case KindReport:
		itself := p.lead != nil && p.lead != m && p.lead.Outer != m
		r.first = m.Outer == nil && reader.dialect != "" && !itself
		if reader.dialect != "" {
			p.derive()
		}
	case KindUnparsed:
	default:
		*r = Report{ID: r.ID, Kind: r.Kind, Outer: r.Outer, from: r.from, date: r.date, partial: r.partial, given: r.given}
	}
}
