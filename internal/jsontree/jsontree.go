// Package jsontree reads JSON objects in texts that mailers changed: cut, with broken
// lines, raw control characters, or text around them. It keeps what is whole and
// bounds everything.
package jsontree

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fblwatch/fblwatch/internal/message"
)

const (
	maxDepth   = 32     // objects and arrays within each other
	maxValues  = 2_000  // values of one text that are kept
	maxRead    = 20_000 // strings, commas and brackets of one text that are read
	maxObjects = 1_000  // objects of one text that are tried
	maxPath    = 1_000  // octets of the names that lead to one
)

// Tree is a JSON object with its names in lower case: members are of type Tree, []any,
// string, json.Number, bool or nil. A reader takes values out as it understands them;
// Leaves yields the rest.
type Tree map[string]any

// Read reads the object at the start of b, after white space. If b ends too early, Read
// keeps the members that are whole. The Tree is nil if there is no object, or one of
// more than 32 levels or 20,000 strings, commas and brackets. Read looks at 1 MiB.
func Read(b []byte) (t Tree, whole bool) {
	t, _, whole = readFirst(b)
	return t, whole
}

// readFirst is Read; rest follows the object.
func readFirst(b []byte) (t Tree, rest []byte, whole bool) {
	b = b[:min(len(b), message.MaxDecoded)]
	fixed, rest, whole := complete(b)
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader(fixed))
	d.UseNumber()
	if fixed == nil || d.Decode(&v) != nil {
		return nil, rest, false
	}
	t, _ = lowerNames(v).(Tree)
	return t, rest, whole
}

// ReadAll reads at most n objects in b: the members of an array, or one after the other.
// whole reports that each is whole and that there are no more.
func ReadAll(b []byte, n int) (trees []Tree, whole bool) {
	b = b[:min(len(b), message.MaxDecoded)]
	whole = true
	for range maxObjects {
		at := ObjectAt(bytes.TrimLeft(b, ", \t\r\n"))
		if at < 0 {
			return trees, whole
		}
		if len(trees) == n {
			return trees, false
		}
		t, rest, ended := readFirst(bytes.TrimLeft(b, ", \t\r\n")[at:])
		if t != nil {
			trees = append(trees, t)
		}
		if whole = whole && ended; len(rest) == 0 {
			return trees, whole
		}
		b = rest
	}
	return trees, false
}

func lowerNames(v any) any {
	switch v := v.(type) {
	case map[string]any:
		t := make(Tree, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if lower := strings.ToLower(name); t[lower] == nil {
				t[lower] = lowerNames(v[name])
			}
		}
		return t
	case []any:
		for i := range v {
			v[i] = lowerNames(v[i])
		}
	}
	return v
}

// complete is the object at the start of b. One that b cuts short is closed
// behind its last whole value: whole is false then. Line breaks within a string,
// which mailers put into long lines ("!", a line break and a blank), are taken
// out; what else is no JSON in a string is escaped, as one such string would lose
// all. nil: nothing can be saved. rest is what follows a whole object.
func complete(b []byte) (fixed, rest []byte, whole bool) {
	var stack, closers []byte
	out := make([]byte, 0, min(len(b)+maxDepth, 512))
	safe, name := 0, false // up to where the values are whole; a name comes next
	kept := 0
	keep := func() {
		kept++
		safe, closers = len(out), append(closers[:0], stack...)
	}
	for i := 0; i < len(b) && kept < maxRead; i++ {
		c := b[i]
		if len(stack) == 0 && len(out) > 0 || len(out) == 0 && c != '{' && !message.IsSpace(c) {
			break
		}
		switch c {
		case '{', '[':
			if len(stack) == maxDepth {
				return nil, nil, false
			}
			stack = append(stack, c+2) // in ASCII, the closing one
			out = append(out, c)
			keep()
			name = c == '{'
		case '}', ']':
			if stack[len(stack)-1] != c {
				return closed(out[:safe], closers), nil, false
			}
			stack = stack[:len(stack)-1]
			out = append(bytes.TrimRight(out, ", "), c) // a comma may stand behind the last
			keep()
			name = false
			if len(stack) == 0 {
				return out, b[i+1:], true
			}
		case '"':
			end := stringEnd(b[i:])
			if end < 0 {
				return closed(out[:safe], closers), nil, false
			}
			out = appendJoined(out, b[i:i+end])
			i += end - 1
			if !name {
				keep()
			}
		case ',':
			keep() // a number or a word is whole only here
			out = append(out, c)
			name = stack[len(stack)-1] == '}'
		case ':':
			out = append(out, c)
			name = false
		default:
			if !message.IsSpace(c) {
				out = append(out, c)
			} else if len(out) > 0 {
				out = append(out, ' ')
			}
		}
	}
	return closed(out[:safe], closers), nil, false
}

// closed closes what is open, the last first.
func closed(out, open []byte) []byte {
	if len(out) == 0 {
		return nil
	}
	for i := len(open) - 1; i >= 0; i-- {
		out = append(out, open[i])
	}
	return out
}

// stringEnd is the length of the string at the start of b; -1: it has no end.
func stringEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// appendJoined appends a string without the line breaks in it.
func appendJoined(out, s []byte) []byte {
	for len(s) > 0 {
		line, rest, ended := message.CutLine(s)
		if ended && bytes.HasSuffix(line, []byte("!")) && len(rest) > 0 && rest[0] == ' ' {
			line, rest = line[:len(line)-1], rest[1:]
		}
		out = appendEscaped(out, line)
		s = rest
	}
	return out
}

// appendEscaped appends a piece of a string, in which control characters, and
// backslashes that escape nothing, stand for themselves.
func appendEscaped(out, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < ' ':
			out = append(out, '\\', 'u', '0', '0', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		case c != '\\':
			out = append(out, c)
		case i+1 < len(s) && bytes.IndexByte([]byte(`"\/bfnrt`), s[i+1]) >= 0 || isUnicodeEscape(s[i:]):
			i++
			out = append(out, c, s[i])
		default:
			out = append(out, c, c)
		}
	}
	return out
}

// isUnicodeEscape knows a backslash, "u" and four hex digits.
func isUnicodeEscape(s []byte) bool {
	if len(s) < 6 || s[1] != 'u' {
		return false
	}
	for _, c := range s[2:6] {
		if message.Unhex(c) < 0 {
			return false
		}
	}
	return true
}

// Take removes the strings, numbers and booleans at a path of names joined by "." and
// returns them as text. It looks at each member of an array on the way.
func (t Tree) Take(path string) []string {
	name, below, deeper := strings.Cut(path, ".")
	var values []string
	each(t[name], func(v any) {
		if !deeper {
			if s, ok := Scalar(v); ok {
				values = append(values, s)
			}
		} else if sub, ok := v.(Tree); ok {
			values = append(values, sub.Take(below)...)
		}
	})
	if !deeper && len(values) > 0 {
		delete(t, name)
	}
	return values
}

// One removes the first value that Take finds, and returns it; "" if there is none. The
// others stay at their path.
func (t Tree) One(path string) string {
	values := t.Take(path)
	if len(values) == 0 {
		return ""
	}
	if len(values) > 1 {
		var others []any
		for _, v := range values[1:] {
			others = append(others, v)
		}
		t[path] = others
	}
	return values[0]
}

// Trees returns the objects at a path and leaves them in their places.
func (t Tree) Trees(path string) (list []Tree) {
	name, below, deeper := strings.Cut(path, ".")
	each(t[name], func(v any) {
		if sub, ok := v.(Tree); ok && deeper {
			list = append(list, sub.Trees(below)...)
		} else if ok {
			list = append(list, sub)
		}
	})
	return list
}

func each(v any, do func(any)) {
	if list, ok := v.([]any); ok {
		for _, member := range list {
			do(member)
		}
	} else if v != nil {
		do(v)
	}
}

// Scalar returns a string, number or true or false as valid UTF-8. ok is false for any
// other value and for "".
func Scalar(v any) (text string, ok bool) {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			v = strings.ToValidUTF8(v, "\ufffd")
		}
		return v, v != ""
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	}
	return "", false
}

// Leaves calls keep with each value of the tree and its path, in the order of the names. tooMany: there are more than 2,000, and the others were left out;
// tooLong: so was what has a path of more than 1,000 octets.
func (t Tree) Leaves(keep func(path, value string)) (tooMany, tooLong bool) {
	n := 0
	var walk func(path string, v any)
	walk = func(path string, v any) {
		if s, ok := Scalar(v); ok {
			if n++; n <= maxValues {
				keep(path, s)
			}
			return
		}
		switch v := v.(type) {
		case []any:
			for _, member := range v {
				if n <= maxValues {
					walk(path, member)
				}
			}
		case Tree:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				switch {
				case n > maxValues:
					return
				case len(path)+len(name) > maxPath:
					tooLong = true
				case path != "":
					walk(path+"."+name, v[name])
				default:
					walk(name, v[name])
				}
			}
		}
	}
	walk("", t)
	return n > maxValues, tooLong
}

// ObjectAt returns where an object, or the first one of an array, begins at the start of
// b or of a line; -1 if there is none.
func ObjectAt(b []byte) int {
	start := bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n")
	for len(start) > 0 {
		inner := start
		if start[0] == '[' {
			inner = bytes.TrimLeft(start[1:], " \t\r\n")
		}
		if len(inner) > 0 && inner[0] == '{' {
			return len(b) - len(inner)
		}
		i := 0
		for i == 0 || i < len(start) && start[i] != '{' && start[i] != '[' {
			next := bytes.IndexByte(start[i:], '\n')
			if next < 0 {
				return -1
			}
			i += next + 1
		}
		start = start[i:]
	}
	return -1
}
