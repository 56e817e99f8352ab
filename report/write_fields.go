package report

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"mime/quotedprintable"
	"net/netip"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fblwatch/fblwatch/internal/message"
)

const (
	foldAt    = 78       // octets that a line should have at most, RFC 5322 section 2.1.1
	maxLine   = 998      // octets that it must have at most
	maxErrors = 100      // mistakes that are reported
	maxValue  = 32 << 10 // octets of a field's value; what Parse decodes is longer
)

// headerWriter writes header fields; after a mistake it goes on, and has the first
// of them in errs.
type headerWriter struct {
	b    []byte
	errs []error
}

func (h *headerWriter) fail(name string, err error) {
	if err != nil && len(h.errs) < maxErrors {
		h.errs = append(h.errs, fmt.Errorf("%s: %w", name, err))
	}
}

// field writes a value of printable ASCII, if there is one. Blanks at its ends
// are cut; it is folded at single blanks, so that unfolding gives it back.
func (h *headerWriter) field(name, value string) {
	value = strings.Trim(value, " \t")
	if value == "" {
		return
	}
	if !message.IsFieldName([]byte(name)) {
		h.fail(fmt.Sprintf("%.40q", name), fmt.Errorf("%w: no name of a field", ErrInvalid))
		return
	}
	if err := checkValue(value); err != nil {
		h.fail(name, err)
		return
	}
	line := append(append(h.b, name...), ": "...)
	start := len(h.b) // of the line
	fold := -1        // the last blank in it where it may end
	for i := range len(value) {
		if c := value[i]; c == ' ' && !message.IsSpace(value[i-1]) && !message.IsSpace(value[i+1]) {
			fold = len(line)
		}
		line = append(line, value[i])
		if len(line)-start > foldAt && fold >= 0 {
			line = slices.Insert(line, fold, '\r', '\n')
			start, fold = fold+2, -1
		}
		if len(line)-start > maxLine {
			h.fail(name, fmt.Errorf("%w: no blank to fold it at in %d octets", ErrInvalid, maxLine))
			return
		}
	}
	h.b = append(line, "\r\n"...)
}

func checkValue(value string) error {
	if len(value) > maxValue {
		return fmt.Errorf("%w: longer than %d octets", ErrInvalid, maxValue)
	}
	for _, c := range []byte(value) {
		switch {
		case c == '\r' || c == '\n' || c == 0:
			return fmt.Errorf("%w: a line break or NUL in it", ErrInvalid)
		case c >= 0x7f || c < ' ' && c != '\t':
			return fmt.Errorf("%w: not printable ASCII", ErrInvalid)
		}
	}
	return nil
}

// text writes a value of any characters, as encoded words where it needs them.
func (h *headerWriter) text(name, value string) {
	switch {
	case !utf8.ValidString(value):
		h.fail(name, fmt.Errorf("%w: not UTF-8", ErrInvalid))
	case strings.ContainsAny(value, "\r\n\x00") || len(value) > maxValue:
		h.fail(name, checkValue(value))
	case needsWords(value):
		h.field(name, encodeWords(value))
	default:
		h.field(name, value)
	}
}

func (h *headerWriter) date(name string, t time.Time) {
	v := t.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700")
	if _, ok := message.ParseDate(v); !ok {
		h.fail(name, fmt.Errorf("%w: the year is not of 1900 to 9999", ErrInvalid))
	}
	h.field(name, v)
}

// needsWords reports whether a text is not what it is when it is read back
// plainly.
func needsWords(s string) bool {
	return strings.Contains(s, "=?") || strings.TrimSpace(s) != s || checkValue(s) != nil || longWord(s)
}

func longWord(s string) bool {
	for word := range strings.SplitSeq(s, " ") {
		if len(word) > maxLine/2 {
			return true
		}
	}
	return false
}

// encodeWords writes s as encoded words (RFC 2047), each of at most 75 octets
// and of whole characters.
func encodeWords(s string) string {
	const most = 45 // octets in a word
	var words []string
	for len(s) > 0 {
		n := 0
		for n < len(s) {
			_, size := utf8.DecodeRuneInString(s[n:])
			if n+size > most {
				break
			}
			n += size
		}
		words = append(words, "=?utf-8?B?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(words, " ")
}

// writtenText makes a text part: as it is, or quoted-printable where it is not
// ASCII in short lines.
func writtenText(b []byte) writtenPart {
	plain := isASCII(b) && bytes.IndexByte(b, 0) < 0
	for line := range bytes.Lines(b) {
		plain = plain && len(line) <= foldAt+2
	}
	if plain {
		return writtenPart{typ: "text/plain; charset=us-ascii", encoding: "7bit", body: b}
	}
	var encoded bytes.Buffer
	q := quotedprintable.NewWriter(&encoded)
	_, _ = q.Write(b) // a Buffer does not fail
	_ = q.Close()
	return writtenPart{typ: "text/plain; charset=utf-8", encoding: "quoted-printable", body: encoded.Bytes()}
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

var (
	// ErrMissing: a Message lacks something that RFC 5965 or RFC 6591 requires.
	ErrMissing = errors.New("missing")
	// ErrInvalid: a Message has a value that the RFC does not allow. A line break or
	// a NUL in the value of a field never is.
	ErrInvalid = errors.New("cannot be written")
)

// writtenPart is one part of the message.
type writtenPart struct {
	typ, encoding string
	body          []byte
	err           error
}

// writeFields writes the report part, in the order of RFC 5965 section 3 and
// RFC 6591 section 3.2.
func (r *Report) writeFields(h *headerWriter) {
	required := func(name, value string) {
		if strings.Trim(value, " \t") == "" {
			h.fail(name, ErrMissing)
		}
		h.field(name, value)
	}
	each := func(name string, values []string) {
		for _, v := range values {
			h.field(name, v)
		}
	}

	required("Feedback-Type", r.FeedbackType)
	if strings.ContainsAny(r.FeedbackType, " \t()<>@,;:\\\"/[]?=") || r.FeedbackType != "" && eventOf(r.FeedbackType) == Unparsed { // RFC 5965 section 3.5: a token
		h.fail("Feedback-Type", fmt.Errorf("%w: no token", ErrInvalid))
	}
	required("User-Agent", r.UserAgent)
	required("Version", r.Version)
	h.field("Original-Envelope-Id", r.OriginalEnvelopeID)
	if r.OriginalMailFrom == "<>" {
		h.field("Original-Mail-From", "<>")
	} else {
		h.addrSpec("Original-Mail-From", r.OriginalMailFrom)
	}
	r.writeRecipients(h)
	r.writeArrival(h)
	r.writeMTA(h)
	r.writeSource(h)
	h.number("Incidents", r.Incidents, 1<<31-1)
	if eventOf(r.FeedbackType) == AuthFailed {
		if len(r.AuthenticationResults) == 0 {
			h.fail("Authentication-Results", fmt.Errorf("%w (RFC 6591 section 3.1)", ErrMissing))
		}
		if r.AuthFailure.AuthFailure == "" {
			h.fail("Auth-Failure", fmt.Errorf("%w (RFC 6591 section 3.1)", ErrMissing))
		}
	}
	each("Authentication-Results", r.AuthenticationResults)
	each("Reported-Domain", r.ReportedDomain)
	each("Reported-URI", r.ReportedURI)

	a := &r.AuthFailure
	h.field("Auth-Failure", a.AuthFailure)
	h.field("Delivery-Result", a.DeliveryResult)
	h.field("Identity-Alignment", a.IdentityAlignment)
	h.field("DKIM-Domain", a.DKIMDomain)
	h.field("DKIM-Identity", a.DKIMIdentity)
	h.field("DKIM-Selector", a.DKIMSelector)
	h.field("DKIM-Selector-DNS", a.DKIMSelectorDNS)
	h.field("DKIM-Canonicalized-Header", a.DKIMCanonicalizedHeader)
	h.field("DKIM-Canonicalized-Body", a.DKIMCanonicalizedBody)
	h.field("DKIM-ADSP-DNS", a.DKIMADSPDNS)
	each("SPF-DNS", a.SPFDNS)

	for _, name := range slices.Sorted(maps.Keys(r.Extensions)) {
		if fieldOf([]byte(name)) != nil {
			h.fail(name, fmt.Errorf("%w: it has a place of its own", ErrInvalid))
			continue
		}
		each(textproto.CanonicalMIMEHeaderKey(name), r.Extensions[name])
	}
}

// writeRecipients writes each on a line of its own. Who was blotted out is no
// recipient: RFC 6590 has [Redact] for that.
func (r *Report) writeRecipients(h *headerWriter) {
	const name = "Original-Rcpt-To"
	if len(r.OriginalRcptTo) > maxRecipients {
		h.fail(name, fmt.Errorf("%w: more than %d", ErrInvalid, maxRecipients))
	}
	seen := make(map[string]bool, len(r.OriginalRcptTo))
	for _, rcpt := range r.OriginalRcptTo {
		switch {
		case seen[rcpt]:
			h.fail(name, fmt.Errorf("%w: the same one twice", ErrInvalid))
		case message.IsPlaceholder(rcpt):
			h.fail(name, fmt.Errorf("%w: a placeholder", ErrInvalid))
		default:
			h.addrSpec(name, rcpt)
		}
		seen[rcpt] = true
	}
}

// addrSpec writes an address without a display name, in brackets.
func (h *headerWriter) addrSpec(name, addr string) {
	if addr == "" {
		return
	}
	if !message.IsAddress(addr) || strings.ContainsAny(addr, "{}") {
		h.fail(name, fmt.Errorf("%w: no address", ErrInvalid))
		return
	}
	h.field(name, "<"+addr+">")
}

func (r *Report) writeArrival(h *headerWriter) {
	if r.ArrivalDateRaw != "" {
		h.field("Arrival-Date", r.ArrivalDateRaw)
	} else if !r.ArrivalDate.IsZero() {
		h.date("Arrival-Date", r.ArrivalDate)
	}
}

// writeMTA writes a Reporting-MTA; its type is dns where none is given.
func (r *Report) writeMTA(h *headerWriter) {
	const name = "Reporting-MTA"
	m := r.ReportingMTA
	if m == nil {
		return
	}
	switch typ := cmp.Or(strings.ToLower(m.Type), "dns"); {
	case strings.TrimSpace(m.Name) == "":
		h.fail(name, ErrMissing)
	case strings.ContainsAny(typ, " \t;"):
		h.fail(name, fmt.Errorf("%w: its type is no token", ErrInvalid))
	default:
		h.field(name, typ+"; "+strings.TrimSpace(m.Name))
	}
}

// writeSource writes Source-IP as every known reporter and reader has it: an
// IPv6 address without the "IPv6:" of RFC 5321.
func (r *Report) writeSource(h *headerWriter) {
	if r.SourceIP != "" {
		ip, err := netip.ParseAddr(r.SourceIP)
		if err != nil || ip.Zone() != "" {
			h.fail("Source-IP", fmt.Errorf("%w: no address", ErrInvalid))
		} else {
			h.field("Source-IP", ip.Unmap().String())
		}
	}
	h.number("Source-Port", r.SourcePort, 65535) // RFC 6692 section 2
}

// number writes a number; 0 is none.
func (h *headerWriter) number(name string, n, limit int) {
	if n < 0 || n > limit {
		h.fail(name, fmt.Errorf("%w: not of 1 to %d", ErrInvalid, limit))
	} else if n > 0 {
		h.field(name, strconv.Itoa(n))
	}
}
