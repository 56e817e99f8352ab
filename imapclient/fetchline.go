package imapclient

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// fetchLine is one FETCH response.
type fetchLine struct {
	seq      uint32
	uid      uint32
	beyond   uint64 // UID, if it is over 32 bits
	date     time.Time
	size     int64
	flags    []string
	hasFlags bool
	body     []byte // a body that was no literal, or was held
	hasBody  bool
	open     bool // the line ends where a body's literal begins
}

// parseFetch reads what follows "* n FETCH".
func parseFetch(seq uint32, rest []byte) fetchLine {
	f := fetchLine{seq: seq, size: -1}
	f.items(bytes.TrimPrefix(bytes.TrimLeft(rest, " "), []byte("(")))
	return f
}

// items reads up to the ")". open becomes true if the line ends before the literal of
// a body.
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

// upper is strings.ToUpper without an allocation for the usual words.
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

// value skips the value of an item that was not asked for.
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
