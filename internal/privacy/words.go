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

// words hides what stands in encoded words, which may be divided anywhere.
func (s *scrubber) words(text string, layer int) string {
	if !strings.Contains(text, "=?") {
		return text
	}
	return encodedWords.ReplaceAllStringFunc(text, func(run string) string {
		plain, err := anyCharset.DecodeHeader(run)
		if err != nil {
			return run
		}
		hidden := s.hide(plain, layer+1)
		if hidden == plain {
			return run
		}
		return mime.QEncoding.Encode("utf-8", hidden)
	})
}
