package report

import (
	"iter"

	"github.com/fblwatch/fblwatch/internal/message"
)

// The headers that a report has, as rules name them.
const (
	FromOuter    = "outer"    // the header of the report's own message
	FromOriginal = "original" // the header of the reported message
	FromReport   = "report"   // the fields of the report part
)

// Header is the fields of one header in their order, each as sent but for folding. It
// is not for concurrent use.
type Header struct{ headers message.Header }

// Values returns the values of the fields of that name, in any case, in their order.
// Each is unfolded (a line break and the white space around it is one blank) and
// valid UTF-8.
func (h *Header) Values(name string) []string { return h.headers.Values(name) }

// Fields yields all fields in their order: the name in lower case, the value as
// Values has it.
func (h *Header) Fields() iter.Seq2[string, string] { return h.headers.Fields() }

// Whole reports whether no field is missing: the header's end was seen, and it
// is within the limits.
func (h *Header) Whole() bool { return h.headers.Whole() }

// raw is what a report keeps of its message: one copy of the pieces that are asked
// for later, each of at most maxRaw octets.
type raw struct {
	outer, original, report Header

	text, textType, textEncoding string
}
