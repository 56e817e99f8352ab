package report

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/message"
)

func TestProviders(t *testing.T) {
	from := func(addr string) Outer { return Outer{From: addr, FromDomain: message.DomainOf(addr)} }
	source := func(v string) map[string][]string { return map[string][]string{"source": {v}} }
	for _, c := range []struct{ name, want string }{
		// provider, feed, dialect, class
		{"a loop that nobody knows", "example.co.uk unknown rfc5965 fbl"},
		{"no From", "unknown unknown rfc5965 fbl"},
		{"a suffix itself", "co.uk unknown rfc5965 fbl"},
		{"DMARC", "example.com unknown rfc6591 auth"},
		{"CFBL", "example.com cfbl cfbl-arf cfbl"},
		{"CFBL, to a provider's own loop", "yahoo cfl yahoo fbl"},
		{"staff@hotmail.com alone", "hotmail.com unknown rfc5965 fbl"},
		{"JMRP of 2026", "microsoft jmrp jmrp-arf2026 fbl"},
		{"a DMARC failure of Microsoft", "microsoft dmarc dmarc-hotmail auth"},
		{"Validity by Source", "validity comcast returnpath2 fbl"},
		{"Validity by its alias", "validity rackspace returnpath2 fbl"},
		{"Validity, an alias of italiaonline", "validity italiaonline returnpath2 fbl"},
		{"Validity, an alias of mailru", "validity mailru returnpath1 fbl"},
		{"Validity, an alias of yandex, by no known program", "validity yandex rfc5965 fbl"},
		{"Validity, an alias of laposte", "validity laposte returnpath2 fbl"},
		{"Validity, opensrs by the local part", "validity opensrs returnpath2 fbl"},
		{"Validity, bluetie by the host", "validity bluetie rfc5965 fbl"},
		{"a host that only ends like an alias", "notsenderscore.net unknown rfc5965 fbl"},
		{"Validity, Source before an alias", "validity comcast returnpath2 fbl"},
		{"Validity, Source before From", "validity cox returnpath1 fbl"},
		{"Validity, a feed that is new", "validity unknown returnpath2 fbl"},
		{"Return Path without a User-Agent", "validity fastmail returnpath1 fbl"},
		{"EarthLink's Feedback-Agent", "validity unknown returnpath1 fbl"},
		{"Yahoo through SES", "yahoo cfl yahoo-ses fbl"},
		{"a person at a provider", "mail.ru unknown rfc5965 fbl"},
		{"the provider's loop", "mailru fbl rfc5965 fbl"},
		{"dialect before From", "aol scomp aol fbl"},
		{"a trap", "abusix traps abusix trap"},
		{"a forward, at a provider's address", "spamcop reports forward service"},
		{"redirected", "swisscom fbl redirected fbl"},
		{"X-ARF in a report part", "example.com unknown rfc5965 network"},
		{"OpenDMARC is run by anybody", "example.org dmarc dmarc-opendmarc auth"},
	} {
		r := map[string]Report{
			"a loop that nobody knows":           {FeedbackType: "abuse", Outer: from("fbl@mail.example.co.uk")},
			"no From":                            {FeedbackType: "abuse"},
			"a suffix itself":                    {FeedbackType: "abuse", Outer: from("a@co.uk")},
			"DMARC":                              {FeedbackType: "auth-failure", Outer: from("a@example.com")},
			"CFBL":                               {FeedbackType: "abuse", Outer: from("a@example.com"), Original: &Original{CFBLFeedbackID: "1"}},
			"CFBL, to a provider's own loop":     {FeedbackType: "abuse", UserAgent: "Yahoo!-Mail-Feedback/2.0", cfbl: true},
			"staff@hotmail.com alone":            {FeedbackType: "abuse", Outer: from("staff@hotmail.com")},
			"JMRP of 2026":                       {FeedbackType: "abuse", UserAgent: "JMRP/1.0", Outer: from("staff@hotmail.com")},
			"a DMARC failure of Microsoft":       {FeedbackType: "auth-failure", UserAgent: "XMR/2.2", Outer: from("staff@hotmail.com")},
			"Validity by Source":                 {FeedbackType: "abuse", UserAgent: "ReturnPathFBL/2.0", Extensions: source("Comcast")},
			"Validity by its alias":              {FeedbackType: "abuse", UserAgent: "ReturnPathFBL/2.0", Outer: from("feedbackloop@rackspacefbl.senderscore.net")},
			"Validity, an alias of italiaonline": {FeedbackType: "abuse", UserAgent: "ReturnPathFBL/2.0", Outer: from("feedbackloop@fbl.italiaonline.net")},
			"Validity, an alias of mailru":       {FeedbackType: "abuse", UserAgent: "ReturnPathFBL/1.0", Outer: from("Feedbackloop@MailRu.SenderScore.net")},
			"Validity, an alias of yandex, by no known program": {FeedbackType: "abuse", Outer: from("feedbackloop@yandexfbl.senderscore.net")},
			"Validity, an alias of laposte":                     {FeedbackType: "abuse", UserAgent: "ReturnPathFBL/2.0", Outer: from("fbl@laposte.senderscore.net")},
			"Validity, opensrs by the local part":               {FeedbackType: "abuse", UserAgent: "ReturnPathFBL/2.0", Outer: from("fbl-opensrs@returnpath.net")},
			"Validity, bluetie by the host":                     {FeedbackType: "abuse", Outer: from("feedback@fbl-bluetie.senderscore.net")},
			"a host that only ends like an alias":               {FeedbackType: "abuse", Outer: from("feedback@laposte.notsenderscore.net")},
			"Validity, Source before an alias":                  {FeedbackType: "abuse", UserAgent: "ReturnPathFBL/2.0", Outer: from("f@mailru.senderscore.net"), Extensions: source("Comcast")},
			"Validity, Source before From":                      {FeedbackType: "abuse", UserAgent: "ReturnPathFBL/1.0", Outer: from("feedbackloop@comcastfbl.senderscore.net"), Extensions: source("cox")},
			"Validity, a feed that is new":                      {FeedbackType: "abuse", UserAgent: "ReturnPathFBL/2.0", Outer: from("feedbackloop@newfbl.senderscore.net"), Extensions: source("New")},
			"Return Path without a User-Agent":                  {FeedbackType: "abuse", Outer: from("feedbackloop@fbl.fastmail.fm"), Extensions: map[string][]string{"abuse-type": {"complaint"}}},
			"EarthLink's Feedback-Agent":                        {FeedbackType: "abuse", Extensions: map[string][]string{"feedback-agent": {"ReturnPathFBL/1.0"}}},
			"Yahoo through SES":                                 {FeedbackType: "abuse", UserAgent: "Yahoo!-Mail-Feedback/2.0", Outer: from("complaints@email-abuse.amazonses.com")},
			"a person at a provider":                            {FeedbackType: "abuse", Outer: from("ivan@mail.ru")},
			"the provider's loop":                               {FeedbackType: "abuse", Outer: from("fbl@corp.mail.ru")},
			"dialect before From":                               {FeedbackType: "abuse", UserAgent: "AOL SComp", Outer: from("fbl@corp.mail.ru")},
			"a trap":                                            {FeedbackType: "abuse", UserAgent: "abusix-py/0.1", Outer: from("no-reply@example.org")},
			"a forward, at a provider's address":                {Dialect: "forward", Class: "service", Event: Complaint, Outer: from("a@spamcop.net")},
			"redirected":                                        {Dialect: "redirected", Class: "fbl", Event: Complaint, Outer: from("news@example.net"), Extensions: map[string][]string{"redirected-by": {"fbl@bluewin.ch"}}},
			"X-ARF in a report part":                            {FeedbackType: "xarf", Outer: from("a@example.com")},
			"OpenDMARC is run by anybody":                       {FeedbackType: "auth-failure", UserAgent: "OpenDMARC-Filter/1.3.0", Outer: from("a@mx.example.org")},
		}[c.name]
		p := Providers(nil).Of(&r)
		if got := strings.Join([]string{p.Name, p.Feed, r.dialect(), string(p.Class)}, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestProvidersOwn: the user's rows come first where they match equally well,
// and take nothing that they do not name.
func TestProvidersOwn(t *testing.T) {
	own := Providers{
		{Name: "validity", Feed: "newisp", Dialects: []string{"returnpath2"}, Sources: []string{"NewISP"}, Hashes: true},
		{Name: "acme", Class: ClassTrap, From: []string{"acme.example.com"}},
		{Name: "signer", Feed: "loop", Signed: []string{"signer.example.com"}},
		{Name: "agent", UserAgents: []string{"agentfbl/"}},
	}
	if err := own.Validate(); err != nil {
		t.Fatal(err)
	}
	signed := Parse([]byte("DKIM-Signature: v=1; d=Mail.Signer.example.com; b=x\nFrom: fbl@acme.example.com\n" +
		"Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: AgentFBL/1\nVersion: 1\n"))
	for want, r := range map[string]*Report{
		"validity newisp fbl":         {FeedbackType: "abuse", UserAgent: "ReturnPathFBL/2.0", Extensions: map[string][]string{"source": {"newisp"}}},
		"validity comcast fbl":        {FeedbackType: "abuse", UserAgent: "ReturnPathFBL/2.0", Extensions: map[string][]string{"source": {"Comcast"}}},
		"validity unknown fbl":        {FeedbackType: "abuse", UserAgent: "ReturnPathFBL/2.0"},
		"acme unknown trap":           {FeedbackType: "abuse", Outer: Outer{From: "x@a.acme.example.com"}},
		"acme unknown auth":           {FeedbackType: "auth-failure", Outer: Outer{From: "x@acme.example.com"}},
		"notacme.example unknown fbl": {FeedbackType: "abuse", Outer: Outer{From: "x@notacme.example"}},
		"agent unknown fbl":           {FeedbackType: "abuse", UserAgent: "AgentFBL/2"},
		"signer loop fbl":             signed, // signed before User-Agent before From
		"yahoo cfl fbl":               {FeedbackType: "abuse", UserAgent: "Yahoo!-Mail-Feedback/1.0", Outer: Outer{From: "x@acme.example.com"}},
	} {
		p := own.Of(r)
		if got := p.Name + " " + p.Feed + " " + string(p.Class); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestProvidersOfOwnHeader: that our own message asks for CFBL reports, or that its
// report is sent by a program, makes no stranger of a loop that signs.
func TestProvidersOfOwnHeader(t *testing.T) {
	const signed = "DKIM-Signature: v=1; d=corp.mail.ru; b=x\n"
	for header, want := range map[string]string{
		signed + "From: fbl@corp.mail.ru\n":      "mailru fbl fbl",
		"From: fbl@corp.mail.ru\n":               "mail.ru cfbl cfbl",
		signed + "From: fbl@mail.example.net\n":  "example.net cfbl cfbl",
		signed + "From: ivan@corp.mail.ru\n":     "mail.ru cfbl cfbl",
		signed + "From: Feedback@Corp.Mail.RU\n": "mailru fbl fbl",
	} {
		r := Parse([]byte(header + "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: FBL/1.0\nVersion: 1\n" +
			"--b\nContent-Type: message/rfc822\n\nCFBL-Address: fbl@example.com\nFrom: news@example.com\nSubject: s\n\n--b--\n"))
		p := Providers(nil).Of(r)
		if got := p.Name + " " + p.Feed + " " + string(p.Class); got != want || r.dialect() != "cfbl-arf" {
			t.Errorf("%s: %s, want %s", header, got, want)
		}
	}
}

// TestProvidersChange: a provider whose reports look otherwise from one day to the
// next is known by its own domain.
func TestProvidersChange(t *testing.T) {
	for from, want := range map[string]string{
		"feedback@arf.mail.yahoo.com": "yahoo cfl fbl true",
		"feedback@yahoo.com":          "yahoo.com unknown fbl false",
		"fbl@mail.validity.com":       "validity unknown fbl true",
		"staff@hotmail.com":           "hotmail.com unknown fbl false", // says many things
	} {
		p := Providers(nil).Of(Parse([]byte("From: " + from + "\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: Anew/1\nVersion: 1\n")))
		if got := fmt.Sprint(p.Name, " ", p.Feed, " ", p.Class, " ", len(p.Signed) > 0); got != want {
			t.Errorf("%s: %s, want %s", from, got, want)
		}
	}
}

func TestProvidersValidate(t *testing.T) {
	if err := Providers(builtin).Validate(); err != nil {
		t.Error(err)
	}
	for _, row := range builtin {
		if len(row.Dialects)+len(row.From) == 0 {
			t.Errorf("%s %s: builtinBy does not find it", row.Name, row.Feed)
		}
	}
	for want, row := range map[string]Provider{
		"row 1: needs one of dialects, signed, user_agents, sources, from":            {Name: "a"},
		"row 1: says nothing: needs a provider, a feed or a class":                    {From: []string{"a@example.com"}},
		`row 1: class must be one of fbl, cfbl, trap, service, filter, network, auth`: {Name: "a", Class: "spam", From: []string{"example.com"}},
		"row 1: dialects[1] is none of abusix, aol, cfbl-arf, cfbl-xarf, dmarc-hotmail, dmarc-lua, dmarc-netease, dmarc-opendmarc, dmarc-plaintext, dnsblde, forward, jmrp, jmrp-arf2026, m365-user, nixspam, opendkim, redirected, " +
			"returnpath1, returnpath2, rfc5965, rfc6591, ses-json, sieve-report, spamcop, spamcop-plain, spamexperts, spfbl, unknown, xarf, xarf-blocklistde, xarf-cleanmx, xarf-netcraft, xarf-v3mail, xarf-v4mail, yahoo, yahoo-ses, zimbra, zoho": {Name: "a", Dialects: []string{"AOL", "yaho"}},
		"row 1: an empty string in a list": {Name: "a", From: []string{"a@example.com"}, Hosts: []string{""}},
		`row 1: from[0] must be a domain, or an address whose local part may begin or end with *`: {Name: "a", From: []string{"a*b@example.com"}},
	} {
		if err := (Providers{row}).Validate(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestNotes: providers.md has a note on every dialect and names its fixture.
func TestNotes(t *testing.T) {
	b, err := os.ReadFile("../providers.md")
	if err != nil {
		t.Fatal(err)
	}
	notes := string(b)
	for _, d := range dialects {
		if !strings.Contains(notes, "\n| "+d.name) && !strings.Contains(notes, ", "+d.name+" | ") {
			t.Errorf("no note on %s", d.name)
		}
	}
	for _, f := range fixtures(t) {
		if strings.HasPrefix(f.name, "dialect-") && !strings.Contains(notes, f.name) {
			t.Errorf("no note names %s", f.name)
		}
	}
	for _, row := range builtin {
		if row.Name != "" && !strings.Contains(notes, row.Name) {
			t.Errorf("no note on %s", row.Name)
		}
	}
}
