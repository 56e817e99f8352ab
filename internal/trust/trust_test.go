package trust

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/fblwatch/fblwatch/report"
)

const (
	reporter = "fbl.example.net"     // the known provider: an RSA key or not, by the length of its name
	carrier  = "carrier.example.org" // carries the provider's reports, and signs them
	ours     = "example.com"
	evil     = "evil.example"
	sealer   = "sealer.example"
)

var config = Config{
	Own:         Own{Domains: []string{ours}, IPs: []string{"192.0.2.0/25"}},
	AuthservIDs: []string{"mx.example.com"},
	Hops:        []string{"mx.example.com", ".in.example.com"},
	ARCSealers:  []string{sealer},
	DKIM:        new(true),
}

var table = report.Providers{
	{Name: "net", From: []string{reporter}, Signed: []string{reporter}, Carriers: []string{carrier}},
	{Name: "shared", From: []string{"hotmail.com"}, Signed: []string{"hotmail.com"}},
}

// original is what the report is about.
type original struct{ ip, from, body string }

var oursOriginal = original{ip: "192.0.2.7", from: "news@example.com", body: "Buy now.\r\n"}

// complaint is a whole report, unsigned, with CRLF.
func complaint(from string, o original) string {
	return crlfs(`From: <` + from + `>
To: fbl@example.com
Subject: complaint
Date: ` + time.Now().UTC().Format(time.RFC1123Z) + `
Message-ID: <1@` + reporter + `>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="outer"

--outer
Content-Type: text/plain

A complaint.

--outer
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Test/1.0
Version: 1
Source-IP: ` + o.ip + `
Original-Rcpt-To: <reader@example.org>

--outer
Content-Type: message/rfc822

From: <` + o.from + `>
To: <reader@example.org>
Subject: News
Message-ID: <2@example.com>

` + o.body + `
--outer--
`)
}

func crlfs(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

// received is the trace of our own server over a message from outside.
const (
	receivedOurs      = "Received: from out.fbl.example.net (out.fbl.example.net [198.51.100.1]) by mx.example.com with ESMTP; Mon, 1 Jun 2026 10:00:00 +0000\r\n"
	receivedTheirs365 = "Received: from a by AB1.prod.outlook.com with SMTP; Mon, 1 Jun 2026 10:00:00 +0000\r\n"
	receivedTheir     = "Received: from inner.example.net by out.fbl.example.net with ESMTP; Mon, 1 Jun 2026 09:59:00 +0000\r\n"
)

func results(id, found string) string {
	return "Authentication-Results: " + id + "; " + found + "\r\n"
}

func dkimPass(domain string) string { return "dkim=pass header.d=" + domain }

// reframed is a genuine report about a message that holds a report of its own, with
// the Content-Type changed so that the inner one is read.
func reframed(t testing.TB, fields []string) string {
	inner := "--inner\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: x\r\nVersion: 1\r\nSource-IP: 192.0.2.7\r\n" +
		"Original-Rcpt-To: <victim@example.org>\r\n\r\n--inner\r\nContent-Type: message/rfc822\r\n\r\nFrom: news@example.com\r\nSubject: x\r\n\r\nx\r\n--inner--\r\n"
	o := original{ip: "203.0.113.9", from: "x@evil.example", body: inner}
	return strings.Replace(sign(t, complaint("feedback@"+reporter, o), reporter, fields), `boundary="outer"`, `boundary="inner"`, 1)
}

func TestVerdicts(t *testing.T) {
	plain := complaint("feedback@"+reporter, oursOriginal)
	body := func(message string) string { _, b, _ := strings.Cut(message, "\r\n\r\n"); return b }
	now := time.Now()
	expire := func(at time.Time) func(*dkim.SignOptions) {
		return func(o *dkim.SignOptions) { o.Expiration = at }
	}
	signed := sign(t, plain, reporter, allFields)
	yahoo := sign(t, plain, reporter, yahooFields)

	for _, test := range []struct {
		name     string
		message  string
		change   func(*Config)
		dns      func(*zone)
		received time.Time
		token    bool
		start    bool // of the message, only
		want     report.Reporter
	}{
		// What is genuine.
		{name: "signed", message: signed,
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "dkim", Coverage: "full", Trusted: true}},
		{name: "line feeds only", message: strings.ReplaceAll(signed, "\r\n", "\n"),
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "dkim", Coverage: "full", Trusted: true}},
		{name: "from an mbox", message: "From feedback@fbl.example.net Mon Jun  1 10:00:00 2026\n" + strings.ReplaceAll(signed, "\r\n", "\n"),
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "dkim", Coverage: "full", Trusted: true}},
		{name: "Content-Type unsigned, one frame", message: yahoo,
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "dkim", Coverage: "partial", Trusted: true}},
		{name: "signed by the carrier", message: sign(t, plain, carrier, allFields),
			want: report.Reporter{Auth: "pass", AuthDomain: carrier, AuthMethod: "dkim", Coverage: "full", Trusted: true}},
		{name: "signed twice, once by another", message: sign(t, signed, evil, allFields),
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "dkim", Coverage: "full", Trusted: true}},
		{name: "a-r of ours", message: results("mx.example.com", dkimPass(reporter)) + receivedOurs + signed,
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "a-r", Coverage: "full", Trusted: true}},
		{name: "a-r below our hop", message: receivedOurs + results("mx.example.com", dkimPass(reporter)) + receivedTheir + signed,
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "dkim", Coverage: "full", Trusted: true}},
		{name: "a-r below our hop, dkim off", message: receivedOurs + results("mx.example.com", dkimPass(reporter)) + receivedTheir + signed,
			change: func(c *Config) { c.DKIM = new(false) },
			want:   report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "a-r", Coverage: "full", Trusted: true}},
		{name: "a-r over the start of the mail", message: results("mx.example.com", dkimPass(reporter)) + receivedOurs + signed, start: true,
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "a-r", Coverage: "full", Trusted: true}},
		{name: "a-r over the start of the mail, framing unsigned", message: results("mx.example.com", dkimPass(reporter)) + receivedOurs + yahoo, start: true,
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "a-r", Coverage: "partial", Trusted: true}},
		{name: "a-r says none, the signature is good", message: results("mx.example.com", "auth=none; dkim=none") + receivedOurs + signed,
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "dkim", Coverage: "full", Trusted: true}},
		{name: "a-r says fail, the signature is good", message: results("mx.example.com", "dkim=fail header.d="+reporter) + receivedOurs + signed,
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "dkim", Coverage: "full", Trusted: true}},
		{name: "sealed", message: seal(t, plain, sealer, "mx.sealer.example; "+dkimPass(reporter), "none", allFields), change: func(c *Config) { c.DKIM = new(false) },
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "arc", Coverage: "partial", Trusted: true}},
		{name: "sealed over the signature", message: seal(t, signed, sealer, "mx.sealer.example; "+dkimPass(reporter), "none", append([]string{"DKIM-Signature"}, allFields...)),
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "arc", Coverage: "full", Trusted: true}},
		{name: "sealed, but for the signature", message: seal(t, signed, sealer, "mx.sealer.example; "+dkimPass(reporter), "none", allFields),
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "arc", Coverage: "partial", Trusted: true}},
		{name: "spf of a provider", message: results("mx.example.com", "spf=pass smtp.mailfrom=bounce@"+reporter) + receivedOurs + plain,
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "spf", Coverage: "full", Trusted: true}},
		{name: "a reporter of our own list", message: sign(t, complaint("abuse@"+evil, oursOriginal), evil, allFields), change: func(c *Config) { c.Reporters = []string{evil} },
			want: report.Reporter{Auth: "pass", AuthDomain: evil, AuthMethod: "dkim", Coverage: "full", Trusted: true}},
		{name: "the one address of a shared domain", message: sign(t, complaint("staff@hotmail.com", oursOriginal), "hotmail.com", allFields),
			want: report.Reporter{Auth: "pass", AuthDomain: "hotmail.com", AuthMethod: "dkim", Coverage: "full", Trusted: true}},
		{name: "cfbl with a token of ours", message: sign(t, complaint("fbl@"+evil, oursOriginal), evil, allFields), token: true,
			want: report.Reporter{Auth: "pass", AuthDomain: evil, AuthMethod: "dkim", Coverage: "full", Trusted: true}},
		{name: "microsoft 365", message: "Authentication-Results: spf=none; dkim=pass (signature was verified)\r\n header.d=" + reporter + ";dmarc=pass action=none\r\n" +
			"Received: from out.example.net by AB1.mail.protection.outlook.com with SMTP; Mon, 1 Jun 2026 10:00:00 +0000\r\n" + signed,
			change: func(c *Config) { c.Microsoft365, c.DKIM = true, new(false) },
			want:   report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "a-r", Coverage: "full", Trusted: true}},
		{name: "an unsigned encoding of a multipart", message: "Content-Transfer-Encoding: 7bit\r\n" + signed,
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "dkim", Coverage: "full", Trusted: true}},
		{name: "a name in Latin-1", message: sign(t, strings.Replace(plain, "From: <", "From: R\xfcckmeldung <", 1), reporter, allFields),
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "dkim", Coverage: "full", Trusted: true}},
		{name: "l= over the whole body", message: signLength(t, plain, reporter, allFields, len(body(plain))),
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "dkim", Coverage: "full", Trusted: true}},
		{name: "l= with a footer", message: signLength(t, plain, reporter, allFields, len(body(plain))) + "a footer\r\n",
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "dkim", Coverage: "partial", Trusted: true}},

		// What is not.
		{name: "unsigned", message: plain, want: report.Reporter{Auth: "none"}},
		{name: "forged: signed by another domain", message: sign(t, plain, evil, allFields), want: report.Reporter{Auth: "none"}},
		{name: "forged: another's key", message: strings.Replace(sign(t, plain, evil, allFields), "d="+evil, "d="+reporter, 1), want: report.Reporter{Auth: "fail"}},
		{name: "an address that is not of UTF-8", message: sign(t, strings.Replace(plain, "From: <", "From: <\xfc", 1), reporter, allFields), want: report.Reporter{Auth: "none"}},
		{name: "a name in Latin-1, and another address", message: sign(t, strings.Replace(plain, "From: <", "From: \xfc <x@"+evil+">, <", 1), reporter, allFields), want: report.Reporter{Auth: "fail"}},
		{name: "another domain, signed by itself", message: sign(t, complaint("x@"+evil, oursOriginal), evil, allFields),
			want: report.Reporter{Auth: "pass", AuthDomain: evil, AuthMethod: "dkim", Coverage: "full"}},
		{name: "another's address at a shared domain", message: sign(t, complaint("anybody@hotmail.com", oursOriginal), "hotmail.com", allFields),
			want: report.Reporter{Auth: "pass", AuthDomain: "hotmail.com", AuthMethod: "dkim", Coverage: "full"}},
		{name: "cfbl with an enumerated token", message: sign(t, complaint("fbl@"+evil, oursOriginal), evil, allFields),
			want: report.Reporter{Auth: "pass", AuthDomain: evil, AuthMethod: "dkim", Coverage: "full"}},
		{name: "cfbl unsigned", message: complaint("fbl@"+evil, oursOriginal), token: true, want: report.Reporter{Auth: "none"}},
		{name: "altered body", message: strings.Replace(signed, "reader@example.org", "victim@example.org", 1), want: report.Reporter{Auth: "fail"}},
		{name: "altered header", message: strings.Replace(signed, "Subject: complaint", "Subject: Complaint", 1), want: report.Reporter{Auth: "fail"}},
		{name: "a second From", message: "From: <x@evil.example>\r\n" + signed, want: report.Reporter{Auth: "fail"}},
		{name: "a second Content-Type", message: "Content-Type: text/plain\r\n" + signed, want: report.Reporter{Auth: "fail"}},
		{name: "re-framed", message: reframed(t, yahooFields), want: report.Reporter{Auth: "fail"}},
		{name: "re-framed, a-r of ours", message: results("mx.example.com", dkimPass(reporter)) + receivedOurs + reframed(t, yahooFields), want: report.Reporter{Auth: "fail"}},
		{name: "re-framed and sealed", message: seal(t, reframed(t, yahooFields), sealer, "mx.sealer.example; "+dkimPass(reporter), "none", allFields), want: report.Reporter{Auth: "fail"}},
		{name: "l= with another report behind it", message: strings.Replace(signLength(t, plain, reporter, yahooFields, len(body(plain))), `boundary="outer"`, `boundary="more"`, 1) +
			strings.ReplaceAll(body(plain), "outer", "more"), want: report.Reporter{Auth: "fail"}},
		{name: "l= before the end of the parts", message: signLength(t, plain, reporter, allFields, strings.Index(body(plain), "--outer\r\nContent-Type: message/f")),
			want: report.Reporter{Auth: "fail"}},
		{name: "expired at receipt", message: sign(t, plain, reporter, allFields, expire(now.Add(-time.Hour))), want: report.Reporter{Auth: "fail"}},
		{name: "expired since", message: sign(t, plain, reporter, allFields, expire(now.Add(-time.Hour))), received: now.Add(-2 * time.Hour), want: report.Reporter{Auth: "unchecked"}},
		{name: "older than 7 days", message: strings.Replace(signed, "reader@", "victim@", 1), received: now.Add(-8 * 24 * time.Hour), want: report.Reporter{Auth: "unchecked"}},
		{name: "key gone", message: signed, dns: func(z *zone) { clear(z.records) }, want: report.Reporter{Auth: "unchecked"}},
		{name: "key revoked", message: signed, dns: func(z *zone) { z.records["s._domainkey."+reporter] = []string{"v=DKIM1; p="} }, want: report.Reporter{Auth: "unchecked"}},
		{name: "no key", message: signed, dns: func(z *zone) { z.records["s._domainkey."+reporter] = []string{"v=spf1 -all"} }, want: report.Reporter{Auth: "unchecked"}},
		{name: "resolver down", message: signed, dns: func(z *zone) { z.err = errServFail }, want: report.Reporter{Auth: "unchecked"}},
		{name: "resolver hanging", message: signed, dns: func(z *zone) { z.hangs = true }, change: func(c *Config) { c.Timeout = 20 * time.Millisecond }, want: report.Reporter{Auth: "unchecked"}},
		{name: "dkim off", message: signed, change: func(c *Config) { c.DKIM = new(false) }, want: report.Reporter{Auth: "unchecked"}},
		{name: "the start of a mail", message: signed, start: true, want: report.Reporter{Auth: "unchecked", Reason: needsWhole.Text}},
		{name: "the start of a mail, sealed", message: seal(t, signed, sealer, "x; "+dkimPass(reporter), "none", allFields), start: true, want: report.Reporter{Auth: "unchecked", Reason: needsWhole.Text}},
		{name: "a-r forged below our hop", message: receivedOurs + receivedTheir + results("mx.example.com", dkimPass(reporter)) + plain, want: report.Reporter{Auth: "none"}},
		{name: "a-r forged, with a hop of ours", message: receivedOurs + receivedTheir + results("mx.example.com", dkimPass(reporter)) + receivedOurs + plain, want: report.Reporter{Auth: "none"}},
		{name: "a-r forged above, another's id", message: results("mx.evil.example", dkimPass(reporter)) + receivedOurs + plain, want: report.Reporter{Auth: "none"}},
		{name: "a-r forged, ours says none", message: results("mx.example.com", "dkim=none") + receivedOurs + results("mx.example.com", dkimPass(reporter)) + plain, want: report.Reporter{Auth: "none"}},
		{name: "a-r forged, ours says fail", message: results("mx.example.com", "dkim=fail header.d="+reporter) + receivedOurs + results("mx.example.com", dkimPass(reporter)) + plain, want: report.Reporter{Auth: "unchecked"}},
		{name: "a-r that no server stamped", message: results("mx.example.com", dkimPass(reporter)) + plain, want: report.Reporter{Auth: "none"}},
		{name: "a-r says fail, altered", message: results("mx.example.com", "dkim=fail header.d="+reporter) + receivedOurs + strings.Replace(signed, "reader@", "victim@", 1),
			want: report.Reporter{Auth: "unchecked"}},
		{name: "a-r in what the sender wrote", message: results("mx.example.com", `spf=pass smtp.mailfrom="a; dkim=pass header.d=`+reporter+`"@evil.example; auth=none (; dkim=pass header.d=`+reporter+`)`) + receivedOurs + plain,
			want: report.Reporter{Auth: "none"}},
		{name: "a-r without id, no microsoft", message: "Authentication-Results: dkim=pass header.d=" + reporter + "\r\n" + receivedOurs + plain, want: report.Reporter{Auth: "none"}},
		{name: "a-r without id, not above microsoft", message: receivedOurs + receivedTheir + "Authentication-Results: dkim=pass header.d=" + reporter + "\r\n" +
			"Received: from x by AB1.mail.protection.outlook.com; Mon, 1 Jun 2026 10:00:00 +0000\r\n" + plain,
			change: func(c *Config) { c.Microsoft365 = true }, want: report.Reporter{Auth: "none"}},
		{name: "a-r without id, below microsoft", message: "Received: from x by AB1.mail.protection.outlook.com; Mon, 1 Jun 2026 10:00:00 +0000\r\n" +
			"Authentication-Results: dkim=pass header.d=" + reporter + "\r\n" + "Received: from x by AB2.mail.protection.outlook.com; Mon, 1 Jun 2026 10:00:00 +0000\r\n" + plain,
			change: func(c *Config) { c.Microsoft365 = true }, want: report.Reporter{Auth: "none"}},
		{name: "spf of no provider", message: results("mx.example.com", "spf=pass smtp.mailfrom=x@"+evil) + receivedOurs + complaint("x@"+evil, oursOriginal), want: report.Reporter{Auth: "none"}},
		{name: "spf of another envelope", message: results("mx.example.com", "spf=pass smtp.mailfrom=x@"+evil) + receivedOurs + plain, want: report.Reporter{Auth: "none"}},
		{name: "spf, border not ours", message: results("mx.example.com", "spf=pass smtp.mailfrom=x@"+reporter) + receivedTheir + plain, want: report.Reporter{Auth: "none"}},
		{name: "spf, altered", message: results("mx.example.com", "spf=pass smtp.mailfrom=x@"+reporter) + receivedOurs + strings.Replace(signed, "reader@", "victim@", 1), want: report.Reporter{Auth: "fail"}},
		{name: "sealed by another", message: seal(t, plain, evil, "x; "+dkimPass(reporter), "none", allFields), want: report.Reporter{Auth: "none"}},
		{name: "sealed by another over a signature of ours", message: sealBy(t, plain, evil, sealer, "x; "+dkimPass(reporter), "none", allFields), want: report.Reporter{Auth: "none"}},
		{name: "sealed over another's signature", message: sealBy(t, plain, sealer, evil, "x; "+dkimPass(reporter), "none", allFields), want: report.Reporter{Auth: "none"}},
		{name: "sealed without the From", message: seal(t, plain, sealer, "x; "+dkimPass(reporter), "none", allFields[1:]), want: report.Reporter{Auth: "none"}},
		{name: "re-framed behind the seal", message: strings.Replace(seal(t, strings.Replace(reframed(t, allFields), `"inner"`, `"outer"`, 1), sealer, "x; "+dkimPass(reporter), "none", yahooFields), `"outer"`, `"inner"`, 1),
			change: func(c *Config) { c.DKIM = new(false) }, want: report.Reporter{Auth: "fail"}},
		{name: "cfbl, signed by a domain below", message: sign(t, complaint("fbl@"+evil, oursOriginal), "below."+evil, allFields), token: true,
			want: report.Reporter{Auth: "pass", AuthDomain: "below." + evil, AuthMethod: "dkim", Coverage: "full"}},
		{name: "a From in the body", message: "Subject: x\r\n\r\n" + plain, want: report.Reporter{Auth: "fail"}},
		{name: "l= without the From", message: signLength(t, plain, reporter, allFields[1:], len(body(plain))), want: report.Reporter{Auth: "fail"}},
		{name: "a-r of an id of ours among microsoft's hops", message: receivedTheirs365 + results("mx.example.com", dkimPass(reporter)) + receivedTheirs365 + plain,
			change: func(c *Config) { c.Microsoft365 = true }, want: report.Reporter{Auth: "none"}},
		{name: "sealed, chain failed", message: seal(t, plain, sealer, "x; "+dkimPass(reporter), "fail", allFields), want: report.Reporter{Auth: "none"}},
		{name: "sealed, results altered", message: strings.Replace(seal(t, plain, sealer, "x; "+dkimPass("fbl.example.xxx"), "none", allFields), "fbl.example.xxx", reporter, 1), want: report.Reporter{Auth: "none"}},
		{name: "sealed, body altered", message: strings.Replace(seal(t, plain, sealer, "x; "+dkimPass(reporter), "none", allFields), "reader@", "victim@", 1), want: report.Reporter{Auth: "none"}},
		{name: "sealed, key gone", message: seal(t, plain, sealer, "x; "+dkimPass(reporter), "none", allFields), dns: func(z *zone) { clear(z.records) }, want: report.Reporter{Auth: "unchecked"}},
		{name: "about somebody else's mail", message: sign(t, complaint("feedback@"+reporter, original{"203.0.113.9", "news@other.example", "x"}), reporter, allFields),
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "dkim", Coverage: "full"}},
		{name: "about a mail that only bears our name", message: sign(t, complaint("feedback@"+reporter, original{"203.0.113.9", "news@example.com", "x"}), reporter, allFields),
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "dkim", Coverage: "full"}},
		{name: "ours is not set", message: signed, change: func(c *Config) { c.Own = Own{} },
			want: report.Reporter{Auth: "pass", AuthDomain: reporter, AuthMethod: "dkim", Coverage: "full"}},
		{name: "a header without end", message: "From: <feedback@" + reporter + ">\r\n" + strings.Repeat("X: y\r\n", 100_000), want: report.Reporter{Auth: "unchecked"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dns, conf := publish(t, reporter, carrier, evil, sealer, "hotmail.com", "below."+evil), config
			if test.dns != nil {
				test.dns(dns)
			}
			if test.change != nil {
				test.change(&conf)
			}
			got := check(t, conf, dns, test.message, !test.start, test.received, test.token)
			if (got.Reason == "") != got.Trusted || (got.Code == "") != got.Trusted {
				t.Errorf("trusted %v with the code %q, the reason %q", got.Trusted, got.Code, got.Reason)
			}
			want := test.want
			want.From, want.FromDomain = got.From, got.FromDomain
			if want.Reason == "" {
				want.Reason = got.Reason
			}
			if want.Code == "" {
				want.Code = got.Code
			}
			if got.Auth == "fail" {
				got.AuthDomain, got.AuthMethod, got.Coverage = "", "", ""
			}
			if got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// check reads and checks one message; of its start, up to the Message-ID of the reported one.
// token: a record of class cfbl, with a token that a key of ours made.
func check(t testing.TB, conf Config, dns Resolver, message string, whole bool, received time.Time, token bool) report.Reporter {
	t.Helper()
	c, err := New(conf, dns, table)
	if err != nil {
		t.Fatal(err)
	}
	size := int64(len(message))
	records := report.ParsePrefix([]byte(message), size).Records(report.Envelope{Providers: table})
	if !whole {
		message = message[:strings.LastIndex(message, "Message-ID:")]
	}
	r := report.ParsePrefix([]byte(message), size)
	if len(records) == 0 { // its Reporter says all the same who sent it
		records = make([]report.Record, 1)
	}
	if token {
		records[0].Class, records[0].OriginalRcptTo = report.ClassCFBL, "" // the token alone says who it was
	}
	start := time.Now()
	more := c.Check(context.Background(), []byte(message), r, records, received, token)
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
	if more != (records[0].Reporter.Reason == needsWhole.Text) || more && whole {
		t.Errorf("more: %v of a whole mail: %v", more, whole)
	}
	return *records[0].Reporter
}

// A token of ours stands for its own subscriber: whoever else a stranger's report
// names beside it is his word alone.
func TestTokenIsForItsSubscriber(t *testing.T) {
	message := sign(t, complaint("fbl@"+evil, oursOriginal), evil, allFields)
	r := report.Parse([]byte(message))
	for _, test := range []struct {
		rcpt, subscriber string
		reporters        []string
		trusted          bool
	}{
		{"", "4711", nil, true},
		{"mary@example.org", "4711", nil, false},
		{"mary@example.org", "peter@example.org", nil, false},
		{"mary@example.org", "Mary@example.org", nil, true},
		{"mary@example.org", "4711", []string{evil}, true},
	} {
		conf := config
		conf.Reporters = test.reporters
		c, err := New(conf, publish(t, evil), table)
		if err != nil {
			t.Fatal(err)
		}
		records := r.Records(report.Envelope{Providers: table})
		records[0].Class, records[0].OriginalRcptTo = report.ClassCFBL, test.rcpt
		records[0].Identify(report.Identity{Status: "identified", Subscriber: test.subscriber})
		c.Check(t.Context(), []byte(message), r, records, time.Time{}, true)
		if got := records[0].Reporter; got.Trusted != test.trusted {
			t.Errorf("%+v: %+v", test, *got)
		}
	}
}

// Where anybody can have a mailbox, a token proves no reporter: whoever has seen a
// message of ours has a token, and no domain of his own to be known by.
func TestTokenOfAMailbox(t *testing.T) {
	message := sign(t, complaint("fbl@gmail.com", oursOriginal), "gmail.com", allFields)
	if got := check(t, config, publish(t, "gmail.com"), message, true, time.Time{}, true); got.Auth != pass || got.Trusted || got.Code != report.CodeReporterUnknown {
		t.Errorf("%+v", got)
	}
	conf := config
	conf.Reporters = []string{"fbl@gmail.com"}
	if got := check(t, conf, publish(t, "gmail.com"), message, true, time.Time{}, true); !got.Trusted {
		t.Errorf("by its address: %+v", got)
	}
}
