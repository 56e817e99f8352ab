package identify

import (
	"encoding/json"
	"strings"
)

// mailgunSid reads X-Mailgun-Sid: base64 of a JSON list of three strings, of
// which the second is the recipient.
func mailgunSid(v string) (f found) {
	b, err := unbase64(withoutBlanks(v))
	var list []string
	if err != nil || json.Unmarshal(b, &list) != nil || len(list) != 3 {
		return f
	}
	if isAddress(list[1]) {
		f[subscriber] = list[1]
	}
	return f
}

// mailgunBounce reads Mailgun's envelope sender: bounce+HEX.HEX-local=domain@.
func mailgunBounce(v string) (f found) {
	if strings.IndexByte(v, '=') < 0 || !strings.Contains(v, "bounce+") {
		return f
	}
	local, _, ok := unwrap(v)
	if !ok || !strings.HasPrefix(local, "bounce+") {
		return f
	}
	ids, name, ok := strings.Cut(strings.TrimPrefix(local, "bounce+"), "-")
	message, account, two := strings.Cut(ids, ".")
	if !ok || !two || !each(message, hexDigit) || !each(account, hexDigit) {
		return f
	}
	if rcpt, ok := unequal(name); ok {
		f[subscriber] = rcpt
	}
	return f
}

// mailgunVariables reads the sender's own variables: a JSON object in each
// X-Mailgun-Variables, which count together (documentation.mailgun.com,
// "Attaching Data to Messages").
func mailgunVariables(v string) (f found) {
	o, ok := object([]byte(v))
	if !ok {
		return f
	}
	for key, v := range o {
		if i := label(key); i >= 0 && !f.set(i, v) {
			return found{}
		}
	}
	return f
}

// mailgunTag reads X-Mailgun-Tag and the older X-Mailgun-Campaign-Id. A message
// can have several tags: then none of them is the campaign.
func mailgunTag(v string) (f found) {
	f[campaign] = v
	return f
}

// mailgunMessage knows Mailgun's Message-ID: time.number.hex@domain, or, of
// the API, time.hex@domain.
func mailgunMessage(v string) (f found) {
	id := bare(v)
	local, domain, _ := strings.Cut(id, "@")
	if strings.IndexByte(local, '.') != 14 {
		return f
	}
	p := strings.Split(local, ".")
	n := len(p) - 1
	if (n == 1 || n == 2) && each(p[0], digit) && (n == 1 || each(p[1], digit)) &&
		len(p[n]) >= 16 && each(p[n], hexDigit) && isDomain(domain) {
		f[messageID] = id
	}
	return f
}
