package report

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/fblwatch/fblwatch/internal/message"
)

// parsers keeps the memory of a parser for another message.
var parsers = sync.Pool{New: func() any { return new(parser) }}

// Parse reads one whole message, RFC 5322. It never fails: it reports what it cannot
// read in [Report.Problems]. It keeps nothing of b. A message that costs more than
// 64 times its length plus 1 MiB, in octets looked at, is of KindUnparsed.
func Parse(b []byte) *Report { return ParsePrefix(b, int64(len(b))) }

// ParsePrefix is Parse for the start of a message: b is the first len(b) of size
// octets. If size is not larger than len(b), b is the whole message. [Report.Need]
// says how many octets the reader wants.
func ParsePrefix(b []byte, size int64) *Report {
	r, _ := parse(context.Background(), b, size) // this context never ends
	return r
}

// ParseContext is Parse until ctx is done: then it returns no report and an error
// that wraps that of ctx. The report does not depend on ctx.
func ParseContext(ctx context.Context, b []byte) (*Report, error) {
	return parse(ctx, b, int64(len(b)))
}

// ParsePrefixContext is ParsePrefix until ctx is done, as ParseContext is Parse.
func ParsePrefixContext(ctx context.Context, b []byte, size int64) (*Report, error) {
	return parse(ctx, b, size)
}

func parse(ctx context.Context, b []byte, size int64) (*Report, error) {
	p := parsers.Get().(*parser)
	r, err := p.run(ctx, new(Report), b, size)
	if p.isSmall() {
		parsers.Put(p)
	}
	return r, err
}

// run reads a message into r, and leaves p ready for another one.
func (p *parser) run(ctx context.Context, r *Report, b []byte, size int64) (*Report, error) {
	p.work = message.NewBudget(ctx, len(b))
	p.budget = &p.work
	p.parse(r, b, size)
	err := p.work.Err
	*p = parser{keep: p.keep, outer: p.outer[:0], original: p.original[:0], report: p.report[:0]}
	if err != nil && err != message.ErrTooMuch {
		return nil, fmt.Errorf("report: %w", err)
	}
	return r, nil
}

// isSmall reports whether the memory is worth to be kept.
func (p *parser) isSmall() bool {
	return p.keep.Size() <= 1<<16 && cap(p.outer)+cap(p.original)+cap(p.report) <= 1<<12
}

// Parser reads one message after another into the same memory. The zero value is ready.
// It is not for concurrent use.
type Parser struct {
	p        parser
	r        Report
	original Original
}

// Parse is [ParsePrefixContext] without copies: the report, and all that is made of it, its
// records too, use b. They are void after the next Parse, or when b changes.
func (q *Parser) Parse(ctx context.Context, b []byte, size int64) (*Report, error) {
	if !q.p.isSmall() {
		q.p = parser{}
	}
	q.p.keep.Borrow()
	q.p.spare = &q.original
	return q.p.run(ctx, &q.r, b, size)
}

func (p *parser) parse(r *Report, b []byte, size int64) {
	*r = Report{partial: size > int64(len(b)), given: len(b)}
	p.r, p.ours = r, r.partial
	sent := message.SkipEnvelope(message.LineFeeds(b), false)
	text := behindBlanks(sent)

	h := outerHeader{fields: p.outer}
	body, standard := h.read(text)
	standard = standard && len(text) == len(sent)
	p.outer = h.fields
	header, rest, ended := text, body, true
	if standard {
		header = message.Chomp(text[:h.end])
		r.ID = reportID(&h, header, rest)
	} else { // what the id depends on is in the header proper
		var strict outerHeader
		header, rest, ended = message.SplitHeader(sent)
		strict.read(header)
		r.ID = reportID(&strict, header, rest)
	}
	p.budget.Spend(len(b) - len(body) + idBody)
	p.readOuter(&h)
	if len(text) > message.MaxHeader && len(header) >= message.MaxHeader-2 {
		p.loss("header: longer than 1 MiB")
		body, p.beyond, p.headless = nil, true, true
	} else if !standard && ended {
		p.deviation("header: not ended by its first blank line")
	}

	if h.contentType.Name == nil && h.isFramed(body) && !p.answers(&h) {
		h.contentType.Value = []byte("multipart/mixed")
	}
	typ := message.MediaType(h.contentType.Value)
	look := lookLeaf
	if message.Is(typ, "multipart/report") {
		look = lookReport
	} else if message.HasPrefixFold(typ, "multipart/") {
		look = message.LookMixed
	}
	top := message.Part{ContentType: h.contentType.Value, Encoding: h.encoding.Value, Body: body, Found: true, Budget: p.budget}
	if len(body) > look {
		p.beyond = true
		top.Body = body[:look]
	}
	p.message, p.top = text, top
	w := walker{}
	w.walk(top, 0)
	w.met.Open = w.met.Open || !message.HasPrefixFold(typ, "multipart/") && (w.report.Found || w.textual.Found || w.original.Found)
	h.reports = w.empty || w.report.Found && message.HasPrefixFold(message.MediaType(w.report.ContentType), "message/feedback-report")
	if h.declared() != "" {
		w = walker{met: message.Walk{Open: w.met.Open && w.kind == ""}} // its parts may be to come
	}
	p.readFound(&h, &w)
	if p.work.Err == message.ErrTooMuch {
		p.giveUp()
	} else if p.work.Err != nil {
		return
	}
	p.finish(&w, body != nil, room{maxRecipients, maxRecords})
	if p.ours {
		ended = ended && (body != nil || len(text) >= message.MaxHeader)
		r.need = p.wanted(int64(len(b)), size, &w, rest, ended, look)
		for _, more := range r.More {
			more.need = r.need
		}
	}
}

// giveUp leaves nothing of a report but its outer header, and why.
func (p *parser) giveUp() {
	r := p.r
	*r = Report{ID: r.ID, Kind: KindUnparsed, Outer: r.Outer, partial: r.partial, given: r.given}
	p.more, p.original, p.report, p.originalRaw, p.reportRaw = nil, p.original[:0], p.report[:0], nil, nil
	p.loss(message.ErrTooMuch.Error())
}

// finish leaves with the report what is asked for later. It returns the room that
// is left for the records of the reports behind it.
func (p *parser) finish(w *walker, outerEnded bool, left room) room {
	p.r.withoutNUL()
	left = p.limit(left)
	if p.r.Kind == KindReport || p.r.Kind == KindUnparsed {
		p.outerEnded = outerEnded
		p.signed()
		p.keepRaw(w, nil)
	}
	for _, q := range p.more {
		q.r.withoutNUL()
		left = q.limit(left)
		q.r.signed = p.r.signed
		q.keepRaw(w, p.r)
	}
	return left
}

// wanted says how much of a message is wanted that was given in part: enough for its
// id, and as much as the search for its parts may still use.
func (p *parser) wanted(have, size int64, w *walker, body []byte, ended bool, look int) int64 {
	var want int64
	if !ended {
		want = max(2*have, firstLook)
	} else {
		if missing := idNeed(body) - len(body); missing > 0 && !p.beyond {
			want = have + int64(missing)
		}
		if (w.met.Open || w.met.Guessed) && w.kind == "" && !p.beyond {
			want = max(want, min(max(2*have, firstLook), have-int64(len(body))+int64(look)))
		}
	}
	if want <= have {
		return 0
	}
	return min(want, size)
}

// readFound makes sense of the parts that were found.
func (p *parser) readFound(h *outerHeader, w *walker) {
	r := p.r
	multipart := message.HasPrefixFold(message.MediaType(h.contentType.Value), "multipart/")
	report, original := &w.report, &w.original
	if !report.Found {
		report = &w.textual
	}
	if !original.Found {
		original = &w.plain
	}
	p.walked(w, multipart)
	if report.Found {
		p.readFields(report)
		p.dates()
	}
	switch {
	case p.known > 0 && eventOf(r.FeedbackType) != Unparsed:
		r.Kind = KindReport
		r.first = p.self == nil || p.self.Outer == nil
		if strings.EqualFold(r.FeedbackType, "xarf") {
			p.attachedXARF()
		}
		if r.UserAgent == "" && report.Closed {
			p.deviation("user-agent: missing")
		}
		if r.Version == "" && report.Closed {
			p.deviation("version: missing")
		}
	case p.known > 0:
		r.Kind = KindUnparsed
		p.loss("feedback-type: missing")
	case p.budget.Spent():
	default:
		kind := p.kindOf(h, w)
		if p.salvage(h, w, kind) {
			return
		}
		r.Kind = kind
		if kind == KindOther || kind == KindNotice {
			switch {
			case p.headless || w.met.TooDeep || w.met.TooMany:
				r.Kind = KindUnparsed // it may hold anything: somebody must look
			case p.accuses():
				r.Kind = KindUnparsed
				p.uses.text(p.letter())
				p.loss("text: accuses in words of its own")
			}
		}
		if r.Kind == KindUnparsed && !w.empty && !message.Is(message.MediaType(h.contentType.Value), "multipart/report") {
			r.Class = ClassNetwork // no loop writes so
		}
	}
	if r.Kind != KindReport && r.Kind != KindUnparsed {
		r.Problems = nil
		return
	}
	if p.known == 0 {
		p.loss("report part: none that can be read")
	}
	if original.Found {
		p.readOriginal(original)
		if multipart && !original.Closed {
			p.cutShort("original: no boundary behind it")
		}
	}
	if report.Closed {
		p.derive()
	}
}

// walked reports what the walk over the parts met.
func (p *parser) walked(w *walker, multipart bool) {
	if w.met.TooDeep {
		p.loss("parts: nested more than 20 deep")
	}
	if w.met.TooMany {
		p.loss("parts: more than 1000")
	}
	if w.extra {
		p.loss("report part: more than one")
	}
	if w.met.Guessed {
		p.deviation("parts: not separated by the boundary declared")
	}
	switch {
	case w.met.Open && p.beyond:
		p.loss("parts: not searched to the end")
	case w.met.Open && !p.ours && multipart:
		p.loss("parts: no closing boundary")
	}
}

// keepRaw copies what is asked for later. What surrounds several reports
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

	var fields message.Spans
	var all strings.Builder
	keep := p.keep.Take
	if !p.keep.Borrows() { // one block for all texts, one for all fields
		fields = make(message.Spans, 0, len(outerFields)+len(originalFields)+len(reportFields))
		all.Grow(outer + original + report + len(text) + len(typ) + len(encoding))
		keep = func(b []byte) string {
			all.Write(b)
			return all.String()[all.Len()-len(b):]
		}
	}
	header := func(b []byte, s message.Spans, whole bool) Header {
		if !p.keep.Borrows() {
			fields = append(fields, s...)
			s = fields[len(fields)-len(s):]
		}
		return Header{message.NewHeader(keep(b), s, whole)}
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

// Closed reports whether a message has its end, so that a caller notices a server
// that gives fewer octets than the message has. A multipart ends with the closing
// delimiter (RFC 2046 section 5.1.1) of the boundary by which Parse splits it. Of any
// other message, closed reports only whether its header has an end. A message that
// is a message/rfc822 counts as the message in it, through 20 levels.
func Closed(b []byte) (closed, multipart bool) {
	sent := behindBlanks(message.SkipEnvelope(message.LineFeeds(b), false))
	for range message.MaxDepth {
		var h outerHeader
		body, _ := h.read(sent)
		top := message.Part{ContentType: h.contentType.Value, Encoding: h.encoding.Value, Body: body}
		typ := message.MediaType(top.ContentType)
		switch {
		case body == nil:
			return false, message.HasPrefixFold(typ, "multipart/")
		case message.HasPrefixFold(typ, "multipart/"), h.contentType.Name == nil && h.isFramed(body):
			return top.IsClosed(), true
		case !message.Is(typ, "message/rfc822") && !message.Is(typ, "message/global"):
			return true, false
		}
		sent = message.SkipEnvelope(top.Decoded(), true)
	}
	return false, true
}
