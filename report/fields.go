package report

import (
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// fieldID is a field of the report part that has a key of its own.
type fieldID int

const (
	extension fieldID = iota
	feedbackType
	userAgent
	version
	originalEnvelopeID
	originalMailFrom
	originalRcptTo
	arrivalDate
	receivedDate
	reportingMTA
	sourceIP
	sourcePort
	incidents
	authenticationResults
	reportedDomain
	reportedURI
	authFailure
	deliveryResult
	identityAlignment
	dkimDomain
	dkimIdentity
	dkimSelector
	dkimSelectorDNS
	dkimCanonicalizedHeader
	dkimCanonicalizedBody
	dkimADSPDNS
	spfDNS
)

var fieldIDs = map[string]fieldID{
	// RFC 5965 section 3
	"feedback-type":          feedbackType,
	"user-agent":             userAgent,
	"version":                version,
	"original-envelope-id":   originalEnvelopeID,
	"original-mail-from":     originalMailFrom,
	"original-rcpt-to":       originalRcptTo,
	"arrival-date":           arrivalDate,
	"received-date":          receivedDate, // its name in the drafts
	"reporting-mta":          reportingMTA,
	"source-ip":              sourceIP,
	"incidents":              incidents,
	"authentication-results": authenticationResults,
	"reported-domain":        reportedDomain,
	"reported-uri":           reportedURI,
	// RFC 6692 section 2
	"source-port": sourcePort,
	// RFC 6591 section 3.2
	"auth-failure":              authFailure,
	"delivery-result":           deliveryResult,
	"dkim-domain":               dkimDomain,
	"dkim-identity":             dkimIdentity,
	"dkim-selector":             dkimSelector,
	"dkim-selector-dns":         dkimSelectorDNS,
	"dkim-canonicalized-header": dkimCanonicalizedHeader,
	"dkim-canonicalized-body":   dkimCanonicalizedBody,
	"dkim-adsp-dns":             dkimADSPDNS,
	"spf-dns":                   spfDNS,
	// RFC 9991
	"identity-alignment": identityAlignment,
}

func fieldOf(name []byte) fieldID {
	var lower [32]byte
	if len(name) > len(lower) {
		return extension
	}
	for i, c := range name {
		lower[i] = message.LowerByte(c)
	}
	return fieldIDs[string(lower[:len(name)])]
}

// readFields reads the fields of the report part.
func (p *parser) readFields(w *message.Part) {
	p.report = p.report[:0]
	if w.ArfHead {
		p.readBlock(w.Head, 0, w.HeadEnded, true)
	}
	p.uses.of(w.Body, UseReport)
	body := w.Decoded()
	if len(w.Encoding) > 0 && len(w.Body) > message.MaxDecoded && len(body) != len(w.Body) {
		p.loss("report part: longer than 1 MiB")
	}
	p.budget.Spend(len(body))
	body = reflow(unquote(skipYAML(message.ToUTF8(body, w.ContentType))))
	if p.reportRaw = body; w.ArfHead {
		p.reportRaw = slices.Concat(w.Head, body)
	}
	p.readBlock(body, len(p.reportRaw)-len(body), w.Closed, false)
}

// readBlock reads fields until b ends, over blank lines and lines that are no
// field. A field that b's end may have cut stays raw. b stands at start in what
// is kept. head: b is the header of a part, whose own fields are passed over.
func (p *parser) readBlock(b []byte, start int, closed, head bool) {
	start += len(b)
	for n := 0; ; n++ {
		f, rest, kind := message.ReadField(b)
		p.budget.Spend(len(b) - len(rest))
		if kind == message.FieldLine && (closed || f.Ended) {
			p.report.Add(&f, start-len(b), start-len(rest))
		}
		switch {
		case kind == message.EndOfData || p.budget.Spent():
			return
		case n == message.MaxFields:
			p.loss("report part: more than 10000 lines")
			return
		case !closed && !f.Ended:
			p.cutShort("report part: cut in the middle of a field")
			if kind == message.FieldLine {
				p.extend(p.keep.Lower(f.Name), p.keep.Keep(f.Value, f.Folded))
			}
		case head && message.IsMIMEField(f.Name):
		case kind == message.FieldLine:
			p.readField(&f)
		case kind == message.OtherLine && len(message.Trim(f.Value)) > 0:
			if hyphens(f.Value) != nil && !head {
				b = rename(b)
				p.reportRaw = slices.Concat(p.reportRaw[:start-len(b)], b)
				continue
			}
			p.loss("report part: a line that is no field")
			p.extend(linesKey, p.keep.Keep(message.Trim(f.Value), false))
		}
		b = rest
	}
}

// readField reads one whole field. What its key cannot hold stays in the
// extensions, under the field's own name.
func (p *parser) readField(f *message.Field) {
	id := fieldOf(f.Name)
	value := p.keep.Keep(f.Value, f.Folded)
	if id == extension {
		p.extend(p.keep.Lower(f.Name), value)
		return
	}
	if value == "" {
		return // an empty field says nothing
	}
	p.known++
	r := p.r
	switch id {
	case feedbackType:
		p.single(&r.FeedbackType, id, value)
	case userAgent:
		p.single(&r.UserAgent, id, value)
	case version:
		p.single(&r.Version, id, value)
	case originalEnvelopeID:
		p.single(&r.OriginalEnvelopeID, id, value)
	case originalMailFrom:
		p.mailFrom(value)
	case originalRcptTo:
		p.rcptTo(value)
	case arrivalDate:
		p.single(&p.arrival, id, value)
	case receivedDate:
		p.single(&p.received, id, value)
	case reportingMTA:
		p.mta(value)
	case sourceIP:
		p.ip(value)
	case sourcePort:
		p.number(&r.SourcePort, id, value, 65535)
	case incidents:
		p.number(&r.Incidents, id, value, 1<<31-1)
	case authenticationResults:
		if !strings.EqualFold(value, "authentication result string is not available") {
			r.AuthenticationResults = p.keep.Append(r.AuthenticationResults, value)
		}
	case reportedDomain:
		r.ReportedDomain = p.keep.Append(r.ReportedDomain, value)
	case reportedURI:
		r.ReportedURI = p.keep.Append(r.ReportedURI, value)
	case spfDNS:
		r.AuthFailure.SPFDNS = p.keep.Append(r.AuthFailure.SPFDNS, value)
	default:
		p.single(r.AuthFailure.field(id), id, value)
	}
}

func (a *AuthFailure) field(id fieldID) *string {
	switch id {
	case authFailure:
		return &a.AuthFailure
	case deliveryResult:
		return &a.DeliveryResult
	case identityAlignment:
		return &a.IdentityAlignment
	case dkimDomain:
		return &a.DKIMDomain
	case dkimIdentity:
		return &a.DKIMIdentity
	case dkimSelector:
		return &a.DKIMSelector
	case dkimSelectorDNS:
		return &a.DKIMSelectorDNS
	case dkimCanonicalizedHeader:
		return &a.DKIMCanonicalizedHeader
	case dkimCanonicalizedBody:
		return &a.DKIMCanonicalizedBody
	}
	return &a.DKIMADSPDNS
}

// name is the field's name in lower case.
func (id fieldID) name() string {
	for name, known := range fieldIDs {
		if known == id {
			return name
		}
	}
	return ""
}

// first reports whether a field that may stand only once was not there yet;
// a second one goes to the extensions.
func (p *parser) first(id fieldID, value string) bool {
	if bit := uint64(1) << id; p.seen&bit == 0 {
		p.seen |= bit
		return true
	}
	p.deviation(id.name() + ": more than once")
	p.extend(id.name(), value)
	return false
}

func (p *parser) single(dst *string, id fieldID, value string) {
	if p.first(id, value) {
		*dst = value
	}
}

func (p *parser) number(dst *int, id fieldID, value string, limit int) {
	if !p.first(id, value) {
		return
	}
	bare, _, comment := strings.Cut(value, "(") // RFC 5965 section 3.2 lets one follow
	if n := message.Number(strings.TrimRight(bare, " \t")); n > 0 && n <= limit {
		if *dst = n; comment {
			p.extend(id.name(), value)
		}
		return
	}
	p.unread(id, value)
}

func (p *parser) ip(value string) {
	if !p.first(sourceIP, value) {
		return
	}
	ip, rest := message.ParseIP(value)
	if ip == "" {
		p.unread(sourceIP, value)
		return
	}
	if p.r.SourceIP = ip; rest {
		p.extend("source-ip", value)
	}
}

func (p *parser) mailFrom(value string) {
	if !p.first(originalMailFrom, value) {
		return
	}
	addr, rest := message.Address(value)
	if strings.ContainsAny(addr, " \t{}") { // words, or a template that nobody filled in
		p.unread(originalMailFrom, value)
		return
	}
	if p.r.OriginalMailFrom = addr; rest {
		p.extend("original-mail-from", value)
	}
}

// rcptTo reads one field, which may hold several addresses.
func (p *parser) rcptTo(value string) {
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
func (p *parser) mta(value string) {
	if !p.first(reportingMTA, value) {
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
	id := arrivalDate
	switch {
	case p.arrival == "":
		id, r.ArrivalDateRaw = receivedDate, p.received
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
		p.loss(id.name() + ": no instant") // the raw value is kept
	}
}

// unread keeps a value that its key cannot hold.
func (p *parser) unread(id fieldID, value string) {
	p.loss(id.name() + ": cannot be read")
	p.extend(id.name(), value)
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
