package trust

import (
	"bytes"
	"errors"
	"io"
	"slices"
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

	canonical [2][]byte      // of the body: simple, relaxed; nil: not made yet
	framed    *message.Frame // see frame
	ends      [2]int         // where the frame closes the canonical body; 0: not looked for, -1: nowhere
	byName    []headerField  // the fields, sorted
	account   string         // that it was found in
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
)

var errHeader = errors.New("the header is malformed, or beyond what is checked")

// readMessage reads a message; io.ErrUnexpectedEOF where its header has no end.
func readMessage(sent []byte) (*signable, error) {
	if len(sent) > maxMessage {
		return nil, errHeader
	}
	m := &signable{all: crlf(message.SkipEnvelope(sent, false))}
	header := m.all[:min(len(m.all), maxHeader)]
	end := bytes.Index(header, []byte("\r\n\r\n")) + 2
	if end < 2 {
		end = len(header)
	}
	text := string(header[:end])
	var names strings.Builder // of all fields
	names.Grow(512)
	m.fields = make([]headerField, 0, 32)
	for rest := header; ; {
		f, next, kind := message.ReadField(rest)
		raw := rest[:len(rest)-len(next)]
		switch {
		case !f.Ended:
			if len(m.all) > len(header) {
				return nil, errHeader
			}
			return nil, io.ErrUnexpectedEOF
		case kind == message.BlankLine && string(raw) == "\r\n":
			m.body = m.all[len(header)-len(next):]
			return m, nil
		case kind != message.FieldLine, len(m.fields) == maxFields:
			return nil, errHeader
		}
		if n := bytes.Count(raw, []byte("\n")); n > maxLines || bytes.Count(raw, []byte("\r")) > n {
			return nil, errHeader
		}
		at := len(header) - len(rest)
		for _, c := range f.Name {
			names.WriteByte(message.LowerByte(c))
		}
		m.fields = append(m.fields, headerField{name: names.String()[names.Len()-len(f.Name):], raw: text[at : at+len(raw)]})
		rest = next
	}
}

// doubled is the first field that occurs more than once, of those that may occur once and
// that a report is read by. A signature covers the lowest, a reader takes the topmost.
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
	if m.byName == nil {
		m.byName = slices.Clone(m.fields)
		slices.SortStableFunc(m.byName, func(a, b headerField) int { return strings.Compare(a.name, b.name) })
	}
	from, _ := slices.BinarySearchFunc(m.byName, name, func(f headerField, name string) int { return strings.Compare(f.name, name) })
	to := from
	for to < len(m.byName) && m.byName[to].name == name {
		to++
	}
	return m.byName[from:to:to]
}

// crlf ends every line in CRLF.
func crlf(b []byte) []byte {
	bare := 0
	for at := 0; ; at++ {
		next := bytes.IndexByte(b[at:], '\n')
		if next < 0 {
			break
		}
		if at += next; at == 0 || b[at-1] != '\r' {
			bare++
		}
	}
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

// frame is how the report is read from the body.
//
// Where Content-Type is not signed, the body of a genuine report can be made to
// speak with the voice of a message within it. So trust asks the reader of the report
// by which boundary it splits the body, and believes only a body that no reader can
// split otherwise: see message.Frame. The signer's own delimiter is the first line of
// the body, or follows its preamble. So a line of the reported message is never a
// delimiter.
func (m *signable) frame() *message.Frame {
	if m.framed == nil {
		value := func(name string) string {
			if fields := m.named(name); len(fields) > 0 { // one at most, see doubled
				return fields[0].value()
			}
			return ""
		}
		f := message.FrameOf(value("content-type"), value("content-transfer-encoding"), m.body)
		m.framed = &f
	}
	return m.framed
}
