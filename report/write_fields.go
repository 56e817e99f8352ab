package report

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// writeFields writes the report part, in the order of RFC 5965 section 3 and
// RFC 6591 section 3.2.
func (r *Report) writeFields(h *headerWriter) {
	required := func(name, value string) {
		if strings.Trim(value, " \t") == "" {
			h.fail(name, ErrMissing)
		}
		h.field(name, value)
	}
	each := func(name string, values []string) {
		for _, v := range values {
			h.field(name, v)
		}
	}

	required("Feedback-Type", r.FeedbackType)
	if strings.ContainsAny(r.FeedbackType, " \t()<>@,;:\\\"/[]?=") || r.FeedbackType != "" && eventOf(r.FeedbackType) == Unparsed { // RFC 5965 section 3.5: a token
		h.fail("Feedback-Type", fmt.Errorf("%w: no token", ErrInvalid))
	}
	required("User-Agent", r.UserAgent)
	required("Version", r.Version)
	h.field("Original-Envelope-Id", r.OriginalEnvelopeID)
	if r.OriginalMailFrom == "<>" {
		h.field("Original-Mail-From", "<>")
	} else {
		h.addrSpec("Original-Mail-From", r.OriginalMailFrom)
	}
	r.writeRecipients(h)
	r.writeArrival(h)
	r.writeMTA(h)
	r.writeSource(h)
	h.number("Incidents", r.Incidents, 1<<31-1)
	if eventOf(r.FeedbackType) == AuthFailed {
		if len(r.AuthenticationResults) == 0 {
			h.fail("Authentication-Results", fmt.Errorf("%w (RFC 6591 section 3.1)", ErrMissing))
		}
		if r.AuthFailure.AuthFailure == "" {
			h.fail("Auth-Failure", fmt.Errorf("%w (RFC 6591 section 3.1)", ErrMissing))
		}
	}
	each("Authentication-Results", r.AuthenticationResults)
	each("Reported-Domain", r.ReportedDomain)
	each("Reported-URI", r.ReportedURI)

	a := &r.AuthFailure
	h.field("Auth-Failure", a.AuthFailure)
	h.field("Delivery-Result", a.DeliveryResult)
	h.field("Identity-Alignment", a.IdentityAlignment)
	h.field("DKIM-Domain", a.DKIMDomain)
	h.field("DKIM-Identity", a.DKIMIdentity)
	h.field("DKIM-Selector", a.DKIMSelector)
	h.field("DKIM-Selector-DNS", a.DKIMSelectorDNS)
	h.field("DKIM-Canonicalized-Header", a.DKIMCanonicalizedHeader)
	h.field("DKIM-Canonicalized-Body", a.DKIMCanonicalizedBody)
	h.field("DKIM-ADSP-DNS", a.DKIMADSPDNS)
	each("SPF-DNS", a.SPFDNS)

	for _, name := range slices.Sorted(maps.Keys(r.Extensions)) {
		if fieldOf([]byte(name)) != nil {
			h.fail(name, fmt.Errorf("%w: it has a place of its own", ErrInvalid))
			continue
		}
		each(textproto.CanonicalMIMEHeaderKey(name), r.Extensions[name])
	}
}

// writeRecipients writes each on a line of its own. Who was blotted out is no
// recipient: RFC 6590 has [Redact] for that.
func (r *Report) writeRecipients(h *headerWriter) {
	const name = "Original-Rcpt-To"
	if len(r.OriginalRcptTo) > maxRecipients {
		h.fail(name, fmt.Errorf("%w: more than %d", ErrInvalid, maxRecipients))
	}
	seen := make(map[string]bool, len(r.OriginalRcptTo))
	for _, rcpt := range r.OriginalRcptTo {
		switch {
		case seen[rcpt]:
			h.fail(name, fmt.Errorf("%w: the same one twice", ErrInvalid))
		case message.IsPlaceholder(rcpt):
			h.fail(name, fmt.Errorf("%w: a placeholder", ErrInvalid))
		default:
			h.addrSpec(name, rcpt)
		}
		seen[rcpt] = true
	}
}

// addrSpec writes an address without a display name, in brackets.
func (h *headerWriter) addrSpec(name, addr string) {
	if addr == "" {
		return
	}
	if !message.IsAddress(addr) || strings.ContainsAny(addr, "{}") {
		h.fail(name, fmt.Errorf("%w: no address", ErrInvalid))
		return
	}
	h.field(name, "<"+addr+">")
}

func (r *Report) writeArrival(h *headerWriter) {
	if r.ArrivalDateRaw != "" {
		h.field("Arrival-Date", r.ArrivalDateRaw)
	} else if !r.ArrivalDate.IsZero() {
		h.date("Arrival-Date", r.ArrivalDate)
	}
}

// writeMTA writes a Reporting-MTA; its type is dns where none is given.
func (r *Report) writeMTA(h *headerWriter) {
	const name = "Reporting-MTA"
	m := r.ReportingMTA
	if m == nil {
		return
	}
	switch typ := cmp.Or(strings.ToLower(m.Type), "dns"); {
	case strings.TrimSpace(m.Name) == "":
		h.fail(name, ErrMissing)
	case strings.ContainsAny(typ, " \t;"):
		h.fail(name, fmt.Errorf("%w: its type is no token", ErrInvalid))
	default:
		h.field(name, typ+"; "+strings.TrimSpace(m.Name))
	}
}

// writeSource writes Source-IP as every known reporter and reader has it: an
// IPv6 address without the "IPv6:" of RFC 5321.
func (r *Report) writeSource(h *headerWriter) {
	if r.SourceIP != "" {
		ip, err := netip.ParseAddr(r.SourceIP)
		if err != nil || ip.Zone() != "" {
			h.fail("Source-IP", fmt.Errorf("%w: no address", ErrInvalid))
		} else {
			h.field("Source-IP", ip.Unmap().String())
		}
	}
	h.number("Source-Port", r.SourcePort, 65535) // RFC 6692 section 2
}

// number writes a number; 0 is none.
func (h *headerWriter) number(name string, n, limit int) {
	if n < 0 || n > limit {
		h.fail(name, fmt.Errorf("%w: not of 1 to %d", ErrInvalid, limit))
	} else if n > 0 {
		h.field(name, strconv.Itoa(n))
	}
}
