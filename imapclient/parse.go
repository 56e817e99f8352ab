package imapclient

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
)

// parser reads the tokens of one response line (RFC 9051 section 9). It is
// tolerant: where a token is not what was hoped for, it yields its zero value.
// Literals have been turned into quoted strings before.
type parser struct {
	b []byte
}

func (p *parser) space() { p.b = bytes.TrimLeft(p.b, " ") }

// skip drops c where it is next.
func (p *parser) skip(c byte) bool {
	if len(p.b) > 0 && p.b[0] == c {
		p.b = p.b[1:]
		return true
	}
	return false
}

// token takes what comes before a space or parenthesis.
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

// uid takes a number of 32 bits, or one that is beyond; 0 is none.
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

// str takes a quoted string, or a word; NIL is "" and false.
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

// list takes "(a b c)" as words; a quoted member stays one.
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
		if p.skip('(') { // nothing of ours is nested
			continue
		}
		if s, _ := p.str(); s != "" && octets+len(s) <= maxList {
			l = append(l, s)
			octets += len(s)
		}
	}
	return l
}

// maxList is how many octets the members of a list may have together; those
// beyond are passed over. A thousand events wait at most, each with one list.
const maxList = 8 << 10

// quote turns a literal's octets into the quoted string that stands in for it.
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

const maxText = 2000 // octets kept of what a server says to people

// status is a status response: OK, NO, BAD, BYE or PREAUTH, tagged or not.
type status struct {
	kind, code, text string
}

// parseStatus reads what follows the tag; ok is false where it is no status.
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

// codeArg returns the argument of a response code, if it is that code.
func (st status) codeArg(name string) (string, bool) {
	word, arg, _ := strings.Cut(st.code, " ")
	return arg, strings.EqualFold(word, name)
}

// fetchLine is one FETCH response.
type fetchLine struct {
	seq      uint32
	uid      uint32
	beyond   uint64 // UID, where it is beyond 32 bits
	date     time.Time
	size     int64
	flags    []string
	hasFlags bool
	body     []byte // a body that was no literal, or was held
	hasBody  bool
	open     bool // the line ends where a body's literal begins
}

// parseFetch reads what is behind "* n FETCH".
func parseFetch(seq uint32, rest []byte) fetchLine {
	f := fetchLine{seq: seq, size: -1}
	f.items(bytes.TrimPrefix(bytes.TrimLeft(rest, " "), []byte("(")))
	return f
}

// items reads up to the ")". Where the line was cut before a literal, open says
// that it is a body's.
func (f *fetchLine) items(rest []byte) {
	p := parser{rest}
	for {
		p.space()
		if len(p.b) == 0 || p.skip(')') {
			return
		}
		name := p.itemName()
		switch {
		case name == "":
			p.b = p.b[1:]
		case name == "UID":
			f.uid, f.beyond = p.uid()
		case name == "FLAGS":
			f.flags, f.hasFlags = p.list(), true
		case name == "INTERNALDATE":
			if s, ok := p.str(); ok {
				f.date, _ = readDate(s)
			}
		case name == "RFC822.SIZE":
			if n, err := strconv.ParseInt(p.word(), 10, 64); err == nil && n >= 0 {
				f.size = n
			}
		case name == bodyItem:
			p.space()
			if len(p.b) == 0 {
				f.open = true
				return
			}
			if p.b[0] != '"' { // NIL, or no string at all
				p.value()
				continue
			}
			s, _ := p.str()
			f.hasBody, f.body = true, []byte(s)
		default:
			p.value()
		}
	}
}

// itemName takes a FETCH item's name, upper case, with its section.
func (p *parser) itemName() string {
	n := 0
	for n < len(p.b) && strings.IndexByte(" ()[", p.b[n]) < 0 {
		n++
	}
	if n < len(p.b) && p.b[n] == '[' {
		if end := bytes.IndexByte(p.b[n:], ']'); end >= 0 {
			n += end + 1
			for n < len(p.b) && p.b[n] != ' ' && p.b[n] != ')' { // <origin>
				n++
			}
		}
	}
	name := p.b[:n]
	p.b = p.b[n:]
	if len(name) >= len(bodyItem) && strings.EqualFold(string(name[:len(bodyItem)]), bodyItem) {
		return bodyItem
	}
	return upper(name)
}

const bodyItem = "BODY[" // whatever the section

// upper is strings.ToUpper, without an allocation for what each message brings.
func upper(b []byte) string {
	switch string(b) {
	case "FETCH":
		return "FETCH"
	case "UID":
		return "UID"
	case "FLAGS":
		return "FLAGS"
	case "INTERNALDATE":
		return "INTERNALDATE"
	case "RFC822.SIZE":
		return "RFC822.SIZE"
	}
	return strings.ToUpper(string(b))
}

// value passes over the value of an item nobody asked for.
func (p *parser) value() {
	p.space()
	if !p.skip('(') {
		p.str()
		return
	}
	for depth := 1; depth > 0 && len(p.b) > 0; {
		switch {
		case p.skip('('):
			depth++
		case p.skip(')'):
			depth--
		case p.b[0] == '"':
			p.str()
		default:
			p.b = p.b[1:]
		}
	}
}

func parseStatusLine(rest []byte) (mailbox string, st callbacks.Status) {
	p := parser{rest}
	mailbox = p.mailbox(" (")
	items := p.list()
	for i := 0; i+1 < len(items); i += 2 {
		name := strings.ToUpper(items[i])
		if name == "UIDVALIDITY" {
			if v, err := strconv.ParseUint(items[i+1], 10, 64); err == nil {
				st.UIDValidity = &v
			}
			continue
		}
		n64, err := strconv.ParseInt(items[i+1], 10, 64)
		if err != nil || n64 < 0 || n64 > math.MaxUint32 && name != "SIZE" {
			continue
		}
		n := uint32(n64)
		switch name {
		case "MESSAGES":
			st.Messages = &n
		case "UIDNEXT":
			st.UIDNext = &n
		case "UNSEEN":
			st.Unseen = &n
		case "RECENT":
			st.Recent = &n
		case "SIZE":
			st.Size = &n64
		}
	}
	return mailbox, st
}

// mailbox takes a name up to what follows, or to the line's end. GNU imap4d may
// leave the quotes out around blanks.
func (p *parser) mailbox(follows string) string {
	p.space()
	if len(p.b) > 0 && p.b[0] == '"' {
		name, _ := p.str()
		return name
	}
	n := len(p.b)
	if at := bytes.LastIndex(p.b, []byte(follows)); at >= 0 {
		n = at
	}
	name := bytes.TrimRight(p.b[:n], " ")
	p.b = p.b[n:]
	return string(name)
}

// parseList and parseStatusLine return the name's octets as they came.
func parseList(rest []byte) (mailbox string, delim rune, attrs []string) {
	p := parser{rest}
	attrs = p.list()
	if d, ok := p.str(); ok {
		for _, delim = range d {
			break
		}
	}
	return p.mailbox(" (("), delim, attrs
}

// parseNumbers reads the numbers of a SEARCH; beyond is one of those that have
// more than 32 bits, 0: there is none.
func parseNumbers(rest []byte) (l []uint32, beyond uint64) {
	p := parser{rest}
	for {
		p.space()
		if len(p.b) == 0 || p.b[0] == '(' { // (MODSEQ n), RFC 7162
			return l, beyond
		}
		n, far := p.uid()
		beyond = max(beyond, far)
		if n != 0 {
			l = append(l, n)
		} else if len(p.b) > 0 && p.b[0] == ')' {
			return l, beyond
		}
	}
}
