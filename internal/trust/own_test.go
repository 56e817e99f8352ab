package trust

import (
	"slices"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/report"
)

// reported is a report of the provider "net" about a message with that header;
// fields are of its report part.
func reported(fields, header string) (*report.Report, []report.Record) {
	m := crlfs("From: <feedback@" + reporter + ">\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\n" +
		"Feedback-Type: abuse\nUser-Agent: Test/1.0\nVersion: 1\n" + fields + "\n--b\nContent-Type: message/rfc822\n\n" + header + "Subject: x\n\nx\n--b--\n")
	r := report.Parse([]byte(m))
	return r, r.Records(report.Envelope{Providers: hosted})
}

// hosted is the provider "net" with its hosts.
var hosted = report.Providers{{Name: "net", From: []string{reporter}, Signed: []string{reporter}, Hosts: []string{"mx.example.net"}}}

// What the provider "net" and others write when they take a message in.
const (
	fromOurs   = "Received: from mail.example.com (mail.example.com [192.0.2.9]) by a.mx.example.net with ESMTP; Mon, 1 Jun 2026 10:00:00 +0000\n"
	fromEvil   = "Received: from mail.example.com (evil.example [203.0.113.9]) by a.mx.example.net with ESMTP; Mon, 1 Jun 2026 10:00:00 +0000\n"
	fromWithin = "Received: from a.mx.example.net (a.mx.example.net [10.0.0.7]) by b.mx.example.net with LMTP; Mon, 1 Jun 2026 10:00:01 +0000\n"
	asWithin   = "Received: from a.mx.example.net (evil.example [203.0.113.9]) by b.mx.example.net with ESMTP; Mon, 1 Jun 2026 10:00:01 +0000\n"
	byNobody   = "Received: from a.mx.example.net (a.mx.example.net [10.0.0.7]) by out.example.org with ESMTP; Mon, 1 Jun 2026 10:00:02 +0000\n"

	dkimOurs = "Authentication-Results: b.mx.example.net; dkim=pass header.i=@example.com; spf=pass smtp.mailfrom=evil.example\n"
	spfOurs  = "Authentication-Results: spf=pass smtp.mailfrom=bounce.example.com; dkim=none\n"
	evilOnly = "Authentication-Results: b.mx.example.net; dkim=pass header.d=evil.example; dmarc=fail header.from=example.com\n"

	fromUs  = "From: News <news@example.com>\n"
	signs   = "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s;\n\th=From:Subject:X-Token; bh=x; b=x\n"
	signsNo = "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h=From:Subject; bh=x; b=x\n"
	token   = "X-Token: 4711\n"
)

// TestForeign: what a message says of itself makes it no message of ours.
func TestForeign(t *testing.T) {
	const (
		ok       = report.Code("")
		unset    = report.CodeOwnUnset
		address  = report.CodeForeignIP
		another  = report.CodeForeignDomain
		nothing  = report.CodeUnproven
		unsigned = report.CodeUnsignedToken
	)
	domains := Own{Domains: []string{ours}}
	ips := Own{IPs: []string{"192.0.2.0/24", "2001:db8::/32"}}
	both := Own{Domains: domains.Domains, IPs: ips.IPs}
	for _, test := range []struct {
		name           string
		own            Own
		fields, header string
		source         string // of the subscriber, 4711; "" names none
		tenant         string // of the tenant
		signed         bool
		stranger       bool
		want           report.Code
	}{
		{name: "nothing is ours", fields: "Source-IP: 192.0.2.9\n", header: fromUs, want: unset},
		{name: "our address", own: ips, fields: "Source-IP: 192.0.2.9\n", want: ok},
		{name: "our address of IPv6", own: ips, fields: "Source-IP: 2001:db8::1\n", want: ok},
		{name: "our address, an author of a customer", own: both, fields: "Source-IP: 192.0.2.9\n", header: "From: a@customer.example\n", want: ok},
		{name: "our address, and a token that nobody signed", own: ips, fields: "Source-IP: 192.0.2.9\n", header: token, source: "original:X-Token", want: ok},
		{name: "not our address, our name", own: both, fields: "Source-IP: 203.0.113.9\n", header: fromUs, want: address},
		{name: "not our address, sent again with our signature", own: both, fields: "Source-IP: 203.0.113.9\n", header: dkimOurs + fromEvil + signs + fromUs, want: address},
		{name: "not our address, our key's token", own: both, fields: "Source-IP: 203.0.113.9\n", header: fromUs + token, source: "original:X-Token", signed: true, want: address},

		// An address that the reported message's header tells.
		{name: "taken in from our address", own: ips, header: fromWithin + fromOurs + fromUs, want: ok},
		{name: "taken in from another address", own: ips, header: fromWithin + fromEvil + fromOurs + fromUs, want: address},
		{name: "SPF of the border", own: ips, header: "Received-SPF: pass (a.mx.example.net: domain of x) client-ip=192.0.2.9;\n" + fromOurs + fromUs, want: ok},
		{name: "SPF that came with the mail, and no border", own: ips, header: "Received-SPF: pass (a.mx.example.net: domain of x) client-ip=192.0.2.9;\n" + fromUs, want: nothing},
		{name: "SPF that came with the mail", own: ips, header: fromEvil + "Received-SPF: pass (a.mx.example.net: domain of x) client-ip=192.0.2.9;\n" + fromUs, want: address},
		{name: "our address as a client's greeting", own: ips, header: "Received: from 192.0.2.9 (evil.example [203.0.113.9]) by a.mx.example.net with ESMTP\n" + fromOurs + fromUs, want: address},
		{name: "our address within a greeting", own: ips, header: "Received: from a,192.0.2.9 (evil.example [203.0.113.9]) by a.mx.example.net with ESMTP\n" + fromOurs + fromUs, want: address},
		{name: "our address, nothing but a greeting", own: ips, header: "Received: from [192.0.2.9] by a.mx.example.net with ESMTP\n" + fromOurs + fromUs, want: nothing},
		{name: "a greeting with our address in parentheses", own: ips, header: "Received: from a (192.0.2.9) (203.0.113.9) by a.mx.example.net with ESMTP\n" + fromOurs + fromUs, want: nothing},
		{name: "a greeting with a whole hop", own: ips, header: "Received: from a (b [192.0.2.9]) by a.mx.example.net with ESMTP (evil.example [203.0.113.9]) by a.mx.example.net with ESMTP\n" + fromOurs + fromUs, want: nothing},
		{name: "a greeting with a private address", own: ips, header: "Received: from a (a.mx.example.net [10.0.0.7]) (evil.example [203.0.113.9]) by b.mx.example.net with ESMTP\n" + fromOurs + fromUs, want: nothing},
		{name: "a greeting that is a private address", own: ips, header: "Received: from 10.0.0.7 by b.mx.example.net with ESMTP\n" + fromOurs + fromUs, want: nothing},
		{name: "a client of the provider's own users", own: ips, header: "Received: from a.mx.example.net ([fe80::1]) by a.mx.example.net ([fe80::1%4]) with mapi id 15\n" + fromOurs + fromUs, want: nothing},
		{name: "a message that a user hands in", own: ips, header: "Received: by a.mx.example.net with SMTPS id 1; Mon, 1 Jun 2026 10:00:01 +0000\n" + fromOurs + fromUs, want: nothing},
		{name: "a message that a program on the provider's host hands in", own: ips, header: "Received: by a.mx.example.net (Postfix, from userid 501) id 1; Mon, 1 Jun 2026 10:00:01 +0000\n" + fromOurs + fromUs, want: nothing},
		{name: "a user who logs in behind a proxy", own: ips, header: strings.Replace(fromWithin, "LMTP", "esmtpsa", 1) + fromOurs + fromUs, want: nothing},
		{name: "a host that logs in", own: ips, header: strings.Replace(fromWithin, "LMTP", "LMTPA", 1) + fromOurs + fromUs, want: ok},
		{name: "a line of a queue", own: ips, header: "Received: (qmail 1 invoked by uid 89); 1 Jun 2026 10:00:02 -0000\n" + fromOurs + fromUs, want: ok},
		{name: "a line of a queue that came with the mail", own: ips, header: fromEvil + "Received: (qmail 1 invoked by uid 89); 1 Jun 2026 10:00:02 -0000\n" + fromOurs + fromUs, want: address},
		{name: "a border that calls itself the provider's", own: ips, header: asWithin + fromOurs + fromUs, want: nothing},
		{name: "hops of nobody above", own: ips, header: byNobody + fromOurs + fromUs, want: nothing},
		{name: "no address, our name", own: both, header: fromUs, want: nothing},

		// Domains.
		{name: "only our name", own: domains, header: fromUs, want: nothing},
		{name: "our name, from anywhere", own: domains, fields: "Source-IP: 203.0.113.9\n", header: fromUs, want: nothing},
		{name: "our bounce address", own: domains, fields: "Original-Mail-From: <b@example.com>\n", header: "Return-Path: <b@example.com>\n" + fromUs, want: nothing},
		{name: "found genuine", own: domains, fields: "Authentication-Results: mx; dkim=pass header.d=example.com; spf=fail smtp.mailfrom=x@evil.example\n", want: ok},
		{name: "found genuine below our domain", own: domains, fields: "Authentication-Results: mx; spf=pass smtp.mailfrom=b.News.Example.COM\n", want: ok},
		{name: "found another's", own: domains, fields: "Authentication-Results: mx; dkim=pass header.d=evil.example; spf=fail smtp.mailfrom=x@example.com\n", header: fromUs, want: another},
		{name: "found of one whose name ends like ours", own: domains, fields: "Authentication-Results: mx; dkim=pass header.d=notexample.com\n", header: fromUs, want: another},
		{name: "found of one with our name in front", own: domains, fields: "Authentication-Results: mx; dkim=pass header.d=example.com.evil.example\n", header: fromUs, want: another},
		{name: "found nothing", own: domains, fields: "Authentication-Results: mx; dkim=none; spf=none smtp.mailfrom=x@example.com\n", header: fromUs, want: nothing},
		{name: "a second server's word", own: domains, fields: "Authentication-Results: mx; dkim=none header.d=x.example; spf=fail smtp.mailfrom=x@example.com\nAuthentication-Results: evil.example; dkim=pass header.d=example.com\n", header: fromUs, want: another},
		{name: "found by SPF, beside what the client says", own: domains, fields: "Authentication-Results: mx; spf=pass smtp.mailfrom=evil.example smtp.helo=x; spf=pass smtp.mailfrom=example.com\n", want: another},
		{name: "found by SPF, beside what the client says, in another field", own: domains, fields: "Authentication-Results: mx; spf=pass smtp.mailfrom=example.com\nAuthentication-Results: mx; spf=none smtp.mailfrom=x@evil.example\n", want: another},
		{name: "found by SPF of MAIL FROM and of HELO", own: domains, fields: "Authentication-Results: mx; spf=pass smtp.mailfrom=example.com; spf=none smtp.helo=mail.example.com\n", want: ok},
		{name: "found by more signatures than there are", own: domains, fields: "Authentication-Results: mx; dkim=pass header.d=evil.example; dkim=pass header.d=example.com\n", header: strings.Replace(signsNo, "d=example.com", "d=evil.example", 1), want: another},
		{name: "found by two signatures", own: domains, fields: "Authentication-Results: mx; dkim=pass header.d=esp.example; dkim=pass header.d=example.com\n", header: signsNo + strings.Replace(signsNo, "d=example.com", "d=esp.example", 1), want: ok},
		{name: "found by signatures that the report leaves out", own: domains, fields: "Authentication-Results: mx; dkim=pass header.d=esp.example; dkim=pass header.d=example.com\n", want: ok},
		{name: "found by DMARC", own: domains, fields: "Authentication-Results: mx; dmarc=pass header.from=example.com\n", want: ok},

		// Domains, as the reported message's header tells.
		{name: "taken in and found genuine", own: domains, header: dkimOurs + fromWithin + fromOurs + fromUs, want: ok},
		{name: "Yahoo says that it has nothing to say", own: domains, fields: "Authentication-Results: authentication result string is not available\n", header: dkimOurs + fromOurs + fromUs, want: ok},
		{name: "found genuine, as the mail says", own: domains, header: fromEvil + dkimOurs + fromOurs + fromUs, want: nothing},
		{name: "found genuine, and no border", own: domains, header: dkimOurs + fromUs, want: nothing},
		{name: "found another's, and as the mail says ours", own: domains, header: evilOnly + fromEvil + dkimOurs + fromOurs + fromUs, want: another},
		{name: "found by a server of nobody", own: domains, header: strings.Replace(dkimOurs, "b.mx.example.net", "out.example.org", 1) + fromOurs + fromUs, want: nothing},
		{name: "found by the provider, says a user who hands in", own: domains, header: "Received: by a.mx.example.net with ESMTPA id 1; Mon, 1 Jun 2026 10:00:01 +0000\n" + spfOurs + fromOurs + fromUs, want: nothing},
		{name: "found behind a hop that calls itself the provider's", own: domains, header: asWithin + dkimOurs + fromOurs + fromUs, want: nothing},

		// Tokens.
		{name: "SPF, and a token that nobody signed", own: domains, header: spfOurs + fromOurs + token, source: "original:X-Token", want: ok},
		{name: "a token that we signed", own: domains, header: dkimOurs + fromOurs + signs + token, source: "original:X-Token", want: ok},
		{name: "a token that nobody signed", own: domains, header: dkimOurs + fromOurs + signsNo + token, source: "original:X-Token", want: unsigned},
		{name: "a second token above the one that we signed", own: domains, header: dkimOurs + fromOurs + signs + "X-Token: 4712\n" + token, source: "original:X-Token", want: unsigned},
		{name: "another's signature over the token", own: domains, header: dkimOurs + fromOurs + strings.Replace(signs, "d=example.com", "d=evil.example", 1) + signsNo + token, source: "original:X-Token", want: unsigned},
		{name: "a made-up signature of ours over the token", own: domains, header: dkimOurs + fromOurs + signs + signsNo + token, source: "original:X-Token", want: unsigned},
		{name: "a made-up signature below our domain", own: domains, header: strings.Replace(dkimOurs, "@example.com", "@news.example.com", 1) + fromOurs + strings.Replace(signs, "d=", "d=news.", 1) + signsNo + token, source: "original:X-Token", want: unsigned},
		{name: "a made-up signature of ours, DMARC passed by that of a sibling", own: Own{Domains: []string{"news.example.com"}}, header: "Authentication-Results: b.mx.example.net; dkim=pass header.d=mail.example.com; dmarc=pass header.from=news.example.com\n" + fromOurs + strings.Replace(signs, "d=", "d=news.", 1) + strings.Replace(signsNo, "d=", "d=mail.", 1) + token, source: "original:X-Token", want: unsigned},
		{name: "DMARC passed by the signature of a sibling", own: Own{Domains: []string{"news.example.com"}}, header: "Authentication-Results: b.mx.example.net; dkim=pass header.d=mail.example.com; dmarc=pass header.from=news.example.com\n" + fromOurs + strings.Replace(signs, "d=", "d=mail.", 1) + token, source: "original:X-Token", want: unsigned},
		{name: "a signature that has a tag twice", own: domains, header: dkimOurs + fromOurs + signs + strings.Replace(signsNo, "bh=x", "bh=x; bh=x", 1) + token, source: "original:X-Token", want: unsigned},
		{name: "a signature that names two domains", own: domains, header: dkimOurs + fromOurs + signs + strings.Replace(signsNo, "d=example.com", "d=evil.example; d=example.com", 1) + token, source: "original:X-Token", want: unsigned},
		{name: "a signature that names two lists of fields", own: domains, header: dkimOurs + fromOurs + signs + strings.Replace(signsNo, "h=From", "h=X-Token; h=From", 1) + token, source: "original:X-Token", want: unsigned},
		{name: "a signature with a word that is no tag", own: domains, header: dkimOurs + fromOurs + signs + strings.Replace(signsNo, "bh=x", "x; bh=x", 1) + token, source: "original:X-Token", want: unsigned},
		{name: "a signature whose tags are in capitals", own: domains, header: dkimOurs + fromOurs + signs + strings.NewReplacer("d=", "D=", "h=", "H=").Replace(signsNo) + token, source: "original:X-Token", want: unsigned},
		{name: "a signature of no domain", own: domains, header: dkimOurs + fromOurs + signs + strings.Replace(signsNo, "d=example.com; ", "", 1) + token, source: "original:X-Token", want: unsigned},
		{name: "a signature of no fields", own: domains, header: dkimOurs + fromOurs + signs + strings.Replace(signsNo, "h=From:Subject; ", "", 1) + token, source: "original:X-Token", want: unsigned},
		{name: "a signature of a domain that is none", own: domains, header: dkimOurs + fromOurs + signs + strings.Replace(signsNo, "d=example.com", "d=ex\u00adample\uffff.com", 1) + token, source: "original:X-Token", want: unsigned},
		{name: "a field that is signed once more than it is there", own: domains, header: dkimOurs + fromOurs + strings.Replace(signs, "X-Token", "X-Token:x-token", 1) + token, source: "original:X-Token", want: ok},
		{name: "a field that is signed once, and is there twice", own: domains, header: dkimOurs + fromOurs + signs + token + token, source: "original:X-Token", want: unsigned},
		{name: "a field that is signed twice, and is there twice", own: domains, header: dkimOurs + fromOurs + strings.Replace(signs, "X-Token", "X-Token : X-Token", 1) + token + token, source: "original:X-Token", want: ok},
		{name: "a field whose name is not of ASCII", own: domains, header: dkimOurs + fromOurs + strings.Replace(signs, "X-Token", "X-To\u212aen", 1) + token, source: "original:X-Token", want: unsigned},
		{name: "another's signature that can be read", own: domains, header: dkimOurs + fromOurs + strings.Replace(signsNo, "d=example.com", "d=esp.example", 1) + signs + token, source: "original:X-Token", want: ok},
		{name: "no signature", own: domains, header: dkimOurs + fromOurs + token, source: "original:X-Token", want: unsigned},
		{name: "a token of the envelope", own: domains, header: dkimOurs + fromOurs + signs, source: "report:Original-Mail-From", want: unsigned},
		{name: "a token that our key made", own: domains, header: dkimOurs + fromOurs + token, source: "original:X-Token", signed: true, want: ok},
		{name: "a token that our key made, of another tenant", own: domains, header: dkimOurs + fromOurs + signsNo + token + "Feedback-ID: a:t2:b:ours\n", source: "original:X-Token", tenant: "original:Feedback-ID", signed: true, want: unsigned},
		{name: "a token that our key made, of a tenant whose signature nobody looked at", own: domains, header: strings.Replace(signs, "X-Token", "Feedback-ID", 1) + token + "Feedback-ID: a:t2:b:ours\n", source: "original:X-Token", tenant: "original:Feedback-ID", signed: true, want: unsigned},
		{name: "a token that our key made, of a tenant, as a stranger found", own: domains, fields: "Authentication-Results: mx; dkim=pass header.d=example.com\n", header: strings.Replace(signs, "X-Token", "Feedback-ID", 1) + token + "Feedback-ID: a:t2:b:ours\n", source: "original:X-Token", tenant: "original:Feedback-ID", signed: true, stranger: true, want: unsigned},
		{name: "a token that our key made, of a tenant, from where a stranger says", own: both, fields: "Source-IP: 192.0.2.9\n", header: token + "Feedback-ID: a:t2:b:ours\n", source: "original:X-Token", tenant: "original:Feedback-ID", signed: true, stranger: true, want: unsigned},
		{name: "a token that our key made, in a stranger's report", own: both, fields: "Source-IP: 192.0.2.9\nAuthentication-Results: mx; dkim=fail header.d=example.com\n", header: token, source: "original:X-Token", signed: true, stranger: true, want: ok},
		{name: "a tenant that nobody signed", own: domains, header: dkimOurs + fromOurs + signs + token + "Feedback-ID: a:t2:b:ours\n", source: "original:X-Token", tenant: "original:Feedback-ID", want: unsigned},
		{name: "nothing but a token that our key made", own: domains, header: "CFBL-Feedback-ID: 4711\n", source: "original:CFBL-Feedback-ID", signed: true, want: ok},
		{name: "a token that our key made, on another's mail", own: domains, header: evilOnly + fromEvil + token, source: "original:X-Token", signed: true, want: another},
		{name: "the provider names the same", own: domains, fields: "Original-Rcpt-To: 4711@example.org\n", header: dkimOurs + fromOurs + signsNo + "Return-Path: <b-4711=example.org@example.com>\n", source: "rcpt", want: ok},
		{name: "the provider names somebody else", own: domains, fields: "Original-Rcpt-To: evil@example.org\n", header: dkimOurs + fromOurs + signsNo + token, source: "original:X-Token", want: unsigned},
		{name: "a header that goes on behind the limit", own: domains, header: dkimOurs + fromOurs + signs + token + strings.Repeat("X-Pad: "+strings.Repeat("y", 500)+"\n", 140), source: "original:X-Token", want: unsigned},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := New(Config{Own: test.own}, nil, hosted)
			if err != nil {
				t.Fatal(err)
			}
			c.hosts = hosted[0].Hosts
			r, records := reported(test.fields, test.header)
			if len(records) != 1 {
				t.Fatalf("%d records", len(records))
			}
			if test.source != "" {
				id := report.Identity{Subscriber: "4711", By: map[string]report.Rule{"subscriber": {Rule: "rule 1", Source: test.source}}}
				if test.tenant != "" {
					id.Tenant, id.By["tenant"] = "t2", report.Rule{Rule: "feedback-id", Source: test.tenant}
				}
				records[0].Identify(id)
			}
			if got := c.foreign(&origin{header: r.Header(report.FromOriginal), stranger: test.stranger}, &records[0], test.signed).Code; got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// A message that somebody sends for us comes from his address: by trust.own.ips it is
// not ours, and the reason names the address, as the reporter has it or as its hosts saw
// it. Without them it is ours by its domain.
func TestSentThroughOthers(t *testing.T) {
	const (
		fields = "Authentication-Results: mx; dkim=pass header.d=esp.example; dkim=pass header.d=example.com; spf=pass smtp.mailfrom=bounce.esp.example\n"
		border = "Received: from out.esp.example (out.esp.example [198.51.100.77]) by a.mx.example.net with ESMTP; Mon, 1 Jun 2026 10:00:00 +0000\n"
	)
	for _, test := range []struct{ fields, header, address string }{
		{fields + "Source-IP: 198.51.100.77\n", fromUs, "198.51.100.77"},
		{fields + "Source-IP: 2001:db8:9::0077\n", fromUs, "2001:db8:9::77"},
		{fields, border + fromUs, "198.51.100.77"},
	} {
		for _, own := range []Own{{Domains: []string{ours}}, {Domains: []string{ours}, IPs: []string{"192.0.2.0/24"}}} {
			c, err := New(Config{Own: own}, nil, hosted)
			if err != nil {
				t.Fatal(err)
			}
			c.hosts = hosted[0].Hosts
			r, records := reported(test.fields, test.header)
			got, want := c.foreign(&origin{header: r.Header(report.FromOriginal)}, &records[0], false), report.Reason{}
			if len(own.IPs) > 0 {
				want = report.Reason{Code: report.CodeForeignIP, Text: "the reported message came from " + test.address + ", which is not among trust.own.ips"}
			}
			if got != want {
				t.Errorf("%q, own %v: %+v, want %+v", test.fields, own, got, want)
			}
		}
	}
}

// A recipient that stands in the reported message's header is the provider's word
// only where the provider wrote it.
func TestDerivedRecipient(t *testing.T) {
	const field = "X-HmXmrOriginalRecipient: <mary@example.org>\n"
	c, err := New(Config{Own: Own{Domains: []string{"example.com"}}}, nil, hosted)
	if err != nil {
		t.Fatal(err)
	}
	c.hosts = hosted[0].Hosts
	for header, want := range map[string]report.Code{
		field + dkimOurs + fromOurs: "",
		dkimOurs + fromOurs + field: report.CodeUnsignedToken,
		field + signsNo:             report.CodeUnsignedToken, // no host of the provider wrote into it
	} {
		r, records := reported("Authentication-Results: b.mx.example.net; dkim=pass header.d=example.com\n", header)
		records[0].OriginalRcptTo, records[0].Complainant = "mary@example.org", report.Named
		records[0].Derived = map[string]string{"original_rcpt_to": "original:X-HmXmrOriginalRecipient"}
		if got := c.foreign(&origin{header: r.Header(report.FromOriginal)}, &records[0], false).Code; got != want {
			t.Errorf("%q, want %q, of %q", got, want, header)
		}
	}
}

func TestAligned(t *testing.T) {
	c, err := New(Config{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.signers = []string{reporter, carrier}
	for _, test := range []struct {
		domain, from string
		want         bool
	}{
		{"a.example", "a.example", true},
		{"mail.a.example", "a.example", true},
		{"a.example", "b.a.example", true},
		{"a.co.uk", "b.co.uk", false}, // co.uk is a public suffix
		{"co.uk", "b.co.uk", false},
		{"a.example", "b.example", false},
		{"carrier.example.org", "fbl.example.net", true}, // a pair of the table
		{"carrier.example.org", "other.example.net", false},
		{"evil.example", "fbl.example.net", false},
		{"", "", false},
	} {
		if got := c.aligned(test.domain, test.from); got != test.want {
			t.Errorf("%s for %s: got %v", test.domain, test.from, got)
		}
	}
}

func signersOf(r *report.Report) []string {
	row := report.Providers(nil).Of(r)
	return signers(&row, r.Records(report.Envelope{})[0].Dialect)
}

// What the built-in table says of a provider that gives out mailboxes at the
// domain it signs with is not enough to believe one of them.
func TestMailboxesAreNoProvider(t *testing.T) {
	message := func(from, agent string) *report.Report {
		m := crlfs("From: <" + from + ">\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\n" +
			"Feedback-Type: abuse\nUser-Agent: " + agent + "\nVersion: 1\n\n--b\nContent-Type: message/rfc822\n\nFrom: a@example.com\nSubject: x\n\n--b--\n")
		return report.Parse([]byte(m))
	}
	for _, test := range []struct {
		from, agent, signed string
		want                bool
	}{
		{"staff@hotmail.com", "JMRP/1.0", "hotmail.com", true},
		{"anybody@hotmail.com", "JMRP/1.0", "hotmail.com", false},
		{"feedback1@mail.ru", "x", "mail.ru", false},
		{"feedback@arf.mail.yahoo.com", "Yahoo!-Mail-Feedback/2.0", "arf.mail.yahoo.com", true},
		{"anybody@yahoo.com", "Yahoo!-Mail-Feedback/2.0", "yahoo.com", false},
		{"complaints@email-abuse.amazonses.com", "Yahoo!-Mail-Feedback/1.0", "arf.mail.yahoo.com", true},
		{"complaints@email-abuse.amazonses.com", "Yahoo!-Mail-Feedback/1.0", "amazonses.com", true},
		{"complaints@email-abuse.amazonses.com", "x", "amazonses.com", true},
		{"anybody@hotmail.com", "JMRP/1.0", "microsoft.com", false},
		{"anybody@email-abuse.amazonses.com", "Yahoo!-Mail-Feedback/1.0", "arf.mail.yahoo.com", false},
		{"anybody@email-abuse.amazonses.com", "Yahoo!-Mail-Feedback/1.0", "amazonses.com", false},
		{"complaints@amazonses.com", "Yahoo!-Mail-Feedback/1.0", "amazonses.com", false},
		{"feedback@arf.mail.yahoo.com", "Yahoo!-Mail-Feedback/2.0", "amazonses.com", false}, // with which all message of SES is signed
		{"complaints@email-abuse.amazonses.com", "Yahoo!-Mail-Feedback/1.0", "yahoo.com", false},
	} {
		c := &Checker{signers: signersOf(message(test.from, test.agent)), from: test.from}
		if got := c.aligned(test.signed, domainOf(test.from)) && c.known(test.signed, test.from); got != test.want {
			t.Errorf("%s by %s: got %v of %v", test.from, test.signed, got, c.signers)
		}
	}
}

// A row of the user's own does not make a domain of mailboxes a reporter either.
func TestMailboxesOfOwnRows(t *testing.T) {
	row := report.Provider{Name: "gmx", From: []string{"fbl*@gmx.net"}, Signed: []string{"gmx.net", "fbl.example.net"}}
	if got := signers(&row, "rfc5965"); !slices.Equal(got, []string{"fbl.example.net"}) {
		t.Errorf("%q speak for it", got)
	}
}
