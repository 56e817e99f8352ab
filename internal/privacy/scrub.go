package privacy

import (
	"bytes"
	"encoding/base64"
	"mime"
	"regexp"
	"strings"

	"github.com/fblwatch/fblwatch/report"
)

const (
	maxLayers  = 2 // base64 within base64
	minSubject = 8 // octets of a subject that is looked for outside of its field
)

// scrubber hides the people of one report.
type scrubber struct {
	needles  [256][]*needle // by their first octet
	any      bool
	subjects bool // fields named Subject go, too
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

func (s *scrubber) string(text string) string { return s.hide(text, 0) }

func (s *scrubber) bytes(b []byte, layer int) []byte { return []byte(s.hide(string(b), layer)) }

// hide hides what is plain in text, then what is in base64.
func (s *scrubber) hide(text string, layer int) string {
	if s.subjects {
		text = subjectField.ReplaceAllString(text, "$1")
		text = subjectJSON.ReplaceAllString(text, `$1""`)
	}
	if !s.any && !s.subjects {
		return text
	}
	text = s.plain(text)
	if layer == maxLayers {
		return text
	}
	return s.encoded(text, layer)
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

// run is base64 of either alphabet; it may be folded, by one line break or
// blank at a time.
var run = regexp.MustCompile(`[A-Za-z0-9+/_-]+(?:[ \t]*(?:\r?\n)?[ \t]*[A-Za-z0-9+/_-]+)*=*`)

// encoded hides what stands in base64 within text.
func (s *scrubber) encoded(text string, layer int) string {
	return run.ReplaceAllStringFunc(text, func(found string) string {
		for offset := range 4 { // it may follow on other text
			if hidden, changed := s.base64(found, offset, layer); changed {
				found = hidden
			}
		}
		return found
	})
}

// base64 hides what is found when the octets of the alphabet are decoded from
// offset on. What stands before the first change stays as it is.
func (s *scrubber) base64(text string, offset, layer int) (string, bool) {
	var digits []byte // in the standard alphabet
	var places []int  // of digits in text
	url, breaks, width := false, "", 0
	for i := range len(text) {
		c := text[i]
		switch c {
		case '=':
			continue
		case ' ', '\t', '\r', '\n':
			if width == 0 {
				width = len(digits)
			}
			if width == len(digits) {
				breaks += string(c)
			}
			continue
		case '-':
			c, url = '+', true
		case '_':
			c, url = '/', true
		}
		digits, places = append(digits, c), append(places, i)
	}
	if len(digits) < offset+8 {
		return text, false
	}
	digits, places = digits[offset:], places[offset:]
	if len(digits)%4 == 1 {
		digits = digits[:len(digits)-1]
	}
	clear := make([]byte, base64.RawStdEncoding.DecodedLen(len(digits)))
	if _, err := base64.RawStdEncoding.Decode(clear, digits); err != nil {
		return text, false
	}
	hidden := s.bytes(clear, layer+1)
	if bytes.Equal(hidden, clear) {
		return text, false
	}
	same := 0
	for same < min(len(hidden), len(clear)) && hidden[same] == clear[same] {
		same++
	}
	quanta := same / 3
	encoding := base64.RawStdEncoding
	if url {
		encoding = base64.RawURLEncoding
	}
	again := encoding.EncodeToString(hidden[quanta*3:])
	if strings.HasSuffix(text, "=") {
		again += strings.Repeat("=", (4-len(again)%4)%4)
	}
	rest := strings.TrimLeft(text[places[len(digits)-1]+1:], "=")
	if column := quanta * 4; breaks != "" && width > 0 {
		again = wrap(again, (offset+column)%width, width, breaks)
	}
	return text[:places[min(quanta*4, len(digits)-1)]] + again + rest, true
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
