package report

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
	maxJSONDepth   = 32     // objects and arrays within each other
	maxJSONValues  = 2_000  // values of one text that are kept
	maxJSONRead    = 20_000 // strings, commas and brackets of one text that are read
	maxJSONObjects = 1_000  // objects of one text that are tried
	maxJSONPath    = 1_000  // octets of the names that lead to one
)

// tree is a JSON object with its names in lower case. What is taken out of it
// as it is understood is gone; what is left at the end goes to the extensions.
type tree map[string]any

// readJSON reads the object at the start of b, and whatever of it is whole where
// b ends too early. nil: there is none, or it is too deep.
func readJSON(b []byte) (t tree, whole bool) {
	t, _, whole = readFirstJSON(b)
	return t, whole
}

// readFirstJSON is readJSON; rest is what stands behind the object.
func readFirstJSON(b []byte) (t tree, rest []byte, whole bool) {
	b = b[:min(len(b), message.MaxDecoded)]
	fixed, rest, whole := closeJSON(b)
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader(fixed))
	d.UseNumber()
	if fixed == nil || d.Decode(&v) != nil {
		return nil, rest, false
	}
	t, _ = lowerNames(v).(tree)
	return t, rest, whole
}

// allJSON reads the objects in b, at most n: the members of an array, or one behind
// the other. whole: the last of them is, and there are no more.
func allJSON(b []byte, n int) (trees []tree, whole bool) {
	b = b[:min(len(b), message.MaxDecoded)]
	whole = true
	for range maxJSONObjects {
		at := objectAt(bytes.TrimLeft(b, ", \t\r\n"))
		if at < 0 {
			return trees, whole
		}
		if len(trees) == n {
			return trees, false
		}
		t, rest, ended := readFirstJSON(bytes.TrimLeft(b, ", \t\r\n")[at:])
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
		t := make(tree, len(v))
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

// closeJSON is the object at the start of b. One that b cuts short is closed
// behind its last whole value: whole is false then. Line breaks within a string,
// which mailers put into long lines ("!", a line break and a blank), are taken
// out; what else is no JSON in a string is escaped, as one such string would lose
// all. nil: nothing can be saved. rest is what follows a whole object.
func closeJSON(b []byte) (fixed, rest []byte, whole bool) {
	var stack, closers []byte
	out := make([]byte, 0, min(len(b)+maxJSONDepth, 512))
	safe, name := 0, false // up to where the values are whole; a name comes next
	kept := 0
	keep := func() {
		kept++
		safe, closers = len(out), append(closers[:0], stack...)
	}
	for i := 0; i < len(b) && kept < maxJSONRead; i++ {
		c := b[i]
		if len(stack) == 0 && len(out) > 0 || len(out) == 0 && c != '{' && !message.IsSpace(c) {
			break
		}
		switch c {
		case '{', '[':
			if len(stack) == maxJSONDepth {
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
			out = append(out, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
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

// take takes the texts, numbers and truths at a path out of the tree; of arrays
// on the way, each member is looked at.
func (t tree) take(path string) []string {
	name, below, deeper := strings.Cut(path, ".")
	var values []string
	each(t[name], func(v any) {
		if !deeper {
			if s, ok := scalar(v); ok {
				values = append(values, s)
			}
		} else if sub, ok := v.(tree); ok {
			values = append(values, sub.take(below)...)
		}
	})
	if !deeper && len(values) > 0 {
		delete(t, name)
	}
	return values
}

// one is the first of take; the others stay under their path.
func (t tree) one(path string) string {
	values := t.take(path)
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

// trees are the objects at a path, still in their places.
func (t tree) trees(path string) (list []tree) {
	name, below, deeper := strings.Cut(path, ".")
	each(t[name], func(v any) {
		if sub, ok := v.(tree); ok && deeper {
			list = append(list, sub.trees(below)...)
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

func scalar(v any) (string, bool) {
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

// extendTree keeps what is left of a tree, each value under its path.
func (p *parser) extendTree(t tree) {
	n := 0
	var walk func(path string, v any)
	walk = func(path string, v any) {
		if s, ok := scalar(v); ok {
			if n++; n <= maxJSONValues {
				p.extend(path, s)
			} else {
				p.loss("json: more than 2000 values")
			}
			return
		}
		switch v := v.(type) {
		case []any:
			for _, member := range v {
				if n <= maxJSONValues {
					walk(path, member)
				}
			}
		case tree:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				switch {
				case n > maxJSONValues:
					return
				case len(path)+len(name) > maxJSONPath:
					p.loss("json: a name longer than 1000 octets")
				case path != "":
					walk(path+"."+name, v[name])
				default:
					walk(name, v[name])
				}
			}
		}
	}
	walk("", t)
}

// objectAt is where an object begins, also the first of an array, at the start of b
// or of a line; -1: there is none.
func objectAt(b []byte) int {
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
