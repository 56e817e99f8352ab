package identify

import (
	"strings"
)

// phpList (github.com/phpList/phplist3, class.phplistmailer.php): X-ListMember
// is the subscriber's address, in some versions the number or the unique id;
// X-MessageID is the campaign's number; List-Unsubscribe has
// ?p=unsubscribe&uid=HASH.

func phplistMember(v string) (f found) {
	if isAddress(v) || each(v, digit) || len(v) == 32 && each(v, hexDigit) {
		f[subscriber] = v
	}
	return f
}

func phplistMessage(v string) (f found) {
	if len(v) <= 10 && each(v, digit) {
		f[campaign] = v
	}
	return f
}

func phplistURL(v string) (f found) {
	if !strings.Contains(v, "p=unsubscribe") {
		return f
	}
	l, ok := parseLink(v)
	if uid := l.one("uid"); ok && l.one("p") == "unsubscribe" && len(uid) == 32 && each(uid, hexDigit) {
		f[subscriber] = uid
	}
	return f
}
