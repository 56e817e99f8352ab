package privacy

import "strings"

// A needle is something to hide: an address, or a text.
type needle struct {
	local, domain string // in lower case; a text has no domain
	reversed      bool   // domain=local, as SRS has it
	with          string // for the local part
	whole         bool   // with stands for all of the address
}

// match tries the needle at s[i:]. What is to be replaced is s[from:to], and
// the search goes on at end; -1 is no match.
func (n *needle) match(s string, i int) (from, to, end int) {
	first, second := n.local, n.domain
	if n.reversed {
		first, second = second, first
	}
	mid := follow(s, i, first)
	if mid < 0 || second == "" {
		return i, mid, mid
	}
	if n.reversed {
		start, stop := mid, -1
		for c, next := range characters(s, mid) {
			if c == '=' && stop < 0 {
				if start, stop = next, follow(s, next, second); stop < len(s) && stop > 0 && isAlphanumeric(s[stop]) {
					stop = -1 // the start of another local part
				}
			}
		}
		if from, to, end = start, stop, stop; n.whole {
			from = i
		}
		return from, to, end
	}
	if end = n.behindAt(s, mid); end < 0 {
		if mid, end = n.behindTag(s, mid); end < 0 {
			return i, -1, -1
		}
	}
	if to = mid; n.whole {
		to = end
	}
	return i, to, end
}

// behindAt is the end of "@domain", or of what stands for it.
func (n *needle) behindAt(s string, i int) int {
	for c, next := range characters(s, i) {
		switch c {
		case '@', '=', '+', '%', '#':
			if end := follow(s, next, n.domain); end >= 0 {
				return end
			}
		}
	}
	for _, at := range atWords {
		if len(s)-i > len(at) && strings.EqualFold(s[i:i+len(at)], at) {
			if end := follow(s, i+len(at), n.domain); end >= 0 {
				return end
			}
		}
	}
	return -1
}

// atWords stand for "@" where that would be taken for something else, as in the
// links of Mailman 2.
var atWords = []string{"--at--", "-at-", "_at_", " at ", "(at)", "[at]"}

// behindTag passes over "+tag".
func (n *needle) behindTag(s string, i int) (mid, end int) {
	const longest = 64
	for c, next := range characters(s, i) {
		if c != '+' {
			continue
		}
		for mid = next; mid < len(s) && mid-next < longest && !strings.ContainsRune(" \t\r\n<>\"@,;", rune(s[mid])); {
			mid++
			if end = n.behindAt(s, mid); end >= 0 {
				return mid, end
			}
		}
	}
	return i, -1
}

// follow is where text, in lower case and however encoded, ends in s; -1 where
// it does not stand at i.
func follow(s string, i int, text string) int {
	if text == "" {
		return i
	}
	for c, next := range characters(s, i) {
		if c = lower(c); c == text[0] || text[0] == ' ' && (c == '_' || c == '+') { // RFC 2047 section 4.2; forms
			if end := follow(s, next, text[1:]); end >= 0 {
				return end
			}
		}
	}
	return -1
}

func isAlphanumeric(c byte) bool {
	return 'a' <= lower(c) && lower(c) <= 'z' || '0' <= c && c <= '9'
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// characters yields what may stand at s[i:] as one octet, and where the next
// begins: the octet itself; %40 and =40, also of each other; \u0040; &#64; and
// &#x40;. A soft line break of quoted-printable is passed over.
func characters(s string, i int) func(yield func(c byte, next int) bool) {
	return func(yield func(byte, int) bool) {
		for i < len(s) && s[i] == '=' {
			if strings.HasPrefix(s[i:], "=\r\n") {
				i += 3
			} else if strings.HasPrefix(s[i:], "=\n") {
				i += 2
			} else {
				break
			}
		}
		if i >= len(s) || !yield(s[i], i+1) {
			return
		}
		switch c, next := s[i], i+1; c {
		case '%', '=':
			for range 3 {
				value, ok := hexPair(s, next)
				if !ok {
					return
				}
				if next += 2; !yield(value, next) || value != '%' && value != '=' {
					return
				}
			}
		case '\\':
			if strings.HasPrefix(s[next:], "u00") {
				if value, ok := hexPair(s, next+3); ok {
					yield(value, next+5)
				}
			}
		case '&':
			if value, end, ok := reference(s, next); ok {
				yield(value, end)
			}
		}
	}
}

func hexPair(s string, i int) (byte, bool) {
	if i+2 > len(s) {
		return 0, false
	}
	hi, lo := strings.IndexByte(hexDigits, lower(s[i])), strings.IndexByte(hexDigits, lower(s[i+1]))
	return byte(hi<<4 | lo), hi >= 0 && lo >= 0
}

const hexDigits = "0123456789abcdef"

// reference reads the "#64;" or "#x40;" of a character reference of HTML.
func reference(s string, i int) (c byte, end int, ok bool) {
	semicolon := strings.IndexByte(s[i:min(len(s), i+8)], ';')
	if semicolon < 2 || s[i] != '#' {
		return 0, 0, false
	}
	digits, base := s[i+1:i+semicolon], 10
	if digits[0]|0x20 == 'x' {
		digits, base = digits[1:], 16
	}
	value := 0
	for _, d := range []byte(digits) {
		v := strings.IndexByte(hexDigits[:base], lower(d))
		if v < 0 {
			return 0, 0, false
		}
		value = value*base + v
	}
	return byte(value), i + semicolon + 1, value < 256
}
