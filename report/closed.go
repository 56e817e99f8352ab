package report

import "github.com/fblwatch/fblwatch/internal/message"

// Closed reports whether a message ends as its outermost multipart says: by the
// closing delimiter (RFC 2046 section 5.1.1) of the boundary that Parse splits it
// by. For a message that is no multipart it reports whether its header has an end;
// nothing else can be known of it. A server that gives fewer octets of a message
// than it has can so be found out.
func Closed(b []byte) (closed, multipart bool) {
	sent := behindBlanks(message.SkipEnvelope(message.LineFeeds(b), false))
	for range message.MaxDepth {
		var h outerHeader
		body, _ := h.read(sent)
		top := message.Part{ContentType: h.contentType.Value, Encoding: h.encoding.Value, Body: body}
		typ := message.MediaType(top.ContentType)
		switch {
		case body == nil:
			return false, message.HasPrefixFold(typ, "multipart/")
		case message.HasPrefixFold(typ, "multipart/"), h.contentType.Name == nil && h.isFramed(body):
			return top.IsClosed(), true
		case !message.Is(typ, "message/rfc822") && !message.Is(typ, "message/global"):
			return true, false
		}
		sent = message.SkipEnvelope(top.Decoded(), true)
	}
	return false, true
}
