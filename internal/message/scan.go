package message

import "bytes"

// Field is one header field. Its slices point into the message.
type Field struct {
	Name, Value []byte
	Folded      bool // Value holds line breaks
	Ended       bool // a line break follows the field
}

// LowerName returns the name in lower case, in space; nil if it has more octets than that.
// No name that is looked for has more.
func (f *Field) LowerName(space *[32]byte) []byte {
	if len(f.Name) > len(space) {
		return nil
	}
	for i, c := range f.Name {
		space[i] = LowerByte(c)
	}
	return space[:len(f.Name)]
}

// LineKind says what ReadField found.
type LineKind int

const (
	EndOfData LineKind = iota
	FieldLine
	BlankLine
	OtherLine // no field; Value holds the line
)

// ReadField reads the field at the start of b with its continuation lines (RFC 5322
// section 2.2.3), or the line that is no field. A name has at most MaxName octets.
// Value has no white space around it.
func ReadField(b []byte) (f Field, rest []byte, kind LineKind) {
	rest, kind = f.Read(b)
	return f, rest, kind
}

// Read is ReadField into f, which it sets anew.
func (f *Field) Read(b []byte) (rest []byte, kind LineKind) {
	*f = Field{}
	n := 0
	for n < len(b) && inName[b[n]] {
		n++
	}
	colon := n
	for colon < len(b) && (b[colon] == ' ' || b[colon] == '\t' || b[colon] == '\r') {
		colon++
	}
	if n == 0 || n > MaxName || colon == len(b) || b[colon] != ':' || colon+2 < len(b) && b[colon+1] == '/' && b[colon+2] == '/' {
		if len(b) == 0 {
			return nil, EndOfData
		}
		if f.Value, rest, f.Ended = CutLine(b); len(f.Value) > 0 {
			return rest, OtherLine
		}
		f.Value = nil
		return rest, BlankLine
	}
	f.Name, rest = b[:n], b[colon+1:]
	for {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			f.Value = Trim(b[colon+1:])
			return nil, FieldLine
		}
		if rest = rest[i+1:]; len(rest) == 0 || rest[0] != ' ' && rest[0] != '\t' {
			f.Ended = true
			f.Value = Trim(b[colon+1 : len(b)-len(rest)])
			return rest, FieldLine
		}
		f.Folded = true
	}
}

// CutLine splits b after its first line. The line end, LF or CRLF, belongs to neither
// side. ended reports whether there was one.
func CutLine(b []byte) (line, rest []byte, ended bool) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		line = b
	} else {
		line, rest, ended = b[:i], b[i+1:], true
	}
	for len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	return line, rest, ended
}

// inName has the octets of which the name of a field consists (RFC 5322 section 2.2).
var inName = func() (table [256]bool) {
	for c := byte('!'); c <= '~'; c++ {
		table[c] = c != ':'
	}
	return table
}()

// IsFieldName reports whether b can be the name of a field.
func IsFieldName(b []byte) bool {
	if len(b) == 0 || len(b) > MaxName {
		return false
	}
	for _, c := range b {
		if !inName[c] {
			return false
		}
	}
	return true
}

// Is reports whether b is lower, which is in lower case. The case of ASCII letters in b
// does not matter.
func Is(b []byte, lower string) bool {
	return len(b) == len(lower) && HasPrefixFold(b, lower)
}

// HasPrefixFold reports whether b begins with lower, compared as Is does.
func HasPrefixFold(b []byte, lower string) bool {
	if len(b) < len(lower) {
		return false
	}
	for i := range len(lower) {
		if LowerByte(b[i]) != lower[i] {
			return false
		}
	}
	return true
}

// LowerByte is c in lower case, if c is a letter of ASCII.
func LowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// IsSpace reports whether c is white space or of a line break.
func IsSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// Trim returns b without the white space and line breaks at its ends.
func Trim[T string | []byte](b T) T {
	for len(b) > 0 && IsSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && IsSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// MediaType is the type of a Content-Type value, without its parameters. It has at most
// 256 octets.
func MediaType(v []byte) []byte {
	return word(v[:min(len(v), maxType)])
}

// word is the start of v up to a ";" or white space.
func word(v []byte) []byte {
	for i, c := range v {
		if c == ';' || IsSpace(c) {
			return v[:i]
		}
	}
	return v
}

// parameters are those of a Content-Type or Content-Disposition value. Some of them
// mime.ParseMediaType refuses: an unquoted value with "=" or "/", a trailing ";", a
// missing closing quote. Parameters beyond maxParams and maxParameters are ignored.
type parameters struct {
	name, value []byte
	rest        []byte // from the next ";" on
	n           int
}

func parametersOf(v []byte) parameters {
	v = v[:min(len(v), maxParameters)]
	_, end := indexUnquoted(v)
	return parameters{rest: v[end:]}
}

// next reads the next parameter and reports whether there is one.
func (p *parameters) next() bool {
	for len(p.rest) > 0 && p.n < maxParams {
		p.n++
		v := p.rest[1:]
		eq, end := indexUnquoted(v)
		v, p.rest = v[:end], v[end:]
		if eq < 0 {
			continue
		}
		p.name, p.value = Trim(v[:eq]), paramValue(v[eq+1:])
		return true
	}
	return false
}

// indexUnquoted gives the index of the first "=" of v, or -1, and the index of the
// first ";" that is not quoted, or the end of v.
func indexUnquoted(v []byte) (eq, end int) {
	quoted, eq := false, -1
	for i, c := range v {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '=' && eq < 0:
			eq = i
		case c == ';' && !quoted:
			return eq, i
		}
	}
	return eq, len(v)
}

// Param returns a parameter of a Content-Type or Content-Disposition value, without its
// quotes; nil if there is none. name is in lower case.
func Param(v []byte, name string) []byte {
	v = v[:min(len(v), maxParameters)]
	for range maxParams {
		quoted, semicolon := false, -1
		for i, c := range v {
			if c == '"' {
				quoted = !quoted
			} else if c == ';' && !quoted {
				semicolon = i
				break
			}
		}
		if semicolon < 0 {
			break
		}
		v = Trim(v[semicolon+1:])
		if eq := bytes.IndexByte(v[:min(len(v), MaxName)], '='); eq >= 0 && Is(Trim(v[:eq]), name) {
			return paramValue(v[eq+1:])
		}
	}
	return nil
}

// paramValue is the value at the start of v, without its quotes.
func paramValue(v []byte) []byte {
	v = Trim(v)
	if len(v) == 0 || v[0] != '"' {
		return word(v)
	}
	v = v[1:]
	if end := bytes.IndexByte(v, '"'); end >= 0 {
		v = v[:end]
	}
	return v
}

// SkipEnvelope drops lines that some programs leave before a header: a byte order
// mark, and mbox lines, quoted ones too. With blanks it drops blank lines, those of
// white space too.
func SkipEnvelope(b []byte, blanks bool) []byte {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	for len(b) > 0 && bytes.IndexByte([]byte("\r\n\t\f >\"F"), b[0]) >= 0 {
		line, rest, ended := CutLine(b)
		switch {
		case ended && blanks && len(bytes.TrimSpace(line)) == 0:
		case ended && bytes.HasPrefix(bytes.TrimLeft(line, `>"`), []byte("From ")):
		default:
			return b
		}
		b = rest
	}
	return b
}

// LineFeeds returns b with each CR and CRLF as LF. If the first line does not end in a
// bare CR, it returns b itself.
func LineFeeds(b []byte) []byte {
	cr := bytes.IndexByte(b[:min(len(b), MaxHeader)], '\r')
	if cr < 0 || cr+1 >= len(b) || b[cr+1] == '\n' || bytes.IndexByte(b[:cr], '\n') >= 0 {
		return b
	}
	return AppendLineFeeds(make([]byte, 0, len(b)), b, len(b))
}

// AppendLineFeeds appends b with each CR and CRLF as LF, at most limit octets.
func AppendLineFeeds(dst, b []byte, limit int) []byte {
	end := len(dst) + limit
	for len(dst) < end {
		cr := bytes.IndexByte(b, '\r')
		if cr < 0 {
			dst = append(dst, b...)
			break
		}
		dst = append(dst, b[:cr]...)
		dst = append(dst, '\n')
		b = b[cr+1:]
		if len(b) > 0 && b[0] == '\n' {
			b = b[1:]
		}
	}
	return dst[:min(len(dst), end)]
}

// SplitHeader splits a message at its first empty line. The last line break of the
// header belongs to neither side. ended reports whether the header is complete or has
// more than MaxHeader octets.
func SplitHeader(b []byte) (header, body []byte, ended bool) {
	limited := b[:min(len(b), MaxHeader)]
	for at := 0; ; {
		line, rest, more := CutLine(limited[at:])
		if more && len(line) == 0 {
			return Chomp(b[:at]), b[len(limited)-len(rest):], true
		}
		if !more {
			return Chomp(limited), nil, len(limited) == MaxHeader
		}
		at = len(limited) - len(rest)
	}
}

// Chomp returns b without one line break at its end.
func Chomp(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
}
