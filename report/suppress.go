package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// KnowsWho reports whether Decide knew the complainant. A record may have lost the
// address since.
func (s *Suppress) KnowsWho() bool {
	return s.Verdict == SuppressYes || s.Verdict == SuppressReview && !s.Has(CodeHashOnly) && !s.Has(CodeNobody)
}

// Has reports whether the verdict has the code. In a record of a version without codes,
// Has goes by the reasons.
func (s *Suppress) Has(code Code) bool {
	if len(s.Codes) == 0 {
		return s.hadText(code)
	}
	return slices.Contains(s.Codes, code)
}

// Named reports whether the verdict is yes because the report names the complainant. A
// record may have lost the address since.
func (s *Suppress) Named() bool { return s.Verdict == SuppressYes && s.Has(CodeNamed) }

func decided(verdict Verdict, reasons ...Reason) (s Suppress) {
	s.Verdict = verdict
	if len(reasons) == 1 { // as nearly always: one block for both
		one := &struct {
			code [1]Code
			text [1]string
		}{[1]Code{reasons[0].Code}, [1]string{reasons[0].Text}}
		s.Codes, s.Reasons = one.code[:], one.text[:]
		return s
	}
	for _, r := range reasons {
		s.Codes, s.Reasons = append(s.Codes, r.Code), append(s.Reasons, r.Text)
	}
	return s
}

// Decide returns the verdict on the record, by Event, Class, FeedbackType, Complainant,
// Identity and Reporter. It does not change the record. The verdict is no if nobody
// complains or the speaker does not count, yes if the complainant is known and the
// reporter trusted, and review otherwise. doubts are further reasons that keep it from
// being yes, such as CodeHistory and CodeOverBrake.
func (rec *Record) Decide(doubts ...Reason) Suppress {
	switch {
	case rec.Event != Complaint && rec.Event != OptOut:
		return decided(SuppressNo, Reason{CodeEvent, "event " + string(rec.Event)})
	case rec.Class != ClassFBL && rec.Class != ClassCFBL:
		return decided(SuppressNo, Reason{CodeClass, "class " + string(rec.Class)})
	case rec.onSuppressionList():
		return decided(SuppressNo, Reason{CodeSuppressionList, "on the account's suppression list already"})
	}
	var space [4]Reason
	reasons := space[:0]
	add := func(code Code, text string) { reasons = append(reasons, Reason{code, text}) }
	if !isKnownType(rec.FeedbackType) {
		add(CodeUnknownType, "feedback type not known")
	}
	subscriber := rec.Identity != nil && rec.Identity.Subscriber != ""
	switch known := rec.Complainant; {
	case known == Named, known == Token && subscriber:
	case known == Candidate:
		add(CodeCandidate, fmt.Sprintf("one of %d recipients", rec.Recipients))
	case known == Hashed:
		add(CodeHashOnly, "complainant known by a hash only")
	default:
		add(CodeNobody, "complainant not known")
	}
	if rec.byOuterHeader() {
		add(CodeUnsignedHeader, "who complained stands in the report's own header, which need not be signed")
	}
	switch r := rec.Reporter; {
	case r == nil || r.Code == CodeTrustUnchecked || r.Reason == "" && (r.Auth == "" || r.Auth == AuthUnchecked):
		add(CodeTrustUnchecked, "trust is not checked")
	case !r.Trusted && r.Reason != "":
		add(cmp.Or(r.Code, CodeUntrusted), "not trusted: "+r.Reason)
	case !r.Trusted:
		add(cmp.Or(r.Code, CodeUntrusted), "not trusted")
	case r.Auth != AuthPass:
		add(CodeTrustUnchecked, "trusted without authentication")
	}
	if reasons = append(reasons, doubts...); len(reasons) > 0 {
		return decided(SuppressReview, reasons...)
	}
	return decided(SuppressYes, Reason{Code(rec.Complainant), fmt.Sprintf("%s of class %s, %s, by a trusted reporter", rec.Event, rec.Class, rec.Complainant)})
}

// byOuterHeader reports whether the recipient, the subscriber or the tenant is from the
// outer header: a signature covers only the fields that it names, and anybody can add
// others. A sink may act by any of the three.
func (rec *Record) byOuterHeader() bool {
	outer := func(source string) bool { return strings.HasPrefix(source, FromOuter+":") }
	id := rec.Identity
	return rec.OriginalRcptTo != "" && outer(rec.Derived["original_rcpt_to"]) ||
		id != nil && id.Subscriber != "" && (outer(id.By["subscriber"].Source) || outer(id.By["tenant"].Source))
}

// onSuppressionList reports whether Amazon SES says that it did not even send
// the message, as the recipient is on its list.
func (rec *Record) onSuppressionList() bool {
	return slices.Contains(rec.Extensions["complaint.complaintsubtype"], "OnAccountSuppressionList")
}

// isKnownType knows the registered types that are complaints, the opt-outs of
// the drafts, and a report whose dialect has none.
func isKnownType(feedbackType string) bool {
	if feedbackType == "" || feedbackType == "abuse" {
		return true
	}
	var space [32]byte
	switch string(bareType(space[:0], feedbackType)) {
	case "abuse", "fraud", "virus", "other", "optout", "optoutlist":
		return true
	}
	return false
}
