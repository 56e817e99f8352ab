package message

import "strings"

// arena holds the strings of one report: what is kept is copied once, into few
// blocks.
type Arena struct {
	block strings.Builder
	lists
}

// lists is a block whose elements are the first ones of several lists.
type lists []string

// list appends v to a list, which is nil at first.
func (l *lists) Append(list []string, v string) []string {
	if list != nil {
		return append(list, v)
	}
	if len(*l) == cap(*l) {
		*l = make(lists, 0, 8)
	}
	*l = append(*l, v)
	n := len(*l)
	return (*l)[n-1 : n : n]
}

// keep copies b. Line breaks of folding, with the white space around them,
// become one blank; what is not UTF-8 becomes U+FFFD.
func (a *Arena) Keep(b []byte, folded bool) string {
	if len(b) == 0 {
		return ""
	}
	if a.block.Cap()-a.block.Len() < len(b) {
		a.block.Reset()
		a.block.Grow(max(len(b), 1024))
	}
	from := a.block.Len()
	if !folded {
		a.block.Write(b)
	} else {
		for len(b) > 0 {
			line, rest, _ := CutLine(b)
			if line = Trim(line); len(line) > 0 {
				if a.block.Len() > from {
					a.block.WriteByte(' ')
				}
				a.block.Write(line)
			}
			b = rest
		}
	}
	return Valid(a.block.String()[from:])
}

// lower keeps b in lower case.
func (a *Arena) Lower(b []byte) string {
	s := a.Keep(b, false)
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return strings.ToLower(s)
		}
	}
	return s
}

// size is the room of the block, in octets.
func (a *Arena) Size() int { return a.block.Cap() }
