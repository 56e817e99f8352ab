package report

import (
	"slices"
	"strings"
	"testing"
)

func TestDecide(t *testing.T) {
	trusted := Reporter{Auth: "pass", Trusted: true}
	for _, c := range []struct {
		name   string
		change func(*Record)
		doubts []Reason
		want   string
	}{
		{name: "a trusted loop that names a person", want: "yes: complaint of class fbl, named, by a trusted reporter"},
		{name: "known by its token", change: func(r *Record) { r.Complainant, r.Identity = Token, &Identity{Subscriber: "4711"} }, want: "yes: complaint of class fbl, token, by a trusted reporter"},
		{name: "an opt-out by CFBL", change: func(r *Record) { r.Event, r.Class, r.FeedbackType = OptOut, ClassCFBL, "Opt-Out" }, want: "yes: opt_out of class cfbl, named, by a trusted reporter"},
		{name: "a dialect without a type", change: func(r *Record) { r.FeedbackType = "" }, want: "yes: complaint of class fbl, named, by a trusted reporter"},

		{name: "not spam", change: func(r *Record) { r.Event = NotSpam }, want: "no: event not_spam"},
		{name: "a DMARC failure", change: func(r *Record) { r.Event = AuthFailed }, want: "no: event auth_failure"},
		{name: "unparsed", change: func(r *Record) { r.Event = Unparsed }, want: "no: event unparsed"},
		{name: "a trap", change: func(r *Record) { r.Class = ClassTrap }, want: "no: class trap"},
		{name: "a service", change: func(r *Record) { r.Class = ClassService }, want: "no: class service"},
		{name: "a filter", change: func(r *Record) { r.Class = ClassFilter }, want: "no: class filter"},
		{name: "a network", change: func(r *Record) { r.Class = ClassNetwork }, want: "no: class network"},
		{name: "class auth", change: func(r *Record) { r.Class = ClassAuth }, want: "no: class auth"},
		{name: "never sent", change: func(r *Record) {
			r.Extensions = map[string][]string{"complaint.complaintsubtype": {"OnAccountSuppressionList"}}
		}, want: "no: on the account's suppression list already"},

		{name: "a type with a comment", change: func(r *Record) { r.FeedbackType = "abuse (by a click)" }, want: "yes: complaint of class fbl, named, by a trusted reporter"},
		{name: "a type in a comment", change: func(r *Record) { r.FeedbackType = "x-unheard (abuse)" }, want: "review: feedback type not known"},
		{name: "unknown type", change: func(r *Record) { r.FeedbackType = "x-unheard" }, want: "review: feedback type not known"},
		{name: "one of two", change: func(r *Record) { r.Complainant, r.Recipients = Candidate, 2 }, want: "review: one of 2 recipients"},
		{name: "hashed", change: func(r *Record) { r.Complainant = Hashed }, want: "review: complainant known by a hash only"},
		{name: "a token that nobody reads", change: func(r *Record) { r.Complainant, r.Identity = Token, &Identity{Campaign: "july"} }, want: "review: complainant not known"},
		{name: "nobody", change: func(r *Record) { r.Complainant = NoOne }, want: "review: complainant not known"},
		{name: "a recipient of the outer header", change: func(r *Record) {
			r.OriginalRcptTo, r.Derived = "a@example.com", map[string]string{"original_rcpt_to": "outer:X-HmXmrOriginalRecipient"}
		}, want: "review: who complained stands in the report's own header, which need not be signed"},
		{name: "a token of the outer header", change: func(r *Record) {
			r.Complainant, r.Identity = Token, &Identity{Subscriber: "4711", By: map[string]Rule{"subscriber": {Rule: "rule 1", Source: "outer:X-Rp-Fbl"}}}
		}, want: "review: who complained stands in the report's own header, which need not be signed"},
		{name: "a named one, and a token of the outer header", change: func(r *Record) {
			r.Identity = &Identity{Subscriber: "4711", By: map[string]Rule{"subscriber": {Rule: "rule 1", Source: "outer:X-Rp-Fbl"}}}
		}, want: "review: who complained stands in the report's own header, which need not be signed"},
		{name: "a tenant of the outer header", change: func(r *Record) {
			r.Complainant = Token
			r.Identity = &Identity{Subscriber: "4711", Tenant: "t1", By: map[string]Rule{"subscriber": {Rule: "rule 1", Source: "original:X-Token"}, "tenant": {Rule: "rule 2", Source: "outer:X-Rp-Fbl"}}}
		}, want: "review: who complained stands in the report's own header, which need not be signed"},
		{name: "a tenant of the outer header, and no subscriber", change: func(r *Record) {
			r.Identity = &Identity{Tenant: "t1", By: map[string]Rule{"tenant": {Rule: "rule 2", Source: "outer:X-Rp-Fbl"}}}
		}, want: "yes: complaint of class fbl, named, by a trusted reporter"},
		{name: "unchecked", change: func(r *Record) { r.Reporter = &Reporter{Auth: "unchecked"} }, want: "review: trust is not checked"},
		{name: "no reporter", change: func(r *Record) { r.Reporter = nil }, want: "review: trust is not checked"},
		{name: "somebody else's signature", change: func(r *Record) { r.Reporter = &Reporter{Auth: "pass", Reason: "signed by another domain"} }, want: "review: not trusted: signed by another domain"},
		{name: "failed", change: func(r *Record) { r.Reporter = &Reporter{Auth: "fail"} }, want: "review: not trusted"},
		{name: "trusted, and failed", change: func(r *Record) { r.Reporter = &Reporter{Auth: "fail", Trusted: true} }, want: "review: trusted without authentication"},
		{name: "old", doubts: []Reason{{CodeHistory, "older than since at first contact"}}, want: "review: older than since at first contact"},
		{name: "all at once", change: func(r *Record) { r.Complainant, r.Reporter = NoOne, nil }, doubts: []Reason{{CodeOverBrake, "over the brake"}},
			want: "review: complainant not known, trust is not checked, over the brake"},
	} {
		reporter := trusted
		rec := Record{Event: Complaint, Class: ClassFBL, FeedbackType: "abuse", Complainant: Named, Recipients: 1, Reporter: &reporter}
		if c.change != nil {
			c.change(&rec)
		}
		s := rec.Decide(c.doubts...)
		if got := string(s.Verdict) + ": " + strings.Join(s.Reasons, ", "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if len(s.Codes) != len(s.Reasons) {
			t.Errorf("%s: codes %v of reasons %q", c.name, s.Codes, s.Reasons)
		}
	}
}

// TestCodes: programs go by the codes, and by the texts of records that have no codes.
func TestCodes(t *testing.T) {
	rec := Record{Event: Complaint, Class: ClassFBL, FeedbackType: "x-unheard", Complainant: Hashed, Reporter: &Reporter{Auth: "none", Code: CodeUnsigned, Reason: "not signed"}}
	s := rec.Decide(Reason{CodeHistory, "old"}, Reason{CodeOverBrake, "many"})
	if want := []Code{CodeUnknownType, CodeHashOnly, CodeUnsigned, CodeHistory, CodeOverBrake}; !slices.Equal(s.Codes, want) {
		t.Errorf("%v, want %v", s.Codes, want)
	}
	for name, test := range map[string]struct {
		s               Suppress
		knowsWho, named bool
	}{
		"yes, named":                     {Suppress{Verdict: SuppressYes, Codes: []Code{CodeNamed}, Reasons: []string{"x"}}, true, true},
		"yes, by a token":                {Suppress{Verdict: SuppressYes, Codes: []Code{CodeToken}, Reasons: []string{"x"}}, true, false},
		"yes, named, before codes":       {Suppress{Verdict: SuppressYes, Reasons: []string{"complaint of class fbl, named, by a trusted reporter"}}, true, true},
		"yes, by a token, before codes":  {Suppress{Verdict: SuppressYes, Reasons: []string{"complaint of class fbl, token, by a trusted reporter"}}, true, false},
		"review, by a hash":              {Suppress{Verdict: SuppressReview, Codes: []Code{CodeHashOnly}, Reasons: []string{"x"}}, false, false},
		"review, of nobody":              {Suppress{Verdict: SuppressReview, Codes: []Code{CodeNobody}, Reasons: []string{"x"}}, false, false},
		"review, unsigned":               {Suppress{Verdict: SuppressReview, Codes: []Code{CodeUnsigned}, Reasons: []string{"complainant not known"}}, true, false},
		"review, by a hash before codes": {Suppress{Verdict: SuppressReview, Reasons: []string{"complainant known by a hash only"}}, false, false},
		"review, of nobody before codes": {Suppress{Verdict: SuppressReview, Reasons: []string{"complainant not known"}}, false, false},
		"no":                             {Suppress{Verdict: SuppressNo, Codes: []Code{CodeEvent}}, false, false},
	} {
		if test.s.KnowsWho() != test.knowsWho || test.s.Named() != test.named {
			t.Errorf("%s: knows who %v, named %v", name, test.s.KnowsWho(), test.s.Named())
		}
	}
}

// TestDecideAll: of every event, class, complainant and trust that there is, yes
// is what the four of them say together, no what event and class say alone.
func TestDecideAll(t *testing.T) {
	trust := map[string]Reporter{
		"trusted": {Auth: "pass", Trusted: true}, "untrusted": {Auth: "pass"}, "fail": {Auth: "fail"}, "none": {Auth: "none"}, "unchecked": {Auth: "unchecked"},
		"trusted, unchecked": {Auth: "unchecked", Trusted: true},
	}
	types := map[Event]string{Complaint: "abuse", OptOut: "opt-out", NotSpam: "not-spam", AuthFailed: "auth-failure", Unparsed: ""}
	yes, no, review := 0, 0, 0
	for event, feedbackType := range types {
		for _, class := range append(Classes, "") {
			for _, complainant := range []Complainant{Named, Hashed, Token, Candidate, NoOne, ""} {
				for name, reporter := range trust {
					rec := Record{Event: event, Class: class, FeedbackType: feedbackType, Complainant: complainant, Recipients: 1, Reporter: &reporter}
					if complainant == Token {
						rec.Identity = &Identity{Subscriber: "4711"}
					}
					acts := (event == Complaint || event == OptOut) && (class == ClassFBL || class == ClassCFBL)
					want := SuppressReview
					switch {
					case !acts:
						want, no = SuppressNo, no+1
					case (complainant == Named || complainant == Token) && name == "trusted":
						want, yes = SuppressYes, yes+1
					default:
						review++
					}
					if got := rec.Decide(); got.Verdict != want || len(got.Reasons) == 0 {
						t.Errorf("%s, %s, %s, %s: %s %v, want %s", event, class, complainant, name, got.Verdict, got.Reasons, want)
					}
				}
			}
		}
	}
	if yes != 8 || review != 136 || no != 1296 {
		t.Errorf("%d yes, %d review, %d no", yes, review, no)
	}
}

// TestIdentify: a subscriber makes a complainant whom nobody names known, and
// its record comparable; of several that are named it makes none.
func TestIdentify(t *testing.T) {
	known := Identity{Status: "identified", Subscriber: "4711"}
	original := &Original{MessageID: "m@example.net"}
	for _, c := range []struct {
		rec         Record
		complainant Complainant
		person      string
	}{
		{Record{Complainant: NoOne}, Token, "4711"},
		{Record{Complainant: Hashed, RcptHash: "0123@example.com"}, Token, "0123@example.com"},
		{Record{Complainant: Named, OriginalRcptTo: "user@example.com"}, Named, "user@example.com"},
		{Record{Complainant: Candidate, OriginalRcptTo: "user@example.com"}, Candidate, "user@example.com"},
	} {
		rec := c.rec
		rec.Event, rec.Provider, rec.Original = Complaint, "example", original
		rec.Identify(known)
		want := digest(string(Complaint), "example", "m@example.net", c.person)
		if rec.Complainant != c.complainant || rec.Fingerprint != want || rec.Identity.Subscriber != "4711" {
			t.Errorf("%+v: %s %s", c.rec, rec.Complainant, rec.Fingerprint)
		}
	}
	nobody := Record{Event: Complaint, Complainant: NoOne, Fingerprint: "stale"}
	if nobody.Identify(Identity{Status: "partial", Campaign: "july"}); nobody.Complainant != NoOne || nobody.Fingerprint != "" {
		t.Errorf("%+v", nobody)
	}
}
