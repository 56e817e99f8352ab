package report

import (
	"slices"
	"strings"
)

// linesKey is the key of lines that are no field in the extensions. An empty key, as in
// older versions, makes programs refuse a whole file of records.
const linesKey = "_lines"

// nulText warns that a text is not as it was sent: PostgreSQL and others take no NUL.
const nulText = "text: a NUL became U+FFFD"

// withoutNUL replaces each NUL of the report's texts, with a warning, and notes
// how many octets the texts have.
func (r *Report) withoutNUL() {
	found := false
	r.texts = 0
	clean := func(s *string) {
		r.texts += len(*s)
		if strings.IndexByte(*s, 0) >= 0 {
			*s, found = strings.ReplaceAll(*s, "\x00", "\ufffd"), true
		}
	}
	each := func(lists ...[]string) {
		for _, list := range lists {
			for i := range list {
				clean(&list[i])
			}
		}
	}
	for _, s := range []*string{&r.Outer.From, &r.Outer.FromDomain, &r.Outer.MessageID, &r.Outer.Subject,
		&r.FeedbackType, &r.UserAgent, &r.Version, &r.OriginalEnvelopeID, &r.OriginalMailFrom, &r.ArrivalDateRaw, &r.SourceIP} {
		clean(s)
	}
	if m := r.ReportingMTA; m != nil {
		clean(&m.Type)
		clean(&m.Name)
	}
	r.AuthFailure.each(clean)
	each(r.OriginalRcptTo, r.AuthenticationResults, r.ReportedDomain, r.ReportedURI, r.AuthFailure.SPFDNS)
	if o := r.Original; o != nil {
		o.each(clean)
		each(o.To, o.ListUnsubscribe, o.DKIMDomains)
	}
	var bad []string // names of a JSON object
	for name, values := range r.Extensions {
		each(values)
		if r.texts += len(name); strings.IndexByte(name, 0) >= 0 {
			bad = append(bad, name)
		}
	}
	slices.Sort(bad)
	for _, name := range bad {
		cleaned := name
		clean(&cleaned)
		r.Extensions[cleaned] = append(slices.Clip(r.Extensions[cleaned]), r.Extensions[name]...)
		delete(r.Extensions, name)
	}
	for key, source := range r.Derived {
		if strings.IndexByte(source, 0) >= 0 {
			r.Derived[key], found = strings.ReplaceAll(source, "\x00", "\ufffd"), true
		}
	}
	if found && (r.Kind == KindReport || r.Kind == KindUnparsed) {
		r.Problems = append(r.Problems, Problem{Text: nulText})
	}
}

// each calls f with each single text.
func (a *AuthFailure) each(f func(*string)) {
	for _, s := range []*string{&a.AuthFailure, &a.DeliveryResult, &a.IdentityAlignment, &a.DKIMDomain, &a.DKIMIdentity, &a.DKIMSelector, &a.DKIMSelectorDNS,
		&a.DKIMCanonicalizedHeader, &a.DKIMCanonicalizedBody, &a.DKIMADSPDNS} {
		f(s)
	}
}

// each calls f with each single text.
func (o *Original) each(f func(*string)) {
	for _, s := range []*string{&o.MessageID, &o.From, &o.FromDomain, &o.Subject, &o.ReturnPath, &o.ListID, &o.ListUnsubscribePost, &o.FeedbackID, &o.CFBLFeedbackID} {
		f(s)
	}
}
