package identify

import (
	"strings"
)

// Mailtrain (github.com/Mailtrain-org/mailtrain, server/lib/message-sender.js):
// X-FBL is CAMPAIGN.LIST.SUBSCRIPTION, three short ids; List-Unsubscribe is
// .../subscription/LIST/unsubscribe/SUBSCRIPTION. Its envelope sender has the
// form of X-FBL too, but so has many a person's address: it is not read.

func mailtrainFBL(v string) (f found) {
	p := strings.Split(v, ".")
	if len(p) == 3 && isShortID(p[0]) && isShortID(p[1]) && isShortID(p[2]) {
		f[campaign], f[subscriber] = p[0], p[2]
	}
	return f
}

func mailtrainURL(v string) (f found) {
	if !strings.Contains(v, "/subscription/") {
		return f
	}
	l, ok := parseLink(v)
	if p := l.behind("subscription"); ok && len(p) == 3 && p[1] == "unsubscribe" && isShortID(p[0]) && isShortID(p[2]) {
		f[subscriber] = p[2]
	}
	return f
}

func isShortID(v string) bool {
	return len(v) >= 7 && len(v) <= 14 && each(v, wordlike)
}
