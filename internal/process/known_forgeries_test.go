package process

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/pacetest"
	"github.com/fblwatch/fblwatch/report"
)

// A knownForgery is a way to have a victim never written to again. What is not
// given is as the provider and its hosts write it.
type knownForgery struct {
	name   string
	inner  string // the boundary of the report that the reported message holds; "": it holds none
	typed  string // instead of the Content-Type that the provider wrote; it is not signed
	above  string // fields on top of the message
	greets string // what the attacker's host calls itself
	took   string // the Received of the provider's border, with a % for that
	claims string // the first fields of the reported message
	found  string // by our server; "": that the provider signed
	writes string // the address whose mailbox the attacker has: he writes the report himself; "-": he signs nothing
}

const (
	inEncoding = "Content-Type: multipart/mixed; boundary=inner\nContent-Transfer-Encoding: "
	exim       = "from x.evil.example ([203.0.113.9] helo=%)"
	eximBare   = "from [203.0.113.9] (helo=%)"
	eximIdent  = "from [203.0.113.9] (port=4711 helo=% ident=x)"
	cisco      = "from unknown (HELO %) ([203.0.113.9])"
	postfix    = "from % (x.evil.example [203.0.113.9])"
	qmail      = "from unknown (HELO %) (203.0.113.9)"
	exchange   = "from % (203.0.113.9)"
	greeting   = "from 203.0.113.9 (EHLO %)"
)

var longest = strings.Repeat("b", 254)

var knownForgeries = []knownForgery{
	// The signature leaves the Content-Type open, and another one has the body speak
	// with the voice of the reported message.
	{name: "another boundary", inner: "inner", typed: `Content-Type: multipart/mixed; boundary="inner"`},
	{name: "boundary twice", inner: longest, typed: `Content-Type: multipart/mixed; boundary="` + longest + `"; boundary="` + outer + `"`},
	{name: "boundary twice, reversed", inner: longest, typed: `Content-Type: multipart/mixed; boundary="` + outer + `"; boundary="` + longest + `"`},
	{name: "boundary twice, in capitals", inner: longest, typed: `Content-Type: multipart/mixed; BOUNDARY="` + longest + `"; boundary="` + outer + `"`},
	{name: "boundary continued", inner: longest, typed: `Content-Type: multipart/mixed; boundary*0="` + outer + `"; boundary="` + longest + `"`},
	{name: "boundary continued in pieces", inner: longest, typed: `Content-Type: multipart/mixed; boundary*0="=_ou"; boundary*1="ter.5f31"; boundary="` + longest + `"`},
	{name: "boundary extended", inner: longest, typed: `Content-Type: multipart/mixed; boundary*=utf-8''` + outer + `; boundary="` + longest + `"`},
	{name: "boundary continued and extended", inner: longest, typed: `Content-Type: multipart/mixed; boundary*0*=utf-8''%3D_ou; boundary*1=ter.5f31; boundary="` + longest + `"`},
	{name: "boundary within quotes", inner: `in"ner`, typed: `Content-Type: multipart/mixed; x="; boundary=` + outer + `; y="; boundary=in"ner`},
	{name: "boundary with a quote, escaped", inner: `in\`, typed: `Content-Type: multipart/mixed; boundary="in\"; boundary="` + outer + `"`},
	{name: "boundary within a comment", inner: longest, typed: `Content-Type: multipart/mixed; (; boundary="` + outer + `") boundary="` + longest + `"`},
	{name: "boundary of 71 octets", inner: longest[:71], typed: `Content-Type: multipart/mixed; boundary="` + longest[:71] + `"`},
	{name: "boundary of 250 octets and more", inner: longest, typed: `Content-Type: multipart/mixed; boundary="` + longest + `"`},
	{name: "boundary like ours", inner: "=_outer", typed: `Content-Type: multipart/mixed; boundary="=_outer"`},
	{name: "boundary that ends like the last", inner: outer + "--x", typed: `Content-Type: multipart/mixed; boundary="` + outer + `--x"`},
	{name: "two types", inner: "inner", above: "Content-Type: multipart/mixed; boundary=inner\n"},
	{name: "a blank before the colon", inner: "inner", above: "Content-Type : multipart/mixed; boundary=inner\n"},
	{name: "no type", inner: "inner", typed: "X: y"},
	{name: "a message", inner: "inner", typed: "Content-Type: message/rfc822"},
	{name: "text", inner: "inner", typed: "Content-Type: text/plain"},
	{name: "a multipart that is encoded, quoted-printable", inner: "inner", typed: inEncoding + "quoted-printable"},
	{name: "a multipart that is encoded, base64", inner: "inner", typed: inEncoding + "base64"},
	{name: "a multipart that is encoded, uuencode", inner: "inner", typed: inEncoding + "x-uuencode"},
	{name: "an end of the header before its end", inner: "inner", above: "From: <feedback@" + yahoo + ">\nContent-Type: multipart/mixed; boundary=inner\n\n", found: "dkim=none"},
	{name: "an mbox line", inner: "inner", above: "From x@example.com Mon Jun  1 10:00:00 2026\nContent-Type: multipart/mixed; boundary=inner\n"},
	{name: "a byte order mark", inner: "inner", above: "\ufeffContent-Type: multipart/mixed; boundary=inner\n"},
	{name: "a bare CR", inner: "inner", above: "X: y\rContent-Type: multipart/mixed; boundary=inner\n"},
	{name: "NUL", inner: "inner", above: "X: \x00\nContent-Type: multipart/mixed; boundary=inner\n"},

	// An address within the name that a client gives itself.
	{name: "a comma", greets: "a," + ourIP},
	{name: "an equals sign", greets: "a=" + ourIP},
	{name: "an at sign", greets: "a@" + ourIP},
	{name: "a literal", greets: "[" + ourIP + "]"},
	{name: "a literal behind a blank", greets: "a [" + ourIP + "]"},
	{name: "a literal behind a name", greets: "a[" + ourIP + "]"},
	{name: "a comment", greets: "a (" + ourIP + ")"},
	{name: "a comment with a literal", greets: "a (a [" + ourIP + "])"},
	{name: "from", greets: "from " + ourIP},
	{name: "from, and by", greets: "x (" + ourIP + ") by 10.253.62.170"},
	{name: "by", greets: "x by mx.example.com (" + ourIP},
	{name: "a parenthesis", greets: "x) (" + ourIP + ")"},
	{name: "a keyword", greets: "x helo=y " + ourIP},
	{name: "a comment left open", greets: "x ([" + ourIP + "]"},
	{name: "two comments", greets: "x (y) ([" + ourIP + "])"},
	{name: "a semicolon", greets: "x; " + ourIP},
	{name: "a tab", greets: "x\t(" + ourIP + ")"},
	{name: "a mapped address", greets: "x ::ffff:" + ourIP},
	{name: "an IPv6 address", greets: "[IPv6:2001:db8::7]"},

	// What stands in the message as if our server, or the provider's, had written it.
	{name: "our results", writes: "-", above: "Authentication-Results: mx.example.com; dkim=pass header.d=" + yahoo + "\n", found: "dkim=none"},
	{name: "our results, beside the attacker's signature", writes: "-", above: "Authentication-Results: mx.example.com; dkim=pass header.d=" + yahoo + "\n", found: "dkim=pass header.d=" + evil},
	{name: "our results behind a Received", writes: "-", above: "Received: by mx.example.com with LMTP id 1; Mon, 1 Jun 2026 10:00:00 +0000\nAuthentication-Results: mx.example.com; dkim=pass header.d=" + yahoo + "\n", found: "dkim=pass header.d=" + evil},
	{name: "our results without an id", writes: "-", above: "Authentication-Results: dkim=pass header.d=" + yahoo + "\n", found: "dkim=pass header.d=" + evil},
	{name: "a chain of the sealer's", writes: "-", above: "ARC-Seal: i=1; a=ed25519-sha256; cv=none; d=" + sealers + "; s=s; b=eA==\nARC-Message-Signature: i=1; a=ed25519-sha256; d=" + sealers + "; s=s; h=From; bh=eA==; b=eA==\nARC-Authentication-Results: i=1; mx.sealer.example; dkim=pass header.d=" + yahoo + "\n", found: "dkim=none"},
	{name: "the domain twice", writes: "-", found: "dkim=pass header.d=" + evil + " header.d=" + yahoo + " header.i=@" + yahoo},
	{name: "the domain twice, reversed", writes: "-", found: "dkim=pass header.i=@" + yahoo + " header.d=" + yahoo + " header.d=" + evil},
	{name: "the domain within a comment", writes: "-", found: "dkim=pass (header.d=" + yahoo + ") header.d=" + evil},
	{name: "the domain within quotes", writes: "-", found: `dkim=pass header.i="x header.d=` + yahoo + `;"@` + evil},
	{name: "anybody at Microsoft", writes: "x@microsoft.com", found: "dkim=pass header.d=microsoft.com"},
	{name: "anybody at Hotmail", writes: "no-reply@hotmail.com", found: "dkim=pass header.d=hotmail.com"},
	{name: "anybody at Yahoo", writes: "feedback@yahoo.com", found: "dkim=pass header.d=yahoo.com"},
	{name: "anybody at Mail.ru", writes: "fbl-x@mail.ru", found: "dkim=pass header.d=mail.ru"},
	{name: "the provider's hop", claims: yahooInner + yahooFound + yahooBorder},
	{name: "the provider's results", claims: yahooFound + ourSeal + ourToken},
	{name: "Microsoft's recipient", claims: "X-HmXmrOriginalRecipient: " + victim + "\n" + jmrpInner + jmrpFound + jmrpBorder},
	{name: "our From and token", claims: "From: <news@example.com>\n" + ourToken},
	{name: "our signature, which cannot be read", claims: "DKIM-Signature: v=1; d=example.com; junk; h=From\n" + ourSeal + ourToken},
}

// message is what the provider signed, as the attacker sends it to us.
func (k *knownForgery) message() (message string, stands bool) {
	inner := "x\n"
	if k.inner != "" {
		theirs := strings.ReplaceAll(yahooFields, "reader@yahoo.com", victim) + "Source-IP: " + ourIP + "\n"
		inner = "--" + k.inner + "\nContent-Type: message/feedback-report\n\n" + theirs + "\n--" + k.inner + "\nContent-Type: message/rfc822\n\n" + yahooInner + yahooFound + yahooBorder + ourSeal + ourHeader + ourToken + "\nx\n--" + k.inner + "--\n"
	}
	switch {
	case strings.HasSuffix(k.typed, "quoted-printable"):
		inner = strings.NewReplacer("-", "=2D", "/", "=2F").Replace(strings.ReplaceAll(inner, "=", "=3D"))
	case strings.HasSuffix(k.typed, "base64"):
		inner = base64.StdEncoding.EncodeToString([]byte(inner)) + "\n"
	}
	took := k.took
	if took == "" {
		took = greeting
	}
	border := "Received: " + strings.Replace(took, "%", k.greets, 1) + " by 10.253.62.170 with SMTPs; Mon, 1 Jun 2026 10:00:00 +0000\n"
	found := strings.ReplaceAll(yahooFound, "example.com", evil)
	plain := reportOf("feedback@"+yahoo, strings.ReplaceAll(strings.ReplaceAll(yahooFields, "reader@", "attacker@"), "example.com", evil), yahooInner+found+border+k.claims+"From: <x@evil.example>\nSubject: x\n\n"+inner)
	domain := yahoo
	switch fields := "Feedback-Type: abuse\nUser-Agent: JMRP/1.0\nVersion: 1\nSource-IP: " + ourIP + "\nOriginal-Rcpt-To: " + victim + "\n"; k.writes {
	case "":
	case "-":
		domain = evil
		plain = reportOf("feedback@"+yahoo, strings.Replace(fields, "JMRP/1.0", "Yahoo!-Mail-Feedback/2.0", 1), yahooInner+yahooFound+yahooBorder+ourHeader+"\nx\n")
	default:
		_, domain, _ = strings.Cut(k.writes, "@")
		plain = reportOf(k.writes, fields, jmrpInner+jmrpFound+jmrpBorder+ourHeader+"\nx\n")
	}
	w := wireOf(strings.ReplaceAll(plain, "outer", outer))
	s := signing{fields: barely, length: -1}
	field := s.sign(w, "DKIM-Signature", "v=1; ", domain)
	w.put(0, field)
	if k.typed != "" {
		i := w.find("content-type")
		w.fields = append(w.fields[:i:i], w.fields[i+1:]...)
		w.put(i, k.typed+"\n")
	}
	if k.above != "" {
		w.put(0, k.above)
	}
	return w.String(), s.stands(w, domain, field)
}

// TestKnownForgeries: none of them is yes, whatever our server and our config
// look at. The same report about our own message is, by each of them.
func TestKnownForgeries(t *testing.T) {
	read := func(message, found string, receiver, own int) report.Record {
		hop := "Received: from x (x.evil.example [198.51.100.66]) by mx.example.com with ESMTP id 1; Mon, 1 Jun 2026 10:00:00 +0000\n"
		if receivers[receiver].config.ARCSealers != nil {
			message = arcOf(wireOf(message), sealers, sealers, "none", "mx.sealer.example; "+found, signing{fields: wholly, length: -1}) + message
		}
		message = ended(receivers[receiver].stamp(hop, found)) + message
		f := forged{message: message, end: len(message), receiver: receiver, own: own}
		records := f.read()
		if len(records) == 0 {
			return report.Record{Suppress: &report.Suppress{}}
		}
		return records[0]
	}
	genuine := reportOf("feedback@"+yahoo, yahooFields, yahooInner+yahooFound+yahooBorder+ourHeader+"\nBuy now.\n")
	for receiver := range receivers {
		for own := range 3 {
			for _, fields := range [][]string{barely, wholly} {
				w := wireOf(genuine)
				w.put(0, signing{fields: fields, length: -1}.sign(w, "DKIM-Signature", "v=1; ", yahoo))
				if r := read(w.String(), "dkim=pass header.d="+yahoo, receiver, own); r.Suppress.Verdict != report.SuppressYes {
					t.Errorf("genuine, %s, own %d: %s %v", receivers[receiver].name, own, r.Suppress.Verdict, r.Suppress.Reasons)
				}
			}
		}
	}
	for i, k := range knownForgeries {
		ways := []string{""}
		if k.greets != "" {
			ways = []string{greeting, exchange, postfix, exim, eximBare, eximIdent, qmail, cisco}
		}
		for _, k.took = range ways {
			message, stands := k.message()
			found := k.found
			if found == "" {
				if !stands {
					t.Errorf("%s: the signature is not good any more", k.name)
				}
				found = "dkim=pass header.d=" + yahoo
			}
			for receiver := range receivers {
				for own := range 3 {
					if pacetest.Raced() && (i+receiver+own)%8 != 0 {
						continue
					}
					if r := read(message, found, receiver, own); r.Suppress.Verdict == report.SuppressYes || r.Reporter != nil && r.Reporter.Trusted {
						t.Errorf("%s %s, %s, own %d: %s %v, source %s %s, %+v", k.name, k.took, receivers[receiver].name, own, r.Suppress.Verdict, r.Suppress.Reasons, r.SourceIP, r.Derived["source_ip"], *r.Reporter)
					}
				}
			}
		}
	}
}
