package identify

import (
	"strings"
)

// postmarkRecipient reads X-PM-RCPT: between bars, base64 of
// stream|account|server|recipient.
func postmarkRecipient(v string) (f found) {
	v = withoutBlanks(v)
	inner, opened := strings.CutPrefix(v, "|")
	inner, closed := strings.CutSuffix(inner, "|")
	b, err := unbase64(inner)
	if !opened || !closed || err != nil {
		return f
	}
	p := strings.Split(string(b), "|")
	if len(p) == 4 && each(p[1], digit) && each(p[2], digit) && isAddress(p[3]) {
		f[tenant], f[subscriber] = p[2], p[3]
	}
	return f
}

// postmarkTag reads X-PM-Tag, of which a message has one.
func postmarkTag(v string) (f found) {
	f[campaign] = v
	return f
}

// postmarkMessage reads X-PM-Message-Id, the MessageID of Postmark's API.
func postmarkMessage(v string) (f found) {
	if isUUID(v) {
		f[messageID] = v
	}
	return f
}
