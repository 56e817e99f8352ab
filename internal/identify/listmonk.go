package identify

import (
	"strings"
)

// listmonk (github.com/knadh/listmonk, models): X-Listmonk-Subscriber and
// X-Listmonk-Campaign are UUIDs; List-Unsubscribe is
// .../subscription/CAMPAIGN/SUBSCRIBER. A UUID of zeros is a test message's.

func listmonkSubscriber(v string) (f found) {
	if isUUID(v) {
		f[subscriber] = v
	}
	return f
}

func listmonkCampaign(v string) (f found) {
	if isUUID(v) {
		f[campaign] = v
	}
	return f
}

func listmonkURL(v string) (f found) {
	if !strings.Contains(v, "/subscription/") {
		return f
	}
	l, ok := parseLink(v)
	if p := l.behind("subscription"); ok && len(p) == 2 && isUUID(p[0]) && isUUID(p[1]) {
		f[campaign], f[subscriber] = p[0], p[1]
	}
	return f
}
