package terminal

import (
	"unicode"

	"golang.org/x/text/width"
)

// Cells returns the number of a terminal's columns that s takes. An East Asian wide
// character takes two (UAX 11), a mark on another character none.
func Cells(s string) int {
	n := 0
	for _, r := range s {
		n += runeCells(r)
	}
	return n
}

func runeCells(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf), r >= 0x1160 && r <= 0x11ff: // Hangul vowels and finals
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Cut shortens s to n columns at most, with an ellipsis at its end.
func Cut(s string, n int) string {
	if n <= 0 {
		return ""
	}
	if len(s) <= n || Cells(s) <= n {
		return s
	}
	end, used := 0, 1 // the ellipsis
	for i, r := range s {
		if used += runeCells(r); used > n {
			break
		}
		end = i + len(string(r))
	}
	return s[:end] + "…"
}
