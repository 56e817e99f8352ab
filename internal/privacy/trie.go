package privacy

import (
	"cmp"
	"slices"
	"sort"
	"strings"
)

// An entry is something to hide. Its text is in lower case. With an address it
// is two parts with a split between: local part and domain, or the other way
// round. A text such as a subject is one part.
type entry struct {
	text    string
	address string // whose it is; "" for a text
}

// split is in place of "@" or its substitute: a text has many ways to
// write it, and none of them is NUL.
const split = "\x00"

// A trie is a sorted list in which texts with the same beginning are adjacent: a
// node is those which have the first depth octets in common. Nothing is built
// but the order, so it costs nothing for one person and little for thousands.
// An automaton of a library takes the text as it is; what is looked for here
// may be written in many ways, which are tried octet by octet.
type trie struct {
	entries []entry
	first   [256]node
}

type node struct{ low, high, depth int32 }

func newTrie(entries []entry) *trie {
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(strings.Compare(a.text, b.text), cmp.Compare(len(a.address), len(b.address)), strings.Compare(a.address, b.address))
	})
	entries = slices.CompactFunc(entries, func(a, b entry) bool { return a.text == b.text })
	t := &trie{entries: entries}
	for i, e := range entries {
		n := &t.first[e.text[0]]
		if n.high == 0 {
			*n = node{low: int32(i), depth: 1}
		}
		n.high = int32(i) + 1
	}
	return t
}

// step is the part of n in which c comes next.
func (t *trie) step(n node, c byte) (node, bool) {
	if n.depth == 0 {
		next := t.first[c]
		return next, next.high > 0
	}
	depth := int(n.depth)
	if n.high-n.low == 1 {
		text := t.entries[n.low].text
		return node{n.low, n.high, n.depth + 1}, depth < len(text) && text[depth] == c
	}
	entries := t.entries[n.low:n.high]
	from := sort.Search(len(entries), func(i int) bool {
		text := entries[i].text
		return depth < len(text) && text[depth] >= c
	})
	to := from + sort.Search(len(entries)-from, func(i int) bool { return entries[from+i].text[depth] > c })
	return node{n.low + int32(from), n.low + int32(to), n.depth + 1}, from < to
}

// at is the entry that ends at n; nil where none does.
func (t *trie) at(n node) *entry {
	if e := &t.entries[n.low]; len(e.text) == int(n.depth) {
		return e
	}
	return nil
}
