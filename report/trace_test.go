package report

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sparse is a JMRP report of 2026: it holds nothing that could be left out.
func sparse(original, more string) []byte {
	return []byte("From: staff@hotmail.com\nDate: Mon, 06 Jul 2026 10:00:00 +0000\nMessage-ID: <1@hotmail.com>\n" +
		"Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n" +
		"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: JMRP/1.0\nVersion: 1\n" + more + "\n" +
		"--b\nContent-Type: text/rfc822-headers\n\n" + original + "From: news@news.example.net\nSubject: s\n\n--b--\n")
}

const (
	spf    = "Received-SPF: Pass (protection.outlook.com: domain of news.example.net designates\n 192.0.2.9 as permitted sender) receiver=protection.outlook.com;\n client-ip=192.0.2.9; helo=mail.news.example.net;\n"
	inner  = "Received: from A.prod.outlook.com (2603:10b6::1) by B.prod.outlook.com\n (2603:10b6::2) with HTTPS; Mon, 6 Jul 2026 09:58:15 +0000\n"
	border = "Received: from mail.news.example.net (192.0.2.10) by\n DB5EUR.mail.protection.outlook.com (10.152.20.1) with Microsoft SMTP Server;\n Mon, 6 Jul 2026 09:58:12 +0000\n"
	own    = "Received: from app ([192.0.2.77]) by mail.news.example.net; Mon, 6 Jul 2026 09:58:00 +0000\n"
)

func TestDerived(t *testing.T) {
	arrived := time.Date(2026, 7, 6, 9, 58, 12, 0, time.UTC)
	for _, c := range []struct {
		name, original, report string
		ip                     string
		date                   time.Time
		derived                map[string]string
	}{
		{"the provider's SPF, and its border", spf + inner + border + own, "", "192.0.2.9", arrived,
			map[string]string{"source_ip": "original:Received-SPF", "arrival_date": "original:Received[2]"}},
		{"the border alone", inner + border + own, "", "192.0.2.10", arrived,
			map[string]string{"source_ip": "original:Received[2]", "arrival_date": "original:Received[2]"}},
		{"another's SPF", strings.Replace(spf, "protection.outlook.com", "mx.news.example.net", 2) + border, "", "192.0.2.10", arrived,
			map[string]string{"source_ip": "original:Received[1]", "arrival_date": "original:Received[1]"}},
		{"an SPF without an address", "Received-SPF: pass (protection.outlook.com: domain of a designates 192.0.2.1)\n" + border, "", "192.0.2.10", arrived,
			map[string]string{"source_ip": "original:Received[1]", "arrival_date": "original:Received[1]"}},
		{"no host of the provider", own, "", "", time.Time{}, nil},
		{"inner hops only", inner, "", "", time.Time{}, nil},
		{"a host of the provider by its private address", "Received: from 127.0.0.1 by mx1.hotmail.com with HTTP; Mon, 6 Jul 2026 09:58:15 +0000\n" +
			"Received: from 192.0.2.10 (EHLO mail.news.example.net) by 10.253.62.170 with SMTPs; Mon, 6 Jul 2026 09:58:12 +0000\n" + own, "", "192.0.2.10", arrived,
			map[string]string{"source_ip": "original:Received[2]", "arrival_date": "original:Received[2]"}},
		{"a private address of somebody else", "Received: from 192.0.2.10 (EHLO a) by 10.253.62.170 with SMTPs; Mon, 6 Jul 2026 09:58:12 +0000\n" + own, "", "", time.Time{}, nil},
		{"an address that nobody is reached at", "Received: from mail.news.example.net (10.0.0.5) by mx1.hotmail.com; Mon, 6 Jul 2026 09:58:12 +0000\n" + own, "", "", arrived,
			map[string]string{"arrival_date": "original:Received[1]"}},
		{"X-Originating-IP and Delivered-To are no source", "X-Originating-IP: [192.0.2.5]\nDelivered-To: user@hotmail.com\n" + own, "", "", time.Time{}, nil},
		{"another's SPF below the border", border + spf, "", "192.0.2.10", arrived,
			map[string]string{"source_ip": "original:Received[1]", "arrival_date": "original:Received[1]"}},
		{"SPF, and no hop that says whether it is the provider's", spf, "", "", time.Time{}, nil},
		{"our SPF above a hop in doubt", spf + "Received: from a b (192.0.2.77) by mx1.hotmail.com; Mon, 6 Jul 2026 09:58:12 +0000\n" + border, "", "192.0.2.9", time.Time{},
			map[string]string{"source_ip": "original:Received-SPF"}},
		{"a name of the provider's at a public address", "Received: from mx9.hotmail.com (203.0.113.9) by mx1.hotmail.com; Mon, 6 Jul 2026 09:58:12 +0000\n" + border, "", "", time.Time{}, nil},
		{"a hop in the greeting", "Received: from a (192.0.2.77) by mx1.hotmail.com with SMTP (203.0.113.9) by mx1.hotmail.com; Mon, 6 Jul 2026 09:58:12 +0000\n" + border, "", "", time.Time{}, nil},
		{"an address as the greeting", "Received: from [192.0.2.77] by mx1.hotmail.com; Mon, 6 Jul 2026 09:58:12 +0000\n" + border, "", "", time.Time{}, nil},
		{"an address in the greeting", "Received: from a,192.0.2.77 (203.0.113.9) by mx1.hotmail.com; Mon, 6 Jul 2026 09:58:12 +0000\n" + border, "", "203.0.113.9", arrived,
			map[string]string{"source_ip": "original:Received[1]", "arrival_date": "original:Received[1]"}},
		{"a message that a user of the provider's hands in", "Received: by mx1.hotmail.com with SMTPS id 1; Mon, 6 Jul 2026 09:58:15 +0000\n" + border, "", "", time.Time{}, nil},
		{"a user of the provider's who logs in", "Received: from mx2.hotmail.com (10.0.0.5) by mx1.hotmail.com with esmtpa; Mon, 6 Jul 2026 09:58:15 +0000\n" + border, "", "", time.Time{}, nil},
		{"no instant", strings.Replace(border, "Mon, 6 Jul 2026 09:58:12 +0000", "yesterday", 1), "", "192.0.2.10", time.Time{},
			map[string]string{"source_ip": "original:Received[1]"}},
		{"the report says it", spf + border, "Source-IP: 192.0.2.1\nArrival-Date: Mon, 06 Jul 2026 01:00:00 +0000\n", "192.0.2.1", time.Date(2026, 7, 6, 1, 0, 0, 0, time.UTC), nil},
		{"the report says what cannot be read", spf + border, "Source-IP: x.x.x.x\nArrival-Date: yesterday\n", "", time.Time{}, nil},
		{"the bounce address", "Return-Path: <b@news.example.net>\n" + border, "", "192.0.2.10", arrived,
			map[string]string{"original_mail_from": "original:Return-Path", "source_ip": "original:Received[1]", "arrival_date": "original:Received[1]"}},
	} {
		r := Parse(sparse(c.original, c.report)).Records(Envelope{})[0]
		if r.SourceIP != c.ip || !r.ArrivalDate.Equal(c.date) || r.OriginalRcptTo != "" {
			t.Errorf("%s: %q %v %q", c.name, r.SourceIP, r.ArrivalDate, r.OriginalRcptTo)
		}
		if diff := cmp.Diff(c.derived, r.Derived); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// TestDerivedUnknown: the trace fields of a provider that nobody knows prove
// nothing; a row of the user's makes it known.
func TestDerivedUnknown(t *testing.T) {
	message := []byte(strings.Replace(string(sparse(strings.ReplaceAll(border, "outlook.com", "example.com"), "")), "JMRP/1.0", "Loop/1.0", 1))
	if r := Parse(message).Records(Envelope{})[0]; r.SourceIP != "" || r.Derived != nil {
		t.Errorf("%q %v", r.SourceIP, r.Derived)
	}
	rows := Providers{{Name: "example", UserAgents: []string{"Loop/"}, Hosts: []string{"example.com"}}}
	if r := Parse(message).Records(Envelope{Providers: rows})[0]; r.SourceIP != "192.0.2.10" || r.Provider != "example" {
		t.Errorf("%q %s", r.SourceIP, r.Provider)
	}
}

// What a Received-SPF says beyond the address it checked is the client's.
func TestClientIP(t *testing.T) {
	const real, forged = "203.0.113.9", "192.0.2.7"
	hosts := []string{"mx.example.net"}
	for _, test := range []struct {
		value, ip string
		ours      bool
	}{
		{"Pass (a.mx.example.net: domain of x.example designates 203.0.113.9 as permitted sender) receiver=a.mx.example.net; client-ip=203.0.113.9; helo=x.example; pr=C", real, true},
		{"pass (mx.example.net: domain of b@x.example designates 203.0.113.9 as permitted sender ) client-ip: 203.0.113.9", real, true},
		{"softfail (mx.example.net: 203.0.113.9 is neither (nor so) permitted) client-ip=203.0.113.9; envelope-from=b@x.example; helo=x.example", real, true},
		{"Pass (mailfrom) identity=mailfrom; client-ip=203.0.113.9; receiver=mx.example.net; helo=x.example", real, true},
		{"Pass receiver=mx.example.net; client-ip=2001:DB8::9", "2001:db8::9", true},
		{"pass (domain of x.example designates 203.0.113.9 as permitted sender)", "", false},
		{"pass (mx.example.net: domain of x.example designates 203.0.113.9 as permitted sender)", "", true},
		{"pass (mx.example.org: no) client-ip=203.0.113.9", real, false},
		{"", "", false},

		// The words of HELO and of the envelope.
		{"pass (mx.example.net: ok) helo=client-ip=192.0.2.7", "", true},
		{"pass (mx.example.net: ok) helo=x client-ip=192.0.2.7", "", true},
		{"pass (mx.example.net: ok) client-ip=203.0.113.9; helo=x; client-ip=192.0.2.7", "", true},
		{"pass (mx.example.net: ok) envelope-from=a; client-ip=192.0.2.7; helo=x", "", true},
		{"pass (mx.example.net: ok) client-ip=203.0.113.9; helo=x) Client-IP=192.0.2.7", "", true},
		{"pass (mx.example.net: ok) client-ip=203.0.113.9; helo=(x) receiver=y", "", true},
		{`pass (mx.example.net: ok) envelope-from="a client-ip=192.0.2.7 b"@x.example`, "", true},
		{`pass (mx.example.net: domain of "a) client-ip=192.0.2.7 (b"@x.example designates 203.0.113.9 as permitted sender)`, "", true},
		{"pass (mx.example.net: domain of a) client-ip=192.0.2.7 (b@x.example designates 203.0.113.9 as permitted sender)", "", true},
		{"pass (mx.example.net: domain of a) client-ip=192.0.2.7 b@x.example designates 203.0.113.9 as permitted sender)", "", true},
		{"pass (mx.example.net: domain of (a client-ip=192.0.2.7", "", true},
		{"pass (mx.example.net: domain of client-ip=192.0.2.7 designates it)", "", true},
		{"pass (domain of a.mx.example.net: designates it) client-ip=192.0.2.7", forged, false},
	} {
		if ip, ours := clientIP(test.value, hosts); ip != test.ip || ours != test.ours {
			t.Errorf("%s: %q %v, want %q %v", test.value, ip, ours, test.ip, test.ours)
		}
	}
}

// TestDerivedBelowInnerNets: JMRP of 2026 quotes these hops.
func TestDerivedBelowInnerNets(t *testing.T) {
	const (
		second  = "Received: from B.namprd07.prod.outlook.com (2603:10b6:518:1::7) by C.namprd12.prod.outlook.com (2603:10b6:80f::8db) with Microsoft SMTP Server; Mon, 6 Jul 2026 09:58:14 +0000\n"
		first   = "Received: from A.namprd03.prod.outlook.com (2a01:111:f403:f910::1) by B.outlook.office365.com (2603:1036:903:47::9) with Microsoft SMTP Server via Frontend Transport; Mon, 6 Jul 2026 09:58:13 +0000\n"
		another = "Received: from N.outbound.protection.outlook.com (2a01:111:f403:c101::7) by A.mail.protection.outlook.com (10.167.0.1) with Microsoft SMTP Server; Mon, 6 Jul 2026 09:58:13 +0000\n"
	)
	for _, test := range []struct{ original, ip, source string }{
		{second + first + border + own, "192.0.2.10", "original:Received[3]"},
		{second + first + another + second + first + border + own, "", ""},
		{another + border + own, "", ""},
	} {
		r := Parse(sparse(test.original, "")).Records(Envelope{})[0]
		if r.SourceIP != test.ip || r.Derived["source_ip"] != test.source {
			t.Errorf("%s: %q of %q", test.original, r.SourceIP, r.Derived["source_ip"])
		}
	}
}
