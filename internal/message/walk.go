package message

import (
	"bytes"
)

// Part is one MIME part, or the beginning of one. Its slices point into the message.
type Part struct {
	ContentType   []byte // value of the field; nil: there is none
	Encoding      []byte
	disposition   []byte
	Head          []byte // the header
	ArfHead       bool   // the header holds a Feedback-Type (RFC 5965): the fields of a report are there
	messageFields int    // fields of a message in the header
	HeadEnded     bool   // a blank line or a boundary follows the header
	Body          []byte
	Closed        bool // a boundary follows the part: it is complete
	Found         bool
	Budget        *Budget
}

// Walk walks the parts of a message and notes deviations. The zero value is ready.
type Walk struct {
	Open    bool // a multipart has no closing boundary
	Guessed bool // a boundary is not the one that is declared
	TooMany bool // the message has more than 1,000 parts: the rest is skipped
	TooDeep bool // a multipart lies within MaxDepth others: it is skipped

	// Enter, if it is not nil, is called with each part before the parts within it.
	// depth counts the multiparts around it.
	Enter func(p Part, depth int)

	parts int
}

// Parts calls leaf with each part of p that is no multipart, in order, or with p itself.
// After each part of a multipart it calls done, if done is not nil, with the octets that
// follow the part there, and ends if done returns true.
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

// readHead splits the header of the part from its body. The header may also follow
// blank lines after the boundary.
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

// readHeadField is ReadField for the header of a part. A line of white space ends that
// header as an empty line does: a signature makes no difference between the two (RFC
// 6376 section 3.4.4), so anybody who passes a message on can exchange them.
func readHeadField(b []byte) (f Field, rest []byte, kind LineKind) {
	isBlank := func(line []byte, ended bool) bool { return ended && len(bytes.Trim(line, " \t")) == 0 }
	f, rest, kind = ReadField(b)
	if kind == OtherLine && isBlank(f.Value, f.Ended) {
		return f, rest, BlankLine
	}
	if !f.Folded {
		return f, rest, kind
	}
	_, next, _ := CutLine(b)
	for len(next) > len(rest) {
		line, behind, ended := CutLine(next)
		if isBlank(line, ended) {
			f, _, kind = ReadField(b[:len(b)-len(next)])
			return f, next, kind
		}
		next = behind
	}
	return f, rest, kind
}

// joinHead moves the header of an attached message to the body if no blank line divides
// it from the header of the part. b begins with the latter.
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
	var space [32]byte
	switch string(f.LowerName(&space)) {
	case "content-type":
		p.ContentType = f.Value
	case "content-transfer-encoding":
		p.Encoding = f.Value
	case "content-disposition":
		p.disposition = f.Value
	case "feedback-type":
		p.ArfHead = true
	case "from", "subject", "message-id", "received":
		p.messageFields++
	}
}

// delimiter is the place of a boundary line: the part before it ends at start, the
// next part begins at end.
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
		i := indexDelimiter(b[from:], delim)
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

// indexDelimiter is bytes.Index. Most boundaries have a "_", which is rarer in texts than
// a hyphen.
func indexDelimiter(b, delim []byte) int {
	rare := bytes.IndexByte(delim, '_')
	if rare < 0 {
		return bytes.Index(b, delim)
	}
	for at := 0; at+len(delim) <= len(b); at++ {
		n := bytes.IndexByte(b[at+rare:], '_')
		if n < 0 {
			break
		}
		if at += n; bytes.HasPrefix(b[at:], delim) {
			return at
		}
	}
	return -1
}

// guessDelimiter is the first line that begins with "--" and precedes a header field
// of a part.
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

// Start returns the first 8 KiB of the body, decoded.
func (p *Part) Start() []byte {
	start := *p
	start.Body = p.Body[:min(len(p.Body), 8<<10)]
	p.Budget.Spend(len(start.Body))
	return start.Decoded()
}

// IsMIMEField reports whether the field is of MIME (RFC 2045 section 3).
func IsMIMEField(name []byte) bool {
	return HasPrefixFold(name, "content-") || Is(name, "mime-version")
}

// LooksLikeHeader reports whether b begins with two fields of a message, or with
// CFBL-Feedback-ID alone (RFC 9477).
func LooksLikeHeader(b []byte) bool {
	b = SkipEnvelope(b, true)
	for range 2 {
		f, rest, kind := ReadField(b)
		if kind == FieldLine && Is(f.Name, "cfbl-feedback-id") {
			return true
		}
		if kind != FieldLine || !isMessageField(f.Name) && !isTraceField(f.Name) {
			return false
		}
		b = rest
	}
	return true
}

// isTraceField reports whether mail servers write the field above a header.
func isTraceField(name []byte) bool {
	for _, known := range [...]string{"received-spf", "authentication-results", "domainkey-signature", "envelope-to", "delivery-date", "feedback-id", "cfbl-address"} {
		if Is(name, known) {
			return true
		}
	}
	return HasPrefixFold(name, "arc-")
}

// isMessageField reports whether the header of a message may begin with the field.
func isMessageField(name []byte) bool {
	for _, known := range [...]string{"from", "to", "date", "subject", "message-id", "received", "return-path", "mime-version",
		"content-type", "content-transfer-encoding", "reply-to", "sender", "cc", "delivered-to", "dkim-signature", "list-unsubscribe", "list-id"} {
		if Is(name, known) {
			return true
		}
	}
	return HasPrefixFold(name, "x-")
}

// HeaderEnds reports whether the header at the start of b is complete: a blank line
// follows it, and then a line that does not belong to it.
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

// GoesOn reports whether a header goes on in b, which follows a blank line.
func GoesOn(b []byte) bool {
	f, _, kind := ReadField(b)
	return kind == FieldLine && isMessageField(f.Name)
}

// IsOriginalType reports whether a part of the type holds a message or its header.
func IsOriginalType(typ []byte) bool {
	return HasPrefixFold(typ, "message/rfc822") || HasPrefixFold(typ, "text/rfc822") || Is(typ, "message/global") || Is(typ, "message/global-headers")
}

// IsClosed reports whether a multipart has its closing delimiter (RFC 2046 section
// 5.1.1).
func (p *Part) IsClosed() bool {
	var space [128]byte
	body, delim, d, found, _ := p.delimiters(space[:0])
	for found && !d.last {
		body = body[d.end:]
		d, found = nextDelimiter(body, delim)
	}
	return found
}

// delimiters finds the first delimiter of a multipart. body and delim are for the search
// for the next ones; delim is written to space. guessed: delim is not the declared
// boundary.
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
