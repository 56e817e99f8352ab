package sample

import "strings"

// arf is the template of a report by RFC 5965. An original without a body
// becomes text/rfc822-headers.
func arf(from, subject, fields, original string) string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(fields, "Feedback-Type: "), "\n")
	_, domain, _ := strings.Cut(strings.TrimSuffix(from, ">"), "@")
	typ := "text/rfc822-headers"
	if strings.Contains(original, "\n\n") {
		typ = "message/rfc822"
	}
	return "From: " + from + `
To: fbl@example.com
Subject: ` + subject + `
Date: {sent}
Message-ID: <{id}@` + domain + `>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report;
	boundary="=_{id}"

--=_{id}
Content-Type: text/plain; charset=us-ascii
Content-Transfer-Encoding: 7bit

This is a feedback report of type ` + kind + `. The mail that it is
about is attached.

--=_{id}
Content-Type: message/feedback-report
Content-Transfer-Encoding: 7bit

` + fields + `
--=_{id}
Content-Type: ` + typ + `
Content-Transfer-Encoding: 7bit

` + original + `
--=_{id}--
`
}

// The fields that many dialects share, in the order of RFC 5965 section 3.
const (
	mailFrom = "Original-Mail-From: <bounce+{verp}@mail.example.com>\n"
	rcptTo   = "Original-Rcpt-To: <{user}>\n"
	rcptHash = "Original-Rcpt-To: <{hash}@example.com>\n"
	arrival  = "Arrival-Date: {arrived}\n"
	received = "Received-Date: {arrived}\n" // the name of Arrival-Date in the drafts
	sourceIP = "Source-IP: {ip}\n"
	domain   = "Reported-Domain: example.com\n"
	envelope = mailFrom + rcptTo + arrival + sourceIP
)

// required are the fields that every report has (RFC 5965 section 3.1).
func required(kind, agent, version string) string {
	return "Feedback-Type: " + kind + "\nUser-Agent: " + agent + "\nVersion: " + version + "\n"
}

func abuse(agent, version string) string { return required("abuse", agent, version) }

// failure is a DMARC failure report (RFC 6591, RFC 9991).
func failure(from, agent, version, fields string) string {
	return arf(from, "DMARC failure report for example.com", required("auth-failure", agent, version)+fields, header("mx.example.net"))
}

// failed are the fields of a failure report whose results are known.
func failed(results, kind string) string {
	return mailFrom + arrival + sourceIP + "Authentication-Results: " + results + "\n" + domain +
		"Auth-Failure: " + kind + "\nDelivery-Result: delivered\nIdentity-Alignment: none\n"
}

func arfDialects() []Dialect {
	const example, agent = `"Feedback loop" <fbl@example.net>`, "ExampleFBL/1.0"
	// whole is a report with the fields of the envelope and the whole message.
	whole := func(from, agent, version, subject string) string {
		_, host, _ := strings.Cut(from, "@")
		return arf(from, subject, abuse(agent, version)+envelope, original("mx."+strings.TrimSuffix(host, ">")))
	}
	// sparse is a report that leaves everything to the header of the reported message.
	sparse := func(from, mx string) string {
		return arf(from, "FW: {subject}", abuse("FBL/1.0", "1"), header(mx))
	}
	yahoo := func(from string) string {
		return arf(from, "FW: Spring sale", abuse("Yahoo!-Mail-Feedback/2.0", "0.1")+mailFrom+rcptTo+received+
			"Authentication-Results: authentication result string is not available\n"+domain, original("mta1001.mail.bf1.yahoo.com"))
	}
	validity := mailFrom + rcptHash + arrival + sourceIP + domain + "Abuse-Type: complaint\n"
	redacted := strings.NewReplacer("{user}", "redacted@aol.com", "{verp}", "redacted=aol.com")
	with := func(template, what, instead string) string { return strings.Replace(template, what, instead, 1) }

	list := []Dialect{
		{Name: "rfc5965", About: "a report with every field of RFC 5965", template: arf(example, "Complaint", abuse(agent, "1")+
			"Original-Envelope-Id: e-{id}\n"+mailFrom+rcptTo+arrival+"Reporting-MTA: dns; mx.example.net\n"+sourceIP+"Source-Port: {port}\nIncidents: 1\n"+
			"Authentication-Results: mx.example.net; spf=pass\n smtp.mailfrom=mail.example.com\n"+domain+"Reported-URI: https://example.com/u/{id}\n", original("mx.example.net"))},
		{Name: "rfc-notspam", About: "RFC 6430: this is not spam", template: arf(example, "Complaint", required("not-spam", agent, "1")+envelope, original("mx.example.net"))},
		{Name: "rfc-optout", About: "opt-out, of the drafts: a wish to be taken off a list", template: arf(example, "Complaint", required("opt-out", agent, "1")+
			mailFrom+arrival+sourceIP+"Removal-Recipient: {user}\n", original("mx.example.net"))},
		{Name: "rfc-auth", About: "RFC 6591: DKIM failed", template: failure(example, agent, "1", mailFrom+arrival+sourceIP+
			"Authentication-Results: mx.example.net; dkim=fail header.d=example.com\n"+domain+
			"Auth-Failure: signature\nDelivery-Result: policy\nDKIM-Domain: example.com\nDKIM-Identity: @example.com\nDKIM-Selector: s1\n")},
		{Name: "cfbl-arf", About: "RFC 9477: only the sender's own CFBL-Feedback-ID", template: arf(example, "Complaint", abuse(agent, "1")+arrival+sourceIP, "CFBL-Feedback-ID: {campaign}:{id}\n")},
		{Name: "yahoo", About: "Yahoo's complaint feedback loop", template: yahoo(`"Yahoo! Mail AntiSpam Feedback" <feedback@arf.mail.yahoo.com>`)},
		{Name: "yahoo-ses", About: "the same, by way of Amazon SES", template: yahoo("complaints@email-abuse.amazonses.com")},
		{Name: "aol", About: "AOL until 2018", template: with(arf(`"AOL Member" <scomp@aol.net>`, "Email Feedback Report for IP {ip}", abuse("AOL SComp", "0.1")+
			"Received-Date: {arrivedEST}\n"+sourceIP+"Reported-Domain: mta.mail.example.com\nRedacted-Address: redacted\nRedacted-Address: redacted@\n",
			redacted.Replace(original("mx.aol.net"))), "\nMIME-Version:", "\nX-Loop: scomp\nMIME-Version:")},
		{Name: "returnpath1", About: "Return Path's universal loop, for one of its hosts", template: arf("feedbackloop@fbl.hostedemail.com", "Abuse Report",
			abuse("ReturnPathFBL/1.0", "1")+validity, original("mx.fbl.hostedemail.com"))},
		{Name: "returnpath2", About: "Validity's universal loop: recipients hashed, the host in Source", template: arf(`"Rackspace FBL Service" <feedbackloop@rackspacefbl.senderscore.net>`, "Rackspace Abuse Report",
			abuse("ReturnPathFBL/2.0", "1")+with(validity, "Source-IP", "Source-Ip")+"Source: Rackspace\nSubscription-Link: https://fbl.returnpath.net/manage/subscriptions/{id}\n", original("mx.rackspacefbl.senderscore.net"))},
		{Name: "base64-parts", About: "Comcast today: multipart/mixed, every part in base64", encoded: true, template: with(arf(`"Comcast FBL Service" <feedbackloop@comcastfbl.senderscore.net>`, "Comcast Abuse Report",
			abuse("ReturnPathFBL/2.0", "1")+validity+"Source: Comcast\n", original("mx.comcastfbl.senderscore.net")), "multipart/report; report-type=feedback-report", "multipart/mixed")},
		{Name: "jmrp-arf2026", About: "Microsoft's JMRP since June 2026: everything is in the header of the original", template: arf("staff@hotmail.com", "Complaint", abuse("JMRP/1.0", "1"),
			with(header("CH3PEPF0000000A.namprd04.prod.outlook.com"), "\nTo: {user}", "\nTo: undisclosed-recipients:;"))},
		{Name: "zoho", About: "Zoho", template: arf(`"Zoho Feedback Loop Report" <feedbackloop@fbl.zoho.com>`, "Email Feedback Report for IP {ip}", abuse("Zoho Mail", "0.1")+
			"Received-Date: {arrivedPST}\n"+sourceIP, original("mx.fbl.zoho.com"))},
		{Name: "mailru", About: "Mail.ru: everything is in the header of the original", template: sparse("fbl@corp.mail.ru", "mx.mail.ru")},
		{Name: "seznam", About: "Seznam, the same", template: sparse("fbl@seznam.cz", "mx1.seznam.cz")},
		{Name: "uol", About: "UOL", template: whole("fbl@uol.com.br", "FBL/1.0", "1", "FW: {subject}")},
		{Name: "telenor", About: "Telenor", template: whole("fbl@telenor.net", "FBL/1.0", "1", "FW: {subject}")},
		{Name: "spamexperts", About: "SpamExperts' outgoing filter", template: whole("admin@filter.example.net", "SpamExperts/88068", "1", "{subject}")},
		{Name: "spfbl", About: "SPFBL", template: whole("abuse@spfbl.example.net", "SPFBL/3.2", "1", "Abuse report #{id} from {ip}")},
		{Name: "abusix", About: "Abusix's spam traps", template: whole("no-reply@abuse.abusix.example.net", "abusix-py/0.1", "1", "Spamtraphit by {ip} {arrived}\n [{id}]")},
		{Name: "spamcop-arf", About: "SpamCop", template: whole(`"SpamCop" <summaries@reports.spamcop.net>`, "SpamCop/5.4.0", "0.1", "[SpamCop ({ip}) id:74{n}]{subject}")},
		{Name: "nixspam", About: "NiX Spam", template: whole("reports@nixspam.net", "NiXSpam/1.0", "1", "Spam from {ip}")},
		{Name: "dnsblde", About: "DNSBL.de", template: whole("reports@dnsbl.de", "dnsbl.de/1.0", "1", "Spam from {ip}")},
		{Name: "sieve-report", About: "a Sieve script of a mail server (vnd.dovecot.report)", template: with(arf(`"A Reader" <reader@example.net>`, "Complaint", abuse("Dovecot/2.3 (Pigeonhole)", "1"),
			original("mx.example.net")), "\nMIME-Version:", "\nAuto-Submitted: auto-generated (report)\nMIME-Version:")},
		{Name: "dmarc-netease", About: "NetEase's DMARC failures", template: failure("abuse@126.com", "NtesDmarcReporter/1.0", "1", mailFrom+arrival+sourceIP+
			"Authentication-Results: 126.com; dkim=fail (signature error: RSA verify\n failed) header.d=example.com\n"+domain+"Delivery-Result: delivered\n")},
		{Name: "dmarc-opendmarc", About: "OpenDMARC", template: failure(`"OpenDMARC Filter" <opendmarc@example.net>`, "OpenDMARC-Filter/1.3.0", "1", failed("example.net; dmarc=fail header.from=example.com", "dmarc"))},
		{Name: "opendkim", About: "OpenDKIM", template: failure("postmaster@mx.example.net", "OpenDKIM-Filter/2.10.3", "1", failed("mx.example.net; dkim=fail header.d=example.com", "signature"))},
		{Name: "dmarc-lua", About: "DMARC failures by a Lua hook, as LinkedIn's", template: failure("dmarc-noreply@linkedin.com", "Lua/1.0", "1.0",
			with(failed("dmarc=fail (p=none; dis=none) header.from=example.com", "dmarc"), arrival, rcptTo+arrival))},
		{Name: "dmarc-hotmail", About: "Hotmail's DMARC failures", template: failure("staff@hotmail.com", "XMR/2.2", "1.0",
			failed("hotmail.com; spf=softfail (sender IP is {ip})\n smtp.mailfrom=mail.example.com; dkim=none header.d=example.com; x-hmca=fail", "spf"))},
	}
	return list
}
