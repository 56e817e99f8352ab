package report

import (
	"strings"

	"github.com/fblwatch/fblwatch/internal/jsontree"
	"github.com/fblwatch/fblwatch/internal/message"
)

// reportField is a field of the report part that has a key of its own.
type reportField struct {
	name string // in lower case
	read func(p *parser, f *reportField, value string)
	bit  uint64 // of parser.seen
}

// reportFields are the fields of RFC 5965 section 3, RFC 6591 section 3.2, RFC 6692
// section 2 and RFC 9991.
//
// They are listed by the mark of their name.
var reportFields = func() (byMark [message.Marks][]*reportField) {
	all := []reportField{
		{name: "feedback-type", read: readOnce(func(p *parser) *string { return &p.r.FeedbackType })},
		{name: "user-agent", read: readOnce(func(p *parser) *string { return &p.r.UserAgent })},
		{name: "version", read: readOnce(func(p *parser) *string { return &p.r.Version })},
		{name: "original-envelope-id", read: readOnce(func(p *parser) *string { return &p.r.OriginalEnvelopeID })},
		{name: "original-mail-from", read: (*parser).readMailFrom},
		{name: "original-rcpt-to", read: (*parser).readRcptTo},
		{name: "arrival-date", read: readOnce(func(p *parser) *string { return &p.arrival })},
		{name: "received-date", read: readOnce(func(p *parser) *string { return &p.received })}, // arrival-date in the drafts of RFC 5965
		{name: "reporting-mta", read: (*parser).readMTA},
		{name: "source-ip", read: (*parser).readIP},
		{name: "source-port", read: readNumber(65535, func(r *Report) *int { return &r.SourcePort })},
		{name: "incidents", read: readNumber(1<<31-1, func(r *Report) *int { return &r.Incidents })},
		{name: "authentication-results", read: (*parser).readResults},
		{name: "reported-domain", read: readMany(func(r *Report) *[]string { return &r.ReportedDomain })},
		{name: "reported-uri", read: readMany(func(r *Report) *[]string { return &r.ReportedURI })},
		{name: "auth-failure", read: readOnce(func(p *parser) *string { return &p.r.AuthFailure.AuthFailure })},
		{name: "delivery-result", read: readOnce(func(p *parser) *string { return &p.r.AuthFailure.DeliveryResult })},
		{name: "identity-alignment", read: readOnce(func(p *parser) *string { return &p.r.AuthFailure.IdentityAlignment })},
		{name: "dkim-domain", read: readOnce(func(p *parser) *string { return &p.r.AuthFailure.DKIMDomain })},
		{name: "dkim-identity", read: readOnce(func(p *parser) *string { return &p.r.AuthFailure.DKIMIdentity })},
		{name: "dkim-selector", read: readOnce(func(p *parser) *string { return &p.r.AuthFailure.DKIMSelector })},
		{name: "dkim-selector-dns", read: readOnce(func(p *parser) *string { return &p.r.AuthFailure.DKIMSelectorDNS })},
		{name: "dkim-canonicalized-header", read: readOnce(func(p *parser) *string { return &p.r.AuthFailure.DKIMCanonicalizedHeader })},
		{name: "dkim-canonicalized-body", read: readOnce(func(p *parser) *string { return &p.r.AuthFailure.DKIMCanonicalizedBody })},
		{name: "dkim-adsp-dns", read: readOnce(func(p *parser) *string { return &p.r.AuthFailure.DKIMADSPDNS })},
		{name: "spf-dns", read: readMany(func(r *Report) *[]string { return &r.AuthFailure.SPFDNS })},
	}
	for i := range all {
		f := &all[i]
		f.bit = 1 << i
		byMark[message.Mark(f.name)] = append(byMark[message.Mark(f.name)], f)
	}
	return byMark
}()

// readOnce reads a field that may occur once.
func readOnce(dst func(*parser) *string) func(*parser, *reportField, string) {
	return func(p *parser, f *reportField, value string) {
		if p.isFirst(f, value) {
			*dst(p) = value
		}
	}
}

// readMany reads a field that may occur several times.
func readMany(dst func(*Report) *[]string) func(*parser, *reportField, string) {
	return func(p *parser, _ *reportField, value string) {
		list := dst(p.r)
		*list = p.keep.Append(*list, value)
	}
}

// readNumber reads a field of a number from 1 to limit.
func readNumber(limit int, dst func(*Report) *int) func(*parser, *reportField, string) {
	return func(p *parser, f *reportField, value string) {
		if !p.isFirst(f, value) {
			return
		}
		bare, _, comment := strings.Cut(value, "(") // RFC 5965 section 3.2 lets one follow
		n := message.Number(strings.TrimRight(bare, " \t"))
		if n <= 0 || n > limit {
			p.unread(f, value)
			return
		}
		if *dst(p.r) = n; comment {
			p.extend(f.name, value)
		}
	}
}

// fieldOf is the field of that name, in any case; nil: it has no key of its own.
func fieldOf(name []byte) *reportField {
	for _, f := range reportFields[message.Mark(name)] {
		if message.Is(name, f.name) {
			return f
		}
	}
	return nil
}

// readField reads one whole field. What its key cannot hold stays in the
// extensions, under the field's own name.
func (p *parser) readField(f *message.Field) {
	known, value := fieldOf(f.Name), p.keep.Keep(f.Value, f.Folded)
	switch {
	case known == nil:
		p.extend(p.keep.Lower(f.Name), value)
	case value != "": // an empty field says nothing
		p.known++
		known.read(p, known, value)
	}
}

// isFirst reports whether a field that may occur once did not occur yet;
// a second one goes to the extensions.
func (p *parser) isFirst(f *reportField, value string) bool {
	if p.seen&f.bit == 0 {
		p.seen |= f.bit
		return true
	}
	p.deviation(f.name + ": more than once")
	p.extend(f.name, value)
	return false
}

func (p *parser) readResults(_ *reportField, value string) {
	if !strings.EqualFold(value, "authentication result string is not available") {
		p.r.AuthenticationResults = p.keep.Append(p.r.AuthenticationResults, value)
	}
}

func (p *parser) readIP(f *reportField, value string) {
	if !p.isFirst(f, value) {
		return
	}
	ip, rest := message.ParseIP(value)
	if ip == "" {
		p.unread(f, value)
		return
	}
	if p.r.SourceIP = ip; rest {
		p.extend("source-ip", value)
	}
}

func (p *parser) readMailFrom(f *reportField, value string) {
	if !p.isFirst(f, value) {
		return
	}
	addr, rest := message.Address(value)
	if strings.ContainsAny(addr, " \t{}") { // words, or a template that nobody filled in
		p.unread(f, value)
		return
	}
	if p.r.OriginalMailFrom = addr; rest {
		p.extend("original-mail-from", value)
	}
}

// rcptTo reads one field, which may hold several addresses.
func (p *parser) readRcptTo(_ *reportField, value string) {
	more := strings.Trim(value, ", ") == ""
	for member := range message.Addresses(message.WithCommas(value)) {
		addr, rest := message.Address(member)
		switch {
		case message.IsPlaceholder(addr):
			more = true
		case !message.IsAddress(addr):
			more = true
			p.loss("original-rcpt-to: not an address")
		case p.knows(addr):
			more = more || rest
			p.deviation("original-rcpt-to: the same address twice")
		case len(p.r.OriginalRcptTo) == maxRecipients:
			more = true
			p.loss("original-rcpt-to: more than 1000")
		default:
			p.r.OriginalRcptTo = p.keep.Append(p.r.OriginalRcptTo, addr)
			more = more || rest
		}
	}
	if more {
		p.extend("original-rcpt-to", value)
	}
}

// mta reads "dns; host"; the type may be missing.
func (p *parser) readMTA(f *reportField, value string) {
	if !p.isFirst(f, value) {
		return
	}
	kind, name, found := strings.Cut(value, ";")
	if !found {
		kind, name = "", kind
	}
	p.r.ReportingMTA = &MTA{Type: strings.ToLower(strings.TrimSpace(kind)), Name: strings.TrimSpace(name)}
}

// dates takes Arrival-Date, else Received-Date.
func (p *parser) dates() {
	r := p.r
	name := "arrival-date"
	switch {
	case p.arrival == "":
		name, r.ArrivalDateRaw = "received-date", p.received
	case p.received != "":
		p.extend("received-date", p.received)
		fallthrough
	default:
		r.ArrivalDateRaw = p.arrival
	}
	if r.ArrivalDateRaw == "" {
		return
	}
	var ok bool
	if r.ArrivalDate, ok = message.ParseDate(r.ArrivalDateRaw); !ok {
		p.loss(name + ": no instant") // the raw value is kept
	}
}

// unread keeps a value that its key cannot hold.
func (p *parser) unread(f *reportField, value string) {
	p.loss(f.name + ": cannot be read")
	p.extend(f.name, value)
}

func (p *parser) extend(name, value string) {
	if name == "" { // of a JSON object
		name = linesKey
	}
	if p.r.Extensions == nil {
		p.r.Extensions = make(map[string][]string, 8)
	}
	p.r.Extensions[name] = p.keep.Append(p.r.Extensions[name], value)
}

// extendTree keeps what is left of a JSON tree, each value under its path.
func (p *parser) extendTree(t jsontree.Tree) {
	tooMany, tooLong := t.Leaves(p.extend)
	if tooLong {
		p.loss("json: a name longer than 1000 octets")
	}
	if tooMany {
		p.loss("json: more than 2000 values")
	}
}
