package report

// element is a piece of some grammar, of which a message can hold any number. A
// "#" in it is the number of the piece.
type element string

// elements are the worst octets of each grammar that is read.
var elements = []element{
	// header: names, colons, folding, lines
	"a", ":", "::", "X: y\n", "X#: y\n", "x\n", "x y\n", "X:\n", "\n ", "\n x", "\n\t\n ", " ", "\t", "\r", "\n", "\r\n", "\r\n ", "\n\n", "\x00", ">", "> ", ">>From \n", "From \n",
	"From x Mon Mar  2 06:00:00 2026\n", "\xef\xbb\xbf", "\"From \n", "content-\n", "From: a@example.com\n\n", "X-Y: z\n\n", "Subject: y\n", "Message-ID: <#@example.com>\n",
	// parameters
	";", "; ", ";a", ";=", "=", ";a=b", ";a#=b", ";\"", ";a=\"", ";a=\"b\"", "*", ";name*0=a", ";name*0*=a", ";name*#=a", ";filename*#*=%41", ";boundary=", ";boundary=b#", ";charset=", ";report-type=",
	// quotes, backslashes, comments
	"\"", "\\", "\\\"", "\"\"", "\"a\"", "'", "(", ")", "()", "(a)", ")(", "(\\", "((a)", "(\"",
	// addresses
	"<", ">", "<>", "><", "<a", "@", "a@", "@a", "a@b", "a@b ", "a@b,", "<a@b>", "<a@b>,", "u#@example.com,", "u#@example.com ", "u#@example.com (x),", ",", ", ", "a,", "(,", "\",", "<,", ".", "a.", "..", "*", "x", "mailto:", "rfc822;",
	// encoded words, charsets
	"=?", "=??", "=?a?", "=?a?q?", "=?a?b?", "=?utf-8?q?", "=?utf-8?b?AAAA", "=?utf-8?q?x?=", "=?utf-8?q?x?= ", "=?utf-8?b?QQ==?= ", "=?iso-8859-2?q?=B1?= ", "=?iso-2022-jp?b?GyRC?= ", "=?x?q?x?= ", "?=", "?", "=?utf-8?q?=?=",
	"\xff", "\xe4", "\xf0\x9f", "\xed\xa0\x80", "\u00a0", "\u202e", "\ufffd", "\x1b$B", "\x1b(J", "~{", "+", "+ADw-", "&ADw-", "\x81",
	// boundaries, parts, dashes
	"-", "--", "--b", "--b ", "--b--", "\n--", "\n--\n", "\n--b", "\n--b\n", "\n--b\n\n", "\n--b\n\nx", "\n--b--\n", "\n--b \n", "\n--b x\n", "\n--b\r", "\n--c\nContent-Type: x\n", "\n--b\nContent-Type: multipart/mixed; boundary=b#\n\n--b#", "\n--b\nContent-Type: message/rfc822\n\n", "\n--b\nContent-Type: message/rfc822\n\nFrom: a@example.com\nSubject: y\n\nx",
	"\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n", "\n--b\nContent-Type: message/rfc822\n\n \n", "\n--b\nContent-Disposition: attachment; filename=x.eml\n\n", "Content-Type: message/rfc822\n\n",
	"\n--b\nContent-Type: message/rfc822\n\nFrom: a@example.com\nContent-Type: multipart/report; boundary=c\n\n--c\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: u#@example.com\n--c--\n",
	// transfer encodings
	"A", "QUJD", "QUJD\n", "QUJD=", "====", "=\n", "= \n", "=\r", "= ", "=2", "=20", "=4", "=3D", "=0A", "=\t",
	// HTML
	"&", "&a", "&amp;", "&#64;", "&#", "&notit;", "<p>", "<p ", "<br/>", "</", "<!--", "<style>", "<script", "<title></title>", "<td>", "</style",
	// JSON
	"{", "[", "}", "]", "{}", "[]", "{},", "[],", "{\"a\":", "\"a\":", "\"a\":1,", "\"a#\":1,", "\"a\",", "1,", "1", "\"", "\\u0000", "\\u", "{\"a\":[", "[{\"a\":1}],", "true,", "!\n ", " ,", ", ", "\n{", "\n[", "[\n", "\n[x", "{a}", "{}\n", "{\"notificationtype\":",
	// YAML
	"---\n", "--- \n", "%\n", "#\n", "a: b\n", "a#: b\n", "- a\n", "a: &a *a\n", "a: |\n", "a: >-\n b\n", "a: \"\n", "source: 192.0.2.1\n", "report-type: spam\n", "Domain: example.com\n",
	// dates
	"1 ", "12:", "Mon, ", "Jan ", "+0000 ", "2026-07-06T10:00:00Z ", "(UTC) ", "(", "Date: Mon, 06 Jul 2026 10:00:00 +0000\n", "GMT ",
	// trace fields, results, signatures
	"from ", "by ", "from x by y ", "from x (", "from x ([192.0.2.1]) ", "from x by y; ", ";by", "Received: from a (b [192.0.2.1]) by mx.example.com; Mon, 06 Jul 2026 10:00:00 +0000\n", "Received: x\n", "Received-SPF: pass (x: y) client-ip=192.0.2.1;\n",
	"; dkim=pass header.d=a", "; dkim=pass", " header.d=a", "= = ", "a = b ", "Authentication-Results: mx.example.com; dkim=pass\n", "; d=a", ";d", "h=a:", "d#=a;", "i=1;", "DKIM-Signature: v=1; d=example.com\n", "DKIM-Signature: v=1; d=d#.example.com\n", "ARC-Seal: i=#; d=a\n", "client-ip=",
	// URLs, percents, hosts
	"%", "%25", "%41", "%4", "http", "://", "https://", "https://a", "https://a.example.com/ ", "hxxp", "[.]", "a.example.com ", "a.b.", "192.0.2.1 ", "1.", "::", "1:", "2001:db8::1 ", "/", "?a=b&", "&a=b", "<https://a.example.com/#>, ",
	// the dialects' own
	"[ Offending message ]\n", "Email from 192.0.2.1 / x\n", "Spamvertised: http://a\n", "[ SpamCop V\n", "http://spamcop.net/w3m?x\n", "Sender Domain: example.com\n", "Received date: x\n", "SPF Alignment: x\n", "[SpamCop (", "id:",
	"Feedback-Type: abuse\n", "Feedback-Type: abuse ", "Feedback Type: abuse\n", " Feedback-Type: abuse\n", " Feedback-Type: abuse\n\n", "> Feedback-Type: abuse\n", "Version: 1\n", "User-Agent: x Version: 1 ", "Original-Rcpt-To: u#@example.com\n", "Original-Rcpt-To: a@b\n", "Original-Mail-From: a@b\n", "redacted-address: u#aaaaaaa@b\n", "Reported-URI: http://a\n", "SPF-DNS: x\n",
	"complaint about message from ", "X-HmXmrOriginalRecipient: u#@example.com\n", "Resent-From: fbl@example.net\n", "List-Unsubscribe: <https://a.example.com/#>\n", "spam\n", "fail2ban 192.0.2.1 attack\n", "attack: http://a.example.org/\n", "a|b|c\n", "a;b;c;d\n",
}

// place is where an element can stand: what comes before it and behind it.
type place struct{ name, before, behind string }

// places are all places of a report, and of the messages that are read without
// one.
func places() (all []place) {
	const (
		from     = "From: Loop <fbl@example.com>\n"
		id       = "Message-ID: <1@example.com>\n"
		typ      = "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n"
		text     = "\n--b\n\nhello\n"
		fields   = "\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n"
		orig     = "\n--b\nContent-Type: message/rfc822\n\n"
		origHead = "From: news@example.net\nSubject: s\nMessage-ID: <2@example.net>\n"
		end      = "\n\nbody\n--b--\n"
	)
	rest := text + fields + orig + origHead + end
	add := func(name, before, behind string) { all = append(all, place{name, before, behind}) }

	add("outer header", from+id, "\n"+typ+rest)
	add("outer header, first", "", "\n"+from+id+typ+rest)
	add("outer header, last", from+id+typ, rest)
	for _, name := range []string{"Subject", "Date", "Received", "DKIM-Signature", "Authentication-Results", "In-Reply-To", "List-ID", "X-RT-Originator", "To", "X-Y"} {
		add("outer "+name, from+id+name+": ", "\n"+typ+rest)
	}
	add("outer From", "From: ", "\n"+id+typ+rest)
	add("outer From, domain", "From: <a@", "example.com>\n"+id+typ+rest)
	add("outer Message-ID", from+"Message-ID: <", ">\n"+typ+rest)
	add("outer Content-Type", from+id+"Content-Type: multipart/report; boundary=b", "\n"+rest)
	add("outer Content-Type, no boundary", from+id+"Content-Type: multipart/report", "; boundary=b\n"+rest)
	add("outer Content-Type, boundary", from+id+"Content-Type: multipart/report; boundary=\"", "\"\n"+rest)
	add("outer Content-Type, of a text", from+id+"Content-Type: text/plain", "\n\nhello \xe4\n")
	add("outer Content-Disposition", from+id+"Content-Disposition: attachment", "\n"+typ+rest)

	add("part header", from+id+typ+"\n--b\n", "\n\nx"+fields+orig+origHead+end)
	add("part header, message", from+id+typ+text+fields+"\n--b\nContent-Type: message/rfc822\n", "\n\n"+origHead+end)
	for _, name := range []string{"Content-Type: text/plain", "Content-Type: message/rfc822", "Content-Type: application/octet-stream", "Content-Type: multipart/mixed", "Content-Disposition: attachment", "Content-Transfer-Encoding: base64", "Content-Description: "} {
		add("part "+name, from+id+typ+"\n--b\n"+name, "\n\nx \xe4"+text+end)
		add("part before "+name, from+id+typ+"\n--b\n"+name, "\n\nx \xe4"+fields+orig+origHead+end)
	}
	add("preamble", from+id+typ+"\n", rest)
	add("epilogue", from+id+typ+text+fields+"\n--b--\n", "")

	add("report part", from+id+typ+text+fields, "\n"+orig+origHead+end)
	add("report part, first", from+id+typ+text+"\n--b\nContent-Type: message/feedback-report\n\n", "\nFeedback-Type: abuse\n"+orig+origHead+end)
	for _, name := range []string{"Feedback-Type", "User-Agent", "Original-Mail-From", "Original-Rcpt-To", "Arrival-Date", "Reporting-MTA", "Source-IP", "Incidents", "Authentication-Results", "Source", "Redirected-By"} {
		add("report "+name, from+id+typ+text+"\n--b\nContent-Type: message/feedback-report\n\nVersion: 1\n"+name+": ", "\nFeedback-Type: abuse\n"+orig+origHead+end)
	}
	for _, how := range []string{"Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding: quoted-printable\n", "Content-Type: text/plain; charset=iso-2022-jp\n", "Content-Type: text/plain; charset=utf-7\n", "Content-Type: text/html; charset=gb18030\n", "Content-Type: text/plain; charset=hz-gb-2312\n", "Content-Type: application/json\n", "Content-Disposition: attachment; filename=x.eml\n"} {
		add("report part "+how, from+id+typ+"\n--b\nContent-Type: message/feedback-report\n"+how+"\nFeedback-Type: abuse\n", "\xe4\n"+orig+origHead+end)
		add("text part "+how, from+id+typ+"\n--b\n"+how+"\n", "\xe4\n--b--\n")
		add("text part with a report "+how, from+id+typ+"\n--b\n"+how+"\nFeedback-Type: abuse\nVersion: 1\n", "\xe4\n--b--\n")
		add("original "+how, from+id+typ+text+fields+"\n--b\nContent-Type: message/rfc822\n"+how+"\nFrom: a@example.net\n", "\xe4\n--b--\n")
	}
	add("text part", from+id+typ+"\n--b\n\nhello ", fields+orig+origHead+end)
	add("original header", from+id+typ+text+fields+orig+origHead, end)
	add("original header, first", from+id+typ+text+fields+orig, "\n"+origHead+end)
	for _, name := range []string{"From", "To", "Subject", "Date", "Message-ID", "Return-Path", "List-ID", "List-Unsubscribe", "DKIM-Signature", "Received", "Received-SPF", "Authentication-Results", "CFBL-Feedback-ID", "Content-Type"} {
		add("original "+name, from+id+typ+text+fields+orig+name+": ", "\n"+origHead+end)
	}
	add("original body", from+id+typ+text+fields+orig+origHead+"\n", "\n--b--\n")

	// messages without a report part
	add("no report part", from+id+typ+text, "\n--b--\n")
	add("a mail alone", from+id+typ+text+orig+origHead, end)
	add("a mail alone, body", from+id+typ+text+orig+origHead+"Content-Type: multipart/mixed; boundary=c\n\n", "\n--c--\n--b--\n")
	add("a mail alone, parts", from+id+typ+text+orig+origHead+"Content-Type: multipart/mixed; boundary=b\n\n", "\n--b--\n")
	add("leaf", from+id+"\n", "")
	add("leaf of a program", "From: noreply@example.org\nSubject: abuse report: phishing 12345\n"+id+"\nattack ", "")
	add("mixed", from+id+"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nspam ", orig+origHead+end)
	add("mixed, behind a mail", from+id+"Content-Type: multipart/mixed; boundary=b\n"+text+orig+origHead+"\nx\n", "\n--b--\n")
	json := from + id + typ + "\n--b\nContent-Type: application/json\n\n"
	add("JSON", json+"{\"notificationType\":\"Complaint\",", "}\n--b--\n")
	add("JSON, a value", json+"{\"notificationType\":\"Complaint\",\"mail\":\"", "\"}\n--b--\n")
	add("JSON, nested", json+"{\"notificationType\":\"Complaint\",\"x\":{\"y\":[", "]}}\n--b--\n")
	add("JSON, a name", json+"{\"notificationType\":\"Complaint\",\"", "\":{\"a\":1,\"b\":2}}\n--b--\n")
	add("xarf JSON", json+"{\"xarf_version\":\"4.0.0\",\"type\":\"spam\",", "}\n--b--\n")
	add("xarf JSON, a sample", json+"{\"xarf_version\":\"4.0.0\",\"type\":\"spam\",\"evidence\":[{\"content_type\":\"message/rfc822\",\"payload\":\"", "\"}]}\n--b--\n")
	add("xarf JSON, objects", json+"{\"xarf_version\":\"4.0.0\",\"type\":\"spam\"}\n", "\n--b--\n")
	add("xarf JSON, behind words", json+"{\"xarf_version\":\"4.0.0\",\"type\":\"spam\"} x", "\n--b--\n")
	xarf := "From: a@example.org\nX-XARF: PLAIN\n" + id + typ + "\n--b\n\nReported-From: a@example.org\nReport-Type: spam\nCategory: abuse\n"
	add("xarf", xarf, "\nSource: 192.0.2.1\n"+orig+origHead+end)
	add("xarf Source", xarf+"Source: ", "\n"+orig+origHead+end)
	spamcop := "From: 1@reports.spamcop.net\nSubject: [SpamCop (192.0.2.1) id:1]\n" + id + typ
	add("spamcop", spamcop+"\n--b\n\n[ SpamCop V1 ]\n", "\n--b--\n")
	add("spamcop Subject", "From: 1@reports.spamcop.net\nSubject: [SpamCop (", ") id:1]\n"+id+typ+"\n--b\n\n[ SpamCop V1 ]\n--b--\n")
	add("spamcop original", spamcop+"\n--b\n\n[ SpamCop V1 ]\n[ Offending message ]\n", "\n--b--\n")
	add("dmarc text", from+id+typ+"\n--b\n\nSender Domain: example.com\nSender IP Address: 192.0.2.1\nReceived Date: x\n", "\n--b--\n")
	add("report text", from+"Subject: complaint about message from x\n"+id+typ+"\n--b\n\nhello\n\nFeedback-Type: abuse\nVersion: 1\nUser-Agent: x\n", "\n--b--\n")
	add("zimbra", from+"X-Zimbra-Spam-Report-Type: spam\n"+id+typ+"\n--b\n\n", orig+origHead+end)
	add("m365", from+"Subject: 1|x|", "\n"+id+typ+orig+origHead+end)
	add("quoted", from+id+typ+"\n--b\n\n> ", "\n> Feedback-Type: abuse\n> Version: 1\n> User-Agent: x\n"+"\n--b--\n")
	add("quoted spamcop", spamcop+"\n--b\n\n> [ SpamCop V1 ]\n> ", "\n--b--\n")
	add("jmrp", "From: staff@hotmail.com\nSubject: complaint about message from 192.0.2.1\n"+id+typ+orig+"X-HmXmrOriginalRecipient: ", "\n"+origHead+end)
	add("forward, html", from+id+"Subject: spam\n"+"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n", orig+origHead+end)
	return all
}
