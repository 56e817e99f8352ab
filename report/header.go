package report

import (
	"iter"
	"strings"
)

// The headers that a report has, as rules name them.
const (
	FromOuter    = "outer"    // the header of the report's own message
	FromOriginal = "original" // the header of the reported message
	FromReport   = "report"   // the fields of the report part
)

// Header is the fields of one header in their order, each as sent but for
// folding.
type Header struct {
	raw    string
	fields spans
	marks  uint64 // of all fields
	whole  bool   // see Whole
	lists         // of Values
}

// span is where a field stands in its header, with its last line break.
type span struct {
	start, end int32
	name       uint8 // octets of its name, maxName at most
	mark       uint8 // of its name
	folded     bool
}

// spans are the fields of a header in their order.
type spans []span

// add notes a field that stands at start.
func (s *spans) add(f *field, start, end int) {
	if len(*s) < maxFields {
		*s = append(*s, span{int32(start), int32(end), uint8(len(f.name)), mark(f.name), f.folded})
	}
}

// mark is one of 64 numbers that tells most names apart, whatever their case.
func mark[T string | []byte](name T) uint8 {
	n := len(name)
	if n == 0 {
		return 0
	}
	return (uint8(n) + 3*(name[0]|0x20) + 5*(name[n-1]|0x20)) & 63
}

// kept is the first fields, which are kept, and where they end.
func (s spans) kept() (first spans, end int) {
	for n := len(s); n > 0; n-- {
		if end := int(s[n-1].end); end <= maxRaw {
			return s[:n], end
		}
	}
	return nil, 0
}

// raw is what a report keeps of its message: one copy of the pieces that are asked
// for later, each of at most maxRaw octets.
type raw struct {
	outer, original, report Header

	text, textType, textEncoding string
}

// Header gives the header named "outer", "original" or "report"; an empty one
// where there is none, and for a message that makes no record. It is not for
// concurrent use.
func (r *Report) Header(source string) *Header {
	switch source {
	case FromOuter:
		return &r.raw.outer
	case FromOriginal:
		return &r.raw.original
	case FromReport:
		return &r.raw.report
	}
	return new(Header)
}

// Text is the first part of the message that is made for a reader, decoded: at
// most 64 KiB of it, and nothing for a message that makes no record.
func (r *Report) Text() string {
	t := part{body: []byte(r.raw.text), contentType: []byte(r.raw.textType), encoding: []byte(r.raw.textEncoding)}
	b := t.text()
	return valid(string(b[:min(len(b), maxRaw)]))
}

// Values are the values of the fields of that name, in any case, in their
// order, unfolded: a line break and the white space around it is one blank.
func (h *Header) Values(name string) (values []string) {
	m := mark(name)
	if h.marks&(1<<m) == 0 {
		return nil
	}
	for i := range h.fields {
		if s := &h.fields[i]; s.mark == m && strings.EqualFold(h.name(s), name) {
			values = h.list(values, h.value(s))
		}
	}
	return values
}

// Fields yields all fields in their order: the name in lower case, the value as
// Values has it.
func (h *Header) Fields() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for i := range h.fields {
			if s := &h.fields[i]; !yield(strings.ToLower(h.name(s)), h.value(s)) {
				return
			}
		}
	}
}

// Whole reports whether no field is missing: the header's end was seen, and it
// is within the limits.
func (h *Header) Whole() bool { return h.whole }

func (h *Header) name(s *span) string { return h.raw[s.start : s.start+int32(s.name)] }

// value is the field's value, unfolded and in valid UTF-8.
func (h *Header) value(s *span) string {
	_, v, _ := strings.Cut(h.raw[s.start+int32(s.name):s.end], ":")
	if !s.folded {
		v = strings.Trim(v, " \t\r\n")
	} else {
		v = joinLines(v)
	}
	return valid(v)
}

// joinLines makes one line of those that hold anything.
func joinLines(v string) string {
	joined := make([]byte, 0, len(v))
	for line := range strings.SplitSeq(v, "\n") {
		if line = strings.Trim(line, " \t\r"); line != "" && len(joined) > 0 {
			joined = append(joined, ' ')
		}
		joined = append(joined, line...)
	}
	return string(joined)
}

// keepRaw copies what is asked for later. What stands around several reports
// they have in common with the first, nil: it is the first.
func (p *parser) keepRaw(w *walker, first *Report) {
	var outerFields spans
	var text, typ, encoding []byte
	outer := 0
	if first == nil {
		outerFields, outer = p.outer.kept()
		text = w.text.body[:min(len(w.text.body), maxRaw)]
		typ, encoding = w.text.contentType[:min(len(w.text.contentType), maxRaw)], w.text.encoding[:min(len(w.text.encoding), maxRaw)]
	}
	originalFields, original := p.original.kept()
	reportFields, report := p.report.kept()

	fields := make(spans, 0, len(outerFields)+len(originalFields)+len(reportFields))
	var all strings.Builder
	all.Grow(outer + original + report + len(text) + len(typ) + len(encoding))
	keep := func(b []byte) string {
		all.Write(b)
		return all.String()[all.Len()-len(b):]
	}
	header := func(b []byte, s spans, whole bool) Header {
		fields = append(fields, s...)
		h := Header{raw: keep(b), fields: fields[len(fields)-len(s):], whole: whole && len(s) < maxFields}
		for i := range s {
			h.marks |= 1 << s[i].mark
		}
		return h
	}
	p.r.raw = raw{
		outer:    header(p.message[:outer], outerFields, p.outerEnded && len(outerFields) == len(p.outer)),
		original: header(p.originalRaw[:original], originalFields, p.originalEnded && len(originalFields) == len(p.original)),
		report:   header(p.reportRaw[:report], reportFields, p.r.whole && len(reportFields) == len(p.report)),
		text:     keep(text), textType: keep(typ), textEncoding: keep(encoding),
	}
	if first != nil {
		p.r.raw.outer, p.r.raw.text, p.r.raw.textType, p.r.raw.textEncoding = first.raw.outer, first.raw.text, first.raw.textType, first.raw.textEncoding
		p.r.raw.outer.lists = nil // each has its own
	}
}
