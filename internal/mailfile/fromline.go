package mailfile

import "bytes"

// fromLine reports whether line separates two messages, with or without its end:
// "From ", a sender of any form, and a date as asctime(3) writes it,
//
//	From sender Mon Mar  2 06:00:00 2026
//
// and what c-client accepts as well: no seconds, a zone before or after the year,
// "remote from host" at the end. A sentence that begins with "From " has no date.
func fromLine(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, fromWord)
	if !ok {
		return false
	}
	// Only the last words matter: the date has four before the year, a zone up to
	// two, and three may follow.
	var words [11][]byte
	n := 0
	for word := range bytes.FieldsSeq(rest) {
		if n == len(words) {
			n = copy(words[:], words[1:])
		}
		words[n] = word
		n++
	}
	for i := n - 5; i >= 0; i-- {
		w := words[i:n]
		if isName(w[0], days) && isName(w[1], months) && isDigits(w[2], 1, 2) && isClock(w[3]) && isYear(w[4:]) {
			return true
		}
	}
	return false
}

const (
	days   = "SunMonTueWedThuFriSat"
	months = "JanFebMarAprMayJunJulAugSepOctNovDec"
)

// isName reports whether word is one of the three-letter names.
func isName(word []byte, names string) bool {
	if len(word) != 3 {
		return false
	}
	for i := 0; i < len(names); i += 3 {
		if names[i:i+3] == string(word) {
			return true
		}
	}
	return false
}

// isYear reports whether words are a year and what may surround it.
func isYear(words [][]byte) bool {
	if n := len(words); n >= 3 && string(words[n-3]) == "remote" && string(words[n-2]) == "from" {
		words = words[:n-3]
	}
	if len(words) > 3 {
		return false
	}
	years := 0
	for _, word := range words {
		switch {
		case isDigits(word, 4, 4):
			years++
		case !isZone(word):
			return false
		}
	}
	return years == 1
}

// isZone reports whether word is a zone such as "+0100", "EST" or "GMT+1".
func isZone(word []byte) bool {
	return len(word) <= 6 && len(bytes.Trim(word, "+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")) == 0
}

// isClock reports whether word is hh:mm or hh:mm:ss.
func isClock(word []byte) bool {
	switch len(word) {
	case 5:
		return isDigits(word[:2], 2, 2) && word[2] == ':' && isDigits(word[3:], 2, 2)
	case 8:
		return isClock(word[:5]) && word[5] == ':' && isDigits(word[6:], 2, 2)
	}
	return false
}

// isDigits reports whether word is least to most decimal digits.
func isDigits(word []byte, least, most int) bool {
	return len(word) >= least && len(word) <= most && len(bytes.Trim(word, "0123456789")) == 0
}
