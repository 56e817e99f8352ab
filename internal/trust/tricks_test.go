package trust

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

// A genuine report about somebody else's message, and what can be done to the
// header without breaking the signature. It would be trusted if it were read as
// a report about our message; that message holds one.
func TestHeaderTricks(t *testing.T) {
	inner := "--inner\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: x\r\nVersion: 1\r\nSource-IP: 192.0.2.7\r\n" +
		"Original-Rcpt-To: <victim@example.org>\r\n\r\n--inner\r\nContent-Type: message/rfc822\r\n\r\nFrom: news@example.com\r\nSubject: x\r\n\r\nx\r\n--inner--\r\n"
	theirs := complaint("feedback@"+reporter, original{ip: "203.0.113.9", from: "x@evil.example", body: inner})
	bareCR := complaint("feedback@"+reporter, original{ip: "203.0.113.9", from: "x@evil.example", body: strings.ReplaceAll(inner, "\r\n", "\r") + "\r\n"})
	const typ = "Content-Type: multipart/report; report-type=feedback-report; boundary=\"outer\"\r\n"
	forged := "Feedback-Type: abuse\r\nUser-Agent: x\r\nVersion: 1\r\nSource-IP: 192.0.2.7\r\nOriginal-Rcpt-To: <victim@example.org>\r\n"

	dns, verified := publish(t, reporter), 0
	lookup := func(name string) ([]string, error) { return dns.LookupTXT(context.Background(), name) }
	for _, base := range []string{
		sign(t, theirs, reporter, yahooFields), sign(t, theirs, reporter, allFields),
		sign(t, bareCR, reporter, yahooFields), sign(t, bareCR, reporter, allFields),
	} {
		typed := func(with string) string { return strings.Replace(base, typ, with, 1) }
		for name, message := range map[string]string{
			"as it is":                 base,
			"inner boundary":           typed("Content-Type: multipart/report; boundary=inner\r\n"),
			"mixed":                    typed("Content-Type: multipart/mixed; boundary=inner\r\n"),
			"folded":                   typed("Content-Type:\r\n\tmultipart/mixed;\r\n boundary=inner\r\n"),
			"continued parameter":      typed("Content-Type: multipart/mixed; boundary*0=outer; boundary=inner\r\n"),
			"two boundaries":           typed("Content-Type: multipart/mixed; boundary=inner; boundary=outer\r\n"),
			"two boundaries, reversed": typed("Content-Type: multipart/mixed; boundary=outer; boundary=inner\r\n"),
			"boundary of neither":      typed("Content-Type: multipart/mixed; boundary=none\r\n"),
			"text":                     typed("Content-Type: text/plain\r\n"),
			"a mail":                   typed("Content-Type: message/rfc822\r\n"),
			"a report":                 typed("Content-Type: message/feedback-report\r\n"),
			"no type":                  typed(""),
			"type on top":              "Content-Type: multipart/mixed; boundary=inner\r\n" + base,
			"blank before the colon":   "Content-Type : multipart/mixed; boundary=inner\r\n" + base,
			"type below":               strings.Replace(base, "\r\n\r\n", "\r\nContent-Type: multipart/mixed; boundary=inner\r\n\r\n", 1),
			"first line ends in CR":    "X: y\r" + base,
			"CR in the header":         "X: y\rContent-Type: multipart/mixed; boundary=inner\r\n" + typed(""),
			"type behind a CR":         "X: y\rContent-Type: multipart/mixed; boundary=inner\r\n" + base,
			"delimiter in the header":  typ + "--outer\r\n" + forged + typed(""),
			"delimiter and type":       "From: <feedback@" + reporter + ">\r\n" + typ + "--outer\r\n" + forged + strings.Replace(base, "From: <feedback@"+reporter+">\r\n", "", 1),
			"delimiter, type as it is": strings.Replace(base, typ, typ+"--outer\r\n"+forged, 1),
			"delimiter as a URL":       strings.Replace(base, typ, typ+"--outer://x\r\n"+forged, 1),
			"junk line":                strings.Replace(base, typ, typ+"junk\r\n--outer\r\n"+forged, 1),
			"fields of a report":       forged + base,
			"subject of JMRP":          "Subject: complaint about message from 192.0.2.7\r\n" + base,
			"a second From below":      strings.Replace(base, "\r\n\r\n", "\r\nFrom: <x@evil.example>\r\n\r\n", 1),
		} {
			for _, message := range []string{message, strings.ReplaceAll(message, "\r\n", "\n")} {
				got := check(t, config, dns, message, true, time.Time{}, false)
				if got.Trusted {
					t.Errorf("%s: trusted: %+v", name, got)
				}
				// Our own server verifies as we do, and says so.
				if found, err := dkim.VerifyWithOptions(strings.NewReader(message), &dkim.VerifyOptions{LookupTXT: lookup}); err != nil || len(found) != 1 || found[0].Err != nil {
					continue
				}
				verified++
				conf := config
				conf.Hops, conf.DKIM = nil, new(false)
				message = results("mx.example.com", dkimPass(reporter)) + receivedOurs + message
				if got = check(t, conf, nil, message, true, time.Time{}, false); got.Trusted {
					t.Errorf("%s: trusted by authentication-results: %+v", name, got)
				}
			}
		}
	}
	if verified < 80 { // else the tricks are none
		t.Errorf("only %d of the mails still have a good signature", verified)
	}
}

// go-msgauth joins the lines of a field, and looks for the fields of h=, in a
// time that grows with the square of their number.
func TestCostlyHeader(t *testing.T) {
	signed := sign(t, complaint("feedback@"+reporter, oursOriginal), reporter, allFields)
	for name, message := range map[string]string{
		"many lines":      "X: y\r\n" + strings.Repeat(" \r\n", 60_000) + signed,
		"many fields":     strings.Repeat("X:\r\n", 50_000) + signed,
		"many signatures": strings.Repeat(signed[:strings.Index(signed, "From:")], 300) + signed,
		"many names":      strings.Replace(signed, "h=", "h="+strings.Repeat("x:", 5_000), 1),
		"many delimiters": strings.Replace(signed, "Buy now.", strings.Repeat("--a\r\n--b\r\n", 50_000), 1),
	} {
		start := time.Now()
		got := check(t, config, publish(t, reporter), message, true, time.Time{}, false)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: %v", name, took)
		}
		if got.Trusted && name != "many signatures" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
