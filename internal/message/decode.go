package message

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-message/charset"
)

// Decoded returns the body without its transfer encoding, at most MaxDecoded octets. A
// body that is plainly not in the declared encoding is returned as it is. Base64 is
// decoded even if no encoding is declared.
func (p *Part) Decoded() []byte {
	b, encoding := p.Body, MediaType(p.Encoding)
	switch {
	case Is(encoding, "base64"):
		p.Budget.Spend(min(len(b), MaxDecoded/3*4))
		b = decodeBase64(b)
	case Is(encoding, "quoted-printable"):
		p.Budget.Spend(min(len(b), MaxDecoded))
		b = decodeQuoted(b)
	}
	if isBase64(b) {
		p.Budget.Spend(min(len(b), MaxDecoded/3*4))
		if plain := decodeBase64(b); isText(plain) { // else it is only a long word
			b = plain
		}
	}
	return b
}

// isText reports whether b begins as text does.
func isText(b []byte) bool {
	b = b[:min(len(b), 256)]
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			return !utf8.FullRune(b) // it is cut here
		}
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != 0x1b {
			return false
		}
		b = b[size:]
	}
	return true
}

// isBase64 reports whether b begins with a long line of base64 and nothing else.
func isBase64(b []byte) bool {
	b = SkipEnvelope(b, true)
	for _, c := range b[:min(len(b), 40)] { // most texts have another octet here
		if !isBase64Byte(c) && c != '=' && c != '\r' {
			return false
		}
	}
	line, _, _ := CutLine(b)
	letters := bytes.TrimRight(line, "=") // padding stands at an end
	for _, c := range letters {
		if !isBase64Byte(c) {
			return false
		}
	}
	return len(line) >= 40 && len(line)-len(letters) <= 2
}

func isBase64Byte(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/'
}

// decodeBase64 decodes b up to the first padding. It skips other octets (RFC 2045
// section 6.8), unless the result is no text: then it returns b. Of a cut body it
// decodes the complete quanta.
func decodeBase64(b []byte) []byte {
	if line, _, _ := CutLine(SkipEnvelope(b, true)); bytes.IndexByte(line, ':') >= 0 {
		return b
	}
	plain := fromBase64(b)
	if strays(b) && !isText(plain) {
		return b
	}
	return plain
}

// strays reports whether b begins with octets that are not of the alphabet.
func strays(b []byte) bool {
	for _, c := range b[:min(len(b), 256)] {
		if !isBase64Byte(c) && !IsSpace(c) && c != '=' {
			return true
		}
	}
	return false
}

func fromBase64(b []byte) []byte {
	clean := make([]byte, 0, min(len(b), MaxDecoded/3*4))
	for _, c := range b {
		if c == '=' || len(clean) == cap(clean) {
			break
		}
		if isBase64Byte(c) {
			clean = append(clean, c)
		}
	}
	if len(clean)%4 == 1 {
		clean = clean[:len(clean)-1]
	}
	n, err := base64.RawStdEncoding.Decode(clean, clean)
	if err != nil {
		return b
	}
	return clean[:n]
}

// decodeQuoted decodes quoted-printable (RFC 2045 section 6.7). It keeps a "=" without
// meaning.
func decodeQuoted(b []byte) []byte {
	b = b[:min(len(b), MaxDecoded)]
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '=' {
			out = append(out, b[i])
			continue
		}
		if i+2 < len(b) {
			if hi, lo := Unhex(b[i+1]), Unhex(b[i+2]); hi >= 0 && lo >= 0 {
				out = append(out, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		if n := softBreak(b[i+1:]); n >= 0 {
			i += n
			continue
		}
		out = append(out, '=')
	}
	return out
}

// softBreak is how many octets after a "=" belong to a soft line break, with blanks
// before it, or to an escape that the end cuts; -1 if there is neither.
func softBreak(b []byte) int {
	n := 0
	for n < len(b) && (b[n] == ' ' || b[n] == '\t') {
		n++
	}
	if n == 0 && len(b) > 0 && b[0] != '\r' && b[0] != '\n' {
		if n = lineBreak(b, 1); n == len(b) && b[n-1] != '\n' { // one digit and the end
			return n
		}
		return -1
	}
	if n = lineBreak(b, n); n == len(b) || b[n-1] == '\n' {
		return n
	}
	return -1
}

// lineBreak is the end of the line break at b[n].
func lineBreak(b []byte, n int) int {
	for n < len(b) && b[n] == '\r' {
		n++
	}
	if n < len(b) && b[n] == '\n' {
		n++
	}
	return n
}

// Unhex returns the value of a hexadecimal digit, or -1.
func Unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// ToUTF8 converts b from the charset that a Content-Type names. If b is valid UTF-8, or
// the charset is unknown, it returns b.
func ToUTF8(b, contentType []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	name := Param(contentType, "charset")
	if len(name) == 0 {
		return b
	}
	r, err := charset.Reader(string(name), bytes.NewReader(b))
	if err != nil {
		return b
	}
	out, err := io.ReadAll(io.LimitReader(r, MaxDecoded))
	if err != nil || !utf8.Valid(out) {
		return b
	}
	return out
}

var words = mime.WordDecoder{CharsetReader: wordReader}

// wordReader reads one word in a charset. A [bytes.Reader] saves the decoder a buffer of
// 32 KB for each word.
func wordReader(name string, word io.Reader) (io.Reader, error) {
	r, err := charset.Reader(name, word)
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(r)
	return bytes.NewReader(plain), err
}

// DecodeWords decodes the encoded words of a header value (RFC 2047). It returns s if s
// cannot be decoded, has more than 16 KiB, or holds many words without an end.
func DecodeWords(s string) string {
	if !strings.Contains(s, "=?") || len(s) > maxWords || wordsCost(s) > 4*len(s) {
		return s
	}
	out, err := words.DecodeHeader(s)
	if err != nil {
		return s
	}
	return strings.ToValidUTF8(out, "\ufffd")
}

// wordsCost is how many octets a decoder looks at if it tries each beginning of a word
// up to the next end of one.
func wordsCost(s string) (cost int) {
	end := len(s)
	for i := len(s) - 2; i >= 0; i-- {
		switch s[i : i+2] {
		case "?=":
			end = i
		case "=?":
			cost += end - i
		}
	}
	return cost
}

// Valid returns s with U+FFFD for octets that are no UTF-8.
func Valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\ufffd")
}
