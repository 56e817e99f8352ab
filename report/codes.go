package report

// Code is a short constant that says why a verdict is as it is. Programs decide by
// codes; reasons are for people and may be reworded at any time. The list is open:
// a program must ignore codes that it does not know. docs/trust.md explains each.
type Code string

// Codes of Suppress that say who or what the record is about.
const (
	CodeEvent           Code = "event"            // no: neither complaint nor opt_out
	CodeClass           Code = "class"            // no: neither fbl nor cfbl
	CodeSuppressionList Code = "suppression_list" // no: Amazon SES did not even send the message
	CodeUnknownType     Code = "unknown_type"     // the feedback type is not known
	CodeCandidate       Code = "candidate"        // one of several named recipients
	CodeHashOnly        Code = "hash_only"        // the complainant is known by a hash
	CodeNobody          Code = "nobody"           // the complainant is not known
	CodeUnsignedHeader  Code = "unsigned_header"  // the complainant stands in the report's own header
	CodeHistory         Code = "history"          // older than since at first contact
	CodeOverBrake       Code = "over_brake"       // more verdicts yes than the brake allows
	CodeNamed           Code = Code(Named)        // yes: the complainant is named
	CodeToken           Code = Code(Token)        // yes: the complainant is known by the identity alone
	CodeAccepted        Code = "accepted"         // yes: a person said so
	CodeRejected        Code = "rejected"         // no: a person said so
)

// Codes of Reporter, and of Suppress, that say why a report is not trusted.
const (
	CodeTrustUnchecked Code = "trust_unchecked" // package report alone: it checks no sender
	CodeTrustOff       Code = "trust_off"       // trust is not configured
	CodeUntrusted      Code = "untrusted"       // of a record that an older version wrote

	CodeSeveral   Code = "several_reports" // attached with others: the sender's signature vouches for the first alone
	CodeTooLong   Code = "too_long"        // the whole message is needed, and not to be had
	CodeMalformed Code = "malformed"       // the header is malformed, or beyond what is checked
	CodeNoFrom    Code = "no_from"
	CodeTwoFields Code = "doubled_field" // a field that may stand once stands twice
	CodeFrom      Code = "from"          // From is not the one address that was read

	CodeUnsigned     Code = "unsigned"      // no signature that may speak for From
	CodeDKIMOff      Code = "dkim_off"      // signed, and nobody verified it: trust.dkim is off
	CodeHopUnknown   Code = "hop_unknown"   // a pass stands below a Received by a server that is not in trust.hops
	CodeIDUnknown    Code = "id_unknown"    // a pass is of a server that is not in trust.authserv_ids
	CodeSecondField  Code = "second_field"  // a pass stands below another field of the same server: it may be the sender's
	CodeBelow        Code = "below"         // a pass stands where the sender's own fields do
	CodeNoReceived   Code = "no_received"   // a pass stands above no Received: no server took the message in
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

// Reason is why a verdict is as it is.
type Reason struct {
	Code Code   // for programs
	Text string // for people
}
