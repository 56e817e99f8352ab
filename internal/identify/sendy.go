package identify

import (
	"strings"
)

// sendyURL reads Sendy's List-Unsubscribe (sendy.co, includes/helpers):
// .../unsubscribe/SUBSCRIBER/LIST/CAMPAIGN, and /a after it for an
// autoresponder. Each is enciphered and in base64 whose other signs are
// replaced by digits, so that it can be told only by Sendy itself.
func sendyURL(v string) (f found) {
	if !strings.Contains(v, "/unsubscribe/") {
		return f
	}
	l, ok := parseLink(v)
	p := l.behind("unsubscribe")
	if len(p) == 4 && p[3] == "a" {
		p = p[:3]
	}
	if !ok || len(l.query) > 0 || len(p) != 3 {
		return f
	}
	for _, token := range p {
		if len(token) < 20 || !each(token, alnum) {
			return f
		}
	}
	f[subscriber], f[campaign] = p[0], p[2]
	return f
}
