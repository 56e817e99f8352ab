package privacy

import (
	"iter"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"

	"github.com/fblwatch/fblwatch/internal/message"
)

// canonical is an address in lower case, without the quotation marks, the
// backslashes, the comments and the white space that do not belong to it (RFC
// 5321 section 4.1.2); "" where it is none.
func canonical(addr string) string {
	addr = strings.ToLower(strings.ReplaceAll(strings.Trim(addr, "<> \t"), "\x00", ""))
	at := strings.LastIndexByte(addr, '@')
	if at <= 0 || at == len(addr)-1 {
		return ""
	}
	local, domain := addr[:at], strings.Trim(addr[at+1:], " \t.")
	if !strings.Contains(local, `"`) { // what is no part of it: a name, a type, a route
		local = local[strings.LastIndexAny(local, "<>:;,")+1:]
	}
	if strings.ContainsAny(local, "\"\\( \t") {
		local = unquoted(local)
	}
	if local == "" || domain == "" {
		return ""
	}
	return local + "@" + domain
}

func unquoted(local string) string {
	var out strings.Builder
	quoted, depth := false, 0
	for i := 0; i < len(local); i++ {
		switch c := local[i]; {
		case c == '\\' && i+1 < len(local):
			if i++; depth == 0 {
				out.WriteByte(local[i])
			}
		case c == '"' && depth == 0:
			quoted = !quoted
		case c == '(' && !quoted:
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth > 0, message.IsSpace(c) && !quoted:
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// spellings yields local part and domain of an address as they may be written:
// the domain in Unicode or for the DNS (RFC 5891), letters beyond ASCII composed
// or not, in capitals, and in ISO 8859-1.
func spellings(addr string) iter.Seq2[string, string] {
	return func(yield func(local, domain string) bool) {
		at := strings.LastIndexByte(addr, '@')
		locals, domains := forms(addr[:at]), []string{addr[at+1:]}
		if domain := addr[at+1:]; !isASCII(domain) {
			domains = forms(domain)
			if ascii, err := idna.Punycode.ToASCII(norm.NFC.String(domain)); err == nil {
				domains = append(domains, strings.ToLower(ascii))
			}
		} else if strings.Contains(domain, "xn--") {
			if text, err := idna.Punycode.ToUnicode(domain); err == nil {
				domains = append(domains, forms(strings.ToLower(text))...)
			}
		}
		for _, local := range locals {
			for _, domain := range domains {
				if !yield(local, domain) {
					return
				}
			}
		}
	}
}

func forms(text string) []string {
	if isASCII(text) {
		return []string{text}
	}
	all := []string{text}
	for _, form := range []norm.Form{norm.NFC, norm.NFD} {
		for _, one := range []string{form.String(text), form.String(strings.ToUpper(text))} {
			all = append(all, lowerASCII(one))
			if latin, err := charmap.Windows1252.NewEncoder().String(one); err == nil {
				all = append(all, lowerASCII(latin))
			}
		}
	}
	return all
}

func lowerASCII(text string) string {
	b := []byte(text)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r >= 0x80 }) < 0
}
