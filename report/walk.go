package report

import (
	"bytes"
)

// part is one MIME part, as far as it is there.
type part struct {
	contentType   []byte // value of the field
	encoding      []byte
	disposition   []byte
	head          []byte // its header
	arfHead       bool   // its header holds fields of a report
	messageFields int    // fields of a message in it
	headEnded     bool   // a blank line or a boundary follows the header
	body          []byte
	closed        bool // a boundary follows it
	found         bool
	budget        *budget
}

// partWalk is what a walk over the parts of a message meets.
type partWalk struct {
	open    bool // a multipart has no closing boundary
	guessed bool // a boundary is not the one that is declared
	tooMany bool
	tooDeep bool

	parts int
}

// part calls leaf with each part of p that is no multipart, or with p itself, in
// order. After each, done reports whether the walk ends; rest is what follows that part
// in its multipart. A nil done never ends it.
func (w *partWalk) part(p part, depth int, leaf func(part), done func(rest []byte) bool) {
	if !hasPrefixFold(mediaType(p.contentType), "multipart/") {
		leaf(p)
		return
	}
	if depth >= maxDepth {
		w.tooDeep = true
		return
	}
	w.multipart(p, depth, leaf, done)
}

// multipart walks the parts of p (RFC 2046 section 5.1).
func (w *partWalk) multipart(p part, depth int, leaf func(part), done func(rest []byte) bool) {
	var space [128]byte
	body, delim, d, found, guessed := p.delimiters(space[:0])
	if delim == nil {
		if !p.closed {
			w.open = true
		}
		p.contentType = nil // it is none, whatever it calls itself
		leaf(p)
		return
	}
	w.guessed = w.guessed || guessed
	digest := is(mediaType(p.contentType), "multipart/digest") // RFC 2046 section 5.1.5
	for found && !d.last && !p.budget.spent() {
		if w.parts++; w.parts > maxParts {
			w.tooMany = true
			return
		}
		body = body[d.end:]
		d, found = p.nextDelimiter(body, delim)
		q := part{closed: found || p.closed, body: body, found: true, budget: p.budget}
		if found {
			q.body = body[:d.start]
		}
		q.readHead()
		if q.contentType == nil && digest {
			q.contentType = []byte("message/rfc822")
		}
		w.part(q, depth+1, leaf, done)
		if done == nil {
			continue
		}
		var rest []byte
		if found {
			rest = body[d.end:]
		}
		if done(rest) {
			return
		}
	}
	if !found && !p.closed {
		w.open = true
	}
}

// readHead splits the part's header from its body. Where the boundary is
// followed by an empty line and the header comes after it, the header is taken.
func (p *part) readHead() {
	if rest := skipEnvelope(p.body, true); hasPrefixFold(rest, "content-") {
		p.body = rest
	}
	b := p.body
	for {
		f, rest, kind := readHeadField(b)
		switch kind {
		case fieldLine:
			p.headField(&f)
		case otherLine:
			if bytes.HasPrefix(f.value, []byte("--")) {
				rest, kind = b, blankLine
			}
		}
		if kind == blankLine || kind == endOfData {
			whole := p.body
			p.head, p.body = whole[:len(whole)-len(b)], rest
			p.headEnded = kind == blankLine || p.closed
			p.budget.spend(len(p.head))
			if p.messageFields > 1 {
				p.joinHead(whole)
			}
			return
		}
		b = rest
	}
}

// readHeadField is readField in the header of a part, which a line of white space
// ends as an empty one does: a signature tells no such lines apart (RFC 6376 section
// 3.4.4), so whoever passes a message on can turn one into the other.
func readHeadField(b []byte) (f field, rest []byte, kind lineKind) {
	isBlank := func(line []byte, ended bool) bool { return ended && len(bytes.Trim(line, " \t")) == 0 }
	line, next, ended := cutLine(b)
	if isBlank(line, ended) {
		return f, next, blankLine
	}
	f, rest, kind = readField(b)
	for f.folded && len(next) > len(rest) {
		line, behind, ended := cutLine(next)
		if isBlank(line, ended) {
			f, _, kind = readField(b[:len(b)-len(next)])
			return f, next, kind
		}
		next = behind
	}
	return f, rest, kind
}

// joinHead gives a message its header back where no blank line parts it from the
// part's own; b begins with that.
func (p *part) joinHead(b []byte) {
	own := part{}
	for {
		f, rest, kind := readField(b)
		if kind != fieldLine {
			return
		}
		if !isMIMEField(f.name) {
			break
		}
		own.headField(&f)
		b = rest
	}
	if isOriginalType(mediaType(own.contentType)) && looksLikeHeader(b) && !looksLikeHeader(p.start()) {
		p.contentType, p.encoding, p.disposition, p.body = own.contentType, own.encoding, own.disposition, b
	}
}

func (p *part) headField(f *field) {
	switch {
	case is(f.name, "content-type"):
		p.contentType = f.value
	case is(f.name, "content-transfer-encoding"):
		p.encoding = f.value
	case is(f.name, "content-disposition"):
		p.disposition = f.value
	case is(f.name, "feedback-type"):
		p.arfHead = true
	case is(f.name, "from"), is(f.name, "subject"), is(f.name, "message-id"), is(f.name, "received"):
		p.messageFields++
	}
}

// delimiter is where a boundary line stands: the part before it ends at start,
// the next one begins at end.
type delimiter struct {
	start, end int
	last       bool
}

func (p *part) nextDelimiter(b, delim []byte) (delimiter, bool) {
	d, found := nextDelimiter(b, delim)
	if found {
		p.budget.spend(d.end)
	} else {
		p.budget.spend(len(b))
	}
	return d, found
}

func nextDelimiter(b, delim []byte) (d delimiter, found bool) {
	for from := 0; ; {
		i := bytes.Index(b[from:], delim)
		if i < 0 {
			return d, false
		}
		i += from
		from = i + len(delim)
		if i > 0 && b[i-1] != '\n' {
			continue
		}
		line, rest, _ := cutLine(b[from:])
		d.last = bytes.HasPrefix(line, []byte("--"))
		if d.last {
			line = line[2:]
		}
		if len(bytes.TrimLeft(line, " \t")) > 0 {
			continue
		}
		d.end = len(b) - len(rest)
		if d.start = max(i-1, 0); d.start > 0 && b[d.start-1] == '\r' {
			d.start--
		}
		return d, true
	}
}

// guessDelimiter is the first line that begins with "--" and is followed by a
// header field of a part.
func guessDelimiter(b []byte) []byte {
	for len(b) > 0 {
		line, rest, _ := cutLine(b)
		if bytes.HasPrefix(line, []byte("--")) && len(line) > 2 && len(line) <= maxBoundary+2 && hasPrefixFold(rest, "content-") {
			return bytes.TrimRight(line, " \t")
		}
		b = rest
	}
	return nil
}

// start is the first few kilobytes of the part's body, decoded.
func (p *part) start() []byte {
	start := *p
	start.body = p.body[:min(len(p.body), 8<<10)]
	p.budget.spend(len(start.body))
	return start.decoded()
}

func isMIMEField(name []byte) bool {
	return hasPrefixFold(name, "content-") || is(name, "mime-version")
}

// looksLikeHeader reports whether b begins with two fields of a message, or with
// the one that RFC 9477 lets stand alone.
func looksLikeHeader(b []byte) bool {
	b = skipEnvelope(b, true)
	for range 2 {
		f, rest, kind := readField(b)
		if kind == fieldLine && is(f.name, "cfbl-feedback-id") {
			return true
		}
		if kind != fieldLine || !isMessageField(f.name) && !isTraceField(f.name) {
			return false
		}
		b = rest
	}
	return true
}

// isTraceField knows what mail servers write above a header.
func isTraceField(name []byte) bool {
	for _, known := range [...]string{"received-spf", "authentication-results", "domainkey-signature", "envelope-to", "delivery-date", "feedback-id", "cfbl-address"} {
		if is(name, known) {
			return true
		}
	}
	return hasPrefixFold(name, "arc-")
}

// isMailField knows the fields that a message's header begins with.
func isMessageField(name []byte) bool {
	for _, known := range [...]string{"from", "to", "date", "subject", "message-id", "received", "return-path", "mime-version",
		"content-type", "content-transfer-encoding", "reply-to", "sender", "cc", "delivered-to", "dkim-signature", "list-unsubscribe", "list-id"} {
		if is(name, known) {
			return true
		}
	}
	return hasPrefixFold(name, "x-")
}

// headerEnds reports whether the header at the start of b is whole: a blank
// line is there, and a line behind it that does not belong to it.
func headerEnds(b []byte) bool {
	b = skipEnvelope(b, true)
	for {
		_, rest, kind := readField(b)
		if kind == endOfData {
			return false
		}
		if kind == blankLine && !goesOn(rest) {
			return bytes.IndexByte(rest, '\n') >= 0
		}
		b = rest
	}
}

// goesOn reports whether a header goes on behind a blank line.
func goesOn(b []byte) bool {
	f, _, kind := readField(b)
	return kind == fieldLine && isMessageField(f.name)
}

func isOriginalType(typ []byte) bool {
	return hasPrefixFold(typ, "message/rfc822") || hasPrefixFold(typ, "text/rfc822") || is(typ, "message/global") || is(typ, "message/global-headers")
}

// isClosed reports whether a multipart has its closing delimiter.
func (p *part) isClosed() bool {
	var space [128]byte
	body, delim, d, found, _ := p.delimiters(space[:0])
	for found && !d.last {
		body = body[d.end:]
		d, found = nextDelimiter(body, delim)
	}
	return found
}

// delimiters finds the first delimiter of a multipart, and the body and the
// delimiter by which to find the next ones; delim is written to space. guessed: it
// is not the one declared.
func (p *part) delimiters(space []byte) (body, delim []byte, first delimiter, found, guessed bool) {
	body = p.body
	delim = append(append(space, "--"...), param(p.contentType, "boundary")...)
	p.budget.spend(len(p.contentType))
	if len(delim) > 2 && len(delim) <= maxBoundary+2 {
		if first, found = p.nextDelimiter(body, delim); !found && len(p.encoding) > 0 { // RFC 2045 section 6.4 forbids it
			body = p.decoded()
			first, found = p.nextDelimiter(body, delim)
		}
	}
	if !found {
		p.budget.spend(len(body))
		if delim = guessDelimiter(body); delim == nil {
			return body, nil, first, false, false
		}
		first, found = p.nextDelimiter(body, delim)
		guessed = true
	}
	return body, delim, first, found, guessed
}
