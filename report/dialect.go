package report

import (
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// dialects are those of reports with a report part, in the order in which they are tried;
// providers.md describes each. A report is of a dialect if its User-Agent begins with
// agent, in any case, and is, unless it is nil, returns true. Other reports are read by
// readers.
var dialects = []struct {
	name  string
	agent string
	is    func(*Report) bool
}{
	{"yahoo-ses", "yahoo!-mail-feedback/", func(r *Report) bool { return message.Within(r.Outer.FromDomain, "amazonses.com") }},
	{"yahoo", "yahoo!-mail-feedback/", nil},
	{"aol", "aol scomp", nil},
	{"aol", "smp-fbl", nil},
	{"returnpath2", "returnpathfbl/2.", nil},
	{"returnpath1", "returnpathfbl", nil},
	{"returnpath1", "", isReturnPath},
	{"jmrp-arf2026", "jmrp/", nil},
	{"dmarc-hotmail", "xmr/", nil},
	{"dmarc-netease", "ntesdmarcreporter", nil},
	{"dmarc-lua", "lua/", isAuthFailure},
	{"dmarc-opendmarc", "opendmarc", nil},
	{"opendkim", "opendkim", nil},
	{"abusix", "abusix", nil},
	{"spamcop", "spamcop", nil},
	{"spamexperts", "spamexperts", nil},
	{"nixspam", "nixspam", nil},
	{"nixspam", "nix spam", nil},
	{"dnsblde", "dnsbl.de", nil},
	{"spfbl", "spfbl", nil},
	{"zoho", "zoho", nil},
	{"cfbl-arf", "", isCFBL},
	{"sieve-report", "", isSieveReport},
	{"rfc6591", "", isAuthFailure},
	{"rfc5965", "", func(r *Report) bool { return r.FeedbackType != "" }},
}

// dialectsOfReaders are those of reports without a report part, and of X-ARF.
var dialectsOfReaders = []string{"zimbra", "m365-user", "jmrp", "ses-json", "spamcop-plain", "dmarc-plaintext", "redirected", "forward",
	"xarf", "cfbl-xarf", "xarf-v3mail", "xarf-v4mail", "xarf-netcraft", "xarf-blocklistde", "xarf-cleanmx"}

// dialectNames are all that a record's dialect can be.
func dialectNames() []string {
	names := append([]string{"unknown"}, dialectsOfReaders...)
	for _, d := range dialects {
		names = append(names, d.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// dialect is how the report is written; "unknown" is one without a type.
func (r *Report) dialect() string {
	if r.Dialect != "" {
		return r.Dialect
	}
	agent := r.UserAgent
	if agent == "" { // EarthLink's name for it
		agent = r.extension("feedback-agent")
	}
	first := byte(0)
	if agent != "" {
		first = message.LowerByte(agent[0])
	}
	for i := range dialects {
		d := &dialects[i]
		if d.agent != "" && d.agent[0] != first {
			continue
		}
		if len(agent) >= len(d.agent) && strings.EqualFold(agent[:len(d.agent)], d.agent) && (d.is == nil || d.is(r)) {
			return d.name
		}
	}
	return "unknown"
}

// isReturnPath knows the reports of 2013 and 2014, which name no program.
func isReturnPath(r *Report) bool {
	return r.UserAgent == "" && r.extension("abuse-type") != "" && strings.HasPrefix(strings.ToLower(r.Outer.From), "feedbackloop@")
}

func isAuthFailure(r *Report) bool { return eventOf(r.FeedbackType) == AuthFailed }

// isCFBL knows a report on a message that asks for such reports (RFC 9477).
func isCFBL(r *Report) bool {
	return r.FeedbackType != "" && (r.cfbl || r.Original != nil && r.Original.CFBLFeedbackID != "" || r.extension("cfbl-feedback-id") != "")
}

// isSieveReport knows the reports of Dovecot's Sieve action.
func isSieveReport(r *Report) bool {
	auto := r.Header(FromOuter).Values("Auto-Submitted")
	return r.FeedbackType != "" && len(auto) > 0 && strings.EqualFold(auto[0], "auto-generated (report)")
}

// extension is the first value of a field that has no key of its own.
func (r *Report) extension(name string) string {
	if values := r.Extensions[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// event is what the report is: what its Feedback-Type says, else its reader.
func (r *Report) event() Event {
	if r.FeedbackType == "" && r.Event != "" {
		return r.Event
	}
	return eventOf(r.FeedbackType)
}
