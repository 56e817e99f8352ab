package report

import (
	"github.com/fblwatch/fblwatch/internal/message"
	"iter"
	"strings"
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
	t := message.Part{Body: []byte(r.raw.text), ContentType: []byte(r.raw.textType), Encoding: []byte(r.raw.textEncoding)}
	b := t.Text()
	return message.Valid(string(b[:min(len(b), message.MaxRaw)]))
}

// keepRaw copies what is asked for later. What stands around several reports
// they have in common with the first, nil: it is the first.
func (p *parser) keepRaw(w *walker, first *Report) {
	var outerFields message.Spans
	var text, typ, encoding []byte
	outer := 0
	if first == nil {
		outerFields, outer = p.outer.Kept()
		text = w.text.Body[:min(len(w.text.Body), message.MaxRaw)]
		typ, encoding = w.text.ContentType[:min(len(w.text.ContentType), message.MaxRaw)], w.text.Encoding[:min(len(w.text.Encoding), message.MaxRaw)]
	}
	originalFields, original := p.original.Kept()
	reportFields, report := p.report.Kept()

	fields := make(message.Spans, 0, len(outerFields)+len(originalFields)+len(reportFields))
	var all strings.Builder
	all.Grow(outer + original + report + len(text) + len(typ) + len(encoding))
	keep := func(b []byte) string {
		all.Write(b)
		return all.String()[all.Len()-len(b):]
	}
	header := func(b []byte, s message.Spans, whole bool) Header {
		fields = append(fields, s...)
		return Header{message.NewHeader(keep(b), fields[len(fields)-len(s):], whole)}
	}
	p.r.raw = raw{
		outer:    header(p.message[:outer], outerFields, p.outerEnded && len(outerFields) == len(p.outer)),
		original: header(p.originalRaw[:original], originalFields, p.originalEnded && len(originalFields) == len(p.original)),
		report:   header(p.reportRaw[:report], reportFields, p.r.whole && len(reportFields) == len(p.report)),
		text:     keep(text), textType: keep(typ), textEncoding: keep(encoding),
	}
	if first != nil {
		p.r.raw.outer = Header{first.raw.outer.headers.Own()}
		p.r.raw.text, p.r.raw.textType, p.r.raw.textEncoding = first.raw.text, first.raw.textType, first.raw.textEncoding
	}
}
