package privacy

import (
	"slices"
	"strings"
)

const (
	mostBlanks = 1000 // octets of white space, comments and tags in one place
	mostTag    = 64   // octets of a +tag
	mostApart  = 256  // octets between a local part and its domain in fields of their own
)

// A finding is a place where somebody stands in a text. s[from:to] is to be
// replaced, and the search goes on at end.
type finding struct {
	from, to, end int
	by            *entry
}

// walker looks for the entries of two tries in a text.
type walker struct {
	s string
	// forward has local part and domain, and texts; reversed has domain and
	// local part, as in SRS.
	forward, reversed *trie
	whole             bool // findings are whole addresses, not their local parts
	// work is how many steps may be taken still. Below 0 the result is not
	// whole.
	work int

	start int
	stack []char // see characters
	best  finding
	apart []finding // whose local part stands behind the domain, away from it
}

// A way is how far an entry was followed.
type way struct {
	trie   *trie
	second bool   // behind the split
	mid    int    // where the first part ends
	begin  int    // where the second one begins
	apart  bool   // the two do not stand beside each other
	quotes int    // of a quoted string that were passed
	quote  string // the last of them
}

// at finds the longest of what begins at i.
func (w *walker) at(i int) (finding, bool) {
	w.start, w.best = i, finding{end: -1}
	if !isSpecial(w.s[i]) {
		for _, t := range []*trie{w.forward, w.reversed} {
			if w.mayBegin(t, i) {
				w.follow(node{}, w.s[i:i+1], i+1, way{trie: t})
			}
		}
		return w.best, w.best.end >= 0
	}
	defer w.pop(len(w.stack))
	for _, c := range w.characters(i, levels) {
		for _, t := range []*trie{w.forward, w.reversed} {
			if t.first[lower(c.text[0])].high > 0 {
				w.follow(node{}, c.text, c.next, way{trie: t})
			}
		}
	}
	return w.best, w.best.end >= 0
}

// mayBegin spares most places a walk: a letter or digit is nothing but itself.
func (w *walker) mayBegin(t *trie, i int) bool {
	n := t.first[lower(w.s[i])]
	if n.high == 0 || i+1 == len(w.s) || !isAlphanumeric(w.s[i+1]) {
		return n.high > 0
	}
	_, ok := t.step(n, lower(w.s[i+1]))
	return ok
}

// walk follows the entries of n from i on.
func (w *walker) walk(n node, i int, y way) {
	if w.work--; w.work < 0 || i > len(w.s) {
		return
	}
	if i < len(w.s) { // first: an address with its +tag comes before the one without
		if c := w.s[i]; !isSpecial(c) {
			w.follow(n, w.s[i:i+1], i+1, y)
		} else {
			base := len(w.stack)
			for _, c := range w.characters(i, levels) {
				w.follow(n, c.text, c.next, y)
			}
			w.pop(base)
		}
	}
	if e := y.trie.at(n); e != nil {
		w.found(e, i, y)
	}
	if next, ok := y.trie.step(n, split[0]); ok && !y.second {
		w.split(next, i, y)
	}
	if child, ok := y.trie.step(n, '.'); ok {
		w.dot(child, i, y)
	}
}

// follow goes on behind a character.
func (w *walker) follow(n node, text string, next int, y way) {
	if text == split {
		return
	}
	child := n
	for i := range len(text) {
		var ok bool
		if child, ok = y.trie.step(child, lower(text[i])); !ok {
			if text == "_" || text == "+" { // RFC 2047 section 4.2; forms
				if child, ok = y.trie.step(n, ' '); ok && n.depth > 0 {
					w.walk(child, next, y)
				}
			}
			return
		}
	}
	w.walk(child, next, y)
	if text == "." && n.depth > 0 {
		w.behindDot(child, next, y)
	}
}

// dot goes on behind a full stop that white space, a comment or a quotation mark
// stands before (RFC 5322 section 4.4), or that is a word.
func (w *walker) dot(n node, i int, y way) {
	if i == len(w.s) || isAlphanumeric(w.s[i]) || w.s[i] == '.' {
		return
	}
	if next, _ := w.word(dotWords, i, i > 0 && isBlank(w.s[i-1])); next > 0 {
		w.walk(n, next, y)
	}
	defer w.pop(len(w.stack))
	if quote, next := w.quote(i); next > 0 && !y.second {
		y.quote = quote
		for _, c := range w.characters(next, levels) {
			if c.text == "." {
				y.quotes++
				w.walk(n, c.next, y)
				w.behindDot(n, c.next, y)
				return
			}
		}
	}
	for j := w.blank(i, i); j > i; {
		if next, _ := w.word(dotWords, j, isBlank(w.s[j-1])); next > 0 {
			w.walk(n, next, y)
			return
		}
		for _, c := range w.characters(j, levels) {
			if c.text == "." {
				w.walk(n, c.next, y)
				w.behindDot(n, c.next, y)
				return
			}
		}
		next := w.blank(j, i)
		if next == j {
			return
		}
		j = next
	}
}

func (w *walker) behindDot(n node, i int, y way) {
	if next := w.blanks(i); next > i {
		w.walk(n, next, y)
		i = next
	}
	if quote, next := w.quote(i); next > 0 && !y.second {
		y.quotes++
		y.quote = quote
		w.walk(n, next, y)
	}
}

// quote reads a quotation mark.
func (w *walker) quote(i int) (mark string, next int) {
	if i >= len(w.s) || isAlphanumeric(w.s[i]) {
		return "", 0
	}
	defer w.pop(len(w.stack))
	for _, c := range w.characters(i, levels) {
		if c.text == `"` || c.text == "'" {
			return w.s[i:c.next], c.next
		}
	}
	return "", 0
}

// split goes on behind what stands between the two parts; n is where the second
// begins.
func (w *walker) split(n node, i int, y way) {
	y.second, y.mid = true, i
	if y.trie == w.reversed {
		w.reverse(n, i, y)
	} else {
		w.sign(n, i, y)
		w.tag(n, i, y)
	}
	w.fields(n, i, y)
	if quote, next := w.quote(i); next > 0 && y.trie == w.forward {
		y.quote, y.mid = quote, next
		y.quotes++
		w.sign(n, next, y)
	}
}

// sign goes on behind "@", or what stands for it, with white space, comments and
// tags of HTML around it.
func (w *walker) sign(n node, i int, y way) {
	for j := i; ; {
		w.signAt(n, j, j > i && isBlank(w.s[j-1]), y)
		next := w.blank(j, i)
		if next == j || w.work < 0 {
			return
		}
		if c := w.s[j]; c == '(' || c == '<' {
			y.mid = next // it may name somebody
		}
		j = next
	}
}

func (w *walker) signAt(n node, i int, spaced bool, y way) {
	if i >= len(w.s) || isAlphanumeric(w.s[i]) && !spaced {
		return
	}
	if next, isAt := w.word(atWords, i, spaced); isAt {
		w.walk(n, next, y)
	}
	defer w.pop(len(w.stack))
	for _, c := range w.characters(i, levels) {
		switch c.text {
		case "@":
			w.walk(n, c.next, y)
			if next := w.blanks(c.next); next > c.next {
				w.walk(n, next, y)
			}
		case "=", "+", "%", "#", "_", "-", "~", "*", "|", ":", "/", ",", ";", "!", "$", "^", "?":
			w.walk(n, c.next, y)
		}
	}
}

// tag passes over "+tag".
func (w *walker) tag(n node, i int, y way) {
	if i == len(w.s) || !isSpecial(w.s[i]) {
		return
	}
	defer w.pop(len(w.stack))
	for _, c := range w.characters(i, levels) {
		if c.text != "+" {
			continue
		}
		for j := c.next; j < len(w.s) && j-c.next < mostTag && !strings.ContainsRune(" \t\r\n<>\"@,;", rune(w.s[j])) && w.work >= 0; {
			j++
			y.mid = j
			w.sign(n, j, y)
		}
	}
}

// reverse goes on with the local part, as in SRS and in paths of UUCP.
func (w *walker) reverse(n node, i int, y way) {
	if i == len(w.s) || isAlphanumeric(w.s[i]) {
		return
	}
	defer w.pop(len(w.stack))
	for _, c := range w.characters(i, levels) {
		if c.text == "=" || c.text == "!" {
			y.begin = c.next
			w.walk(n, c.next, y)
		}
	}
}

// fields looks for the second part where the first is a field's value by itself:
// in a parameter of a URL, a member of JSON, an attribute or a path, somewhat
// behind it in the same line.
func (w *walker) fields(n node, i int, y way) {
	if !w.begins(w.start) || !w.ends(i) {
		return
	}
	y.apart = true
	for j := i + 1; j < len(w.s) && j-i < mostApart && w.work >= 0; j++ {
		w.work--
		if c := w.s[j-1]; c == '\n' && (j < 2 || w.s[j-2] != '=') && (j < 3 || w.s[j-3:j-1] != "=\r") {
			return
		}
		if w.begins(j) {
			y.begin = j
			w.walk(n, j, y)
		}
	}
}

// found takes an entry that ends at end, if none is longer.
func (w *walker) found(e *entry, end int, y way) {
	switch f := (finding{w.start, end, end, e}); {
	case y.apart && !w.ends(end):
	case y.apart && y.trie == w.reversed:
		w.apart = append(w.apart, finding{y.begin, end, end, e})
	case y.trie == w.reversed && end < len(w.s) && isAlphanumeric(w.s[end]): // the start of another local part
	case y.trie == w.reversed && !w.whole:
		f.from = y.begin
		w.take(f)
	case y.apart:
		f.to, f.end = y.mid, y.mid
		w.take(f)
	case e.address != "":
		if !w.whole && y.trie == w.forward {
			f.to = y.mid
		}
		if before := w.s[:f.from]; y.quotes%2 == 1 && strings.HasSuffix(before, y.quote) {
			f.from -= len(y.quote)
		}
		w.take(f)
	default:
		w.take(f)
	}
}

func (w *walker) take(f finding) {
	if f.end > w.best.end {
		w.best = f
	}
}

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
			if len(c.text) == 1 && isBlank(c.text[0]) || c.text == "\u00a0" {
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

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// atWords stand for "@" where that would be taken for something else, as in the
// links of Mailman 2; dotWords stand for "." likewise.
var (
	atWords  = []string{"at", "--at--", "-at-", "_at_", "(at)", "[at]", "{at}", "<at>", "(a)", "[a]", "(@)", "[@]", "{@}", "+aea-"}
	dotWords = []string{"dot", "-dot-", "_dot_", "(dot)", "[dot]", "{dot}", "<dot>", "(.)", "[.]", "{.}"}
)

// word is the end of one of the words at i, with the white space behind it. The
// first of them wants white space on both sides.
func (w *walker) word(words []string, i int, spaced bool) (next int, ok bool) {
	for n, word := range words {
		if len(w.s)-i < len(word) || !strings.EqualFold(w.s[i:i+len(word)], word) {
			continue
		}
		next = i + len(word)
		for next < len(w.s) && isBlank(w.s[next]) && next-i < mostBlanks {
			next++
		}
		w.work -= next - i
		if n > 0 || spaced && next > i+len(word) {
			return next, true
		}
	}
	return 0, false
}

// begins tells whether the value of a field begins at i.
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

// ends tells whether the value of a field ends at i.
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
