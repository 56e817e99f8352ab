package identify

import (
	"iter"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// uris are the URIs of a List-Unsubscribe (RFC 2369 section 2), without their
// brackets and the white space of folding; one without brackets is itself.
func uris(v string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if strings.IndexByte(v, '<') < 0 {
			yield(withoutBlanks(v))
			return
		}
		for range maxInstances + 1 {
			_, rest, open := strings.Cut(v, "<")
			uri, rest, closed := strings.Cut(rest, ">")
			if !open || !closed || !yield(withoutBlanks(uri)) {
				return
			}
			v = rest
		}
	}
}

// link is a URL of http or mailto.
type link struct {
	host  string
	path  []string // decoded segments; of mailto none
	to    string   // of mailto: the address
	query url.Values
}

// parseLink reads a URI. ok: it is one, with nothing broken in it.
func parseLink(v string) (l link, ok bool) {
	u, err := url.Parse(v)
	if err != nil {
		return l, false
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		l.host = u.Hostname()
		for segment := range strings.SplitSeq(strings.Trim(u.EscapedPath(), "/"), "/") {
			plain, err := url.PathUnescape(segment)
			if err != nil {
				return l, false
			}
			l.path = append(l.path, plain)
		}
	case "mailto":
		if l.to, err = url.PathUnescape(u.Opaque); err != nil {
			return l, false
		}
	default:
		return l, false
	}
	if u.RawQuery != "" {
		l.query, err = url.ParseQuery(u.RawQuery)
	}
	return l, err == nil
}

// one is the value of a parameter that occurs once.
func (l *link) one(key string) string {
	if values := l.query[key]; len(values) == 1 {
		return values[0]
	}
	return ""
}

// behind gives the segments after the last one that is name.
func (l *link) behind(name string) []string {
	for i := len(l.path) - 1; i >= 0; i-- {
		if strings.EqualFold(l.path[i], name) {
			return l.path[i+1:]
		}
	}
	return nil
}

// maxLocal is the longest local part: more octets than RFC 5321 section 4.5.3.1
// has, as forwarders make them.
const maxLocal = 256

// isAddress reports whether v is an address whose domain can be one of the
// Internet.
func isAddress(v string) bool {
	at := strings.LastIndexByte(v, '@')
	return at > 0 && at <= maxLocal && isWord(v) && strings.IndexByte(v[:at], '@') < 0 && isDomain(v[at+1:])
}

// isDomain reports whether v is a domain below a public suffix that there is:
// what is not could be two pieces of a token.
func isDomain(v string) bool {
	if len(v) > 253 || strings.IndexByte(v, '.') <= 0 {
		return false
	}
	lower := strings.ToLower(v)
	suffix, icann := publicsuffix.PublicSuffix(lower)
	if suffix == lower || !icann && strings.IndexByte(suffix, '.') < 0 {
		return false
	}
	for label := range strings.SplitSeq(v, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' || !each(label, ldh) {
			return false
		}
	}
	return true
}

// related reports whether two domains belong to one organisation.
func related(a, b string) bool {
	one, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(a))
	other, otherErr := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(b))
	return err == nil && otherErr == nil && one == other
}

// octets is a set of octets.
type octets [256]bool

func octetsOf(all string) *octets {
	var set octets
	for i := range len(all) {
		set[all[i]] = true
	}
	return &set
}

const (
	digits  = "0123456789"
	letters = "abcdefghijklmnopqrstuvwxyz" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

var (
	digit    = octetsOf(digits)
	hexDigit = octetsOf(digits + "abcdefABCDEF")
	alnum    = octetsOf(digits + letters)
	ldh      = octetsOf(digits + letters + "-")
	wordlike = octetsOf(digits + letters + "-_")
	base64s  = octetsOf(digits + letters + "+/-_")
	listIDs  = octetsOf(digits + letters + ".-_+=")
	uuids    = octetsOf(digits + "abcdefABCDEF-")
)

// each reports whether v is not empty and all its octets are in the set.
func each(v string, set *octets) bool {
	for i := range len(v) {
		if !set[v[i]] {
			return false
		}
	}
	return v != ""
}

// isUUID reports whether v has the form of RFC 9562 section 4.
func isUUID(v string) bool {
	return len(v) == 36 && v[8] == '-' && v[13] == '-' && v[18] == '-' && v[23] == '-' && each(v, uuids) && strings.Count(v, "-") == 4
}
