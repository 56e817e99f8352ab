package privacy

import (
	"encoding/hex"
	"strings"
)

// minHex digits hold the shortest address, a@b.c.
const minHex = 10

// hexadecimal hides people in hexadecimal within text. It may follow on
// other text that ends in such a digit.
func (s *scrubber) hexadecimal(text string) string {
	var out strings.Builder
	done := 0
	for i := minHex - 1; i < len(text); i += minHex { // none is shorter
		if !isHex(text[i]) {
			continue
		}
		start, end := i, i+1
		for start > done && isHex(text[start-1]) {
			start--
		}
		for end < len(text) && isHex(text[end]) {
			end++
		}
		i = end - 1
		if end-start < minHex {
			continue
		}
		if hidden := s.hexRun(text[start:end]); hidden != text[start:end] {
			out.WriteString(text[done:start])
			out.WriteString(hidden)
			done = end
		}
	}
	if done == 0 {
		return text
	}
	out.WriteString(text[done:])
	return out.String()
}

func (s *scrubber) hexRun(run string) string {
	for offset := range 2 {
		end := len(run) - (len(run)-offset)%2
		clear, err := hex.DecodeString(run[offset:end])
		if err != nil {
			return run
		}
		if hidden := s.plain(string(clear)); hidden != string(clear) {
			run = run[:offset] + hex.EncodeToString([]byte(hidden)) + run[end:]
		}
	}
	return run
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= lower(c) && lower(c) <= 'f' }
