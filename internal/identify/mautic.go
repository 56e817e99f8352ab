package identify

import (
	"strings"
)

// Mautic (github.com/mautic/mautic, EmailBundle): each message to each contact has
// a hash, in .../email/unsubscribe/HASH, in +unsubscribe_HASH@ and in the
// envelope sender, +bounce_HASH@. It is what Mautic itself finds the contact by,
// and identifies the subscriber. X-EMAIL-ID is the number of the mailing.

func mauticURI(v string) (f found) {
	if !strings.Contains(v, "/email/unsubscribe/") && !strings.Contains(v, "+unsubscribe_") {
		return f
	}
	l, ok := parseLink(v)
	if !ok {
		return f
	}
	p := l.behind("unsubscribe")
	if n := len(l.path) - len(p); len(p) > 0 && n > 1 && l.path[n-2] == "email" && isMauticHash(p[0]) && (len(p) == 1 || len(p) == 3) {
		f[subscriber] = p[0]
	}
	if l.to != "" {
		f[subscriber] = mauticHash(l.to, "+unsubscribe_")
	}
	return f
}

func mauticBounce(v string) (f found) {
	if !strings.Contains(v, "+bounce_") {
		return f
	}
	if local, domain, ok := unwrap(v); ok {
		f[subscriber] = mauticHash(local+"@"+domain, "+bounce_")
	}
	return f
}

func mauticEmail(v string) (f found) {
	if each(v, digit) {
		f[campaign] = v
	}
	return f
}

// mauticHash is the hash after a mark in the local part of an address.
func mauticHash(address, mark string) string {
	local, _, _ := strings.Cut(address, "@")
	if _, hash, ok := strings.Cut(local, mark); ok && isMauticHash(hash) {
		return hash
	}
	return ""
}

// isMauticHash: PHP's uniqid with more entropy, the dot taken out.
func isMauticHash(v string) bool {
	return len(v) >= 20 && len(v) <= 24 && each(v, hexDigit)
}
