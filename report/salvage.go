package report

import (
	"bytes"
	"github.com/fblwatch/fblwatch/internal/message"
)

const (
	maxWithin  = 4  // messages within messages that are looked for
	maxBatched = 50 // X-ARF texts of one message
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

// salvage reads a message in which there is no report part by the first reader
// that knows it, or a message attached to it; kind is what it is without. false:
// nobody does.
func (p *parser) salvage(h *outerHeader, w *walker, kind Kind) bool {
	if p.salvaged || p.headless || h.declared() != "" || w.kind != "" || w.empty {
		return false
	}
	p.salvaged = true
	found := p.salvageFrom(p.letter(), kind)
	w.met.Open = w.met.Open || found && p.ours && len(p.letter().Parts()) == 1 // it may go on
	return found
}

func (p *parser) salvageFrom(top *message.Message, kind Kind) bool {
	for m, depth := top, 0; m != nil && depth < maxWithin && !p.budget.Spent(); m, depth = m.Within(), depth+1 {
		if p.readLetter(m) {
			p.readOthers()
			return true
		}
		if kind != KindOther && kind != KindNotice && kind != KindUnparsed {
			return false // what a bounce or an answer returns is no complaint
		}
	}
	if p.readLater(top) || p.readQuoted(top, kind) {
		return true
	}
	if kind != KindOther && isReportText(top) {
		p.readBy(reader{read: (*parser).readReportText}, top)
		return true
	}
	for range maxWithin {
		if !isWrapped(top) {
			break
		}
		top = top.Within()
	}
	for _, reader := range carriers {
		if reader.detect(top) {
			p.readBy(reader, top)
			p.readOthers()
			return true
		}
	}
	return false
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

// letter is the message that is parsed.
func (p *parser) letter() *message.Message {
	if p.self == nil {
		p.self = message.New(nil, message.Part{Body: p.message, Found: true, Budget: p.budget}, p.top.Body)
	}
	return p.self
}

// text is the text of a message that a dialect writes its report in.
func (p *parser) text(m *message.Message) (text []byte, closed bool) {
	p.uses.text(m)
	return m.Text()
}

// cutText notes that the last line of a text may not be all of it.
func (p *parser) cutText(text []byte, closed bool) {
	if !closed && !bytes.HasSuffix(text, []byte("\n")) {
		p.cutShort("text: cut in the middle of a line")
	}
}

// readReported reads the message that is complained about.
func (p *parser) readReported(m *message.Message) {
	p.readOriginal(&m.Message)
	if p.uses != nil && m.Outer != nil && m.Outer.IsMessage(m.At) {
		p.uses.of(m.Outer.Parts()[m.At].Body, UseOriginal)
	}
	if !m.Ended && !m.Message.Closed {
		p.cutShort("original: its header has no end")
	}
}

// from says of a key where its value came from.
func (p *parser) from(key, source string) {
	if p.r.Derived == nil {
		p.r.Derived = make(map[string]string, 8)
	}
	if p.r.Derived[key] == "" {
		p.r.Derived[key] = source
	}
}

// fill sets a value that is not known yet. A second one, or an empty one,
// leaves things as they are.
func (p *parser) fill(dst *string, key, value, source string) bool {
	if *dst != "" || value == "" {
		return false
	}
	*dst = value
	p.from(key, source)
	return true
}

func (p *parser) fillIP(value, source string) bool {
	ip, _ := message.ParseIP(value)
	return p.fill(&p.r.SourceIP, "source_ip", ip, source)
}

// fillDate keeps the date as it is written, and its instant if it has one.
func (p *parser) fillDate(value, source string) bool {
	r := p.r
	if !p.fill(&r.ArrivalDateRaw, "arrival_date_raw", value, source) {
		return false
	}
	var ok bool
	if r.ArrivalDate, ok = message.ParseDate(value); !ok {
		p.loss("arrival-date: no instant")
	} else {
		p.from("arrival_date", source)
	}
	return true
}

// fillRecipients reads one or several addresses; false: something in them is
// no address of a person.
func (p *parser) fillRecipients(value, source string) bool {
	all := true
	for member := range message.Addresses(value) {
		addr, _ := message.Address(member)
		switch {
		case message.IsPlaceholder(addr) || !message.IsAddress(addr) || len(p.r.OriginalRcptTo) == maxRecipients:
			all = false
		case !p.knows(addr):
			p.r.OriginalRcptTo = append(p.r.OriginalRcptTo, addr)
			p.from("original_rcpt_to", source)
		}
	}
	return all
}
