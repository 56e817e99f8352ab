package message

import (
	"iter"
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// address is the addr-spec within v: what stands in the last angle brackets,
// else the first word with an "@", else v. rest says that v holds more than
// it. The null sender is "<>". net/mail refuses too much of what reports hold.
func Address(v string) (addr string, rest bool) {
	if open := strings.LastIndexByte(v, '<'); open >= 0 {
		end := strings.IndexByte(v[open:], '>')
		if end < 0 {
			end = len(v) - open
		}
		addr, rest = bare(strings.TrimSpace(v[open+1 : open+end]))
		if addr == "" {
			addr = "<>"
		}
		return addr, rest || open > 0 || open+end+1 < len(v)
	}
	if end := quotedLocal(v); end > 0 {
		if more := strings.IndexAny(v[end:], " \t("); more >= 0 {
			return v[:end+more], true
		}
		return v, false
	}
	if strings.ContainsAny(v, " \t(") {
		for word := range strings.FieldsSeq(v) {
			if strings.IndexByte(word, '@') > 0 {
				return word, true
			}
		}
	}
	return bare(v)
}

// quotedLocal is where the quoted local part at the start of v ends (RFC 5321
// section 4.1.2), in front of its "@"; 0: there is none.
func quotedLocal(v string) int {
	for i := 1; i+1 < len(v) && v[0] == '"'; i++ {
		switch v[i] {
		case '\\':
			i++
		case '"':
			if v[i+1] == '@' {
				return i + 1
			}
			return 0
		}
	}
	return 0
}

// bare is an address without what says that it is one.
func bare(v string) (addr string, rest bool) {
	for _, prefix := range [...]string{"rfc822;", "utf-8;", "mailto:", "smtp:"} { // of RFC 3464, RFC 6533, RFC 6068, Exchange
		if len(v) > len(prefix) && strings.EqualFold(v[:len(prefix)], prefix) {
			return v[len(prefix):], true
		}
	}
	return v, false
}

// withCommas puts commas between addresses that only blanks or semicolons
// separate. One in brackets behind another is no second one.
func WithCommas(v string) string {
	if !strings.ContainsAny(v, " \t;") {
		return v
	}
	words := strings.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == '\t' || r == ';' || r == ',' })
	if len(words) == 0 {
		return v
	}
	for _, word := range words {
		if bare := strings.TrimSuffix(strings.TrimPrefix(word, "<"), ">"); !IsAddress(bare) || (word[0] == '<') != (words[0][0] == '<') {
			return v
		}
	}
	return strings.Join(words, ",")
}

// addresses yields the members of an address list. Commas within quotes,
// brackets and comments separate nothing.
func Addresses(v string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if strings.IndexByte(v, ',') < 0 {
			if only := strings.TrimSpace(v); only != "" {
				yield(only)
			}
			return
		}
		depth, quoted, start := 0, false, 0
		for i := 0; i <= len(v); i++ {
			if i < len(v) {
				switch c := v[i]; {
				case c == '\\' && i+1 < len(v):
					i++
					continue
				case c == '"':
					quoted = !quoted
				case quoted:
				case c == '(' || c == '<':
					depth++
				case (c == ')' || c == '>') && depth > 0:
					depth--
				}
				if v[i] != ',' || quoted || depth > 0 {
					continue
				}
			}
			if m := strings.TrimSpace(v[start:min(i, len(v))]); m != "" && !yield(m) {
				return
			}
			start = i + 1
		}
	}
}

// isAddress reports whether addr has a local part and a domain, and no octet of
// it was lost.
func IsAddress(addr string) bool {
	at := strings.LastIndexByte(addr, '@')
	if at <= 0 || len(addr) > maxAddress || !IsHost(strings.TrimSuffix(addr[at+1:], ".")) || strings.Contains(addr, "\ufffd") {
		return false
	}
	if quotedLocal(addr) == at {
		return !strings.ContainsAny(addr[:at], "<>")
	}
	return !strings.ContainsAny(addr[:at], " \t<>,:;@\"")
}

// domainOf is the domain of an address in lower case, or "".
func DomainOf(addr string) string {
	at := strings.LastIndexByte(addr, '@')
	if at <= 0 {
		return ""
	}
	domain := strings.TrimSuffix(addr[at+1:], ".")
	if !IsHost(domain) {
		return ""
	}
	return strings.ToLower(domain)
}

// inHost has the octets of the names of hosts, and all that are no ASCII.
var inHost = func() (table [256]bool) {
	for c := range 256 {
		table[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_' || c >= 0x80
	}
	return table
}()

func IsHost(domain string) bool {
	if len(domain) > maxHost {
		return false
	}
	for i := range len(domain) {
		if !inHost[domain[i]] {
			return false
		}
	}
	return domain != ""
}

// isPlaceholder reports whether a recipient was blotted out.
func IsPlaceholder(addr string) bool {
	local, _, _ := strings.Cut(strings.ToLower(addr), "@")
	if strings.Trim(local, "x*.-_") == "" || strings.IndexByte(local, '*') >= 0 || strings.Contains(local, "...") {
		return true
	}
	for _, word := range [...]string{"redacted", "undisclosed"} {
		if strings.Contains(local, word) {
			return true
		}
	}
	return strings.Contains(DomainOf(addr), "redacted")
}

// isHash reports whether an address has a digest for its local part: 32, 40 or
// 64 hexadecimal digits (RFC 6590). Decimal ones alone are a person's number: one
// digest in three million looks like it.
func IsHash(addr string) bool {
	local, _, _ := strings.Cut(addr, "@")
	if len(local) != 32 && len(local) != 40 && len(local) != 64 {
		return false
	}
	letters := false
	for i := range len(local) {
		if Unhex(local[i]) < 0 {
			return false
		}
		letters = letters || local[i] > '9'
	}
	return letters
}

// parseIP reads an address in canonical form; a v4-mapped one becomes v4. rest
// says that v holds more than it.
func ParseIP(v string) (ip string, rest bool) {
	word, more := strings.Trim(v, "\u00a0"), ""
	if end := strings.IndexAny(word, " \t(;,"); end >= 0 {
		word, more = word[:end], word[end:]
	}
	word = strings.TrimSuffix(strings.TrimPrefix(word, "["), "]")
	if len(word) > 5 && strings.EqualFold(word[:5], "ipv6:") {
		word = word[5:]
	}
	addr, err := netip.ParseAddr(word)
	if err != nil || addr.Zone() != "" {
		return "", false
	}
	var space [64]byte
	canonical := addr.Unmap().AppendTo(space[:0])
	if string(canonical) == word {
		return word, more != ""
	}
	return string(canonical), more != ""
}

// within reports whether a domain is one of parents or below one.
func Within(domain string, parents ...string) bool {
	for _, parent := range parents {
		cut := len(domain) - len(parent)
		if cut >= 0 && strings.EqualFold(domain[cut:], parent) && (cut == 0 || domain[cut-1] == '.') {
			return true
		}
	}
	return false
}

// Organisation is the domain that somebody registered, by the public suffix list:
// domain or a parent of it; "" if domain is a public suffix, or no domain.
func Organisation(domain string) string {
	org, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return ""
	}
	return org
}
