package identify

import (
	"strings"
)

// Mailman 2 and 3 (docs.mailman3.org, VERP): the envelope sender is
// LIST-bounces+local=domain@, and X-BeenThere names the list. Mailman 2 has the
// member in the options page of a personal List-Unsubscribe,
// .../options/LIST/local--at--domain.

func mailmanBounce(v string) (f found) {
	if !strings.Contains(v, "-bounces+") {
		return f
	}
	local, domain, ok := unwrap(v)
	list, member, verp := strings.Cut(local, "-bounces+")
	if !ok || !verp || list == "" {
		return f
	}
	if rcpt, ok := unequal(member); ok {
		f[subscriber], f[campaign] = rcpt, list+"@"+domain
	}
	return f
}

func mailmanOptions(v string) (f found) {
	if !strings.Contains(v, "--at--") {
		return f
	}
	l, ok := parseLink(v)
	if p := l.behind("options"); ok && len(p) == 2 {
		local, domain, at := strings.Cut(p[1], "--at--")
		if rcpt := local + "@" + domain; at && isAddress(rcpt) {
			f[subscriber] = rcpt
		}
	}
	return f
}

func mailmanList(v string) (f found) {
	if isAddress(v) {
		f[campaign] = v
	}
	return f
}
