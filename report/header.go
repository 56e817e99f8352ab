package report

import (
	"bytes"
	"iter"
	"strings"
)

// The headers that a report has, as rules name them.
const (
	FromOuter    = "outer"    // the header of the report's own mail
	FromOriginal = "original" // the header of the reported mail
	FromReport   = "report"   // the fields of the report part
)

// Header is the fields of one header in their order, each as sent but for
// folding. It is read when it is first asked for.
type Header struct {
	raw    []byte
	cut    bool // raw is not all of it
	fields []field
	read   bool
	values arena // what was asked for so far
}

// raw is what a report keeps of its mail: one copy of the pieces that are asked
// for later, each of at most maxRaw octets.
type raw struct {
	outer, original, report Header

	text, textType, textEncoding []byte
}

// Header gives the header named "outer", "original" or "report"; an empty one
// where there is none, and for a mail that makes no record. It is not for
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

// Text is the first part of the mail that is made for a reader, decoded: at
// most 64 KiB of it, and nothing for a mail that makes no record.
func (r *Report) Text() string {
	t := part{body: r.raw.text, contentType: r.raw.textType, encoding: r.raw.textEncoding}
	b := toUTF8(t.decoded(), string(param(t.contentType, "charset")))
	return strings.ToValidUTF8(string(b[:min(len(b), maxRaw)]), "\ufffd")
}

// Values are the values of the fields of that name, in any case, in their
// order, unfolded: a line break and the white space around it is one blank.
func (h *Header) Values(name string) (values []string) {
	for i := range h.all() {
		if f := &h.fields[i]; len(f.name) == len(name) && bytes.EqualFold(f.name, []byte(name)) {
			values = append(values, f.text(&h.values))
		}
	}
	return values
}

// Fields yields all fields in their order: the name in lower case, the value as
// Values has it.
func (h *Header) Fields() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for i := range h.all() {
			if f := &h.fields[i]; !yield(strings.ToLower(string(f.name)), f.text(&h.values)) {
				return
			}
		}
	}
}

// Whole reports whether no field is missing: the header's end was seen, and it
// is within the limits.
func (h *Header) Whole() bool { return h.raw != nil && !h.cut && len(h.all()) < maxFields }

// all reads the fields, over blank lines and lines that are no field.
func (h *Header) all() []field {
	if h.read {
		return h.fields
	}
	h.read = true
	for b := h.raw; len(h.fields) < maxFields; {
		f, rest, kind := readField(b)
		if kind == endOfData {
			break
		}
		if kind == fieldLine {
			if h.fields == nil {
				h.fields = make([]field, 0, 32)
			}
			h.fields = append(h.fields, f)
		}
		b = rest
	}
	return h.fields
}

// text is the field's value, unfolded and kept in a.
func (f *field) text(a *arena) string { return a.keep(f.value, f.folded) }

// keepRaw copies what is asked for later.
func (p *parser) keepRaw(w *walker) {
	outer := wholeFields(p.outerRaw, maxRaw)
	original := wholeFields(p.originalRaw, maxRaw)
	report := wholeFields(p.reportRaw, maxRaw)
	text := w.text.body[:min(len(w.text.body), maxRaw)]
	typ, encoding := w.text.contentType, w.text.encoding

	all := make([]byte, 0, len(outer)+len(original)+len(report)+len(text)+len(typ)+len(encoding))
	keep := func(b []byte) []byte {
		all = append(all, b...)
		return all[len(all)-len(b) : len(all) : len(all)]
	}
	k := &p.r.raw
	k.outer.raw, k.original.raw, k.report.raw = keep(outer), keep(original), keep(report)
	k.outer.cut = !p.outerEnded || len(outer) < len(p.outerRaw)
	k.original.cut = !p.originalEnded || len(original) < len(p.originalRaw)
	k.report.cut = !p.r.whole || len(report) < len(p.reportRaw)
	k.text, k.textType, k.textEncoding = keep(text), keep(typ), keep(encoding)
}

// wholeFields is the start of b, of at most limit octets, that ends behind a
// field.
func wholeFields(b []byte, limit int) []byte {
	if len(b) <= limit {
		return b
	}
	for end := limit; ; end-- {
		if end = len(wholeLines(b[:end])); end == 0 || b[end] != ' ' && b[end] != '\t' {
			return b[:end]
		}
	}
}

// wholeLines is b up to its last line break.
func wholeLines(b []byte) []byte { return b[:bytes.LastIndexByte(b, '\n')+1] }
