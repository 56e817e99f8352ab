package identify

import (
	"strings"
)

// maxWrapped is how many forwarders' rewritings are undone.
const maxWrapped = 4

// unwrap undoes what forwarders and signers make of an envelope sender: SRS0 and
// SRS1 (libsrs2.net/srs/srs.pdf), BATV's prvs (draft-levine-smtp-batv-01) and
// Barracuda's btv1.
func unwrap(v string) (local, domain string, ok bool) {
	for range maxWrapped {
		if !isAddress(v) {
			return "", "", false
		}
		at := strings.LastIndexByte(v, '@')
		local, domain = v[:at], v[at+1:]
		tag, rest, tagged := strings.Cut(local, "=")
		switch tag = strings.ToUpper(tag); {
		case len(local) > 4 && (strings.HasPrefix(tag, "SRS0") || strings.HasPrefix(tag, "SRS1")) && strings.IndexByte("=-+", local[4]) >= 0:
			p := strings.Split(local[5:], "=")
			if tag[3] == '1' { // hash, forwarder, "" and what SRS0 has
				if len(p) < 3 {
					return "", "", false
				}
				p = p[2:]
				if p[0] == "" {
					p = p[1:]
				} else if p[0] = strings.TrimLeft(p[0], "+-"); p[0] == "" {
					return "", "", false
				}
			}
			if len(p) < 4 { // hash, time stamp, domain, local part
				return "", "", false
			}
			v = strings.Join(p[3:], "=") + "@" + p[2]
		case tagged && tag == "PRVS":
			signature, name, ok := strings.Cut(rest, "=")
			if !ok { // an older draft's
				name, signature, ok = strings.Cut(rest, "/")
			}
			if !ok || len(signature) != 10 || !each(signature, alnum) {
				return "", "", false
			}
			v = name + "@" + domain
		case tagged && tag == "BTV1":
			signature, name, ok := strings.Cut(strings.TrimPrefix(rest, "="), "==")
			if !ok || !each(signature, alnum) {
				return "", "", false
			}
			v = name + "@" + domain
		default:
			return local, domain, true
		}
	}
	return "", "", false
}

// bounceWords are what the local part of a VERP address begins with, where
// hyphens are to be told from those of the recipient's own.
var bounceWords = []string{"bounce", "bounces", "return", "returns", "verp", "unsubscribe", "unsub", "leave"}

// verp reads the recipient out of a variable envelope return path
// (cr.yp.to/proto/verp.txt; postfix.org/VERP_README.html): list+local=domain@,
// bounce-local=domain@ or local=domain@. Where it is unclear at which of
// several delimiters the recipient begins, there is none.
func verp(v string) (f found) {
	if strings.IndexByte(v, '=') < 0 {
		return f
	}
	local, _, ok := unwrap(v)
	if !ok {
		return f
	}
	rcpt, ok := unequal(local)
	if !ok {
		return f
	}
	// ezmlm: LIST-return-NUMBER-local=domain, where all after that is the recipient
	if _, behind, ok := strings.Cut(rcpt, "-return-"); ok {
		if number, name, ok := strings.Cut(behind, "-"); ok && each(number, digit) && isAddress(name) {
			f[subscriber] = name
		}
		return f
	}
	name, plus, ok := strings.Cut(rcpt, "+")
	at := strings.LastIndexByte(rcpt, '@')
	switch {
	case ok && strings.HasSuffix(name, "-bounces"): // Mailman
		f[subscriber] = plus
	case strings.ContainsAny(rcpt[:at], "+"):
		if at := strings.LastIndexByte(plus, '@'); at > 0 && !strings.ContainsAny(plus[:at], "+-") {
			f[subscriber] = plus
		}
	case strings.Count(rcpt[:at], "-") == 1:
		word, name, _ := strings.Cut(rcpt, "-")
		for _, known := range bounceWords {
			if strings.EqualFold(word, known) {
				f[subscriber] = name
			}
		}
	case !strings.Contains(rcpt[:at], "-"):
		f[subscriber] = rcpt
	}
	if !isAddress(f[subscriber]) {
		f[subscriber] = ""
	}
	return f
}

// unequal makes an address of local=domain.
func unequal(v string) (address string, ok bool) {
	i := strings.LastIndexByte(v, '=')
	if i <= 0 {
		return "", false
	}
	address = v[:i] + "@" + v[i+1:]
	return address, strings.IndexByte(v[:i], '=') < 0 && isAddress(address)
}
