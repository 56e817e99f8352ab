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
