package report

// Code is a short constant that says why a verdict is as it is. Programs decide by
// codes; reasons are for people and may be reworded at any time. The list is open:
// a program must ignore codes that it does not know. docs/trust.md explains each.
type Code string

// Codes of Suppress about the record itself. A comment that begins with "yes" or "no" names
// the verdict; all others lead to review.
const (
	CodeEvent           Code = "event"            // no: neither complaint nor opt_out
	CodeClass           Code = "class"            // no: neither fbl nor cfbl
	CodeSuppressionList Code = "suppression_list" // no: Amazon SES did not even send the message
	CodeUnknownType     Code = "unknown_type"     // the feedback type is not known
	CodeCandidate       Code = "candidate"        // one of several named recipients
	CodeHashOnly        Code = "hash_only"        // the complainant is known by a hash
	CodeNobody          Code = "nobody"           // the complainant is not known
	CodeUnsignedHeader  Code = "unsigned_header"  // the complainant is in the report's own header, which need not be signed
	CodeHistory         Code = "history"          // older than since at first contact
	CodeOverBrake       Code = "over_brake"       // more verdicts yes than the brake allows
	CodeNamed           Code = Code(Named)        // yes: the complainant is named
	CodeToken           Code = Code(Token)        // yes: the complainant is known by the identity alone
	CodeAccepted        Code = "accepted"         // yes: a person said so
	CodeRejected        Code = "rejected"         // no: a person said so
)

// Codes of Reporter and Suppress: the report is not trusted. The names in the comments are
// keys of the program's config.
const (
	CodeTrustUnchecked Code = "trust_unchecked" // nobody checked the sender: this package does not
	CodeTrustOff       Code = "trust_off"       // the config says nothing of trust
	CodeUntrusted      Code = "untrusted"       // a record of a version without codes

	CodeSeveral   Code = "several_reports" // attached with others: the sender's signature vouches for the first alone
	CodeTooLong   Code = "too_long"        // the whole message is needed, and not to be had
	CodeMalformed Code = "malformed"       // the header is malformed, or beyond what is checked
	CodeNoFrom    Code = "no_from"         // the header has no From
	CodeTwoFields Code = "doubled_field"   // a field that may occur once occurs twice
	CodeFrom      Code = "from"            // From is not the one address that was read

	CodeUnsigned     Code = "unsigned"      // no signature that may speak for From
	CodeDKIMOff      Code = "dkim_off"      // signed, but trust.dkim is off
	CodeHopUnknown   Code = "hop_unknown"   // a pass is below a Received by a server that is not in trust.hops
	CodeIDUnknown    Code = "id_unknown"    // a pass is of a server that is not in trust.authserv_ids
	CodeSecondField  Code = "second_field"  // a pass is below another field of the same server: it may be the sender's
	CodeBelow        Code = "below"         // a pass is among the fields of the sender
	CodeNoReceived   Code = "no_received"   // a pass is above no Received: no server took the message in
	CodeMailbox      Code = "mailbox"       // the system of the mailbox did not take the message in
	CodeNoDomain     Code = "no_domain"     // dkim=pass does not name the domain that signed
	CodeContradicted Code = "contradicted"  // results contradict each other, or the own verification
	CodeOld          Code = "old"           // older than seven days: signatures prove nothing any more
	CodeDNS          Code = "dns"           // the DNS does not give the key
	CodeKey          Code = "key"           // the key is gone, for testing, or cannot be used
	CodeBeyond       Code = "beyond_limits" // more signatures, or larger ones, than are verified
	CodeDKIMFail     Code = "dkim_fail"     // the signature does not verify
	CodeReframed     Code = "reframed"      // the signature leaves open how the message is to be read

	CodeSecondHand      Code = "second_hand"      // who signed only passes the report on
	CodeReporterUnknown Code = "reporter_unknown" // the domain that signed is no known reporter
	CodeOwnUnset        Code = "own_unset"        // trust.own is not set
	CodeForeignIP       Code = "foreign_ip"       // the reported message did not come from trust.own.ips
	CodeForeignDomain   Code = "foreign_domain"   // the reporter did not find it to be of trust.own.domains
	CodeUnproven        Code = "unproven"         // only the reported message itself says that it is ours
	CodeUnsignedToken   Code = "unsigned_token"   // what names the subscriber is not signed
)

// Reason is one reason of a verdict.
type Reason struct {
	Code Code   // for programs
	Text string // for people
}
