package message

import (
	"iter"
	"net/netip"
	"strings"
	"sync/atomic"

	"golang.org/x/net/publicsuffix"
)

// Address returns the addr-spec within v: the contents of the last angle brackets, else
// the first word with an "@", else v. rest reports whether v holds more than it. The
// null sender is "<>". net/mail refuses many addresses that reports hold.
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

// quotedLocal is the end of the quoted local part at the start of v (RFC 5321 section
// 4.1.2), before its "@"; 0 if there is none.
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

// bare is an address without the prefix that says so.
func bare(v string) (addr string, rest bool) {
	if strings.IndexByte(v, ':') < 0 && strings.IndexByte(v, ';') < 0 {
		return v, false
	}
	for _, prefix := range [...]string{"rfc822;", "utf-8;", "mailto:", "smtp:"} { // of RFC 3464, RFC 6533, RFC 6068, Exchange
		if len(v) > len(prefix) && strings.EqualFold(v[:len(prefix)], prefix) {
			return v[len(prefix):], true
		}
	}
	return v, false
}

// WithCommas puts commas between addresses that only blanks or semicolons separate. An
// address in brackets after a bare one is no second address: v is then left as it is.
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

// Addresses yields the members of an address list (RFC 5322 section 3.4). Commas within
// quotes, brackets and comments separate nothing.
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

// IsAddress reports whether addr has a local part and a domain, at most 1,000 octets,
// and no U+FFFD.
func IsAddress(addr string) bool {
	at := strings.LastIndexByte(addr, '@')
	if at <= 0 || len(addr) > maxAddress || !IsHost(strings.TrimSuffix(addr[at+1:], ".")) || strings.Contains(addr, "\ufffd") {
		return false
	}
	if quotedLocal(addr) == at {
		return !strings.ContainsAny(addr[:at], "<>")
	}
	for i := range at {
		switch addr[i] {
		case ' ', '\t', '<', '>', ',', ':', ';', '@', '"':
			return false
		}
	}
	return true
}

// DomainOf returns the domain of an address in lower case, or "".
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

// inHost has the octets of the names of hosts, and all beyond ASCII.
var inHost = func() (table [256]bool) {
	for c := range 256 {
		table[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_' || c >= 0x80
	}
	return table
}()

// IsHost reports whether domain can be the name of a host. It has at most 512 octets.
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

// IsPlaceholder reports whether the address of a recipient was redacted.
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

// IsHash reports whether the local part of an address is a digest: 32, 40 or 64
// hexadecimal digits (RFC 6590), not all of them decimal. A local part of decimal digits
// is more likely the number of a person.
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

// ParseIP reads an IP address and returns its canonical form, or "". An IPv4-mapped
// address becomes IPv4. rest reports whether v holds more than the address.
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

// Within reports whether a domain is one of parents or below one.
func Within(domain string, parents ...string) bool {
	for _, parent := range parents {
		cut := len(domain) - len(parent)
		if cut >= 0 && strings.EqualFold(domain[cut:], parent) && (cut == 0 || domain[cut-1] == '.') {
			return true
		}
	}
	return false
}

// Organisation returns the domain that somebody registered, by the public suffix list:
// domain or a parent of it. It returns "" for a public suffix, and for no domain.
func Organisation(domain string) string {
	slot := &organisations[Mark(domain)]
	if known := slot.Load(); known != nil && known.domain == domain {
		return known.organisation
	}
	found := &organisation{domain: strings.Clone(domain)}
	found.organisation, _ = publicsuffix.EffectiveTLDPlusOne(found.domain) // "" with an error
	slot.Store(found)
	return found.organisation
}

// organisations are the last answers: few domains report to a mailbox. The slot is that
// of the domain's mark.
var organisations [Marks]atomic.Pointer[organisation]

type organisation struct{ domain, organisation string }
