package report

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestNearMiss: what only looks like a dialect makes no report.
func TestNearMiss(t *testing.T) {
	const original = "From: News <news@news.example.net>\nTo: user@example.com\nSubject: complaint about message from 192.0.2.10\nMessage-ID: <1@news.example.net>\n\nHello\n"
	const report = "From: fbl@example.com\nContent-Type: multipart/report; report-type=feedback-report; boundary=in\n\n--in\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\n--in--\n"
	for name, c := range map[string]struct {
		message string
		want    Kind
	}{
		"an answer that returns the mail":           {"From: jo@example.com\nSubject: Re: spam\nAuto-Submitted: auto-replied\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n" + original + "--b--\n", KindAutoReply},
		"a bounce that returns the mail":            {"From: MAILER-DAEMON@example.com\nSubject: Undelivered Mail: spam\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: user@example.com\n" + original + "--b--\n", KindDSN},
		"a mail in a bounce's body":                 {"From: MAILER-DAEMON@example.com\nSubject: Returned mail\nX-Failed-Recipients: user@example.com\nContent-Type: message/rfc822\n\n" + original, KindDSN},
		"a question about SpamCop":                  {"From: jo@example.com\nSubject: SpamCop\nContent-Type: text/plain\n\nEmail from 192.0.2.10 / Mon, 6 Jul 2026 09:58:12 +0000\n", KindOther},
		"an answer that quotes SpamCop":             {"From: jo@example.com\nSubject: Re: [SpamCop (192.0.2.10) id:1]July\n\nDone.\n\n> [ SpamCop V4.9.0 ]\n> Email from 192.0.2.10 / Mon, 6 Jul 2026 09:58:12 -0000\n", KindOther},
		"an answer that attaches what it is about":  {"From: noreply@example.com\nSubject: Your abuse report has been received\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nThanks.\n--b\nContent-Type: message/rfc822\n\n" + original + "--b\n", KindNotice},
		"an answer of Outlook's in Russian":         {"From: jo@example.com\nSubject: =?utf-8?b?0JDQstGC0L7QvNCw0YLQuNGH0LXRgdC60LjQuSDQvtGC0LLQtdGC?=: complaint\n\nx\n", KindAutoReply},
		"AOL's bounce":                              {"From: postmaster@example.com\nSubject: Mail Delivery Problem\n\nYour mail could not be delivered.\n", KindDSN},
		"SpamCop's own news":                        {"From: noreply@spamcop.net\nSubject: Your account\nContent-Type: text/plain\n\nWelcome.\n", KindNotice},
		"an SNS confirmation":                       {"From: no-reply@sns.amazonaws.com\nSubject: AWS Notification - Subscription Confirmation\nContent-Type: text/plain\n\n{\"Type\":\"SubscriptionConfirmation\",\"TopicArn\":\"arn:aws:sns:x:1:y\",\"Message\":\"You have chosen\"}\n", KindNotice},
		"an SES delivery":                           {"From: no-reply@sns.amazonaws.com\nSubject: AWS Notification Message\n\n{\"notificationType\":\"Delivery\",\"mail\":{\"source\":\"news@example.com\"}}\n", KindNotice},
		"JSON of somebody else":                     {"From: jo@example.com\nSubject: look\n\n{\"type\":\"complaint\"}\n", KindOther},
		"two labels of DMARC":                       {"From: jo@example.com\nSubject: DMARC\n\nSender Domain: example.com\nDMARC Results: none\n", KindOther},
		"a question with X-ARF in it":               {"From: jo@example.com\nSubject: X-ARF\nContent-Type: text/plain\n\nWhat is this?\n\nCategory: abuse\nReport-Type: spam\n", KindOther},
		"a mail list that attaches":                 {"From: jo@example.com\nSubject: digest\nContent-Type: multipart/digest; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n" + original + "--b--\n", KindOther},
		"our own bounce address":                    {"Return-Path: <bounce+1@news.example.net>\nFrom: news@example.com\nSubject: July\n\nHello\n", KindOther},
		"their own newsletter":                      {"Return-Path: <fbl@example.com>\nFrom: Jo <jo@example.com>\nSubject: July\n\nHello\n", KindOther},
		"a ticket was opened":                       {"From: abuse@example.com\nSubject: [#12345] We received your abuse report\nPrecedence: bulk\n\nThanks.\n", KindNotice},
		"a ticket's answer":                         {"From: abuse@example.com\nSubject: [desk.example #12345] [abuse] Re: spam complaint about 192.0.2.10\n\nDone.\n", KindNotice},
		"a ticket was closed":                       {"From: noreply@example.com\nSubject: Resolved: spam report 12345\n\nDone.\n", KindNotice},
		"an unsubscribe mail with a token":          {"From: user@example.com\nTo: u-4711@news.example.net\nSubject: unsubscribe 4711\n\n", KindUnsubscribe},
		"SNDS's own":                                {"From: SNDS <snds@microsoft.com>\nSubject: SNDS authorization request for 192.0.2.0/24\n\nConfirm.\n", KindNotice},
		"Cisco's aggregate":                         {"From: dmarc@example.com\nSubject: DMARC Aggregate Report Domain: {example.net} Submitter: {example.com}\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee\n--b\nContent-Type: application/zip; name=report.zip\n\nx\n--b--\n", KindDMARCAggregate},
		"a moderator's digest":                      {"From: Google Groups <noreply-spamdigest@googlegroups.com>\nSubject: Moderator's spam report for abuse@example.com\n\n1 mail.\n", KindNotice},
		"a quarantine's digest":                     {"From: noreply@example.com\nSubject: Daily spam report\n\n3 mails.\n", KindNotice},
		"a loop's enrolment":                        {"From: fbl@example.com\nSubject: Your feedback loop enrolment was approved\n\nFor 192.0.2.10.\n", KindNotice},
		"a loop's statistics":                       {"From: noreply@fbl.example.com\nSubject: Weekly complaint summary\n\n12 of 10000.\n", KindNotice},
		"a newsletter about abuse":                  {"From: news@example.com\nSubject: How to report abuse and spam\nList-Unsubscribe: <https://example.com/u>\n\nWrite to abuse@example.com.\n", KindOther},
		"a question that quotes a report":           {"From: jo@example.com\nSubject: ARF\n\nWe received this:\n\nFeedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\n\nWhat is it?\n", KindOther},
		"phishing, quoted by a person":              {"From: jo@example.com\nSubject: Fwd: Your account\n\nIs this phishing?\n\n---------- Forwarded message ---------\nFrom: Bank <bank@example.net>\nSubject: Your account\n\nClick\n", KindOther},
		"an aggregate report, its name continued":   {"From: dmarc@example.com\nSubject: DMARC\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee\n--b\nContent-Type: application/x-gzip\nContent-Disposition: attachment;\n filename*0=\"example.com!example.net!17833\";\n filename*1=\"00000!1783386400.xml.gz\"\n\nx\n--b--\n", KindDMARCAggregate},
		"an aggregate report, its name in percents": {"From: dmarc@example.com\nSubject: DMARC\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee\n--b\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename*=utf-8'en'example.com%21example.net%211%212.xml\n\nx\n--b--\n", KindDMARCAggregate},
		"an answer that returns a report":           {"From: jo@example.com\nSubject: Re: Email Feedback Report\nAuto-Submitted: auto-replied\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nAway.\n--b\nContent-Type: message/rfc822\n\n" + report + "--b--\n", KindAutoReply},
		"a bounce that returns a report":            {"From: MAILER-DAEMON@example.com\nSubject: failure notice\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nSorry.\n--b\nContent-Type: message/rfc822\n\n" + report + "--b--\n", KindDSN},
		"a bounce with a report in its text":        {"From: MAILER-DAEMON@example.com\nSubject: failure notice\n\nSorry.\n\n" + report, KindDSN},
		"an SES topic that was validated":           {"From: no-reply@sns.amazonaws.com\nSubject: Amazon SES Email Event Notification\n\nSuccessfully validated SNS topic for Amazon SES event publishing.\n", KindNotice},
		"an answer about a report":                  {"From: abuse@example.com\nSubject: Re: abuse report\n\nDone.\n", KindNotice},
	} {
		if r := Parse([]byte(c.message)); r.Kind != c.want || len(r.Records(Envelope{})) > 0 {
			t.Errorf("%s: %s, want %s", name, r.Kind, c.want)
		}
		if r := ParsePrefix([]byte(c.message), int64(len(c.message))+1); !r.Partial() {
			t.Errorf("%s: %s, as if it were whole", name, r.Kind)
		}
	}
}

// TestHit: the same dialects in other dress.
func TestHit(t *testing.T) {
	const original = "From: News <news@news.example.net>\nTo: user@example.com\nSubject: July\nMessage-ID: <1@news.example.net>\n\nHello\n"
	const xarf = "---\nReported-From: a@example.com\nCategory: abuse\nReport-Type: login-attack\nSource: 192.0.2.10\nReport-ID: 1\n"
	const report = "From: fbl@example.com\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\nSource-IP: 192.0.2.10\n--b--\n"
	for name, c := range map[string]struct{ message, dialect, ip string }{
		"a provider's program that attaches": {"From: abuse@example.com\nSubject: Spam complaint\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nOne of our users complained.\n--b\nContent-Type: message/rfc822\n\n" + original + "--b--\n", "forward", ""},
		"X-ARF as the mail itself":           {"From: a@example.com\nX-XARF: PLAIN\nContent-Type: text/plain\n\n" + xarf, "xarf", "192.0.2.10"},
		"X-ARF, signed in the text":          {"From: a@example.com\nX-XARF: SECURE\nContent-Type: text/plain\n\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n" + xarf + "-----BEGIN PGP SIGNATURE-----\n\nabc\n", "xarf", "192.0.2.10"},
		"X-ARF, signed as a whole":           {"From: a@example.com\nContent-Type: multipart/signed; boundary=s\n\n--s\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n--b\nContent-Type: text/plain; name=report.txt\n\n" + xarf + "--b--\n--s\nContent-Type: application/pgp-signature\n\nabc\n--s--\n", "xarf", "192.0.2.10"},
		"X-ARF in JSON as the mail itself":   {"From: a@example.com\nContent-Type: application/json\n\n{\"xarf_version\":\"4.0.0\",\"type\":\"phishing\",\"source_identifier\":\"192.0.2.10\"}", "xarf-v4mail", "192.0.2.10"},
		"JMRP's subject, encoded":            {"From: <staff@hotmail.com>\nSubject: =?utf-8?q?complaint_about_message_from_192.0.2.10?=\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n" + original + "--b--\n", "jmrp", "192.0.2.10"},
		"JMRP in CR only":                    {strings.ReplaceAll("From: <staff@hotmail.com>\nSubject: complaint about message from 192.0.2.10\nContent-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: user@example.com\n"+original, "\n", "\r"), "jmrp", "192.0.2.10"},
		"SES in base64":                      {"From: no-reply@sns.amazonaws.com\nContent-Transfer-Encoding: base64\n\neyJldmVudFR5cGUiOiJDb21wbGFpbnQiLCJjb21wbGFpbnQiOnsiY29tcGxhaW50RmVlZGJhY2tUeXBlIjoiYWJ1c2UifX0=\n", "ses-json", ""},
		"SpamCop's, sent on by a person":     {"From: jo@example.com\nSubject: Fwd: [SpamCop (192.0.2.10) id:1]July\n\n---------- Forwarded message ---------\nFrom: <1@reports.spamcop.net>\n\n[ SpamCop V4.9.0 ]\nEmail from 192.0.2.10 / Mon, 6 Jul 2026 09:58:12 -0000\n\n[ Offending message ]\n" + original, "spamcop-plain", "192.0.2.10"},
		"SpamCop's, behind a ticket's text":  {"From: desk@example.com\nSubject: [desk #1] [SpamCop (192.0.2.10) id:1]July\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nRequest 1 was acted upon.\n--b\n\n[ SpamCop V4.9.0 ]\nEmail from 192.0.2.10 / Mon, 6 Jul 2026 09:58:12 -0000\n--b--\n", "spamcop-plain", "192.0.2.10"},
		"SES in SNS's own object, indented":  {"From: no-reply@sns.amazonaws.com\n\n{\n  \"Type\": \"Notification\",\n  \"Message\": \"{\\\"notificationType\\\":\\\"Complaint\\\",\\\"complaint\\\":{\\\"complaintFeedbackType\\\":\\\"abuse\\\"}}\"\n}\n", "ses-json", ""},
		"SES, sent on by a person":           {"From: jo@example.com\nSubject: Fwd: AWS Notification Message\n\n---------- Forwarded message ---------\nFrom: AWS <no-reply@sns.amazonaws.com>\n\n{\"notificationType\":\"Complaint\",\"complaint\":{\"complaintFeedbackType\":\"abuse\"}}\n", "ses-json", ""},
		"X-ARF behind a text with a colon":   {"From: a@example.com\nX-XARF: PLAIN\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nSource: see below\n--b\nContent-Type: application/octet-stream; name=report.yml\n\n" + xarf + "--b--\n", "xarf", "192.0.2.10"},
		"X-ARF behind comments":              {"From: a@example.com\nX-XARF: PLAIN\nContent-Type: text/plain; name=report.txt\n\n%YAML 1.1\n# a report\n--- !ruby/hash\n" + xarf[4:], "xarf", "192.0.2.10"},
		"X-ARF in JSON behind a BOM":         {"From: a@example.com\nContent-Type: application/xarf+json\n\n\xef\xbb\xbf  {\"xarf_version\":\"4.0.0\",\"type\":\"phishing\",\"source_identifier\":\"192.0.2.10\"}", "xarf-v4mail", "192.0.2.10"},
		"a multipart without boundaries":     {"From: fbl@example.com\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\nFeedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\nSource-IP: 192.0.2.10\n", "rfc5965", "192.0.2.10"},
		"X-ARF without boundaries":           {"From: a@example.com\nX-XARF: PLAIN\nContent-Type: multipart/mixed; boundary=b\n\n" + xarf, "xarf", "192.0.2.10"},
		"X-ARF, in base64 by its word only":  {"From: a@example.com\nX-XARF: PLAIN\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n" + xarf, "xarf", "192.0.2.10"},
		"JSON, in base64 by its word only":   {"From: a@example.com\nContent-Type: application/json\nContent-Transfer-Encoding: base64\n\n{\n  \"xarf_version\": \"4.0.0\",\n  \"type\": \"phishing\",\n  \"source_identifier\": \"192.0.2.10\"\n}\n", "xarf-v4mail", "192.0.2.10"},
		"SES, typed as JSON":                 {"From: no-reply@sns.amazonaws.com\nContent-Type: application/json\n\n\xef\xbb\xbf{\"notificationType\":\"Complaint\",\"complaint\":{\"complaintFeedbackType\":\"abuse\"}}", "ses-json", ""},
		"SpamCop's subject alone":            {"From: desk@example.com\nSubject: [SpamCop (192.0.2.10) id:1]July\n\n[ Offending message ]\n" + original, "spamcop-plain", "192.0.2.10"},
		"a report attached twice over":       {"From: a@example.com\nContent-Type: message/rfc822\n\nFrom: b@example.com\nContent-Type: message/rfc822\n\nFrom: fbl@example.com\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nSource-IP: 192.0.2.10\n--b--\n", "rfc5965", "192.0.2.10"},
		"what SpamAssassin puts into a text": {"From: fbl@example.com\nSubject: *****SPAM***** July\nX-Spam-Flag: YES\nContent-Type: multipart/mixed; boundary=s\n\n--s\n\nSpam detection software has identified this incoming email as possible spam.\n--s\nContent-Type: text/plain; x-spam-type=original\nContent-Disposition: attachment\n\n" + report + "--s--\n", "rfc5965", "192.0.2.10"},
		"a digest that declares no types":    {"From: list@example.com\nContent-Type: multipart/digest; boundary=s\n\n--s\n\n" + report + "--s--\n", "rfc5965", "192.0.2.10"},
		"a JSON report, attached":            {"From: a@example.com\nContent-Type: message/rfc822\n\nFrom: b@example.com\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: xarf\n--b\nContent-Type: application/json\n\n{\"ReporterInfo\":{},\"Report\":{\"ReportType\":\"Phishing\",\"SourceIp\":\"192.0.2.10\"}}\n--b--\n", "xarf-v3mail", "192.0.2.10"},
	} {
		r := Parse([]byte(c.message))
		records := r.Records(Envelope{})
		if len(records) != 1 || r.Kind != KindReport || records[0].Event != Complaint {
			t.Errorf("%s: %s %v", name, r.Kind, r.Problems)
			continue
		}
		if got := records[0]; got.Dialect != c.dialect || got.SourceIP != c.ip {
			t.Errorf("%s: %s %q, want %s %q", name, got.Dialect, got.SourceIP, c.dialect, c.ip)
		}
	}
}

// TestNothingInvented: a subject, a recipient or a path that the reported message's
// own author wrote says nothing.
func TestNothingInvented(t *testing.T) {
	r := Parse([]byte("From: staff@hotmail.com\nSubject: complaint about message from 192.0.2.10\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n" +
		"From: news@example.com\nTo: user@example.com\nReturn-Path: {{ path }}\nSubject: complaint about message from 198.51.100.1\n\nHello\n--b--\n"))
	if r.Kind != KindReport || r.SourceIP != "192.0.2.10" || len(r.OriginalRcptTo) > 0 || r.OriginalMailFrom != "" || r.Original.From != "news@example.com" {
		t.Errorf("%s %+v", r.Kind, r)
	}
	// Behind a message that was cut short there may be anything.
	cut := Parse([]byte("From: no-reply@sns.amazonaws.com\n\n{\"notificationType\":\"Complaint\",\"complaint\":{\"complainedRecipients\":[{\"emailAddress\":\"user@example.com\"}],\"complaintFeed"))
	if cut.Kind != KindUnparsed || len(cut.OriginalRcptTo) != 1 {
		t.Errorf("%s %+v", cut.Kind, cut)
	}
	not := Parse([]byte("From: no-reply@sns.amazonaws.com\n\n{\"notificationType\":\"Complaint\",\"complaint\":{\"complaintFeedbackType\":\"not-spam\"}}"))
	if not.Kind != KindReport || not.Records(Envelope{})[0].Event != NotSpam {
		t.Errorf("%s %+v", not.Kind, not)
	}
	// SES says nothing of the header, unless it is told to.
	bare := Parse([]byte("From: no-reply@sns.amazonaws.com\n\n{\"notificationType\":\"Complaint\",\"complaint\":{\"complaintFeedbackType\":\"abuse\"},\"mail\":{\"messageId\":\"1\",\"source\":\"news@example.com\"}}"))
	if bare.Kind != KindReport || bare.Original != nil || bare.Derived["original"] != "" || bare.OriginalMailFrom != "news@example.com" {
		t.Errorf("%s %+v %v", bare.Kind, bare.Original, bare.Derived)
	}
}

// TestSalvagedOriginal: the reported message is found where each dialect has it.
func TestSalvagedOriginal(t *testing.T) {
	const original = "From: News <news@news.example.net>\nTo: user@example.com\nCFBL-Feedback-ID: 4711\nSubject: July\nMessage-ID: <1@news.example.net>\n\nHello\n"
	sample, _ := json.Marshal(original)
	xarf := func(report string) string {
		return "From: fbl@example.com\nContent-Type: application/json; name=xarf.json\n\n" + report
	}
	for name, c := range map[string]struct {
		message string
		class   Class
		dialect string
	}{
		"SpamCop attaches it": {"From: 1@reports.spamcop.net\nSubject: [SpamCop (192.0.2.10) id:1]July\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nEmail from 192.0.2.10 / Mon, 6 Jul 2026 09:58:12 -0000\n--b\nContent-Type: message/rfc822\n\n" + original + "--b--\n", ClassService, "spamcop-plain"},
		"fields in the text":  {"From: fbl@example.com\nContent-Type: multipart/report; boundary=b\n\n--b\n\nThis is a report.\n\nFeedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\n\n--b\nContent-Type: message/rfc822\n\n" + strings.Replace(original, "CFBL-", "X-", 1) + "--b--\n", ClassFBL, "rfc5965"},
		"X-ARF 3, as CFBL":    {xarf(`{"Version":"2","ReporterInfo":{},"Report":{"ReportType":"Spam","Samples":[{"ContentType":"message/rfc822","Base64Encoded":false,"Payload":` + string(sample) + `}]}}`), ClassCFBL, "cfbl-xarf"},
		"X-ARF 3, of a trap":  {xarf(`{"Version":"2","ReporterInfo":{},"Report":{"ReportType":"Spam","ReportSubType":"Trap","Samples":[{"ContentType":"message/rfc822","Base64Encoded":false,"Payload":` + string(sample) + `}]}}`), ClassTrap, "xarf-v3mail"},
		"X-ARF 4, bulk mail":  {xarf(`{"xarf_version":"4.0.0","category":"messaging","type":"bulk_messaging","evidence_source":"user_report","timestamp":"2026-07-06T09:58:12Z","evidence":[{"content_type":"message/rfc822","payload":"` + base64.StdEncoding.EncodeToString([]byte(strings.Replace(original, "CFBL-", "X-", 1))) + `"}]}`), ClassService, "xarf-v4mail"},
	} {
		r := Parse([]byte(c.message))
		records := r.Records(Envelope{})
		if len(records) != 1 || r.Kind != KindReport || records[0].Original == nil || records[0].Original.MessageID != "1@news.example.net" {
			t.Errorf("%s: %s %v", name, r.Kind, r.Problems)
			continue
		}
		if got := records[0]; got.Class != c.class || got.Dialect != c.dialect || name == "X-ARF 4, bulk mail" && got.ArrivalDate.IsZero() {
			t.Errorf("%s: %s %s, want %s %s", name, got.Class, got.Dialect, c.class, c.dialect)
		}
	}
}

// TestSecondXARF: several texts make one record, which says so and loses nothing.
func TestSecondXARF(t *testing.T) {
	const xarf = "Category: abuse\nReport-Type: web-attack\nReported-From: a@example.com\nSource: 192.0.2.10\nSource-Type: ipv4\nReport-ID: "
	r := Parse([]byte("From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; name=1.txt\n\n" + xarf + "1\n--b\nContent-Type: text/plain; name=2.txt\n\n" + xarf + "2\n--b--\n"))
	if !slices.Contains(r.Problems, Problem{"report part: more than one", true}) || !slices.Equal(r.Extensions["report-id"], []string{"1", "2"}) || r.SourceIP != "192.0.2.10" || !slices.Equal(r.Extensions["source"], []string{"192.0.2.10"}) {
		t.Errorf("%v %v", r.Problems, r.Extensions)
	}
	r = Parse([]byte("From: a@example.com\nX-XARF: BULK\nContent-Type: text/plain; name=report.txt\n\n---\n" + xarf + "1\n---\n" + xarf + "2\n"))
	if !slices.Contains(r.Problems, Problem{"report part: more than one", true}) || !slices.Equal(r.Extensions["report-id"], []string{"1", "2"}) || r.SourceIP != "192.0.2.10" {
		t.Errorf("of one text: %v %v", r.Problems, r.Extensions)
	}
	if r := Parse([]byte("From: a@example.com\nX-XARF: PLAIN\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; name=report.txt\n\n---\n" + xarf + "1\n...\n---\n\n--b--\n")); len(r.Problems) > 0 {
		t.Errorf("a document without fields: %v", r.Problems)
	}
	if r := Parse([]byte("From: a@example.com\nX-XARF: PLAIN\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; name=report.txt\n\n---\n" + xarf + "1\nSource: 192.0.2.11\n--b--\n")); !slices.Equal(r.Problems, []Problem{{"source: more than once", false}}) || r.SourceIP != "192.0.2.10" {
		t.Errorf("a second source: %v", r.Problems)
	}
}

// TestXARFSource: the ways in which X-ARF 3 tells where it came from.
func TestXARFSource(t *testing.T) {
	for report, want := range map[string]string{
		`"SourceIp":"192.0.2.10","SourcePort":25,"SourceUrl":"https://a.example.net/"`:                     "192.0.2.10 25 https://a.example.net/",
		`"Source":{"IP":"192.0.2.10","Port":"25","URL":"https://a.example.net/","Type":"uri"}`:             "192.0.2.10 25 https://a.example.net/",
		`"SourceIp":"192.0.2.10","Url":"https://a.example.net/"`:                                           "192.0.2.10 0 https://a.example.net/",
		`"SourceIp":"192.0.2.10","Source":{"IP":"192.0.2.10"},"SourceUrl":"https://a/","Url":"https://a/"`: "192.0.2.10 0 https://a/",
		`"SourceIp":"192.0.2.10","SourceUri":"https://a/","SourceUrl":"https://b/"`:                        "192.0.2.10 0 https://a/ https://b/",
	} {
		r := Parse([]byte("From: a@example.com\nContent-Type: application/json\n\n{\"ReporterInfo\":{},\"Report\":{\"ReportType\":\"Phishing\"," + report + "}}"))
		if got := fmt.Sprint(r.SourceIP, " ", r.SourcePort, " ", strings.Join(r.ReportedURI, " ")); got != want {
			t.Errorf("%s: %s, want %s", report, got, want)
		}
	}
}

// TestXARFRecipients: each one is named, and none is dropped.
func TestXARFRecipients(t *testing.T) {
	const report = `{"xarf_version":"4.0.0","category":"messaging","type":"spam","source_identifier":"192.0.2.10","smtp_to":["a@example.com","b@example.com","?"]}`
	r := Parse([]byte("From: a@example.com\nContent-Type: application/json\n\n" + report))
	if records := r.Records(Envelope{}); len(records) != 2 || records[1].OriginalRcptTo != "b@example.com" || !slices.Equal(r.Extensions["original-rcpt-to"], []string{"?"}) {
		t.Errorf("%q %v", r.OriginalRcptTo, r.Extensions)
	}
}

// TestXARFWriters: the well-known writers of X-ARF by their domains, each in its
// own form.
func TestXARFWriters(t *testing.T) {
	for from, c := range map[string]struct{ head, text, want string }{
		"takedown-response+1@netcraft.com": {"X-Arf: yes\n", "---\nAttachment: none\nCategory: fraud\nDate: 2026-07-06T09:58:12+00:00\nDomain: news.example.net\nPort: 80\nReport-ID: takedown-response+1@netcraft.com\nReport-Type: phishing\n" +
			"Reported-From: takedown@netcraft.com\nService: http\nSource: http://news.example.net/x?a=b#c\nSource-Type: uri\n", "xarf-netcraft netcraft.com phishing http://news.example.net/x?a=b#c"},
		"autogenerated@blocklist.de": {"X-XARF: PLAIN\n", "---\nReported-From: abuse-team@blocklist.de\nCategory: abuse\nReport-Type: regbot\nService: regbot\nVersion: 0.2\nUser-Agent: Fail2BanFeedBackScript blocklist.de V0.2\n" +
			"Date: Mon, 06 Jul 2026 11:58:12 +0200\nSource-Type: ip-address\nSource: 192.0.2.10\nPort: 80\nReport-ID: 1@blocklist.de\n", "xarf-blocklistde blocklist.de regbot 192.0.2.10"},
		"abuse@clean-mx.de": {"X-Arf:  yes\n", "---\nReported-From:  abuse@clean-mx.de\nCategory:  info\nReport-Type: harvesting\nVersion: 0.1\nDate:  Sun, 07 Jun 2026 21: 09:11 +0200\nSource-Type:  ip-address\nSource: 192.0.2.10\n" +
			"Report-ID:  1@postfix.clean-mx.de\nSchema-URL: http: //support.clean-mx.de/schema/xarf.json\n", "xarf-cleanmx clean-mx.de harvesting 192.0.2.10"},
	} {
		r := Parse([]byte("From: Team <" + from + ">\nAuto-Submitted: auto-generated\n" + c.head + "Content-Type: multipart/mixed; boundary=\"b\";\n\n--b\nContent-Type: text/plain; charset=utf-8;\n\nDear team,\n\nhttp: //www.x-arf.org/\n\n" +
			"--b\nContent-Type: text/plain; charset=utf8; name=\"report.txt\";\n\n" + c.text + "\n--b\nContent-Type: text/plain; name=\"logfile.log\"\n\nx\n--b--\n"))
		records := r.Records(Envelope{})
		if len(records) != 1 {
			t.Errorf("%s: %s", from, r.Kind)
			continue
		}
		rec := records[0]
		if got := strings.Join([]string{rec.Dialect, rec.Provider, r.extension("report-type"), rec.SourceIP + strings.Join(rec.ReportedURI, "")}, " "); got != c.want || rec.Class != ClassNetwork || rec.Event != Complaint {
			t.Errorf("%s: %s %s, want %s", from, got, rec.Class, c.want)
		}
	}
}

// TestXARFClass: a network's watchman speaks, unless the report is of spam.
func TestXARFClass(t *testing.T) {
	for _, c := range []struct{ report, by, want string }{
		{"login-attack", "", "network"}, {"phishing", "user_complaint", "network"}, {"spamvertised", "", "network"},
		{"Spam", "Trap", "trap"}, {"spam", "spamtrap", "trap"}, {"spam", "automated_filter", "filter"}, {"SPAM", "Complaint", "service"}, {"spam", "", "service"},
	} {
		p := parser{r: &Report{}}
		if p.xarfClass(c.report, c.by); string(p.r.Class) != c.want || p.r.Event != Complaint {
			t.Errorf("%s by %s: %s, want %s", c.report, c.by, p.r.Class, c.want)
		}
	}
}

func TestSalvageLimits(t *testing.T) {
	nested := "From: jo@example.com\nContent-Type: message/rfc822\n\n"
	for name, message := range map[string]string{
		"mails within mails":  strings.Repeat(nested, 20_000),
		"attached mails":      "From: jo@example.com\nContent-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\nContent-Type: message/rfc822\n\nFrom: a@example.com\n\n", 20_000),
		"a long header":       strings.Repeat("X-A: "+strings.Repeat("x", 100)+"\n", 9_000) + nested + nested + "x",
		"X-ARF without end":   "From: jo@example.com\nX-ARF: yes\n\nReport-Type: x\n" + strings.Repeat("Source: x\n", 1<<18),
		"labels without end":  "From: jo@example.com\n\n" + strings.Repeat("Sender Domain: a\n", 1<<18),
		"SpamCop without end": "From: a@spamcop.net\n\n" + strings.Repeat("Spamvertised web site: https://a\n", 1<<18),
		"tags":                "From: noreply@example.com\nSubject: " + strings.Repeat("[a] ", 1<<18) + "\n\nspam",
		"addresses":           "From: noreply@example.com\nSubject: spam\n\n" + strings.Repeat("1.1.1.x:", 1<<16),
		"tags of HTML":        "From: noreply@example.com\nSubject: spam\nContent-Type: text/html\n\n" + strings.Repeat("<script><td", 1<<16),
		"prefixes":            "From: staff@hotmail.com\nSubject: " + strings.Repeat("FW: ", 1<<17) + "\n\nx",
	} {
		t.Run(name, func(t *testing.T) { timed(t, message).Records(Envelope{}) })
	}
}

// TestFlattened: a program that makes one text of a message keeps its fields, and
// they are read; what a person quotes is not.
func TestFlattened(t *testing.T) {
	const text = "Request 1 was acted upon.\n Transaction: Ticket created by fbl@example.com\n\nThis is an email abuse report.\n\n" +
		"Feedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\nSource-IP: 192.0.2.10\nOriginal-Rcpt-To: user@example.com\n\n" +
		"Return-Path: <bounce@news.example.net>\nFrom: News <news@news.example.net>\nSubject: July\nMessage-ID: <1@news.example.net>\n\nHello\n"
	for from, want := range map[string]Kind{
		"From: fbl@example.com\nSubject: FW: July\n\n":                                                         KindReport,
		"From: desk@example.com\nX-RT-Originator: fbl@example.com\nSubject: [desk #1] FW: July\n\n":            KindReport,
		"From: noreply@example.com\nSubject: Abuse report\nContent-Type: text/plain; charset=utf-8\n\n":        KindReport,
		"From: jo@example.com\nSubject: Fwd: FW: July\n\n":                                                     KindOther,
		"From: MAILER-DAEMON@example.com\nSubject: failure notice\n\n":                                         KindDSN,
		"From: fbl@example.com\nSubject: Out of office: FW: July\nAuto-Submitted: auto-replied\n\n":            KindAutoReply,
		"From: fbl@example.com\nSubject: Re: FW: July\n\n> " + strings.ReplaceAll(text, "\n", "\n> ") + "\n\n": KindReport, // its own copy is below
	} {
		r := Parse([]byte(from + text))
		records := r.Records(Envelope{})
		if r.Kind != want || (len(records) > 0) != (want == KindReport) {
			t.Errorf("%q: %s, want %s", from, r.Kind, want)
			continue
		}
		if want == KindReport && (records[0].SourceIP != "192.0.2.10" || records[0].OriginalRcptTo != "user@example.com" || records[0].Original == nil || records[0].Original.MessageID != "1@news.example.net") {
			t.Errorf("%q: %+v", from, records[0])
		}
	}
	indented := strings.NewReplacer("\nFeedback", "\n    Feedback", "\nUser", "\n    User", "\nVersion", "\n    Version", "\nSource", "\n    Source", "\nOriginal", "\n    Original").Replace(text)
	if r := Parse([]byte("From: noreply@example.com\nSubject: Abuse report\n\n" + indented)); r.Kind != KindReport || r.SourceIP != "192.0.2.10" || len(r.OriginalRcptTo) != 1 || r.Original == nil {
		t.Errorf("indented: %s %+v", r.Kind, r)
	}
	quoted := Parse([]byte("From: fbl@example.com\nSubject: Re: July\n\n> " + strings.ReplaceAll(text, "\n", "\n> ")))
	if quoted.Kind != KindNotice {
		t.Errorf("quoted: %s", quoted.Kind)
	}
}

// TestNoHeader: a message that begins with a boundary is read by it.
func TestNoHeader(t *testing.T) {
	const body = "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\nSource-IP: 192.0.2.10\n--b--\n"
	for message, want := range map[string]Kind{
		body: KindReport,
		"From: fbl@example.com\nSubject: x\n\n" + body:                                  KindReport,
		"From: fbl@example.com\nSubject: x\nContent-Type: text/plain\n\n" + body:        KindReport, // its fields are in the text
		"From: MAILER-DAEMON@example.com\nSubject: failure notice\n\nSorry.\n\n" + body: KindDSN,
		"From: MAILER-DAEMON@example.com\nSubject: failure notice\n\n" + body:           KindDSN,
	} {
		if r := Parse([]byte(message)); r.Kind != want {
			t.Errorf("%q: %s, want %s", message, r.Kind, want)
		}
	}
}
