package report

import (
	"bytes"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// reader reads one dialect that has no report part.
type reader struct {
	dialect string
	detect  func(*message.Message) bool
	// read fills the report and says what the message is; of a message that is no
	// complaint it leaves nothing.
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

const (
	maxAttached   = 50 // messages attached to one, of which each may be a report
	notAllReports = "attached mails: not all are reports that can be read"
)

// readOthers reads the reports that are attached after the first one, or after a message
// that holds it.
func (p *parser) readOthers() {
	seen := 1
	unread := p.readBehind(p.lead, nil, &seen)
	switch {
	case p.r.Kind != KindReport: // nor is any other
	case seen > maxAttached:
		p.loss("attached mails: more than 50")
	case unread:
		p.loss(notAllReports)
	}
}

// readBehind reads those after m, within top. It counts the messages that it has
// seen, and says whether one is no report that can be read. Where the first one
// was none, another takes its place.
func (p *parser) readBehind(m, top *message.Message, seen *int) (unread bool) {
	for ; m != top && m != nil && m.Outer != nil; m = m.Outer {
		parts := m.Outer.Parts()
		for i := m.At + 1; i < len(parts); i++ {
			if !m.Outer.IsMessage(i) {
				continue
			}
			if *seen++; *seen > maxAttached || p.budget.Spent() {
				return unread
			}
			q, inner := p.another(), m.Outer.Attached(i)
			switch {
			case inner == nil:
			case p.r.Dialect == "forward", p.r.Dialect == "zimbra", p.r.Dialect == "m365-user":
				q.readBy(reader{p.r.Dialect, nil, (*parser).readForwarded}, inner)
				q.r.Event = p.r.Event
			default:
				q.readWithin(inner)
			}
			switch {
			case q.r.Kind != KindReport:
				unread = true
			case p.r.Kind != KindReport:
				unread = true
				p.become(q)
			default:
				p.follow(q)
			}
			unread = p.readBehind(q.lead, inner, seen) || unread
		}
	}
	return unread
}

// follow puts the report of q, and those after it, after those of p.
func (p *parser) follow(q *parser) {
	more := q.more
	q.more, q.r.More = nil, nil
	for _, q := range append([]*parser{q}, more...) {
		p.more = append(p.more, q)
		p.r.More = append(p.r.More, q.r)
	}
}

// become leaves what was read for what q has.
func (p *parser) become(q *parser) {
	*p.r = *q.r
	q.r, q.beyond, q.work = p.r, p.beyond, p.work
	*p = *q
	p.keep = message.Arena{} // it cannot be copied
}

// readLater reads the reports of a message to which others are attached first.
func (p *parser) readLater(top *message.Message) bool {
	first := top.Within()
	if first == nil {
		return false
	}
	parts := top.Parts()
	for i := first.At + 1; i < min(len(parts), first.At+maxAttached) && !p.budget.Spent(); i++ {
		if inner := top.Attached(i); inner != nil {
			if p.readWithin(inner) {
				p.readOthers()
				p.loss(notAllReports)
				return true
			}
		}
	}
	return false
}

// another reads a second report of the same message.
func (p *parser) another() *parser {
	return &parser{
		r:       &Report{ID: p.r.ID, Outer: p.r.Outer, partial: p.r.partial, given: p.r.given},
		message: p.message, top: p.top, outer: p.outer, ours: p.ours,
		self: p.self, salvaged: true, budget: p.budget, uses: p.uses,
	}
}

// readWithin reads m, or the first message within it, by the first reader that
// knows it. false: nobody does.
func (p *parser) readWithin(m *message.Message) bool {
	for depth := 0; m != nil && depth < maxWithin && !p.budget.Spent(); m, depth = m.Within(), depth+1 {
		if p.readLetter(m) {
			return true
		}
	}
	return false
}

func (p *parser) readLetter(m *message.Message) bool {
	for _, reader := range readers() {
		if p.budget.Spent() {
			return false
		}
		if reader.detect(m) {
			p.readBy(reader, m)
			return true
		}
	}
	return false
}

// People and ticket systems send a report on in the text of their own message,
// with "> " before its lines. Readers look through one level of it. An answer, which quotes
// another message, is no report.

// unquoted is the message with one level of quoting removed from its texts, of which it
// reads at most limit octets; nil if nothing in them is quoted.
func unquoted(m *message.Message, limit int) *message.Message {
	parts, found := slices.Clone(m.Parts()), false
	for i := range parts {
		q := &parts[i]
		if !message.IsPlain(message.MediaType(q.ContentType)) {
			continue
		}
		q.Body = q.Body[:min(len(q.Body), limit)]
		text := q.Text()
		if bytes.HasPrefix(text, []byte(">")) || bytes.Contains(text, []byte("\n>")) {
			q.Body, q.Encoding, found = unquoteOnce(text), nil, true
		}
	}
	if !found {
		return nil
	}
	return m.WithParts(parts)
}

// unquoteOnce removes one ">", and one blank after it, from each line that has it.
func unquoteOnce(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for line := range bytes.Lines(text) {
		if rest, quoted := bytes.CutPrefix(line, []byte(">")); quoted {
			line = bytes.TrimPrefix(rest, []byte(" "))
		}
		out = append(out, line...)
	}
	return out
}

// readQuoted reads a report that is quoted in the letter, or in one attached to it.
func (p *parser) readQuoted(top *message.Message, kind Kind) bool {
	_, subject := untagged(strings.ToLower(ownWords(top.Subject())))
	if startsWith(subject, answers) || kind != KindOther && kind != KindNotice && kind != KindUnparsed {
		return false
	}
	all := readers()
	if kind != KindOther {
		all = append(all, reader{"", isReportText, (*parser).readReportText})
	}
	for m, depth := top, 0; m != nil && depth < maxWithin; m, depth = m.Within(), depth+1 {
		seen := unquoted(m, idBody)
		if seen == nil {
			continue
		}
		for _, reader := range all {
			if !reader.detect(seen) {
				continue
			}
			p.readBy(reader, unquoted(m, len(m.Whole.Body)))
			p.r.first = false
			p.uses.text(m)
			if p.r.Kind == KindReport || p.r.Kind == KindUnparsed {
				p.deviation("text: quoted; read through one level of it")
			}
			return true
		}
	}
	return false
}
