package report

import (
	"iter"

	"github.com/fblwatch/fblwatch/internal/message"
)

// Sources of header fields; see [Report.Header].
const (
	FromOuter    = "outer"    // the header of the report's own message
	FromOriginal = "original" // the header of the reported message
	FromReport   = "report"   // the fields of the report part
)

// Header is one header, RFC 5322 section 2.2. It is not for concurrent use.
type Header struct{ headers message.Header }

// Values returns the values of the fields of the name, in any case, in their order.
// Each is as sent, but unfolded (RFC 5322 section 2.2.3: a line break and the white
// space around it become one blank) and in valid UTF-8. Encoded words stay.
func (h *Header) Values(name string) []string { return h.headers.Values(name) }

// Fields yields the fields in their order: the name in lower case, and the value as
// Values returns it.
func (h *Header) Fields() iter.Seq2[string, string] { return h.headers.Fields() }

// Whole reports whether no field is missing: the reader saw the end of the header, and
// the header is within the limit of 64 KiB.
func (h *Header) Whole() bool { return h.headers.Whole() }

// raw is what a report keeps of its message: one copy of the pieces that are asked
// for later, each of at most maxRaw octets.
type raw struct {
	outer, original, report Header

	text, textType, textEncoding string
}
