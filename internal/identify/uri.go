package identify

import (
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// uris are the URIs of a List-Unsubscribe (RFC 2369 section 2), without their
// brackets and the white space of folding; one without brackets is itself.
func uris(v string) (all []string) {
	if strings.IndexByte(v, '<') < 0 {
		return []string{withoutBlanks(v)}
	}
	for len(all) <= maxInstances {
		_, rest, open := strings.Cut(v, "<")
		uri, rest, closed := strings.Cut(rest, ">")
		if !open || !closed {
			break
		}
		all = append(all, withoutBlanks(uri))
		v = rest
	}
	return all
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
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' || !each(label, isAlnum, "-") {
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

// each reports whether all octets of v, which is not empty, are of a class or
// among more.
func each(v string, class func(byte) bool, more string) bool {
	for i := range len(v) {
		if !class(v[i]) && strings.IndexByte(more, v[i]) < 0 {
			return false
		}
	}
	return v != ""
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isHex(c byte) bool   { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }
func isAlnum(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// isUUID reports whether v has the form of RFC 9562 section 4.
func isUUID(v string) bool {
	return len(v) == 36 && v[8] == '-' && v[13] == '-' && v[18] == '-' && v[23] == '-' && each(v, isHex, "-") && strings.Count(v, "-") == 4
}
