package report

import (
	"context"
	"fmt"
	"github.com/fblwatch/fblwatch/internal/message"
	"strings"
	"sync"
	"time"
)

// Kind says what a message is. Only KindReport and KindUnparsed make records.
type Kind string

const (
	KindReport         Kind = "report"          // a feedback report
	KindUnparsed       Kind = "unparsed"        // a complaint, or a program's accusation, that cannot be read
	KindDSN            Kind = "dsn"             // a bounce, of RFC 3464 or not
	KindMDN            Kind = "mdn"             // a receipt, RFC 8098
	KindDMARCAggregate Kind = "dmarc-aggregate" // RFC 9990
	KindTLSRPT         Kind = "tlsrpt"          // RFC 8460
	KindAutoReply      Kind = "autoreply"       // RFC 3834
	KindUnsubscribe    Kind = "unsubscribe"     // a message to a List-Unsubscribe address
	KindNotice         Kind = "notice"          // a provider or another program that says something else
	KindOther          Kind = "other"           // a person, anything else
)

// Kinds are all there are.
var Kinds = []Kind{KindReport, KindUnparsed, KindDSN, KindMDN, KindDMARCAggregate, KindTLSRPT, KindAutoReply, KindUnsubscribe, KindNotice, KindOther}

// Report is what one message says. The fields of the report part are as sent, but
// for folding, brackets around addresses, and a canonical SourceIP.
type Report struct {
	ID    string // report_id: 32 hex digits, from the message's bytes alone
	Kind  Kind
	Outer Outer

	// Of a report that is no ARF: its dialect, who speaks in it and what it is
	// where it has no FeedbackType, as its reader knows them; see Record.
	Dialect string
	Class   Class
	Event   Event

	FeedbackType                                       string
	UserAgent                                          string
	Version                                            string
	OriginalEnvelopeID                                 string
	OriginalMailFrom                                   string    // "<>" is the null sender
	OriginalRcptTo                                     []string  // no placeholders; hashed ones are among them
	ArrivalDate                                        time.Time // of Arrival-Date, else Received-Date
	ArrivalDateRaw                                     string
	ReportingMTA                                       *MTA
	SourceIP                                           string
	SourcePort                                         int
	Incidents                                          int
	AuthFailure                                        AuthFailure
	AuthenticationResults, ReportedDomain, ReportedURI []string

	// Extensions holds every other field by its lower-case name, and what the
	// fields above could not hold; lines that are no field stand under "_lines".
	Extensions map[string][]string

	// More are the reports behind the first one, where several are attached to
	// one message, in their order. ID, Kind and Outer are the same.
	More []*Report

	Original *Original         // nil: there is none, or nothing to read in it
	Derived  map[string]string // key: where its value came from, instead of the report
	Problems []Problem

	from, date string // of the outer header, as sent but for folding

	need    int64
	raw     raw
	signed  []string // the domains of the outer header's DKIM signatures
	partial bool     // see Partial
	given   int      // octets of the message that Parse was given
	texts   int      // octets of what the fields above hold
	share   int      // octets that each of many records may have; 0: as many as any
	whole   bool     // nothing of the report part is missing: an absent field is absent
	cfbl    bool     // the original asks for CFBL reports (RFC 9477)
	first   bool     // see FirstHand
}

// Outer is the header of the report's own message.
type Outer struct {
	From, FromDomain string
	Date             time.Time
	Received         time.Time // of the topmost Received
	MessageID        string    // with its brackets
	Subject          string    // decoded
}

// Problem is something wrong with a message.
type Problem struct {
	Text string
	Loss bool // something could not be read, or was not there to be read
}

// Need is how many octets of the message, from its start, are wanted to read it
// fully; 0: no more than Parse was given. It is more than that, never more than
// the message's size, and for a message that plainly is no report only what its ID
// needs. It may take several rounds.
func (r *Report) Need() int64 { return r.need }

// Partial reports whether Parse was given only the start of the message.
func (r *Report) Partial() bool { return r.partial }

// FirstHand reports whether the message's author reports: what was read stands in the
// message's own parts, or is its text. Else it stands in a message that is attached,
// or among the words of a text, which its author may only pass on; or the message
// itself is the one that is reported, and its header is anybody's.
func (r *Report) FirstHand() bool { return r.first }

// parser reads one message after the other.
type parser struct {
	keep message.Arena

	// See Report.Header.
	outer, original, report   message.Spans
	originalRaw, reportRaw    []byte
	outerEnded, originalEnded bool // the header has its end

	r        *Report
	message  []byte
	top      message.Part // the message's body, as far as it is searched
	ours     bool         // the message goes on behind what we were given
	known    int          // fields of the report part that have a key
	seen     uint64
	arrival  string
	hmxmr    string // the original's recipient, by Microsoft's word
	received string
	named    map[string]bool
	beyond   bool // more of the message is there than is searched
	headless bool // the header is too long to be read to its end
	work     message.Budget
	budget   *message.Budget // the work of the first report
	salvaged bool            // the readers of other dialects had their turn
	self     *message.Message
	lead     *message.Message // behind which r.More are
	more     []*parser        // of r.More
	uses     uses             // nil: nobody asks; see Report.Parts
}

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
	p.work = message.NewBudget(ctx, len(b))
	p.budget = &p.work
	r := p.parse(b, size)
	err := p.work.Err
	*p = parser{keep: p.keep, outer: p.outer[:0], original: p.original[:0], report: p.report[:0]}
	if p.keep.Size() <= 1<<16 && cap(p.outer)+cap(p.original)+cap(p.report) <= 1<<12 {
		parsers.Put(p)
	}
	if err != nil && err != message.ErrTooMuch {
		return nil, fmt.Errorf("report: %w", err)
	}
	return r, nil
}

func (p *parser) parse(b []byte, size int64) *Report {
	r := &Report{partial: size > int64(len(b)), given: len(b)}
	p.r, p.ours = r, r.partial
	sent := message.SkipEnvelope(message.LineFeeds(b), false)
	text := behindBlanks(sent)

	h := outerHeader{fields: p.outer}
	body, standard := h.read(text)
	standard = standard && len(text) == len(sent)
	p.outer = h.fields
	header, rest, ended := text, body, true
	if standard {
		header = chomp(text[:h.end])
		r.ID = reportID(&h, header, rest)
	} else { // what the id depends on is in the header proper
		var strict outerHeader
		header, rest, ended = splitHeader(sent)
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
	if h.declared() != "" {
		if h.reports = w.empty || w.report.Found && message.HasPrefixFold(message.MediaType(w.report.ContentType), "message/feedback-report"); !h.reports {
			w = walker{met: message.Walk{Open: w.met.Open && w.kind == ""}} // its parts may be to come
		}
	}
	p.read(&h, &w)
	if p.work.Err == message.ErrTooMuch {
		p.giveUp()
	} else if p.work.Err != nil {
		return r
	}
	p.finish(&w, body != nil, room{maxRecipients, maxRecords})
	if p.ours {
		ended = ended && (body != nil || len(text) >= message.MaxHeader)
		r.need = p.need(int64(len(b)), size, &w, rest, ended, look)
		for _, more := range r.More {
			more.need = r.need
		}
	}
	return r
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

// need says how much of a message is wanted that was given in part: enough for its
// id, and as much as the search for its parts may still use.
func (p *parser) need(have, size int64, w *walker, body []byte, ended bool, look int) int64 {
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

// read makes sense of the parts that were found.
func (p *parser) read(h *outerHeader, w *walker) {
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

// derive fills what the report leaves out and the message says elsewhere. What
// hangs on the provider too is each record's: see Record.derive.
func (p *parser) derive() {
	r := p.r
	r.whole = true
	if o := r.Original; o != nil && (message.IsAddress(o.ReturnPath) || o.ReturnPath == "<>") {
		p.fill(&r.OriginalMailFrom, "original_mail_from", o.ReturnPath, "original:Return-Path")
	}
	if len(r.OriginalRcptTo) == 0 && p.hmxmr != "" && r.Dialect != "jmrp" && r.Extensions["original-rcpt-to"] == nil && !p.fillRecipients(p.hmxmr, "original:X-HmXmrOriginalRecipient") {
		p.extend(hmxmr, p.hmxmr)
	}
	if removal := r.Extensions["removal-recipient"]; len(r.OriginalRcptTo) == 0 && len(removal) == 1 && eventOf(r.FeedbackType) == OptOut {
		if addr, _ := message.Address(removal[0]); message.IsAddress(addr) && !message.IsPlaceholder(addr) {
			r.OriginalRcptTo = []string{addr}
			p.from("original_rcpt_to", "report:Removal-Recipient")
		}
	}
}
