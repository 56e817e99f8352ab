package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fblwatch/fblwatch/internal/message"
)

const (
	foldAt    = 78       // octets that a line should have at most, RFC 5322 section 2.1.1
	maxLine   = 998      // octets that it must have at most
	maxErrors = 100      // mistakes that are told
	maxValue  = 32 << 10 // octets of a field's value; what Parse decodes is longer
)

// headerWriter writes header fields; after a mistake it goes on, and has the first
// of them in errs.
type headerWriter struct {
	b    []byte
	errs []error
}

func (h *headerWriter) fail(name string, err error) {
	if err != nil && len(h.errs) < maxErrors {
		h.errs = append(h.errs, fmt.Errorf("%s: %w", name, err))
	}
}

// field writes a value of printable ASCII, if there is one. Blanks at its ends
// are cut; it is folded at single blanks, so that unfolding gives it back.
func (h *headerWriter) field(name, value string) {
	value = strings.Trim(value, " \t")
	if value == "" {
		return
	}
	if !message.IsFieldName([]byte(name)) {
		h.fail(fmt.Sprintf("%.40q", name), fmt.Errorf("%w: no name of a field", ErrInvalid))
		return
	}
	if err := checkValue(value); err != nil {
		h.fail(name, err)
		return
	}
	line := append(append(h.b, name...), ": "...)
	start := len(h.b) // of the line
	fold := -1        // the last blank in it where it may end
	for i := range len(value) {
		if c := value[i]; c == ' ' && !message.IsSpace(value[i-1]) && !message.IsSpace(value[i+1]) {
			fold = len(line)
		}
		line = append(line, value[i])
		if len(line)-start > foldAt && fold >= 0 {
			line = slices.Insert(line, fold, '\r', '\n')
			start, fold = fold+2, -1
		}
		if len(line)-start > maxLine {
			h.fail(name, fmt.Errorf("%w: no blank to fold it at in %d octets", ErrInvalid, maxLine))
			return
		}
	}
	h.b = append(line, "\r\n"...)
}

func checkValue(value string) error {
	if len(value) > maxValue {
		return fmt.Errorf("%w: longer than %d octets", ErrInvalid, maxValue)
	}
	for _, c := range []byte(value) {
		switch {
		case c == '\r' || c == '\n' || c == 0:
			return fmt.Errorf("%w: a line break or NUL in it", ErrInvalid)
		case c >= 0x7f || c < ' ' && c != '\t':
			return fmt.Errorf("%w: not printable ASCII", ErrInvalid)
		}
	}
	return nil
}

// text writes a value of any characters, as encoded words where it needs them.
func (h *headerWriter) text(name, value string) {
	switch {
	case !utf8.ValidString(value):
		h.fail(name, fmt.Errorf("%w: not UTF-8", ErrInvalid))
	case strings.ContainsAny(value, "\r\n\x00") || len(value) > maxValue:
		h.fail(name, checkValue(value))
	case needsWords(value):
		h.field(name, encodeWords(value))
	default:
		h.field(name, value)
	}
}

func (h *headerWriter) date(name string, t time.Time) {
	v := t.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700")
	if _, ok := message.ParseDate(v); !ok {
		h.fail(name, fmt.Errorf("%w: the year is not of 1900 to 9999", ErrInvalid))
	}
	h.field(name, v)
}

// needsWords reports whether a text is not what it is when it is read back
// plainly.
func needsWords(s string) bool {
	return strings.Contains(s, "=?") || strings.TrimSpace(s) != s || checkValue(s) != nil || longWord(s)
}

func longWord(s string) bool {
	for word := range strings.SplitSeq(s, " ") {
		if len(word) > maxLine/2 {
			return true
		}
	}
	return false
}

// encodeWords writes s as encoded words (RFC 2047), each of at most 75 octets
// and of whole characters.
func encodeWords(s string) string {
	const most = 45 // octets in a word
	var words []string
	for len(s) > 0 {
		n := 0
		for n < len(s) {
			_, size := utf8.DecodeRuneInString(s[n:])
			if n+size > most {
				break
			}
			n += size
		}
		words = append(words, "=?utf-8?B?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(words, " ")
}

// writtenText makes a text part: as it is, or quoted-printable where it is not
// ASCII in short lines.
func writtenText(b []byte) writtenPart {
	plain := isASCII(b) && bytes.IndexByte(b, 0) < 0
	for line := range bytes.Lines(b) {
		plain = plain && len(line) <= foldAt+2
	}
	if plain {
		return writtenPart{typ: "text/plain; charset=us-ascii", encoding: "7bit", body: b}
	}
	var encoded bytes.Buffer
	q := quotedprintable.NewWriter(&encoded)
	_, _ = q.Write(b) // a Buffer does not fail
	_ = q.Close()
	return writtenPart{typ: "text/plain; charset=utf-8", encoding: "quoted-printable", body: encoded.Bytes()}
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
