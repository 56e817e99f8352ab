package imapclient

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// parser reads the tokens of one response line (RFC 9051 section 9). It is tolerant:
// an unexpected token yields the zero value. Literals must be quoted strings.
type parser struct {
	b []byte
}

func (p *parser) space() { p.b = bytes.TrimLeft(p.b, " ") }

// skip drops c if it is next.
func (p *parser) skip(c byte) bool {
	if len(p.b) > 0 && p.b[0] == c {
		p.b = p.b[1:]
		return true
	}
	return false
}

// token takes the octets up to a space or parenthesis.
func (p *parser) token() []byte {
	p.space()
	n := 0
	for n < len(p.b) && p.b[n] != ' ' && p.b[n] != '(' && p.b[n] != ')' {
		n++
	}
	w := p.b[:n]
	p.b = p.b[n:]
	return w
}

func (p *parser) word() string { return string(p.token()) }

// number takes a number of 32 bits; 0 is none.
func (p *parser) number() uint32 {
	n, _ := p.uid()
	return n
}

// uid takes a number of 32 bits, or a larger one as beyond; 0 is none.
func (p *parser) uid() (n uint32, beyond uint64) {
	var wide uint64
	for _, c := range p.token() {
		if c < '0' || c > '9' {
			return 0, 0
		}
		if d := uint64(c - '0'); wide > (math.MaxUint64-d)/10 {
			wide = math.MaxUint64
		} else {
			wide = wide*10 + d
		}
	}
	if wide > math.MaxUint32 {
		return 0, wide
	}
	return uint32(wide), 0
}

// str takes a quoted string or a word; NIL is "" and false.
func (p *parser) str() (string, bool) {
	p.space()
	if !p.skip('"') {
		w := p.word()
		return w, !strings.EqualFold(w, "NIL")
	}
	var s []byte
	for len(p.b) > 0 {
		c := p.b[0]
		p.b = p.b[1:]
		if c == '"' {
			break
		}
		if c == '\\' && len(p.b) > 0 {
			c = p.b[0]
			p.b = p.b[1:]
		}
		s = append(s, c)
	}
	return string(s), true
}

// list takes "(a b c)" as words. A quoted member is one word.
func (p *parser) list() []string {
	p.space()
	if !p.skip('(') {
		return nil
	}
	var l []string
	octets := 0
	for len(p.b) > 0 {
		p.space()
		if p.skip(')') {
			break
		}
		if p.skip('(') { // no list that is read is nested
			continue
		}
		if s, _ := p.str(); s != "" && octets+len(s) <= maxList {
			l = append(l, s)
			octets += len(s)
		}
	}
	return l
}

// maxList is how many octets the members of a list may have together; the rest is
// ignored. So the waiting events, 1,024 at most, are bounded too.
const maxList = 8 << 10

// quote makes a quoted string of a literal's octets.
func quote(b []byte) []byte {
	q := append(make([]byte, 0, len(b)+2), '"')
	for _, c := range b {
		if c == '"' || c == '\\' {
			q = append(q, '\\')
		}
		q = append(q, c)
	}
	return append(q, '"')
}

// literalSize reads the "{123}" at the end of a line.
func literalSize(line []byte) (head []byte, size int64, ok bool) {
	n := len(line)
	if n < 3 || line[n-1] != '}' {
		return nil, 0, false
	}
	open := bytes.LastIndexByte(line, '{')
	if open < 0 {
		return nil, 0, false
	}
	digits := strings.TrimSuffix(string(line[open+1:n-1]), "+")
	size, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || size < 0 || digits[0] == '+' {
		return nil, 0, false
	}
	head = line[:open]
	if open > 0 && head[open-1] == '~' { // literal8, RFC 3516
		head = head[:open-1]
	}
	return head, size, true
}

const maxText = 2000 // octets of a server's text that are kept

// status is a status response: OK, NO, BAD, BYE or PREAUTH, tagged or not.
type status struct {
	kind, code, text string
}

// parseStatus reads what follows the tag. ok is false if that is no status response.
func parseStatus(rest []byte) (st status, ok bool) {
	p := parser{rest}
	st.kind = strings.ToUpper(p.word())
	switch st.kind {
	case "OK", "NO", "BAD", "BYE", "PREAUTH":
	default:
		return status{}, false
	}
	p.space()
	if p.skip('[') {
		if end := bytes.IndexByte(p.b, ']'); end >= 0 {
			st.code = clean(string(p.b[:end]))
			p.b = p.b[end+1:]
		}
	}
	text := bytes.TrimSpace(p.b)
	st.text = clean(string(text[:min(len(text), maxText)]))
	return st, true
}

// responseError is the status as a refusal of a command.
func (st status) responseError(command string) *ResponseError {
	return &ResponseError{Command: command, Status: st.kind, Code: st.code, Text: st.text}
}

// codeArg returns the argument of a response code, if it is that code.
func (st status) codeArg(name string) (string, bool) {
	word, arg, _ := strings.Cut(st.code, " ")
	return arg, strings.EqualFold(word, name)
}

// clean makes a server's text safe for a log: control characters become spaces, and
// invalid UTF-8 becomes U+FFFD.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
