package privacy

import (
	"io"
	"mime"
	"regexp"
	"strings"
)

// encodedWords are encoded words in a row, which are one text (RFC 2047 section
// 6.2); blanks within one are against the RFC, and there are.
var encodedWords = regexp.MustCompile(`=\?[^?\s]{1,60}\?[QqBb]\?[^?\r\n]*\?=(?:[ \t\r\n]+=\?[^?\s]{1,60}\?[QqBb]\?[^?\r\n]*\?=)*`)

// anyCharset decodes words of a charset that it does not know as they are: an
// address is ASCII in nearly all of them.
var anyCharset = mime.WordDecoder{CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return r, nil }}

// words hides people in encoded words. A name may be divided between several words, and
// between a word and plain text.
func (s *scrubber) words(text string, layer int) string {
	if !strings.Contains(text, "=?") {
		return text
	}
	type piece struct{ raw, decoded, hidden string }
	var (
		pieces []piece
		joined strings.Builder
		done   int
	)
	for _, at := range encodedWords.FindAllStringIndex(text, -1) {
		raw := text[at[0]:at[1]]
		decoded, err := anyCharset.DecodeHeader(raw)
		if err != nil {
			continue
		}
		before := text[done:at[0]]
		hidden := s.hide(decoded, layer+1)
		pieces = append(pieces, piece{before, before, before}, piece{raw, decoded, hidden})
		joined.WriteString(before)
		joined.WriteString(hidden)
		done = at[1]
	}
	if pieces == nil {
		return text
	}
	pieces = append(pieces, piece{text[done:], text[done:], text[done:]})
	joined.WriteString(text[done:])
	whole := joined.String()
	all := s.find(whole)
	var out strings.Builder
	start := 0
	for _, p := range pieces {
		end := start + len(p.hidden)
		var hidden strings.Builder
		at := start
		for len(all) > 0 && all[0].from < end {
			f := all[0]
			if f.from >= start {
				hidden.WriteString(whole[at:max(at, f.from)])
				hidden.WriteString(s.instead(f.by))
			}
			at = min(f.to, end)
			if f.to > end {
				break // into the next piece
			}
			all = all[1:]
		}
		hidden.WriteString(whole[at:end])
		switch text := hidden.String(); {
		case text == p.decoded:
			out.WriteString(p.raw)
		case p.raw == p.decoded:
			out.WriteString(text)
		default:
			out.WriteString(mime.QEncoding.Encode("utf-8", text))
		}
		start = end
	}
	return out.String()
}
