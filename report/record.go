package report

import (
	"time"
)

// Schema is the version of the record's keys.
const Schema = 1

// Record is what one recipient named by a report makes: one line of NDJSON.
// A zero value is unknown, and its key is absent. Times are written in UTC.
type Record struct {
	Schema      int      `json:"schema"`
	ID          string   `json:"id"` // ReportID "." n; n = 0 is an unparsed report
	Revision    int      `json:"revision"`
	ReportID    string   `json:"report_id,omitempty"`
	Fingerprint string   `json:"fingerprint,omitempty"` // what it says, whoever sent it when; hex
	Supersedes  []string `json:"supersedes,omitempty"`

	Event    Event  `json:"event"`
	Class    Class  `json:"class"` // who speaks
	Provider string `json:"provider"`
	Feed     string `json:"feed"`
	Dialect  string `json:"dialect"`

	ReceivedAt  time.Time `json:"received_at,omitzero"`  // INTERNALDATE, else of the topmost Received, else the outer Date
	ReportedAt  time.Time `json:"reported_at,omitzero"`  // when the reporter says it was sent
	ProcessedAt time.Time `json:"processed_at,omitzero"` // our clock

	FeedbackType       string      `json:"feedback_type,omitempty"` // as sent
	UserAgent          string      `json:"user_agent,omitempty"`
	Version            string      `json:"version,omitempty"`
	ArrivalDate        time.Time   `json:"arrival_date,omitzero"`
	ArrivalDateRaw     string      `json:"arrival_date_raw,omitempty"`
	SourceIP           string      `json:"source_ip,omitempty"` // canonical
	SourcePort         int         `json:"source_port,omitempty"`
	OriginalMailFrom   string      `json:"original_mail_from,omitempty"` // no brackets; the null sender is <>
	OriginalRcptTo     string      `json:"original_rcpt_to,omitempty"`
	OriginalEnvelopeID string      `json:"original_envelope_id,omitempty"`
	ReportingMTA       *MTA        `json:"reporting_mta,omitempty"`
	Complainant        Complainant `json:"complainant,omitempty"` // how the complainant is known; "" in an unparsed record
	Recipients         int         `json:"recipients"`            // how many the report names; written with Complainant
	Incidents          int         `json:"incidents,omitempty"`   // on a report's first record only
	RcptHash           string      `json:"rcpt_hash,omitempty"`

	AuthenticationResults []string `json:"authentication_results,omitempty"`
	ReportedDomain        []string `json:"reported_domain,omitempty"`
	ReportedURI           []string `json:"reported_uri,omitempty"`
	AuthFailure

	Extensions map[string][]string `json:"extensions,omitempty"` // every other field, by lower-case name
	Original   *Original           `json:"original,omitempty"`
	Identity   *Identity           `json:"identity,omitempty"`
	Derived    map[string]string   `json:"derived,omitempty"` // key: where its value came from
	Reporter   *Reporter           `json:"reporter,omitempty"`
	Suppress   *Suppress           `json:"suppress,omitempty"`
	Source     *Source             `json:"source,omitempty"`
	Mailbox    *Mailbox            `json:"mailbox,omitempty"`
	Parse      ParseStatus         `json:"parse"`
}

// MTA is a Reporting-MTA (RFC 5965 section 3.2, after RFC 3464 section 2.2.2).
type MTA struct {
	Type string `json:"type,omitempty"` // "dns", mostly
	Name string `json:"name"`
}

// AuthFailure holds the fields of an authentication failure report (RFC 6591
// section 3.2) and of a DMARC failure report (RFC 9991).
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

// Original is what the reported message's header says about it.
type Original struct {
	MessageID           string    `json:"message_id,omitempty"` // no brackets
	Date                time.Time `json:"date,omitzero"`
	From                string    `json:"from,omitempty"` // the address; the decoded text where there is none
	FromDomain          string    `json:"from_domain,omitempty"`
	To                  []string  `json:"to,omitempty"`
	Subject             string    `json:"subject,omitempty"`     // decoded
	ReturnPath          string    `json:"return_path,omitempty"` // no brackets; the null sender is <>
	ListID              string    `json:"list_id,omitempty"`
	ListUnsubscribe     []string  `json:"list_unsubscribe,omitempty"`
	ListUnsubscribePost string    `json:"list_unsubscribe_post,omitempty"`
	FeedbackID          string    `json:"feedback_id,omitempty"`
	CFBLFeedbackID      string    `json:"cfbl_feedback_id,omitempty"` // RFC 9477; white space taken out
	DKIMDomains         []string  `json:"dkim_domains,omitempty"`
	HeadersOnly         bool      `json:"headers_only,omitempty"`
	Size                int64     `json:"size,omitempty"` // octets, decoded; only where the part's end was seen
}

// Identity is the subscriber whom a record is about.
type Identity struct {
	Status     IdentityStatus  `json:"status"`
	Subscriber string          `json:"subscriber,omitempty"`
	Campaign   string          `json:"campaign,omitempty"`
	Tenant     string          `json:"tenant,omitempty"`
	MessageID  string          `json:"message_id,omitempty"`
	By         map[string]Rule `json:"by,omitempty"`
}

// Rule names the identity rule that gave a field, and what it read.
type Rule struct {
	Rule   string `json:"rule"`
	Source string `json:"source"`
}

// Reporter is who sent the report, and whether that is certain.
type Reporter struct {
	From       string `json:"from,omitempty"`
	FromDomain string `json:"from_domain,omitempty"`
	Auth       Auth   `json:"auth"`
	AuthDomain string `json:"auth_domain,omitempty"`
	AuthMethod string `json:"auth_method,omitempty"` // a-r, arc, dkim, spf
	Coverage   string `json:"coverage,omitempty"`    // full, partial
	Trusted    bool   `json:"trusted"`
	Code       Code   `json:"code,omitempty"` // of Reason; "" where the report is trusted
	Reason     string `json:"reason,omitempty"`
}

// Suppress says whether to stop mailing the complainant.
type Suppress struct {
	Verdict   Verdict   `json:"verdict"`
	Codes     []Code    `json:"codes,omitempty"`     // of Reasons, in their order; an open list
	Reasons   []string  `json:"reasons,omitempty"`   // for people
	DecidedAt time.Time `json:"decided_at,omitzero"` // a person did; no reading changes it
}

// Source is what is known about the source address from elsewhere.
type Source struct {
	ReverseDNS string `json:"reverse_dns,omitempty"` // its name, which leads back to it; lower case, no final dot
	Country    string `json:"country,omitempty"`     // ISO 3166-1, two capital letters
	ASN        int    `json:"asn,omitempty"`         // of its autonomous system (RFC 6793)
	ASName     string `json:"as_name,omitempty"`
}

// Mailbox is where a message was found. For a message of a file, Folder is the
// file's name and UID the message's number in it, from 1.
type Mailbox struct {
	Account     string `json:"account,omitempty"`
	Folder      string `json:"folder,omitempty"`
	UID         uint32 `json:"uid,omitempty"`
	UIDValidity uint64 `json:"uidvalidity,omitempty"` // 64 bits, since some servers give more than the 32 of RFC 9051
	Size        int64  `json:"size,omitempty"`        // octets of the message
	MessageID   string `json:"message_id,omitempty"`
}

// ParseStatus says how well a message could be read.
type ParseStatus struct {
	Status   ParseState `json:"status"`
	Warnings []string   `json:"warnings,omitempty"`
}

// Envelope is what the message itself does not say.
type Envelope struct {
	ReceivedAt  time.Time // INTERNALDATE; zero: unknown
	ProcessedAt time.Time // now; zero: left out
	Mailbox     *Mailbox  // nil: left out. an empty MessageID is filled in
	Providers   Providers // the user's rows of the table of providers
}

// utc drops the zone, the monotonic clock and what is less than a millisecond.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}
