package identify

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// mailerInfo reads the X-Mailer-Info that some bulk senders write:
// number.recipient.campaign, the last two reversed, in base64, and reversed
// again. Others use the name for anything: only an address counts.
func mailerInfo(v string) (f found) {
	p := strings.Split(withoutBlanks(v), ".")
	if len(p) < 2 || len(p) > 3 || !each(p[0], digit) {
		return f
	}
	rcpt, ok := unreverse(p[1])
	if !ok || !isAddress(rcpt) {
		return f
	}
	f[subscriber] = rcpt
	if len(p) == 3 {
		if f[campaign], ok = unreverse(p[2]); !ok {
			return found{}
		}
	}
	return f
}

// unreverse undoes one piece.
func unreverse(v string) (plain string, ok bool) {
	b := []byte(v)
	slices.Reverse(b)
	b, err := unbase64(string(b))
	slices.Reverse(b)
	return string(b), err == nil && utf8.Valid(b)
}
