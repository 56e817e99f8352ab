package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"mime"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// firstReport is when report 0 was sent; each later one follows by a minute.
var firstReport = time.Date(2026, time.March, 2, 6, 0, 0, 0, time.UTC)

// complaint is what one made-up report is about.
type complaint struct {
	n                           int
	sent, arrived               time.Time // the report was, the reported message had
	id                          string    // 16 hexadecimal digits
	user, subject, campaign, ip string
}

func newComplaint(seed uint64, n int) *complaint {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	subjects := []string{"Spring sale", "Your weekly digest", "We miss you", "Neue Angebote für Sie"}
	campaigns := []string{"spring", "digest", "winback", "webinar"}
	pick := r.IntN(len(subjects))
	sent := firstReport.Add(time.Duration(n) * time.Minute)
	return &complaint{
		n:        n,
		sent:     sent,
		arrived:  sent.Add(-time.Duration(300+r.IntN(86400)) * time.Second),
		id:       fmt.Sprintf("%016x", r.Uint64()),
		user:     fmt.Sprintf("user%d@example.com", 1000+r.IntN(9000)),
		subject:  subjects[pick],
		campaign: fmt.Sprintf("%s-%03d", campaigns[pick], r.IntN(1000)),
		ip:       fmt.Sprintf("192.0.2.%d", 1+r.IntN(254)),
	}
}

func messageDate(t time.Time) string { return t.Format(time.RFC1123Z) }

// header is the header of the reported message, as the host mx took it in.
func (c *complaint) header(mx string) string {
	verp := strings.Replace(c.user, "@", "=", 1)
	return strings.NewReplacer("{verp}", verp, "{mx}", mx, "{user}", c.user, "{ip}", c.ip, "{id}", c.id,
		"{arrived}", messageDate(c.arrived), "{subject}", mime.QEncoding.Encode("utf-8", c.subject), "{campaign}", c.campaign).Replace(`Return-Path: <bounce+{verp}@mail.example.com>
Received: from mta.mail.example.com (mta.mail.example.com [{ip}])
	by {mx} with ESMTPS id {id}; {arrived}
Message-ID: <{campaign}.{id}@mail.example.com>
Date: {arrived}
From: Example News <news@example.com>
To: {user}
Subject: {subject}
List-Id: Example News <news.example.com>
List-Unsubscribe: <https://example.com/u/{campaign}/{id}>,
	<mailto:unsubscribe+{campaign}.{id}@example.com>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Feedback-ID: {campaign}:acct-7:news:example
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
`)
}

func (c *complaint) original(mx string) string {
	return c.header(mx) + "\nHello,\n\nthis is the letter of our campaign " + c.campaign + ".\n"
}

// arf makes a report by the writer of RFC 5965; deviations are pairs of what the
// RFC has and what the dialect writes instead.
func arf(from string, set func(*complaint, *report.Message), deviations ...string) func(*complaint) ([]byte, error) {
	return func(c *complaint) ([]byte, error) {
		_, domain, _ := strings.Cut(strings.TrimSuffix(from, ">"), "@")
		m := report.Message{
			Report: report.Report{
				Outer:        report.Outer{From: from, Subject: "Complaint", Date: c.sent, MessageID: "<" + c.id + "@" + domain + ">"},
				FeedbackType: "abuse", UserAgent: "ExampleFBL/1.0", Version: "1",
			},
			To:       []string{"fbl@example.com"},
			Original: []byte(c.original("mx." + domain)),
			Boundary: "=_" + c.id,
		}
		set(c, &m)
		var b bytes.Buffer
		if err := report.Write(&b, m); err != nil {
			return nil, err
		}
		return []byte(strings.NewReplacer(deviations...).Replace(b.String())), nil
	}
}

// envelope is what nearly all reporters say of a message.
func (c *complaint) envelope(r *report.Report) {
	r.OriginalMailFrom = "bounce+" + strings.Replace(c.user, "@", "=", 1) + "@mail.example.com"
	r.OriginalRcptTo = []string{c.user}
	r.ArrivalDate, r.SourceIP = c.arrived, c.ip
}

// failure makes a DMARC failure report of the reporter (RFC 6591, RFC 9991).
func (c *complaint) failure(m *report.Message, agent, version, results string) {
	r := &m.Report
	c.envelope(r)
	r.FeedbackType, r.UserAgent, r.Version = "auth-failure", agent, version
	r.Outer.Subject = "DMARC failure report for example.com"
	r.OriginalRcptTo = nil
	r.AuthenticationResults = []string{results}
	r.ReportedDomain = []string{"example.com"}
	r.AuthFailure = report.AuthFailure{AuthFailure: "dmarc", DeliveryResult: "delivered", IdentityAlignment: "none"}
	m.Original = []byte(c.header("mx.example.net"))
}

// hashed is a recipient that is not named, as Validity and others have it.
func (c *complaint) hashed() string {
	sum := sha256.Sum256([]byte(c.id))
	return hex.EncodeToString(sum[:16]) + "@example.com"
}

// received writes Received-Date, the draft's name of Arrival-Date.
var received = []string{"\r\nArrival-Date:", "\r\nReceived-Date:"}

func arfDialects() []dialect {
	simple := func(from, agent, version, subject string) func(*complaint) ([]byte, error) {
		return arf(from, func(c *complaint, m *report.Message) {
			c.envelope(&m.Report)
			m.Report.UserAgent, m.Report.Version, m.Report.Outer.Subject = agent, version, c.fill(subject)
		})
	}
	sparse := func(from, mx string) func(*complaint) ([]byte, error) {
		return arf(from, func(c *complaint, m *report.Message) {
			m.Report.UserAgent, m.Report.Outer.Subject = "FBL/1.0", "FW: "+c.subject
			m.Original = []byte(c.header(mx))
		})
	}
	const example = "Feedback loop <fbl@example.net>"
	return []dialect{
		{"rfc5965", "a report with every field of RFC 5965", arf(example, func(c *complaint, m *report.Message) {
			c.envelope(&m.Report)
			m.Report.OriginalEnvelopeID, m.Report.Incidents = "e-"+c.id, 1
			m.Report.ReportingMTA = &report.MTA{Type: "dns", Name: "mx.example.net"}
			m.Report.AuthenticationResults = []string{"mx.example.net; spf=pass smtp.mailfrom=mail.example.com"}
			m.Report.ReportedDomain, m.Report.ReportedURI = []string{"example.com"}, []string{"https://example.com/u/" + c.id}
			m.Report.SourcePort = 40000 + c.n%1000
		})},
		{"rfc-notspam", "RFC 6430: this is not spam", arf(example, func(c *complaint, m *report.Message) {
			c.envelope(&m.Report)
			m.Report.FeedbackType = "not-spam"
		})},
		{"rfc-optout", "opt-out, of the drafts: a wish to be taken off a list", arf(example, func(c *complaint, m *report.Message) {
			c.envelope(&m.Report)
			m.Report.FeedbackType, m.Report.OriginalRcptTo = "opt-out", nil
			m.Report.Extensions = map[string][]string{"removal-recipient": {c.user}}
		})},
		{"rfc-auth", "RFC 6591: DKIM failed", arf(example, func(c *complaint, m *report.Message) {
			c.failure(m, "ExampleFBL/1.0", "1", "mx.example.net; dkim=fail header.d=example.com")
			m.Report.AuthFailure = report.AuthFailure{AuthFailure: "signature", DeliveryResult: "policy", DKIMDomain: "example.com", DKIMSelector: "s1", DKIMIdentity: "@example.com"}
		})},
		{"cfbl-arf", "RFC 9477: no more than the sender's own CFBL-Feedback-ID", arf(example, func(c *complaint, m *report.Message) {
			m.Report.SourceIP, m.Report.ArrivalDate = c.ip, c.arrived
			m.Original = []byte("CFBL-Feedback-ID: " + c.campaign + ":" + c.id + "\n")
		})},
		{"yahoo", "Yahoo's complaint feedback loop", arf("Yahoo! Mail AntiSpam Feedback <feedback@arf.mail.yahoo.com>", yahoo, received...)},
		{"yahoo-ses", "the same, by way of Amazon SES", arf("complaints@email-abuse.amazonses.com", yahoo, received...)},
		{"aol", "AOL until 2018", arf("AOL Member <scomp@aol.net>", func(c *complaint, m *report.Message) {
			c.envelope(&m.Report)
			m.Report.UserAgent, m.Report.Version, m.Report.OriginalRcptTo, m.Report.OriginalMailFrom = "AOL SComp", "0.1", nil, ""
			m.Report.Outer.Subject = c.fill("Email Feedback Report for IP {ip}")
			m.Report.ArrivalDateRaw = c.arrived.Add(-5*time.Hour).Format("Mon, 02 Jan 2006 15:04:05 ") + "EST"
			m.Report.ReportedDomain = []string{"mta.mail.example.com"}
			m.Report.Extensions = map[string][]string{"redacted-address": {"redacted", "redacted@"}}
			m.Original = bytes.ReplaceAll(bytes.ReplaceAll(m.Original, []byte(c.user), []byte("redacted@aol.com")), []byte(strings.Replace(c.user, "@", "=", 1)), []byte("redacted=aol.com"))
		}, append([]string{"\r\nMIME-Version:", "\r\nX-Loop: scomp\r\nMIME-Version:"}, received...)...)},
		{"returnpath1", "Return Path's universal loop, for one of its hosts", arf("feedbackloop@fbl.hostedemail.com", func(c *complaint, m *report.Message) {
			c.validity(&m.Report)
			m.Report.UserAgent, m.Report.Outer.Subject = "ReturnPathFBL/1.0", "Abuse Report"
		})},
		{"returnpath2", "Validity's universal loop: recipients hashed, the host in Source", arf("Rackspace FBL Service <feedbackloop@rackspacefbl.senderscore.net>", func(c *complaint, m *report.Message) {
			c.validity(&m.Report)
			m.Report.UserAgent, m.Report.Outer.Subject = "ReturnPathFBL/2.0", "Rackspace Abuse Report"
			m.Report.Extensions["source"] = []string{"Rackspace"}
			m.Report.Extensions["subscription-link"] = []string{"https://fbl.returnpath.net/manage/subscriptions/" + c.id}
		}, "\r\nSource-IP:", "\r\nSource-Ip:")},
		{"base64-parts", "Comcast today: multipart/mixed, every part in base64", base64Parts(arf("Comcast FBL Service <feedbackloop@comcastfbl.senderscore.net>", func(c *complaint, m *report.Message) {
			c.validity(&m.Report)
			m.Report.UserAgent, m.Report.Outer.Subject = "ReturnPathFBL/2.0", "Comcast Abuse Report"
			m.Report.Extensions["source"] = []string{"Comcast"}
		}, "multipart/report; report-type=feedback-report", "multipart/mixed"))},
		{"jmrp-arf2026", "Microsoft's JMRP since June 2026: the original's header tells all", arf("staff@hotmail.com", func(c *complaint, m *report.Message) {
			m.Report.UserAgent = "JMRP/1.0"
			m.Original = []byte(strings.Replace(c.header("CH3PEPF0000000A.namprd04.prod.outlook.com"), "\nTo: "+c.user, "\nTo: undisclosed-recipients:;", 1))
		})},
		{"zoho", "Zoho", arf("Zoho Feedback Loop Report <feedbackloop@fbl.zoho.com>", func(c *complaint, m *report.Message) {
			m.Report.UserAgent, m.Report.Version, m.Report.Outer.Subject = "Zoho Mail", "0.1", c.fill("Email Feedback Report for IP {ip}")
			m.Report.SourceIP, m.Report.ArrivalDateRaw = c.ip, c.arrived.Add(-8*time.Hour).Format("Mon, 2 Jan 2006 15:04:05")+" -0800 (PST)"
		}, received...)},
		{"mailru", "Mail.ru: the original's header tells all", sparse("fbl@corp.mail.ru", "mx.mail.ru")},
		{"seznam", "Seznam, the same", sparse("fbl@seznam.cz", "mx1.seznam.cz")},
		{"uol", "UOL", simple("fbl@uol.com.br", "FBL/1.0", "1", "FW: {subject}")},
		{"telenor", "Telenor", simple("fbl@telenor.net", "FBL/1.0", "1", "FW: {subject}")},
		{"spamexperts", "SpamExperts' outgoing filter", simple("admin@filter.example.net", "SpamExperts/88068", "1", "{subject}")},
		{"spfbl", "SPFBL", simple("abuse@spfbl.example.net", "SPFBL/3.2", "1", "Abuse report #{id} from {ip}")},
		{"abusix", "Abusix's spam traps", simple("no-reply@abuse.abusix.example.net", "abusix-py/0.1", "1", "Spamtraphit by {ip} {arrived} [{id}]")},
		{"spamcop-arf", "SpamCop", simple("SpamCop <summaries@reports.spamcop.net>", "SpamCop/5.4.0", "0.1", "[SpamCop ({ip}) id:74{n}]{subject}")},
		{"nixspam", "NiX Spam", simple("reports@nixspam.net", "NiXSpam/1.0", "1", "Spam from {ip}")},
		{"dnsblde", "DNSBL.de", simple("reports@dnsbl.de", "dnsbl.de/1.0", "1", "Spam from {ip}")},
		{"sieve-report", "a Sieve script of a mail server (vnd.dovecot.report)", arf("A Reader <reader@example.net>", func(c *complaint, m *report.Message) {
			m.Report.UserAgent = "Dovecot/2.3 (Pigeonhole)"
		}, "\r\nMIME-Version:", "\r\nAuto-Submitted: auto-generated (report)\r\nMIME-Version:")},
		{"dmarc-netease", "NetEase's DMARC failures", arf("abuse@126.com", func(c *complaint, m *report.Message) {
			c.failure(m, "NtesDmarcReporter/1.0", "1", "126.com; dkim=fail (signature error: RSA verify failed) header.d=example.com")
		}, "\r\nAuth-Failure: dmarc\r\n", "\r\n", "\r\nIdentity-Alignment: none\r\n", "\r\n")},
		{"dmarc-opendmarc", "OpenDMARC", arf("OpenDMARC Filter <opendmarc@example.net>", func(c *complaint, m *report.Message) {
			c.failure(m, "OpenDMARC-Filter/1.3.0", "1", "example.net; dmarc=fail header.from=example.com")
		})},
		{"opendkim", "OpenDKIM", arf("postmaster@mx.example.net", func(c *complaint, m *report.Message) {
			c.failure(m, "OpenDKIM-Filter/2.10.3", "1", "mx.example.net; dkim=fail header.d=example.com")
			m.Report.AuthFailure.AuthFailure = "signature"
		})},
		{"dmarc-lua", "DMARC failures by a Lua hook, as LinkedIn's", arf("dmarc-noreply@linkedin.com", func(c *complaint, m *report.Message) {
			c.failure(m, "Lua/1.0", "1.0", "dmarc=fail (p=none; dis=none) header.from=example.com")
			m.Report.OriginalRcptTo = []string{c.user}
		})},
		{"dmarc-hotmail", "Hotmail's DMARC failures", arf("staff@hotmail.com", func(c *complaint, m *report.Message) {
			c.failure(m, "XMR/2.2", "1.0", "hotmail.com; spf=softfail (sender IP is "+c.ip+") smtp.mailfrom=mail.example.com; dkim=none header.d=example.com; x-hmca=fail")
			m.Report.AuthFailure.AuthFailure = "spf"
		})},
	}
}

// fill is expand for a field that the writer encodes.
func (c *complaint) fill(template string) string {
	return strings.NewReplacer("{ip}", c.ip, "{id}", c.id, "{n}", fmt.Sprint(c.n), "{arrived}", messageDate(c.arrived), "{subject}", c.subject).Replace(template)
}

func yahoo(c *complaint, m *report.Message) {
	c.envelope(&m.Report)
	m.Report.UserAgent, m.Report.Version, m.Report.SourceIP = "Yahoo!-Mail-Feedback/2.0", "0.1", ""
	m.Report.Outer.Subject = "FW: Spring sale"
	m.Report.ReportedDomain = []string{"example.com"}
	m.Report.AuthenticationResults = []string{"authentication result string is not available"}
	m.Original = []byte(c.original("mta1001.mail.bf1.yahoo.com"))
}

func (c *complaint) validity(r *report.Report) {
	c.envelope(r)
	r.OriginalRcptTo = []string{c.hashed()}
	r.ReportedDomain = []string{"example.com"}
	r.Extensions = map[string][]string{"abuse-type": {"complaint"}}
}

// base64Parts encodes each part of the messages that another makes.
func base64Parts(plain func(*complaint) ([]byte, error)) func(*complaint) ([]byte, error) {
	return func(c *complaint) ([]byte, error) {
		message, err := plain(c)
		parts := strings.Split(string(message), "\r\n--=_"+c.id)
		for i, part := range parts {
			head, body, found := strings.Cut(part, "\r\n\r\n")
			if i == 0 || !found {
				continue
			}
			lines := base64.StdEncoding.EncodeToString([]byte(body))
			for at := 76; at < len(lines); at += 78 {
				lines = lines[:at] + "\r\n" + lines[at:]
			}
			parts[i] = strings.Replace(head, "Transfer-Encoding: 7bit", "Transfer-Encoding: base64", 1) + "\r\n\r\n" + lines
		}
		return []byte(strings.Join(parts, "\r\n--=_"+c.id)), err
	}
}
