package trust

import (
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// A gateway in front of Microsoft 365 changes the message: Microsoft says dkim=fail,
// and the gateway's word counts in its place. It counts for what passed the gateway
// on its way to us, and for nothing else.
func TestGateway(t *testing.T) {
	altered := strings.Replace(sign(t, complaint("feedback@"+reporter, oursOriginal), reporter, allFields), "A complaint.", "[EXTERNAL] A complaint.", 1)
	const (
		date  = "; Mon, 1 Jun 2026 10:00:00 +0000\r\n"
		found = "Authentication-Results: spf=fail (sender IP is 203.0.113.5) smtp.mailfrom=fbl.example.net; dkim=fail (body hash did not verify) header.d=" + reporter + ";dmarc=fail action=none header.from=" + reporter + "\r\n"
		inner = "Received: from C1.namprd01.prod.outlook.com (2603:10b6:1::2) by D1.outlook.office365.com (2603:10b6:1::3) with Microsoft SMTP Server id 15.20.1 via Frontend Transport" + date
	)
	// microsoft is its trace over a message that came from an address.
	microsoft := func(greeting, ip string) string {
		return inner + found + "Received: from " + greeting + " (" + ip + ") by C1PEPF01.mail.protection.outlook.com (10.167.1.1) with Microsoft SMTP Server (version=TLS1_2) id 15.20.1 via Frontend Transport" + date
	}
	// gateway is that of a host of the gateway's, with what it found.
	gateway := func(host, found string) string {
		text := "Received: from filter (m1.gateway.example.org [127.0.0.1]) by " + host + " (8.18.1.2/8.18.1.2) with ESMTP id 1" + date
		if found != "" {
			text += "Authentication-Results-Original: gateway.example.org;\tspf=none smtp.mailfrom=x@fbl.example.net;\t" + found + "\r\n"
		}
		return text + "Received: from out.fbl.example.net (out.fbl.example.net [198.51.100.1]) by " + host + " (PPS) with ESMTPS id 2" + date
	}
	const ours, oursToo, theirs = "mx0a-0001.gateway.example.org", "mx0b-0001.gateway.example.org", "mx0a-0666.gateway.example.org"
	passed := gateway(ours, dkimPass(reporter))

	for _, test := range []struct {
		name, header string
		without      bool // a gateway
		want         report.Auth
	}{
		{name: "genuine", header: microsoft(ours, "203.0.113.5") + passed, want: "pass"},
		{name: "genuine, tomorrow", header: microsoft(oursToo, "203.0.113.9") + gateway(oursToo, dkimPass(reporter)), want: "pass"},

		{name: "it failed there too", header: microsoft(ours, "203.0.113.5") + gateway(ours, "dkim=fail header.d="+reporter)},
		{name: "no gateway is known", header: microsoft(ours, "203.0.113.5") + passed, without: true},
		{name: "straight to Microsoft", header: microsoft(ours, "198.51.100.66") + passed},
		{name: "straight to Microsoft, with an address in its greeting", header: microsoft("[203.0.113.5]", "198.51.100.66") + passed},
		{name: "straight to Microsoft, with two", header: microsoft(ours+" (203.0.113.5)", "198.51.100.66") + passed},
		{name: "straight to Microsoft, with a whole hop", header: microsoft(ours+" (203.0.113.5) by a", "198.51.100.66") + passed},
		{name: "straight to Microsoft, below two hops of the gateway's", header: microsoft(ours, "198.51.100.66") + microsoft(ours, "203.0.113.5") + passed},
		{name: "from another customer", header: microsoft(theirs, "203.0.113.5") + gateway(theirs, "dkim=none") + passed},
		{name: "from another customer, whose host leaves results out", header: microsoft(theirs, "203.0.113.5") + gateway(theirs, "") + passed},
		{name: "from another customer, by his own hand", header: microsoft(theirs, "203.0.113.5") + passed},
		{name: "unsigned", header: microsoft(ours, "203.0.113.5") + gateway(ours, "dkim=none") + passed},
		{name: "unsigned, of which the gateway says nothing", header: microsoft(ours, "203.0.113.5") + gateway(ours, "dmarc=none") + passed},
		{name: "unsigned, and no results", header: microsoft(ours, "203.0.113.5") + gateway(ours, "") + passed},
		{name: "unsigned, and results alone", header: microsoft(ours, "203.0.113.5") + gateway(ours, "") + "Authentication-Results-Original: gateway.example.org; " + dkimPass(reporter) + "\r\n"},
		{name: "unsigned, with a hop of the gateway's own machine", header: microsoft(ours, "203.0.113.5") + gateway(ours, "") + "Received: from filter (localhost [127.0.0.1]) by " + ours + date + passed},
		{name: "another server's id", header: microsoft(ours, "203.0.113.5") + strings.Replace(passed, "gateway.example.org;", "mx.example.com;", 1)},
		{name: "results above Microsoft's border", header: "Authentication-Results-Original: gateway.example.org; " + dkimPass(reporter) + "\r\n" + microsoft(ours, "203.0.113.5") + gateway(ours, "dkim=none")},
		{name: "no border of Microsoft's", header: inner + passed},
		{name: "another mailbox", header: "Received: from x by mx.example.org" + date + microsoft(ours, "203.0.113.5") + passed},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, verifies := range []bool{false, true} {
				conf := config
				conf.AuthservIDs, conf.Hops, conf.ARCSealers, conf.DKIM = []string{"mx.example.com"}, []string{"mx.example.com"}, nil, &verifies
				conf.Mailbox = Mailbox{Profile: "microsoft365"}
				if !test.without {
					conf.Mailbox.Gateway = &Gateway{AuthservIDs: []string{"gateway.example.org"}, Hops: []string{ours, oursToo}, IPs: []string{"203.0.113.0/28"}}
				}
				got := check(t, conf, publish(t, reporter), test.header+altered, true, time.Time{}, false)
				if test.want != "" && (got.Auth != test.want || got.AuthMethod != "a-r" || got.AuthDomain != reporter) {
					t.Errorf("dkim %v: got %+v", verifies, got)
				}
				if test.want == "" && (got.Auth == "pass" || got.Trusted) {
					t.Errorf("dkim %v: it passes: %+v", verifies, got)
				}
			}
		})
	}
}

// What the gateway's own servers say stands for a report as any system's results
// do: the reporter must be known and the message ours.
func TestGatewayIsNoReporter(t *testing.T) {
	conf := config
	conf.DKIM, conf.Mailbox = new(false), Mailbox{Profile: "microsoft365", Gateway: &Gateway{AuthservIDs: []string{"gateway.example.org"}, Hops: []string{"mx0a-0001.gateway.example.org"}, IPs: []string{"203.0.113.5"}}}
	header := "Received: from mx0a-0001.gateway.example.org (203.0.113.5) by C1.mail.protection.outlook.com with ESMTP; Mon, 1 Jun 2026 10:00:00 +0000\r\n" +
		"Received: from filter (localhost [127.0.0.1]) by mx0a-0001.gateway.example.org with ESMTP; Mon, 1 Jun 2026 10:00:00 +0000\r\n" +
		"Authentication-Results-Original: gateway.example.org; " + dkimPass(evil) + "\r\n" +
		"Received: from x (x [198.51.100.1]) by mx0a-0001.gateway.example.org with ESMTP; Mon, 1 Jun 2026 10:00:00 +0000\r\n"
	got := check(t, conf, publish(t, evil), header+sign(t, complaint("fbl@"+evil, oursOriginal), evil, allFields), true, time.Time{}, false)
	if got.Auth != "pass" || got.Trusted || got.Code != report.CodeReporterUnknown {
		t.Errorf("got %+v", got)
	}
}
