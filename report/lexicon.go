package report

import "strings"

// lexicon finds any of many words in one pass over a text: they are kept by
// their first three octets.
type lexicon [512][]string

func newLexicon(words ...string) *lexicon {
	l := new(lexicon)
	l.add(words...)
	return l
}

func (l *lexicon) add(words ...string) {
	for _, word := range words {
		i := lexiconIndex(word)
		l[i] = append(l[i], word)
	}
}

func lexiconIndex(s string) uint { return (uint(s[0])*37 + uint(s[1])*11 + uint(s[2])) % 512 }

// in reports whether one of the words is in the text.
func (l *lexicon) in(text string) bool {
	for ; len(text) >= 3; text = text[1:] {
		for _, word := range l[lexiconIndex(text)] {
			if strings.HasPrefix(text, word) {
				return true
			}
		}
	}
	return false
}
