package privacy

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fblwatch/fblwatch/report"
)

const (
	maxLayers  = 2 // base64 or encoded words within each other
	minSubject = 8 // octets of a subject that is looked for outside of its field
)

// scrubber hides the people of one report.
type scrubber struct {
	done     map[string]string // see string
	replace  func(*entry) string
	with     map[*entry]string // see replace
	walker   walker            // its tries, and the work that is left
	starts   [256]bool         // octets with which something begins
	stops    [256]bool         // the same, and those that isSpecial knows
	letters  bool              // something begins with a letter beyond ASCII
	any      bool
	subjects bool // fields named Subject go, too
	lost     bool // who is meant is too many: nothing can be looked for

	digits, clear [maxLayers][]byte // of one run, by layer
}

// A text may cost workOctet steps an octet, and all texts workSpare more. What
// costs more is dropped.
const (
	workOctet = 32
	workSpare = 1 << 20
)

// scrubber hides the people, and what else is named. A short text could stand
// anywhere by chance and is left alone.
func (f *Filter) scrubber(known *people, subjects ...string) *scrubber {
	s := &scrubber{with: make(map[*entry]string), walker: walker{whole: f.addresses == drop, work: workSpare}}
	s.replace = func(e *entry) string {
		switch {
		case e.address == "":
			return ""
		case f.addresses == drop:
			return redacted
		}
		local, _, _ := strings.Cut(report.Redact(f.key, e.address), "@")
		return local
	}
	var forward, reversed []entry
	if f.hidesAddresses() {
		s.lost = known.tooMany
		for addr := range known.addresses {
			for local, domain := range spellings(addr) {
				forward = append(forward, entry{local + split + domain, addr})
				reversed = append(reversed, entry{domain + split + local, addr})
			}
		}
	}
	for _, subject := range subjects {
		if subject = strings.ReplaceAll(subject, "\x00", ""); len(subject) >= minSubject {
			forward = append(forward, entry{text: strings.ToLower(subject)})
		}
	}
	s.walker.forward, s.walker.reversed = newTrie(forward), newTrie(reversed)
	s.any = len(forward) > 0
	for c := range 256 {
		first := lower(byte(c))
		s.starts[c] = s.walker.forward.first[first].high > 0 || s.walker.reversed.first[first].high > 0
		s.stops[c] = s.starts[c] || isSpecial(byte(c))
		s.letters = s.letters || c >= utf8.RuneSelf && s.starts[c]
	}
	return s
}

// string hides a value of a record; many are the same in all records of a report.
func (s *scrubber) string(text string) string {
	hidden, done := s.done[text]
	if !done {
		if s.done == nil {
			s.done = make(map[string]string)
		}
		var ok bool
		if hidden, ok = s.all(text); !ok {
			hidden = redacted
		}
		s.done[text] = hidden
	}
	return hidden
}

// all hides everything in a whole text, or tells that it cannot.
func (s *scrubber) all(text string) (hidden string, ok bool) {
	if s.lost {
		return text, strings.Trim(text, "abcdefghijklmnopqrstuvwxyz_") == "" // a word of our own
	}
	s.walker.work = max(s.walker.work, 0) + workOctet*len(text)
	hidden = s.hide(text, 0)
	return hidden, s.walker.work >= 0
}

// hide hides what is in encoded words in text, then what is plain, then what is
// in base64.
func (s *scrubber) hide(text string, layer int) string {
	if s.subjects {
		text = withoutSubjects(text)
	}
	if !s.any && !s.subjects {
		return text
	}
	if layer == maxLayers {
		return s.plain(text)
	}
	return s.encoded(s.hexadecimal(s.plain(s.words(text, layer))), layer)
}

// plain hides what stands in text as it is, or in escapes.
func (s *scrubber) plain(text string) string {
	return s.put(text, s.find(text))
}

// find finds what is to be hidden in text, in its order and without overlaps; of
// what begins at one place the longest.
func (s *scrubber) find(text string) (all []finding) {
	w := s.walker
	w.s = text
	for i := 0; i < len(text) && w.work >= 0; {
		if c := text[i]; !s.stops[c] || !s.starts[c] && !s.mayStart(text, i) {
			i++
			continue
		}
		f, found := w.at(i)
		if !found {
			i++
			continue
		}
		all = append(all, f)
		i = max(f.end, i+1)
	}
	s.walker.work, s.walker.stack = w.work, w.stack
	if all = append(all, w.apart...); len(all) < 2 {
		return all
	}
	slices.SortStableFunc(all, func(a, b finding) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	done := 0
	return slices.DeleteFunc(all, func(f finding) bool {
		if f.from < done && f.to <= done {
			return true
		}
		done = max(done, f.to)
		return false
	})
}

// mayStart spares most escapes a walk: something begins with what they stand for,
// or it is not that simple.
func (s *scrubber) mayStart(text string, i int) bool {
	c := text[i]
	if c >= utf8.RuneSelf {
		return s.letters
	}
	if i+2 >= len(text) || !mayEscape(text, char{text[i : i+1], i + 1}, false) {
		return false
	}
	switch next := text[i+1]; c {
	case '%', '=', '+':
		if value, ok := hexPair(text[i+1:]); ok {
			return s.starts[value] || isSpecial(value)
		}
		return !isHex(next) || inEscape(text[i+2])
	case '\\':
		return strings.IndexByte("uUx01234567", next) >= 0 || inEscape(next)
	}
	return true
}

// put replaces what was found.
func (s *scrubber) put(text string, all []finding) string {
	if len(all) == 0 {
		return text
	}
	var out strings.Builder
	done := 0
	for _, f := range all {
		out.WriteString(text[done:max(done, f.from)])
		out.WriteString(s.instead(f.by))
		done = f.to
	}
	out.WriteString(text[done:])
	return out.String()
}

// instead is what stands for an entry.
func (s *scrubber) instead(e *entry) string {
	text, known := s.with[e]
	if !known {
		text = s.replace(e)
		s.with[e] = text
	}
	return text
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
	if width, next := firstFold(text); width > 0 && next < len(text) { // as wide as the first line
		again = wrap(again, (offset+column)%width, width, text[width:next])
	}
	rest := strings.TrimLeft(text[place(text, offset+len(digits)-1)+1:], "=")
	return text[:place(text, offset+min(column, len(digits)-1))] + again + rest, true
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
// behind "=", or a line break of JSON.
func foldsAt(text string, i int) int {
	switch c := text[i]; {
	case isBlank(c):
		return 1
	case i+1 < len(text) && (c == '=' && isBlank(text[i+1]) || c == '\\' && (text[i+1] == 'r' || text[i+1] == 'n')):
		return 2
	}
	return 0
}

// place is where the nth digit stands in text, from 0.
func place(text string, n int) int {
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

// outer hides people in the header of the report's own message. Its subject stays,
// but for the reported message's within it: it may say what the message is.
func (s *scrubber) outer(header, own, reported string) (hidden string, ok bool) {
	if hidden, ok = s.all(header); !ok {
		return "", false
	}
	if at := indexFold(own, reported); reported != "" && at >= 0 {
		own = own[:at] + own[at+len(reported):]
		field := "Subject: " + mime.QEncoding.Encode("utf-8", s.string(own))
		hidden = subjectField.ReplaceAllLiteralString(hidden, strings.TrimSpace(field))
	}
	return hidden, true
}

func indexFold(s, sub string) int {
	if at := strings.Index(strings.ToLower(s), strings.ToLower(sub)); len(strings.ToLower(s)) == len(s) && len(strings.ToLower(sub)) == len(sub) {
		return at
	}
	return strings.Index(s, sub)
}
