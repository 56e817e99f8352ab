package message

import (
	"strings"
	"testing"
)

func TestReadHop(t *testing.T) {
	const doubt = "?"
	for value, want := range map[string]string{
		"from a.example.com (b.example.com [192.0.2.1]) by mx.example.org (Postfix) with ESMTP id 1; Mon, 06 Jul 2026 10:00:00 +0000":                                                      "192.0.2.1 mx.example.org",
		"from a.example.com (unknown [192.0.2.1]) (using TLSv1.3 with cipher X (256/256 bits)) (Client CN \"a\", Issuer \"b\" (verified OK)) by mx.example.org (Postfix) with ESMTPS id 1": "192.0.2.1 mx.example.org",
		"from a.example.com (b.example.com [192.0.2.1] (may be forged)) (authenticated bits=0) by mx.example.org (8.17/8.17) with ESMTP id 1":                                              "192.0.2.1 mx.example.org",
		"from a.example.com (IDENT:user@b.example.com [192.0.2.1]) by mx.example.org (8.17/8.17) with ESMTP id 1":                                                                          "192.0.2.1 mx.example.org",
		"from a.example.com (b.example.com [::ffff:192.0.2.1]) (AUTH: LOGIN user, TLS: TLSv1.3,256bits) by mx.example.org with ESMTPS id 1":                                                "192.0.2.1 mx.example.org",
		"from a.example.com (b.example.com. [192.0.2.1]) by mx.example.org with ESMTPS id 1.1.2026.07.06 for <u@example.org> (version=TLS1_3 cipher=X bits=128/128)":                       "192.0.2.1 mx.example.org",
		"from 127.0.0.1  (EHLO a.example.com) (192.0.2.2) by mta1.mail.yahoo.com with SMTP; Mon, 06 Jul 2026 10:00:00 +0000":                                                               "192.0.2.2 mta1.mail.yahoo.com",
		"from 192.0.2.2  (EHLO a.example.com) (192.0.2.2) by mta1.mail.yahoo.com with SMTP; Mon, 06 Jul 2026 10:00:00 +0000":                                                               "192.0.2.2 mta1.mail.yahoo.com",
		"from 192.0.2.6 (EHLO [192.0.2.99]) by 10.253.62.170 with SMTPs (version=TLS1_2)":                                                                                                  "192.0.2.6 10.253.62.170",
		"from 127.0.0.1 by atlas1.mail.yahoo.com pod-id x.yahoo.com with HTTP; Mon, 06 Jul 2026 10:00:00 +0000":                                                                            "127.0.0.1 atlas1.mail.yahoo.com",
		"from 10.197.37.234 by atlas1.mail.yahoo.com with HTTPS; Mon, 06 Jul 2026 10:00:00 +0000":                                                                                          "10.197.37.234 atlas1.mail.yahoo.com",
		"from unknown (HELO by) (user@192.0.2.3) by mx.example.org with ESMTPA; 06 Jul 2026 10:00:00 -0000":                                                                                "192.0.2.3 mx.example.org",
		"from b.example.com (HELO a.example.com) (192.0.2.3) by mx.example.org with SMTP; 06 Jul 2026 10:00:00 -0000":                                                                      "192.0.2.3 mx.example.org",
		"from unknown (HELO ?192.0.2.99?) ([192.0.2.3]) by mx.example.org with SMTP; 06 Jul 2026 10:00:00 -0000":                                                                           "192.0.2.3 mx.example.org",
		"from b.example.com (192.0.2.3) by mx.example.org with SMTP; 06 Jul 2026 10:00:00 -0000":                                                                                           "192.0.2.3 mx.example.org",
		"from mx.example.org (LHLO mx.example.org) (192.0.2.3) by mx.example.org with LMTP; 06 Jul 2026 10:00:00 -0000":                                                                    "192.0.2.3 mx.example.org",
		"from a.example.com ([IPv6:2001:DB8::25]:4711) by mx.example.org. with ESMTP":                                                                                                      "2001:db8::25 mx.example.org",
		"from a.example.com (::ffff:192.0.2.5) by mx.example.org with ESMTP":                                                                                                               "192.0.2.5 mx.example.org",
		"from a.example.com (2001:db8::5) by AB1.mail.protection.outlook.com (2001:db8::7) with Microsoft SMTP Server (version=TLS1_3) id 15.20 via Frontend Transport":                    "2001:db8::5 AB1.mail.protection.outlook.com",
		"from a.example.com ([192.0.2.5]) by mx.example.org (HCL Domino Release 12) with ESMTP id 2026070610-1 ; Mon, 6 Jul 2026 10:00:00 +0000":                                           "192.0.2.5 mx.example.org",
		"from a.example.com ([192.0.2.5]) by mx.example.org over TLS secured channel with Microsoft SMTPSVC(7.5.7601); Mon, 6 Jul 2026 10:00:00 +0000":                                     "192.0.2.5 mx.example.org",
		"from [192.0.2.7] (port=1 helo=a.example.com ident=192.0.2.99) by mx1.mail.ru with esmtp":                                                                                          "192.0.2.7 mx1.mail.ru",
		"from [192.0.2.7] (port=1 helo=[192.0.2.99]) by mx2.mail.ru with esmtp":                                                                                                            "192.0.2.7 mx2.mail.ru",
		"from [192.0.2.7] (helo=a.example.com) by mx2.mail.ru with esmtp (Exim 4.98) (envelope-from <b@a.example.com>) id 1":                                                               "192.0.2.7 mx2.mail.ru",
		"from b.example.com ([192.0.2.7] helo=a.example.com) by mx2.mail.ru with esmtp (Exim 4.98) (envelope-from <b@a.example.com>) id 1":                                                 "192.0.2.7 mx2.mail.ru",
		"from b.example.com ([192.0.2.7]:4711 helo=a.example.com ident=x) by mx2.mail.ru with esmtp (Exim 4.98)":                                                                           "192.0.2.7 mx2.mail.ru",
		"from [192.0.2.7] ([192.0.2.7:4711] helo=a.example.com) by mx.example.org (envelope-from <b@a.example.com>) (ecelerity 3.6) with ESMTP":                                            "192.0.2.7 mx.example.org",
		"from [192.0.2.99] (b.example.com [192.0.2.7]) by mx.example.org with ESMTP":                                                                                                       "192.0.2.7 mx.example.org",
		"from a,192.0.2.99 (b.example.com [192.0.2.7]) by mx.example.org with ESMTP":                                                                                                       "192.0.2.7 mx.example.org",
		"by mx.example.org (Postfix, from userid 33) id 2; Mon, 06 Jul 2026 10:00:00 +0000":                                                                                                " mx.example.org",
		"(from user@localhost) by mx.example.org (8.17/8.17/Submit) id 1":                                                                                                                  " mx.example.org",
		"from root by mx.example.org with local (Exim 4.98)":                                                                                                                               " mx.example.org",
		"from a.example.com by mx.example.org with SMTP id 1; Sat, 08 Oct 2011 13:15:58 -0700 (PDT)":                                                                                       " mx.example.org",
		"(qmail 1 invoked by uid 2); 6 Jul 2026 10:00:00 -0000":                                                                                                                            " ",
		"": " ",

		// Nobody can tell whose word that is.
		"from A[192.0.2.4] by mx.example.org[192.0.2.9] on Mon":                      doubt + " mx.example.org",
		"from [192.0.2.99] (HELO [192.0.2.99]) (192.0.2.8) by mx.example.org":        doubt + " mx.example.org",
		"from 192.0.2.99 by mx.example.org with SMTP":                                doubt + " mx.example.org",
		"from [192.0.2.99] by mx.example.org with SMTP":                              doubt + " mx.example.org",
		"from [192.0.2.99] by mx.example.org with HTTP":                              doubt + " mx.example.org",
		"from 127.0.0.1 by mx.example.org with SMTP":                                 doubt + " mx.example.org",
		"from a [192.0.2.99] by mx.example.org with SMTP":                            doubt + " mx.example.org",
		"from a (b [192.0.2.99]) (c [192.0.2.98]) by mx.example.org":                 doubt + " mx.example.org",
		"from a (b [192.0.2.99]) (whatever) by mx.example.org":                       doubt + " mx.example.org",
		"from a (b [192.0.2.99]) (using 192.0.2.98) by mx.example.org":               doubt + " mx.example.org",
		"from a (HELO b) by mx.example.org":                                          doubt + " mx.example.org",
		"from a (HELO b c) (192.0.2.99) by mx.example.org":                           doubt + " mx.example.org",
		"from a (192.0.2.99 192.0.2.98) by mx.example.org":                           doubt + " mx.example.org",
		"from a ([192.0.2.99] helo=b helo=c) by mx.example.org":                      doubt + " mx.example.org",
		"from a (b ([192.0.2.99]) by mx.example.org":                                 doubt + " mx.example.org",
		"from mail pickup service by mx.example.org with Microsoft SMTPSVC":          doubt + " mx.example.org",
		"from a (b [192.0.2.99]) by mx.example.org with SMTP by mx.example.com":      doubt + " ",
		"from a; b (c [192.0.2.99]) by mx.example.org; Mon, 6 Jul 2026 10:00:00 GMT": doubt + " ",
		"from" + strings.Repeat(" (a)", 9) + " by mx.example.org":                    doubt + " mx.example.org",
		"from": doubt + " ",
	} {
		h := ReadHop(value)
		got := h.IP + " " + h.By
		if h.Doubt {
			got = doubt + got
		}
		if got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
		if h.Relayed != strings.HasPrefix(value, "from") {
			t.Errorf("%s: from: %v", value, h.Relayed)
		}
		if h.Doubt && h.From != nil {
			t.Errorf("%s: from %q", value, h.From)
		}
	}
}

// servers are how well-known ones write a Received, of a client at 203.0.113.9
// whose own words, %, they write down as they come.
var servers = map[string]string{
	"Postfix":       "from % (% [203.0.113.9]) by mx.example.net (Postfix) with ESMTP id 4711 for <%>; Mon, 6 Jul 2026 10:00:00 +0000",
	"Postfix, TLS":  `from a.example (% [203.0.113.9]) (using TLSv1.3 with cipher X (256/256 bits)) (Client CN "%", Issuer "b" (not verified)) (Authenticated sender: %) by mx.example.net (Postfix) with ESMTPSA id 4711; Mon, 6 Jul 2026 10:00:00 +0000`,
	"sendmail":      "from % (IDENT:%@% [203.0.113.9] (may be forged)) by mx.example.net (8.17/8.17) with ESMTP id 4711; Mon, 6 Jul 2026 10:00:00 +0000",
	"Exim":          "from % ([203.0.113.9] helo=% ident=%) by mx.example.net with esmtps (TLS1.3) (Exim 4.98) (envelope-from <%>) id 4711 for %; Mon, 6 Jul 2026 10:00:00 +0000",
	"Exim, no name": "from [203.0.113.9] (port=4711 helo=%) by mx.example.net with esmtp (Exim 4.98) (envelope-from <%>) id 4711; Mon, 6 Jul 2026 10:00:00 +0000",
	"Exim, bare":    "from [203.0.113.9] (helo=%) by mx.example.net with esmtp (Exim 4.98) (envelope-from <%>) id 4711; Mon, 6 Jul 2026 10:00:00 +0000",
	"Exchange":      "from % (203.0.113.9) by a.mx.example.net (10.0.0.1) with Microsoft SMTP Server id 15.20 via Frontend Transport; Mon, 6 Jul 2026 10:00:00 +0000",
	"SMTPSVC":       "from % ([203.0.113.9]) by mx.example.net with Microsoft SMTPSVC(7.5); Mon, 6 Jul 2026 10:00:00 +0000",
	"qmail":         "from % (HELO %) (%@203.0.113.9)\n  by mx.example.net with SMTP; 6 Jul 2026 10:00:00 -0000",
	"qmail, bare":   "from unknown (HELO %) (203.0.113.9)\n  by mx.example.net with SMTP; 6 Jul 2026 10:00:00 -0000",
	"Yahoo":         "from 203.0.113.9 (EHLO %)\n by 10.253.62.170 with SMTPs (version=TLS1_3); Mon, 6 Jul 2026 10:00:00 +0000",
	"Yahoo, once":   "from 127.0.0.1  (EHLO %) (203.0.113.9)\n by mx.example.net with SMTPS; Mon, 6 Jul 2026 10:00:00 +0000",
	"Gmail":         "from % (%. [203.0.113.9])\n        by mx.example.net with ESMTPS id 4711\n        for <%>\n        (version=TLS1_3); Mon, 06 Jul 2026 10:00:00 -0700 (PDT)",
	"Haraka":        "from % (% [203.0.113.9])\n\tby mx.example.net (Haraka/3.0) with ESMTPS id 4711 envelope-from <%> (cipher=X); Mon, 6 Jul 2026 10:00:00 +0000",
	"Courier":       "from % (% [::ffff:203.0.113.9]) (IDENT: %, AUTH: LOGIN a) by mx.example.net with ESMTP id 4711; Mon, 6 Jul 2026 10:00:00 +0000",
	"Domino":        "from % ([203.0.113.9]) by mx.example.net (HCL Domino Release 12) with ESMTP id 4711-1 ; Mon, 6 Jul 2026 10:00:00 +0000",
	"Zimbra":        "from a.example (LHLO %) (203.0.113.9) by mx.example.net with LMTP; Mon, 6 Jul 2026 10:00:00 +0000",
	"Ecelerity":     "from [203.0.113.9] ([203.0.113.9:4711] helo=%) by mx.example.net (envelope-from <%>) (ecelerity 4.2) with ESMTP id 4711; Mon, 6 Jul 2026 10:00:00 +0000",
}

// pieces are what a client can make its words of; the last ones less often.
var pieces = []string{
	"a", "mx.example.net", "192.0.2.7", "[192.0.2.7]", "(192.0.2.7)", "([192.0.2.7])", "(b [192.0.2.7])", "(x@192.0.2.7)", "[10.0.0.7]", "127.0.0.1", ",192.0.2.7",
	"from", "by mx.example.net", "by 10.0.0.7 with HTTP", "(HELO b)", "(EHLO b)", "(helo=b)", "helo=192.0.2.7", "(using b)", "(qmail 1 invoked by uid 2)", "(may be forged)", "(", ")", ";", "\t",
	"=192.0.2.7", "@192.0.2.7", "]192.0.2.7", "[IPv6:::ffff:192.0.2.7]", "::ffff:192.0.2.7", "(10.0.0.7)", "from 192.0.2.7", "BY mx.example.net (x", "with HTTP", "ident=192.0.2.7", `"`, `\`, "; by mx.example.net", "\u00a0",
}

const often = 25 // of pieces: three at a time

// TestClientsWords: whatever a client says of itself, its address is its own,
// nobody takes it for a host of the provider, and the hop is not passed over.
func TestClientsWords(t *testing.T) {
	hosts := []string{"mx.example.net"}
	check := func(name, server, word string) {
		h := ReadHop(strings.ReplaceAll(server, "%", word))
		inside, known := h.IsWithin(hosts)
		if h.IP != "" && h.IP != "203.0.113.9" || inside && known || !h.Relayed || h.Queue || h.By == "" && !h.Doubt {
			t.Errorf("%s, %q: %+v, inside %v", name, word, h, inside)
		}
		if by := strings.TrimPrefix(h.By, "a."); by != "" && by != "mx.example.net" && by != "10.253.62.170" {
			t.Errorf("%s, %q: by %q", name, word, by)
		}
	}
	for name, server := range servers {
		if h := ReadHop(strings.ReplaceAll(server, "%", "mail.example.com")); h.Doubt || h.IP != "203.0.113.9" || h.Date.IsZero() {
			t.Errorf("%s: %+v", name, h)
		}
		for _, a := range pieces {
			check(name, server, a)
			for _, b := range pieces {
				check(name, server, a+b)
				check(name, server, a+" "+b)
			}
		}
		for _, a := range pieces[:often] {
			for _, b := range pieces[:often] {
				for _, c := range pieces[:often] {
					check(name, server, a+" "+b+" "+c)
				}
			}
		}
	}
}

// FuzzClientsWords: see TestClientsWords.
func FuzzClientsWords(f *testing.F) {
	for _, piece := range pieces {
		f.Add(piece, "mail.example.com")
	}
	f.Fuzz(func(t *testing.T, helo, other string) {
		if strings.ContainsAny(helo+other, "\r\n") {
			return // ends the command
		}
		for name, server := range servers {
			h := ReadHop(strings.ReplaceAll(strings.Replace(server, "%", helo, 1), "%", other))
			if inside, known := h.IsWithin([]string{"mx.example.net"}); h.IP != "" && h.IP != "203.0.113.9" || inside && known || !h.Relayed || h.Queue {
				t.Errorf("%s: %+v", name, h)
			}
		}
	})
}
