package report

import (
	"bytes"
	"slices"
	"strings"
)

// readOriginal reads the header of the reported message. It takes what comes: an
// mbox line first, blank lines within the header, lines that are no field.
func (p *parser) readOriginal(w *part) {
	body := w.decoded()
	rest := skipEnvelope(body, true)
	o, fields := &Original{}, 0
	rest = rest[:min(len(rest), maxHeader)]
	header := rest
	var contentType, subject []byte
	folded, ended, blank := false, false, 0
	spans := p.original[:0]
	for len(header) > 0 {
		f, next, kind := readField(header)
		if kind == fieldLine && !f.ended && !w.closed {
			p.cutShort("original: cut in the middle of its header")
			break
		}
		if kind == blankLine {
			if wholeHeader(o, subject) || !goesOn(next) {
				ended = true
				break
			}
			if fields > 0 {
				blank++
			}
		}
		at := len(rest) - len(header)
		if header = next; kind != fieldLine {
			continue
		}
		spans.add(&f, at, len(rest)-len(next))
		fields++
		switch {
		case is(f.name, "subject"):
			if subject == nil {
				subject, folded = f.value, f.folded
			}
		case is(f.name, "content-type"):
			contentType = f.value
		default:
			p.originalField(o, &f)
		}
	}
	p.budget.spend(len(rest) - len(header))
	if fields == 0 {
		return
	}
	if o.Subject = decodeWords(p.keep.keep(toUTF8(subject, contentType), folded)); blank > 0 {
		p.deviation("original: a blank line within its header")
	}
	if w.closed {
		o.Size = int64(len(body))
		o.HeadersOnly = len(trim(header)) == 0
	}
	p.r.Original = o
	p.originalRaw, p.original = rest, spans
	p.originalEnded = ended || len(header) == 0 && w.closed && len(rest) < maxHeader
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

func (p *parser) originalField(o *Original, f *field) {
	keep := func() string { return p.keep.keep(f.value, f.folded) }
	switch {
	case is(f.name, "message-id"):
		// Of two, the last is the author's.
		if id := strings.Trim(keep(), "<> "); id != "" {
			o.MessageID = id
		}
	case is(f.name, "date"):
		if o.Date.IsZero() {
			o.Date, _ = parseDate(keep())
		}
	case is(f.name, "from"):
		if o.From == "" {
			o.From, o.FromDomain = p.author(keep())
		}
	case is(f.name, "to"):
		for member := range addresses(keep()) {
			addr, _ := address(member)
			if !isAddress(addr) {
				continue
			}
			if len(o.To) == maxRecipients {
				p.loss("original: more than 1000 in To")
				break
			}
			o.To = p.keep.list(o.To, addr)
		}
	case is(f.name, hmxmr):
		p.hmxmr = first(p.hmxmr, keep)
	case is(f.name, "return-path"):
		// Of several, the last is the sender's: who passes a message on writes above.
		if path, _ := address(keep()); path != "" {
			o.ReturnPath = path
		}
	case is(f.name, "list-id"):
		o.ListID = first(o.ListID, keep)
	case is(f.name, "list-unsubscribe"):
		for member := range addresses(keep()) {
			uri := strings.Trim(member, "<> ")
			if uri == "" {
				continue
			}
			if len(o.ListUnsubscribe) == maxRecipients {
				p.loss("original: more than 1000 in List-Unsubscribe")
				break
			}
			o.ListUnsubscribe = p.keep.list(o.ListUnsubscribe, uri)
		}
	case is(f.name, "list-unsubscribe-post"):
		o.ListUnsubscribePost = first(o.ListUnsubscribePost, keep)
	case is(f.name, "feedback-id"):
		o.FeedbackID = first(o.FeedbackID, keep)
	case is(f.name, "cfbl-feedback-id"):
		if o.CFBLFeedbackID == "" { // RFC 9477 section 3.2: white space is ignored
			o.CFBLFeedbackID = strings.Join(strings.Fields(keep()), "")
		}
	case is(f.name, "cfbl-address"):
		p.r.cfbl = true
	case is(f.name, "dkim-signature"):
		if len(o.DKIMDomains) < maxSigners {
			if d := p.keep.keep(dkimTag(f.value, 'd'), false); d != "" && !slices.Contains(o.DKIMDomains, d) {
				o.DKIMDomains = p.keep.list(o.DKIMDomains, d)
			}
		}
	}
}

func first(old string, keep func() string) string {
	if old != "" {
		return old
	}
	return keep()
}

// author is the address of a From value, and its domain; where there is no
// address, the decoded text.
func (p *parser) author(v string) (from, domain string) {
	for member := range addresses(v) {
		if addr, _ := address(member); isAddress(addr) {
			return addr, domainOf(addr)
		}
	}
	return decodeWords(v), ""
}

// dkimTag finds a tag of a DKIM-Signature (RFC 6376 section 3.2).
func dkimTag(v []byte, name byte) []byte {
	for tag := range bytes.SplitSeq(v, []byte(";")) {
		if tag = trim(tag); len(tag) > 1 && tag[0] == name {
			if value := trim(tag[1:]); len(value) > 0 && value[0] == '=' {
				return trim(value[1:])
			}
		}
	}
	return nil
}
