package process

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

// The people of these tests: a provider that everybody knows, its loop's
// domain, our own, and an attacker's.
const (
	yahoo  = "arf.mail.yahoo.com"
	jmrp   = "hotmail.com"
	ourOwn = "example.com"
	evil   = "evil.example"
)

// txts is a DNS in memory; err answers everything.
type txts struct {
	records map[string]string
	err     error
}

func (z txts) LookupTXT(_ context.Context, name string) ([]string, error) {
	if z.err != nil {
		return nil, z.err
	}
	if record, found := z.records[name]; found {
		return []string{record}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// keyFor is the key of a domain, the same each time.
func keyFor(domain string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(domain))
	return ed25519.NewKeyFromSeed(seed[:])
}

func zoneOf(domains ...string) txts {
	z := txts{records: map[string]string{}}
	for _, domain := range domains {
		public := keyFor(domain).Public().(ed25519.PublicKey)
		z.records["s._domainkey."+domain] = "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	}
	return z
}

var (
	wholly = []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"}
	barely = []string{"From", "To", "Subject", "Date"} // as Yahoo signs
)

func signedBy(t testing.TB, message, domain string, fields []string, change ...func(*dkim.SignOptions)) string {
	t.Helper()
	options := &dkim.SignOptions{Domain: domain, Selector: "s", Signer: keyFor(domain), Hash: crypto.SHA256, HeaderKeys: fields,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed}
	for _, f := range change {
		f(options)
	}
	var out bytes.Buffer
	if err := dkim.Sign(&out, strings.NewReader(message), options); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// signedLength signs the From and the first length octets of the body, with an
// l=, which go-msgauth does not make.
func signedLength(message, domain string, length int) string {
	from := message[:strings.Index(message, "\r\n")]
	_, body, _ := strings.Cut(message, "\r\n\r\n")
	hash := sha256.Sum256([]byte(body[:length]))
	field := fmt.Sprintf("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/simple; d=%s; s=s; l=%d; h=From; bh=%s; b=",
		domain, length, base64.StdEncoding.EncodeToString(hash[:]))
	relaxed := func(f string) string {
		name, value, _ := strings.Cut(f, ":")
		return strings.ToLower(name) + ":" + strings.TrimSpace(value)
	}
	data := sha256.Sum256([]byte(relaxed(from) + "\r\n" + relaxed(field)))
	return field + base64.StdEncoding.EncodeToString(ed25519.Sign(keyFor(domain), data[:])) + "\r\n" + message
}

// reportOf is a whole report, unsigned.
func reportOf(from, fields, original string) string {
	return strings.ReplaceAll("From: <"+from+">\nTo: fbl@example.com\nSubject: complaint\nDate: "+time.Now().UTC().Format(time.RFC1123Z)+"\nMessage-ID: <1@"+from+">\n"+
		"MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary=\"outer\"\n\n"+
		"--outer\nContent-Type: text/plain\n\nA complaint.\n\n--outer\nContent-Type: message/feedback-report\n\n"+fields+
		"\n--outer\nContent-Type: message/rfc822\n\n"+original+"\n--outer--\n", "\n", "\r\n")
}

// What Yahoo and Microsoft report today: neither says where the message came from
// but in the header of the message itself, and Microsoft names nobody.
const (
	yahooFields = "Feedback-Type: abuse\nUser-Agent: Yahoo!-Mail-Feedback/2.0\nVersion: 0.1\nOriginal-Mail-From: <b@bounce.example.com>\n" +
		"Original-Rcpt-To: reader@yahoo.com\nReceived-Date: Mon, 1 Jun 2026 10:00:00 +0000\nReported-Domain: example.com\n" +
		"Authentication-Results: authentication result string is not available\n"
	jmrpFields = "Feedback-Type: abuse\nUser-Agent: JMRP/1.0\nVersion: 1\n"

	yahooInner = "Received: from 127.0.0.1 by atlas-production.v2-mail-prod1-gq1.omega.yahoo.com with HTTP; Mon, 1 Jun 2026 10:00:01 +0000\n"
	yahooFound = "Authentication-Results: atlas-production.v2-mail-prod1-gq1.omega.yahoo.com; dkim=pass header.i=@example.com header.s=s; " +
		"spf=pass smtp.mailfrom=bounce.example.com; dmarc=pass(p=NONE) header.from=example.com;\n"
	yahooBorder = "Received: from 192.0.2.7 (EHLO mail.example.com) by 10.253.62.170 with SMTPs (version=TLS1_3); Mon, 01 Jun 2026 10:00:00 +0000\n"

	jmrpInner = "Received: from AM4PEPF00027A63.eurprd04.prod.outlook.com (2603:10a6:20b:494:cafe::ab) by AS9PR05CA0236.outlook.office365.com (2603:10a6:20b:494::11) " +
		"with Microsoft SMTP Server id 15.20.9094.21 via Frontend Transport; Mon, 1 Jun 2026 10:00:01 +0000\n"
	jmrpFound = "Authentication-Results: spf=pass (sender IP is 192.0.2.7) smtp.mailfrom=bounce.example.com; dkim=pass (signature was verified) header.d=example.com;" +
		"dmarc=pass action=none header.from=example.com;compauth=pass reason=100\n" +
		"Received-SPF: Pass (protection.outlook.com: domain of bounce.example.com designates 192.0.2.7 as permitted sender) receiver=protection.outlook.com; client-ip=192.0.2.7; helo=mail.example.com; pr=C\n"
	jmrpBorder = "Received: from mail.example.com (192.0.2.7) by AM4PEPF00027A63.mail.protection.outlook.com (10.167.16.73) with Microsoft SMTP Server; Mon, 1 Jun 2026 10:00:00 +0000\n"

	ourHeader = "From: <news@example.com>\nTo: <reader@yahoo.com>\nSubject: News\nMessage-ID: <2@example.com>\n"
	ourToken  = "X-Listmonk-Subscriber: 4f3f1d9e-6a0d-4d5e-9a53-6d4cbb2c1f10\n"
	ourSeal   = "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h=From:To:Subject:X-Listmonk-Subscriber; bh=eA==; b=eA==\n"
	seal      = "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h=From:To:Subject; bh=eA==; b=eA==\n"
)

// swap replaces what must be there.
func swap(t *testing.T, s, old, new string) string {
	t.Helper()
	if !strings.Contains(s, old) {
		t.Fatalf("no %q", old)
	}
	return strings.Replace(s, old, new, 1)
}

// TestTrustOffline takes genuine and forged reports all the way from the message to
// the verdict. Only what is genuine, and about our own message, is "yes".
func TestTrustOffline(t *testing.T) {
	original := yahooInner + yahooFound + yahooBorder + ourHeader + "\nBuy now.\n"
	plain := reportOf("feedback@"+yahoo, yahooFields, original)
	signed := signedBy(t, plain, yahoo, wholly)
	_, body, _ := strings.Cut(plain, "\r\n\r\n")
	// A genuine report about the attacker's own message, whose body is a report that
	// names a victim.
	inner := "--inner\nContent-Type: message/feedback-report\n\n" + strings.ReplaceAll(yahooFields, "reader@", "victim@") + "\n--inner\nContent-Type: message/rfc822\n\n" + original + "--inner--\n"
	trojan := reportOf("feedback@"+yahoo, yahooFields, "From: <x@evil.example>\nSubject: x\n\n"+inner)
	received := "Received: from x.example.org (x.example.org [198.51.100.1]) by mx.example.com with ESMTP; Mon, 1 Jun 2026 10:00:00 +0000\r\n"
	foreign := "Received: from y.example.org by x.example.org with ESMTP; Mon, 1 Jun 2026 09:59:00 +0000\r\n"
	found := "Authentication-Results: mx.example.com; dkim=pass header.d=" + yahoo + "\r\n"
	about := func(fields, original string) string {
		return signedBy(t, reportOf("feedback@"+yahoo, fields, original), yahoo, wholly)
	}
	jmrpAbout := func(original string) string {
		return signedBy(t, reportOf("staff@hotmail.com", jmrpFields, original), jmrp, wholly)
	}

	dns := zoneOf(yahoo, jmrp, evil)
	domains := trust.Own{Domains: []string{ourOwn}}
	both := trust.Own{Domains: domains.Domains, IPs: []string{"192.0.2.0/28"}}
	for _, test := range []struct {
		name     string
		message  string
		own      trust.Own // both, where it is zero
		dns      *txts
		received time.Time
		verdict  string
		code     report.Code // the last one
	}{
		// What is genuine, with each way to say what is ours.
		{name: "genuine", message: signed, verdict: "yes", code: "named"},
		{name: "genuine, signed as Yahoo does", message: signedBy(t, plain, yahoo, barely), verdict: "yes", code: "named"},
		{name: "genuine, by domains alone", message: signed, own: domains, verdict: "yes", code: "named"},
		{name: "genuine, by addresses alone", message: signed, own: trust.Own{IPs: both.IPs}, verdict: "yes", code: "named"},
		{name: "genuine, our server found it so", message: found + received + signed, dns: &txts{err: errors.New("down")}, verdict: "yes", code: "named"},
		{name: "genuine JMRP", message: jmrpAbout(jmrpInner + jmrpFound + jmrpBorder + ourHeader + ourToken + "\n"), verdict: "yes", code: "token"},
		{name: "genuine JMRP, by domains alone", message: jmrpAbout(jmrpInner + jmrpFound + jmrpBorder + ourHeader + ourToken + "\n"), own: domains, verdict: "yes", code: "token"},
		{name: "genuine JMRP, by addresses alone", message: jmrpAbout(jmrpInner + jmrpFound + jmrpBorder + ourHeader + ourToken + "\n"), own: trust.Own{IPs: both.IPs}, verdict: "yes", code: "token"},

		// The report is not genuine, or cannot be shown to be.
		{name: "unsigned", message: plain, verdict: "review", code: "unsigned"},
		{name: "forged: signed by another domain", message: signedBy(t, plain, evil, wholly), verdict: "review", code: "unsigned"},
		{name: "forged: signed by another domain, in its own name", message: signedBy(t, reportOf("feedback@"+evil, yahooFields, original), evil, wholly), verdict: "review", code: "reporter_unknown"},
		{name: "forged: another's key", message: swap(t, signedBy(t, plain, evil, wholly), "d="+evil, "d="+yahoo), verdict: "review", code: "dkim_fail"},
		{name: "expired when it came", message: signedBy(t, plain, yahoo, wholly, func(o *dkim.SignOptions) { o.Expiration = time.Now().Add(-time.Hour) }), verdict: "review", code: "dkim_fail"},
		{name: "expired since it came", message: signedBy(t, plain, yahoo, wholly, func(o *dkim.SignOptions) { o.Expiration = time.Now().Add(-time.Hour) }), received: time.Now().Add(-2 * time.Hour), verdict: "review", code: "old"},
		{name: "older than a week", message: signed, received: time.Now().Add(-8 * 24 * time.Hour), verdict: "review", code: "old"},
		{name: "altered: another recipient", message: swap(t, signed, "reader@", "victim@"), verdict: "review", code: "dkim_fail"},
		{name: "altered: another subject", message: swap(t, signed, "Subject: complaint", "Subject: Complaint"), verdict: "review", code: "dkim_fail"},
		{name: "Content-Type unsigned, framed by another boundary", message: swap(t, signedBy(t, trojan, yahoo, barely), `boundary="outer"`, `boundary="inner"`), verdict: "review", code: "reframed"},
		{name: "Content-Type unsigned, as it was sent", message: signedBy(t, trojan, yahoo, barely), verdict: "review", code: "unproven"},
		{name: "l=, with a body behind it", message: swap(t, signedLength(plain, yahoo, len(body)), `boundary="outer"`, `boundary="more"`) + strings.ReplaceAll(swap(t, body, "reader@", "victim@"), "outer", "more"), verdict: "review", code: "reframed"},
		{name: "key gone", message: signed, dns: &txts{}, verdict: "review", code: "key"},
		{name: "resolver down", message: signed, dns: &txts{err: errors.New("server misbehaving")}, verdict: "review", code: "dns"},
		{name: "Authentication-Results forged below the trusted hop", message: received + foreign + found + plain, verdict: "review", code: "unsigned"},
		{name: "Authentication-Results forged above, with another's id", message: strings.Replace(found, "mx.example.com", "mx.evil.example", 1) + received + plain, verdict: "review", code: "unsigned"},
		{name: "Authentication-Results forged above, stamped by nobody", message: found + plain, verdict: "review", code: "unsigned"},
		{name: "Authentication-Results forged, ours says none", message: "Authentication-Results: mx.example.com; dkim=none\r\n" + received + found + plain, verdict: "review", code: "unsigned"},

		// The report is genuine, and about somebody else's message.
		{name: "about somebody else's mail", message: about(yahooFields, "From: <x@evil.example>\nSubject: x\n\nx\n"), verdict: "review", code: "unproven"},
		{name: "about a message with our From", message: about(yahooFields, ourHeader+"\nx\n"), verdict: "review", code: "unproven"},
		{name: "about a message with our From, by domains alone", message: about(yahooFields, ourHeader+"\nx\n"), own: domains, verdict: "review", code: "unproven"},
		{name: "about a message that came from another address", message: about(yahooFields, yahooInner+yahooFound+swap(t, yahooBorder, "192.0.2.7", "203.0.113.9")+ourHeader+"\nx\n"), verdict: "review", code: "foreign_ip"},
		{name: "about a message that only says that it is ours", message: about(yahooFields, yahooInner+swap(t, yahooBorder, "192.0.2.7", "203.0.113.9")+yahooFound+yahooBorder+ourHeader+"\nx\n"), own: domains, verdict: "review", code: "unproven"},

		// The report is genuine, and the attacker wrote the token of a victim into
		// the message that he had reported.
		{name: "enumerated token, our From", message: about(yahooFields, ourHeader+ourToken+"\nx\n"), own: domains, verdict: "review", code: "unproven"},
		{name: "enumerated token, our message sent again", message: about(yahooFields, yahooInner+strings.ReplaceAll(yahooFound, "smtp.mailfrom=bounce.example.com", "smtp.mailfrom=evil.example")+yahooBorder+seal+ourHeader+ourToken+"\nx\n"), own: domains, verdict: "review", code: "unsigned_token"},
		{name: "enumerated token, our message sent again, by JMRP", message: jmrpAbout(jmrpInner + strings.ReplaceAll(jmrpFound, "smtp.mailfrom=bounce.example.com", "smtp.mailfrom=evil.example") + jmrpBorder + seal + ourHeader + ourToken + "\n"), own: domains, verdict: "review", code: "unsigned_token"},
		{name: "enumerated token above ours, our message sent again, by JMRP", message: jmrpAbout(jmrpInner + strings.ReplaceAll(jmrpFound, "smtp.mailfrom=bounce.example.com", "smtp.mailfrom=evil.example") + jmrpBorder + ourSeal + ourHeader + "X-Listmonk-Subscriber: x\n" + ourToken + "\n"), own: domains, verdict: "review", code: "unsigned_token"},
		{name: "enumerated token, from another address", message: jmrpAbout(jmrpInner + strings.ReplaceAll(jmrpFound, "192.0.2.7", "203.0.113.9") + strings.ReplaceAll(jmrpBorder, "192.0.2.7", "203.0.113.9") + ourSeal + ourHeader + ourToken + "\n"), verdict: "review", code: "foreign_ip"},
		{name: "enumerated token, in a report of anybody's (CFBL)", message: signedBy(t, reportOf("cfbl@"+evil, "Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n", "CFBL-Address: fbl@example.com; report=arf\nCFBL-Feedback-ID: 4711\n"+ourHeader+ourToken+"\n"), evil, wholly), verdict: "review", code: "reporter_unknown"},
		{name: "a subscriber in the report's own header", message: "X-Rp-Fbl: subscriber=4711\r\n" + signed, verdict: "review", code: "unsigned_header"},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := trust.Config{Own: both, AuthservIDs: []string{"mx.example.com"}, Hops: []string{"mx.example.com"}, DKIM: new(true)}
			if len(test.own.Domains)+len(test.own.IPs) > 0 {
				config.Own = test.own
			}
			resolver := dns
			if test.dns != nil {
				resolver = *test.dns
			}
			trust, err := trust.New(config, resolver, nil)
			if err != nil {
				t.Fatal(err)
			}
			identifier, err := identify.New(identify.Config{Rules: []identify.Rule{{From: "outer:X-Rp-Fbl", Match: `subscriber=(?P<subscriber>\d+)`}}})
			if err != nil {
				t.Fatal(err)
			}
			r := report.Parse([]byte(test.message))
			records, _ := Rules{Trust: trust, Identify: identifier}.Records(t.Context(), r, []byte(test.message), true, report.Envelope{ReceivedAt: test.received})
			if len(records) != 1 {
				t.Fatalf("%d records", len(records))
			}
			got := records[0]
			if last := got.Suppress.Codes[len(got.Suppress.Codes)-1]; string(got.Suppress.Verdict) != test.verdict || last != test.code {
				t.Errorf("%s: %s, want %s: %s\n%+v\n%+v", got.Suppress.Verdict, last, test.verdict, test.code, *got.Reporter, *got.Identity)
			}
		})
	}
}

// TestTrustOfTheStart: a signature covers the whole message, so its start asks for
// the rest; where there is no more to be had nothing is checked.
func TestTrustOfTheStart(t *testing.T) {
	message := signedBy(t, reportOf("feedback@"+yahoo, yahooFields, yahooInner+yahooFound+yahooBorder+ourHeader+"\n"+strings.Repeat("Buy now.\n", 10_000)), yahoo, wholly)
	trust, err := trust.New(trust.Config{Own: trust.Own{Domains: []string{ourOwn}}, DKIM: new(true)}, zoneOf(yahoo), nil)
	if err != nil {
		t.Fatal(err)
	}
	read := func(octets int, last bool) (verdict string, more bool) {
		start := []byte(message[:octets])
		records, more := Rules{Trust: trust}.Records(t.Context(), report.ParsePrefix(start, int64(len(message))), start, last, report.Envelope{})
		if more {
			return "", true
		}
		return fmt.Sprint(records[0].Suppress.Verdict, records[0].Suppress.Codes), false
	}
	if verdict, more := read(16<<10, false); !more {
		t.Errorf("the start: %s", verdict)
	}
	if verdict, more := read(16<<10, true); more || verdict != "review[too_long]" {
		t.Errorf("the start, and no more: %s, more: %v", verdict, more)
	}
	if verdict, more := read(len(message), false); more || verdict != "yes[named]" {
		t.Errorf("all of it: %s, more: %v", verdict, more)
	}
}

// TestTrustAgain: what made a verdict yes does so when the kept message is read
// again, also without its people; and a stricter word of today counts.
func TestTrustAgain(t *testing.T) {
	found := "Authentication-Results: mx.example.com; dkim=pass header.d=" + yahoo + "\r\n" +
		"Received: from x.example.org (x.example.org [198.51.100.1]) by mx.example.com with ESMTP; Mon, 1 Jun 2026 10:00:00 +0000\r\n"
	byDKIM := strings.ReplaceAll(yahooFound, "smtp.mailfrom=bounce.example.com", "smtp.mailfrom=forward.example.net") // so that the token must be certain
	message := []byte(found + strings.Replace(strings.ReplaceAll(seal, "\n", "\r\n"), ourOwn, yahoo, 1) + reportOf("feedback@"+yahoo, yahooFields, yahooInner+"Return-Path: <b+reader=yahoo.com@bounce.example.com>\n"+byDKIM+yahooBorder+seal+ourHeader+"\nx\n"))
	whom := trust.Config{Own: trust.Own{Domains: []string{ourOwn}}, DKIM: new(false), AuthservIDs: []string{"mx.example.com"}}
	for _, addresses := range []string{"keep", "hash", "drop"} {
		g := Rules{Trust: checker(t, whom), Identify: identifier(t, identify.Config{}), Privacy: filter(t, addresses, "keep")}
		s := shelve(t, g, message, len(message))
		if r := s.records()[0]; r.Suppress.Verdict != report.SuppressYes {
			t.Fatalf("%s: %+v, %+v", addresses, *r.Suppress, *r.Reporter)
		}
		if got := s.again(g); got != Same {
			t.Errorf("%s: %s\n%s", addresses, got, s.changes())
		}
		other := whom
		other.Own.Domains = []string{"example.org"}
		g.Trust = checker(t, other)
		if got := s.again(g); got != Revises || s.records()[0].Suppress.Verdict != report.SuppressReview {
			t.Errorf("%s: %s, %+v", addresses, got, *s.records()[0].Suppress)
		}
	}
}
