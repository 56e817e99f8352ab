package identify

import (
	"strings"
)

// messageIDPattern knows the Message-IDs that say more than their own identity.
func messageIDPattern(v string) (f found) {
	local, domain, ok := strings.Cut(bare(v), "@")
	if !ok {
		return f
	}
	switch domain = strings.ToLower(domain); {
	case domain == "mtasv.net": // Postmark: the MessageID of its API
		if isUUID(local) {
			f[messageID] = local
		}
	case strings.HasSuffix(domain, ".mcsv.net"): // Mailchimp: account, recipient, time, campaign, hex
		p := strings.Split(local, ".")
		if len(p) == 5 && len(p[0]) == 25 && len(p[1]) == 10 && len(p[2]) == 14 && len(p[3]) == 10 &&
			each(p[0]+p[1]+p[3], hexDigit) && each(p[2], digit) {
			f[tenant], f[subscriber], f[campaign] = p[0], p[1], p[3]
		}
	case strings.HasSuffix(domain, ".mandrillapp.com"): // account, time, hex, number
		p := strings.Split(local, ".")
		if len(p) == 4 && each(p[0], digit) && len(p[1]) == 14 && each(p[1], digit) && each(p[2], hexDigit) && each(p[3], hexDigit) {
			f[tenant] = p[0]
		}
	}
	return f
}

// aolText reads the sentence of AOL's first part that names the Message-ID; the
// header of the reported message there has it blotted out.
func aolText(v string) (f found) {
	const before = "with the message-id of "
	v = strings.Join(strings.Fields(v[:min(len(v), maxValue)]), " ")
	at := strings.Index(v, before)
	if at < 0 || strings.Contains(v[at+1:], before) {
		return f
	}
	id, _, ended := strings.Cut(v[at+len(before):], " received from")
	if id = bare(id); ended && isWord(id) {
		f[messageID] = id
	}
	return f
}
