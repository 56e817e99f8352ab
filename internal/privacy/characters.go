package privacy

import (
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A char is a possible reading of one place of a text, and where the next begins.
// Letters are as they are written.
type char struct {
	text string // of one octet, or a whole character in UTF-8
	next int
}

// levels of escapes within each other, as in %2540 or &amp;#64; or =26commat;.
const levels = 3

// octets has each octet as a string.
var octets = func() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}()

// isSpecial reports whether more than the octet itself may be meant.
func isSpecial(c byte) bool {
	switch c {
	case '%', '=', '+', '\\', '&', 0:
		return true
	}
	return c >= utf8.RuneSelf
}

// characters appends the possible readings of s[i:]: the octet itself, and what it
// means as the beginning of an escape. That is %40, =40 and +40 (xtext, RFC
// 3461 section 4); \u0040, \x40, \100 and \@; %u0040; &#64; and &#x40; with or
// without a semicolon, and names of HTML; each also where its own octets are
// escaped. Soft line breaks of quoted-printable, NUL and invisible characters
// are passed over.
//
// They are at the end of the walker's stack. The caller removes them.
func (w *walker) characters(i, level int) []char {
	w.work--
	start := len(w.stack)
	if i < len(w.s) && !isSpecial(w.s[i]) {
		w.stack = append(w.stack, char{w.s[i : i+1], i + 1})
		return w.stack[start:]
	}
	w.unescaped(i)
	tried := start
	for inner := range level {
		end := len(w.stack)
		for k := start; k < end && w.work >= 0; k++ {
			c := w.stack[k]
			if len(c.text) != 1 || !mayEscape(w.s, c, k < tried) {
				continue
			}
			text, next := w.escape(c.text[0], c.next, inner)
			w.push(start, text, next)
			if c.text == "\\" && next <= c.next+1 { // a quoted pair, and no longer escape
				text, next = w.one(c.next, inner)
				w.push(start, text, next)
			}
		}
		tried = end
	}
	return w.stack[start:]
}

func (w *walker) push(start int, text string, next int) {
	if c := (char{text, next}); next > 0 && !slices.Contains(w.stack[start:], c) {
		w.stack = append(w.stack, c)
	}
}

// pop leaves the first n of the stack.
func (w *walker) pop(n int) { w.stack = w.stack[:n] }

// mayEscape reports whether c may be the beginning of an escape. tried: only of one
// in which there are escapes.
func mayEscape(s string, c char, tried bool) bool {
	rest := s[c.next:]
	if rest == "" {
		return false
	}
	most := 2
	switch first := rest[0]; c.text[0] {
	case '%', '=', '+':
		if !isHex(first) && !inEscape(first) && (c.text[0] != '%' || lower(first) != 'u') {
			return false
		}
	case '\\':
		most = 10
	case '&':
		if first != '#' && !isAlphanumeric(first) && !inEscape(first) {
			return false
		}
		most = 12
	default:
		return false
	}
	if !tried {
		return true
	}
	for i := range min(most, len(rest)) {
		if inEscape(rest[i]) {
			return true
		}
	}
	return false
}

// inEscape reports whether c, within an escape, may be one itself or be passed
// over.
func inEscape(c byte) bool {
	switch c {
	case '%', '=', '+', '\\', '&', 0, 0xc2, 0xe2, 0xef: // the last begin invisible characters
		return true
	}
	return false
}

func (w *walker) unescaped(i int) {
	for range 8 {
		switch rest := w.s[min(i, len(w.s)):]; {
		case rest == "":
			return
		case rest[0] == 0:
			i++
		case strings.HasPrefix(rest, "=\r\n"):
			i += 3
		case strings.HasPrefix(rest, "=\n"):
			i += 2
		case strings.HasPrefix(rest, "\u200b"), strings.HasPrefix(rest, "\u200c"), strings.HasPrefix(rest, "\u200d"),
			strings.HasPrefix(rest, "\u2060"), strings.HasPrefix(rest, "\ufeff"):
			i += 3
		case strings.HasPrefix(rest, "\u00ad"):
			i += 2
		default:
			w.written(i)
			return
		}
	}
}

func (w *walker) written(i int) {
	w.stack = append(w.stack, char{w.s[i : i+1], i + 1})
	if w.s[i] < utf8.RuneSelf {
		return
	}
	r, size := utf8.DecodeRuneInString(w.s[i:])
	switch lower := unicode.ToLower(r); {
	case r == utf8.RuneError:
	case r == '＠' || r == '﹫':
		w.stack = append(w.stack, char{"@", i + size})
	case r == '。' || r == '．' || r == '｡': // full stops in domains (UTS 46)
		w.stack = append(w.stack, char{".", i + size})
	case r == '\u00a0':
		w.stack = append(w.stack, char{" ", i + size})
	case lower != r:
		w.stack = append(w.stack, char{string(lower), i + size})
	}
}

// one is the octet at i, decoded as far as possible; its next is 0 at the end.
func (w *walker) one(i, level int) (text string, next int) {
	defer w.pop(len(w.stack))
	if all := w.characters(i, level); len(all) > 0 {
		last := all[len(all)-1]
		return last.text, last.next
	}
	return "", 0
}

func (w *walker) escape(intro byte, i, level int) (text string, next int) {
	switch intro {
	case '%', '=', '+':
		if value, next := w.number(i, level, 16, 2, 2); next > 0 {
			return octets[value : value+1], next
		}
		if u, after := w.one(i, level); intro == '%' && (u == "u" || u == "U") {
			return character(w.number(after, level, 16, 4, 4))
		}
	case '\\':
		c, after := w.one(i, level)
		switch c {
		case "u", "U":
			if brace, digits := w.one(after, level); brace == "{" {
				value, end := w.number(digits, level, 16, 1, 6)
				if brace, next = w.one(end, level); end > 0 && brace == "}" {
					return character(value, next)
				}
				return "", 0
			}
			if value, end := w.number(after, level, 16, 8, 8); c == "U" && end > 0 {
				return character(value, end)
			}
			return character(w.number(after, level, 16, 4, 4))
		case "x":
			return character(w.number(after, level, 16, 2, 2))
		case "n", "r", "t":
			return " ", after
		}
		return character(w.number(i, level, 8, 3, 3))
	case '&':
		return w.reference(i, level)
	}
	return "", 0
}

// reference reads the "#64;", "#x40;" or "commat;" of a character reference of
// HTML.
func (w *walker) reference(i, level int) (text string, next int) {
	const longest = 32
	c, after := w.one(i, level)
	if c == "#" {
		base, least := 10, 1
		if x, digits := w.one(after, level); x == "x" || x == "X" {
			base, after = 16, digits
		}
		value, end := w.number(after, level, base, least, 20)
		if end == 0 {
			return "", 0
		}
		if semicolon, behind := w.one(end, level); semicolon == ";" {
			end = behind
		}
		return character(value, end)
	}
	var name []byte
	for len(name) < longest && len(c) == 1 && isAlphanumeric(c[0]) {
		name, i = append(name, c[0]), after
		if c, after = w.one(i, level); string(name) == "commat" { // whatever follows
			text, next = "@", i
		}
	}
	if c == ";" {
		whole := "&" + string(name) + ";"
		if known := html.UnescapeString(whole); known != whole {
			return strings.ToLower(known), after
		}
	}
	return text, next
}

// character is the one of that number in UTF-8.
func character(value, next int) (string, int) {
	if next == 0 || value < 0 || value > unicode.MaxRune {
		return "", 0
	}
	if value < utf8.RuneSelf {
		return octets[value : value+1], next
	}
	return strings.ToLower(string(rune(value))), next
}

// number reads digits; its next is 0 where there are fewer than least of them.
func (w *walker) number(i, level, base, least, most int) (value, next int) {
	for n := range most {
		c, after := w.digit(i, level, base)
		if after == 0 {
			if n < least {
				return 0, 0
			}
			break
		}
		value, i = min(value*base+c, 1<<24), after
	}
	return value, i
}

func (w *walker) digit(i, level, base int) (value, next int) {
	defer w.pop(len(w.stack))
	for _, c := range w.characters(i, level) {
		if v := strings.IndexByte(hexDigits[:base], lower(c.text[0])); v >= 0 && len(c.text) == 1 {
			return v, c.next
		}
	}
	return 0, 0
}

const hexDigits = "0123456789abcdef"

func isAlphanumeric(c byte) bool {
	return 'a' <= lower(c) && lower(c) <= 'z' || '0' <= c && c <= '9'
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
