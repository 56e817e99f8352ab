package imapclient

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Mailbox names. In RFC 3501 section 5.1.3 each name has one spelling in modified
// UTF-7, and most servers follow it. Others list "R&D", half a surrogate or octets
// of any charset, and know a mailbox by these octets only. Therefore the listed
// octets are kept beside the shown name, and sent to the server.

// maxSpellings is how many names with another spelling are kept.
const maxSpellings = 4096

// spellings are the names with another spelling than that of encodeUTF7, both ways.
type spellings struct {
	octets map[string]string // by name
	names  map[string]string // by octets
	asked  bool              // all mailboxes were listed for them
}

// decodeName is a name in UTF-8, for people. Octets that are not UTF-8 count as ISO
// 8859-1, so that no two names become one.
func decodeName(octets string) string {
	name := decodeUTF7(octets)
	if utf8.ValidString(name) {
		return name
	}
	var out strings.Builder
	for i := range len(name) {
		out.WriteRune(rune(name[i]))
	}
	return out.String()
}

// isOdd reports whether the server has its own spelling of a name.
func isOdd(octets string) bool { return encodeUTF7(decodeName(octets)) != octets }

// name is the name for listed octets.
func (s *spellings) name(octets string) string {
	if name, odd := s.names[octets]; odd {
		return name
	}
	return decodeName(octets)
}

// arg is a mailbox as an argument of a command, in the server's spelling.
func (s *spellings) arg(mailbox string) string {
	if octets, odd := s.octets[mailbox]; odd {
		return string(quote([]byte(octets)))
	}
	return mailboxArg(mailbox)
}

// learn notes the spelling of listed mailboxes, and gives them their names. If two
// would have the same name, the one with the odd spelling is shown in quotes.
func (s *spellings) learn(lists []List) {
	usual := make(map[string]bool)
	for _, l := range lists {
		if !isOdd(l.Mailbox) {
			usual[decodeName(l.Mailbox)] = true
		}
	}
	for i, l := range lists {
		octets := l.Mailbox
		name := s.name(octets)
		lists[i].Mailbox = name
		if !isOdd(octets) || s.names[octets] != "" || len(s.names) >= maxSpellings {
			continue
		}
		if usual[name] || s.octets[name] != "" {
			name = `"` + octets + `"`
			if !utf8.ValidString(name) || s.octets[name] != "" {
				continue // unreachable, as it was
			}
		}
		if s.octets == nil {
			s.octets, s.names = make(map[string]string), make(map[string]string)
		}
		s.octets[name], s.names[octets] = octets, name
		lists[i].Mailbox = name
	}
}

// canBeOdd reports whether a name has, or seems to have, more than one spelling.
func canBeOdd(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool { return r == '&' || r < ' ' || r > '~' })
}

// matches matches as RFC 9051 section 6.3.9, but ignores case (Exchange does) and
// the composition of accents. A delimiter at the end of the name is ignored. The
// time is linear in pattern times name.
func matches(pattern, name string, delim rune) bool {
	if strings.EqualFold(pattern, "INBOX") {
		return strings.EqualFold(name, "INBOX")
	}
	if delim != 0 && !strings.HasSuffix(pattern, string(delim)) {
		name = strings.TrimSuffix(name, string(delim))
	}
	p, n := folded(pattern), folded(name)
	delim = foldRune(delim)
	can := make([]bool, len(n)+1) // what was matched so far can end before n[i]
	can[0] = true
	for _, c := range p {
		switch c {
		case '*', '%':
			for i := range n {
				can[i+1] = can[i+1] || can[i] && (c == '*' || n[i] != delim || delim == 0)
			}
		default:
			for i := len(n); i > 0; i-- {
				can[i] = can[i-1] && n[i-1] == c
			}
			can[0] = false
		}
	}
	return can[len(n)]
}

func folded(s string) []rune {
	runes := []rune(norm.NFC.String(s))
	for i, r := range runes {
		runes[i] = foldRune(r)
	}
	return runes
}

// foldRune is the least of the runes that differ in case only.
func foldRune(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}

const maxName = 1000 // octets of a mailbox name

// validName refuses names that only a literal could hold.
func validName(mailbox string) error {
	if mailbox == "" || len(mailbox) > maxName || strings.ContainsAny(mailbox, "\r\n\x00") {
		return fmt.Errorf("imapclient: %.100q is no mailbox name", mailbox)
	}
	return nil
}

// inbox returns INBOX in capitals: its case does not matter.
func inbox(name string) string {
	if strings.EqualFold(name, "INBOX") {
		return "INBOX"
	}
	return name
}
