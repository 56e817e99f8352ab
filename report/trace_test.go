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
		{"no instant", strings.Replace(border, "Mon, 6 Jul 2026 09:58:12 +0000", "yesterday", 1), "", "192.0.2.10", time.Time{},
			map[string]string{"source_ip": "original:Received[1]"}},
		{"the report says it", spf + border, "Source-IP: 192.0.2.1\nArrival-Date: Mon, 06 Jul 2026 01:00:00 +0000\n", "192.0.2.1", time.Date(2026, 7, 6, 1, 0, 0, 0, time.UTC), nil},
		{"the report says what cannot be read", spf + border, "Source-IP: x.x.x.x\nArrival-Date: yesterday\n", "", time.Time{}, nil},
		{"the bounce address", "Return-Path: <b@news.example.net>\n" + border, "", "192.0.2.10", arrived,
			map[string]string{"original_mail_from": "original:Return-Path", "source_ip": "original:Received[1]", "arrival_date": "original:Received[1]"}},
	} {
		r := Parse(sparse(c.original, c.report), 0).Records(Envelope{})[0]
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
	mail := []byte(strings.Replace(string(sparse(strings.ReplaceAll(border, "outlook.com", "example.com"), "")), "JMRP/1.0", "Loop/1.0", 1))
	if r := Parse(mail, 0).Records(Envelope{})[0]; r.SourceIP != "" || r.Derived != nil {
		t.Errorf("%q %v", r.SourceIP, r.Derived)
	}
	rows := Providers{{Name: "example", UserAgents: []string{"Loop/"}, Hosts: []string{"example.com"}}}
	if r := Parse(mail, 0).Records(Envelope{Providers: rows})[0]; r.SourceIP != "192.0.2.10" || r.Provider != "example" {
		t.Errorf("%q %s", r.SourceIP, r.Provider)
	}
}

func TestReadHop(t *testing.T) {
	for value, want := range map[string]string{
		"from a.example.com (b.example.com [192.0.2.1]) by mx.example.org (Postfix) with ESMTP id 1; Mon, 06 Jul 2026 10:00:00 +0000": "192.0.2.1 mx.example.org",
		"from 127.0.0.1 (EHLO a.example.com) (192.0.2.2) by mta1.mail.yahoo.com with SMTP; Mon, 06 Jul 2026 10:00:00 +0000":           "192.0.2.2 mta1.mail.yahoo.com",
		"from unknown (HELO by) (user@192.0.2.3) by mx.example.org with ESMTPA; 06 Jul 2026 10:00:00 -0000":                           "192.0.2.3 mx.example.org",
		"from A[192.0.2.4] by mx.example.org[192.0.2.9] on Mon":                                                                       "192.0.2.4 mx.example.org[192.0.2.9]",
		"from a.example.com ([IPv6:2001:DB8::25]:4711) by mx.example.org. with ESMTP":                                                 "2001:db8::25 mx.example.org",
		"from a.example.com (::ffff:192.0.2.5) by mx.example.org with ESMTP":                                                          "192.0.2.5 mx.example.org",
		"by mx.example.org (Postfix, from userid 33) id 2; Mon, 06 Jul 2026 10:00:00 +0000":                                           " mx.example.org",
		"from 192.0.2.6 (EHLO [192.0.2.99]) by 10.253.62.170 with SMTPs":                                                              "192.0.2.6 10.253.62.170",
		"from [192.0.2.7] (port=1 helo=a.example.com ident=192.0.2.99) by mx1.mail.ru with esmtp":                                     "192.0.2.7 mx1.mail.ru",
		"from [192.0.2.7] (port=1 helo=[192.0.2.99]) by mx2.mail.ru with esmtp":                                                       "192.0.2.7 mx2.mail.ru",
		"from [192.0.2.99] (HELO [192.0.2.99]) (192.0.2.8) by mx.example.org":                                                         "192.0.2.8 mx.example.org",
		"from mail pickup service by mx.example.org with Microsoft SMTPSVC":                                                           " mx.example.org",
		"(qmail 1 invoked by uid 2); 6 Jul 2026 10:00:00 -0000":                                                                       " ",
		"from": " ",
		"":     " ",
	} {
		h := ReadHop(value)
		if got := h.IP + " " + h.By; got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
		if h.Relayed != strings.HasPrefix(value, "from") {
			t.Errorf("%s: from: %v", value, h.Relayed)
		}
	}
}
