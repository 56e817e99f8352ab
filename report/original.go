package report

import (
	"bytes"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// hmxmr is the field in which Microsoft names the recipient of the original.
const hmxmr = "x-hmxmroriginalrecipient"

// readOriginal reads the header of the reported message. It takes what comes: an
// mbox line first, blank lines within the header, lines that are no field.
func (p *parser) readOriginal(w *message.Part) {
	p.uses.of(w.Body, UseOriginal)
	body := w.Decoded()
	rest := message.SkipEnvelope(body, true)
	o, fields := p.spare, 0
	if p.spare = nil; o == nil {
		o = new(Original)
	}
	*o = Original{}
	rest = rest[:min(len(rest), message.MaxHeader)]
	header := rest
	var contentType, subject []byte
	folded, ended, blank := false, false, 0
	spans := p.original[:0]
	var f message.Field
	for len(header) > 0 {
		next, kind := f.Read(header)
		if kind == message.FieldLine && !f.Ended && !w.Closed {
			p.cutShort("original: cut in the middle of its header")
			break
		}
		if kind == message.BlankLine {
			if wholeHeader(o, subject) || !message.GoesOn(next) {
				ended = true
				break
			}
			if fields > 0 {
				blank++
			}
		}
		at := len(rest) - len(header)
		if header = next; kind != message.FieldLine {
			continue
		}
		spans.Add(&f, at, len(rest)-len(next))
		fields++
		switch {
		case message.Is(f.Name, "subject"):
			if subject == nil {
				subject, folded = f.Value, f.Folded
			}
		case message.Is(f.Name, "content-type"):
			contentType = f.Value
		default:
			p.originalField(o, &f)
		}
	}
	p.budget.Spend(len(rest) - len(header))
	if fields == 0 {
		return
	}
	if o.Subject = message.DecodeWords(p.keep.Keep(message.ToUTF8(subject, contentType), folded)); blank > 0 {
		p.deviation("original: a blank line within its header")
	}
	if w.Closed {
		o.Size = int64(len(body))
		o.HeadersOnly = len(message.Trim(header)) == 0
	}
	p.r.Original = o
	p.originalRaw, p.original = rest, spans
	p.originalEnded = ended || len(header) == 0 && w.Closed && len(rest) < message.MaxHeader
}

// wholeHeader reports whether enough of a header was there before a blank line
// for this to be its end.
func wholeHeader(o *Original, subject []byte) bool {
	n := 0
	for _, known := range [...]bool{o.From != "", o.MessageID != "", !o.Date.IsZero(), subject != nil} {
		if known {
			n++
		}
	}
	return n > 1
}

func (p *parser) originalField(o *Original, f *message.Field) {
	keep := func() string { return p.keep.Keep(f.Value, f.Folded) }
	var space [32]byte
	switch string(f.LowerName(&space)) {
	case "message-id":
		// Of two, the last is the author's.
		if id := strings.Trim(keep(), "<> "); id != "" {
			o.MessageID = id
		}
	case "date":
		if o.Date.IsZero() {
			o.Date, _ = message.ParseDate(keep())
		}
	case "from":
		if o.From == "" {
			o.From, o.FromDomain = p.author(keep())
		}
	case "to":
		for member := range message.Addresses(keep()) {
			addr, _ := message.Address(member)
			if !message.IsAddress(addr) {
				continue
			}
			if len(o.To) == maxRecipients {
				p.loss("original: more than 1000 in To")
				break
			}
			o.To = p.keep.Append(o.To, addr)
		}
	case hmxmr:
		p.hmxmr = firstOf(p.hmxmr, keep)
	case "return-path":
		// Of several, the last is the sender's: relays write above.
		if path, _ := message.Address(keep()); path != "" {
			o.ReturnPath = path
		}
	case "list-id":
		o.ListID = firstOf(o.ListID, keep)
	case "list-unsubscribe":
		for member := range message.Addresses(keep()) {
			uri := strings.Trim(member, "<> ")
			if uri == "" {
				continue
			}
			if len(o.ListUnsubscribe) == maxRecipients {
				p.loss("original: more than 1000 in List-Unsubscribe")
				break
			}
			o.ListUnsubscribe = p.keep.Append(o.ListUnsubscribe, uri)
		}
	case "list-unsubscribe-post":
		o.ListUnsubscribePost = firstOf(o.ListUnsubscribePost, keep)
	case "feedback-id":
		o.FeedbackID = firstOf(o.FeedbackID, keep)
	case "cfbl-feedback-id":
		if o.CFBLFeedbackID == "" { // RFC 9477 section 3.2: white space is ignored
			o.CFBLFeedbackID = strings.Join(strings.Fields(keep()), "")
		}
	case "cfbl-address":
		p.r.cfbl = true
	case "dkim-signature":
		if len(o.DKIMDomains) < maxSigners {
			if d := p.keep.Keep(dkimTag(f.Value, 'd'), false); d != "" && !slices.Contains(o.DKIMDomains, d) {
				o.DKIMDomains = p.keep.Append(o.DKIMDomains, d)
			}
		}
	}
}

func firstOf(old string, keep func() string) string {
	if old != "" {
		return old
	}
	return keep()
}

// author is the address of a From value, and its domain; where there is no
// address, the decoded text.
func (p *parser) author(v string) (from, domain string) {
	for member := range message.Addresses(v) {
		if addr, _ := message.Address(member); message.IsAddress(addr) {
			return addr, message.DomainOf(addr)
		}
	}
	return message.DecodeWords(v), ""
}

// dkimTag finds a tag of a DKIM-Signature (RFC 6376 section 3.2).
func dkimTag(v []byte, name byte) []byte {
	for tag := range bytes.SplitSeq(v, []byte(";")) {
		if tag = message.Trim(tag); len(tag) > 1 && tag[0] == name {
			if value := message.Trim(tag[1:]); len(value) > 0 && value[0] == '=' {
				return message.Trim(value[1:])
			}
		}
	}
	return nil
}

// readReported reads the message that is complained about.
func (p *parser) readReported(m *message.Message) {
	p.readOriginal(&m.Whole)
	if p.uses != nil && m.Outer != nil && m.Outer.IsMessage(m.At) {
		p.uses.of(m.Outer.Parts()[m.At].Body, UseOriginal)
	}
	if !m.Ended && !m.Whole.Closed {
		p.cutShort("original: its header has no end")
	}
}

// derive fills what the report leaves out and the message says elsewhere. What
// hangs on the provider too is each record's: see Record.derive.
func (p *parser) derive() {
	r := p.r
	r.whole = true
	if o := r.Original; o != nil && (message.IsAddress(o.ReturnPath) || o.ReturnPath == "<>") {
		p.fill(&r.OriginalMailFrom, "original_mail_from", o.ReturnPath, "original:Return-Path")
	}
	if len(r.OriginalRcptTo) == 0 && p.hmxmr != "" && r.Dialect != "jmrp" && r.Extensions["original-rcpt-to"] == nil && !p.fillRecipients(p.hmxmr, "original:X-HmXmrOriginalRecipient") {
		p.extend(hmxmr, p.hmxmr)
	}
	if removal := r.Extensions["removal-recipient"]; len(r.OriginalRcptTo) == 0 && len(removal) == 1 && eventOf(r.FeedbackType) == OptOut {
		if addr, _ := message.Address(removal[0]); message.IsAddress(addr) && !message.IsPlaceholder(addr) {
			r.OriginalRcptTo = []string{addr}
			p.from("original_rcpt_to", "report:Removal-Recipient")
		}
	}
}
