package authentic

import (
	"bytes"
	"strings"
)

// message is a mail as a signer sees it: lines end in CRLF, and the header ends
// at the first empty line, whatever a tolerant reader makes of it.
type message struct {
	all    []byte
	fields []headerField
	body   []byte
}

// headerField is one field of the header, in its order.
type headerField struct {
	name string // in lower case
	raw  string // with its line breaks
}

func (f headerField) value() string {
	_, v, _ := strings.Cut(f.raw, ":")
	return v
}

// Limits of one mail; beyond them it is not checked. Some work of a check grows
// with the product of them.
const (
	maxMail   = 32 << 20  // octets
	maxHeader = 256 << 10 // octets of the header
	maxFields = 2_000     // fields of the header
	maxLines  = 1_000     // lines of one field
)

// readMessage reads a mail; nil where it is beyond the limits or has no end of
// the header.
func readMessage(mail []byte) *message {
	if len(mail) > maxMail {
		return nil
	}
	mail = bytes.TrimPrefix(mail, []byte("\xef\xbb\xbf"))
	for bytes.HasPrefix(bytes.TrimLeft(mail[:min(len(mail), 80)], `>"`), []byte("From ")) { // an mbox line
		_, mail, _ = bytes.Cut(mail, []byte("\n"))
	}
	m := &message{all: crlf(mail)}
	start, lines := 0, 0
	end := func(at int) {
		if raw := string(m.all[start:at]); raw != "" {
			name, _, _ := strings.Cut(raw, ":")
			m.fields = append(m.fields, headerField{name: strings.ToLower(strings.TrimSpace(name)), raw: raw})
		}
		start, lines = at, 0
	}
	for at := 0; at < maxHeader && lines < maxLines && len(m.fields) < maxFields; lines++ {
		n := bytes.Index(m.all[at:], []byte("\r\n"))
		if n < 0 {
			return nil
		}
		if first := m.all[at]; n == 0 || first != ' ' && first != '\t' {
			end(at)
		}
		if at += n + 2; n == 0 {
			m.body = m.all[at:]
			return m
		}
	}
	return nil
}

// named gives the fields of that name, from the top.
func (m *message) named(name string) (fields []headerField) {
	for _, f := range m.fields {
		if f.name == name {
			fields = append(fields, f)
		}
	}
	return fields
}

// isMultipart reports whether every Content-Type says so.
func (m *message) isMultipart() bool {
	types := m.named("content-type")
	for _, f := range types {
		if !strings.HasPrefix(strings.ToLower(strings.TrimSpace(f.value())), "multipart/") {
			return false
		}
	}
	return len(types) > 0
}

// crlf ends every line in CRLF.
func crlf(b []byte) []byte {
	bare := bytes.Count(b, []byte("\n")) - bytes.Count(b, []byte("\r\n"))
	if bare == 0 {
		return b
	}
	out := make([]byte, 0, len(b)+bare)
	for i, c := range b {
		if c == '\n' && (i == 0 || b[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return out
}
