// Package report reads feedback reports.
package report

import "time"

// Kind says what a mail is. Only KindReport and KindUnparsed make records.
type Kind string

const (
	KindReport         Kind = "report"   // a feedback report
	KindUnparsed       Kind = "unparsed" // looks like a complaint and cannot be read
	KindDSN            Kind = "dsn"      // a bounce, RFC 3464 or not
	KindMDN            Kind = "mdn"      // a receipt, RFC 8098
	KindDMARCAggregate Kind = "dmarc-aggregate"
	KindTLSRPT         Kind = "tlsrpt"      // RFC 8460
	KindAutoReply      Kind = "autoreply"   // RFC 3834
	KindUnsubscribe    Kind = "unsubscribe" // a mail to a List-Unsubscribe address
	KindNotice         Kind = "notice"      // a provider's mail about the loop itself
	KindOther          Kind = "other"       // a person, or anything else
)

// Report is what one mail says.
type Report struct {
	ID      string // report_id: 32 hex digits
	Kind    Kind
	Dialect string
	Outer   Outer

	FeedbackType, UserAgent, Version string

	OriginalEnvelopeID, OriginalMailFrom string
	OriginalRcptTo                       []string
	ArrivalDate                          time.Time
	ArrivalDateRaw                       string
	ReportingMTA                         *MTA
	SourceIP                             string
	SourcePort                           int
	Incidents                            int
	AuthenticationResults                []string
	ReportedDomain, ReportedURI          []string
	AuthFailure                          AuthFailure
	Extensions                           map[string][]string

	Original *Original
	Problems []Problem

	size, need int64
}

// Outer is the header of the report's own mail.
type Outer struct {
	From, FromDomain string
	Date             time.Time
	MessageID        string // with its brackets
	Subject          string // decoded
}

// Problem is something wrong with a mail.
type Problem struct {
	Text string
	Loss bool // a value could not be read, or was not there to be read
}

// Parse reads a mail of size octets.
func Parse(b []byte, size int64) *Report {
	return &Report{Kind: KindOther, size: max(size, int64(len(b)))}
}

// Need is how many octets of the mail, from its start, are wanted to read it
// fully; 0: no more than Parse was given.
func (r *Report) Need() int64 { return r.need }

// Records makes the report's records.
func (r *Report) Records(e Envelope) []Record { return nil }

// Unfetched is the record of a mail that could never be fetched.
func Unfetched(e Envelope, reason string) Record { return Record{} }
