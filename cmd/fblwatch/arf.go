package main

import (
	"maps"
	"net/textproto"
	"slices"
	"strconv"

	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

// appendARF writes a report's fields as plain header lines, one blank line
// after them, in the order of RFC 5965 section 3 and RFC 6591 section 3.2.
func appendARF(dst []byte, r *report.Report) []byte {
	line := func(name string, values ...string) {
		for _, v := range values {
			if v != "" {
				dst = append(append(append(append(dst, name...), ": "...), terminal.Printable(v)...), '\n')
			}
		}
	}
	number := func(name string, n int) {
		if n != 0 {
			line(name, strconv.Itoa(n))
		}
	}
	line("Feedback-Type", r.FeedbackType)
	line("User-Agent", r.UserAgent)
	line("Version", r.Version)
	line("Original-Envelope-Id", r.OriginalEnvelopeID)
	line("Original-Mail-From", r.OriginalMailFrom)
	line("Original-Rcpt-To", r.OriginalRcptTo...)
	line("Arrival-Date", r.ArrivalDateRaw)
	if m := r.ReportingMTA; m != nil && m.Type != "" {
		line("Reporting-MTA", m.Type+"; "+m.Name)
	} else if m != nil {
		line("Reporting-MTA", m.Name)
	}
	line("Source-IP", r.SourceIP)
	number("Source-Port", r.SourcePort)
	number("Incidents", r.Incidents)
	line("Authentication-Results", r.AuthenticationResults...)
	line("Reported-Domain", r.ReportedDomain...)
	line("Reported-URI", r.ReportedURI...)

	a := &r.AuthFailure
	line("Auth-Failure", a.AuthFailure)
	line("Delivery-Result", a.DeliveryResult)
	line("Identity-Alignment", a.IdentityAlignment)
	line("DKIM-Domain", a.DKIMDomain)
	line("DKIM-Identity", a.DKIMIdentity)
	line("DKIM-Selector", a.DKIMSelector)
	line("DKIM-Selector-DNS", a.DKIMSelectorDNS)
	line("DKIM-Canonicalized-Header", a.DKIMCanonicalizedHeader)
	line("DKIM-Canonicalized-Body", a.DKIMCanonicalizedBody)
	line("DKIM-ADSP-DNS", a.DKIMADSPDNS)
	line("SPF-DNS", a.SPFDNS...)

	for _, name := range slices.Sorted(maps.Keys(r.Extensions)) {
		line(textproto.CanonicalMIMEHeaderKey(name), r.Extensions[name]...)
	}
	return append(dst, '\n')
}
