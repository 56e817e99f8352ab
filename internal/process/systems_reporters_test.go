package process

import (
	"strings"
	"testing"
)

// reported is the message that somebody complained about, as it came to the
// reporter.
type reported struct {
	greeting, ip string // of the host that brought it
	passes       string // the domain that the reporter found SPF and DKIM to pass for
	header, body string
}

// feed is a loop: who reports, how it signs, and how it writes.
type feed struct {
	name, source string // when that was seen
	from         string
	signers      []signer // the last one is on top
	host, ip     string   // that messages the reports
	envelope     string
	write        func(about reported) string // unsigned
}

// report is one of the feed's reports, signed.
func (f feed) report(t testing.TB, about reported) string {
	t.Helper()
	message := f.write(about)
	for _, s := range f.signers {
		message = s.sign(t, message)
	}
	return message
}

var (
	careful  = []string{"Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type"}
	careless = []string{"Date", "From", "To", "Subject"} // leaves open how the body is to be read
)

// ourMessage came from our host, with what makes it ours and names the subscriber.
var ourMessage = reported{greeting: "mail.example.com", ip: "192.0.2.7", passes: ourOwn, header: ourSeal + ourHeader + ourToken, body: "Buy now.\n"}

// feeds are reporters whose complainant is named, or known by our token.
var feeds = []feed{
	{
		name: "yahoo", source: "CFL, 2023-12", from: "feedback@" + yahoo, host: "omp.arf.mail.yahoo.com", ip: "198.51.100.20", envelope: "feedback@" + yahoo,
		signers: []signer{{yahoo, "arf", careless}},
		write: func(o reported) string {
			return reportFrom("Yahoo! Mail AntiSpam Feedback <feedback@"+yahoo+">", "FW: News", "yahoo", "multipart/report; report-type=feedback-report", yahooFields, yahooTrace(o))
		},
	},
	{
		name: "yahoo-ses", source: "CFL through SES, 2017-04", from: "complaints@email-abuse.amazonses.com", host: "a8-31.smtp-out.amazonses.com", ip: "198.51.100.21",
		envelope: "0100-1-000000@amazonses.com", signers: []signer{{yahoo, "arf", careless}, {"amazonses.com", "ses", careful}},
		write: func(o reported) string {
			return reportFrom("complaints@email-abuse.amazonses.com", "FW: News", "ses", "multipart/report; report-type=feedback-report",
				strings.Replace(yahooFields, "Mon, 1 Jun 2026 10:00:00 +0000", "Mon, 1 Jun 26 10:00:00 UTC", 1), yahooTrace(o))
		},
	},
	{
		name: "jmrp-2026", source: "ARF of three fields, 2026-07", from: "staff@hotmail.com", host: "mail-dm6nam10on2100.outbound.protection.outlook.com", ip: "198.51.100.22",
		envelope: "staff@hotmail.com", signers: []signer{{jmrp, "s", careful}},
		write: func(o reported) string {
			return reportFrom("<staff@hotmail.com>", "complaint about message from "+o.ip, "jmrp", "multipart/report; report-type=feedback-report", jmrpFields, jmrpTrace(o))
		},
	},
	{
		name: "jmrp-2026, by an inner net", source: "2026-07", from: "staff@hotmail.com", host: "mail-dm6nam10on2102.outbound.protection.outlook.com", ip: "198.51.100.28",
		envelope: "staff@hotmail.com", signers: []signer{{jmrp, "s", careful}},
		write: func(o reported) string {
			return reportFrom("<staff@hotmail.com>", "complaint about message from "+o.ip, "jmrp-net", "multipart/report; report-type=feedback-report", jmrpFields,
				strings.Replace(jmrpTrace(o), "(2603:10a6:20b:494:cafe::ab)", "(2a01:111:f403:c401::5)", 1))
		},
	},
	{
		name: "jmrp-old", source: "an attached message, 2022-05", from: "staff@hotmail.com", host: "mail-dm6nam10on2101.outbound.protection.outlook.com", ip: "198.51.100.23",
		envelope: "staff@hotmail.com", signers: []signer{{jmrp, "s", careful}},
		write: func(o reported) string {
			return headOf("<staff@hotmail.com>", " complaint about message from "+o.ip, "jmrp-old", "multipart/mixed; boundary=jmrp-old") +
				crlf("--jmrp-old\nContent-Type: message/rfc822\nContent-Disposition: inline\n\nX-HmXmrOriginalRecipient: reader@outlook.com\n"+jmrpTrace(o)+"\n--jmrp-old--\n")
		},
	},
	{
		name: "validity", source: "universal loop for Comcast, 2023-12", from: "feedbackloop@comcastfbl.senderscore.net", host: "mta-70-38.senderscore.net", ip: "198.51.100.24",
		envelope: "bounce@comcastfbl.senderscore.net", signers: []signer{{"comcastfbl.senderscore.net", "fbl", careful}},
		write: func(o reported) string {
			return "X-Rp-Fbl: subscriptionID=4711\r\n" + reportFrom("<feedbackloop@comcastfbl.senderscore.net>", "Comcast Abuse Report", "rp", "multipart/report; report-type=feedback-report",
				"Feedback-Type: abuse\nUser-Agent: ReturnPathFBL/2.0\nVersion: 0.1\nOriginal-Mail-From: <b@bounce."+o.passes+">\nOriginal-Rcpt-To: 0123456789abcdef0123456789abcdef@comcast.net\n"+
					"Arrival-Date: Mon, 01 Jun 2026 10:00:00 +0000\nSource-IP: "+o.ip+"\nReported-Domain: "+o.passes+"\nAbuse-Type: complaint\nSource: Comcast\nSubscription-Link: https://fbl.example.net/1\n",
				"Received: from "+o.greeting+" ("+o.greeting+" ["+o.ip+"]) by resimta-po-1.sys.comcast.net with ESMTPS id 98; Mon, 01 Jun 2026 10:00:00 +0000\n"+o.header+"\n"+o.body)
		},
	},
	{
		name: "mailru", source: "as sparse as JMRP, not dated", from: "fbl@corp.mail.ru", host: "fallback12.mail.ru", ip: "198.51.100.25", envelope: "fbl@corp.mail.ru",
		signers: []signer{{"corp.mail.ru", "mailru", careful}},
		write: func(o reported) string {
			return reportFrom("<fbl@corp.mail.ru>", "FW: News", "mailru", "multipart/report; report-type=feedback-report", "Feedback-Type: abuse\nUser-Agent: FBL/1.0\nVersion: 1\n",
				"Authentication-Results: mxs.mail.ru; spf=pass (mx123.i.mail.ru: domain of bounce."+o.passes+" designates "+o.ip+" as permitted sender) smtp.mailfrom=b@bounce."+o.passes+
					" smtp.helo="+o.greeting+"; dkim=pass header.d="+o.passes+"\nReceived: from ["+o.ip+"] (port=41234 helo="+o.greeting+") by mx123.i.mail.ru with esmtp (envelope-from <b@bounce."+o.passes+
					">) id 1a-1; Mon, 01 Jun 2026 10:00:00 +0000\n"+o.header+"\n"+o.body)
		},
	},
	{
		name: "zoho", source: "2015-09", from: "feedbackloop@fbl.zoho.com", host: "sender4-fbl.zoho.com", ip: "198.51.100.26", envelope: "feedbackloop@fbl.zoho.com",
		signers: []signer{{"fbl.zoho.com", "zoho", careful}},
		write: func(o reported) string {
			return reportFrom("<feedbackloop@fbl.zoho.com>", "Email Feedback Report for IP "+o.ip, "zoho", "multipart/report; report-type=feedback-report",
				"Feedback-Type: abuse\nUser-Agent: Zoho Mail\nVersion: 0.1\nReceived-Date: Mon, 1 Jun 2026 03:00:00 -0700 (PDT)\n",
				"Received-SPF: pass (zohomail.com: domain of bounce."+o.passes+" designates "+o.ip+" as permitted sender) client-ip="+o.ip+"; envelope-from=b@bounce."+o.passes+"; helo="+o.greeting+";\n"+
					"Authentication-Results: mx.zohomail.com;\n\tdkim=pass header.i="+o.passes+";\n\tspf=pass (zohomail.com: domain of bounce."+o.passes+" designates "+o.ip+" as permitted sender)  smtp.mailfrom=b@bounce."+o.passes+"\n"+
					"Received: from "+o.greeting+" ("+o.greeting+" ["+o.ip+"]) by mx.zohomail.com\n\twith SMTPS id 1780308000123456.7; Mon, 1 Jun 2026 03:00:00 -0700 (PDT)\n"+o.header+"\n"+o.body)
		},
	},
	{
		name: "cfbl", source: "RFC 9477, one of trust.reporters", from: "cfbl@cfbl.example.net", host: "out.cfbl.example.net", ip: "198.51.100.27", envelope: "cfbl@cfbl.example.net",
		signers: []signer{{"cfbl.example.net", "c1", careful}},
		write: func(o reported) string {
			return reportFrom("<cfbl@cfbl.example.net>", "Feedback", "cfbl", "multipart/report; report-type=feedback-report",
				"Feedback-Type: abuse\nUser-Agent: FBL/0.1\nVersion: 1\nSource-IP: "+o.ip+"\nOriginal-Rcpt-To: reader@example.net\n",
				"CFBL-Address: fbl@example.com; report=arf\nCFBL-Feedback-ID: 4711\n"+o.header+"\n"+o.body)
		},
	},
}

func yahooTrace(o reported) string {
	return yahooInner + strings.ReplaceAll(yahooFound, ourOwn, o.passes) +
		"Received: from " + o.ip + " (EHLO " + o.greeting + ") by 10.253.62.170 with SMTPs (version=TLS1_3); Mon, 01 Jun 2026 10:00:00 +0000\n" + o.header + "\n" + o.body
}

func jmrpTrace(o reported) string {
	return jmrpInner + strings.NewReplacer(ourOwn, o.passes, ourMessage.ip, o.ip).Replace(jmrpFound) +
		"Received: from " + o.greeting + " (" + o.ip + ") by AM4PEPF00027A63.mail.protection.outlook.com (10.167.16.73) with Microsoft SMTP Server; Mon, 1 Jun 2026 10:00:00 +0000\n" + o.header + "\n" + o.body
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func headOf(from, subject, id, contentType string) string {
	return crlf("From: " + from + "\nTo: fbl@example.org\nSubject: " + subject + "\nDate: " + today +
		"\nMessage-ID: <" + id + ".1@reporter.example.net>\nMIME-Version: 1.0\nContent-Type: " + contentType + "\n\n")
}

// reportFrom is a whole report of three parts, unsigned.
func reportFrom(from, subject, boundary, contentType, fields, original string) string {
	return headOf(from, subject, boundary, contentType+"; boundary=\""+boundary+"\"") +
		crlf("--"+boundary+"\nContent-Type: text/plain\n\nThis is an email abuse report.\n\n--"+boundary+"\nContent-Type: message/feedback-report\n\n"+fields+
			"\n--"+boundary+"\nContent-Type: message/rfc822\n\n"+original+"\n--"+boundary+"--\n")
}
