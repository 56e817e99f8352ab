package identify

import (
	"strings"
)

// sendgridBounce reads SendGrid's envelope sender:
// bounces+USER-HEX4-local=domain@.
func sendgridBounce(v string) (f found) {
	if strings.IndexByte(v, '=') < 0 || !strings.Contains(v, "bounces+") {
		return f
	}
	local, _, ok := unwrap(v)
	if !ok || !strings.HasPrefix(local, "bounces+") {
		return f
	}
	p := strings.SplitN(strings.TrimPrefix(local, "bounces+"), "-", 3)
	if len(p) != 3 || !each(p[0], digit) || len(p[1]) != 4 || !each(p[1], hexDigit) {
		return f
	}
	if rcpt, ok := unequal(p[2]); ok {
		f[tenant], f[subscriber] = p[0], rcpt
	}
	return f
}

// sendgridMessage knows SendGrid's Message-ID, whose local part begins the
// sg_message_id of its events: TOKEN@geopod-ismtpd-3-0.
func sendgridMessage(v string) (f found) {
	local, domain, ok := strings.Cut(bare(v), "@")
	if ok && (strings.HasPrefix(domain, "geopod-ismtpd") || strings.HasPrefix(domain, "ismtpd")) && len(local) >= 16 && each(local, wordlike) {
		f[messageID] = local
	}
	return f
}

// sendgridEvent takes X-SG-EID as it is: base64 of what only SendGrid can read,
// another for each message.
func sendgridEvent(v string) (f found) {
	id := withoutBlanks(v)
	if b, err := unbase64(strings.TrimPrefix(id, "u001.")); err == nil && len(b) >= 16 {
		f[messageID] = id
	}
	return f
}
