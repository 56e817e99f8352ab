package message

import "bytes"

// field is one header field; its slices point into the message.
type Field struct {
	Name, Value []byte
	Folded      bool // value holds line breaks
	Ended       bool // a line break follows it
}

type lineKind int

const (
	EndOfData lineKind = iota
	FieldLine
	BlankLine
	OtherLine // neither; in value
)

// readField reads the field, or the line that is none, at the start of b. A
// field reaches over its continuation lines (RFC 5322 section 2.2.3).
func ReadField(b []byte) (f Field, rest []byte, kind lineKind) {
	if len(b) == 0 {
		return f, nil, EndOfData
	}
	line, rest, ended := CutLine(b)
	f.Ended = ended
	if len(line) == 0 {
		return f, rest, BlankLine
	}
	n := 0
	for n < len(line) && inName[line[n]] {
		n++
	}
	colon := n
	for colon < len(line) && IsSpace(line[colon]) {
		colon++
	}
	if n == 0 || n > MaxName || colon == len(line) || line[colon] != ':' || bytes.HasPrefix(line[colon+1:], []byte("//")) {
		f.Value = line
		return f, rest, OtherLine
	}
	f.Name = line[:n]
	end := len(line)
	for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
		at := len(b) - len(rest)
		line, rest, f.Ended = CutLine(rest)
		end = at + len(line)
		f.Folded = true
	}
	f.Value = Trim(b[colon+1 : end])
	return f, rest, FieldLine
}

// cutLine splits b behind its first line; the line end, LF or CRLF, belongs to
// neither side.
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

// inName has the octets that a field's name is made of (RFC 5322 section 2.2).
var inName = func() (table [256]bool) {
	for c := byte('!'); c <= '~'; c++ {
		table[c] = c != ':'
	}
	return table
}()

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

// is compares without case, in ASCII; lower is in lower case.
func Is(b []byte, lower string) bool {
	return len(b) == len(lower) && HasPrefixFold(b, lower)
}

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

func LowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func IsSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// trim takes white space off both ends, line breaks too.
func Trim(b []byte) []byte {
	for len(b) > 0 && IsSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && IsSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// mediaType is the type of a Content-Type value, without its parameters.
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

// parameters are those of a Content-Type or Content-Disposition value. They are
// what mime.ParseMediaType refuses too: an unquoted value with "=" or "/", a
// trailing ";", a missing closing quote. What is beyond maxParams and
// maxParameters is not looked at.
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

// next takes the next parameter; false: there is none.
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

// indexUnquoted is where the first "=" of v stands, -1: nowhere, and where the
// first ";" that is not quoted stands, or v ends.
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

// param finds a parameter of a Content-Type or Content-Disposition value.
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

// skipEnvelope drops what some programs leave before a header: a byte order
// mark, blank lines, also those of white space (blanks), mbox lines, also quoted
// ones.
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

// lineFeeds returns b with CR and CRLF read as LF: b itself unless its first
// line ends in a bare CR.
func LineFeeds(b []byte) []byte {
	cr := bytes.IndexByte(b[:min(len(b), MaxHeader)], '\r')
	if cr < 0 || cr+1 >= len(b) || b[cr+1] == '\n' || bytes.IndexByte(b[:cr], '\n') >= 0 {
		return b
	}
	return AppendLineFeeds(make([]byte, 0, len(b)), b, len(b))
}

// appendLineFeeds appends b, up to limit octets of it, with CR and CRLF as LF.
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

// SplitHeader splits a message at its first empty line; the last line break of the
// header belongs to neither side. ended: the header is all there, or as much of
// it as counts.
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

// Chomp takes one line break off the end.
func Chomp(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
}
