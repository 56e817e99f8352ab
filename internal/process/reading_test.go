package process

import (
	"slices"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/privacy"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

// TestReading: the verdict is yes only for a report that our own server found
// genuine, of a known reporter, about our message.
func TestReading(t *testing.T) {
	signed := sample.Signed(1)
	whom := trust.Config{
		Own:         trust.Own{Domains: []string{"example.com"}},
		DKIM:        new(false),
		AuthservIDs: []string{"mx.example.com"},
		Reporters:   []string{"fbl.example.net"},
	}
	foreign, stranger := whom, whom
	foreign.Own = trust.Own{Domains: []string{"example.org"}}
	stranger.Reporters = nil
	for name, test := range map[string]struct {
		message []byte
		trust   trust.Config
		verdict report.Verdict
	}{
		"genuine and ours":        {signed, whom, report.SuppressYes},
		"about a foreign message": {signed, foreign, report.SuppressReview},
		"unknown reporter":        {signed, stranger, report.SuppressReview},
		"not signed":              {sample.Report(1, 0), whom, report.SuppressReview},
		"nobody is believed":      {signed, trust.Config{}, report.SuppressReview},
	} {
		t.Run(name, func(t *testing.T) {
			trust, err := trust.New(test.trust, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			identifier, err := identify.New(identify.Config{})
			if err != nil {
				t.Fatal(err)
			}
			g := Rules{Identify: identifier, Trust: trust}
			r := report.Parse(test.message)
			records, needsWhole := g.Records(t.Context(), r, test.message, true, report.Envelope{})
			if needsWhole || len(records) != 1 {
				t.Fatalf("%d records, needsWhole %v", len(records), needsWhole)
			}
			rec := records[0]
			if rec.Suppress.Verdict != test.verdict {
				t.Errorf("verdict %s (%v), want %s; reporter %+v", rec.Suppress.Verdict, rec.Suppress.Reasons, test.verdict, *rec.Reporter)
			}
			if rec.Identity.Campaign != "digest-000" { // of the Feedback-ID
				t.Errorf("identity %+v", *rec.Identity)
			}
		})
	}
}

// TestPrivacyOfTokens: where the report names nobody, a token that holds the
// recipient's address is hidden all the same, also with no rule on.
func TestPrivacyOfTokens(t *testing.T) {
	filter, err := privacy.New(privacy.Config{Addresses: "drop"})
	if err != nil {
		t.Fatal(err)
	}
	message := []byte(reportOf("staff@hotmail.com", jmrpFields, "Return-Path: <bounce+mary=example.org@mail.example.com>\n"+
		"List-Unsubscribe: <https://example.com/u?email=mary%40example.org>\n"+ourHeader+"\n"))
	g := Rules{Privacy: filter}
	r := report.Parse(message)
	records, _ := g.Records(t.Context(), r, message, true, report.Envelope{})
	if len(records) != 1 {
		t.Fatalf("%d records", len(records))
	}
	for name, stored := range map[string]string{"record": string(records[0].AppendJSON(nil)), "head": string(g.Head(message, r))} {
		if strings.Contains(stored, "mary") || !strings.Contains(stored, "bounce+redacted@mail.example.com") {
			t.Errorf("%s: %s", name, stored)
		}
	}
}

// TestReadingSeveral: of reports attached to one message each names its own
// subscriber, and the message's sender vouches for none of them.
func TestReadingSeveral(t *testing.T) {
	part := func(n int) string {
		return "--b\r\nContent-Type: message/rfc822\r\n\r\n" + string(sample.Report(n, 0))
	}
	message := []byte("Authentication-Results: mx.example.com; dkim=pass header.d=fbl.example.net\r\nReceived: from fbl.example.net by mx.example.com; Mon, 02 Mar 2026 06:00:01 +0000\r\n" +
		"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=fbl.example.net; s=s; h=from:date:message-id:mime-version:content-type:content-transfer-encoding; bh=AAAA; b=AAAA\r\nFrom: fbl@fbl.example.net\r\nDate: Mon, 02 Mar 2026 06:00:00 +0000\r\n" +
		"Message-ID: <1@fbl.example.net>\r\nContent-Type: multipart/digest; boundary=b\r\n\r\n" + part(1) + part(2) + part(3) + "--b--\r\n")
	g := Rules{Trust: checker(t, trust.Config{
		Own: trust.Own{IPs: []string{"192.0.2.0/24"}}, DKIM: new(false), AuthservIDs: []string{"mx.example.com"}, Reporters: []string{"fbl.example.net"},
	})}
	g.Identify = identifier(t, identify.Config{Rules: []identify.Rule{{From: "original:List-Unsubscribe", Match: `example\.com/u/[^/]+/(?P<subscriber>[0-9]+)>`}}})
	r := report.Parse(message)
	records, _ := g.Records(t.Context(), r, message, true, report.Envelope{})
	var got []string
	for _, rec := range records {
		got = append(got, rec.OriginalRcptTo+" "+rec.Identity.Subscriber+" "+string(rec.Suppress.Verdict)+" "+string(rec.Reporter.Code))
	}
	if want := []string{
		"user1@example.com 1 review second_hand",
		"user2@example.com 2 review several_reports",
		"user3@example.com 3 review several_reports",
	}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, addresses := range []string{"keep", "hash", "drop"} {
		kept := g
		kept.Privacy = filter(t, addresses, "keep")
		s := shelve(t, kept, message, len(message))
		if outcome := s.again(kept); outcome != Same {
			t.Errorf("%s, read again: %s", addresses, outcome)
		}
		head, err := s.l.Head(t.Context(), r.ID)
		if err != nil || addresses != "keep" && strings.Contains(string(head), "user3@") {
			t.Errorf("%s: the kept head names a complainant, %v", addresses, err)
		}
		for i, rec := range s.records() {
			if want := []string{"1", "2", "3"}[i]; rec.Identity.Subscriber != want {
				t.Errorf("%s: %s is subscriber %q, want %q", addresses, rec.ID, rec.Identity.Subscriber, want)
			}
		}
	}
}

// TestPrivacyOfDisputedTokens: where tokens name several, nobody is identified,
// and each of them is hidden.
func TestPrivacyOfDisputedTokens(t *testing.T) {
	filter, err := privacy.New(privacy.Config{Addresses: "drop"})
	if err != nil {
		t.Fatal(err)
	}
	for name, header := range map[string]string{
		"one field":                "X-ListMember: mary@example.org\nX-ListMember: peter@example.net\n",
		"a VERP that is not clear": "Return-Path: <bounce-mary-peter=example.net@mail.example.com>\n",
		"two rules":                "X-ListMember: mary@example.org\nReturn-Path: <bounce+peter=example.net@mail.example.com>\n",
	} {
		message := []byte(reportOf("staff@hotmail.com", jmrpFields, header+ourHeader+"\n"))
		g := Rules{Privacy: filter}
		r := report.Parse(message)
		records, _ := g.Records(t.Context(), r, message, true, report.Envelope{})
		if len(records) != 1 {
			t.Fatalf("%d records", len(records))
		}
		for where, stored := range map[string]string{"record": string(records[0].AppendJSON(nil)), "head": string(g.Head(message, r))} {
			if strings.Contains(stored, "mary") || strings.Contains(stored, "peter") {
				t.Errorf("%s, %s: %s", name, where, stored)
			}
		}
	}
}
