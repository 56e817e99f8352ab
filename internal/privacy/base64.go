package privacy

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// encoded hides people in base64 within text.
func (s *scrubber) encoded(text string, layer int) string {
	var out strings.Builder
	done := 0
	for i := 0; i < len(text); {
		if !inAlphabet(text[i]) {
			i++
			continue
		}
		end, count := runEnd(text, i)
		whole := softEnd(text, end)
		if count >= minDigits || whole > end {
			hidden := s.run(text[i:end], layer)
			if whole > end { // this "=" may be padding, so the lines are one run only if that shows more
				hidden = s.run(hidden+text[end:whole], layer)
				end = whole
			}
			if hidden != text[i:end] {
				out.WriteString(text[done:i])
				out.WriteString(hidden)
				done = end
			}
		}
		i = end
	}
	if done == 0 {
		return text
	}
	out.WriteString(text[done:])
	return out.String()
}

// minDigits of base64 hold the shortest address, a@b.c.
const minDigits = 7

func inAlphabet(c byte) bool {
	return isAlphanumeric(c) || c == '+' || c == '/' || c == '-' || c == '_'
}

// runEnd is the end of the base64 of either alphabet that begins at i, and how
// many digits it has. It may be folded, by one line break or blank at a time.
func runEnd(text string, i int) (end, count int) {
	for {
		for i < len(text) && inAlphabet(text[i]) {
			i++
			count++
		}
		next := afterBlanks(text, i)
		if fold := foldAt(text[next:]); fold > 0 {
			next = afterBlanks(text, next+fold)
		}
		if next == i || next == len(text) || !inAlphabet(text[next]) {
			break
		}
		i = next
	}
	for i < len(text) && text[i] == '=' {
		i++
	}
	return i, count
}

// foldAt is how many octets of a line break, also one in JSON, text begins with.
func foldAt(text string) int {
	if text == "" || text[0] != '\r' && text[0] != '\n' && text[0] != '\\' {
		return 0
	}
	for _, fold := range []string{"\r\n", "\n", `\r\n`, `\n`} {
		if strings.HasPrefix(text, fold) {
			return len(fold)
		}
	}
	return 0
}

// softEnd is the end of the run that ends at end if what follows on soft line
// breaks of quoted-printable is of it, too.
func softEnd(text string, end int) int {
	for end > 0 && text[end-1] == '=' {
		next := end + len("\r\n")
		if strings.HasPrefix(text[end:], "\n") {
			next = end + 1
		} else if !strings.HasPrefix(text[end:], "\r\n") {
			break
		}
		if next == len(text) || !inAlphabet(text[next]) {
			break
		}
		end, _ = runEnd(text, next)
	}
	return end
}

func afterBlanks(text string, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t') {
		i++
	}
	return i
}

// run hides what is found in one run. Base64 may follow on other text, so it is
// decoded from each of its first four digits on.
func (s *scrubber) run(text string, layer int) string {
	digits := appendDigits(s.digits[layer][:0], text)
	for offset := range 4 {
		if hidden, changed := s.decoded(text, digits, offset, layer); changed {
			text = hidden
			digits = appendDigits(digits[:0], text)
		}
	}
	s.digits[layer] = digits
	if layer == 0 {
		text = s.backward(text)
	}
	return text
}

// backward hides people in a run of reversed base64 of a reversed text, as in
// X-Mailer-Info.
func (s *scrubber) backward(text string) string {
	digits := appendDigits(nil, text)
	slices.Reverse(digits)
	clear, err := base64.RawStdEncoding.DecodeString(string(digits))
	if err != nil {
		return text
	}
	slices.Reverse(clear)
	hidden := []byte(s.hide(string(clear), 1))
	if bytes.Equal(hidden, clear) {
		return text
	}
	slices.Reverse(hidden)
	again := []byte(base64.RawStdEncoding.EncodeToString(hidden))
	slices.Reverse(again)
	return string(again)
}

// appendDigits appends the digits of text, in the standard alphabet.
func appendDigits(dst []byte, text string) []byte {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '=', ' ', '\t', '\r', '\n':
		case '\\':
			i++ // \r or \n
		case '-':
			dst = append(dst, '+')
		case '_':
			dst = append(dst, '/')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// decoded hides what is found when digits are decoded from offset on. What
// is before the first change stays as it is.
func (s *scrubber) decoded(text string, digits []byte, offset, layer int) (string, bool) {
	if len(digits) < offset+minDigits {
		return text, false
	}
	digits = digits[offset:]
	if len(digits)%4 == 1 {
		digits = digits[:len(digits)-1]
	}
	clear := slices.Grow(s.clear[layer][:0], len(digits))[:base64.RawStdEncoding.DecodedLen(len(digits))]
	s.clear[layer] = clear
	if _, err := base64.RawStdEncoding.Decode(clear, digits); err != nil {
		return text, false
	}
	plain := string(clear)
	hidden := s.hide(plain, layer+1)
	if hidden == plain {
		return text, false
	}
	same := 0
	for same < min(len(hidden), len(plain)) && hidden[same] == plain[same] {
		same++
	}
	column := same / 3 * 4
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	again := encoding.EncodeToString([]byte(hidden[same/3*3:]))
	if strings.HasSuffix(text, "=") {
		again += strings.Repeat("=", (4-len(again)%4)%4)
	}
	if width, next := firstFold(text); width > 0 && next < len(text) { // as wide as the first line
		again = wrap(again, (offset+column)%width, width, text[width:next])
	}
	rest := strings.TrimLeft(text[digitAt(text, offset+len(digits)-1)+1:], "=")
	return text[:digitAt(text, offset+min(column, len(digits)-1))] + again + rest, true
}

// firstFold is where the first line of base64 ends, and where the second begins;
// both are the end of text where there is one line.
func firstFold(text string) (end, next int) {
	for end < len(text) && foldsAt(text, end) == 0 {
		end++
	}
	for next = end; next < len(text); {
		fold := foldsAt(text, next)
		if fold == 0 {
			break
		}
		next += fold
	}
	return end, next
}

// foldsAt is how many octets at i are of the end of a line: white space, perhaps
// after "=", or a line break of JSON.
func foldsAt(text string, i int) int {
	switch c := text[i]; {
	case message.IsSpace(c):
		return 1
	case i+1 < len(text) && (c == '=' && message.IsSpace(text[i+1]) || c == '\\' && (text[i+1] == 'r' || text[i+1] == 'n')):
		return 2
	}
	return 0
}

// digitAt is the index of the nth digit in text, from 0.
func digitAt(text string, n int) int {
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' {
			i++ // \r or \n
		} else if inAlphabet(text[i]) {
			if n--; n < 0 {
				return i
			}
		}
	}
	return len(text)
}

// wrap breaks text into lines of width; the first of them is used up to column.
func wrap(text string, column, width int, breaks string) string {
	var out strings.Builder
	for len(text) > width-column {
		out.WriteString(text[:width-column])
		out.WriteString(breaks)
		text, column = text[width-column:], 0
	}
	return out.String() + text
}
