package imapclient

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/fblwatch/fblwatch/callbacks"
)

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

// mailbox takes a name up to follows, or to the end of the line. GNU imap4d omits
// the quotes around a name with blanks.
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

// parseNumbers reads the numbers of a SEARCH. beyond is one over 32 bits; 0: none.
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

// parseNamespace reads the first of the personal namespaces.
func parseNamespace(rest []byte) (prefix string, delim rune) {
	p := parser{rest}
	for range 2 {
		if p.space(); !p.skip('(') {
			return "", 0 // NIL
		}
	}
	prefix, _ = p.str()
	if d, ok := p.str(); ok {
		for _, delim = range d {
			break
		}
	}
	return decodeUTF7(prefix), delim
}

// Quota is one limit on a mailbox (RFC 2087 section 5.1, RFC 9208 section 5).
type Quota struct {
	Root     string // name of the group of mailboxes that share the limit; may be empty
	Resource string // STORAGE (in units of 1,024 octets), MESSAGE (messages), ...
	Used     int64
	Limit    int64
}

// parseQuota reads what follows "* QUOTA": a root, and triples.
func parseQuota(rest []byte) (quotas []Quota) {
	p := parser{rest}
	root, _ := p.str()
	for items := p.list(); len(items) >= 3; items = items[3:] {
		q := Quota{Root: root, Resource: strings.ToUpper(items[0])}
		var err1, err2 error
		q.Used, err1 = strconv.ParseInt(items[1], 10, 64)
		q.Limit, err2 = strconv.ParseInt(items[2], 10, 64)
		if err1 == nil && err2 == nil && q.Used >= 0 && q.Limit >= 0 {
			quotas = append(quotas, q)
		}
	}
	return quotas
}

// List is one mailbox of the server (RFC 9051 section 7.3.1).
type List struct {
	Mailbox string   // name in UTF-8, as the methods of Client take it
	Delim   rune     // between the levels of the name; 0: no hierarchy
	Attrs   []string // such as \HasChildren
}

// Selectable reports whether the mailbox can be opened: it has neither \Noselect
// nor \NonExistent.
func (l List) Selectable() bool {
	for _, a := range l.Attrs {
		if strings.EqualFold(a, `\Noselect`) || strings.EqualFold(a, `\NonExistent`) {
			return false
		}
	}
	return true
}

// Selected is the state of a mailbox at its opening (RFC 9051 section 6.3.2).
type Selected struct {
	UIDValidity uint64 // never 0; some servers have more than 32 bits
	UIDNext     uint32 // 0: not known, or over 32 bits
	Exists      uint32 // number of messages
	ReadOnly    bool   // opened by Examine, or the server allows no changes

	// HighestModSeq is the state of the mailbox (RFC 7162 section 3.1.2.1). Keep
	// it for Since. 0: not known.
	HighestModSeq uint64
	// Resynced: the Handler has received all changes since Since.
	Resynced bool
}
