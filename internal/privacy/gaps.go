package privacy

import (
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// blanks is the end of white space, comments and tags.
func (w *walker) blanks(i int) int {
	for j := i; ; {
		next := w.blank(j, i)
		if next == j {
			return j
		}
		j = next
	}
}

// blank is the end of white space, a comment (RFC 5322 section 3.2.2) or a tag of
// HTML at i; i where there is none. All of them began at first.
func (w *walker) blank(i, first int) int {
	defer w.pop(len(w.stack))
	for end := i; ; {
		if end >= len(w.s) || end-first > mostBlanks || isAlphanumeric(w.s[end]) || w.work < 0 {
			return end
		}
		all := w.characters(end, levels)
		next := end
		for _, c := range all {
			if len(c.text) == 1 && message.IsSpace(c.text[0]) || c.text == "\u00a0" {
				next = c.next
			}
		}
		if next == end {
			if end > i {
				return end
			}
			for _, c := range all {
				switch c.text {
				case "(":
					return w.comment(i, c.next, first)
				case "<":
					within := w.s[c.next:max(c.next, min(len(w.s), first+mostBlanks))]
					if tag := strings.IndexByte(within, '>'); tag > 0 && within[0] != '@' {
						w.work -= tag
						return c.next + tag + 1
					}
				}
			}
			return i
		}
		end = next
	}
}

func (w *walker) comment(i, end, first int) int {
	defer w.pop(len(w.stack))
	for depth := 1; end < len(w.s) && end-first < mostBlanks && w.work >= 0; {
		all := w.characters(end, levels)
		if len(all) == 0 {
			break
		}
		last := all[len(all)-1]
		if end = last.next; slices.ContainsFunc(all, func(c char) bool { return c.text == `\` }) {
			continue // a quoted pair
		}
		switch last.text {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				return end
			}
		}
	}
	return i
}

// atWords replace "@" where that would have another meaning, as in the links of Mailman
// 2; dotWords replace ".".
var (
	atWords  = []string{"at", "--at--", "-at-", "_at_", "(at)", "[at]", "{at}", "<at>", "(a)", "[a]", "(@)", "[@]", "{@}", "+aea-"}
	dotWords = []string{"dot", "-dot-", "_dot_", "(dot)", "[dot]", "{dot}", "<dot>", "(.)", "[.]", "{.}"}
)

// word is the end of one of the words at i, with the white space after it. The first of
// them needs white space on both sides.
func (w *walker) word(words []string, i int, spaced bool) (next int, ok bool) {
	for n, word := range words {
		if len(w.s)-i < len(word) || !strings.EqualFold(w.s[i:i+len(word)], word) {
			continue
		}
		next = i + len(word)
		for next < len(w.s) && message.IsSpace(w.s[next]) && next-i < mostBlanks {
			next++
		}
		w.work -= next - i
		if n > 0 || spaced && next > i+len(word) {
			return next, true
		}
	}
	return 0, false
}

// begins reports whether the value of a field begins at i.
func (w *walker) begins(i int) bool {
	before := w.s[:i]
	if before == "" {
		return true
	}
	switch c := before[i-1]; {
	case opens(c):
		return true
	case c == ' ' || c == '\t':
		before = strings.TrimRight(before[max(0, i-8):], " \t")
		return before != "" && strings.IndexByte(":=,", before[len(before)-1]) >= 0
	case !isHex(c) || i < 3:
		return false
	}
	value, ok := hexPair(before[i-2:])
	if !ok || !opens(value) {
		return false
	}
	mark := before[:i-2]
	return strings.HasSuffix(mark, "%") || strings.HasSuffix(mark, "=") || strings.HasSuffix(mark, "%25") || strings.HasSuffix(mark, "=25") ||
		strings.HasSuffix(mark, `\u00`) || strings.HasSuffix(mark, `\x`)
}

func opens(c byte) bool { return strings.IndexByte("=:/>\"'|,;([{?&#`", c) >= 0 }

// ends reports whether the value of a field ends at i.
func (w *walker) ends(i int) bool {
	if i == len(w.s) {
		return true
	}
	if isAlphanumeric(w.s[i]) {
		return false
	}
	if w.s[i] == '.' && (i+1 == len(w.s) || strings.IndexByte(" \t\r\n\"'<>)]", w.s[i+1]) >= 0) {
		return true // of a sentence, or of a name from the root
	}
	text, _ := w.one(i, levels)
	return text == "" || len(text) == 1 && !isAlphanumeric(text[0]) && strings.IndexByte(".-_+@~", text[0]) < 0
}

func hexPair(s string) (byte, bool) {
	hi, lo := strings.IndexByte(hexDigits, lower(s[0])), strings.IndexByte(hexDigits, lower(s[1]))
	return byte(hi<<4 | lo), hi >= 0 && lo >= 0
}
