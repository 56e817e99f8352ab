package report

import "bytes"

// outerHeader holds the fields of the outer header that are asked for, the
// first of each.
type outerHeader struct {
	from, date, messageID, subject, contentType, encoding, received field

	auto, bounce, xarf bool
	reports            bool // a part of it is a report's, whatever report-type says

	end    int // where its blank line is
	fields spans
}

// splitHeader splits a message at its first empty line; the last line break of the
// header belongs to neither side. ended: the header is all there, or as much of
// it as counts.
func splitHeader(b []byte) (header, body []byte, ended bool) {
	limited := b[:min(len(b), maxHeader)]
	for at := 0; ; {
		line, rest, more := cutLine(limited[at:])
		if more && len(line) == 0 {
			return chomp(b[:at]), b[len(limited)-len(rest):], true
		}
		if !more {
			return chomp(limited), nil, len(limited) == maxHeader
		}
		at = len(limited) - len(rest)
	}
}

// chomp takes one line break off the end.
func chomp(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
}

// behindBlanks is a message without the blank lines, also those of white space alone,
// before its header; they take up idBody octets at most.
func behindBlanks(b []byte) []byte {
	rest := b
	for {
		line, next, ended := cutLine(rest)
		if !ended || len(bytes.TrimSpace(line)) > 0 || len(b)-len(next) > idBody {
			break
		}
		rest = skipEnvelope(next, true)
	}
	if len(rest) == len(b) {
		return b
	}
	if f, _, kind := readField(rest); kind == fieldLine && (fieldOf(f.name) == extension || looksLikeHeader(rest)) {
		return rest
	}
	return b
}

// read reads the outer header. standard: it ended at its first blank line, at
// h.end.
func (h *outerHeader) read(message []byte) (body []byte, standard bool) {
	limited := message[:min(len(message), maxHeader)]
	standard = true
	for b := limited; ; {
		f, rest, kind := readField(b)
		switch kind {
		case endOfData:
			return nil, false
		case blankLine:
			if h.contentType.name != nil && h.from.name != nil || !goesOn(rest) {
				h.end = len(limited) - len(b)
				return message[len(limited)-len(rest):], standard && f.ended
			}
			standard = false
		case otherLine:
			if bytes.HasPrefix(f.value, []byte("--")) {
				return message[len(limited)-len(b):], false
			}
		case fieldLine:
			if h.field(&f); f.ended {
				h.fields.add(&f, len(limited)-len(b), len(limited)-len(rest))
			}
		}
		b = rest
	}
}

func (h *outerHeader) field(f *field) {
	set := func(dst *field) {
		if dst.name == nil {
			*dst = *f
		}
	}
	switch name := f.name; {
	case is(name, "from"):
		set(&h.from)
	case is(name, "date"):
		set(&h.date)
	case is(name, "message-id"):
		set(&h.messageID)
	case is(name, "subject"):
		set(&h.subject)
	case is(name, "content-type"):
		set(&h.contentType)
	case is(name, "content-transfer-encoding"):
		set(&h.encoding)
	case is(name, "received"):
		set(&h.received)
	case is(name, "auto-submitted"):
		h.auto = h.auto || hasPrefixFold(f.value, "auto-replied")
	case is(name, "x-autoreply"), is(name, "x-autorespond"), is(name, "x-autoresponder"):
		h.auto = true
	case is(name, "precedence"):
		h.auto = h.auto || hasPrefixFold(f.value, "auto_reply")
	case is(name, "x-failed-recipients"):
		h.bounce = true
	case is(name, "x-xarf"), is(name, "x-arf"):
		h.xarf = true
	}
}

// isFramed reports whether a body of no type begins with a boundary.
func (h *outerHeader) isFramed(body []byte) bool {
	line, rest, _ := cutLine(body)
	return bytes.HasPrefix(line, []byte("--")) && hasPrefixFold(rest, "content-")
}

// declared is the kind that a multipart/report declares (RFC 6522 section 3),
// where that is another than a feedback report.
func (h *outerHeader) declared() Kind {
	if h.reports || !is(mediaType(h.contentType.value), "multipart/report") {
		return ""
	}
	switch kind := param(h.contentType.value, "report-type"); {
	case is(kind, "delivery-status"), is(kind, "global-delivery-status"):
		return KindDSN
	case is(kind, "disposition-notification"):
		return KindMDN
	case is(kind, "tlsrpt"):
		return KindTLSRPT
	}
	return ""
}

func (p *parser) readOuter(h *outerHeader) {
	o := &p.r.Outer
	p.r.from, p.r.date = p.keep.keep(h.from.value, h.from.folded), p.keep.keep(h.date.value, h.date.folded)
	o.From, o.FromDomain = p.author(p.r.from)
	o.Date, _ = parseDate(p.r.date)
	o.MessageID = p.keep.keep(h.messageID.value, h.messageID.folded)
	o.Subject = decodeWords(p.keep.keep(toUTF8(h.subject.value, h.contentType.value), h.subject.folded))
	if i := bytes.LastIndexByte(h.received.value, ';'); i >= 0 {
		o.Received, _ = parseDate(p.keep.keep(trim(h.received.value[i+1:]), h.received.folded))
	}
}

// signed notes who signed the message, by its own word.
func (p *parser) signed() {
	for _, s := range p.outer {
		if f := p.message[s.start:s.end]; is(f[:s.name], "dkim-signature") {
			if d := dkimTag(f[bytes.IndexByte(f, ':')+1:], 'd'); len(d) > 0 {
				p.r.signed = p.keep.list(p.r.signed, p.keep.keep(d, false))
			}
		}
	}
}
