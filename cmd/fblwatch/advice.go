package main

import (
	"errors"
	"strings"
	"unicode"
)

// advice is an error that knows what the reader can do about it, and the code
// the program exits with.
type advice struct {
	err  error
	hint string
	code int
}

func (a *advice) Error() string { return a.err.Error() }
func (a *advice) Unwrap() error { return a.err }

// wrong marks err as wrong usage or config.
func wrong(err error, hint string) error { return &advice{err, hint, exitUsage} }

// failed gives err a hint.
func failed(err error, hint string) error { return &advice{err, hint, exitFailed} }

// hintFor returns what to do about err, or "".
func hintFor(err error) string {
	if advised := (*advice)(nil); errors.As(err, &advised) {
		return advised.hint
	}
	return sessionHint(err)
}

// nearest returns the candidate that a slip of the fingers made into word, or
// "" if none is near.
func nearest(word string, candidates []string) string {
	best, bestDistance := "", len(word)/3+1
	for _, candidate := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); d <= bestDistance && d < len(candidate) {
			if d < bestDistance || best == "" {
				best, bestDistance = candidate, d
			}
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to make a into b.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return len(a) + len(b) // no slip of the fingers
	}
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}

// printable replaces what could move a terminal's cursor, change its colours
// or hide text: message and servers decide what many of our strings hold.
func printable(s string) string {
	clean := func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}
	return strings.Map(clean, strings.ToValidUTF8(s, "\uFFFD"))
}
