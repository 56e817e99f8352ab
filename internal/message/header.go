package message

import (
	"iter"
	"strings"
)

// Header is the fields of one header in their order. It is not for concurrent use.
type Header struct {
	Raw    string
	fields Spans
	marks  uint64 // of all fields
	whole  bool   // see Whole
	lists         // of Values
}

// span is the place of a field in its header, with the last line break.
type span struct {
	Start, End int32
	Name       uint8 // octets of its name, maxName at most
	mark       uint8 // of its name
	folded     bool
}

// Spans are the places of the fields of a header, in order.
type Spans []span

// Add notes the place of a field. It ignores fields beyond MaxFields.
func (s *Spans) Add(f *Field, start, end int) {
	if len(*s) < MaxFields {
		*s = append(*s, span{int32(start), int32(end), uint8(len(f.Name)), Mark(f.Name), f.Folded})
	}
}

// Marks is how many marks there are.
const Marks = 64

// Mark returns a number below Marks, by which most names differ. Case does not matter.
func Mark[T string | []byte](name T) uint8 {
	n := len(name)
	if n == 0 {
		return 0
	}
	return (uint8(n) + 3*(name[0]|0x20) + 5*(name[n-1]|0x20)) & (Marks - 1)
}

// Kept returns the first fields, up to MaxRaw octets, and where they end.
func (s Spans) Kept() (first Spans, end int) {
	for n := len(s); n > 0; n-- {
		if end := int(s[n-1].End); end <= MaxRaw {
			return s[:n], end
		}
	}
	return nil, 0
}

// NewHeader returns the header that raw holds, with these fields. whole: no other
// field is missing.
func NewHeader(raw string, fields Spans, whole bool) Header {
	h := Header{Raw: raw, fields: fields, whole: whole && len(fields) < MaxFields}
	for i := range fields {
		h.marks |= 1 << fields[i].mark
	}
	return h
}

// Own returns a copy that may be used concurrently with h.
func (h *Header) Own() Header {
	c := *h
	c.lists = nil
	return c
}

// Values returns the values of the fields of that name, in any case, in their order.
// Each is unfolded (a line break and the white space around it is one blank) and valid
// UTF-8.
func (h *Header) Values(name string) (values []string) {
	m := Mark(name)
	if h.marks&(1<<m) == 0 {
		return nil
	}
	for i := range h.fields {
		if s := &h.fields[i]; s.mark == m && int(s.Name) == len(name) && strings.EqualFold(h.name(s), name) {
			values = h.Append(values, h.Value(i))
		}
	}
	return values
}

// Fields yields all fields in their order: the name in lower case, the value as
// Values has it.
func (h *Header) Fields() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for i := range h.fields {
			if s := &h.fields[i]; !yield(strings.ToLower(h.name(s)), h.Value(i)) {
				return
			}
		}
	}
}

// Whole reports whether no field is missing: the header is complete and within
// MaxFields and MaxRaw.
func (h *Header) Whole() bool { return h.whole }

// Len returns the number of fields.
func (h *Header) Len() int { return len(h.fields) }

// Name returns the name of the i-th field, as sent.
func (h *Header) Name(i int) string { return h.name(&h.fields[i]) }

func (h *Header) name(s *span) string { return h.Raw[s.Start : s.Start+int32(s.Name)] }

// Value returns the value of the i-th field as Values has it.
func (h *Header) Value(i int) string {
	s := &h.fields[i]
	_, v, _ := strings.Cut(h.Raw[s.Start+int32(s.Name):s.End], ":")
	if !s.folded {
		v = Trim(v)
	} else {
		v = joinLines(v)
	}
	return Valid(v)
}

// joinLines joins the lines that are not blank.
func joinLines(v string) string {
	var joined strings.Builder
	joined.Grow(len(v))
	for line := range strings.SplitSeq(v, "\n") {
		if line = Trim(line); line != "" && joined.Len() > 0 {
			joined.WriteByte(' ')
		}
		joined.WriteString(line)
	}
	return joined.String()
}
