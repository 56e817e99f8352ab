package privacy

import (
	"cmp"
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
	lost     bool // the people are too many to look for

	digits, clear [maxLayers][]byte // of one run, by layer
}

// A text may cost workOctet steps an octet, and all texts workSpare more. What
// costs more is dropped.
const (
	workOctet = 32
	workSpare = 1 << 20
)

// scrubber hides the people, and the subjects. It does not look for a short subject,
// which may occur anywhere by chance.
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

// all hides everything in a whole text. ok reports whether it could.
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

// plain hides people in text that is plain or has escapes.
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

// mayStart avoids a walk at most escapes: it reports whether an entry may begin with
// the meaning of the escape.
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

// instead is the replacement of an entry.
func (s *scrubber) instead(e *entry) string {
	text, known := s.with[e]
	if !known {
		text = s.replace(e)
		s.with[e] = text
	}
	return text
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
