package report

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fblwatch/fblwatch/internal/message"
)

// Message is a feedback report to write as a message (RFC 5965 section 2).
//
// Report holds the header, in Outer (From, Subject, Date, MessageID), and the fields
// of the report part. FeedbackType, UserAgent and Version are required; for the type
// auth-failure AuthFailure and AuthenticationResults too (RFC 6591 section 3.1). From
// and To may have display names. Extensions must not hold a field that Report has a
// field for. Write ignores the other fields of Report.
//
// A zero Date is now. An empty MessageID or Boundary is made up. A Message with all
// three always gives the same octets.
type Message struct {
	Report   Report
	To       []string // addresses; one is required
	Text     string   // for a person; "": a sentence
	Original []byte   // the reported message, or its header alone; required
	Boundary string   // RFC 2046 section 5.1.1, without blanks
}

// Write writes the message with lines that end in CRLF. [Parse] reads it back equal.
// The error is one of w, or it wraps each [ErrMissing] and [ErrInvalid], with the
// field's name; then Write wrote nothing.
//
// Write folds headers at blanks to 78 octets. The subject and display names may have any
// characters. The fields of the report part are ASCII (RFC 5965 section 7.1), and no
// word of a value has more than 998 octets (RFC 5322 section 2.1.1). The reported
// message stays as it is, 8-bit or binary, but for its line ends and an mbox line
// before it. Write does not sign; a complaint under RFC 9477 needs a DKIM
// signature.
func Write(w io.Writer, m Message) error {
	b, err := m.bytes()
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = w.Write(b)
	return err
}

func (m *Message) bytes() ([]byte, error) {
	var head, fields headerWriter
	m.writeOuter(&head)
	m.Report.writeFields(&fields)
	original := originalBytes(m.Original)
	if err := errors.Join(append(append(head.errs, fields.errs...), original.err)...); err != nil {
		return nil, err
	}
	text, err := m.textPart()
	if err != nil {
		return nil, err
	}
	boundary, err := m.boundary(text.body, fields.b, original.body)
	if err != nil {
		return nil, err
	}

	out := bytes.NewBuffer(head.b)
	fmt.Fprintf(out, "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report;\r\n\tboundary=\"%s\"\r\n", boundary)
	if original.encoding != "7bit" { // RFC 2045 section 6.4: of the whole, too
		fmt.Fprintf(out, "Content-Transfer-Encoding: %s\r\n", original.encoding)
	}
	for _, part := range []writtenPart{text, {"message/feedback-report", "7bit", fields.b, nil}, original} {
		fmt.Fprintf(out, "\r\n--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n", boundary, part.typ, part.encoding)
		out.Write(part.body)
	}
	fmt.Fprintf(out, "\r\n--%s--\r\n", boundary)
	return out.Bytes(), nil
}

func (m *Message) writeOuter(h *headerWriter) {
	o := &m.Report.Outer
	from := h.mailbox("From", o.From)
	h.field("From", from)
	if len(m.To) == 0 {
		h.fail("To", ErrMissing)
	}
	to := make([]string, len(m.To))
	for i, member := range m.To {
		to[i] = h.mailbox("To", member)
	}
	h.field("To", strings.Join(to, ", "))
	if o.Subject != "" {
		h.text("Subject", o.Subject)
	}
	date := o.Date
	if date.IsZero() {
		date = time.Now()
	}
	h.date("Date", date)
	id := strings.TrimSuffix(strings.TrimPrefix(o.MessageID, "<"), ">")
	if id == "" {
		addr, _ := message.Address(from)
		id = rand.Text() + "@" + message.DomainOf(addr)
	}
	if left, right, _ := strings.Cut(id, "@"); from != "" && (left == "" || right == "" || strings.ContainsAny(id, "<> \t")) {
		h.fail("Message-ID", ErrInvalid)
	}
	h.field("Message-ID", "<"+id+">")
}

// originalBytes makes the third part: a message, or a header where no empty line
// ends it (RFC 5965 section 2 d). A message must not be encoded (RFC 2046
// section 5.2.1), so its encoding only says what it is.
func originalBytes(b []byte) writtenPart {
	p := writtenPart{typ: "text/rfc822-headers", encoding: "7bit", body: crlf(message.SkipEnvelope(message.LineFeeds(b), true))}
	if len(message.Trim(p.body)) == 0 {
		p.err = fmt.Errorf("original: %w (RFC 5965 section 2)", ErrMissing)
	} else if _, _, kind := message.ReadField(p.body); kind != message.FieldLine {
		p.err = fmt.Errorf("original: %w: does not begin with a field", ErrInvalid)
	}
	if bytes.Contains(p.body, []byte("\r\n\r\n")) {
		p.typ = "message/rfc822"
	}
	for line := range bytes.Lines(p.body) {
		switch {
		case len(message.Chomp(line)) > maxLine || bytes.IndexByte(line, 0) >= 0:
			p.encoding = "binary"
			return p
		case !isASCII(line):
			p.encoding = "8bit"
		}
	}
	return p
}

func (m *Message) textPart() (writtenPart, error) {
	text := m.Text
	if text == "" {
		text = "This is a feedback report of type " + m.Report.FeedbackType + ". The mail that it is\nabout is attached.\n"
	}
	if !utf8.ValidString(text) {
		return writtenPart{}, fmt.Errorf("text: %w: not UTF-8", ErrInvalid)
	}
	return writtenText(crlf([]byte(text))), nil
}

// boundary is the given one, or a new one; it must not occur in a part.
func (m *Message) boundary(bodies ...[]byte) (string, error) {
	occurs := func(boundary string) bool {
		for _, body := range bodies {
			if bytes.Contains(body, []byte("--"+boundary)) {
				return true
			}
		}
		return false
	}
	if b := m.Boundary; b != "" {
		switch {
		case len(b) > 70 || strings.IndexFunc(b, notBoundary) >= 0:
			return "", fmt.Errorf("boundary: %w", ErrInvalid)
		case occurs(b):
			return "", fmt.Errorf("boundary: %w: it stands in a part", ErrInvalid)
		}
		return b, nil
	}
	for {
		if b := "=_" + rand.Text(); !occurs(b) { // "=_" occurs in no encoded text
			return b, nil
		}
	}
}

func notBoundary(c rune) bool {
	return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("'()+_,-./:=?", c))
}

// crlf ends every line in CRLF; a bare CR is a line end too.
func crlf(b []byte) []byte {
	return bytes.ReplaceAll(message.AppendLineFeeds(make([]byte, 0, len(b)), b, len(b)), []byte("\n"), []byte("\r\n"))
}

// mailbox reads one address with or without a display name (RFC 5322 section
// 3.4) and writes it anew.
func (h *headerWriter) mailbox(name, value string) string {
	if value == "" {
		h.fail(name, ErrMissing)
		return ""
	}
	a, err := mail.ParseAddress(value)
	if err != nil || !message.IsAddress(a.Address) {
		h.fail(name, fmt.Errorf("%w: no address", ErrInvalid))
		return ""
	}
	if a.Name == "" {
		return a.Address
	}
	if needsWords(a.Name) {
		return encodeWords(a.Name) + " <" + a.Address + ">"
	}
	return a.String()
}

// Redact replaces an address by one that does not name a person and is the same each
// time (RFC 6590 section 2): 64 hexadecimal digits of HMAC-SHA-256 under the key, "@"
// and the domain in lower case. The digits are of the whole address in lower case: a
// local part at two domains has two values. An address without a domain gives the
// digits alone.
//
// The key is a secret of any length: who has it can try addresses. A redacted report
// must not name the person elsewhere, neither in the original nor in the text.
func Redact(key []byte, addr string) string {
	addr = strings.ToLower(addr)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(addr))
	digits := hex.EncodeToString(mac.Sum(nil))
	if at := strings.LastIndexByte(addr, '@'); at >= 0 {
		return digits + addr[at:]
	}
	return digits
}
