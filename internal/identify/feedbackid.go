package identify

import (
	"strings"
)

// feedbackID reads a Feedback-ID: four pieces, of which the last names the
// sender. The first is the campaign and the second the customer, as Google has
// it (support.google.com/a/answer/6254652) and most senders do; those known to
// use another order differ by the last.
func feedbackID(v string) (f found) {
	var p [4]string
	n := -1
	for piece := range strings.SplitSeq(v, ":") {
		if n++; n == len(p) {
			return f
		}
		if p[n] = strings.TrimSpace(piece); !isWord(p[n]) && p[n] != "" {
			return f
		}
	}
	switch sender := p[n]; {
	case n == 1 && sender == "SG": // SendGrid: user
		f[tenant] = p[0]
	case n != 3 || len(sender) < 2 || len(sender) > 40:
	case sender == "mc": // Mailchimp: user, user.campaign, cluster
		if user, of, ok := strings.Cut(p[1], "."); ok && user == p[0] {
			f[tenant], f[campaign] = user, of
		}
	case sender == "postmark": // server-base64(tag), server, account
		f[tenant] = p[1]
		if _, tag, ok := strings.Cut(p[0], "-"); ok && tag != "_" {
			if b, err := unbase64(tag); err == nil {
				f[campaign] = string(b)
			}
		}
	default:
		f[campaign], f[tenant] = p[0], p[1]
	}
	return f
}

// cfblFeedbackID reads a CFBL-Feedback-ID (RFC 9477 section 3.2), in which
// white space does not count. It is opaque: what it names is the message.
func cfblFeedbackID(v string) (f found) {
	f[messageID] = withoutBlanks(v)
	return f
}

// isWord reports whether v is visible ASCII without quotes and brackets.
func isWord(v string) bool {
	return each(v, visible)
}

var visible = octetsOf(digits + letters + "!#$%&*+-./:=?@^_`{|}~")
