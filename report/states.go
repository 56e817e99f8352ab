package report

import "github.com/fblwatch/fblwatch/internal/message"

// Event is what a report says about the message (record.event).
type Event string

// Events.
const (
	Complaint  Event = "complaint"
	NotSpam    Event = "not_spam"     // RFC 6430
	OptOut     Event = "opt_out"      // Feedback-Type opt-out of RFC 5965's drafts
	AuthFailed Event = "auth_failure" // RFC 6591, RFC 9991
	Unparsed   Event = "unparsed"     // somebody complains, but the reader does not know of what
)

// Events are all events.
var Events = []Event{Complaint, NotSpam, OptOut, AuthFailed, Unparsed}

// Class is the kind of speaker (record.class). Only ClassFBL and ClassCFBL count in
// rates and may suppress.
type Class string

// Classes of speakers.
const (
	ClassFBL     Class = "fbl"     // a provider's loop: a person clicked
	ClassCFBL    Class = "cfbl"    // a loop of RFC 9477
	ClassTrap    Class = "trap"    // a spam trap
	ClassService Class = "service" // a service to which people send spam; a person's own forward
	ClassFilter  Class = "filter"  // a spam filter
	ClassNetwork Class = "network" // logins, phishing, takedowns
	ClassAuth    Class = "auth"    // authentication failures
)

// Classes are all classes.
var Classes = []Class{ClassFBL, ClassCFBL, ClassTrap, ClassService, ClassFilter, ClassNetwork, ClassAuth}

// Complainant is how the complainant is known (record.complainant).
type Complainant string

// Ways to know a complainant.
const (
	Named     Complainant = "named"     // one, in clear
	Hashed    Complainant = "hashed"    // one, by a hash (RFC 6590) that groups and cannot be mailed
	Token     Complainant = "token"     // by the record's Identity alone
	Candidate Complainant = "candidate" // one of several named recipients
	NoOne     Complainant = "none"
)

// Verdict says whether to stop mailing the complainant (suppress.verdict).
type Verdict string

// Verdicts.
const (
	SuppressYes    Verdict = "yes"
	SuppressNo     Verdict = "no"
	SuppressReview Verdict = "review" // a person decides
)

// IdentityStatus says how much of an Identity is known (identity.status).
type IdentityStatus string

// States of an Identity.
const (
	Identified       IdentityStatus = "identified" // the subscriber
	PartlyIdentified IdentityStatus = "partial"    // something else, such as the campaign
	Unidentified     IdentityStatus = "unknown"
)

// Auth is the result of the check of a report's sender (reporter.auth).
type Auth string

// Results of the check.
const (
	AuthPass      Auth = "pass"
	AuthFail      Auth = "fail"
	AuthNone      Auth = "none"      // nothing to check: no signature
	AuthUnchecked Auth = "unchecked" // not checked, or not to the end
)

// ParseState says how well a message was read (parse.status).
type ParseState string

// States of a parse.
const (
	ParseOK      ParseState = "ok"
	ParsePartial ParseState = "partial" // something could not be read
	ParseFailed  ParseState = "failed"  // the record is unparsed
)

// joined is the values, for an error.
func joined[T ~string](values []T) (text string) {
	for i, v := range values {
		if i > 0 {
			text += ", "
		}
		text += string(v)
	}
	return text
}

// bareType is a Feedback-Type in small letters, without "-", "_" and blanks, and
// without comments (RFC 5965 section 3.1), quotes and parameters around its token. It is
// kept in space.
func bareType(space []byte, feedbackType string) []byte {
	depth := 0
	for i := range len(feedbackType) {
		switch c := feedbackType[i]; c {
		case '(':
			depth++
		case ')':
			depth = max(depth-1, 0)
		case ';':
			if depth == 0 {
				return space
			}
		case '-', '_', ' ', '\t', '"', '<', '>', 0xc2, 0xa0: // the last two are a blank that does not break
		default:
			if depth == 0 {
				space = append(space, message.LowerByte(c))
			}
		}
	}
	return space
}

// eventOf reads a Feedback-Type. A type that nobody knows is a complaint still;
// not-spam (RFC 6430) never is.
func eventOf(feedbackType string) Event {
	if feedbackType == "abuse" { // most are
		return Complaint
	}
	var space [32]byte
	switch string(bareType(space[:0], feedbackType)) {
	case "":
		return Unparsed
	case "notspam":
		return NotSpam
	case "optout", "optoutlist":
		return OptOut
	case "authfailure":
		return AuthFailed
	}
	return Complaint
}
