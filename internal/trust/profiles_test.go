package trust

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// deliveries are headers as each profile's system puts them on top of a message.
// The first is of today's host, the second of another of its pool. RESULT stands
// for what it found of DKIM.
var deliveries = map[string][]string{
	"gmail": {
		"Delivered-To: fbl@example.com\n" +
			"Received: by 2002:a05:6402:3511:b0:5c2:1:2 with SMTP id a1csp1; Mon, 1 Jun 2026 03:00:01 -0700 (PDT)\n" +
			"X-Received: by 2002:a17:906:1:b0:a72:1:2 with SMTP id b1mr1; Mon, 1 Jun 2026 03:00:01 -0700 (PDT)\n" +
			"Return-Path: <fbl@fbl.example.net>\n" +
			"Received: from out.example.net (out.example.net. [198.51.100.7]) by mx.google.com with ESMTPS id c1; Mon, 1 Jun 2026 03:00:00 -0700 (PDT)\n" +
			"Received-SPF: pass (google.com: domain of fbl@fbl.example.net designates 198.51.100.7 as permitted sender) client-ip=198.51.100.7;\n" +
			"Authentication-Results: mx.google.com; RESULT header.i=@fbl.example.net header.s=s header.b=abcdefgh; spf=pass (google.com: x) smtp.mailfrom=fbl@fbl.example.net\n",
		"Received: by 2002:ab3:7545:0:b0:1:2:3 with SMTP id d1csp2; Mon, 1 Jun 2026 03:00:02 -0700 (PDT)\n" +
			"Received: by 2002:a17:907:7f11:b0:1:2:3 with SMTP id d2; Mon, 1 Jun 2026 03:00:02 -0700 (PDT)\n" +
			"Received: from out.example.net (out.example.net. [198.51.100.7]) by mx.google.com with ESMTPS id d3; Mon, 1 Jun 2026 03:00:00 -0700 (PDT)\n" +
			"Authentication-Results: mx.google.com; RESULT header.i=@fbl.example.net header.s=s header.b=\"abc/defg\"\n",
	},
	"microsoft365": {
		"Received: from A1PR01.namprd01.prod.outlook.com (2603:10b6:1::1) by B1PR01.NAMPRD01.PROD.OUTLOOK.COM with HTTPS; Mon, 1 Jun 2026 10:00:03 +0000\n" +
			"Received: from C1.namprd01.prod.outlook.com (2603:10b6:1:cafe::2) by D1.outlook.office365.com (2603:10b6:1::3) with Microsoft SMTP Server id 15.20.1 via Frontend Transport; Mon, 1 Jun 2026 10:00:02 +0000\n" +
			"Authentication-Results: spf=pass (sender IP is 198.51.100.7) smtp.mailfrom=fbl.example.net; RESULT (signature was verified) header.d=fbl.example.net;dmarc=pass action=none header.from=fbl.example.net;compauth=pass reason=100\n" +
			"Received-SPF: Pass (protection.outlook.com: domain of fbl.example.net designates 198.51.100.7 as permitted sender) receiver=protection.outlook.com; client-ip=198.51.100.7; helo=out.example.net; pr=C\n" +
			"Received: from out.example.net (198.51.100.7) by C1PEPF01.mail.protection.outlook.com (10.167.1.1) with Microsoft SMTP Server id 15.20.1 via Frontend Transport; Mon, 1 Jun 2026 10:00:01 +0000\n",
		"Authentication-Results: spf=pass (sender IP is 198.51.100.7) smtp.mailfrom=fbl.example.net; RESULT (signature was verified) header.d=fbl.example.net\n" +
			"Received: from out.example.net (198.51.100.7) by BN3USG02FT003.mail.protection.office365.us (10.97.1.1) with Microsoft SMTP Server id 15.20.1 via Frontend Transport; Mon, 1 Jun 2026 10:00:01 +0000\n",
		"Received: from SH0PR01.CHNPR01.prod.partner.outlook.cn (2406:e500::1) by SH1PR01.CHNPR01.prod.partner.outlook.cn with HTTPS; Mon, 1 Jun 2026 10:00:02 +0000\n" +
			"Authentication-Results: spf=pass (sender IP is 198.51.100.7) smtp.mailfrom=fbl.example.net; RESULT (signature was verified) header.d=fbl.example.net\n" +
			"Received: from out.example.net (198.51.100.7) by SH1FT01.mail.protection.partner.outlook.cn (10.43.1.1) with Microsoft SMTP Server id 15.20.1 via Frontend Transport; Mon, 1 Jun 2026 10:00:01 +0000\n",
	},
	"fastmail": {
		"Return-Path: <fbl@fbl.example.net>\n" +
			"Received: from ams-compute-02.internal (ams-compute-02.nyi.internal [10.202.2.42]) by slotai03m05 (Cyrus 3.13.0) with LMTPA; Mon, 01 Jun 2026 06:00:03 -0400\n" +
			"Received: from phl-mx-04 ([10.202.2.203]) by ams-compute-02.internal (LMTPProxy); Mon, 01 Jun 2026 06:00:03 -0400\n" +
			"Received: from phl-mx-04.messagingengine.com (localhost [127.0.0.1]) by mailmx.phl.internal (Postfix) with ESMTP id 1; Mon, 1 Jun 2026 06:00:02 -0400 (EDT)\n" +
			"Received: from mailmx.phl.internal (localhost [127.0.0.1]) by phl-mx-04.messagingengine.com (Authentication Milter) with ESMTP id 2; Mon, 1 Jun 2026 06:00:02 -0400\n" +
			"Authentication-Results: phl-mx-04.messagingengine.com; x-csa=none; x-me-sender=none; x-ptr=pass smtp.helo=out.example.net policy.ptr=out.example.net\n" +
			"Authentication-Results: phl-mx-04.messagingengine.com; bimi=skipped (DMARC Policy is not at enforcement)\n" +
			"Authentication-Results: phl-mx-04.messagingengine.com; arc=none (no signatures found)\n" +
			"Authentication-Results: phl-mx-04.messagingengine.com; dkim2=none (no signatures found); RESULT (2048-bit rsa key sha256) header.d=fbl.example.net header.i=@fbl.example.net header.b=abcdefgh header.a=rsa-sha256 header.s=s; spf=pass smtp.mailfrom=fbl@fbl.example.net smtp.helo=out.example.net\n" +
			"Received: from out.example.net (out.example.net [198.51.100.7]) by phl-mx-04.messagingengine.com (Postfix) with ESMTPS id 3; Mon, 1 Jun 2026 06:00:01 -0400 (EDT)\n",
		"Received: from phl-compute-11.internal (phl-compute-11.phl.internal [10.202.2.51]) by sloti22d1t06 (Cyrus 3.15.0) with LMTPA; Mon, 01 Jun 2026 06:00:03 -0400\n" +
			"Received: from mailmx.phl.internal (localhost [127.0.0.1]) by mx6.messagingengine.com (Authentication Milter) with ESMTP id 2; Mon, 1 Jun 2026 06:00:02 -0400\n" +
			"Authentication-Results: mx6.messagingengine.com; RESULT (2048-bit rsa key sha256) header.d=fbl.example.net\n" +
			"Received: from out.example.net (out.example.net [198.51.100.7]) by mx6.messagingengine.com (Postfix) with ESMTPS id 3; Mon, 1 Jun 2026 06:00:01 -0400 (EDT)\n",
	},
	"yahoo": {
		"Received: from 127.0.0.1\n by atlas-production.v2-mail-prod1-gq1.omega.yahoo.com pod-id atlas--production-gq1-fb5f4cbd-1.gq1.yahoo.com with HTTP; Mon, 1 Jun 2026 10:00:02 +0000\n" +
			"X-Originating-Ip: [198.51.100.7]\n" +
			"Authentication-Results: atlas-production.v2-mail-prod1-gq1.omega.yahoo.com;\n RESULT header.i=@fbl.example.net header.s=s arc_overridden_status=NOT_OVERRIDDEN;\n spf=pass smtp.mailfrom=fbl.example.net;\n dmarc=pass(p=REJECT) header.from=fbl.example.net;\n" +
			"X-Apparently-To: fbl@yahoo.com; Mon, 1 Jun 2026 10:00:02 +0000\n" +
			"Received: from 198.51.100.7 (EHLO out.example.net)\n by 10.253.1.2 with SMTPs\n (version=TLS1_3 cipher=TLS_AES_128_GCM_SHA256);\n Mon, 01 Jun 2026 10:00:01 +0000\n",
		"Received: from 10.222.142.150 by atlas206.free.mail.ne1.yahoo.com with HTTPS; Mon, 1 Jun 2026 10:00:02 +0000\n" +
			"Authentication-Results: atlas206.free.mail.ne1.yahoo.com;\n RESULT header.i=@fbl.example.net header.s=s;\n" +
			"Received: from 198.51.100.7 (EHLO out.example.net) by 10.197.1.2 with SMTPs; Mon, 01 Jun 2026 10:00:01 +0000\n",
		"Received: from 10.222.142.151 by atlas206.aol.mail.ne1.yahoo.com with HTTPS; Mon, 1 Jun 2026 10:00:02 +0000\n" +
			"Authentication-Results: atlas206.aol.mail.ne1.yahoo.com;\n RESULT header.i=@fbl.example.net header.s=s;\n" +
			"Received: from 198.51.100.7 (EHLO out.example.net) by 10.197.1.2 with SMTPs; Mon, 01 Jun 2026 10:00:01 +0000\n",
	},
	"zoho": {
		"Authentication-Results: mx.zohomail.com;\n\tRESULT header.d=fbl.example.net;\n\tspf=pass (zohomail.com: x)  smtp.mailfrom=fbl@fbl.example.net;\n\tdmarc=pass(p=reject dis=none)  header.from=fbl.example.net\n" +
			"Received: from out.example.net (out.example.net [198.51.100.7]) by mx.zohomail.com\n\twith SMTPS id 1; Mon, 1 Jun 2026 03:00:01 -0700 (PDT)\n",
		"Authentication-Results: mx.zohomail.eu;\n\tRESULT header.d=fbl.example.net\n" +
			"Received: from out.example.net (out.example.net [198.51.100.7]) by mx.zohomail.eu\n\twith SMTPS id 1; Mon, 1 Jun 2026 12:00:01 +0200 (CEST)\n",
	},
	"icloud": {
		"Original-recipient: rfc822;fbl@icloud.com\n" +
			"Received: from p01-icloudmta-smtpin-us-west-2a-60-percent-12 by p116-mailgateway-smtp-746c496c44-6mknn (mailgateway 2403B92) with SMTP id 1; Mon, 1 Jun 2026 10:00:02 GMT\n" +
			"X-Apple-UUID: 1\n" +
			"Received: from out.example.net (out.example.net [198.51.100.7]) by p01-icloudmta-smtpin-us-west-2a-60-percent-12 (Postfix) with ESMTPS id 2; Mon, 1 Jun 2026 10:00:01 +0000 (UTC)\n" +
			"X-ICL-INFO: GAtb\n" +
			"Authentication-Results: bimi.icloud.com; bimi=none\n" +
			"Authentication-Results: arc.icloud.com; arc=none\n" +
			"Authentication-Results: dmarc.icloud.com; dmarc=pass header.from=fbl.example.net\n" +
			"Authentication-Results: dkim-verifier.icloud.com;\n\tRESULT (2048-bit key) header.d=fbl.example.net header.i=@fbl.example.net header.b=abcdefgh\n" +
			"Authentication-Results: spf.icloud.com; spf=pass (spf.icloud.com: x) smtp.mailfrom=fbl@fbl.example.net\n" +
			"Received-SPF: pass (spf.icloud.com: x) receiver=spf.icloud.com; client-ip=198.51.100.7\n",
		"Received: from ci74p00im-qukt09072702.me.com by p44-mailgateway-smtp-778464bd6-glqrh (mailgateway 2403B92) with SMTP id 1; Mon, 1 Jun 2026 10:00:02 GMT\n" +
			"Received: from out.example.net (out.example.net [198.51.100.7]) by ci74p00im-qukt09072702.me.com (Postfix) with ESMTPS id 2; Mon, 1 Jun 2026 10:00:01 +0000 (UTC)\n" +
			"Authentication-Results: dkim-verifier.icloud.com; RESULT header.d=fbl.example.net\n",
	},
	"gmx": {
		"Return-Path: <fbl@fbl.example.net>\n" +
			"Authentication-Results: gmx.net; RESULT header.i=@fbl.example.net\n" +
			"Received: from out.example.net ([198.51.100.7]) by mx-ha.gmx.net (mxgmx114 [212.227.17.5]) with ESMTPS (Nemesis) id 1; Mon, 01 Jun 2026 12:00:01 +0200\n",
		"Authentication-Results: web.de; RESULT header.i=@fbl.example.net\n" +
			"Received: from out.example.net ([198.51.100.7]) by mx-ha.web.de (mxweb112 [212.227.17.8]) with ESMTPS (Nemesis) id 1; Mon, 01 Jun 2026 12:00:01 +0200\n",
	},
	"migadu": {
		"Received: from mp0.migadu.com ([2001:db8::1]) by ms17.migadu.com with LMTPS id 1:P1; Mon, 01 Jun 2026 12:00:03 +0200\n" +
			"Received: from aspmx1.migadu.com ([2001:db8::2]) by mp0.migadu.com with LMTPS id 1; Mon, 01 Jun 2026 12:00:02 +0200\n" +
			"X-Envelope-To: fbl@example.com\n" +
			"Authentication-Results: aspmx1.migadu.com;\n\tRESULT header.d=fbl.example.net header.s=s header.b=abcdefgh;\n\tspf=pass (aspmx1.migadu.com: x) smtp.mailfrom=fbl@fbl.example.net\n" +
			"Received: from out.example.net (out.example.net [198.51.100.7]) by aspmx1.migadu.com (Postfix) with ESMTPS id 2; Mon, 01 Jun 2026 12:00:01 +0200 (CEST)\n",
		"Received: from mp2.migadu.com ([2001:db8::1]) by ms8.migadu.com with LMTPS id 1:P1; Mon, 01 Jun 2026 12:00:03 +0200\n" +
			"Authentication-Results: aspmx2.migadu.com;\n\tRESULT header.d=fbl.example.net\n" +
			"Received: from out.example.net (out.example.net [198.51.100.7]) by aspmx2.migadu.com (Postfix) with ESMTPS id 2; Mon, 01 Jun 2026 12:00:01 +0200 (CEST)\n",
	},
	"mailbox.org": {
		"Received: from director-05.heinlein-hosting.de ([80.241.60.1]) by dobby39a.heinlein-hosting.de with LMTPS id 1:P1; Mon, 01 Jun 2026 12:00:03 +0200\n" +
			"Received: from mx2.mailbox.org ([80.241.60.215]) by director-05.heinlein-hosting.de with LMTPS id 1; Mon, 01 Jun 2026 12:00:02 +0200\n" +
			"Authentication-Results: spamfilter01.heinlein-hosting.de (amavisd-new);\n\tRESULT (1024-bit key) header.d=fbl.example.net\n" +
			"Received: from out.example.net (out.example.net [198.51.100.7]) by mx2.mailbox.org (Postfix) with ESMTPS id 2; Mon, 01 Jun 2026 12:00:01 +0200 (CEST)\n",
		"Received: from director-09.heinlein-hosting.de ([80.241.60.1]) by dobby12b.heinlein-hosting.de with LMTPS id 1:P1; Mon, 01 Jun 2026 12:00:03 +0200\n" +
			"Authentication-Results: spamfilter06.heinlein-hosting.de (amavisd-new);\n\tRESULT header.d=fbl.example.net\n" +
			"Received: from out.example.net (out.example.net [198.51.100.7]) by mx1.mailbox.org (Postfix) with ESMTPS id 2; Mon, 01 Jun 2026 12:00:01 +0200 (CEST)\n",
	},
	"ses": {
		"Return-Path: <fbl@fbl.example.net>\n" +
			"Received: from out.example.net (out.example.net [198.51.100.7])\n by inbound-smtp.us-east-1.amazonaws.com with SMTP id 1\n for fbl@example.com;\n Mon, 01 Jun 2026 10:00:01 +0000 (UTC)\n" +
			"X-SES-Spam-Verdict: PASS\n" +
			"Received-SPF: pass (spfCheck: x) client-ip=198.51.100.7; envelope-from=fbl@fbl.example.net; helo=out.example.net;\n" +
			"Authentication-Results: amazonses.com;\n spf=pass (spfCheck: x) client-ip=198.51.100.7; envelope-from=fbl@fbl.example.net; helo=out.example.net;\n RESULT header.i=@fbl.example.net;\n dmarc=pass header.from=fbl.example.net;\n",
		"Received: from out.example.net (out.example.net [198.51.100.7]) by inbound-smtp.eu-west-1.amazonaws.com with SMTP id 1; Mon, 01 Jun 2026 10:00:01 +0000 (UTC)\n" +
			"Authentication-Results: amazonses.com; RESULT header.i=@fbl.example.net;\n",
	},
	"yandex": {"Received: from mail-nwsmtp-mxfront-production-main-90.sas.yp-c.yandex.net ([2001:db8::1]) by postback17b.mail.yandex.net (Yandex) with ESMTPS id 1; Mon, 01 Jun 2026 13:00:02 +0300 (MSK)\n" +
		"Received: from out.example.net (out.example.net [198.51.100.7]) by mail-nwsmtp-mxfront-production-main-90.sas.yp-c.yandex.net (mxfront) with ESMTPS id 2; Mon, 01 Jun 2026 13:00:01 +0300\n" +
		"Authentication-Results: mail-nwsmtp-mxfront-production-main-90.sas.yp-c.yandex.net; RESULT header.i=@fbl.example.net\n"},
	"proton": {"Authentication-Results: mail.protonmail.ch; RESULT (Good 2048 bit rsa-sha256 signature) header.d=fbl.example.net\n" +
		"Received: from out.example.net (out.example.net [198.51.100.7]) by mailin047.protonmail.ch (Postfix) with ESMTPS id 1; Mon, 01 Jun 2026 10:00:01 +0000 (UTC)\n"},
}

func TestProfiles(t *testing.T) {
	month := regexp.MustCompile(`^20[0-9]{2}-(0[1-9]|1[0-2])$`)
	names := make(map[string]bool)
	for _, row := range profiles {
		t.Run(row.Name, func(t *testing.T) {
			if names[row.Name] || len(deliveries[row.Name]) == 0 {
				t.Fatal("no row of its own, or no message that shows it")
			}
			names[row.Name] = true
			if !month.MatchString(row.seen) || row.source == "" {
				t.Errorf("seen %q, source %q", row.seen, row.source)
			}
			if silent := len(row.AuthservIDs) == 0 && !row.Nameless; silent != (row.note != "") {
				t.Error("a row whose results do not count says why, and no other")
			} else if !silent {
				if err := row.withoutStars().check(); err != nil {
					t.Errorf("a user could not write it: %v", err)
				}
			}
			c := &Checker{config: Config{Mailbox: Mailbox{Profile: row.Name}}}
			for i, header := range deliveries[row.Name] {
				want := "fbl.example.net"
				if row.note != "" {
					want = ""
				}
				if got := c.believed(t, strings.Replace(header, "RESULT", "dkim=pass", 1), ""); got != want {
					t.Errorf("delivery %d: a genuine pass counts for %q, want %q", i, got, want)
				}
				for n, forged := range forgeries(row, header) {
					for _, found := range []string{"dkim=none", "dkim=fail", "other=pass"} { // a system may say nothing of an unsigned message
						if got := c.believed(t, strings.Replace(header, "RESULT", found, 1), forged); got != "" {
							t.Errorf("delivery %d, %s, forgery %d: %q is believed:\n%s", i, found, n, got, forged)
						}
					}
				}
			}
			for _, other := range profiles {
				for _, header := range deliveries[other.Name] {
					if got := c.believed(t, strings.Replace(header, "RESULT", "dkim=pass", 1), ""); got != "" && other.Name != row.Name {
						t.Errorf("a message that %s took in counts for %q", other.Name, got)
					}
				}
			}
		})
	}
}

// believed is the domain that a message with this header, and with this header of
// its sender's below it, is signed by in the system's word.
func (c *Checker) believed(t *testing.T, header, sent string) string {
	t.Helper()
	m, err := readMessage([]byte(header + sent + "From: a@fbl.example.net\n\n"))
	if err != nil {
		t.Fatal(err)
	}
	return c.signedBy(c.follow(m).voices(ofDKIM), nil, "fbl.example.net").domain
}

// forgeries are what a sender may put on top of his message for a system: its
// own results, and hops of its own around them, here as it wrote them itself. A
// system that strips takes fields with its ids away.
func forgeries(row Profile, header string) (all []string) {
	genuine := strings.Replace(header, "RESULT", "dkim=pass", 1)
	if row.Strips {
		genuine = strings.ReplaceAll(genuine, "Authentication-Results:", "Authentication-Results-Original:")
		return []string{genuine, genuine + genuine}
	}
	var results, stamps string
	for _, field := range regexp.MustCompile(`(?m)^[A-Z][^:\n]*:.*\n(?:[ \t].*\n)*`).FindAllString(genuine, -1) {
		switch name, _, _ := strings.Cut(field, ":"); name {
		case "Authentication-Results":
			results += field
		case "Received":
			stamps += field
		}
	}
	return []string{results, results + stamps, stamps + results, genuine, genuine + genuine, results + genuine}
}

// withoutStars is the row as a user may write it: "*" is for the built-in ones.
func (p Profile) withoutStars() Profile {
	for _, list := range []*[]string{&p.IMAPHosts, &p.AuthservIDs, &p.Hops, &p.Border} {
		*list = slices.Clone(*list)
		for i := range *list {
			(*list)[i] = strings.ReplaceAll((*list)[i], "*", "x")
		}
	}
	return p
}

func TestIMAPHosts(t *testing.T) {
	for host, want := range map[string]string{
		"imap.gmail.com": "gmail", "IMAP.GMAIL.COM.": "gmail", "imap.googlemail.com": "gmail",
		"outlook.office365.com": "microsoft365", "imap-mail.outlook.com": "microsoft365", "outlook.office365.us": "microsoft365", "partner.outlook.cn": "microsoft365",
		"imap.fastmail.com": "fastmail", "imap.mail.yahoo.com": "yahoo", "export.imap.aol.com": "yahoo",
		"imap.zoho.eu": "zoho", "imappro.zoho.com": "zoho", "imap.mail.me.com": "icloud", "p42-imap.mail.me.com": "icloud", "imap.yandex.ru": "yandex",
		"imap.gmx.net": "gmx", "imap.web.de": "gmx", "imap.migadu.com": "migadu", "imap.mailbox.org": "mailbox.org", "imap.mail.us-east-1.awsapps.com": "ses",

		"": "", "localhost": "", "127.0.0.1": "", "::1": "", "imap.example.com": "", "gmail.com": "",
		"imap.gmail.com.evil.example": "", "imap.gmail.com@evil.example": "", "ximap.gmail.com": "", "imap.gmai1.com": "", "imap.ɡmail.com": "",
		"outlook.office365.com.example.net": "", "imap.mail.yahoo.co.jp": "", "evilmail.me.com": "", "imap.mail.us-east-1.x.awsapps.com": "", "imap.mail..awsapps.com": "",
		"imap.fastmail.com/": "", "imap.fastmail.com:993": "", "imap.fastmail.com evil.example": "",
	} {
		got := ""
		if row := (&Config{}).profileAt(host); row != nil {
			got = row.Name
		}
		if got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
}

// What a profile lists counts in the accounts that have it, and in no other.
func TestOneSystemAnAccount(t *testing.T) {
	c := &Checker{config: Config{
		AuthservIDs: []string{"mx.example.com"}, Hops: []string{"mx.example.com"},
		Accounts: map[string]Account{
			"gmail": {Host: "imap.gmail.com"}, "icloud": {Host: "imap.mail.me.com"}, "office": {Host: "outlook.office365.com"}, "ours": {Host: "imap.example.com"},
			"listed": {Host: "imap.example.com", Mailbox: Mailbox{AuthservIDs: []string{"mx.example.org"}, Hops: []string{"mx.example.org"}}},
		},
	}}
	result := func(id string) string {
		return "Authentication-Results: " + id + "; dkim=pass header.d=fbl.example.net\n"
	}
	stamp := func(by string) string {
		return "Received: from out.example.net (out.example.net [198.51.100.7]) by " + by + "; Mon, 1 Jun 2026 10:00:00 +0000\n"
	}
	genuine := func(name string) string { return strings.Replace(deliveries[name][0], "RESULT", "dkim=pass", 1) }
	unsigned := strings.Replace(deliveries["gmail"][0], "RESULT", "other=pass", 1)
	for _, test := range []struct {
		account, header, want string
	}{
		{"gmail", genuine("gmail"), "fbl.example.net"},
		{"icloud", genuine("icloud"), "fbl.example.net"},
		{"office", genuine("microsoft365"), "fbl.example.net"},
		{"ours", stamp("mx.example.com") + result("mx.example.com"), "fbl.example.net"},
		{"ours", result("mx.example.com") + stamp("mx.example.com"), "fbl.example.net"},
		{"listed", stamp("mx.example.org") + result("mx.example.org"), "fbl.example.net"},

		{"ours", genuine("gmail"), ""},
		{"icloud", genuine("gmail"), ""},
		{"gmail", genuine("icloud"), ""},
		{"listed", stamp("mx.example.com") + result("mx.example.com"), ""},
		{"gmail", stamp("mx.example.com") + result("mx.example.com"), ""},
		{"gmail", result("mx.example.com") + unsigned, ""},
		// an id of ours below a hop of the profile is the sender's
		{"gmail", unsigned + result("mx.example.com"), ""},
		{"gmail", unsigned + stamp("mx.example.com") + result("mx.example.com"), ""},
		// and so is a profile's below a hop of ours
		{"ours", stamp("mx.example.com") + result("mx.google.com"), ""},
		{"ours", stamp("mx.example.com") + genuine("gmail"), ""},
		{"ours", stamp("mx.example.com") + strings.ReplaceAll(genuine("microsoft365"), "Received:", "X:"), ""},
	} {
		m, err := readMessage([]byte(test.header + "From: a@fbl.example.net\n\n"))
		if err != nil {
			t.Fatal(err)
		}
		m.account = test.account
		if got := c.signedBy(c.follow(m).voices(ofDKIM), nil, "fbl.example.net").domain; got != test.want {
			t.Errorf("account %s: %q is believed, want %q:\n%s", test.account, got, test.want, test.header)
		}
	}
}

// A system's seal is as good as its results where it seals what it checked: Google
// does. Zoho and Microsoft seal what their own users send with a pass that they did
// not check, and so their seals are nobody's word.
func TestSealersOfProfiles(t *testing.T) {
	dateless := strings.Replace(deliveries["gmail"][0], "Authentication-Results: mx.google.com; RESULT", "X-Lost: ", 1)
	for _, test := range []struct{ profile, sealer, header, want string }{
		{"gmail", "google.com", dateless, "arc"},
		{"gmail", "evil.example", dateless, ""},
		{"own", "google.com", "", ""},
		{"zoho", "zohomail.com", strings.Replace(deliveries["zoho"][0], "RESULT", "other=pass", 1), ""},
		{"microsoft365", "microsoft.com", strings.Replace(deliveries["microsoft365"][0], "RESULT", "dkim=none", 1), ""},
	} {
		conf := config
		conf.AuthservIDs, conf.Hops, conf.ARCSealers, conf.Mailbox = nil, nil, nil, Mailbox{Profile: test.profile}
		header := strings.ReplaceAll(test.header, "spf=pass", "spf=none")
		message := crlfs(header) + seal(t, complaint("feedback@"+reporter, oursOriginal), test.sealer, "mx; dkim=pass header.d="+reporter, "none", allFields)
		got := check(t, conf, publish(t, test.sealer), message, true, time.Time{}, false)
		if got.AuthMethod != test.want || got.Trusted != (test.want != "") {
			t.Errorf("%s, sealed by %s: got %+v", test.profile, test.sealer, got)
		}
	}
}

// A user of Microsoft 365 hands messages in to the hosts that the mailboxes are on.
// What he wrote may look as if it had come in from outside.
func TestHandedInByUsers(t *testing.T) {
	const (
		date = "; Mon, 1 Jun 2026 10:00:09 +0000\n"
		by   = " by A1PR01.namprd01.prod.outlook.com (2603:10b6:1::1) with "
	)
	genuine := strings.Replace(deliveries["microsoft365"][0], "RESULT", "dkim=pass", 1)
	c := &Checker{config: Config{Mailbox: Mailbox{Profile: "microsoft365"}}}
	for stamp, want := range map[string]string{
		"": "fbl.example.net",
		"from B1PR01.namprd01.prod.outlook.com (2603:10b6:1::9)" + by + "HTTPS":                                 "fbl.example.net",
		"from B1PR01.namprd01.prod.outlook.com (10.152.24.52)" + by + "Microsoft SMTP Server":                   "fbl.example.net",
		"from A1P110.NAMP110.PROD.OUTLOOK.COM (2001:489a:200:168::14)" + by + "Microsoft SMTP Server":           "fbl.example.net",
		"from pc.example.net (198.51.100.66)" + by + "Microsoft SMTP Server id 15.20.1":                         "",
		"from B1PR01.namprd01.prod.outlook.com (198.51.100.66)" + by + "Microsoft SMTP Server id 15.20.1":       "",
		"from B1PR01.namprd01.prod.outlook.com (2001:db8::66)" + by + "Microsoft SMTP Server id 15.20.1":        "",
		"from pc" + by + "Microsoft SMTP Server id 15.20.1":                                                     "",
		"from A1PR01.namprd01.prod.outlook.com ([fe80::b0af:4c9d:2058:a344])" + by + "mapi id 15.20.7249.041":   "",
		"from A1PR01.namprd01.prod.outlook.com (2603:10b6:1::9)" + by + "mapi id 15.20.7249.041":                "",
		"from [2603:10b6:1::9] (198.51.100.66)" + by + "Microsoft SMTP Server id 15.20.1":                       "",
		"from pc.example.net (198.51.100.66) by smtp.office365.com (2603:10b6:1::1) with Microsoft SMTP Server": "",
	} {
		header := genuine
		if stamp != "" {
			header = "Received: " + stamp + date + genuine
		}
		if got := c.believed(t, header, ""); got != want {
			t.Errorf("%q: %q is believed, want %q", stamp, got, want)
		}
	}
}
