package imapclient

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// veil replaces secrets in the texts of a server by <secret>: a password or token as
// it is, as a quoted string, and within base64, as in SASL responses. Every text for
// people passes it before it is cut, shown or passed on.
type veil struct {
	plain  [][]byte // the secret, and with quotes and backslashes escaped
	base64 [][]byte // the part of it within base64 that is certain, at each of three offsets
}

// freely is the length from which a secret is replaced within words too. A shorter
// one must be a word: otherwise "pass" would make "<secret>word" of password.
const freely = 8

// prose are words that servers use anyway. As a password they are replaced only if
// they are quoted or assigned.
var prose = map[string]bool{
	"wrong": true, "invalid": true, "bad": true, "failed": true, "error": true, "denied": true, "unknown": true, "no": true, "not": true,
	"user": true, "login": true, "account": true, "server": true,
}

func (v *veil) hide(s Secret) {
	secret := []byte(s.Reveal())
	if len(secret) == 0 {
		return
	}
	quoted := quote(secret)
	for _, form := range [][]byte{secret, quoted[1 : len(quoted)-1], []byte(clean(string(secret)))} {
		v.plain = add(v.plain, form)
	}
	for offset := range 3 {
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			code := enc.EncodeToString(append(make([]byte, offset), secret...))
			from, to := (8*offset+5)/6, (8*(offset+len(secret)))/6 // those that do not depend on the octets around it
			if to-from >= 4 {
				v.base64 = add(v.base64, []byte(code[from:to]))
			}
		}
	}
	whole := base64.StdEncoding.EncodeToString(secret)
	v.plain = add(v.plain, []byte(whole))
	v.plain = add(v.plain, []byte(strings.TrimRight(whole, "=")))
}

func add(forms [][]byte, form []byte) [][]byte {
	for _, f := range forms {
		if bytes.Equal(f, form) {
			return forms
		}
	}
	return append(forms, form)
}

// over is text without the secrets. It may return text itself.
func (v *veil) over(text []byte) []byte {
	if v == nil {
		return text
	}
	for _, form := range v.base64 {
		text = blot(text, form, true, isBase64)
	}
	for _, form := range v.plain {
		text = blot(text, form, len(form) >= freely, nil)
	}
	return text
}

func (v *veil) overString(text string) string { return string(v.over([]byte(text))) }

// blot replaces each form in text, and the octets beside it for which wider returns
// true. With free, also within a word.
func blot(text, form []byte, free bool, wider func(byte) bool) []byte {
	var out []byte
	rest := text
	for from := 0; ; {
		at := bytes.Index(rest[from:], form)
		if at < 0 {
			break
		}
		at += from
		end := at + len(form)
		if !free && (at > 0 && isWord(rest[at-1]) && isWord(form[0]) || end < len(rest) && isWord(rest[end]) && isWord(form[len(form)-1])) {
			from = at + 1
			continue
		}
		if bytes.HasPrefix(rest[max(at-1, 0):], []byte(hidden)) || prose[strings.ToLower(string(form))] && !isSet(rest[:at]) {
			from = end
			continue
		}
		for wider != nil && at > 0 && wider(rest[at-1]) {
			at--
		}
		for wider != nil && end < len(rest) && wider(rest[end]) {
			end++
		}
		out = append(append(out, rest[:at]...), hidden...)
		rest, from = rest[end:], 0
	}
	if out == nil {
		return text
	}
	return append(out, rest...)
}

// isSet reports whether what follows before is quoted or assigned.
func isSet(before []byte) bool {
	return len(before) > 0 && bytes.IndexByte([]byte("\"'`<([=:"), before[len(before)-1]) >= 0
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= 0x80
}

func isBase64(c byte) bool { return isWord(c) && c < 0x80 || strings.IndexByte("+/=-_", c) >= 0 }
