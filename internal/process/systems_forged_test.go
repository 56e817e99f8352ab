package process

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/pacetest"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

// forgery is a message that no verdict may be "yes" for: it comes from the
// attacker's host, or from the reporter about a message of the attacker's.
type forgery struct {
	name    string
	feeds   []string          // nil: all
	systems func(system) bool // nil: all
	direct  bool              // to the system, without its gateway
	few     bool              // one feed for each system will do
	send    func(t testing.TB, z txts, s system, f feed, host string) mailing
}

// mailing is a message and who messages it.
type mailing struct{ message, greeting, ip, envelope string }

func byEvil(message string) mailing {
	return mailing{message, "mail." + evil, "203.0.113.66", "x@" + evil}
}

func (f feed) messages(message string) mailing { return mailing{message, f.host, f.ip, f.envelope} }

// theirMessage is the attacker's own, which he reports from a mailbox of his.
var theirMessage = reported{greeting: "mail." + evil, ip: "203.0.113.66", passes: evil, header: "From: <x@evil.example>\nTo: <x@yahoo.com>\nSubject: x\nMessage-ID: <x@evil.example>\n", body: "x\n"}

var evilSigner = signer{evil, "s", careful}

// forgeries by what they try.
func forgeries() []forgery {
	return slices.Concat(reframings, greetings, pretences(), sealings, others, around)
}

// A report about the attacker's message, signed by its reporter, is made to be
// read by a boundary of that message.
var reframings = func() (all []forgery) {
	inner := func(boundary string) string {
		return "--" + boundary + "\nContent-Type: message/feedback-report\n\n" + strings.ReplaceAll(yahooFields, "reader@", "victim@") +
			"\n--" + boundary + "\nContent-Type: message/rfc822\n\n" + yahooTrace(ourMessage) + "\n--" + boundary + "--\n"
	}
	long := strings.Repeat("i", 71)
	longer := strings.Repeat("i", 251)
	for name, c := range map[string]struct{ header, boundary string }{
		"quoted":                 {`Content-Type: multipart/report; report-type=feedback-report; boundary="inner"`, "inner"},
		"bare":                   {`Content-Type: multipart/report; report-type=feedback-report; boundary=inner`, "inner"},
		"mixed":                  {`Content-Type: multipart/mixed; boundary=inner`, "inner"},
		"no blanks":              {`Content-Type:multipart/report;boundary=inner`, "inner"},
		"blanks":                 {`Content-Type: multipart/report ; boundary = inner`, "inner"},
		"folded":                 {"Content-Type: multipart/report;\r\n\tboundary=\r\n inner", "inner"},
		"in capitals":            {`CONTENT-TYPE: MULTIPART/REPORT; BOUNDARY=inner`, "inner"},
		"extended":               {`Content-Type: multipart/report; boundary*=us-ascii''inner`, "inner"},
		"extended, escaped":      {`Content-Type: multipart/report; boundary*=us-ascii''in%6eer`, "inner"},
		"continued":              {`Content-Type: multipart/report; boundary*0=in; boundary*1=ner`, "inner"},
		"continued, extended":    {`Content-Type: multipart/report; boundary*0*=us-ascii''in; boundary*1=ner`, "inner"},
		"continued behind plain": {`Content-Type: multipart/report; boundary=yahoo; boundary*0=in; boundary*1=ner`, "inner"},
		"twice, the first":       {`Content-Type: multipart/report; boundary=inner; boundary=yahoo`, "inner"},
		"twice, the second":      {`Content-Type: multipart/report; boundary=yahoo; boundary=inner`, "inner"},
		"quoted pair":            {`Content-Type: multipart/report; boundary="in\ner"`, "inner"},
		"quote within":           {`Content-Type: multipart/report; boundary=in"ner`, `in"ner`},
		"escaped quote within":   {`Content-Type: multipart/report; boundary="in\"ner"`, `in"ner`},
		"quote at the end":       {`Content-Type: multipart/report; boundary="inner`, "inner"},
		"single quotes":          {`Content-Type: multipart/report; boundary='inner'`, "'inner'"},
		"comment":                {`Content-Type: multipart/report; boundary=(x)inner`, "inner"},
		"comment behind":         {`Content-Type: multipart/report; boundary=inner(x)`, "inner"},
		"blank within":           {`Content-Type: multipart/report; boundary="in ner"`, "in ner"},
		"over 70 octets":         {`Content-Type: multipart/report; boundary=` + long, long},
		"over 250 octets":        {`Content-Type: multipart/report; boundary="` + longer + `"`, longer},
		"beside another field":   {"Content-Type: multipart/report; boundary=inner\r\nContent-Type: multipart/report; boundary=yahoo", "inner"},
		"behind another field":   {"Content-Type: multipart/report; boundary=yahoo\r\nContent-Type: multipart/report; boundary=inner", "inner"},
		"quoted-printable":       {"Content-Type: multipart/report; boundary=inner\r\nContent-Transfer-Encoding: quoted-printable", "=69nner"},
		"base64":                 {"Content-Type: multipart/report; boundary=inner\r\nContent-Transfer-Encoding: base64", "inner"},
		"a text":                 {"Content-Type: text/plain", "inner"},
		"no field":               {"X-Content-Type: x", "inner"},
		"a message":              {"Content-Type: message/rfc822", "inner"},
		"a report part":          {"Content-Type: message/feedback-report", "inner"},
		"two boundaries":         {`Content-Type: multipart/report; report-type=feedback-report; boundary="yahoo"`, "inner"},
	} {
		all = append(all, forgery{name: "framed anew: " + name, few: true, feeds: []string{"yahoo", "yahoo-ses"}, send: func(t testing.TB, _ txts, _ system, f feed, _ string) mailing {
			about := theirMessage
			about.body = inner(c.boundary)
			message := f.report(t, about)
			header, body, _ := strings.Cut(message, "\r\n\r\n")
			fields := fieldsOf(header)
			for i := range fields {
				if strings.HasPrefix(fields[i], "Content-Type:") {
					fields[i] = strings.ReplaceAll(c.header, "yahoo", map[string]string{"yahoo": "yahoo", "yahoo-ses": "ses"}[f.name])
				}
			}
			return byEvil(strings.Join(fields, "\r\n") + "\r\n\r\n" + body)
		}})
	}
	slices.SortFunc(all, func(a, b forgery) int { return strings.Compare(a.name, b.name) })
	return all
}()

// The attacker's host says our address as its name, and his message has our
// subscriber's token.
var greetings = func() (all []forgery) {
	for _, word := range []string{
		"192.0.2.7", "[192.0.2.7]", "a,192.0.2.7", "a=192.0.2.7", "a@192.0.2.7", "[a]192.0.2.7", "[a][192.0.2.7]", "a(192.0.2.7)", "a[192.0.2.7]", "(192.0.2.7)", "a;192.0.2.7",
		"a:192.0.2.7", "a/192.0.2.7", "<192.0.2.7>", "\"192.0.2.7\"", "a\\192.0.2.7", "mail.example.com,192.0.2.7", "mail.example.com(192.0.2.7)", "mail.example.com[192.0.2.7]", "a,helo,192.0.2.7",
		"a (192.0.2.7)", "a [192.0.2.7]", "a ([192.0.2.7])", "from 192.0.2.7", "a from 192.0.2.7", "a from b ([192.0.2.7])", "a ) 192.0.2.7", "a by b", "192.0.2.7) by 10.253.62.170", "2001:db8::7", "[IPv6:2001:db8::7]", "::ffff:192.0.2.7",
		"yahoo.com", "mx.hotmail.com", "a.outlook.com", "mail.ru", "mx.zohomail.com",
	} {
		all = append(all, forgery{name: "greeting: " + word, few: true, send: func(t testing.TB, _ txts, _ system, f feed, _ string) mailing {
			about := reported{greeting: word, ip: theirMessage.ip, passes: evil, header: ourHeader + ourToken, body: "x\n"}
			return f.messages(f.report(t, about))
		}})
	}
	return all
}()

// pretences are reports of the attacker's own making, with the trace that the
// receiving system would have written over a genuine one.
func pretences() (all []forgery) {
	signs := map[string]func(t testing.TB, f feed, message string) string{
		"unsigned":               func(_ testing.TB, _ feed, message string) string { return message },
		"signed by the attacker": func(t testing.TB, _ feed, message string) string { return evilSigner.sign(t, message) },
		"with a broken signature": func(t testing.TB, f feed, message string) string {
			for _, s := range f.signers {
				message = s.sign(t, message)
			}
			return strings.Replace(message, "Buy now.", "Buy then.", 1)
		},
		"signed by the attacker under the provider's": func(t testing.TB, f feed, message string) string {
			message = evilSigner.sign(t, message)
			return strings.Replace(message, "d="+evil, "d="+f.signers[0].domain, 1)
		},
		"signed by a word of the attacker's": func(t testing.TB, f feed, message string) string {
			return evilSigner.sign(t, strings.Replace(message, "Subject:", "X-Subject:", 1))
		},
	}
	traces := map[string]func(trace, host, tomorrow string) string{
		"all of the trace":   func(trace, _, _ string) string { return trace },
		"its results":        func(trace, _, _ string) string { return onlyResults(trace) },
		"its results thrice": func(trace, _, _ string) string { return strings.Repeat(onlyResults(trace), 3) },
		"results of tomorrow's host": func(trace, host, tomorrow string) string {
			return strings.ReplaceAll(onlyResults(trace), host, tomorrow)
		},
		"its results in another case": func(trace, _, _ string) string {
			return strings.ToUpper(onlyResults(trace)[:40]) + onlyResults(trace)[min(40, len(onlyResults(trace))):]
		},
		"the trace of both hosts": func(trace, host, tomorrow string) string { return strings.ReplaceAll(trace, host, tomorrow) + trace },
	}
	for how, sign := range signs {
		for what, trace := range traces {
			all = append(all, forgery{name: "pretended: " + what + ", " + how, systems: func(s system) bool { return s.dkim.pass != "" }, send: func(t testing.TB, z txts, s system, f feed, host string) mailing {
				message := sign(t, f, f.write(ourMessage))
				return byEvil(trace(s.pretended(t, z, f, host), s.pool[0], s.pool[1]) + message)
			}})
		}
	}
	slices.SortFunc(all, func(a, b forgery) int { return strings.Compare(a.name, b.name) })
	return all
}

// pretended is the trace that a system writes over a genuine report, sealed by
// nobody's key.
func (s system) pretended(t testing.TB, z txts, f feed, host string) string {
	t.Helper()
	const mark = "X-Mark: x\r\n\r\n"
	d := &delivery{t: t, dns: z, sealer: dishonest(), message: mark, greeting: f.host, ip: f.ip, envelope: f.envelope, host: host, received: "Mon, 01 Jun 2026 10:00:00 +0000", spf: "pass", dmarc: "pass",
		author: f.from[strings.LastIndexByte(f.from, '@')+1:], recipient: "fbl@example.org"}
	for _, sig := range f.signers {
		d.findings = append(d.findings, finding{pass: true, domain: sig.domain, identity: "@" + sig.domain, selector: sig.selector, octets: "AbCdEfGh"})
	}
	g := s.gateway
	s.gateway = nil
	trace, _, _ := strings.Cut(s.deliver(d), "X-Mark")
	if g != nil {
		d.message = mark
		text, _, _ := strings.Cut(d.over(d.fill(strings.ReplaceAll(g.trace, "{dkim}", g.dkim.of(d)))), "X-Mark")
		trace += text
	}
	return trace
}

// onlyResults are the fields of a trace that say what was found.
func onlyResults(trace string) string {
	var all string
	for _, f := range fieldsOf(strings.TrimSuffix(trace, "\r\n")) {
		if name, _, _ := strings.Cut(f, ":"); strings.EqualFold(name, "Authentication-Results") || strings.EqualFold(name, "ARC-Authentication-Results") {
			all += f + "\r\n"
		}
	}
	return all
}

// seals that say nothing of this message, where a sealer is believed.
var sealings = []forgery{
	{name: "sealed: with an l= of nothing", systems: hasSeal, send: func(t testing.TB, z txts, s system, f feed, host string) mailing {
		return byEvil(s.sealedEarlier(t, f, f.write(ourMessage), careful, 0))
	}},
	{name: "sealed: framed anew, by fields that leave it open", feeds: []string{"yahoo", "yahoo-ses", "jmrp-2026"}, systems: hasSeal, send: func(t testing.TB, z txts, s system, f feed, host string) mailing {
		about := theirMessage
		about.body = "--inner\nContent-Type: message/feedback-report\n\n" + strings.ReplaceAll(yahooFields, "reader@", "victim@") + "\n--inner\nContent-Type: message/rfc822\n\n" + yahooTrace(ourMessage) + "\n--inner--\n"
		message := s.sealedEarlier(t, f, f.report(t, about), careless, -1)
		at := strings.Index(message, `boundary="`) + len(`boundary="`)
		end := at + strings.IndexByte(message[at:], '"')
		return byEvil(message[:at] + "inner" + message[end:])
	}},
	{name: "sealed: another body behind an l=", systems: hasSeal, send: func(t testing.TB, z txts, s system, f feed, host string) mailing {
		genuine := f.report(t, theirMessage)
		_, body, _ := strings.Cut(genuine, "\r\n\r\n")
		message := s.sealedEarlier(t, f, genuine, []string{"From", "Date"}, len(body))
		_, ours, _ := strings.Cut(f.write(ourMessage), "\r\n\r\n")
		for _, b := range []string{"yahoo", "ses", "jmrp-old", "jmrp-net", "jmrp", "rp", "mailru", "zoho", "cfbl"} {
			ours = strings.ReplaceAll(ours, "--"+b+"\r\n", "--more\r\n")
			ours = strings.ReplaceAll(ours, "--"+b+"--", "--more--")
			message = strings.Replace(message, `boundary="`+b+`"`, `boundary="more"`, 1)
			message = strings.Replace(message, `boundary=`+b+"\r\n", "boundary=more\r\n", 1)
		}
		return byEvil(message + ours)
	}},
	{name: "sealed: by nobody's key", systems: hasSeal, send: func(t testing.TB, z txts, s system, f feed, host string) mailing {
		trace := s.pretended(t, z, f, host)
		arc := ""
		for _, field := range fieldsOf(strings.TrimSuffix(trace, "\r\n")) {
			if strings.HasPrefix(field, "ARC-") {
				arc += field + "\r\n"
			}
		}
		return byEvil(arc + evilSigner.sign(t, f.write(ourMessage)))
	}},
}

func hasSeal(s system) bool { return s.seal != nil }

// sealedEarlier is a message that this system sealed, in another mailbox of its.
func (s system) sealedEarlier(t testing.TB, f feed, message string, fields []string, length int) string {
	t.Helper()
	d := &delivery{t: t, greeting: f.host, ip: f.ip, envelope: f.envelope, host: s.pool[0], spf: "pass", dmarc: "pass", author: f.from[strings.LastIndexByte(f.from, '@')+1:]}
	for _, sig := range f.signers {
		d.findings = append(d.findings, finding{pass: true, domain: sig.domain, identity: "@" + sig.domain, selector: sig.selector, octets: "AbCdEfGh"})
	}
	by := s.seal.dkim
	if by.pass == "" {
		by = s.dkim
	}
	found := d.fill(strings.ReplaceAll(s.seal.found, "{dkim}", by.of(d)))
	return strings.ReplaceAll(sealed(t, honest(), message, s.seal.domain, s.seal.selector, found, fields, length), "\n", "\r\n") + message
}

// parrot is a server that writes the sender's words as they are.
var parrot = system{
	name: "a server that repeats what it is told", strips: mx[:], pool: mx, dkim: results{sep: "; ", none: "dkim=none", pass: "dkim=pass header.d={d} header.i={i}", fail: "dkim=fail header.d={d} header.i={i}"},
	trace: delivered + "Authentication-Results: {host}; spf={spf} ({host}: domain of {envelope} designates {ip}) smtp.mailfrom={envelope} smtp.helo={greeting}; {dkim}\n" + postfixHop,
}

// A gateway has other customers, and who knows the system behind it can go there.
var around = []forgery{
	{name: "around the gateway", systems: func(s system) bool { return s.gateway != nil }, direct: true, send: func(t testing.TB, z txts, s system, f feed, host string) mailing {
		m := byEvil(s.pretended(t, z, f, host) + evilSigner.sign(t, f.write(ourMessage)))
		m.greeting = host
		return m
	}},
	{name: "through the gateway, by another customer", systems: func(s system) bool { return s.gateway != nil }, direct: true, send: func(t testing.TB, z txts, s system, f feed, host string) mailing {
		const theirs = "mx0a-0000ffff.pphosted.com"
		m := byEvil(crlf("Received: from pps.filterd (m0342461.ppops.net [127.0.0.1])\n\tby "+theirs+" (8.18.1.2/8.18.1.2) with ESMTP id 1; Mon, 01 Jun 2026 10:00:01 +0000\n"+
			"Authentication-Results: ppops.net;\n\tspf=pass smtp.mailfrom=x@evil.example;\n\tdkim=pass header.d=evil.example header.s=s\n") + s.pretended(t, z, f, host) + evilSigner.sign(t, f.write(ourMessage)))
		m.greeting, m.ip = theirs, gatewayIP
		return m
	}},
}

func isParrot(s system) bool { return s.name == parrot.name }

var others = []forgery{
	{name: "anybody at microsoft.com", feeds: []string{"jmrp-2026"}, send: func(t testing.TB, _ txts, _ system, f feed, _ string) mailing {
		message := strings.Replace(f.write(ourMessage), "staff@hotmail.com", "somebody@microsoft.com", 1)
		return mailing{signer{"microsoft.com", "s", careful}.sign(t, message), "mail-1.outbound.protection.outlook.com", "198.51.100.30", "somebody@microsoft.com"}
	}},
	{name: "words: an identity that speaks of another signature", systems: isParrot, send: func(t testing.TB, _ txts, _ system, f feed, _ string) mailing {
		message := evilSigner.sign(t, f.write(ourMessage))
		return byEvil(strings.Replace(message, "d="+evil+";", "d="+evil+`; i="x; dkim=pass header.d=`+f.signers[0].domain+`"@`+evil+";", 1))
	}},
	{name: "words: an envelope that speaks of a signature", systems: isParrot, send: func(t testing.TB, _ txts, _ system, f feed, _ string) mailing {
		m := byEvil(evilSigner.sign(t, f.write(ourMessage)))
		m.envelope = `"x; dkim=pass header.d=` + f.signers[0].domain + `; x"@` + evil
		return m
	}},
	{name: "words: an envelope that ends a comment", systems: isParrot, send: func(t testing.TB, _ txts, _ system, f feed, _ string) mailing {
		m := byEvil(evilSigner.sign(t, f.write(ourMessage)))
		m.envelope = `"x); dkim=pass header.d=` + f.signers[0].domain + `; (x"@` + evil
		return m
	}},
	{name: "signed for a domain that begins like the reporter's", send: func(t testing.TB, _ txts, _ system, f feed, _ string) mailing {
		return byEvil(signer{"sub." + evil, "s", careful}.sign(t, f.write(ourMessage)))
	}},
}

// TestSystemsForged: no forgery has the verdict yes, with trust.dkim, without, or
// while the DNS is dead, whatever system took it in. Of the reporters, each system takes some in turn.
func TestSystemsForged(t *testing.T) {
	z, dead, advised, tried := dnsOf(), txts{err: errors.New("server misbehaving")}, adviceOf(t), 0
	advised[parrot.name] = advised["Haraka"]
	for n, s := range append(systems(), parrot) {
		config := advised[s.name].trust
		trust := map[string]*trust.Checker{"with trust.dkim": s.checker(t, config, z, true), "without": s.checker(t, config, z, false), "while the DNS is dead": s.checker(t, config, dead, true)}
		for i, forgery := range forgeries() {
			if forgery.systems != nil && !forgery.systems(s) || pacetest.Raced() && (n+i)%8 != 0 { // the detector makes this ten times as dear
				continue
			}
			for _, f := range inTurn(forgery, n+i) {
				m := forgery.send(t, z, s, f, s.pool[0])
				to := s
				if forgery.direct {
					to.gateway = nil
				}
				message := to.deliver(newDelivery(t, z, m.message, m.greeting, m.ip, m.envelope, s.pool[0]))
				for how, checker := range trust {
					tried++
					verdict, reason, rec := verdictOf(t, checker, message)
					if verdict == string(report.SuppressYes) {
						t.Errorf("%s, %s, %s, of %s: %s\n%+v\n%s", s.name, forgery.name, how, f.name, reason, *rec.Reporter, message)
					}
				}
			}
		}
	}
	t.Logf("%d forged messages", tried)
}

// inTurn are some of the feeds that the forgery is for.
func inTurn(what forgery, n int) (some []feed) {
	var all []feed
	for _, f := range feeds {
		if what.feeds == nil || slices.Contains(what.feeds, f.name) {
			all = append(all, f)
		}
	}
	some = append(some, all[n%len(all)])
	if other := all[(n+3)%len(all)]; !what.few && other.name != some[0].name {
		some = append(some, other)
	}
	return some
}
