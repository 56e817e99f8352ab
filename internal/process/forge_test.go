package process

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// The people of a forgery: who reports about what the attacker sent, the domains
// that give mailboxes to anybody, and what stands for us.
const (
	attackerIP = "203.0.113.9"
	ourIP      = "192.0.2.7"
	victim     = "victim@example.net"
	isp        = "arf.isp.example.org"
	sealers    = "sealer.example"
	outer      = "=_outer.5f31" // the provider's boundary, which the attacker does not know
)

// forger makes messages by the choices that octets are. At their end every choice
// is the first one.
type forger struct {
	tape  []byte
	who   reporter
	inner string // the boundary of the report that the attacker's message holds
	near  string // the authserv-id of the server that takes it in

	// The reported message is one of ours, which the attacker got and sent on with
	// fields of his own above ours.
	replayed bool
}

func (t *forger) next() int {
	if len(t.tape) == 0 {
		return 0
	}
	b := t.tape[0]
	t.tape = t.tape[1:]
	return int(b)
}

func (t *forger) below(n int) int           { return t.next() % max(n, 1) }
func (t *forger) rarely() bool              { return t.below(8) == 7 }
func (t *forger) one(list ...string) string { return list[t.below(len(list))] }
func (t *forger) place(s string) int        { return (t.next()<<8 | t.next()) % (len(s) + 1) }

// fill replaces what stands in braces: {word}, {raw}, {inner}, {type}. What it
// puts there is not looked at again.
func (t *forger) fill(s string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(s, "{")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, rest, _ := strings.Cut(rest, "}")
		switch name {
		case "word":
			out.WriteString(t.word())
		case "raw":
			out.WriteString(t.raw())
		case "inner":
			out.WriteString(t.inner)
		case "type":
			out.WriteString(t.contentType())
		case "by":
			out.WriteString(t.who.by)
		case "id":
			out.WriteString(t.one(t.who.id, "mx.example.com", t.near, t.near, t.who.by, "x", "mx.sealer.example"))
		case "domain":
			out.WriteString(t.who.speaks())
		default:
			panic(name)
		}
		s = rest
	}
}

// raw is a few octets of the tape as they are.
func (t *forger) raw() string {
	n := min(t.below(12), len(t.tape))
	s := string(t.tape[:n])
	t.tape = t.tape[n:]
	return s
}

// word is what the attacker calls his host: anything that ends in no line break.
func (t *forger) word() string {
	var s strings.Builder
	for range 1 + t.below(6) {
		s.WriteString(t.fill(t.one("mail.evil.example", ourIP, ourIP, ourIP, "["+ourIP+"]", "("+ourIP+")", " ", " ", " ", "(", ")", "[", "]", ",", "=", "@", ";", `"`, `\`, "from ", " from ", " by ",
			"helo=", "EHLO ", "client-ip=", "header.d=example.com", "dkim=pass ", "spf=pass smtp.mailfrom=example.com", "mail.example.com", "mx.example.com", "omega.yahoo.com",
			"protection.outlook.com", "127.0.0.1", "a", "a", "IPv6:", "<", ">", "\t", "2001:db8::7", "::ffff:"+ourIP, "{by}", "{raw}")))
	}
	return strings.NewReplacer("\r", "", "\n", "").Replace(s.String())
}

// A reporter signs, in the name of from, reports about what the attacker sent to
// his own mailbox there.
type reporter struct {
	name, from, domain string
	fields             string // of the report; "": the message that it comes with says all
	inner, id, by      string // what its hosts write: inner hops, their authserv-id, their name
}

// speaks is the domain of From.
func (r reporter) speaks() string { return r.from[strings.LastIndexByte(r.from, '@')+1:] }

const sourced = "Source-IP: " + attackerIP + "\nReported-Domain: evil.example\n"

var reporters = []reporter{
	{"Yahoo", "feedback@" + yahoo, yahoo, "Feedback-Type: abuse\nUser-Agent: Yahoo!-Mail-Feedback/2.0\nVersion: 0.1\nOriginal-Rcpt-To: attacker@yahoo.example\n" +
		"Received-Date: Mon, 1 Jun 2026 10:00:00 +0000\nReported-Domain: evil.example\nAuthentication-Results: authentication result string is not available\n",
		yahooInner, "atlas-production.v2-mail-prod1-gq1.omega.yahoo.com", "10.253.62.170"},
	{"Microsoft", "staff@hotmail.com", jmrp, jmrpFields, jmrpInner, "", "AM4PEPF00027A63.mail.protection.outlook.com"},
	{"Microsoft, old", "staff@hotmail.com", jmrp, "", "X-HmXmrOriginalRecipient: attacker@hotmail.example\n" + jmrpInner, "", "AM4PEPF00027A63.mail.protection.outlook.com"},
	{"Validity", "fbl-yandex@senderscore.net", "senderscore.net", "Feedback-Type: abuse\nUser-Agent: ReturnPathFBL/1.0\nVersion: 1\nSource: Yandex\nOriginal-Rcpt-To: attacker@yandex.example\n" + sourced,
		"", "mx.yandex.net", "mx.yandex.net"},
	{"Mail.ru", "fbl@corp.mail.ru", "corp.mail.ru", "Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\nOriginal-Rcpt-To: attacker@mail.example\n",
		"", "mx.mail.ru", "mx.mail.ru"},
	{"loop", "cfbl@" + isp, isp, "Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\nOriginal-Rcpt-To: attacker@isp.example.org\n" + sourced,
		"", "mx.isp.example.org", "mx.isp.example.org"},
	{"loop without a source", "cfbl@" + isp, isp, "Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\nOriginal-Rcpt-To: attacker@isp.example.org\n" +
		"Authentication-Results: mx.isp.example.org; spf=pass smtp.mailfrom=evil.example; dkim=pass header.d=evil.example\n",
		"", "mx.isp.example.org", "mx.isp.example.org"},
}

// persons are signed for, and write what they like.
var persons = []reporter{
	{name: "anybody at Hotmail", from: "x@hotmail.com", domain: "hotmail.com"},
	{name: "anybody at Outlook", from: "staff@outlook.com", domain: "outlook.com"},
	{name: "anybody at Microsoft", from: "x@microsoft.com", domain: "microsoft.com"},
	{name: "anybody at Yahoo", from: "feedback@yahoo.com", domain: "yahoo.com"},
	{name: "anybody at Mail.ru", from: "fbl-x@mail.ru", domain: "mail.ru"},
	{name: "anybody at Zoho", from: "feedback@zoho.com", domain: "zoho.com"},
	{name: "anybody at Amazon", from: "x@" + evil, domain: "amazonses.com"},
	{name: "anybody at the loop's provider", from: "cfbl@isp.example.org", domain: "isp.example.org"},
	{name: "the attacker", from: "feedback@" + evil, domain: evil},
	{name: "the attacker as Yahoo", from: "feedback@" + yahoo, domain: evil},
	{name: "the attacker as the loop", from: "cfbl@" + isp, domain: evil},
}

// took is the Received of the host that took the attacker's message in.
func (t *forger) took(by, ip string) string {
	how := t.one("from {word} (IP)", "from IP (EHLO {word})", "from IP  (EHLO {word}) (IP)", "from {word} (RDNS [IP])", "from {word} (RDNS. [IP])", "from {word} (RDNS [IP] (may be forged))",
		"from {word} ([IP])", "from RDNS (HELO {word}) (IP)", "from RDNS (HELO {word}) ([IP])", "from [IP] (helo={word})", "from RDNS ([IP] helo={word})", "from RDNS ([IP]:4711 helo={word})",
		"from [IP] (port=4711 helo={word} ident=x)", "from [IP] ({word} [IP])", "from {word} (IP) (AS64496 Evil, US)")
	how = strings.NewReplacer("IP", ip, "RDNS", t.one("mail.evil.example", "unknown", ourIP+".evil.example", "mta.yahoo.com")).Replace(how)
	fold := t.one(" ", "\n ", "\n\t")
	return "Received: " + t.fill(how) + fold + "by " + by + t.one("", " (10.167.16.73)", " (Postfix)") + " with ESMTPS id 1" + t.one("", fold+"for <attacker@example.net>") + "; Mon, 1 Jun 2026 10:00:00 +0000\n"
}

// found is what that host found, in which the sender's own words stand.
func (t *forger) found() (fields string) {
	envelope := "b@bounce.evil.example"
	if t.rarely() {
		envelope = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(t.word()) + `"@evil.example`
	}
	signed := evil
	if t.replayed {
		signed = ourOwn
	}
	server, aligned := t.who.id, "spf=pass smtp.mailfrom="+envelope+"; dkim=pass header.d="+signed+" header.s=s; dmarc=pass header.from="+signed
	if server == "" {
		server = "protection.outlook.com"
	} else {
		aligned = server + "; " + aligned
	}
	fields = "Authentication-Results: " + aligned + "\n"
	switch t.below(4) {
	case 1:
		fields += "Received-SPF: pass (" + server + ": domain of " + envelope + " designates " + attackerIP + " as permitted sender) receiver=" + server +
			"; client-ip=" + attackerIP + "; helo=" + t.word() + "; pr=C\n"
	case 2:
		fields = "Received-SPF: pass (domain of " + envelope + " designates " + attackerIP + " as permitted sender)\n" + fields
	case 3:
		fields = ""
	}
	return fields
}

// claim is one field that an attacker writes into a message of his own.
func (t *forger) claim() string {
	return t.fill(t.one(
		"Authentication-Results: {id}; dkim=pass header.d=example.com; spf=pass smtp.mailfrom=example.com; dmarc=pass header.from=example.com\n",
		"Authentication-Results: {id}; dkim=pass header.d={domain}\n",
		"Authentication-Results: {id}; dkim=pass header.d={domain}\n",
		"Authentication-Results: {id}; dkim=none\n",
		"Authentication-Results: {id} {word}; dkim=pass header.d={domain}\n",
		"Authentication-Results: spf=pass smtp.mailfrom=example.com; dkim=pass header.d=example.com\n",
		"Authentication-Results: spf=pass smtp.mailfrom=example.com; dkim=pass header.d={domain}\n",
		"Authentication-Results-Original: mx.example.com; dkim=pass header.d={domain}\n",
		"ARC-Authentication-Results: i=1; {id}; dkim=pass header.d={domain}\n",
		"Received: from mail.example.com (mail.example.com ["+ourIP+"]) by {by} with ESMTPS; Mon, 1 Jun 2026 10:00:00 +0000\n",
		"Received: from "+ourIP+" (EHLO mail.example.com) by {by} with SMTP; Mon, 1 Jun 2026 10:00:00 +0000\n",
		"Received: by mx.example.com with LMTP id 1; Mon, 1 Jun 2026 10:00:00 +0000\n",
		"Received: {word}; Mon, 1 Jun 2026 10:00:00 +0000\n",
		"Received-SPF: pass ({by}: domain of b@example.com designates "+ourIP+") receiver={by}; client-ip="+ourIP+"\n",
		"X-HmXmrOriginalRecipient: "+victim+"\n",
		"Return-Path: <b+victim=example.net@bounce.example.com>\n",
		"X-Originating-IP: ["+ourIP+"]\n",
		"Delivered-To: "+victim+"\n",
		"X-Original-To: "+victim+"\n",
		"Original-Rcpt-To: "+victim+"\n",
		"Source-IP: "+ourIP+"\n",
		"Feedback-Type: abuse\n",
		"X-Rp-Fbl: subscriber=4711\n",
		"User-Agent: JMRP/1.0\n",
		"CFBL-Feedback-ID: 4711\n",
		"CFBL-Address: fbl@example.com; report=arf\n",
		"List-Unsubscribe: <https://example.com/subscription/4f3f1d9e-6a0d-4d5e-9a53-6d4cbb2c1f10/4f3f1d9e-6a0d-4d5e-9a53-6d4cbb2c1f11>\n",
		"Subject: complaint about message from "+ourIP+"\n",
		"From: <news@example.com>\n",
		"From: <"+t.who.from+">\n",
		ourToken, ourSeal, seal,
		"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h=From; l=0; bh=eA==; b=eA==\n",
		"DKIM-Signature: v=1; d=example.com; {word}\n",
		"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d={domain}; s=s; l=0; h=From; bh=eA==; b=eA==\n",
		"DKIM-Signature: v=1; d={domain}; {word}\n",
		"DKIM-Signature: {word}\n",
		"Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding: quoted-printable\n", "Content-Transfer-Encoding: {word}\n",
		"MIME-Version: 1.0\n",
		"{type}\n",
		"{word}: {word}\n",
	))
}

// boundary is of a report that the attacker's message holds.
func (t *forger) boundary() string {
	return t.one("inner", "inner", "inner", "inner", `in"ner`, `in"ner`, strings.Repeat("b", 254), strings.Repeat("b", 254), strings.Repeat("b", 254), strings.Repeat("b", 71), strings.Repeat("b", 260),
		`in\ner`, "in ner", "in;ner", "in=ner", "in(n)er", "in%6eer", "utf-8''inner", "inner--", "'inner'", "INNER", "\tinner", "=_outer")
}

// contentType is a Content-Type as MIME has it, but for one piece of it or for
// some.
func (t *forger) contentType() string {
	odd, pieces := t.below(12), 0 // 0: any of them
	piece := func(usual string, others ...string) string {
		pieces++
		if odd != pieces && (odd != 0 || t.below(3) > 0) {
			return usual
		}
		return t.one(others...)
	}
	s := piece("Content-Type: ", "content-type:", "Content-Type:\n\t", "Content-Type : ") +
		t.fill(piece(t.one("multipart/report", "multipart/mixed"), "Multipart/Report", "multipart/alternative", "multipart/digest", "multipart/parallel", "multipart/related", "multipart/signed", "multipart/x", "multipart / mixed",
			"(x) multipart/mixed", "multipart/mixed (x)", `"multipart/mixed"`, "message/rfc822", "message/feedback-report", "message/partial; id=1; number=1; total=1", "message/external-body", "text/plain",
			"text/rfc822-headers", "text/html", "application/octet-stream", "application/xml", "multipart", "", "{raw}"))
	for range 1 + (t.below(6)+3)/4 {
		value := t.fill(t.one("{inner}", "{inner}", "{inner}", "{inner}", outer, outer, outer, outer, "feedback-report", "{raw}"))
		quoted, half := `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value)+`"`, value[:len(value)/2]
		s += piece("; ", ";", ";\n\t", ";;", " ; ", " ", ", ", "; (c) ", ";\n ", "; x=\"", "; x=\";\"; ", "; x=\"; boundary="+outer+";\"; ", "; x=\"; boundary="+outer+"; y=\"; ", "; (\") ", "; \\\"") +
			t.fill(piece("boundary", "BOUNDARY", "boundary*", "boundary*0", "boundary*0", "boundary*0*", "boundary*0*", "boundary*1", "boundary*1*", "boundary*00", `b\oundary`, `"boundary"`, "(c)boundary", "boundary(c)", "boundary ", "xboundary",
				"bound\n ary", "report-type", "charset", "{raw}")) +
			piece("=", " = ", "= ", "=(c)", "==", "*=", "", ":") +
			piece(quoted, value, `"`+value, value+`"`, `"`+value+`"`, "'"+value+"'", quoted+"x", quoted+quoted, `"\`+value+`"`, "(c)"+quoted, quoted+" (c)", `"`+value+"\n\t\"", "utf-8''"+value,
				"utf-8'en'"+strings.ReplaceAll(value, "n", "%6E"), half, value[len(half):], `"`+half+`" "`+value[len(half):]+`"`, "<"+value+">", "=?utf-8?q?"+value+"?=")
	}
	return s
}

// report is one about our message that names the victim.
func (t *forger) report(boundary string) string {
	fields := strings.NewReplacer(attackerIP, ourIP, "evil.example", "example.com", "attacker@yahoo.example", victim, "attacker@yandex.example", victim, "attacker@mail.example", victim, "attacker@isp.example.org", victim, "reader@yahoo.com", victim).
		Replace(t.one(t.who.fields, jmrpFields, yahooFields))
	fields += t.one("", "Source-IP: "+ourIP+"\n", "Original-Rcpt-To: "+victim+"\n", "Source-IP: "+ourIP+"\nOriginal-Rcpt-To: "+victim+"\n")
	original := t.fill(t.one(
		jmrpInner+jmrpFound+jmrpBorder+ourSeal+ourHeader+ourToken,
		yahooInner+yahooFound+yahooBorder+ourSeal+ourHeader+ourToken,
		"X-HmXmrOriginalRecipient: "+victim+"\n"+jmrpInner+jmrpFound+jmrpBorder+ourHeader,
		"Received: from mail.example.com (mail.example.com ["+ourIP+"]) by {by} with ESMTPS; Mon, 1 Jun 2026 10:00:00 +0000\n"+ourSeal+ourHeader+ourToken))
	head := t.one("", "", "", "junk\n", "\n", "--"+boundary+"\nContent-Type: text/plain\n\nx\n", strings.Repeat("-", 60)+"\n", strings.Repeat(strings.Repeat("-", 40)+"\n", 33))
	return head + "--" + boundary + "\nContent-Type: message/feedback-report\n\n" + fields + "\n--" + boundary + "\nContent-Type: " + t.one("message/rfc822", "text/rfc822-headers") + "\n\n" +
		original + "\nx\n--" + boundary + t.one("--\n", "\n", "--", "-- \n")
}

// reported is the message that the provider took in from the attacker.
func (t *forger) reported() string {
	s := t.who.inner + t.found() + t.took(t.who.by, attackerIP)
	for range t.below(4) {
		s += t.claim()
	}
	if t.replayed {
		return s + t.one(ourSeal+ourHeader+"X-Listmonk-Subscriber: 0b0f9c1e-0000-4d5e-9a53-6d4cbb2c1f10\n", seal+ourHeader+ourToken, seal+ourSeal+ourHeader+ourToken) + "\nx\n"
	}
	s += t.one("From: <x@evil.example>\nSubject: x\nMessage-ID: <3@evil.example>\n", ourHeader, "")
	s += t.one("", "Content-Type: multipart/report; boundary=\""+t.inner+"\"\n", "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n") + "\n"
	switch t.below(8) {
	default:
		s += t.report(t.inner)
	case 5:
		s += t.report(t.inner) + t.report(t.boundary())
	case 6:
		s += t.report(t.inner) + t.fill(t.one("{raw}\n", strings.Repeat("--x\n", 70), strings.Repeat(strings.Repeat("-", 40)+"\n", 33), "\nFrom x@example.com Mon Jun  1 10:00:00 2026\n"))
	case 7:
		s += "x\n"
	}
	return strings.ReplaceAll(s, outer, "")
}

// genuine is a report about the attacker's message as the reporter writes it; of
// persons, what they like.
func (t *forger) genuine() string {
	p := t.who
	head := "From: <" + p.from + ">\nTo: fbl@example.com\nSubject: complaint about message from " + attackerIP + "\nDate: " + time.Now().UTC().Format(time.RFC1123Z) + "\nMessage-ID: <1@" + p.domain + ">\nMIME-Version: 1.0\n"
	switch {
	case p.by == "":
		for range t.below(4) {
			head += t.claim()
		}
		t.who = reporters[t.below(len(reporters))]
		body := t.report(t.inner)
		t.who = p
		return head + t.fill(t.one("Content-Type: multipart/report; report-type=feedback-report; boundary=\"{inner}\"", "{type}")) + "\n\n" + body
	case p.fields == "":
		return head + "Content-Type: multipart/mixed; boundary=\"" + outer + "\"\n\n--" + outer + "\nContent-Type: message/rfc822\n\n" + t.reported() + "\n--" + outer + "--\n"
	}
	fields := p.fields
	if t.replayed {
		fields = strings.Replace(fields, "dkim=pass header.d="+evil, "dkim=pass header.d="+ourOwn, 1)
	}
	if t.rarely() {
		fields += "Original-Mail-From: <" + t.word() + ">\n"
	}
	return head + "Content-Type: multipart/report; report-type=feedback-report; boundary=\"" + outer + "\"\n\n--" + outer + "\nContent-Type: text/plain\n\nA complaint.\n\n--" + outer +
		"\nContent-Type: message/feedback-report\n\n" + fields + "\n--" + outer + "\nContent-Type: " + t.one("message/rfc822", "message/rfc822", "text/rfc822-headers") + "\n\n" + t.reported() + "\n--" + outer + "--\n"
}

// wire is a message in pieces: its fields with their line breaks, and its body.
type wire struct {
	fields []string
	body   string
}

func ended(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

func wireOf(message string) (w wire) {
	message = ended(message)
	for {
		line, rest, more := strings.Cut(message, "\r\n")
		switch {
		case line == "" || !more:
			w.body = rest
			return w
		case (line[0] == ' ' || line[0] == '\t') && len(w.fields) > 0:
			w.fields[len(w.fields)-1] += line + "\r\n"
		default:
			w.fields = append(w.fields, line+"\r\n")
		}
		message = rest
	}
}

func (w wire) String() string { return strings.Join(w.fields, "") + "\r\n" + w.body }

// put puts lines, which may be several fields or none, above the nth field.
func (w *wire) put(n int, lines string) {
	n = min(n, len(w.fields))
	w.fields = append(w.fields[:n:n], append([]string{ended(lines)}, w.fields[n:]...)...)
}

func nameOf(field string) string {
	name, _, _ := strings.Cut(field, ":")
	return strings.ToLower(strings.TrimRight(name, " \t"))
}

// find is the place of the topmost field of that name; -1: there is none.
func (w *wire) find(name string) int {
	for i, f := range w.fields {
		if nameOf(f) == name {
			return i
		}
	}
	return -1
}

// signing is a way to sign: what is covered, and how.
type signing struct {
	fields []string
	simple bool // the body's canonicalization
	length int  // of l=; -1: none
}

// sign gives the field that signs w for domain (RFC 6376, RFC 8463), the same
// each time: so a signature is good that comes out again.
func (s signing) sign(w wire, name, start, domain string) string {
	body := w.body
	if !s.simple {
		body = relaxedBody(body)
	}
	for strings.HasSuffix(body, "\r\n") {
		body = body[:len(body)-2]
	}
	if body != "" || s.simple {
		body += "\r\n"
	}
	length, how := "", "relaxed"
	if s.simple {
		how = "simple"
	}
	if s.length >= 0 {
		if s.length > len(body) {
			return ""
		}
		length, body = fmt.Sprintf("l=%d; ", s.length), body[:s.length]
	}
	hash := sha256.Sum256([]byte(body))
	field := fmt.Sprintf("%s: %sa=ed25519-sha256; c=relaxed/%s; d=%s; s=s; %sh=%s; bh=%s; b=", name, start, how, domain, length, strings.Join(s.fields, ":"), base64.StdEncoding.EncodeToString(hash[:]))
	return signField(domain, w.covered(s.fields), field)
}

// covered is the data of those fields, from the lowest of a name up.
func (w wire) covered(names []string) (data string) {
	used := make(map[string]int)
	for _, name := range names {
		name = strings.ToLower(name)
		skip := used[name]
		used[name]++
		for i := len(w.fields) - 1; i >= 0; i-- {
			if nameOf(w.fields[i]) == name {
				if skip == 0 {
					data += relaxedField(w.fields[i])
					break
				}
				skip--
			}
		}
	}
	return data
}

// signField signs data and the field itself, which ends in b=.
func signField(domain, data, field string) string {
	hash := sha256.Sum256([]byte(data + strings.TrimRight(relaxedField(field), "\r\n")))
	return field + base64.StdEncoding.EncodeToString(ed25519.Sign(keyFor(domain), hash[:])) + "\r\n"
}

func isBlankOctet(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }

func relaxedField(f string) string {
	name, value, _ := strings.Cut(f, ":")
	return strings.ToLower(strings.TrimFunc(name, isBlankOctet)) + ":" + strings.Join(strings.FieldsFunc(value, isBlankOctet), " ") + "\r\n"
}

func relaxedBody(body string) string {
	lines := strings.Split(body, "\r\n")
	for i, line := range lines {
		trimmed := strings.TrimRight(line, " \t")
		words := strings.FieldsFunc(trimmed, func(r rune) bool { return r == ' ' || r == '\t' })
		joined := strings.Join(words, " ")
		if trimmed != "" && (trimmed[0] == ' ' || trimmed[0] == '\t') {
			joined = " " + joined
		}
		lines[i] = joined
	}
	return strings.Join(lines, "\r\n")
}

// stands reports whether the signature of this field is still good.
func (s signing) stands(w wire, domain, field string) bool {
	again := ""
	for _, f := range w.fields {
		if relaxedField(f) == relaxedField(field) {
			if again == "" {
				again = s.sign(w, "DKIM-Signature", "v=1; ", domain)
			}
			return again == field
		}
	}
	return false
}

// change does one thing to a signed message, which may break it.
func (t *forger) change(w *wire) {
	defer func() { *w = wireOf(w.String()) }() // a field may end the header now
	n := len(w.fields)
	any, above := t.below(n), t.below(n+1)
	if n == 0 {
		w.put(0, t.claim())
		return
	}
	drop := func(i int) (f string) {
		f = w.fields[i]
		w.fields = append(w.fields[:i:i], w.fields[i+1:]...)
		return f
	}
	signature := w.find("dkim-signature")
	switch t.below(24) {
	case 0, 1, 2, 3, 20, 21, 22, 23: // as another type
		if typ := w.find("content-type"); typ >= 0 {
			drop(typ)
			w.put(typ, t.contentType()+"\n")
		}
	case 4: // with a second one
		w.put(above, t.contentType()+"\n")
	case 5, 6: // with another field
		w.put(above, t.claim())
	case 7: // a field twice
		w.put(above, w.fields[any])
	case 8: // a field elsewhere
		w.put(min(above, n-1), drop(any))
	case 9: // folded
		w.fields[any] = strings.Replace(w.fields[any], " ", t.one("\r\n ", "  ", "\r\n\t\r\n ", "\t"), 1+t.below(3))
	case 10: // in capitals
		name, value, _ := strings.Cut(w.fields[any], ":")
		w.fields[any] = t.one(strings.ToUpper(name), strings.ToLower(name), name+" ", name+"\t") + ":" + value
	case 11: // without
		drop(any)
	case 12: // lines that are no fields
		w.put(above, t.fill(t.one("From x@example.com Mon Jun  1 10:00:00 2026\n", ">From x@example.com Mon Jun  1 10:00:00 2026\n", "\ufeff", "junk\n", "--{inner}\n", "--{inner}\nContent-Type: message/feedback-report\n\n",
			"X: y\rContent-Type: multipart/mixed; boundary={inner}\n", "X: \x00\n", "\r", "\n", " \n", ":\n", ": x\n", "--{inner}://x\n", "X: y\r\rFeedback-Type: abuse\n", "{raw}\n")))
	case 13: // with a second header
		w.put(0, "From: <"+t.who.from+">\n"+t.contentType()+"\n"+t.claim()+t.one("\n", " \n", "\r\n", "\t\n"))
	case 14: // with more behind the body, or white space in it
		if t.below(2) == 0 {
			w.body += ended(t.one("\n\n", t.report(t.inner), "--"+outer+"--\n", t.report(outer)))
		} else {
			old := t.one("\r\n", " ", "--"+outer+"\r\n", "--"+t.inner+"\r\n", ":", ": ")
			w.body = strings.Replace(w.body, old, t.one(" \r\n", "  ", "\t", strings.TrimRight(old, "\r\n")+" \r\n", old+" ", "\n"), 1+t.below(4))
		}
	case 15: // with another body, or other names in it
		if t.below(2) == 0 {
			w.body = ended(t.report(t.one(outer, t.inner)))
		} else {
			w.body = strings.Replace(w.body, t.one("attacker@", attackerIP, "evil.example", outer), t.one("victim@", ourIP, "example.com", t.inner), 1+t.below(4))
		}
	case 16: // signed or sealed by the attacker too
		if s := (signing{fields: wholly, length: -1}); t.below(2) == 0 {
			w.put(above, s.sign(*w, "DKIM-Signature", "v=1; ", evil))
		} else {
			w.put(0, arcOf(*w, evil, t.one(evil, sealers), t.one("none", "pass", "fail"), "mx.sealer.example; dkim=pass header.d="+t.who.domain, s))
		}
	case 17: // with other tags in its signature
		if signature >= 0 {
			old := t.one("d="+t.who.domain, "h=", "; s=s", "v=1", "b=", "bh=", "c=relaxed/relaxed", "a=ed25519")
			w.fields[signature] = strings.Replace(w.fields[signature], old, t.one(old+" ", old+"\r\n\t", "i=@"+t.who.domain+"; "+old, "l=0; "+old, "d=example.com; "+old, "x=1; "+old, "z=("+old, strings.ToUpper(old)), 1)
		}
	case 18: // with a copy of its signature, altered
		if signature >= 0 {
			w.put(above, strings.Replace(w.fields[signature], t.one("bh=", "l=", "h=", "b=", ";"), t.one("h=Content-Type; bh=", "bh=x", "h=From:Content-Type:", ";;", "b=x"), 1))
		}
	case 19: // anything for any part of it
		s := w.String()
		from := (t.next()<<8 | t.next()) % len(s)
		*w = wireOf(s[:from] + t.raw() + s[min(len(s), from+t.below(64)):])
	}
}

// arcOf is one ARC set (RFC 8617): what the sealer found, and its signatures.
func arcOf(w wire, domain, by, cv, found string, s signing) string {
	results := "ARC-Authentication-Results: i=1; " + found + "\r\n"
	message := s.sign(w, "ARC-Message-Signature", "i=1; ", by)
	return signField(domain, relaxedField(results)+relaxedField(message), fmt.Sprintf("ARC-Seal: i=1; a=ed25519-sha256; cv=%s; d=%s; s=s; b=", cv, domain)) + message + results
}
