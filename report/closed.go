package report

// Closed reports whether a message ends as its outermost multipart says: by the
// closing delimiter (RFC 2046 section 5.1.1) of the boundary that Parse splits it
// by. For a message that is no multipart it reports whether its header has an end;
// nothing else can be known of it. A server that gives fewer octets of a message
// than it has can so be found out.
func Closed(b []byte) (closed, multipart bool) {
	message := behindBlanks(skipEnvelope(lineFeeds(b), false))
	for range maxDepth {
		var h outerHeader
		body, _ := h.read(message)
		top := part{contentType: h.contentType.value, encoding: h.encoding.value, body: body}
		typ := mediaType(top.contentType)
		switch {
		case body == nil:
			return false, hasPrefixFold(typ, "multipart/")
		case hasPrefixFold(typ, "multipart/"), h.contentType.name == nil && h.isFramed(body):
			return top.isClosed(), true
		case !is(typ, "message/rfc822") && !is(typ, "message/global"):
			return true, false
		}
		message = skipEnvelope(top.decoded(), true)
	}
	return false, true
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
