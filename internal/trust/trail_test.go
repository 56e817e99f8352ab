package trust

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/fblwatch/fblwatch/report"
)

const (
	receivedInner = "Received: from mx.example.com (mx.example.com [10.0.0.1]) by lmtp.in.example.com with LMTP; Mon, 1 Jun 2026 10:00:01 +0000\r\n"
	receivedMX1   = "Received: from out.fbl.example.net (out.fbl.example.net [198.51.100.1]) by mx1.example.com with ESMTP; Mon, 1 Jun 2026 10:00:00 +0000\r\n"
)

// found is an Authentication-Results of our server.
func found(results string) string {
	return "Authentication-Results: mx.example.com;" + results + "\r\n"
}

// claim is a DKIM-Signature of a domain that nobody made.
func claim(domain string) string {
	return "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=" + domain + "; s=s; h=From:To:Subject:Date:Content-Type; bh=AAAA; b=AAAA\r\n"
}

// stripping is a system that takes foreign results away.
var stripping = Profile{Name: "stripping", AuthservIDs: []string{"mx.example.com"}, Hops: []string{"mx.example.com", ".in.example.com"}, Strips: true}

func ofSystem(p Profile) func(*Config) {
	return func(c *Config) { c.Profiles, c.Mailbox = []Profile{p}, Mailbox{Profile: p.Name} }
}

// What our own servers found, where and however they write it, makes a genuine report
// trusted: where signatures are verified by dkim or by a-r, and else by a-r alone.
func TestGenuineResults(t *testing.T) {
	plain := complaint("feedback@"+reporter, oursOriginal)
	signed, yahoo := sign(t, plain, reporter, allFields), sign(t, plain, reporter, yahooFields)
	const dkim = " dkim=pass header.d=" + reporter
	for _, test := range []struct {
		name, message string
		change        func(*Config)
		method        string // where signatures are verified; else it is a-r, or spf if this is
	}{
		{name: "above", message: found(dkim) + receivedOurs + signed, method: "a-r"},
		{name: "above, of header.i alone", message: found(" dkim=pass header.i=@a."+reporter+" header.s=s header.b=AAAAAAAA; spf=none") + receivedOurs + signed, method: "a-r"},
		{name: "above, of both", message: found(" dkim=pass (2048-bit key; unprotected) header.d="+reporter+" header.i=@a."+reporter) + receivedOurs + signed, method: "a-r"},
		{name: "above, though a hop is unknown", message: found(dkim) + receivedMX1 + signed, method: "a-r"},
		{name: "below", message: receivedOurs + found(dkim) + signed, method: "dkim"},
		{name: "below two", message: receivedInner + receivedOurs + found(dkim) + receivedTheir + signed, method: "dkim"},
		{name: "between two", message: receivedInner + found(dkim) + receivedOurs + receivedTheir + signed, method: "dkim"},
		{name: "below, the topmost field without dkim", message: receivedOurs + found(" dmarc=pass header.from="+reporter) + found(dkim) + signed, method: "dkim"},
		{name: "below, where foreign fields are taken away", message: receivedOurs + found(dkim) + signed, change: ofSystem(stripping), method: "a-r"},
		{name: "a field for each signature", message: receivedOurs + found(" dkim=pass header.d="+evil) + found(dkim) + signed, change: ofSystem(stripping), method: "a-r"},
		{name: "two signatures, one of no use", message: found(" dkim=pass header.i=@"+reporter+" header.s=a header.b=AAAAAAAA; dkim=neutral (no key) header.i=@"+reporter+" header.s=b header.b=BBBBBBBB") + receivedOurs + claim(reporter) + signed, method: "a-r"},
		{name: "two signatures, one altered", message: found(" dkim=fail header.d="+reporter+" header.s=a; dkim=pass header.d="+reporter+" header.s=b") + receivedOurs + claim(reporter) + signed, method: "a-r"},
		{name: "two signatures, selectors left out", message: found(" dkim=none; dkim=pass header.d="+reporter+"; dkim=fail header.d="+reporter) + receivedOurs + claim(reporter) + signed, method: "a-r"},
		{name: "two servers of ours", message: found(dkim) + results("mx.example.com.in.example.com", "dkim=pass header.i=@"+reporter) + receivedOurs + signed,
			change: func(c *Config) { c.AuthservIDs = append(slices.Clone(c.AuthservIDs), ".in.example.com") }, method: "a-r"},
		{name: "a forged field of ours below", message: found(dkim) + receivedOurs + found(" dkim=fail header.d="+reporter) + signed, method: "a-r"},
		{name: "no domain, and dmarc", message: found("\r\n\tdkim=pass;\r\n\tspf=pass (x: domain of "+reporter+" designates 192.0.2.1 as permitted sender)  smtp.mailfrom=a@"+reporter+";\r\n\tdmarc=pass(p=reject dis=none)  header.from="+reporter) + receivedOurs + signed, method: "a-r"},
		{name: "no domain, and dmarc, one frame", message: found(" dkim=pass; dmarc=pass header.from="+reporter) + receivedOurs + yahoo, method: "a-r"},
		{name: "no domain, and dmarc, signed above", message: found(" dkim=pass; dmarc=pass header.from=<feedback@"+reporter+">") + receivedOurs + sign(t, plain, "example.net", allFields), change: func(c *Config) { c.Reporters = []string{"example.net"} }, method: "a-r"},

		{name: "spf", message: found(" spf=pass smtp.mailfrom=b@"+reporter) + receivedOurs + plain, method: "spf"},
		{name: "spf, in capitals", message: found(" SPF=Pass SMTP.MailFrom=B@FBL.Example.NET") + receivedOurs + plain, method: "spf"},
		{name: "spf, of HELO too", message: found(" spf=fail smtp.helo=x.example; spf=pass smtp.mailfrom="+reporter+"; spf=none smtp.helo=postmaster@x.example") + receivedOurs + plain, method: "spf"},
		{name: "spf, smtp.mail", message: found(" spf=pass (mx: domain of x designates 192.0.2.1 as permitted sender, rule=[ip4:192.0.2.0/24; a]) smtp.mail=b@"+reporter) + receivedOurs + plain, method: "spf"},
		{name: "spf, smtp.mfrom", message: found(" spf=pass smtp.mfrom=b@"+reporter+" smtp.helo=x.example") + receivedOurs + plain, method: "spf"},
		{name: "spf, envelope-from", message: found(" spf=pass (spfCheck: domain of "+reporter+") client-ip=192.0.2.1; envelope-from=b@"+reporter+"; helo=x.example;") + receivedOurs + plain, method: "spf"},
		{name: "spf, quoted", message: found(` spf=pass smtp.mailfrom="b; c"@`+reporter) + receivedOurs + plain, method: "spf"},
		{name: "spf, between others", message: found(" dkim=none; spf=pass smtp.mailfrom="+reporter) + found(" spf=fail smtp.mailfrom="+evil) + receivedOurs + plain, method: "spf"},
		{name: "spf, below, where foreign fields are taken away", message: receivedOurs + found(" spf=pass smtp.mailfrom="+reporter) + plain, change: ofSystem(stripping), method: "spf"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, verifies := range []bool{true, false} {
				conf := config
				if test.change != nil {
					test.change(&conf)
				}
				conf.DKIM, conf.ARCSealers = new(verifies), nil
				want := test.method
				if !verifies && want == "dkim" {
					want = "a-r"
				}
				if got := check(t, conf, publish(t, reporter, "example.net"), test.message, true, time.Time{}, false); !got.Trusted || got.AuthMethod != want {
					t.Errorf("verified: %v: %+v", verifies, got)
				}
			}
		})
	}
}

// Nothing that a sender can write makes a forged report trusted, whether signatures
// are verified or not.
func TestForgedResults(t *testing.T) {
	plain := complaint("feedback@"+reporter, oursOriginal)
	altered := strings.Replace(sign(t, plain, reporter, allFields), "reader@", "victim@", 1)
	reframed := reframed(t, yahooFields)
	const dkim = " dkim=pass header.d=" + reporter
	for _, test := range []struct {
		name, message string
		change        func(*Config)
		only          bool // where signatures are verified: else the server must take it away
		want          report.Code
	}{
		{name: "below ours, which says evil", message: receivedOurs + found(" dkim=pass header.d="+evil) + found(dkim) + sign(t, plain, evil, allFields), want: report.CodeUnsigned},
		{name: "below ours, which says evil, with a claim", message: receivedOurs + found(" dkim=fail header.d="+reporter+"; dkim=pass header.d="+evil) + found(dkim) + claim(reporter) + sign(t, plain, evil, allFields), want: report.CodeContradicted},
		{name: "below ours, which says none", message: receivedOurs + found(" dkim=none") + found(dkim) + plain, want: report.CodeUnsigned},
		{name: "below ours, which says fail", message: receivedOurs + found(" dkim=fail header.d="+reporter) + found(dkim) + altered, want: report.CodeContradicted},
		{name: "below ours, which says nothing of dkim", message: receivedOurs + found(" spf=fail smtp.mailfrom="+evil+"; dmarc=none") + found(dkim) + plain, want: report.CodeContradicted},
		{name: "below ours, of which nothing is written", message: receivedOurs + found(dkim) + plain, want: report.CodeContradicted},
		{name: "below ours, of which nothing is written, with a claim", message: receivedOurs + found(dkim) + claim(reporter) + plain, only: true},
		{name: "below ours, of an altered report", message: receivedOurs + found(dkim) + altered, only: true, want: report.CodeContradicted},
		{name: "below ours, re-framed", message: receivedOurs + found(dkim) + reframed, want: report.CodeReframed},
		{name: "below ours, which cannot be read", message: receivedOurs + found(" spf=fail smtp.mailfrom=\"") + found(dkim) + claim(reporter) + plain},
		{name: "below ours, written with a version", message: receivedOurs + found(" spf=none") + results("mx.example.com 1", dkim) + claim(reporter) + plain},
		{name: "below ours, written in capitals", message: receivedOurs + found(" spf=none") + results("MX.example.com", dkim) + claim(reporter) + plain},
		{name: "below ours, and a Received of ours", message: receivedOurs + found(" spf=none") + receivedOurs + found(dkim) + claim(reporter) + plain},
		{name: "below ours, of another id of ours", message: receivedOurs + found(" dkim=none") + results("b.example.com", dkim) + claim(reporter) + plain,
			change: func(c *Config) { c.AuthservIDs = []string{".example.com"} }},
		{name: "below ours, of another id of ours, evil is signed", message: receivedOurs + found(" dkim=pass header.d="+evil) + results("b.example.com", dkim) + claim(reporter) + sign(t, plain, evil, allFields),
			change: func(c *Config) { c.AuthservIDs = []string{".example.com"} }},
		{name: "below another's", message: receivedTheir + found(dkim) + claim(reporter) + plain},
		{name: "below another's, and a Received of ours", message: receivedTheir + found(dkim) + receivedOurs + claim(reporter) + plain},
		{name: "above nobody's", message: found(dkim) + claim(reporter) + plain},
		{name: "without an id", message: "Authentication-Results:" + dkim + "\r\n" + receivedOurs + claim(reporter) + plain},

		{name: "header.d twice", message: found(dkim+" header.d="+evil) + receivedOurs + claim(reporter) + plain},
		{name: "header.d twice, header.i of the provider", message: found(" dkim=pass header.d="+evil+" header.d=x."+evil+" header.i=@"+reporter) + receivedOurs + claim(reporter) + plain},
		{name: "header.d empty, header.i of the provider", message: found(" dkim=pass header.d= header.i=@"+reporter) + receivedOurs + claim(reporter) + plain},
		{name: "header.d and header.i disagree", message: found(" dkim=pass header.d="+reporter+" header.i=@"+evil) + receivedOurs + claim(reporter) + plain},
		{name: "header.i above header.d", message: found(" dkim=pass header.d="+reporter+" header.i=@example.net") + receivedOurs + claim(reporter) + plain},
		{name: "header.d twice, and dmarc", message: found(" dkim=pass header.d="+evil+" header.d=x."+evil+"; dmarc=pass header.from="+reporter) + receivedOurs + claim(reporter) + plain},
		{name: "one selector passes and fails", message: found(dkim+" header.s=a; dkim=fail header.d="+reporter+" header.s=a") + receivedOurs + altered, want: report.CodeContradicted},
		{name: "another server of ours says fail", message: found(dkim) + results("b.example.com", "dkim=fail header.d="+reporter) + receivedOurs + altered,
			change: func(c *Config) { c.AuthservIDs = []string{".example.com"} }, want: report.CodeContradicted},
		{name: "another server of ours says none", message: results("b.example.com", "dkim=none") + found(dkim) + receivedOurs + claim(reporter) + plain,
			change: func(c *Config) { c.AuthservIDs = []string{".example.com"} }, want: report.CodeContradicted},
		{name: "another method", message: found(" dkim2=pass header.d="+reporter+"; dkim-atps=pass header.d="+reporter+"; x-dkim=pass header.d="+reporter) + receivedOurs + claim(reporter) + plain},
		{name: "another result", message: found(" dkim=passed header.d="+reporter+"; dkim=pass.x header.d="+reporter) + receivedOurs + claim(reporter) + plain},

		{name: "no domain, no dmarc", message: found(" dkim=pass") + receivedOurs + altered},
		{name: "no domain, dmarc fails", message: found(" dkim=pass; dmarc=fail header.from="+reporter) + receivedOurs + altered},
		{name: "no domain, dmarc passes and fails", message: found(" dkim=pass; dmarc=pass header.from="+reporter+"; dmarc=fail header.from="+reporter) + receivedOurs + altered},
		{name: "no domain, dmarc of another", message: found(" dkim=pass; dmarc=pass header.from="+evil) + receivedOurs + altered},
		{name: "no domain, dmarc by spf alone", message: found(" dkim=pass; dmarc=pass header.from="+reporter) + receivedOurs + sign(t, plain, evil, allFields), want: report.CodeNoDomain},
		{name: "no domain, dmarc by spf alone, unsigned", message: found(" dkim=pass; dmarc=pass header.from="+reporter) + receivedOurs + plain, want: report.CodeNoDomain},
		{name: "no domain, signed by two of one organisation", message: found(" dkim=pass; dmarc=pass header.from="+reporter) + receivedOurs + claim("b.example.net") + claim(reporter) + plain},
		{name: "no domain, and the carrier's signature", message: found(" dkim=pass; dmarc=pass header.from="+reporter) + receivedOurs + claim(carrier) + plain},
		{name: "no domain, re-framed", message: found(" dkim=pass; dmarc=pass header.from="+reporter) + receivedOurs + reframed, want: report.CodeReframed},
		{name: "no domain, below ours", message: receivedOurs + found(" dkim=pass; dmarc=pass header.from="+reporter) + claim(reporter) + plain, only: true},
		{name: "re-framed, with a claim that all is signed", message: found(dkim) + receivedOurs + claim(reporter) + reframed, want: report.CodeReframed},
		{name: "re-framed, with a signature that cannot be read", message: found(dkim) + receivedOurs + claim(reporter) + strings.Replace(reframed, "DKIM-Signature: ", "DKIM-Signature: x=; x=; ", 1), want: report.CodeReframed},

		// Servers that write what their client says.
		{name: "words of an envelope", message: found(` spf=pass (mx: domain of "x; dkim=pass header.d=`+reporter+`; x"@`+evil+` designates 192.0.2.1); dkim=pass header.d=`+evil) + receivedOurs + sign(t, plain, evil, allFields)},
		{name: "words of an envelope that end a comment", message: found(` spf=pass (mx: domain of "x); dkim=pass header.d=`+reporter+`; (x"@`+evil+` designates 192.0.2.1); dkim=pass header.d=`+evil) + receivedOurs + claim(reporter) + sign(t, plain, evil, allFields)},
		{name: "words of a greeting", message: found(" spf=pass smtp.helo=x;dkim=pass()header.d="+reporter+";x; dkim=pass header.d="+evil) + receivedOurs + sign(t, plain, evil, allFields)},
		{name: "words of a greeting that end a comment", message: found(" spf=pass (helo=x); dkim=pass header.d="+reporter+"; (x) smtp.mailfrom="+evil+"; dkim=pass header.d="+evil) + receivedOurs + sign(t, plain, evil, allFields)},
		{name: "words of a greeting, with a claim", message: found(" spf=pass smtp.helo=x; dkim=pass header.d="+reporter+" header.s=x; x; dkim=neutral header.d="+reporter+" header.s=s; dkim=pass header.d="+evil) + receivedOurs + claim(reporter) + sign(t, plain, evil, allFields)},
		{name: "words of a greeting, unsigned", message: found(" spf=pass smtp.helo=x; dkim=pass header.d="+reporter+"; x; dkim=none") + receivedOurs + plain},
		{name: "words of a greeting, for no domain", message: found(" spf=pass smtp.helo=x; dkim=pass; dmarc=pass header.from="+reporter+"; x; dkim=fail header.d="+reporter) + receivedOurs + claim(reporter) + plain},
		{name: "words of a greeting, of spf", message: found(" spf=none smtp.mailfrom="+evil+" smtp.helo=x;spf=pass()smtp.mailfrom="+reporter) + receivedOurs + plain},
		{name: "words of a greeting, of spf that fails", message: found(" spf=fail smtp.mailfrom="+evil+" smtp.helo=x;spf=pass()smtp.mailfrom="+reporter) + receivedOurs + plain},

		{name: "spf, below ours", message: receivedOurs + found(" spf=pass smtp.mailfrom="+reporter) + plain, only: true, want: report.CodeBelow},
		{name: "spf, below ours, which says fail", message: receivedOurs + found(" spf=fail smtp.mailfrom="+evil) + found(" spf=pass smtp.mailfrom="+reporter) + plain},
		{name: "spf, and the border is not ours", message: found(" spf=pass smtp.mailfrom="+reporter) + receivedMX1 + plain, want: report.CodeHopUnknown},
		{name: "spf of HELO", message: found(" spf=pass smtp.helo="+reporter) + receivedOurs + plain},
		{name: "spf of HELO, mailfrom fails", message: found(" spf=pass smtp.helo="+reporter+"; spf=fail smtp.mailfrom="+reporter) + receivedOurs + plain},
		{name: "spf of two", message: found(" spf=pass smtp.mailfrom="+reporter+" smtp.mfrom="+evil) + receivedOurs + plain},
		{name: "spf of two, of the second server", message: found(" spf=pass smtp.mailfrom="+evil+"; envelope-from="+reporter) + receivedOurs + plain},
		{name: "spf of nobody", message: found(" spf=pass; dkim=none; envelope-from="+reporter) + receivedOurs + plain},
		{name: "spf in the local part", message: found(` spf=pass smtp.mailfrom="`+reporter+` x=`+reporter+`"@`+evil) + receivedOurs + plain},

		{name: "a profile's, and another's server on top", message: receivedTheir + receivedOurs + found(dkim) + claim(reporter) + plain, change: ofSystem(stripping)},
		{name: "a profile's border is not there", message: receivedInner + found(dkim) + receivedTheir + claim(reporter) + plain,
			change: ofSystem(Profile{Name: "b", AuthservIDs: []string{"mx.example.com"}, Hops: []string{".in.example.com"}, Border: []string{"mx.example.com"}})},
		{name: "below a profile's border", message: receivedInner + receivedOurs + found(dkim) + receivedOurs + claim(reporter) + plain,
			change: ofSystem(Profile{Name: "b", AuthservIDs: []string{"mx.example.com"}, Hops: []string{".in.example.com"}, Border: []string{"mx.example.com"}, Strips: true})},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, verifies := range []bool{true, false} {
				if !verifies && test.only {
					continue
				}
				conf := config
				if test.change != nil {
					test.change(&conf)
				}
				conf.DKIM, conf.ARCSealers = new(verifies), nil
				got := check(t, conf, publish(t, reporter, carrier, evil), test.message, true, time.Time{}, false)
				if got.Trusted || got.Auth == pass && got.AuthDomain != evil {
					t.Errorf("verified: %v: %+v", verifies, got)
				}
				if test.want != "" && got.Code != test.want {
					t.Errorf("verified: %v: %q: %s, want %q", verifies, got.Code, got.Reason, test.want)
				}
			}
		})
	}
}

// A pass that may be the sender's waits for the key of the signature.
func TestOpenResults(t *testing.T) {
	message := receivedOurs + found(" dkim=pass header.d="+reporter) + sign(t, complaint("feedback@"+reporter, oursOriginal), reporter, allFields)
	for _, test := range []struct {
		name string
		dns  func(*zone)
		want report.Code
	}{
		{name: "the DNS is dead", dns: func(z *zone) { z.err = errServFail }, want: report.CodeDNS},
		{name: "the key is gone", dns: func(z *zone) { clear(z.records) }, want: report.CodeKey},
		{name: "as it should be"},
	} {
		dns := publish(t, reporter)
		if test.dns != nil {
			test.dns(dns)
		}
		got := check(t, config, dns, message, true, time.Time{}, false)
		if got.Code != test.want || got.Trusted != (test.want == "") || !got.Trusted && got.Auth != unchecked {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
	if got := check(t, config, publish(t, reporter), message, false, time.Time{}, false); got.Reason != needsWhole.Text {
		t.Errorf("of its start: %+v", got)
	}
}

// After seven days a signature that verifies still confirms what a server of ours may
// have found. Anything else proves nothing, neither that a report is genuine nor that
// it is forged.
func TestOldResults(t *testing.T) {
	lastWeek := time.Now().Add(-8 * 24 * time.Hour)
	plain := complaint("feedback@"+reporter, oursOriginal)
	signed := sign(t, plain, reporter, allFields)
	below := receivedOurs + found(" dkim=pass header.d="+reporter)
	expired := func(o *dkim.SignOptions) { o.Expiration = time.Now().Add(-time.Hour) }
	for _, test := range []struct {
		name, message string
		dns           func(*zone)
		start         bool // of the message, only
		want          report.Code
	}{
		{name: "confirmed", message: below + signed},
		{name: "confirmed, of a domain below", message: receivedOurs + found(" dkim=pass header.i=@a."+reporter) + signed},
		{name: "confirmed, by one of two", message: below + sign(t, signed, carrier, allFields)},
		{name: "altered", message: below + strings.Replace(signed, "reader@", "victim@", 1), want: report.CodeOld},
		{name: "altered, and good of another", message: receivedOurs + found(" dkim=pass header.d="+carrier) + claim(carrier) + signed, want: report.CodeOld},
		{name: "claimed", message: below + claim(reporter) + plain, want: report.CodeOld},
		{name: "re-framed", message: below + reframed(t, yahooFields), want: report.CodeReframed},
		{name: "signed by another", message: below + claim(reporter) + sign(t, plain, evil, allFields), want: report.CodeOld},
		{name: "expired since", message: below + sign(t, plain, reporter, allFields, expired), want: report.CodeOld},
		{name: "the key is gone", message: below + signed, dns: func(z *zone) { clear(z.records) }, want: report.CodeOld},
		{name: "the DNS is dead", message: below + signed, dns: func(z *zone) { z.err = errServFail }, want: report.CodeDNS},
		{name: "nobody says pass", message: receivedOurs + signed, want: report.CodeOld},
		{name: "somebody else says pass", message: receivedOurs + results("mx.example.org", dkimPass(reporter)) + signed, want: report.CodeOld},
		{name: "pass of another", message: receivedOurs + found(" dkim=pass header.d="+evil) + signed, want: report.CodeOld},
		{name: "its start", message: below + signed, start: true, want: report.CodeTooLong},
	} {
		dns := publish(t, reporter, carrier, evil)
		if test.dns != nil {
			test.dns(dns)
		}
		got := check(t, config, dns, test.message, !test.start, lastWeek, false)
		if got.Code != test.want || got.Trusted != (test.want == "") {
			t.Errorf("%s: %+v", test.name, got)
		}
		if test.want == report.CodeOld && got.Auth != unchecked {
			t.Errorf("%s: auth %s", test.name, got.Auth)
		}
		if test.name == "nobody says pass" && dns.asked != 0 {
			t.Errorf("%s: asked the DNS for %d names", test.name, dns.asked)
		}
	}
}
