package message

import (
	"bytes"
)

// part is one MIME part, as far as it is there.
type Part struct {
	ContentType   []byte // value of the field
	Encoding      []byte
	disposition   []byte
	Head          []byte // its header
	ArfHead       bool   // its header holds fields of a report
	messageFields int    // fields of a message in it
	HeadEnded     bool   // a blank line or a boundary follows the header
	Body          []byte
	Closed        bool // a boundary follows it
	Found         bool
	Budget        *Budget
}

// partWalk is what a walk over the parts of a message meets.
type Walk struct {
	Open    bool // a multipart has no closing boundary
	Guessed bool // a boundary is not the one that is declared
	TooMany bool
	TooDeep bool

	// Enter, if it is not nil, gets each part before it is walked, a multipart too.
	// depth counts the multiparts around it.
	Enter func(p Part, depth int)

	parts int
}

// part calls leaf with each part of p that is no multipart, or with p itself, in
// order. After each, done reports whether the walk ends; rest is what follows that part
// in its multipart. A nil done never ends it.
func (w *Walk) Parts(p Part, depth int, leaf func(Part), done func(rest []byte) bool) {
	if !HasPrefixFold(MediaType(p.ContentType), "multipart/") {
		w.enter(p, depth)
		leaf(p)
		return
	}
	if depth >= MaxDepth {
		w.TooDeep = true
		return
	}
	w.multipart(p, depth, leaf, done)
}

func (w *Walk) enter(p Part, depth int) {
	if w.Enter != nil {
		w.Enter(p, depth)
	}
}

// multipart walks the parts of p (RFC 2046 section 5.1).
func (w *Walk) multipart(p Part, depth int, leaf func(Part), done func(rest []byte) bool) {
	var space [128]byte
	body, delim, d, found, guessed := p.delimiters(space[:0])
	w.enter(p, depth)
	if delim == nil {
		if !p.Closed {
			w.Open = true
		}
		p.ContentType = nil // it is none, whatever it calls itself
		leaf(p)
		return
	}
	w.Guessed = w.Guessed || guessed
	digest := Is(MediaType(p.ContentType), "multipart/digest") // RFC 2046 section 5.1.5
	for found && !d.last && !p.Budget.Spent() {
		if w.parts++; w.parts > maxParts {
			w.TooMany = true
			return
		}
		body = body[d.end:]
		d, found = p.nextDelimiter(body, delim)
		q := Part{Closed: found || p.Closed, Body: body, Found: true, Budget: p.Budget}
		if found {
			q.Body = body[:d.start]
		}
		q.readHead()
		if q.ContentType == nil && digest {
			q.ContentType = []byte("message/rfc822")
		}
		w.Parts(q, depth+1, leaf, done)
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
	if !found && !p.Closed {
		w.Open = true
	}
}

// readHead splits the part's header from its body. Where the boundary is
// followed by an empty line and the header comes after it, the header is taken.
func (p *Part) readHead() {
	if rest := SkipEnvelope(p.Body, true); HasPrefixFold(rest, "content-") {
		p.Body = rest
	}
	b := p.Body
	for {
		f, rest, kind := readHeadField(b)
		switch kind {
		case FieldLine:
			p.headField(&f)
		case OtherLine:
			if bytes.HasPrefix(f.Value, []byte("--")) {
				rest, kind = b, BlankLine
			}
		}
		if kind == BlankLine || kind == EndOfData {
			whole := p.Body
			p.Head, p.Body = whole[:len(whole)-len(b)], rest
			p.HeadEnded = kind == BlankLine || p.Closed
			p.Budget.Spend(len(p.Head))
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
func readHeadField(b []byte) (f Field, rest []byte, kind lineKind) {
	isBlank := func(line []byte, ended bool) bool { return ended && len(bytes.Trim(line, " \t")) == 0 }
	line, next, ended := CutLine(b)
	if isBlank(line, ended) {
		return f, next, BlankLine
	}
	f, rest, kind = ReadField(b)
	for f.Folded && len(next) > len(rest) {
		line, behind, ended := CutLine(next)
		if isBlank(line, ended) {
			f, _, kind = ReadField(b[:len(b)-len(next)])
			return f, next, kind
		}
		next = behind
	}
	return f, rest, kind
}

// joinHead gives a message its header back where no blank line parts it from the
// part's own; b begins with that.
func (p *Part) joinHead(b []byte) {
	own := Part{}
	for {
		f, rest, kind := ReadField(b)
		if kind != FieldLine {
			return
		}
		if !IsMIMEField(f.Name) {
			break
		}
		own.headField(&f)
		b = rest
	}
	if IsOriginalType(MediaType(own.ContentType)) && LooksLikeHeader(b) && !LooksLikeHeader(p.Start()) {
		p.ContentType, p.Encoding, p.disposition, p.Body = own.ContentType, own.Encoding, own.disposition, b
	}
}

func (p *Part) headField(f *Field) {
	switch {
	case Is(f.Name, "content-type"):
		p.ContentType = f.Value
	case Is(f.Name, "content-transfer-encoding"):
		p.Encoding = f.Value
	case Is(f.Name, "content-disposition"):
		p.disposition = f.Value
	case Is(f.Name, "feedback-type"):
		p.ArfHead = true
	case Is(f.Name, "from"), Is(f.Name, "subject"), Is(f.Name, "message-id"), Is(f.Name, "received"):
		p.messageFields++
	}
}

// delimiter is where a boundary line stands: the part before it ends at start,
// the next one begins at end.
type delimiter struct {
	start, end int
	last       bool
}

func (p *Part) nextDelimiter(b, delim []byte) (delimiter, bool) {
	d, found := nextDelimiter(b, delim)
	if found {
		p.Budget.Spend(d.end)
	} else {
		p.Budget.Spend(len(b))
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
		line, rest, _ := CutLine(b[from:])
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
		line, rest, _ := CutLine(b)
		if bytes.HasPrefix(line, []byte("--")) && len(line) > 2 && len(line) <= maxBoundary+2 && HasPrefixFold(rest, "content-") {
			return bytes.TrimRight(line, " \t")
		}
		b = rest
	}
	return nil
}

// start is the first few kilobytes of the part's body, decoded.
func (p *Part) Start() []byte {
	start := *p
	start.Body = p.Body[:min(len(p.Body), 8<<10)]
	p.Budget.Spend(len(start.Body))
	return start.Decoded()
}

func IsMIMEField(name []byte) bool {
	return HasPrefixFold(name, "content-") || Is(name, "mime-version")
}

// looksLikeHeader reports whether b begins with two fields of a message, or with
// the one that RFC 9477 lets stand alone.
func LooksLikeHeader(b []byte) bool {
	b = SkipEnvelope(b, true)
	for range 2 {
		f, rest, kind := ReadField(b)
		if kind == FieldLine && Is(f.Name, "cfbl-feedback-id") {
			return true
		}
		if kind != FieldLine || !IsMessageField(f.Name) && !IsTraceField(f.Name) {
			return false
		}
		b = rest
	}
	return true
}

// isTraceField knows what mail servers write above a header.
func IsTraceField(name []byte) bool {
	for _, known := range [...]string{"received-spf", "authentication-results", "domainkey-signature", "envelope-to", "delivery-date", "feedback-id", "cfbl-address"} {
		if Is(name, known) {
			return true
		}
	}
	return HasPrefixFold(name, "arc-")
}

// isMailField knows the fields that a message's header begins with.
func IsMessageField(name []byte) bool {
	for _, known := range [...]string{"from", "to", "date", "subject", "message-id", "received", "return-path", "mime-version",
		"content-type", "content-transfer-encoding", "reply-to", "sender", "cc", "delivered-to", "dkim-signature", "list-unsubscribe", "list-id"} {
		if Is(name, known) {
			return true
		}
	}
	return HasPrefixFold(name, "x-")
}

// headerEnds reports whether the header at the start of b is whole: a blank
// line is there, and a line behind it that does not belong to it.
func HeaderEnds(b []byte) bool {
	b = SkipEnvelope(b, true)
	for {
		_, rest, kind := ReadField(b)
		if kind == EndOfData {
			return false
		}
		if kind == BlankLine && !GoesOn(rest) {
			return bytes.IndexByte(rest, '\n') >= 0
		}
		b = rest
	}
}

// goesOn reports whether a header goes on behind a blank line.
func GoesOn(b []byte) bool {
	f, _, kind := ReadField(b)
	return kind == FieldLine && IsMessageField(f.Name)
}

func IsOriginalType(typ []byte) bool {
	return HasPrefixFold(typ, "message/rfc822") || HasPrefixFold(typ, "text/rfc822") || Is(typ, "message/global") || Is(typ, "message/global-headers")
}

// isClosed reports whether a multipart has its closing delimiter.
func (p *Part) IsClosed() bool {
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
func (p *Part) delimiters(space []byte) (body, delim []byte, first delimiter, found, guessed bool) {
	body = p.Body
	delim = append(append(space, "--"...), Param(p.ContentType, "boundary")...)
	p.Budget.Spend(len(p.ContentType))
	if len(delim) > 2 && len(delim) <= maxBoundary+2 {
		if first, found = p.nextDelimiter(body, delim); !found && len(p.Encoding) > 0 { // RFC 2045 section 6.4 forbids it
			body = p.Decoded()
			first, found = p.nextDelimiter(body, delim)
		}
	}
	if !found {
		p.Budget.Spend(len(body))
		if delim = guessDelimiter(body); delim == nil {
			return body, nil, first, false, false
		}
		first, found = p.nextDelimiter(body, delim)
		guessed = true
	}
	return body, delim, first, found, guessed
}
