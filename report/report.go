package report

import (
	"iter"
	"time"

	"github.com/fblwatch/fblwatch/internal/message"
)

// Kind is what a message is. Only KindReport and KindUnparsed make records.
type Kind string

// Kinds of messages.
const (
	KindReport         Kind = "report"          // a feedback report
	KindUnparsed       Kind = "unparsed"        // a complaint, or a program's accusation, that cannot be read
	KindDSN            Kind = "dsn"             // a bounce, of RFC 3464 or not
	KindMDN            Kind = "mdn"             // a receipt, RFC 8098
	KindDMARCAggregate Kind = "dmarc-aggregate" // RFC 9990
	KindTLSRPT         Kind = "tlsrpt"          // RFC 8460
	KindAutoReply      Kind = "autoreply"       // RFC 3834
	KindUnsubscribe    Kind = "unsubscribe"     // a message to a List-Unsubscribe address, RFC 2369
	KindNotice         Kind = "notice"          // anything else by a program
	KindOther          Kind = "other"           // anything else
)

// Kinds are all kinds.
var Kinds = []Kind{KindReport, KindUnparsed, KindDSN, KindMDN, KindDMARCAggregate, KindTLSRPT, KindAutoReply, KindUnsubscribe, KindNotice, KindOther}

// Report is what one message says. A zero value is unknown.
//
// The fields of the report part (RFC 5965 section 3) are as sent, but unfolded,
// without brackets around addresses, and with SourceIP in canonical form. Of a field
// that may occur once, the first counts. The report part counts up to 1 MiB and
// 10,000 lines; a message names at most 1,000 recipients.
type Report struct {
	ID    string // 32 hexadecimal digits, from the message's octets alone
	Kind  Kind
	Outer Outer

	// Dialect, Class and Event are set for a report in another format than ARF. Class
	// and Event are what the format implies; see Record for what counts.
	Dialect string
	Class   Class
	Event   Event

	FeedbackType       string    // RFC 5965 section 3.1; as sent: any word
	UserAgent          string    // RFC 5965 section 3.1
	Version            string    // RFC 5965 section 3.1
	OriginalEnvelopeID string    // RFC 5965 section 3.2
	OriginalMailFrom   string    // RFC 5965 section 3.2; "<>" is the null sender
	OriginalRcptTo     []string  // RFC 5965 section 3.3; hashes (RFC 6590) too, but no placeholders
	ArrivalDate        time.Time // RFC 5965 section 3.2; of Arrival-Date, else Received-Date
	ArrivalDateRaw     string    // the same, as sent
	ReportingMTA       *MTA      // RFC 5965 section 3.2; nil: unknown
	SourceIP           string    // RFC 5965 section 3.2; IPv4 or IPv6
	SourcePort         int       // RFC 6692 section 2; 1 to 65535
	Incidents          int       // RFC 5965 section 3.2; 0: not said, so one
	AuthFailure        AuthFailure

	AuthenticationResults []string // RFC 5965 section 3.3; values as in RFC 8601
	ReportedDomain        []string // RFC 5965 section 3.3
	ReportedURI           []string // RFC 5965 section 3.3

	// Extensions holds every other field by its lower-case name, and values that the
	// fields above cannot hold. Lines that are no field are in "_lines".
	Extensions map[string][]string

	// More are the other reports of a message to which several are attached, in their
	// order, at most 50. ID, Kind and Outer are the same.
	More []*Report

	Original *Original         // the reported message; nil: none that can be read
	Derived  map[string]string // by the record's key: the source of a value that the report part does not give, such as "original:Return-Path"
	Problems []Problem         // what was wrong, in the order of reading

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

// Outer is the header of the report's own message (RFC 5322 section 3.6).
type Outer struct {
	From       string    // the address; the decoded text where there is none
	FromDomain string    // "" without an address
	Date       time.Time // zero: none, or no instant
	Received   time.Time // of the topmost Received; zero: unknown
	MessageID  string    // with its brackets
	Subject    string    // decoded (RFC 2047)
}

// Problem is something wrong with a message. Its text is for people and may be
// reworded at any time.
type Problem struct {
	Text string
	Loss bool // something could not be read, or was not there to be read
}

// Need returns how many octets of the message, from its start, the reader wants in
// order to read it fully; 0: no more than it was given. Need is never more than the
// message's size. For a message that plainly is no report it is what ID needs. A
// message may take several rounds.
func (r *Report) Need() int64 { return r.need }

// Partial reports whether the reader was given only the start of the message.
func (r *Report) Partial() bool { return r.partial }

// FirstHand reports whether the message's author reports. Then the report is in the
// message's own parts, or is its text. Otherwise it is in an attached message or is
// quoted, so that the author may only pass it on; or the message is itself the
// reported one, with a header that anybody wrote.
func (r *Report) FirstHand() bool { return r.first }

// Header returns the header of the source: FromOuter, FromOriginal or FromReport. It is
// empty if there is none, for another source, and for a message that makes no
// record. At most 64 KiB of a header are kept.
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

// Text returns the first text of the message, decoded to UTF-8: at most 64 KiB of it. It
// is "" for a message that makes no record.
func (r *Report) Text() string {
	t := message.Part{Body: []byte(r.raw.text), ContentType: []byte(r.raw.textType), Encoding: []byte(r.raw.textEncoding)}
	b := t.Text()
	return message.Valid(string(b[:min(len(b), message.MaxRaw)]))
}

// Sources of header fields; see [Report.Header].
const (
	FromOuter    = "outer"    // the header of the report's own message
	FromOriginal = "original" // the header of the reported message
	FromReport   = "report"   // the fields of the report part
)

// Header is one header, RFC 5322 section 2.2. It is not for concurrent use.
type Header struct{ headers message.Header }

// Values returns the values of the fields of the name, in any case, in their order.
// Each is as sent, but unfolded (RFC 5322 section 2.2.3: a line break and the white
// space around it become one blank) and in valid UTF-8. Encoded words stay.
func (h *Header) Values(name string) []string { return h.headers.Values(name) }

// Fields yields the fields in their order: the name in lower case, and the value as
// Values returns it.
func (h *Header) Fields() iter.Seq2[string, string] { return h.headers.Fields() }

// Len returns the number of fields.
func (h *Header) Len() int { return h.headers.Len() }

// Name returns the name of the i-th field, from 0, as sent.
func (h *Header) Name(i int) string { return h.headers.Name(i) }

// Value returns the value of the i-th field, from 0, as Values returns it.
func (h *Header) Value(i int) string { return h.headers.Value(i) }

// Whole reports whether no field is missing: the reader saw the end of the header, and
// the header is within the limit of 64 KiB.
func (h *Header) Whole() bool { return h.headers.Whole() }

// raw is what a report keeps of its message: one copy of the pieces that are asked
// for later, each of at most maxRaw octets.
type raw struct {
	outer, original, report Header

	text, textType, textEncoding string
}
