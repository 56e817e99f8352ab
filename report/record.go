package report

import (
	"time"
)

// Schema is the version of the record's keys. A later version of this package adds
// keys and leaves Schema as it is; it raises Schema if a key goes or changes its type.
const Schema = 1

// Record is one complaint about one recipient, or another event: one line of NDJSON.
// A zero value is unknown, and its key is absent. Times are in UTC, to the millisecond.
type Record struct {
	Schema      int      `json:"schema"`
	ID          string   `json:"id"`                    // ReportID "." n, from 1; n = 0 is an unparsed report
	Revision    int      `json:"revision"`              // from 1; a later one replaces the record
	ReportID    string   `json:"report_id,omitempty"`   // Report.ID
	Fingerprint string   `json:"fingerprint,omitempty"` // 32 hexadecimal digits: equal for the same complaint in two messages
	Supersedes  []string `json:"supersedes,omitempty"`  // IDs of other records that this one replaces

	Event    Event  `json:"event"`
	Class    Class  `json:"class"`
	Provider string `json:"provider"` // Provider.Name
	Feed     string `json:"feed"`     // Provider.Feed
	Dialect  string `json:"dialect"`  // how the report is written; providers.md lists the dialects

	ReceivedAt  time.Time `json:"received_at,omitzero"`  // Envelope.ReceivedAt
	ReportedAt  time.Time `json:"reported_at,omitzero"`  // of the outer Date, or the topmost Received if they differ by more than two days
	ProcessedAt time.Time `json:"processed_at,omitzero"` // Envelope.ProcessedAt

	FeedbackType       string      `json:"feedback_type,omitempty"`        // as in Report
	UserAgent          string      `json:"user_agent,omitempty"`           // as in Report
	Version            string      `json:"version,omitempty"`              // as in Report
	ArrivalDate        time.Time   `json:"arrival_date,omitzero"`          // as in Report; at most a day after the receipt
	ArrivalDateRaw     string      `json:"arrival_date_raw,omitempty"`     // as sent
	SourceIP           string      `json:"source_ip,omitempty"`            // IPv4 or IPv6, canonical (RFC 5952)
	SourcePort         int         `json:"source_port,omitempty"`          // 1 to 65535
	OriginalMailFrom   string      `json:"original_mail_from,omitempty"`   // without brackets; the null sender is <>
	OriginalRcptTo     string      `json:"original_rcpt_to,omitempty"`     // without brackets; "" if a hash, or nobody, is named
	OriginalEnvelopeID string      `json:"original_envelope_id,omitempty"` // as in Report
	ReportingMTA       *MTA        `json:"reporting_mta,omitempty"`
	Complainant        Complainant `json:"complainant,omitempty"` // "" in an unparsed record
	Recipients         int         `json:"recipients"`            // how many the report names; written with Complainant
	Incidents          int         `json:"incidents,omitempty"`   // of the whole report, on its first record only
	RcptHash           string      `json:"rcpt_hash,omitempty"`   // the recipient's hash (RFC 6590), as sent

	AuthenticationResults []string `json:"authentication_results,omitempty"` // as in Report
	ReportedDomain        []string `json:"reported_domain,omitempty"`        // as in Report
	ReportedURI           []string `json:"reported_uri,omitempty"`           // as in Report
	AuthFailure

	Extensions map[string][]string `json:"extensions,omitempty"` // as in Report
	Original   *Original           `json:"original,omitempty"`
	Identity   *Identity           `json:"identity,omitempty"`
	Derived    map[string]string   `json:"derived,omitempty"` // as in Report
	Reporter   *Reporter           `json:"reporter,omitempty"`
	Suppress   *Suppress           `json:"suppress,omitempty"`
	Source     *Source             `json:"source,omitempty"`
	Mailbox    *Mailbox            `json:"mailbox,omitempty"`
	Parse      ParseStatus         `json:"parse"`
}

// MTA is a Reporting-MTA (RFC 5965 section 3.2 and RFC 3464 section 2.2.2).
type MTA struct {
	Type string `json:"type,omitempty"` // in lower case, mostly "dns"; "": none is given
	Name string `json:"name"`
}

// AuthFailure holds the fields of an authentication failure report (RFC 6591 section
// 3.2) and of a DMARC failure report (RFC 9991), each as sent.
type AuthFailure struct {
	AuthFailure             string   `json:"auth_failure,omitempty"`
	DeliveryResult          string   `json:"delivery_result,omitempty"`
	IdentityAlignment       string   `json:"identity_alignment,omitempty"`
	DKIMDomain              string   `json:"dkim_domain,omitempty"`
	DKIMIdentity            string   `json:"dkim_identity,omitempty"`
	DKIMSelector            string   `json:"dkim_selector,omitempty"`
	DKIMSelectorDNS         string   `json:"dkim_selector_dns,omitempty"`
	DKIMCanonicalizedHeader string   `json:"dkim_canonicalized_header,omitempty"` // base64, as sent
	DKIMCanonicalizedBody   string   `json:"dkim_canonicalized_body,omitempty"`   // base64, as sent
	DKIMADSPDNS             string   `json:"dkim_adsp_dns,omitempty"`
	SPFDNS                  []string `json:"spf_dns,omitempty"`
}

// Original is the header of the reported message (RFC 5322 section 3.6), of which at most
// 1 MiB is read.
type Original struct {
	MessageID           string    `json:"message_id,omitempty"` // without brackets; of several, the last
	Date                time.Time `json:"date,omitzero"`
	From                string    `json:"from,omitempty"` // the address; the decoded text where there is none
	FromDomain          string    `json:"from_domain,omitempty"`
	To                  []string  `json:"to,omitempty"`                    // at most 1,000 addresses
	Subject             string    `json:"subject,omitempty"`               // decoded (RFC 2047)
	ReturnPath          string    `json:"return_path,omitempty"`           // without brackets; the null sender is <>
	ListID              string    `json:"list_id,omitempty"`               // RFC 2919, as sent
	ListUnsubscribe     []string  `json:"list_unsubscribe,omitempty"`      // RFC 2369: URIs, at most 1,000
	ListUnsubscribePost string    `json:"list_unsubscribe_post,omitempty"` // RFC 8058, as sent
	FeedbackID          string    `json:"feedback_id,omitempty"`           // as sent
	CFBLFeedbackID      string    `json:"cfbl_feedback_id,omitempty"`      // RFC 9477 section 3.2, without white space
	DKIMDomains         []string  `json:"dkim_domains,omitempty"`          // d= of its signatures, unverified (RFC 6376); at most 100
	HeadersOnly         bool      `json:"headers_only,omitempty"`          // no body was sent
	Size                int64     `json:"size,omitempty"`                  // octets, decoded; 0: its end was not seen
}

// Identity is the subscriber that a record is about, in the words of the program that
// sent the message. This package leaves it unknown; see [Record.Identify].
type Identity struct {
	Status     IdentityStatus  `json:"status"`
	Subscriber string          `json:"subscriber,omitempty"`
	Campaign   string          `json:"campaign,omitempty"`
	Tenant     string          `json:"tenant,omitempty"`
	MessageID  string          `json:"message_id,omitempty"`
	By         map[string]Rule `json:"by,omitempty"` // by the other keys
}

// Rule names the rule that found a value of an Identity, and the field that it read, such
// as "original:X-Campaign".
type Rule struct {
	Rule   string `json:"rule"`
	Source string `json:"source"`
}

// Reporter is the sender of the report, and whether that is proved.
type Reporter struct {
	From       string `json:"from,omitempty"`
	FromDomain string `json:"from_domain,omitempty"`
	Auth       Auth   `json:"auth"`
	AuthDomain string `json:"auth_domain,omitempty"`
	AuthMethod string `json:"auth_method,omitempty"` // a-r (RFC 8601), arc (RFC 8617), dkim (RFC 6376) or spf (RFC 7208)
	Coverage   string `json:"coverage,omitempty"`    // full or partial: what the signature covers
	Trusted    bool   `json:"trusted"`               // the sender is proved and is a known reporter, and the message is ours
	Code       Code   `json:"code,omitempty"`        // of Reason; "" if the report is trusted
	Reason     string `json:"reason,omitempty"`      // for people
}

// Suppress says whether to stop mailing the complainant.
type Suppress struct {
	Verdict   Verdict   `json:"verdict"`
	Codes     []Code    `json:"codes,omitempty"`     // of Reasons, in their order; an open list
	Reasons   []string  `json:"reasons,omitempty"`   // for people
	DecidedAt time.Time `json:"decided_at,omitzero"` // when a person decided; zero: nobody did. Nothing else changes such a verdict
}

// Source is what other sources say about SourceIP. This package leaves it out.
type Source struct {
	ReverseDNS string `json:"reverse_dns,omitempty"` // a name that leads back to the address (RFC 1912 section 2.1), in lower case, without the final dot
	Country    string `json:"country,omitempty"`     // ISO 3166-1 alpha-2
	ASN        int    `json:"asn,omitempty"`         // autonomous system (RFC 6793)
	ASName     string `json:"as_name,omitempty"`
}

// Mailbox is the place where a message was found, in IMAP or in a file.
type Mailbox struct {
	Account     string `json:"account,omitempty"`
	Folder      string `json:"folder,omitempty"`      // or the name of the file
	UID         uint32 `json:"uid,omitempty"`         // or the number of the message in the file, from 1
	UIDValidity uint64 `json:"uidvalidity,omitempty"` // some servers give more than the 32 bits of RFC 9051
	Size        int64  `json:"size,omitempty"`        // octets of the message
	MessageID   string `json:"message_id,omitempty"`  // of the report's own message, with brackets
}

// ParseStatus says how well a message was read.
type ParseStatus struct {
	Status   ParseState `json:"status"`
	Warnings []string   `json:"warnings,omitempty"` // for people, in the order of reading
}

// Envelope is what the message itself does not say. The zero value is usable.
type Envelope struct {
	ReceivedAt  time.Time // when the mailbox got it, as INTERNALDATE (RFC 9051 section 2.3.3); zero: unknown
	ProcessedAt time.Time // now; zero: left out
	Mailbox     *Mailbox  // nil: left out. Records fills in an empty MessageID
	Providers   Providers // your own rows of the table of providers; nil: none
}

// utc drops the zone, the monotonic clock and what is less than a millisecond.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	t = t.Round(0).UTC()
	return t.Add(-time.Duration(t.Nanosecond() % 1e6))
}
