package identify

import (
	"strings"
)

// listID reads a List-ID (RFC 2919): the list is what was sent.
func listID(v string) (f found) {
	if open := strings.LastIndexByte(v, '<'); open >= 0 {
		id, rest, closed := strings.Cut(v[open+1:], ">")
		if !closed || strings.TrimSpace(rest) != "" {
			return f
		}
		v = id
	}
	if v = strings.TrimSpace(v); strings.IndexByte(v, '.') > 0 && alnum[v[0]] && each(v, listIDs) {
		f[campaign] = v
	}
	return f
}

// labels are the parameters whose names say what they hold, in lower case and
// with "_" for "-". Shorter ones (id, c, u) mean another thing to each sender,
// and are left to a rule of the user.
var labels = map[string]int{
	"subscriber": subscriber, "subscriber_id": subscriber, "subscriberid": subscriber, "subscriber_uuid": subscriber,
	"contact_id": subscriber, "contactid": subscriber, "recipient_id": subscriber, "recipientid": subscriber,
	"campaign": campaign, "campaign_id": campaign, "campaignid": campaign, "campaign_uuid": campaign,
	"mailing_id": campaign, "mailingid": campaign, "newsletter_id": campaign, "newsletterid": campaign,
	"tenant": tenant, "tenant_id": tenant, "tenantid": tenant,
	"customer_id": tenant, "customerid": tenant, "account_id": tenant, "accountid": tenant,
	"message_id": messageID, "messageid": messageID,
}

// addressLabels are parameters that hold the subscriber's address, if they hold
// one.
var addressLabels = map[string]bool{"email": true, "e_mail": true, "mail": true, "recipient": true, "rcpt": true, "address": true, "e": true}

// The longest name in the tables, and the shortest in labels.
const (
	maxLabel = len("subscriber_uuid")
	minLabel = len("tenant")
)

// canonical is a parameter's name as the tables have it; empty: they do not have it.
func canonical(space *[maxLabel]byte, key string) []byte {
	if len(key) > maxLabel {
		return nil
	}
	for i := range len(key) {
		switch c := key[i]; {
		case 'A' <= c && c <= 'Z':
			space[i] = c + 'a' - 'A'
		case c == '-':
			space[i] = '_'
		case 'a' <= c && c <= 'z', c == '_':
			space[i] = c
		default:
			return nil
		}
	}
	return space[:len(key)]
}

// label names the field that a parameter holds, -1: none that is known.
func label(key string) int {
	var space [maxLabel]byte
	if name := canonical(&space, key); len(name) >= minLabel {
		if i, known := labels[string(name)]; known {
			return i
		}
	}
	return -1
}

// holdsAddress reports whether a parameter of that name may hold the address.
func holdsAddress(key string) bool {
	var space [maxLabel]byte
	name := canonical(&space, key)
	return len(name) > 0 && addressLabels[string(name)]
}

// set sets a field, unless it has another value: then it is ambiguous, and ok
// is false.
func (f *found) set(i int, v string) (ok bool) {
	if f[i] != "" && f[i] != v {
		return false
	}
	f[i] = v
	return true
}

// listUnsubscribe reads one URI of List-Unsubscribe (RFC 2369, RFC 8058): the
// parameters and path segments that say what they hold, an address in the path
// that is none of the sender's own, such as the list's, and a VERP form in the
// address of a mailto.
func listUnsubscribe(v string) (f found) {
	if !mayTell(v) {
		return f
	}
	return tell(v)
}

func tell(v string) (f found) {
	l, ok := parseLink(v)
	if !ok {
		return f
	}
	var address string
	for key, values := range l.query {
		if i := label(key); i >= 0 && (len(values) != 1 || !f.set(i, values[0])) {
			return found{}
		}
		if !holdsAddress(key) {
			continue
		}
		for _, v := range values {
			if v = addressIn(v); v != "" && address != "" && address != v {
				return found{}
			} else if v != "" {
				address = v
			}
		}
	}
	for n, segment := range l.path {
		if i := label(segment); i >= 0 && n+1 < len(l.path) && isToken(l.path[n+1]) && !f.set(i, l.path[n+1]) {
			return found{}
		}
		v := addressIn(segment)
		if v != "" && related(v[strings.LastIndexByte(v, '@')+1:], l.host) {
			v = ""
		}
		if v != "" && address != "" && address != v {
			return found{}
		} else if v != "" {
			address = v
		}
	}
	if address == "" && l.to != "" {
		address = verp(l.to)[subscriber]
	}
	if f[subscriber] == "" {
		f[subscriber] = address
	}
	return f
}

// mayTell reports whether listUnsubscribe may make anything of a URI. It asks before
// parseLink does all the work, and says no only if that is certain.
func mayTell(v string) bool {
	path, query, _ := strings.Cut(v, "?")
	if strings.IndexByte(path, '%') >= 0 || strings.IndexByte(v, '#') >= 0 {
		return true
	}
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		key, _, _ := strings.Cut(pair, "=")
		if strings.ContainsAny(key, "%+") || label(key) >= 0 || holdsAddress(key) {
			return true
		}
	}
	if hasPrefixFold(path, "mailto:") {
		return strings.IndexByte(path, '=') >= 0
	}
	for segment := range strings.SplitSeq(path, "/") {
		if label(segment) >= 0 || addressIn(segment) != "" {
			return true
		}
	}
	return false
}

// isToken reports whether a segment can be an identifier: it holds a digit.
func isToken(v string) bool {
	return isWord(v) && strings.ContainsAny(v, "0123456789")
}

// addressIn is the address that v is, in clear or in base64.
func addressIn(v string) string {
	if isAddress(v) {
		return v
	}
	if len(v) >= 12 && each(strings.TrimRight(v, "="), base64s) {
		if b, err := unbase64(v); err == nil && isAddress(string(b)) {
			return string(b)
		}
	}
	return ""
}
