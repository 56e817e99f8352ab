package privacy

import (
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

const (
	mostBlanks = 1000 // octets of white space, comments and tags in one place
	mostTag    = 64   // octets of a +tag
	mostApart  = 256  // octets between a local part and its domain in fields of their own
)

// A finding is the place of a person in a text. s[from:to] is to be replaced, and the
// search goes on at end.
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
	apart []finding // with the local part after the domain, not adjacent
}

// A way is how far an entry was followed.
type way struct {
	trie   *trie
	second bool   // after the split
	mid    int    // where the first part ends
	begin  int    // where the second one begins
	apart  bool   // the two are not adjacent
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

// follow goes on after a character.
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

// dot goes on after a full stop that follows white space, a comment or a quotation mark
// (RFC 5322 section 4.4), or that is a word.
func (w *walker) dot(n node, i int, y way) {
	if i == len(w.s) || isAlphanumeric(w.s[i]) || w.s[i] == '.' {
		return
	}
	if next, _ := w.word(dotWords, i, i > 0 && message.IsSpace(w.s[i-1])); next > 0 {
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
		if next, _ := w.word(dotWords, j, message.IsSpace(w.s[j-1])); next > 0 {
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

// split goes on after the sign between the two parts; n is where the second begins.
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

// sign goes on after "@" or its substitute, with white space, comments and
// tags of HTML around it.
func (w *walker) sign(n node, i int, y way) {
	for j := i; ; {
		w.signAt(n, j, j > i && message.IsSpace(w.s[j-1]), y)
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
// after it in the same line.
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
