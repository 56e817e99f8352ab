package message

import "strings"

// Arena holds the strings of one report. It copies each once, into few blocks. The zero
// value is ready.
type Arena struct {
	block strings.Builder
	lists
}

// lists is a block that holds the first elements of several lists.
type lists []string

// Append appends v to a list, which is nil at first.
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

// Keep copies b. If folded, each line break with the white space around it becomes one
// blank. Octets that are no UTF-8 become U+FFFD.
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

// Lower keeps b in lower case.
func (a *Arena) Lower(b []byte) string {
	s := a.Keep(b, false)
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return strings.ToLower(s)
		}
	}
	return s
}

// Size returns the capacity of the current block, in octets.
func (a *Arena) Size() int { return a.block.Cap() }
