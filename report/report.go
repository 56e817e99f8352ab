package report

import (
	"time"

	"github.com/fblwatch/fblwatch/internal/message"
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
