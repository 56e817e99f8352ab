package report

import (
	"encoding/base64"
	"strings"
	"testing"
)

// wrapped is a message with a text and another message attached.
func wrapped(head, text string) string {
	return "From: Jo <jo@example.net>\nTo: abuse@example.com\nDate: Mon, 06 Jul 2026 10:00:00 +0000\nMessage-ID: <w@example.net>\n" + head +
		"\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"w w\"\n\n--w w\nContent-Type: text/plain; charset=utf-8\n\n" + text +
		"\n--w w\nContent-Type: message/rfc822\nContent-Disposition: attachment\n\nReceived: from a.example.org ([192.0.2.25]) by mx.example.net; Mon, 06 Jul 2026 09:00:00 +0000\nFrom: news@example.org\nTo: jo@example.net\nSubject: July\nMessage-ID: <o@example.org>\n\nHello\n--w w--\n"
}

// TestForwardsThatDeny: a person who sends a message on because a filter took it
// for spam complains of the filter; one who calls it spam complains of it.
func TestForwardsThatDeny(t *testing.T) {
	for _, text := range []string{
		"Your filter marked this as spam, but it is legitimate mail.",
		"This is not spam.",
		"Hi,\n\nthis isn't spam!\n\nJo",
		"this isn’t a spam message",
		"Please whitelist this sender, it went to junk.",
		"It's no junk mail, I subscribed to it.",
		"False positive: landed in spam.",
		"You wrongly classified this mail as spam.",
		"The attached was flagged as spam by mistake.",
		"this should not have been marked as\nspam",
		"I accidentally reported this as spam. Sorry.",
		"It was incorrectly moved to my junk folder.",
		"Don't mark this as spam.",
		"Das ist kein Spam.",
		"Kein Spam! Gehört in den Posteingang.",
		"Keine Werbung, sondern eine Rechnung (Spam-Ordner)",
		"Nicht Spam.",
		"Im Spam gelandet. Bitte den Absender auf die Whitelist setzen.",
		"Hallo,\ndiese Nachricht ist keine Spam-Mail, bitte freigeben.",
		"Die Mail wurde fälschlicherweise als Spam eingestuft.",
		"Die Mail wurde irrtuemlich als Spam markiert",
		"Das wurde zu Unrecht als Spam aussortiert.",
		"Spam-Filter: Fehlalarm",
		"Gewünschter Newsletter im Spam, bitte diese Nachricht freigeben",
		"Por favor desbloquear: está en spam",
		"Could you please release it? It is in the spam quarantine.",
		"Der Spamfilter hat sie einsortiert, aber es ist ein erwünschter Newsletter.",
		"Es handelt sich nicht um Spam: bitte nicht mehr als Spam markieren",
		"Ce n'est pas du spam.",
		"Ce message n’est pas un pourriel",
		"Ceci n'est pas un courrier indésirable.",
		"Ce courriel a été classé à tort comme spam.",
		"Message signalé par erreur comme indésirable (spam).",
		"Faux positif de votre filtre anti-spam",
		"Votre filtre l'a pris pour du spam, mais c'est un message légitime.",
		"Esto no es spam.",
		"No es correo basura, por favor desbloquear",
		"Este mensaje no es correo no deseado",
		"Fue marcado como spam por error.",
		"Es un falso positivo del filtro de spam",
		"Su filtro lo considera spam, pero es un correo legítimo.",
	} {
		for name, message := range map[string]string{
			"text":   wrapped("Subject: Fwd: spam?", text),
			"CRLF":   strings.ReplaceAll(wrapped("Subject: Fwd: spam?", text), "\n", "\r\n"),
			"base64": strings.Replace(wrapped("Subject: Fwd: spam?", "@"), "utf-8\n\n@", "utf-8\nContent-Transfer-Encoding: base64\n\n"+base64Lines(text), 1),
			"HTML":   strings.Replace(wrapped("Subject: Fwd: spam?", "<p>"+text+"</p>"), "text/plain", "text/html", 1),
		} {
			if r := Parse([]byte(message)); len(r.Records(Envelope{})) != 0 {
				t.Errorf("%s: %q: %s %s, want no record", name, text, r.Kind, r.event())
			}
		}
	}
	for _, text := range []string{
		"This is spam.",
		"I did not request this spam. Not legitimate at all.",
		"This is not a legitimate newsletter, it is spam.",
		"This is not a false positive. It is spam.",
		"Looks like a legitimate message but it's phishing",
		"Why was this not marked as spam?",
		"This spam was wrongly classified as legitimate.",
		"Please do not spam me.",
		"I never subscribed: junk, see http://not-spam.example/legitimate/false-positive",
		"This mail was not flagged as spam by the filter, but spam it is.",
		"Das ist Spam, kein legitimer Newsletter.",
		"Kein Spam bitte! Ich will das nicht.",
		"Keine Spams mehr!",
		"Bitte keine Spam-Mails mehr! Beschwerde.",
		"Spam: nicht erwünscht, ich habe keine Werbung bestellt.",
		"Die Mail ist unerwünscht.",
		"Ceci est un spam, ce n'est pas un message légitime.",
		"Courrier indésirable, non sollicité.",
		"Spam. Je ne veux plus de spam.",
		"Esto es spam, no es un correo legítimo.",
		"Correo no deseado y no solicitado.",
		"Esto es correo basura. Parece legítimo.",
	} {
		r := Parse([]byte(wrapped("Subject: Fwd: July", text)))
		if records := r.Records(Envelope{}); len(records) != 1 || records[0].Event != Complaint || records[0].Class != ClassService {
			t.Errorf("%q: %s, want a complaint of class service", text, r.Kind)
		}
	}
}

// TestUserReports: what mail servers send for a user's click.
func TestUserReports(t *testing.T) {
	for name, c := range map[string]struct {
		head, text string
		event      Event
		dialect    string
	}{
		"Zimbra, ham":                  {"Subject: zimbra-spam-report: jo@example.net: ham\nX-Zimbra-Spam-Report-Type: ham", "Classified-As: ham\n", NotSpam, "zimbra"},
		"Zimbra, spam":                 {"Subject: zimbra-spam-report: jo@example.net: spam\nX-Zimbra-Spam-Report-Type: spam", "Classified-As: spam\n", Complaint, "zimbra"},
		"Zimbra, by its subject alone": {"Subject: Zimbra-Spam-Report: jo@example.net: HAM", "", NotSpam, "zimbra"},
		"Microsoft 365, junk":          {"Subject: 1|July", "", Complaint, "m365-user"},
		"Microsoft 365, not junk":      {"Subject: 2|July", "", NotSpam, "m365-user"},
		"Microsoft 365, phishing":      {"Subject: 3|July", "", Complaint, "m365-user"},
		"Microsoft 365, no title":      {"Subject: 3|", "", Complaint, "m365-user"},
		"Microsoft 365, encoded":       {"Subject: =?utf-8?B?" + base64.StdEncoding.EncodeToString([]byte("1|Jüli | spam")) + "?=", "", Complaint, "m365-user"},
		"a number that is none":        {"Subject: 4|July", "", "", ""},
		"two digits":                   {"Subject: 12|July", "", "", ""},
		"a bar later":                  {"Subject: July 1|2", "", "", ""},
		"a Zimbra type of its own":     {"Subject: July\nX-Zimbra-Spam-Report-Type: other", "", "", ""},
		"a person to the ham address":  {"To: not-spam@example.net\nSubject: Fwd: spam", "", "", ""},
	} {
		message := wrapped(c.head, c.text)
		if strings.HasPrefix(c.head, "To:") {
			message = strings.Replace(message, "To: abuse@example.com\n", "", 1)
		}
		r := Parse([]byte(message))
		records := r.Records(Envelope{})
		if c.event == "" {
			if len(records) > 0 {
				t.Errorf("%s: %s %s", name, r.Kind, records[0].Dialect)
			}
			continue
		}
		if len(records) != 1 || records[0].Event != c.event || records[0].Dialect != c.dialect || records[0].Class != ClassService || records[0].Original == nil || records[0].Original.MessageID != "o@example.org" {
			t.Errorf("%s: %s %+v", name, r.Kind, records)
		}
	}
	two := strings.Replace(wrapped("Subject: zimbra-spam-report: jo@example.net: ham\nX-Zimbra-Spam-Report-Type: ham", ""), "--w w--", "--w w\nContent-Type: message/rfc822\n\nFrom: b@example.org\nMessage-ID: <second@example.org>\n\nx\n--w w--", 1)
	if records := Parse([]byte(two)).Records(Envelope{}); len(records) != 2 || records[1].Event != NotSpam || records[1].Original.MessageID != "second@example.org" || records[1].Parse.Status != "ok" {
		t.Errorf("two messages: %+v", records)
	}
	if r := Parse([]byte("From: jo@example.net\nSubject: 1|July\n\nnothing attached\n")); r.Kind != KindOther {
		t.Errorf("nothing attached: %s", r.Kind)
	}
}

const quotable = "[ SpamCop V5.3.0 ]\nEmail from 192.0.2.25 / Mon, 06 Jul 2026 08:00:00 +0000\n\n[ Offending message ]\nFrom: News <news@example.com>\nSubject: July\nMessage-ID: <o17@example.com>\n\nHello\n"

func quoteLines(text, mark string) string {
	return mark + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+mark) + "\n"
}

// TestQuoted: reports are read through one level of quoting, and say so; what
// answers one is none.
func TestQuoted(t *testing.T) {
	const head = "From: Desk <desk@example.com>\nSubject: [Ticket 4711] [SpamCop (192.0.2.25) id:70] July\nDate: Mon, 06 Jul 2026 10:00:00 +0000\nMessage-ID: <t@example.com>\n"
	const dmarc = "A message claiming to be from you has failed the published DMARC\npolicy for your domain.\n\n  Sender Domain: example.com\n  Sender IP Address: 192.0.2.77\n  Received Date: Mon, 06 Jul 2026 09:16:08 +0100\n  SPF Alignment: no\n  DKIM Alignment: no\n  DMARC Results: Reject\n\n------ This is a copy of the headers that were received before the error\n       was detected.\n\nFrom: Boss <boss@example.com>\nSubject: urgent\nMessage-ID: <evil@example.com>\nDate: Mon, 06 Jul 2026 09:16:00 +0100\n\n"
	const ses = `{"notificationType":"Complaint","complaint":{"complaintFeedbackType":"abuse","complainedRecipients":[{"emailAddress":"user@example.net"}]}}` + "\n"
	for name, c := range map[string]struct{ message, dialect, id string }{
		"SpamCop":                      {head + "\nOn Mon, 6 Jul 2026, 70@reports.spamcop.net wrote:\n\n" + quoteLines(quotable, "> "), "spamcop-plain", "o17@example.com"},
		"SpamCop, no blank":            {head + "\n" + quoteLines(quotable, ">"), "spamcop-plain", "o17@example.com"},
		"SpamCop, in quoted-printable": {head + "Content-Transfer-Encoding: quoted-printable\n\n" + strings.ReplaceAll(quoteLines(quotable, "> "), "> F", "=3E F"), "spamcop-plain", "o17@example.com"},
		"SpamCop, in base64":           {head + "Content-Transfer-Encoding: base64\n\n" + base64Lines(quoteLines(quotable, "> ")), "spamcop-plain", "o17@example.com"},
		"SpamCop, one of two parts":    {head + "Content-Type: multipart/alternative; boundary=a\n\n--a\nContent-Type: text/plain\n\n" + quoteLines(quotable, "> ") + "--a\nContent-Type: text/html\n\n<p>x\n--a--\n", "spamcop-plain", "o17@example.com"},
		"SpamCop, attached":            {"From: jo@example.com\nSubject: FW\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\nsee\n--a\nContent-Type: message/rfc822\n\n" + head + "\n" + quoteLines(quotable, "> ") + "--a--\n", "spamcop-plain", "o17@example.com"},
		"DMARC":                        {"From: jo@example.com\nSubject: Fwd: DMARC Forensic Report\n\nfyi\n\n" + quoteLines(dmarc, "> "), "dmarc-plaintext", "evil@example.com"},
		"SES":                          {"From: jo@example.com\nSubject: Fwd: AWS Notification Message\n\nfyi\n\n" + quoteLines(ses, "> "), "ses-json", ""},
		"SES, over several lines":      {"From: jo@example.com\nSubject: Fwd: AWS Notification Message\n\n" + quoteLines(strings.ReplaceAll(ses, ",", ",\n "), "> "), "ses-json", ""},
	} {
		for ending, message := range map[string]string{"LF": c.message, "CRLF": strings.ReplaceAll(c.message, "\n", "\r\n")} {
			r := Parse([]byte(message))
			records := r.Records(Envelope{})
			if len(records) != 1 || records[0].Dialect != c.dialect || r.Kind != KindReport {
				t.Errorf("%s, %s: %s %v", name, ending, r.Kind, r.Problems)
				continue
			}
			if c.id != "" && (r.Original == nil || r.Original.MessageID != c.id) {
				t.Errorf("%s, %s: original %+v", name, ending, r.Original)
			}
			if !strings.Contains(strings.Join(records[0].Parse.Warnings, "\n"), "quoted") {
				t.Errorf("%s, %s: no warning of it: %v", name, ending, records[0].Parse.Warnings)
			}
		}
	}
	for name, message := range map[string]string{
		"an answer to SpamCop": strings.Replace(head, "Subject: ", "Subject: Re: ", 1) + "\nWe have stopped him.\n\n" + quoteLines(quotable, "> "),
		"a ticket's answer":    strings.Replace(head, "4711] ", "4711] AW: ", 1) + "\nErledigt.\n\n" + quoteLines(quotable, "> "),
		"two levels":           "From: jo@example.com\nSubject: Fwd: DMARC\n\n" + quoteLines(dmarc, "> > "),
		"a person's quotation": "From: jo@example.com\nSubject: lunch\n\n> Email from you came late.\n> Sender Domain: what is it?\n\nYes.\n",
	} {
		if r := Parse([]byte(message)); len(r.Records(Envelope{})) > 0 {
			t.Errorf("%s: %s %s, want no record", name, r.Kind, r.dialect())
		}
	}
}

// TestSESEnvelopes: the same event, whatever service passes it on.
func TestSESEnvelopes(t *testing.T) {
	const event = `{"eventType":"Complaint","mail":{"source":"news@example.com","destination":["user@example.net"],"headers":[{"name":"From","value":"news@example.com"},{"name":"Message-ID","value":"<m1@example.com>"}]},"complaint":{"complainedRecipients":[{"emailAddress":"user@example.net"}],"complaintFeedbackType":"abuse","arrivalDate":"2026-07-06T09:59:00.000Z"}}`
	text := `"` + strings.ReplaceAll(event, `"`, `\"`) + `"`
	for name, body := range map[string]string{
		"the event itself":              event,
		"EventBridge":                   `{"version":"0","detail-type":"Email Complaint Received","source":"aws.ses","time":"2026-07-06T10:00:00Z","detail":` + event + `}`,
		"EventBridge, no type in it":    `{"detail-type":"Email Complaint Received","source":"aws.ses","detail":` + strings.Replace(event, `"eventType":"Complaint",`, "", 1) + `}`,
		"EventBridge, capitals":         `{"Detail-Type":"Email Complaint Received","Detail":` + event + `}`,
		"SNS, a text":                   `{"Type":"Notification","TopicArn":"arn:x","Message":` + text + `}`,
		"SNS, an object":                `{"Type":"Notification","TopicArn":"arn:x","Message":` + event + `}`,
		"EventBridge within SNS":        `{"Type":"Notification","TopicArn":"arn:x","Message":{"detail-type":"Email Complaint Received","detail":` + event + `}}`,
		"a queue's":                     `{"messageId":"1","body":` + text + `,"attributes":{"eventType":"x"}}`,
		"a function's":                  `{"Records":[{"EventSource":"aws:sns","Sns":{"TopicArn":"arn:x","Message":` + text + `}}]}`,
		"an array":                      `[` + event + `]`,
		"an array on a line of its own": "[\n  " + event + "\n]",
	} {
		message := "From: no-reply@sns.amazonaws.com\nSubject: AWS Notification Message\nDate: Mon, 06 Jul 2026 10:00:00 +0000\n\n" + body + "\n\n--\nIf you wish to stop receiving notifications from this topic, please click or visit the link below to unsubscribe:\nhttps://sns.us-east-1.amazonaws.com/unsubscribe.html?x\n"
		r := Parse([]byte(message))
		if r.Kind != KindReport || len(r.OriginalRcptTo) != 1 || r.OriginalRcptTo[0] != "user@example.net" || r.FeedbackType != "abuse" || r.Original == nil || r.Original.MessageID != "m1@example.com" {
			t.Errorf("%s: %s %v %v", name, r.Kind, r.OriginalRcptTo, r.Problems)
		}
	}
	for name, c := range map[string]struct {
		body string
		want Kind
	}{
		"a bounce":           {`{"detail-type":"Email Bounced","source":"aws.ses","detail":{"eventType":"Bounce","bounce":{}}}`, KindDSN},
		"a bounce by name":   {`{"detail-type":"Email Bounced","source":"aws.ses","detail":{"mail":{}}}`, KindDSN},
		"a delivery":         {`{"detail-type":"Email Delivered","source":"aws.ses","detail":{"eventType":"Delivery"}}`, KindNotice},
		"another's event":    {`{"detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","detail":{"state":"stopped"}}`, KindNotice},
		"an alarm in an SNS": {`{"Type":"Notification","TopicArn":"arn:x","Message":{"AlarmName":"complaints"}}`, KindNotice},
	} {
		if r := Parse([]byte("From: no-reply@sns.amazonaws.com\n\n" + c.body + "\n")); r.Kind != c.want {
			t.Errorf("%s: %s, want %s", name, r.Kind, c.want)
		}
	}
}

// TestSESEvents: each complaint of a message makes its records, wherever in it the
// events stand.
func TestSESEvents(t *testing.T) {
	event := func(kind, user string) string {
		return `{"eventType":"` + kind + `","mail":{"source":"news@example.com","headers":[{"name":"Message-ID","value":"<` + user + `@example.com>"}]},"complaint":{"complainedRecipients":[{"emailAddress":"` + user + `@example.net"}],"complaintFeedbackType":"abuse"}}`
	}
	text := func(object string) string { return `"` + strings.ReplaceAll(object, `"`, `\"`) + `"` }
	function := func(object string) string {
		return `{"EventSource":"aws:sns","Sns":{"TopicArn":"arn:x","Message":` + text(object) + `}}`
	}
	a, b, c, bounce := event("Complaint", "a"), event("Complaint", "b"), event("Complaint", "c"), `{"eventType":"Bounce","bounce":{}}`
	const plain = "Content-Type: text/plain\n\n"
	attached := func(head, body string) string {
		return "Content-Type: multipart/mixed; boundary=w\n\n--w\n" + plain + "see the file\n--w\n" + head + "\n\n" + body + "\n--w--\n"
	}
	for name, test := range map[string]struct{ body, want string }{
		"a function's":                {plain + `{"Records":[` + function(a) + "," + function(b) + "," + function(c) + `]}`, "a b c"},
		"a queue's":                   {plain + `{"Messages":[{"MessageId":"1","Body":` + text(a) + `},{"MessageId":"2","Body":` + text(b) + `}]}`, "a b"},
		"an array":                    {plain + "[" + a + ",\n" + b + "]", "a b"},
		"one a line":                  {plain + a + "\n" + b + "\n" + c + "\n\n--\nIf you wish to stop, see https://sns.example.com/\n", "a b c"},
		"a bounce first":              {plain + `{"Records":[` + function(bounce) + "," + function(b) + `]}`, "b"},
		"a bounce between":            {plain + a + "\n" + bounce + "\n" + c, "a c"},
		"JSON attached":               {attached("Content-Type: application/json", a), "a"},
		"JSON attached, by name":      {attached("Content-Type: application/octet-stream; name=Event.JSON\nContent-Transfer-Encoding: base64", base64Lines(a+"\n"+b)), "a b"},
		"EventBridge's attached":      {attached("Content-Type: application/json; name=e.json", `{"detail-type":"Email Complaint Received","detail":`+b+`}`), "b"},
		"two files":                   {strings.Replace(attached("Content-Type: application/json", a), "--w--", "--w\nContent-Type: application/json; name=b.json\n\n"+b+"\n--w--", 1), "a b"},
		"a bounce, a file":            {strings.Replace(attached("Content-Type: application/json", a), "see the file", bounce, 1), "a"},
		"the text, and the same file": {strings.Replace(attached("Content-Type: application/json", a), "see the file", a+"\n\n--\nIf you wish to stop", 1), "a"},
		"only bounces":                {plain + bounce + "\n" + bounce, ""},
		"bounces attached":            {attached("Content-Type: application/json", bounce), ""},
		"another's events attached":   {attached("Content-Type: application/json", `{"eventType":"login","user":"a"}`), ""},
		"a person's braces behind it": {plain + a + "\n{not JSON\n", "a"},
	} {
		for ending, body := range map[string]string{"LF": test.body, "CRLF": strings.ReplaceAll(test.body, "\n", "\r\n")} {
			r := Parse([]byte("From: no-reply@sns.amazonaws.com\nSubject: AWS Notification Message\nDate: Mon, 06 Jul 2026 10:00:00 +0000\n" + body))
			var got []string
			for _, rec := range r.Records(envelope) {
				user, _, _ := strings.Cut(rec.OriginalRcptTo, "@")
				got = append(got, user)
				if rec.Dialect != "ses-json" || rec.Event != Complaint || rec.Complainant != Named || rec.Original == nil || rec.Original.MessageID != user+"@example.com" {
					t.Errorf("%s, %s: %s %s %s %+v", name, ending, rec.Dialect, rec.Event, rec.Complainant, rec.Original)
				}
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("%s, %s: %s of %v, want %s", name, ending, r.Kind, got, test.want)
			}
		}
	}
}

// TestTypedAsBounce: a part of a report's own type makes a report, whatever
// report-type says; nothing else does.
func TestTypedAsBounce(t *testing.T) {
	const part = "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\nOriginal-Rcpt-To: user@example.com\n"
	message := func(typ, parts string) []byte {
		return []byte("From: fbl@example.com\nSubject: report\nMessage-ID: <1@example.com>\nContent-Type: multipart/report; report-type=" + typ + "; boundary=b\n\n--b\nContent-Type: text/plain\n\nnotice\n--b\n" + parts + "--b--\n")
	}
	for _, typ := range []string{"delivery-status", `"Delivery-Status"`, "global-delivery-status", "disposition-notification", "tlsrpt"} {
		if r := Parse(message(typ, part)); r.Kind != KindReport || len(r.OriginalRcptTo) != 1 {
			t.Errorf("%s: %s", typ, r.Kind)
		}
		if r := Parse(message(typ, strings.ReplaceAll(part, "\nFeedback", "\r\nFeedback"))); r.Kind != KindReport {
			t.Errorf("%s, mixed line ends: %s", typ, r.Kind)
		}
	}
	for name, parts := range map[string]string{
		"a bounce":                         "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com\n",
		"a bounce of a report":             "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com\n--b\nContent-Type: message/rfc822\n\nFrom: fbl@example.com\nContent-Type: multipart/report; report-type=feedback-report; boundary=c\n\n--c\n" + part + "--c--\n",
		"a bounce with a report in a text": "Content-Type: text/plain\n\nFeedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\nSource-IP: 192.0.2.1\n",
	} {
		if r := Parse(message("delivery-status", parts)); r.Kind != KindDSN {
			t.Errorf("%s: %s", name, r.Kind)
		}
	}
}

// TestHmXmr: the recipient stands in the original's header, by Microsoft's word.
func TestHmXmr(t *testing.T) {
	message := func(fields, original string) []byte {
		return []byte("From: staff@hotmail.com\nMessage-ID: <1@example.com>\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: JMRP/1.0\nVersion: 0.1\n" + fields + "--b\nContent-Type: message/rfc822\n\n" + original + "From: news@example.com\nMessage-ID: <o@example.com>\n\nx\n--b--\n")
	}
	for name, c := range map[string]struct{ fields, original, want string }{
		"named":               {"", "X-HmXmrOriginalRecipient: user@hotmail.com\n", "user@hotmail.com"},
		"folded, in brackets": {"", "X-HMXMRORIGINALRECIPIENT:\n <user@hotmail.com>\n", "user@hotmail.com"},
		"the report's word":   {"Original-Rcpt-To: other@hotmail.com\n", "X-HmXmrOriginalRecipient: user@hotmail.com\n", "other@hotmail.com"},
		"two, the upper one":  {"", "X-HmXmrOriginalRecipient: user@hotmail.com\nX-HmXmrOriginalRecipient: own@example.com\n", "user@hotmail.com"},
		"blotted out":         {"", "X-HmXmrOriginalRecipient: xxx@hotmail.com\n", ""},
		"another field":       {"", "Delivered-To: user@hotmail.com\nX-Original-To: user@hotmail.com\n", ""},
	} {
		r := Parse(message(c.fields, c.original))
		if got := strings.Join(r.OriginalRcptTo, " "); r.Kind != KindReport || got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if derived := r.Derived["original_rcpt_to"]; (derived == "original:X-HmXmrOriginalRecipient") != (c.want == "user@hotmail.com") {
			t.Errorf("%s: derived from %q", name, derived)
		}
	}
}

// TestOwnFilter: what a filter tells the administrator of its own server.
func TestOwnFilter(t *testing.T) {
	const amavis = "\n\nContent type: %s\nInternal reference code for the message is 1/A1\n\nFirst upstream SMTP client IP address: [192.0.2.153] mx1.example.org\nAccording to a 'Received:' trace, the message apparently originated at:\n  [192.0.2.153], [127.0.0.1]\n\nThe message has been quarantined as: spam-1.gz\n"
	headers := "\n--w\nContent-Type: text/rfc822-headers\n\nReceived: from mx1.example.org by spam.example.com; Mon, 06 Jul 2026 09:00:00 +0000\nFrom: user@example.org\nSubject: XYZ\nMessage-ID: <5@example.org>\n\n--w--\n"
	for name, c := range map[string]struct{ from, to, subject, text string }{
		"unchecked":          {`"Content-filter at spam.example.com" <postmaster@example.com>`, "root@lists.example.com", "UNCHECKED contents in mail FROM [192.0.2.153]:55555 <user@example.org>", "No virus found." + amavis},
		"spam":               {`"Content-filter at spam.example.com" <postmaster@example.com>`, "spam@example.com", "SPAM FROM [192.0.2.153]:55555 <user@example.org>", "Unsolicited bulk email from: user@example.org" + amavis},
		"a virus":            {`Content-filter at mx <virusalert@example.com>`, "admin@example.com", "VIRUS (Eicar-Test-Signature) in mail FROM [192.0.2.153]:1", "A virus was found: Eicar" + amavis},
		"a banned file":      {`amavisd-new <amavis@mail.example.com>`, "postmaster@example.com", "BANNED contents (.exe) in mail FROM [192.0.2.153]", "Banned name: .exe" + amavis},
		"MailScanner":        {`MailScanner <postmaster@example.com>`, "postmaster@example.com", "Warning: E-mail viruses detected", "The following e-mails were found to have: Virus Detected\n\nSender: user@example.org\nIP Address: 192.0.2.153\nRecipient: reader@example.com\nReport: Eicar virus\n"},
		"Exchange's":         {`Mail Security <administrator@example.com>`, "it@example.com", "Malware detected", "Symantec Mail Security for Exchange found a virus.\n\nSource: 192.0.2.153\nThreat: Eicar virus\nSender: user@example.org\n"},
		"another quarantine": {`Mail gateway <postmaster@example.com>`, "postmaster@mail.example.com", "Malware detected in mail 4711", "A malicious message was quarantined.\n\nSource: 192.0.2.153\nSender: user@example.org\nVirus: Eicar\n"},
	} {
		message := "From: " + c.from + "\nTo: " + c.to + "\nDate: Mon, 06 Jul 2026 10:00:00 +0000\nMessage-ID: <1@spam.example.com>\nSubject: " + c.subject + "\nContent-Type: multipart/mixed; boundary=w\n\n--w\nContent-Type: text/plain\n\n" + c.text + headers
		for ending, message := range map[string]string{"LF": message, "CRLF": strings.ReplaceAll(message, "\n", "\r\n")} {
			if r := Parse([]byte(message)); len(r.Records(Envelope{})) > 0 {
				t.Errorf("%s, %s: %s %s, want no record", name, ending, r.Kind, r.Class)
			}
		}
	}
	// A person's complaint is one, whatever a filter writes below it.
	footer := wrapped("Subject: Fwd: July", "This is spam.\n\n-- \nThis message was quarantined once; checked by ClamAV.")
	if r := Parse([]byte(strings.Replace(footer, "abuse@example.com", "abuse@example.net", 1))); len(r.Records(Envelope{})) != 1 {
		t.Errorf("a filter's footer: %s", r.Kind)
	}
	// Another's gateway accuses.
	other := "From: Mail gateway <postmaster@example.net>\nTo: abuse@example.com\nSubject: Malware from your network, case 4711\n\nA malicious message from your server was quarantined.\n\nSource: 192.0.2.153\n"
	if r := Parse([]byte(other)); r.Kind != KindUnparsed || r.Class != ClassNetwork {
		t.Errorf("another's gateway: %s", r.Kind)
	}
}

// TestFilterWraps: what a filter puts into a message of its own, for the reader of
// its server, is judged as if it stood there alone.
func TestFilterWraps(t *testing.T) {
	const spamAssassin = "Spam detection software, running on the system \"mx.example.com\",\nhas identified this incoming email as possible spam.  The original message\nhas been attached to this so you can view it.\n\nContent analysis details:   (9.1 points, 5.0 required)\n"
	wrap := func(typ, words, inner string) string {
		from, _, _ := strings.Cut(inner[strings.Index(inner, "From: "):], "\n")
		return from + "\nTo: fbl@example.com\nSubject: *****SPAM***** July\nDate: Mon, 06 Jul 2026 10:00:00 +0000\nX-Spam-Flag: YES\nContent-Type: multipart/mixed; boundary=\"----------=_W\"\n\n------------=_W\nContent-Type: text/plain\n\n" + words +
			"\n------------=_W\nContent-Type: " + typ + "\nContent-Description: original message before SpamAssassin\n\n" + inner + "\n------------=_W--\n"
	}
	const spam = "Received: from a.example.org ([192.0.2.25]) by mx.example.com; Mon, 06 Jul 2026 09:00:00 +0000\nFrom: news@example.org\nTo: fbl@example.com\nSubject: July\nMessage-ID: <o@example.org>\n\nHello\n"
	const loop = "Received: from a.example.org by mx.example.com; Mon, 06 Jul 2026 09:00:00 +0000\n"
	for name, c := range map[string]struct {
		message string
		want    Class // "": none
	}{
		"spam":                {wrap("message/rfc822; x-spam-type=original", spamAssassin, spam), ""},
		"spam, as a text":     {wrap("text/plain; x-spam-type=original", spamAssassin, spam), ""},
		"by MailScanner":      {wrap("message/rfc822", "Our MailScanner believes that the attachment to this message sent to you is spam.\n", spam), ""},
		"a letter":            {wrap("message/rfc822; x-spam-type=original", spamAssassin, strings.Replace(spam, "Hello", "This is spam? Of course not.", 1)), ""},
		"a person's forward":  {wrap("message/rfc822; x-spam-type=original", spamAssassin, wrapped("Subject: spam", "This is spam.")), ClassService},
		"a report":            {wrap("message/rfc822; x-spam-type=original", spamAssassin, loop+string(arf("", ""))), ClassFBL},
		"sent on by a person": {strings.Replace(wrap("message/rfc822", spamAssassin, spam), "From: news@example.org", "From: jo@example.net", 1), ClassService},
	} {
		for ending, message := range map[string]string{"LF": c.message, "CRLF": strings.ReplaceAll(c.message, "\n", "\r\n")} {
			r := Parse([]byte(message))
			got := Class("")
			for _, rec := range r.Records(envelope) {
				got += rec.Class
			}
			if got != c.want {
				t.Errorf("%s, %s: %s %q, want %q", name, ending, r.Kind, got, c.want)
			}
		}
	}
}

// TestXARFObjects: each object makes its records, and the original is read
// wherever a version has it.
func TestXARFObjects(t *testing.T) {
	original := base64.StdEncoding.EncodeToString([]byte("Received: from a by b; Mon, 06 Jul 2026 08:00:00 +0000\r\nFrom: news@example.org\r\nTo: jo@example.com\r\nMessage-ID: <s1@example.org>\r\n\r\nHello\r\n"))
	v3 := func(more string) string {
		return `{"Version":"3.0.0","ReporterInfo":{"ReporterOrg":"Example"},"Report":{"ReportClass":"Messaging","ReportType":"spam","Date":"2026-07-06T08:00:00Z","Source":{"IP":"192.0.2.25","Type":"ip"}` + more + `}}`
	}
	v4 := func(ip string) string {
		return `{"xarf_version":"4.0.0","category":"connection","type":"login_attack","source_identifier":"` + ip + `"}`
	}
	for name, c := range map[string]struct{ json, class, ips string }{
		"v3, an attachment":               {v3(`,"Attachment":[{"ContentType":"message/rfc822","Data":"` + original + `"}]`), "service", "192.0.2.25"},
		"v3, one attachment, no list":     {v3(`,"Attachment":{"ContentType":"message/rfc822","Data":"` + original + `"}`), "service", "192.0.2.25"},
		"v3, a screenshot first":          {v3(`,"Attachment":[{"ContentType":"image/png","Data":"iVBORw0KGgo="},{"ContentType":"message/rfc822","Data":"` + strings.TrimRight(original, "=") + `"}]`), "service", "192.0.2.25"},
		"v3, not in base64":               {v3(`,"Attachment":[{"ContentType":"message/rfc822","Data":"From: news@example.org\r\nMessage-ID: <s1@example.org>\r\n\r\nHello"}]`), "service", "192.0.2.25"},
		"v3, a trap":                      {v3(`,"AdditionalInfo":{"DetectionMethod":"spamtrap"},"Attachment":[{"ContentType":"message/rfc822","Data":"` + original + `"}]`), "trap", "192.0.2.25"},
		"v3, a trap, otherwise spelled":   {v3(`,"DetectionMethod":"Spam_Trap","Attachment":[{"ContentType":"message/rfc822","Data":"` + original + `"}]`), "trap", "192.0.2.25"},
		"v4, an array":                    {"[" + v4("192.0.2.1") + "," + v4("192.0.2.2") + "]", "network", "192.0.2.1 192.0.2.2"},
		"v4, an array over several lines": {"[\n  " + v4("192.0.2.1") + ",\n  " + v4("192.0.2.2") + ",\n  " + v4("192.0.2.3") + "\n]\n", "network", "192.0.2.1 192.0.2.2 192.0.2.3"},
		"v4, two objects":                 {v4("192.0.2.1") + "\n" + v4("192.0.2.2") + "\n", "network", "192.0.2.1 192.0.2.2"},
		"v4, two objects on one line":     {v4("192.0.2.1") + " " + v4("192.0.2.2"), "network", "192.0.2.1 192.0.2.2"},
		"an unreadable one between":       {"[" + v4("192.0.2.1") + `,{"xarf_version":"4","note":"x"},` + v4("192.0.2.2") + "]", "network", "192.0.2.1 192.0.2.2"},
		"an unreadable one first":         {`[{"xarf_version":"4","note":"x"},` + v4("192.0.2.1") + "," + v4("192.0.2.2") + "]", "network", "192.0.2.1 192.0.2.2"},
	} {
		for how, message := range map[string]string{
			"alone":   "From: a@example.com\nContent-Type: application/json\n\n" + c.json,
			"report":  "From: a@example.com\nMessage-ID: <1@example.com>\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nhello\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: xarf\nUser-Agent: X/1\nVersion: 1\n--b\nContent-Type: application/json; name=xarf.json\nContent-Transfer-Encoding: base64\n\n" + base64Lines(c.json) + "\n--b--\n",
			"forward": "From: jo@example.com\nContent-Type: multipart/mixed; boundary=f\n\n--f\n\nfyi\n--f\nContent-Type: message/rfc822\n\nFrom: a@example.com\nContent-Type: application/json; name=xarf.json\n\n" + c.json + "\n--f--\n",
		} {
			r := Parse([]byte(message))
			var ips []string
			for i, rec := range r.Records(Envelope{}) {
				ips = append(ips, rec.SourceIP)
				if rec.Class != Class(c.class) || rec.Event != Complaint || rec.ID != r.ID+"."+string(rune('1'+i)) {
					t.Errorf("%s, %s: %s %s %s", name, how, rec.ID, rec.Class, rec.Event)
				}
			}
			if got := strings.Join(ips, " "); got != c.ips {
				t.Errorf("%s, %s: %q, want %q (%v)", name, how, got, c.ips, r.Problems)
			}
			if strings.HasPrefix(name, "v3") && (r.Original == nil || r.Original.MessageID != "s1@example.org") {
				t.Errorf("%s, %s: original %+v %v", name, how, r.Original, r.Problems)
			}
			if strings.HasPrefix(name, "an unreadable") && (r.Extensions["note"] == nil || r.status().Status != "partial") {
				t.Errorf("%s, %s: %v %v", name, how, r.Extensions, r.Problems)
			}
		}
	}
	same := Parse([]byte("From: a@example.com\nContent-Type: application/json\n\n" + `{"xarf_version":"4.0.0","category":"content","type":"phishing","source_identifier":"Bad.example.org","domain":"bad.example.org"}`))
	if len(same.ReportedDomain) != 1 || same.ReportedDomain[0] != "Bad.example.org" {
		t.Errorf("the same domain: %q", same.ReportedDomain)
	}
	other := Parse([]byte("From: a@example.com\nContent-Type: application/json\n\n" + `{"xarf_version":"4.0.0","category":"content","type":"phishing","source_identifier":"bad.example.org","domain":"worse.example.org"}`))
	if len(other.ReportedDomain) != 2 {
		t.Errorf("two domains: %q", other.ReportedDomain)
	}
}

// TestTopMessage: a message within a message is a loop's, if a loop sent it.
func TestTopMessage(t *testing.T) {
	for from, want := range map[string]Class{
		"Jane Doe <jane@example.org>":         ClassService,
		"abuse@example.org":                   ClassService,
		"fbl@example.org":                     ClassFBL,
		"FBL <fbl-reports@swisscom.com>":      ClassFBL,
		"complaints@bluewin.ch":               ClassFBL,
		"Spam reports <feedback@example.net>": ClassFBL,
	} {
		message := "From: " + from + "\nTo: bob@example.com\nSubject: the minutes\nMessage-ID: <f@example.org>\nContent-Type: message/rfc822\n\nFrom: sub@example.org\nSubject: minutes\nMessage-ID: <m@example.org>\n\nhello\n"
		records := Parse([]byte(message)).Records(Envelope{})
		if len(records) != 1 || records[0].Class != want {
			t.Errorf("%s: %+v, want %s", from, records, want)
		}
	}
}

// TestBlankLinesFirst: lines of white space before the header, as many as count.
func TestBlankLinesFirst(t *testing.T) {
	const message = "From: fbl@example.com\nMessage-ID: <1@example.com>\nDate: Mon, 06 Jul 2026 10:00:00 +0000\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\nOriginal-Rcpt-To: user@example.com\n--b\nContent-Type: message/rfc822\n\nFrom: news@example.com\nMessage-ID: <o@example.com>\n\nx\n--b--\n"
	for name, before := range map[string]string{
		"an empty line, then blanks": "\n        \n",
		"blanks":                     "   \n",
		"tabs and a form feed":       "\t\t\n\f\n\n",
		"a byte order mark":          "\xef\xbb\xbf\n \n",
		"an mbox line behind them":   "\n \nFrom fbl@example.com Mon Jul  6 10:00:00 2026\n",
		"many":                       strings.Repeat(" \n", 1000),
	} {
		for ending, message := range map[string]string{"LF": before + message, "CRLF": strings.ReplaceAll(before+message, "\n", "\r\n")} {
			r := Parse([]byte(message))
			if ending == "CRLF" && len(before) > 1500 {
				continue // beyond the bound
			}
			if r.Kind != KindReport || r.Outer.From != "fbl@example.com" || len(r.OriginalRcptTo) != 1 || r.Original == nil {
				t.Errorf("%s, %s: %s %v", name, ending, r.Kind, r.Problems)
			}
			for first := range 40 {
				if part, _ := fetch(t, []byte(message), first*8); part.ID != r.ID || part.Kind != r.Kind {
					t.Errorf("%s, %s: %s from a part, %s", name, ending, part.Kind, r.Kind)
				}
			}
		}
	}
	// A continuation line is no header's start.
	if r := Parse([]byte("\n \n Feedback-Type: abuse\n")); r.Kind == KindReport {
		t.Errorf("%s", r.Kind)
	}
}

// TestNamesAreNoWords: what stands in a URL, an address, a host or a file name
// neither accuses nor excuses.
func TestNamesAreNoWords(t *testing.T) {
	accusation := func(subject, text string) string {
		return "From: CERT Example <cert@cert.example.com>\nTo: abuse@example.net\nSubject: " + subject + "\nDate: Mon, 06 Jul 2026 10:00:00 +0000\nAuto-Submitted: auto-generated\n\nHello,\n\nwe found a phishing site on a server in your network.\n" + text + "\nIP address: 192.0.2.4\n\nPlease take it down.\n"
	}
	for name, message := range map[string]string{
		"a URL":               accusation("Phishing page http://bad.example.org/signin/", "URL: http://bad.example.org/signin/"),
		"a URL, defanged":     accusation("Phishing page hxxp://bad[.]example[.]org/invoice", "URL: hxxp://bad[.]example[.]org/invoice"),
		"no scheme":           accusation("Phishing: bad.example.org/account/recovery", "URL: bad.example.org/account/recovery"),
		"a host":              accusation("Phishing on reactivation.invoice.example", "Host: reactivation.invoice.example"),
		"a host at its start": accusation("unsubscribe.example.org: phishing", "Host: unsubscribe.example.org"),
		"an address":          accusation("Phishing from newsletter-welcome@signin.example.org", "Sender: newsletter-welcome@signin.example.org"),
		"a file":              accusation("Phishing file invoice.pdf", "File: /var/www/html/signin/newsletter.php"),
		"a settled host":      accusation("Phishing case 4711", "URL: http://x.example.org/your-abuse-report/has been resolved"),
		"an answer's look":    accusation("re.example.org hosts phishing", "Host: re.example.org"),
		"encoded":             strings.Replace(accusation("@", "URL: http://bad.example.org/signin/"), "Subject: @", "Subject: =?utf-8?q?Phishing_page_http://bad.example.org/signin/?=", 1),
		"folded":              accusation("Phishing page\n http://bad.example.org/signin/", "URL: http://bad.example.org/signin/"),
		"in base64, HTML":     strings.Replace(accusation("Phishing page http://bad.example.org/signin/", ""), "auto-generated\n", "auto-generated\nContent-Type: text/html\n", 1),
	} {
		r := Parse([]byte(message))
		if r.Kind != KindUnparsed || r.Class != ClassNetwork {
			t.Errorf("%s: %s %s, want unparsed, network", name, r.Kind, r.Class)
		}
	}
	for name, message := range map[string]string{
		"the wrong is in a URL":      "From: alerts@shop.example.com\nSubject: Your parcel 4711\nAuto-Submitted: auto-generated\n\nTrack it: http://botnet.example.org/phishing/\nSource: 192.0.2.4\n",
		"the wrong is in a host":     "From: monitor@shop.example.com\nSubject: malware.example.org is up\n\nHost: malware.example.org\nAddress: 192.0.2.4\n",
		"the wrong is in a file":     "From: backup@shop.example.com\nAuto-Submitted: auto-generated\nSubject: Backup done\n\nFile: /backup/spam-attack.tar\nHost: 192.0.2.4\n",
		"the wrong is in an address": "From: monitor@shop.example.com\nSubject: new subscriber\n\nAddress: phishing-fan@virus.example.org\nIP: 192.0.2.4\n",
		"a sign-in, in words":        "From: noreply@shop.example.com\nAuto-Submitted: auto-generated\nSubject: New sign-in, protect your account from phishing\n\nIP address: 192.0.2.4\n",
	} {
		if r := Parse([]byte(message)); len(r.Records(Envelope{})) > 0 {
			t.Errorf("%s: %s, want no record", name, r.Kind)
		}
	}
}

// TestNumbersArePersons: a number is a person's name at some providers; it is no
// placeholder, and no hash.
func TestNumbersArePersons(t *testing.T) {
	for addr, want := range map[string]Complainant{
		"1234567890@qq.com":                               Named,
		"01234567890123456789012345678901@qq.com":         Named,
		"0123456789012345678901234567890123456789@qq.com": Named,
		"0123456789abcdef0123456789abcdef@qq.com":         Hashed,
		"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709@qq.com": Hashed,
		"xxx@qq.com":        NoOne,
		"xxxxxxxxxx@qq.com": NoOne,
	} {
		message := "From: fbl@fbl.example.net\nMessage-ID: <1@fbl.example.net>\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\nOriginal-Rcpt-To: <" + addr + ">\n--b--\n"
		if records := Parse([]byte(message)).Records(Envelope{}); len(records) != 1 || records[0].Complainant != want {
			t.Errorf("%s: %s, want %s", addr, records[0].Complainant, want)
		}
	}
}
