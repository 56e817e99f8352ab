package report

import "github.com/fblwatch/fblwatch/internal/message"

// Closed reports whether a message has its end, so that a caller notices a server
// that gives fewer octets than the message has. A multipart ends with the closing
// delimiter (RFC 2046 section 5.1.1) of the boundary by which Parse splits it. Of any
// other message, closed reports only whether its header has an end. A message that
// is a message/rfc822 counts as the message in it, through 20 levels.
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
