package privacy

import (
	"bytes"
	"encoding/base64"
	"mime"
	"regexp"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/report"
)

const (
	maxLayers  = 2 // base64 or encoded words within each other
	minSubject = 8 // octets of a subject that is looked for outside of its field
)

// scrubber hides the people of one report.
type scrubber struct {
	done     map[string]string // see string
	needles  [256][]*needle    // by their first octet
	any      bool
	subjects bool // fields named Subject go, too

	digits, clear [maxLayers][]byte // of one run, by layer
}

func (f *Filter) scrubber(known *people) *scrubber {
	s := &scrubber{}
	if !f.hidesAddresses() {
		return s
	}
	for addr := range known.addresses {
		at := strings.LastIndexByte(addr, '@')
		n := needle{local: addr[:at], domain: addr[at+1:], with: redacted, whole: true}
		if f.addresses == hash {
			n.with, _, _ = strings.Cut(report.Redact(f.key, addr), "@")
			n.whole = false
		}
		reversed := n
		reversed.reversed = true
		s.add(n)
		s.add(reversed)
	}
	return s
}

func (s *scrubber) add(n needle) {
	first := n.local[0]
	if n.reversed {
		first = n.domain[0]
	}
	s.needles[first] = append(s.needles[first], &n)
	s.any = true
}

// subject hides a text; a short one could stand anywhere by chance.
func (s *scrubber) subject(text string) {
	if len(text) >= minSubject {
		s.add(needle{local: strings.ToLower(text)})
	}
}

// string hides a value of a record; many are the same in all records of a report.
func (s *scrubber) string(text string) string {
	hidden, done := s.done[text]
	if !done {
		if s.done == nil {
			s.done = make(map[string]string)
		}
		hidden = s.hide(text, 0)
		s.done[text] = hidden
	}
	return hidden
}

func (s *scrubber) bytes(b []byte, layer int) []byte { return []byte(s.hide(string(b), layer)) }

// hide hides what is in encoded words in text, then what is plain, then what is
// in base64.
func (s *scrubber) hide(text string, layer int) string {
	if s.subjects && namesSubject(text) {
		text = subjectField.ReplaceAllString(text, "$1")
		text = subjectJSON.ReplaceAllString(text, `$1""`)
	}
	if !s.any && !s.subjects {
		return text
	}
	if layer == maxLayers {
		return s.plain(text)
	}
	return s.encoded(s.hexadecimal(s.plain(s.words(text, layer))), layer)
}

var (
	// subjectField is a Subject with its continuation lines.
	subjectField = regexp.MustCompile(`(?mi)^(subject:)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*`)
	// subjectJSON is a subject in SES's notifications.
	subjectJSON = regexp.MustCompile(`(?i)("subject"\s*:\s*|"name"\s*:\s*"subject"\s*,\s*"value"\s*:\s*)"(?:\\.|[^"\\])*"`)
)

// plain hides the needles in text; of those that stand at one place the longest.
func (s *scrubber) plain(text string) string {
	var out strings.Builder
	done := 0
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case '%', '=', '\\', '&':
		default: // an octet that stands for itself
			if s.needles[lower(c)] == nil {
				i++
				continue
			}
		}
		from, to, end := 0, -1, -1
		var found *needle
		for c := range characters(text, i) {
			for _, n := range s.needles[lower(c)] {
				if f, t, e := n.match(text, i); e > end {
					from, to, end, found = f, t, e, n
				}
			}
		}
		if found == nil {
			i++
			continue
		}
		out.WriteString(text[done:from])
		out.WriteString(found.with)
		done, i = to, max(end, i+1)
	}
	if done == 0 {
		return text
	}
	out.WriteString(text[done:])
	return out.String()
}

// namesSubject spares most texts a search for patterns.
func namesSubject(text string) bool {
	const name = "subject"
	for i := range len(text) - len(name) + 1 {
		if lower(text[i]) == name[0] && strings.EqualFold(text[i:i+len(name)], name) {
			return true
		}
	}
	return false
}

// encoded hides what stands in base64 within text.
func (s *scrubber) encoded(text string, layer int) string {
	var out strings.Builder
	done := 0
	for i := 0; i < len(text); {
		if !inAlphabet(text[i]) {
			i++
			continue
		}
		end, count := runEnd(text, i)
		if count >= minDigits {
			if hidden := s.run(text[i:end], layer); hidden != text[i:end] {
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
		if strings.HasPrefix(text[next:], "\r\n") {
			next = afterBlanks(text, next+2)
		} else if strings.HasPrefix(text[next:], "\n") {
			next = afterBlanks(text, next+1)
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

// backward hides what stands in a run from its end to its start, in base64 that
// is turned round itself, as X-Mailer-Info has it.
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
	for i := range len(text) {
		switch c := text[i]; c {
		case '=', ' ', '\t', '\r', '\n':
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
// stands before the first change stays as it is.
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
	if at := strings.IndexAny(text, " \t\r\n"); at > 0 { // as wide as the first line
		breaks := text[at : at+1+strings.IndexFunc(text[at+1:], func(c rune) bool { return !strings.ContainsRune(" \t\r\n", c) })]
		again = wrap(again, (offset+column)%at, at, breaks)
	}
	rest := strings.TrimLeft(text[place(text, offset+len(digits)-1)+1:], "=")
	return text[:place(text, offset+min(column, len(digits)-1))] + again + rest, true
}

// place is where the nth digit stands in text, from 0.
func place(text string, n int) int {
	for i := range len(text) {
		if inAlphabet(text[i]) {
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

// outer hides people in the header of the report's own mail. Its subject stays,
// but for the reported mail's within it: it may say what the mail is.
func (s *scrubber) outer(header []byte, own, reported string) []byte {
	fields := *s
	fields.subjects = false
	header = fields.bytes(header, 0)
	if at := indexFold(own, reported); reported != "" && at >= 0 {
		own = own[:at] + own[at+len(reported):]
		field := []byte("Subject: " + mime.QEncoding.Encode("utf-8", fields.string(own)))
		header = subjectField.ReplaceAllLiteral(header, bytes.TrimSpace(field))
	}
	return header
}

func indexFold(s, sub string) int {
	if at := strings.Index(strings.ToLower(s), strings.ToLower(sub)); len(strings.ToLower(s)) == len(s) && len(strings.ToLower(sub)) == len(sub) {
		return at
	}
	return strings.Index(s, sub)
}
