package report

import (
	"bytes"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// encoder writes the members of objects, each with a comma after it.
type encoder struct {
	b   []byte
	nul bool // a text held one
}

// open begins a member that is an object itself; close ends it.
func (j *encoder) open(key string) {
	j.putKey(key)
	j.b = append(j.b, '{')
}

func (j *encoder) close() { j.b = append(bytes.TrimSuffix(j.b, []byte(",")), "},"...) }

// putKey writes a key of ours, putName one that somebody else chose.
func (j *encoder) putKey(key string) {
	b := append(j.b, '"')
	b = append(b, key...)
	j.b = append(b, '"', ':')
}

func (j *encoder) putName(key string) {
	j.putQuoted(key)
	j.b = append(j.b, ':')
}

func (j *encoder) putValue(v string) {
	j.putQuoted(v)
	j.b = append(j.b, ',')
}

func (j *encoder) putQuoted(v string) {
	b, nul := appendString(j.b, v)
	j.b, j.nul = b, j.nul || nul
}

func (j *encoder) put(key, v string) { // as putKey and putValue, in one go
	b := append(j.b, '"')
	b = append(b, key...)
	b, nul := appendString(append(b, '"', ':'), v)
	j.b, j.nul = append(b, ','), j.nul || nul
}

func (j *encoder) putText(key, v string) {
	if v != "" {
		j.put(key, v)
	}
}

func (j *encoder) putTexts(key string, v []string) {
	if len(v) > 0 {
		j.putKey(key)
		putList(j, v)
	}
}

func putList[T ~string](j *encoder, v []T) {
	j.b = append(j.b, '[')
	for i, s := range v {
		if i > 0 {
			j.b = append(j.b, ',')
		}
		j.putQuoted(string(s))
	}
	j.b = append(j.b, "],"...)
}

func (j *encoder) putNumber(key string, n int64) {
	j.putKey(key)
	j.b = append(strconv.AppendInt(j.b, n, 10), ',')
}

func (j *encoder) putCount(key string, n int64) {
	if n != 0 {
		j.putNumber(key, n)
	}
}

func (j *encoder) putUnsigned(key string, n uint64) {
	if n != 0 {
		j.putKey(key)
		j.b = append(strconv.AppendUint(j.b, n, 10), ',')
	}
}

func (j *encoder) putTrue(key string, v bool) {
	if v {
		j.putKey(key)
		j.b = append(j.b, "true,"...)
	}
}

func (j *encoder) putTime(key string, t time.Time) {
	if !t.IsZero() {
		j.putKey(key)
		j.b = append(appendTime(append(j.b, '"'), t.UTC()), `",`...)
	}
}

// appendTime appends t, which is in UTC, as RFC 3339 has it, with milliseconds if it
// has any.
func appendTime(b []byte, t time.Time) []byte {
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, "2006-01-02T15:04:05.999Z07:00")
	}
	hour, minute, second := t.Clock()
	digit := func(n int) byte { return '0' + byte(n%10) }
	b = append(b, digit(year/1000), digit(year/100), digit(year/10), digit(year),
		'-', digit(int(month)/10), digit(int(month)), '-', digit(day/10), digit(day),
		'T', digit(hour/10), digit(hour), ':', digit(minute/10), digit(minute), ':', digit(second/10), digit(second))
	if ms := t.Nanosecond() / 1e6; ms > 0 {
		b = bytes.TrimRight(append(b, '.', digit(ms/100), digit(ms/10), digit(ms)), "0")
	}
	return append(b, 'Z')
}

// sorted calls f with each member of m, by key.
func sorted[V any](m map[string]V, f func(string, V)) {
	var space [16]string
	keys := space[:0]
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		f(key, m[key])
	}
}

const hexDigits = "0123456789abcdef"

// literal has the octets that need no escape in a string.
var literal = func() (table [256]bool) {
	for c := byte(' '); c < 0x7f; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

// inert is how many octets at the start of s need no escape. It looks at
// eight at a time: a high bit is set where one of them is not literal.
func inert(s string) (n int) {
	const each = 0x0101010101010101
	for ; n+8 <= len(s); n += 8 {
		b := s[n : n+8]
		x := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		if (x|(x-each*' ')|(x+each)|((x^each*'"')-each)|((x^each*'\\')-each))&(each<<7) != 0 {
			break
		}
	}
	for n < len(s) && literal[s[n]] {
		n++
	}
	return n
}

// appendString appends s as JSON, a NUL of it as U+FFFD; nul: there was one.
func appendString(dst []byte, s string) (_ []byte, nul bool) {
	dst = append(dst, '"')
	for {
		n := inert(s)
		dst = append(dst, s[:n]...)
		if s = s[n:]; s == "" {
			return append(dst, '"'), nul
		}
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', s[0])
		case r == 0:
			dst, nul = append(dst, "\ufffd"...), true
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r > 0x7f && !isActive(r) && (r != utf8.RuneError || size > 1):
			dst = append(dst, s[:size]...)
		default:
			dst = append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		}
		s = s[size:]
	}
}

// isActive knows the characters beyond ASCII that steer a terminal or the
// order of a text: C1, line separators, bidirectional controls.
func isActive(r rune) bool {
	switch {
	case 0x80 <= r && r <= 0x9f, r == 0x061c, r == 0x200e, r == 0x200f,
		0x2028 <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069:
		return true
	}
	return false
}
