package trust

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// signable is a message as a signer sees it: lines end in CRLF, and the header ends
// at the first empty line. Where a tolerant reader may see it otherwise, because
// the header is not as RFC 5322 section 2.2 has it, there is no message: what is
// signed would not be what is read.
type signable struct {
	all    []byte
	fields []headerField
	body   []byte

	canonical [2][]byte                // of the body: simple, relaxed; nil: not made yet
	framed    *message.Frame           // see frame
	ends      [2]int                   // where the frame closes the canonical body; 0: not looked for, -1: nowhere
	index     map[string][]headerField // by name
	account   string                   // that it was found in
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

// Limits of one message; beyond them it is not checked. Some work of a check grows
// with the product of them.
const (
	maxMessage = 32 << 20  // octets
	maxHeader  = 256 << 10 // octets of the header
	maxFields  = 2_000     // fields of the header
	maxLines   = 1_000     // lines of one field
	maxAddress = 8 << 10   // octets of From: its reader is not ours
	maxName    = 128       // octets of a field's name, as package report has it
)

var errHeader = errors.New("the header is malformed, or beyond what is checked")

// readMessage reads a message; io.ErrUnexpectedEOF where its header has no end.
func readMessage(mail []byte) (*signable, error) {
	if len(mail) > maxMessage {
		return nil, errHeader
	}
	mail = bytes.TrimPrefix(mail, []byte("\xef\xbb\xbf"))
	for bytes.HasPrefix(bytes.TrimLeft(mail[:min(len(mail), 80)], `>"`), []byte("From ")) { // an mbox line
		_, mail, _ = bytes.Cut(mail, []byte("\n"))
	}
	m := &signable{all: crlf(mail)}
	for start, at, lines := 0, 0, 0; ; lines++ {
		n := bytes.IndexByte(m.all[at:], '\n')
		if n < 0 {
			return nil, io.ErrUnexpectedEOF
		}
		line := m.all[at : at+n-1] // without its CRLF
		if len(line) == 0 || line[0] != ' ' && line[0] != '\t' {
			if at > start && !m.add(string(m.all[start:at])) {
				return nil, errHeader
			}
			start, lines = at, 0
		}
		if at += n + 1; len(line) == 0 {
			m.body = m.all[at:]
			return m, nil
		}
		if at > maxHeader || lines > maxLines || len(m.fields) >= maxFields || bytes.IndexByte(line, '\r') >= 0 {
			return nil, errHeader
		}
	}
}

// add adds a field, unless a reader could take it for something else: for no
// field, which may be a boundary, or for a URL.
func (m *signable) add(raw string) bool {
	name, value, found := strings.Cut(raw, ":")
	name = strings.TrimRight(name, " \t")
	if !found || name == "" || len(name) > maxName || strings.HasPrefix(value, "//") ||
		strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return false
	}
	m.fields = append(m.fields, headerField{name: strings.ToLower(name), raw: raw})
	return true
}

// doubled is the first field, of those that stand once and that a report is
// read by, which stands there more than once: a signature covers the lowest, a
// reader takes the topmost.
func (m *signable) doubled() string {
	for _, name := range []string{"from", "subject", "date", "message-id", "content-type", "content-transfer-encoding"} {
		if len(m.named(name)) > 1 {
			return name
		}
	}
	return ""
}

// named gives the fields of that name, from the top.
func (m *signable) named(name string) []headerField {
	if m.index == nil {
		m.index = make(map[string][]headerField)
		for _, f := range m.fields {
			m.index[f.name] = append(m.index[f.name], f)
		}
	}
	return m.index[name]
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
