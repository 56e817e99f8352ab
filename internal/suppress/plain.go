package suppress

import (
	"regexp"
	"strings"
)

// Addresses are the complainants of a list as mail servers take them.
type Addresses struct {
	Plain       []string // in lower case, each once, in the list's order
	Subscribers int      // entries that have only a subscriber's id
	Hashes      int      // that have only a hash
	Odd         int      // whose address is not plain
}

// plainAddress is an address that is the same in a list, in a table of Postfix and in
// a shell: no quotes, blanks, wildcards, routes (% and !) or letters beyond ASCII, and no
// first character that means a comment, an option or a continued line.
var plainAddress = regexp.MustCompile(`^[a-z0-9_+=&'~/][a-z0-9_+=&'~/-]*(\.[a-z0-9_+=&'~/-]+)*@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

const (
	maxLocal   = 64  // octets (RFC 5321 section 4.5.3.1.1)
	maxAddress = 254 // octets (RFC 5321 section 4.5.3.1.3, without the brackets)
)

// Addresses returns the plain addresses of the list, and counts the other entries.
func (l *List) Addresses() (a Addresses) {
	seen := make(map[string]bool)
	for _, e := range l.Entries {
		address := strings.ToLower(e.Rcpt)
		switch {
		case address == "" && e.Subscriber != "":
			a.Subscribers++
		case address == "":
			a.Hashes++
		case strings.ContainsFunc(e.Rcpt, func(r rune) bool { return r >= 0x7f }): // also what lower case makes ASCII of
			a.Odd++
		case len(address) > maxAddress || strings.IndexByte(address, '@') > maxLocal || !plainAddress.MatchString(address):
			a.Odd++
		case !seen[address]:
			seen[address] = true
			a.Plain = append(a.Plain, address)
		}
	}
	return a
}

// AppendPostfix appends plain addresses as a table of Postfix, for
// check_recipient_access (access(5)) and any type that takes lines, such as hash and
// lmdb.
func AppendPostfix(dst []byte, plain []string) []byte {
	for _, address := range plain {
		dst = append(append(dst, address...), " REJECT 5.7.1 the recipient has reported our messages as spam\n"...)
	}
	return dst
}
