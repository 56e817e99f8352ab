package report

import (
	"bytes"
	"strings"
	"time"
)

// Kind says what a mail is. Only KindReport and KindUnparsed make records.
type Kind string

const (
	KindReport         Kind = "report"          // a feedback report
	KindUnparsed       Kind = "unparsed"        // calls itself a complaint and cannot be read as one
	KindDSN            Kind = "dsn"             // a bounce, of RFC 3464 or not
	KindMDN            Kind = "mdn"             // a receipt, RFC 8098
	KindDMARCAggregate Kind = "dmarc-aggregate" // RFC 9990
	KindTLSRPT         Kind = "tlsrpt"          // RFC 8460
	KindAutoReply      Kind = "autoreply"       // RFC 3834
	KindUnsubscribe    Kind = "unsubscribe"     // a mail to a List-Unsubscribe address
	KindNotice         Kind = "notice"          // a provider or another program that says something else
	KindOther          Kind = "other"           // a person, anything else
)

// Kinds are all there are.
var Kinds = []Kind{KindReport, KindUnparsed, KindDSN, KindMDN, KindDMARCAggregate, KindTLSRPT, KindAutoReply, KindUnsubscribe, KindNotice, KindOther}

// Report is what one mail says. The fields of the report part are as sent, but
// for folding, brackets around addresses, and a canonical SourceIP.
type Report struct {
	ID    string // report_id: 32 hex digits, from the mail's bytes alone
	Kind  Kind
	Outer Outer

	// Of a report that is no ARF: its dialect, who speaks in it and what it is
	// where it has no FeedbackType, as its reader knows them; see Record.
	Dialect, Class, Event string

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
	// fields above could not hold; lines that are no field stand under "".
	Extensions map[string][]string

	Original *Original         // nil: there is none, or nothing to read in it
	Derived  map[string]string // key: where its value came from, instead of the report
	Problems []Problem

	need    int64
	raw     raw
	partial bool // see Partial
	whole   bool // nothing of the report part is missing: an absent field is absent
	cfbl    bool // the original asks for CFBL reports (RFC 9477)
}

// Outer is the header of the report's own mail.
type Outer struct {
	From, FromDomain string
	Date             time.Time
	Received         time.Time // of the topmost Received
	MessageID        string    // with its brackets
	Subject          string    // decoded
}

// Problem is something wrong with a mail.
type Problem struct {
	Text string
	Loss bool // something could not be read, or was not there to be read
}

// Need is how many octets of the mail, from its start, are wanted to read it
// fully; 0: no more than Parse was given. It is more than that, never more than
// the mail's size, and for a mail that plainly is no report only what its ID
// needs. It may take several rounds.
func (r *Report) Need() int64 { return r.need }

// Partial reports whether Parse was given only the start of the mail.
func (r *Report) Partial() bool { return r.partial }

// outerHeader holds the fields of the outer header that are asked for, the
// first of each.
type outerHeader struct {
	from, date, messageID, subject, contentType, encoding, received field

	auto, bounce, xarf bool

	end int // where its blank line is
}

// parser reads one mail.
type parser struct {
	r        *Report
	keep     arena
	mail     []byte
	top      part // the mail's body, as far as it is searched
	ours     bool // the mail goes on behind what we were given
	known    int  // fields of the report part that have a key
	seen     uint64
	arrival  string
	received string
	named    map[string]bool
	beyond   bool // more of the mail is there than is searched
	headless bool // the header is too long to be read to its end
	salvaged bool // the readers of other dialects had their turn
	self     *letter

	outerRaw, originalRaw, reportRaw []byte // see Report.Header
	outerEnded, originalEnded        bool   // the raw header has its end
}

// Parse reads a mail of size octets, of which b may be only the start; where
// size is not larger than len(b), b is the whole mail. It never fails: what
// cannot be read is a Problem. It keeps nothing of b.
func Parse(b []byte, size int64) *Report {
	r := &Report{partial: size > int64(len(b))}
	p := parser{r: r, ours: r.partial}
	mail := skipEnvelope(lineFeeds(b), false)

	var h outerHeader
	body, standard := h.read(mail)
	header, rest, ended := mail, body, true
	if standard {
		header = chomp(mail[:h.end])
		r.ID = reportID(&h, header, rest)
	} else { // what the id depends on is in the header proper
		var strict outerHeader
		header, rest, ended = splitHeader(mail)
		strict.read(header)
		r.ID = reportID(&strict, header, rest)
	}
	p.readOuter(&h)
	if len(mail) > maxHeader && len(header) >= maxHeader-2 {
		p.loss("header: longer than 1 MiB")
		body, p.beyond, p.headless = nil, true, true
	} else if !standard && ended {
		p.deviation("header: not ended by its first blank line")
	}

	if h.contentType.name == nil && h.isFramed(body) && !p.answers(&h) {
		h.contentType.value = []byte("multipart/mixed")
	}
	typ := mediaType(h.contentType.value)
	look := lookLeaf
	if is(typ, "multipart/report") {
		look = lookReport
	} else if hasPrefixFold(typ, "multipart/") {
		look = lookMixed
	}
	top := part{contentType: h.contentType.value, encoding: h.encoding.value, body: body, found: true}
	if len(body) > look {
		p.beyond = true
		top.body = body[:look]
	}
	p.mail, p.top = mail, top
	w := walker{}
	if plain := h.declared(); plain == "" && !is(typ, "multipart/alternative") {
		w.part(&top, 0)
		w.open = w.open || !hasPrefixFold(typ, "multipart/") && (w.report.found || w.textual.found || w.original.found)
	}
	p.read(&h, &w)
	p.limit()
	if r.Kind == KindReport || r.Kind == KindUnparsed {
		if p.outerRaw = mail[:len(mail)-len(body)]; body == nil {
			p.outerRaw = wholeLines(mail[:min(len(mail), maxHeader)])
		}
		p.outerEnded = body != nil
		p.keepRaw(&w)
	}
	if p.ours {
		r.need = p.need(int64(len(b)), size, &w, rest, ended, look)
	}
	return r
}

// need says how much of a mail is wanted that was given in part: enough for its
// id, and as much as the search for its parts may still use.
func (p *parser) need(have, size int64, w *walker, body []byte, ended bool, look int) int64 {
	var want int64
	if !ended {
		want = max(2*have, firstLook)
	} else {
		if missing := idNeed(body) - len(body); missing > 0 && !p.beyond {
			want = have + int64(missing)
		}
		if (w.open || w.guessed) && w.leaf == "" && !p.beyond {
			want = max(want, min(max(2*have, firstLook), have-int64(len(body))+int64(look)))
		}
	}
	if want <= have {
		return 0
	}
	return min(want, size)
}

// splitHeader splits a mail at its first empty line; the last line break of the
// header belongs to neither side. ended: the header is all there, or as much of
// it as counts.
func splitHeader(b []byte) (header, body []byte, ended bool) {
	limited := b[:min(len(b), maxHeader)]
	for at := 0; ; {
		line, rest, more := cutLine(limited[at:])
		if more && len(line) == 0 {
			return chomp(b[:at]), b[len(limited)-len(rest):], true
		}
		if !more {
			return chomp(limited), nil, len(limited) == maxHeader
		}
		at = len(limited) - len(rest)
	}
}

// chomp takes one line break off the end.
func chomp(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
}

// read reads the outer header. standard: it ended at its first blank line, at
// h.end.
func (h *outerHeader) read(mail []byte) (body []byte, standard bool) {
	limited := mail[:min(len(mail), maxHeader)]
	standard = true
	for b := limited; ; {
		f, rest, kind := readField(b)
		switch kind {
		case endOfData:
			return nil, false
		case blankLine:
			if h.contentType.name != nil && h.from.name != nil || !goesOn(rest) {
				h.end = len(limited) - len(b)
				return mail[len(limited)-len(rest):], standard && f.ended
			}
			standard = false
		case otherLine:
			if bytes.HasPrefix(f.value, []byte("--")) {
				return mail[len(limited)-len(b):], false
			}
		case fieldLine:
			h.field(&f)
		}
		b = rest
	}
}

func (h *outerHeader) field(f *field) {
	set := func(dst *field) {
		if dst.name == nil {
			*dst = *f
		}
	}
	switch name := f.name; {
	case is(name, "from"):
		set(&h.from)
	case is(name, "date"):
		set(&h.date)
	case is(name, "message-id"):
		set(&h.messageID)
	case is(name, "subject"):
		set(&h.subject)
	case is(name, "content-type"):
		set(&h.contentType)
	case is(name, "content-transfer-encoding"):
		set(&h.encoding)
	case is(name, "received"):
		set(&h.received)
	case is(name, "auto-submitted"):
		h.auto = h.auto || hasPrefixFold(f.value, "auto-replied")
	case is(name, "x-autoreply"), is(name, "x-autorespond"), is(name, "x-autoresponder"):
		h.auto = true
	case is(name, "precedence"):
		h.auto = h.auto || hasPrefixFold(f.value, "auto_reply")
	case is(name, "x-failed-recipients"):
		h.bounce = true
	case is(name, "x-xarf"), is(name, "x-arf"):
		h.xarf = true
	}
}

// isFramed reports whether a body of no type begins with a boundary.
func (h *outerHeader) isFramed(body []byte) bool {
	line, rest, _ := cutLine(body)
	return bytes.HasPrefix(line, []byte("--")) && hasPrefixFold(rest, "content-")
}

// declared is the kind that a multipart/report declares (RFC 6522 section 3),
// where that is another than a feedback report.
func (h *outerHeader) declared() Kind {
	if !is(mediaType(h.contentType.value), "multipart/report") {
		return ""
	}
	switch kind := param(h.contentType.value, "report-type"); {
	case is(kind, "delivery-status"), is(kind, "global-delivery-status"):
		return KindDSN
	case is(kind, "disposition-notification"):
		return KindMDN
	case is(kind, "tlsrpt"):
		return KindTLSRPT
	}
	return ""
}

func (p *parser) readOuter(h *outerHeader) {
	o := &p.r.Outer
	o.From, o.FromDomain = p.author(p.keep.keep(h.from.value, h.from.folded))
	o.Date, _ = parseDate(p.keep.keep(h.date.value, h.date.folded))
	o.MessageID = p.keep.keep(h.messageID.value, h.messageID.folded)
	o.Subject = decodeWords(p.keep.keep(toUTF8(h.subject.value, string(param(h.contentType.value, "charset"))), h.subject.folded))
	if i := bytes.LastIndexByte(h.received.value, ';'); i >= 0 {
		o.Received, _ = parseDate(p.keep.keep(trim(h.received.value[i+1:]), h.received.folded))
	}
}

// read makes sense of the parts that were found.
func (p *parser) read(h *outerHeader, w *walker) {
	r := p.r
	multipart := hasPrefixFold(mediaType(h.contentType.value), "multipart/")
	report, original := &w.report, &w.original
	if !report.found {
		report = &w.textual
	}
	if !original.found {
		original = &w.plain
	}
	p.walked(w, multipart)
	if report.found {
		p.readFields(report)
		p.dates()
	}
	switch {
	case p.known > 0 && eventOf(r.FeedbackType) != Unparsed:
		r.Kind = KindReport
		if strings.EqualFold(r.FeedbackType, "xarf") {
			p.attachedXARF()
		}
		if r.UserAgent == "" && report.closed {
			p.deviation("user-agent: missing")
		}
		if r.Version == "" && report.closed {
			p.deviation("version: missing")
		}
	case p.known > 0:
		r.Kind = KindUnparsed
		p.loss("feedback-type: missing")
	default:
		if p.salvage(h, w) {
			return
		}
		r.Kind = p.kindOf(h, w)
		if (r.Kind == KindOther || r.Kind == KindNotice) && (p.headless || w.tooDeep || w.tooMany) {
			r.Kind = KindUnparsed // it may hold anything: somebody must look
		}
		if r.Kind == KindUnparsed && !w.empty && !is(mediaType(h.contentType.value), "multipart/report") {
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
	if original.found {
		p.readOriginal(original)
		if multipart && !original.closed {
			p.cutShort("original: no boundary behind it")
		}
	}
	if report.closed {
		p.derive()
	}
}

// derive fills what the report leaves out and the mail says elsewhere. What
// hangs on the provider too is each record's: see Record.derive.
func (p *parser) derive() {
	r := p.r
	r.whole = true
	if o := r.Original; o != nil && (isAddress(o.ReturnPath) || o.ReturnPath == "<>") {
		p.fill(&r.OriginalMailFrom, "original_mail_from", o.ReturnPath, "original:Return-Path")
	}
	if removal := r.Extensions["removal-recipient"]; len(r.OriginalRcptTo) == 0 && len(removal) == 1 && eventOf(r.FeedbackType) == OptOut {
		if addr, _ := address(removal[0]); isAddress(addr) && !isPlaceholder(addr) {
			r.OriginalRcptTo = []string{addr}
			p.from("original_rcpt_to", "report:Removal-Recipient")
		}
	}
}
