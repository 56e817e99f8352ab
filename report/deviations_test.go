package report

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// reportOf reads a message whose report part has these fields, and whose original
// is a plain one where none is given.
func reportOf(fields, original string) *Report {
	if original == "" {
		original = "Content-Type: message/rfc822\n\nFrom: News <news@news.example.net>\nSubject: July\nMessage-ID: <1@news.example.net>\n\nHello\n"
	}
	return Parse([]byte("From: fbl@example.com\nDate: Mon, 06 Jul 2026 10:00:00 +0000\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n" +
		"--b\nContent-Type: message/feedback-report\n\n" + fields + "\n--b\n" + original + "\n--b--\n"))
}

const leastFields = "Feedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\n"

// TestDeviatingFields: what reporters write into one field, and what is made of
// it: the key's value, what is in the extensions under the field's name, and the
// warnings.
func TestDeviatingFields(t *testing.T) {
	rcpts := func(r *Report) string { return strings.Join(r.OriginalRcptTo, " ") }
	mailFrom := func(r *Report) string { return r.OriginalMailFrom }
	source := func(r *Report) string { return r.SourceIP }
	results := func(r *Report) string { return strings.Join(r.AuthenticationResults, "|") }
	mta := func(r *Report) string {
		if r.ReportingMTA == nil {
			return ""
		}
		return r.ReportingMTA.Type + "|" + r.ReportingMTA.Name
	}
	number := func(r *Report) string { return strings.Repeat("#", r.Incidents) }
	failure := func(r *Report) string { return r.AuthFailure.AuthFailure }
	for _, c := range []struct {
		field      string
		value      func(*Report) string
		want       string
		extensions string // of that field, joined by "|"
		warnings   string
	}{
		{"Source-IP: 192.0.2.10", source, "192.0.2.10", "", ""},
		{"Source-IP: 192.0.2.10 ", source, "192.0.2.10", "", ""},
		{"Source-IP:192.0.2.10", source, "192.0.2.10", "", ""},
		{"source-ip : 192.0.2.10", source, "192.0.2.10", "", ""},
		{"Source-Ip:\n 192.0.2.10", source, "192.0.2.10", "", ""},
		{"Source-IP:", source, "", "", ""},
		{"Source-IP: 192.0.2.10 (mail.news.example.net)", source, "192.0.2.10", "192.0.2.10 (mail.news.example.net)", ""},
		{"Source-IP: 192.0.2.10(mail.news.example.net)", source, "192.0.2.10", "192.0.2.10(mail.news.example.net)", ""},
		{"Source-IP: 192.0.2.10\t[mail.news.example.net];", source, "192.0.2.10", "192.0.2.10\t[mail.news.example.net];", ""},
		{"Source-IP: ::ffff:192.0.2.10", source, "192.0.2.10", "", ""},
		{"Source-IP: 2001:DB8:0:0::25", source, "2001:db8::25", "", ""},
		{"Source-IP: [IPv6:2001:db8::25]", source, "2001:db8::25", "", ""},
		{"Source-IP:\u00a0192.0.2.10", source, "192.0.2.10", "", ""},
		{"Source-IP: x.x.x.x", source, "", "x.x.x.x", "source-ip: cannot be read"},
		{"Source-IP: 192.0.2", source, "", "192.0.2", "source-ip: cannot be read"},

		{"Original-Rcpt-To: user@example.com", rcpts, "user@example.com", "", ""},
		{"Original-Rcpt-To: <user@example.com>", rcpts, "user@example.com", "", ""},
		{"Original-Rcpt-To: <User+a=b@Example.com>", rcpts, "User+a=b@Example.com", "", ""},
		{"Original-Rcpt-To: \"A. User\" <user@example.com>", rcpts, "user@example.com", "\"A. User\" <user@example.com>", ""},
		{"Original-Rcpt-To: a@example.com, b@example.com,<c@example.com>", rcpts, "a@example.com b@example.com c@example.com", "", ""},
		{"Original-Rcpt-To: a@example.com\nOriginal-Rcpt-To: b@example.com", rcpts, "a@example.com b@example.com", "", ""},
		{"Original-Rcpt-To: a@example.com; b@example.com;", rcpts, "a@example.com b@example.com", "", ""},
		{"Original-Rcpt-To: a@example.com b@example.com", rcpts, "a@example.com b@example.com", "", ""},
		{"Original-Rcpt-To: <a@example.com>\n <b@example.com>", rcpts, "a@example.com b@example.com", "", ""},
		{"Original-Rcpt-To: a@example.com <a@example.com>", rcpts, "a@example.com", "a@example.com <a@example.com>", ""},
		{"Original-Rcpt-To: a@example.com <b@example.com>", rcpts, "b@example.com", "a@example.com <b@example.com>", ""},
		{"Original-Rcpt-To: rfc822;user@example.com", rcpts, "user@example.com", "rfc822;user@example.com", ""},
		{"Original-Rcpt-To: RFC822; user@example.com", rcpts, "user@example.com", "RFC822; user@example.com", ""},
		{"Original-Rcpt-To: mailto:user@example.com", rcpts, "user@example.com", "mailto:user@example.com", ""},
		{"Original-Rcpt-To: user@example.com<mailto:user@example.com>", rcpts, "user@example.com", "user@example.com<mailto:user@example.com>", ""},
		{"Original-Rcpt-To: <mailto:user@example.com>", rcpts, "user@example.com", "<mailto:user@example.com>", ""},
		{"Original-Rcpt-To: user@example.com;", rcpts, "user@example.com", "", ""},
		{"Original-Rcpt-To: \"a user\"@example.com", rcpts, "\"a user\"@example.com", "", ""},
		{"Original-Rcpt-To: <\"user, a\"@example.com>, b@example.com", rcpts, "\"user, a\"@example.com b@example.com", "", ""},
		{"Original-Rcpt-To: \"A. User\" user@example.com", rcpts, "user@example.com", "\"A. User\" user@example.com", ""},
		{"Original-Rcpt-To: \"user @example.com", rcpts, "", "\"user @example.com", "original-rcpt-to: not an address"},
		{"Original-Rcpt-To: <us\xe9r@example.com>", rcpts, "", "<us\ufffdr@example.com>", "original-rcpt-to: not an address"},
		{"Original-Rcpt-To:", rcpts, "", "", ""},
		{"Original-Rcpt-To: <>", rcpts, "", "<>", "original-rcpt-to: not an address"},
		{"Original-Rcpt-To: user", rcpts, "", "user", "original-rcpt-to: not an address"},
		{"Original-Rcpt-To: redacted", rcpts, "", "redacted", ""},
		{"Original-Rcpt-To: redacted@example.com", rcpts, "", "redacted@example.com", ""},
		{"Original-Rcpt-To: <Undisclosed Recipients>", rcpts, "", "<Undisclosed Recipients>", ""},
		{"Original-Rcpt-To: undisclosed-recipients:;", rcpts, "", "undisclosed-recipients:;", ""},
		{"Original-Rcpt-To: xxxxx@hotmail.com", rcpts, "", "xxxxx@hotmail.com", ""},
		{"Original-Rcpt-To: us***@hotmail.com", rcpts, "", "us***@hotmail.com", ""},
		{"Original-Rcpt-To: SMTP:user@example.com", rcpts, "user@example.com", "SMTP:user@example.com", ""},
		{"Original-Rcpt-To: to:user@example.com", rcpts, "", "to:user@example.com", "original-rcpt-to: not an address"},
		{"Original-Rcpt-To: a@example.com|b@example.com", rcpts, "", "a@example.com|b@example.com", "original-rcpt-to: not an address"},
		{"Original-Rcpt-To: *****@hotmail.com", rcpts, "", "*****@hotmail.com", ""},
		{"Original-Rcpt-To: 0123456789abcdef0123456789abcdef@example.com", rcpts, "0123456789abcdef0123456789abcdef@example.com", "", ""},

		{"Original-Mail-From: <bounce@news.example.net>", mailFrom, "bounce@news.example.net", "", ""},
		{"Original-Mail-From: \"News\" <news@news.example.net>", mailFrom, "news@news.example.net", "\"News\" <news@news.example.net>", ""},
		{"Original-Mail-From: <>", mailFrom, "<>", "", ""},
		{"Original-Mail-From:", mailFrom, "", "", ""},
		{"Original-Mail-From: MAILER-DAEMON", mailFrom, "MAILER-DAEMON", "", ""},
		{"Original-Mail-From: {{ mail_from }}", mailFrom, "", "{{ mail_from }}", "original-mail-from: cannot be read"},

		{"Authentication-Results:", results, "", "", ""},
		{"Authentication-Results: authentication result string is not available", results, "", "", ""},
		{"Authentication-Results: dmarc=fail (p=none) header.from=example.net", results, "dmarc=fail (p=none) header.from=example.net", "", ""},
		{"Authentication-Results: mx.example.com;\n\tspf=fail\n  smtp.mailfrom=example.net", results, "mx.example.com; spf=fail smtp.mailfrom=example.net", "", ""},
		{"Authentication-Results: a; spf=pass\nAuthentication-Results: b; dkim=pass", results, "a; spf=pass|b; dkim=pass", "", ""},

		{"Reporting-MTA: dns; mx.example.com", mta, "dns|mx.example.com", "", ""},
		{"Reporting-MTA: DNS;mx.example.com", mta, "dns|mx.example.com", "", ""},
		{"Reporting-MTA: unknown-host", mta, "|unknown-host", "", ""},
		{"Incidents: 3", number, "###", "", ""},
		{"Incidents: 3 (since Monday)", number, "###", "3 (since Monday)", ""},
		{"Incidents: 14.1", number, "", "14.1", "incidents: cannot be read"},
		{"Incidents: -1", number, "", "-1", "incidents: cannot be read"},
		{"Auth-Failure: signature (signature verification failed)", failure, "signature (signature verification failed)", "", ""},

		// what has no key
		{"Original-Message-ID: <1@news.example.net>", nil, "", "<1@news.example.net>", ""},
		{"Message-ID: <1@ news.example.net>", nil, "", "<1@ news.example.net>", ""},
		{"Attachment-Password: infected", nil, "", "infected", ""},
		{"Subscription-Link: https://fbl.example.com/s/1", nil, "", "https://fbl.example.com/s/1", ""},
		{"Redacted-Address: redacted\nRedacted-Address: redacted@", nil, "", "redacted|redacted@", ""},
		{"X-Unheard: Größe", nil, "", "Größe", ""},
	} {
		r := reportOf(leastFields+c.field+"\n", "")
		name, _, _ := strings.Cut(strings.ToLower(c.field), ":")
		var warnings []string
		for _, p := range r.Problems {
			warnings = append(warnings, p.Text)
		}
		if got := strings.Join(r.Extensions[strings.TrimSpace(name)], "|"); r.Kind != KindReport || got != c.extensions {
			t.Errorf("%q: %s, extensions %q, want %q", c.field, r.Kind, got, c.extensions)
		}
		if c.value != nil && c.value(r) != c.want {
			t.Errorf("%q: %q, want %q", c.field, c.value(r), c.want)
		}
		if got := strings.Join(warnings, "|"); got != c.warnings {
			t.Errorf("%q: warnings %q, want %q", c.field, got, c.warnings)
		}
	}
}

// TestVersions: all that were seen, as they are.
func TestVersions(t *testing.T) {
	for _, version := range []string{"0.1", "1.0", "1", "0.0.1", "1.3.3", "3", "4"} {
		if r := reportOf("Version: "+version+"\nUser-Agent: X/1\nFeedback-Type: abuse \n", ""); r.Version != version || r.FeedbackType != "abuse" || len(r.Problems) > 0 {
			t.Errorf("%+v", r)
		}
	}
	if r := reportOf("Feedback-Type: abuse\nSource-IP: 192.0.2.10\n", ""); !slices.Equal(r.Problems, []Problem{{"user-agent: missing", false}, {"version: missing", false}}) {
		t.Errorf("%v", r.Problems)
	}
}

// TestArrival: each shape of date in its field, the instant or none, and the text
// in any case.
func TestArrival(t *testing.T) {
	for raw, want := range map[string]string{
		"Mon, 06 Jul 2026 09:58:12 +0000":       "2026-07-06T09:58:12Z",
		"Mon,  6 Jul 2026 05:58:12 -0400 (EDT)": "2026-07-06T09:58:12Z",
		"Thu, 29 Apr 2009 00:00:00 -0000 (EST)": "2009-04-29T00:00:00Z", // a Wednesday; the comment says nothing
		"Mon, 06 Jul 2026 05:58:12 EDT":         "2026-07-06T09:58:12Z",
		"Mon, 06 Jul 2026 02:58:12 PDT":         "2026-07-06T09:58:12Z",
		"Tue, 06 Jan 2026 01:58:12 PST":         "2026-01-06T09:58:12Z",
		"Mon, 06 Jul 2026 09:58:12 UTC":         "2026-07-06T09:58:12Z",
		"Mon, 6 Jul 26 09:58:12 UTC":            "2026-07-06T09:58:12Z",
		"2026-07-06T11:58:12+02:00":             "2026-07-06T09:58:12Z",
		"2026-07-06T09:58:12.000Z":              "2026-07-06T09:58:12Z",
		"06 Jul 2026 09:58:12 +0000 (GMT)":      "2026-07-06T09:58:12Z",
		"17 Feb 2014":                           "",
		"Mon, 06 Jul 2026 09:58:12":             "",
		"lundi 6 juillet 2026 09:58:12 +0000":   "",
		"{{ date }}":                            "",
	} {
		for _, name := range []string{"Arrival-Date", "Received-Date"} {
			r := reportOf(leastFields+name+": "+raw+"\n", "")
			instant := ""
			if !r.ArrivalDate.IsZero() {
				instant = r.ArrivalDate.Format(time.RFC3339)
			}
			lost := slices.Contains(r.Problems, Problem{strings.ToLower(name) + ": no instant", true})
			if instant != want || lost != (want == "") || r.ArrivalDateRaw != raw {
				t.Errorf("%s: %s: %q %q %v, want %q", name, raw, instant, r.ArrivalDateRaw, r.Problems, want)
			}
		}
	}
	if r := reportOf(leastFields, ""); r.ArrivalDateRaw != "" || !r.ArrivalDate.IsZero() {
		t.Errorf("a date out of nothing: %+v", r)
	}
}

// TestDeviatingOriginals: how the reported message comes, and what is read in it:
// from, subject, Message-ID, To, Return-Path, one a line.
func TestDeviatingOriginals(t *testing.T) {
	const header = "Return-Path: <bounce@news.example.net>\nFrom: News <news@news.example.net>\nTo: user@example.com\nSubject: July\nMessage-ID: <1@news.example.net>\n"
	const plain = "news@news.example.net|July|1@news.example.net|user@example.com|bounce@news.example.net"
	subject := func(s string) string { return strings.Replace(header, "July", s, 1) }
	for name, c := range map[string]struct{ part, want string }{
		"headers":                     {"Content-Type: text/rfc822-headers\n\n" + header, plain},
		"header":                      {"Content-Type: text/rfc822-header\n\n" + header, plain},
		"message headers":             {"Content-Type: message/rfc822-headers\n\n" + header, plain},
		"text/rfc822":                 {"Content-Type: text/rfc822; charset=UTF-8\n\n" + header + "\nHello\n", plain},
		"text/plain":                  {"Content-Type: text/plain\n\n" + header + "\nHello\n", plain},
		"binary":                      {"Content-Type: message/rfc822\nContent-Transfer-Encoding: binary\n\n" + header + "\n\x00\x01\xff\n", plain},
		"base64":                      {"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte(header+"\nHello\n")), plain},
		"quoted-printable":            {"Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n" + strings.ReplaceAll(header, "@", "=40") + "\nHello\n", plain},
		"mbox line":                   {"Content-Type: message/rfc822\n\nFrom News Mon Jul  6 09:58:12 2026\n" + header + "\nHello\n", plain},
		"mbox line, quoted by mboxrd": {"Content-Type: message/rfc822\n\n>From \"News\" Mon Jul 06 09:58:12 2026\n" + header + "\nHello\n", plain},
		"mbox line in quotes":         {"Content-Type: message/rfc822\n\n\"From News Mon Jul  6 09:58:12 2026\"\n" + header + "\nHello\n", plain},
		"blank lines first":           {"Content-Type: message/rfc822\n\n\n\n" + header + "\nHello\n", plain},
		"no blank line first":         {"Content-Type: message/rfc822\nContent-Disposition: inline\n" + header + "\nHello\n", plain},
		"a multipart without parts":   {"Content-Type: multipart/mixed; boundary=none\n\n" + header + "\nHello\n", plain},
		"headers, no blank line":      {"Content-Type: text/rfc822-headers\n" + header, plain},
		"a header in the part's, too": {"Content-Type: message/rfc822\nDate: Mon, 06 Jul 2026 10:00:00 +0000\nFrom: fbl@example.com\n\n" + header + "\nHello\n", plain},
		"a blank line in the header":  {"Content-Type: message/rfc822\n\nFrom: News <news@news.example.net>\nReceived: from a by b; Mon, 06 Jul 2026 09:58:12 +0000\n\nTo: user@example.com\nSubject: July\nMessage-ID: 1@news.example.net\n\nHello\n", "news@news.example.net|July|1@news.example.net|user@example.com|"},
		"a body like a header":        {"Content-Type: message/rfc822\n\nDate: Mon, 06 Jul 2026 09:58:00 +0000\nSubject: July\n\nFrom: somebody@example.org\nTo: nobody@example.org\n", "|July|||"},
		"folding lost":                {"Content-Type: message/rfc822\n\nReceived: from mail.news.example.net\nby mx.example.com\nwith ESMTP; Mon, 06 Jul 2026 09:58:12 +0000\nDKIM-Signature: v=1; a=rsa-sha256;\nh=from:to:subject;\nb=abc\n" + header + "\nHello\n", plain},
		"binary junk":                 {"Content-Type: message/rfc822\n\n\x01\x02 junk\n" + header + "\nHello\n", plain},
		"REDACTED":                    {"Content-Type: message/rfc822\n\nREDACTED\n", ""},
		"nothing":                     {"Content-Type: message/rfc822\n\n", ""},
		"nothing, then a header":      {"Content-Type: message/rfc822\n\n\n--b\nContent-Type: text/rfc822-headers\n\n" + header, plain},
		"only a CFBL-Feedback-ID":     {"Content-Type: text/rfc822-headers; charset=UTF-8\n\nCFBL-Feedback-ID: 111:222:\n  333:4444\n", "||||"},
		"two Message-IDs":             {"Content-Type: message/rfc822\n\nMessage-ID: <hop@mx.example.com>\n" + header + "\nHello\n", plain},
		"Message-ID without brackets": {"Content-Type: message/rfc822\n\n" + strings.NewReplacer("<1@", "1@", "net>\n", "net\n").Replace(header) + "\nHello\n", plain},
		"two Return-Paths":            {"Content-Type: message/rfc822\n\nReturn-Path: group+1@mx.example.com\n" + header + "\nHello\n", plain},
		"To redacted":                 {"Content-Type: message/rfc822\n\n" + strings.Replace(header, "user@example.com", "redacted@example.com", 1) + "\nHello\n", strings.Replace(plain, "user@", "redacted@", 1)},
		"To undisclosed":              {"Content-Type: message/rfc822\n\n" + strings.Replace(header, "user@example.com", "undisclosed-recipients:;", 1) + "\nHello\n", strings.Replace(plain, "user@example.com", "", 1)},
		"a template":                  {"Content-Type: message/rfc822\n\n" + strings.NewReplacer("News <news@news.example.net>", "{{ sender }}", "user@example.com", "{{ rcpt }}", "<bounce@news.example.net>", "{{ return_path }}").Replace(header) + "\nHello\n", "{{ sender }}|July|1@news.example.net||{{ return_path }}"},
		"gb2312":                      {"Content-Type: message/rfc822\n\n" + subject("=?gb2312?B?xt/UwtDCzsU=?=") + "\nHello\n", strings.Replace(plain, "July", "七月新闻", 1)},
		"gbk":                         {"Content-Type: message/rfc822\n\n" + subject("=?gbk?B?xt/UwtDCwoQ=?=") + "\nHello\n", strings.Replace(plain, "July", "七月新聞", 1)},
		"big5":                        {"Content-Type: message/rfc822\n\n" + subject("=?big5?B?pEOk67dzu0Q=?=") + "\nHello\n", strings.Replace(plain, "July", "七月新聞", 1)},
		"iso-2022-jp":                 {"Content-Type: message/rfc822\n\n" + subject("=?ISO-2022-JP?B?GyRCPDc3biROJCpDTiRpJDsbKEI=?=") + "\nHello\n", strings.Replace(plain, "July", "七月のお知らせ", 1)},
		"windows-1251, two words":     {"Content-Type: message/rfc822\n\n" + subject("=?windows-1251?B?ze7i7vHy6A==?=\n =?windows-1251?Q?_=E8=FE=EB=FF?=") + "\nHello\n", strings.Replace(plain, "July", "Новости июля", 1)},
		"8-bit, its charset named":    {"Content-Type: message/rfc822\n\nContent-Type: text/plain; charset=windows-1251\n" + subject("\xcd\xee\xe2\xee\xf1\xf2\xe8") + "\nHello\n", strings.Replace(plain, "July", "Новости", 1)},
		"8-bit UTF-8":                 {"Content-Type: message/rfc822\n\n" + subject("Größe") + "\nHello\n", strings.Replace(plain, "July", "Größe", 1)},
		"8-bit of no charset":         {"Content-Type: message/rfc822\n\n" + subject("Gr\xf6\xdfe") + "\nHello\n", strings.Replace(plain, "July", "Gr\ufffde", 1)},
		"a charset nobody knows":      {"Content-Type: message/rfc822\n\n" + subject("=?x-unheard?B?ze7i?=") + "\nHello\n", strings.Replace(plain, "July", "=?x-unheard?B?ze7i?=", 1)},
		"itself a bounce":             {"Content-Type: message/rfc822\n\nFrom: MAILER-DAEMON@news.example.net\nSubject: Undelivered\nContent-Type: multipart/report; report-type=delivery-status; boundary=in\n\n--in\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; other.example.net\nArrival-Date: Mon, 01 Jun 2026 00:00:00 +0000\n\n--in--\n", "MAILER-DAEMON@news.example.net|Undelivered|||"},
		"itself a report":             {"Content-Type: message/rfc822\n\nFrom: fbl@other.example.net\nSubject: FW\nContent-Type: multipart/report; report-type=feedback-report; boundary=in\n\n--in\nContent-Type: message/feedback-report\n\nFeedback-Type: fraud\nSource-IP: 203.0.113.1\n\n--in--\n", "fbl@other.example.net|FW|||"},
	} {
		r := reportOf(leastFields, c.part)
		got := ""
		if o := r.Original; o != nil {
			got = strings.Join([]string{o.From, o.Subject, o.MessageID, strings.Join(o.To, " "), o.ReturnPath}, "|")
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if r.FeedbackType != "abuse" || r.SourceIP != "" || r.ReportingMTA != nil || r.ArrivalDateRaw != "" || len(r.OriginalRcptTo) > 0 {
			t.Errorf("%s: the report is read in its original: %+v", name, r)
		}
		for _, key := range slices.Sorted(maps.Keys(r.Derived)) {
			if key != "original_mail_from" {
				t.Errorf("%s: derived %s", name, key)
			}
		}
	}
}

// TestBlankNames: a blank stands for the hyphen of a name that is known, and
// what has none is a line that is no field.
func TestBlankNames(t *testing.T) {
	r := reportOf("Version: 1\nFeedback Type: abuse\nuser agent : X/1\nAuthentication Results: mx.example.com;\n  spf=pass\nSource IP://x\nReported URI\nMy Own: 1\n", "")
	if r.Kind != KindReport || r.FeedbackType != "abuse" || r.UserAgent != "X/1" || !slices.Equal(r.AuthenticationResults, []string{"mx.example.com; spf=pass"}) {
		t.Errorf("%s %+v", r.Kind, r)
	}
	if want := []string{"Source IP://x", "Reported URI", "My Own: 1"}; !slices.Equal(r.Extensions["_lines"], want) {
		t.Errorf("%q, want %q", r.Extensions["_lines"], want)
	}
	if got := r.Header(FromReport).Values("feedback-type"); !slices.Equal(got, []string{"abuse"}) {
		t.Errorf("the header has %q", got)
	}
	if r := reportOf("> Feedback Type: abuse\n> Source IP: 192.0.2.10\n", ""); r.FeedbackType != "abuse" || r.SourceIP != "192.0.2.10" {
		t.Errorf("quoted: %s %+v", r.Kind, r)
	}
	if r := Parse([]byte("From: fbl@example.com\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/feedback-report\nFeedback-Type: abuse\nSource IP: 192.0.2.10\n\nReported Domain: example.net\n--b--\n")); !slices.Equal(r.ReportedDomain, []string{"example.net"}) || r.SourceIP != "" {
		t.Errorf("in the part's header: %+v", r)
	}
}
