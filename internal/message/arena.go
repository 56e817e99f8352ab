package message

import (
	"strings"
	"unsafe"
)

// Arena holds the strings of one report. It copies each once, into few blocks. The zero
// value is ready.
type Arena struct {
	block   []byte // it only grows within its capacity, so that its strings stay as they are
	borrows bool
	lists
}

// lists is a block that holds the first elements of several lists.
type lists []string

// Append appends v to a list, which is nil at first. The list that ends the block grows in
// it.
func (l *lists) Append(list []string, v string) []string {
	n := len(*l)
	if list != nil && (len(list) == 0 || n == 0 || n == cap(*l) || &list[len(list)-1] != &(*l)[n-1]) {
		return append(list, v)
	}
	if n == cap(*l) {
		*l, n = make(lists, 0, 8), 0
	}
	*l = append(*l, v)
	return (*l)[n-len(list) : n+1 : n+1]
}

// Borrow lets the arena use its memory again, and the octets that it is given instead of
// a copy: all strings and lists from before are void. Nobody may change those octets as
// long as the strings are in use.
func (a *Arena) Borrow() { *a = Arena{block: a.block[:0], borrows: true, lists: a.lists[:0]} }

// Borrows reports whether Borrow was called.
func (a *Arena) Borrows() bool { return a.borrows }

// Take is b as a string, without a copy if the arena borrows.
func (a *Arena) Take(b []byte) string {
	if a.borrows {
		return unsafe.String(unsafe.SliceData(b), len(b))
	}
	return string(b)
}

// Keep copies b. If folded, each line break with the white space around it becomes one
// blank. Octets that are no UTF-8 become U+FFFD.
func (a *Arena) Keep(b []byte, folded bool) string {
	if len(b) == 0 {
		return ""
	}
	if a.borrows && !folded {
		return Valid(a.Take(b))
	}
	if cap(a.block)-len(a.block) < len(b) {
		a.block = make([]byte, 0, max(len(b), 1024))
	}
	from := len(a.block)
	if !folded {
		a.block = append(a.block, b...)
	} else {
		a.block = appendJoined(a.block, b)
	}
	return Valid(unsafe.String(unsafe.SliceData(a.block[from:]), len(a.block)-from))
}

// appendJoined appends the lines that are not blank, with a blank between them.
func appendJoined(dst, b []byte) []byte {
	from := len(dst)
	for len(b) > 0 {
		line, rest, _ := CutLine(b)
		if line = Trim(line); len(line) > 0 {
			if len(dst) > from {
				dst = append(dst, ' ')
			}
			dst = append(dst, line...)
		}
		b = rest
	}
	return dst
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
func (a *Arena) Size() int { return cap(a.block) }
