package trust

import (
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// TestFirstHand: a provider's signature is for its own words. What others wrote, and
// it attaches, quotes or passes on, is not its report; nor is its message the one that
// is reported, whose header anybody can add to.
func TestFirstHand(t *testing.T) {
	dns := publish(t, reporter)
	conf := config
	conf.Reporters = []string{reporter} // whatever its dialect
	c, err := New(conf, dns, hosted)
	if err != nil {
		t.Fatal(err)
	}
	head := func(typ string) string {
		return "From: Feedback <feedback@" + reporter + ">\nTo: fbl@example.com\nSubject: Your message\nDate: " + time.Now().UTC().Format(time.RFC1123Z) +
			"\nMessage-ID: <1@" + reporter + ">\nMIME-Version: 1.0\nContent-Type: " + typ + "\nContent-Transfer-Encoding: 7bit\n\n"
	}
	text := "Feedback-Type: abuse\nUser-Agent: Test/1.0\nVersion: 1\nSource-IP: 192.0.2.9\nOriginal-Rcpt-To: <victim@example.org>\n"
	forged := "From: <x@evil.example>\nTo: <feedback@" + reporter + ">\nSubject: x\nContent-Type: multipart/report; report-type=feedback-report; boundary=inner\n\n" + within("inner")
	attached := "--b\nContent-Type: text/plain\n\nSee what came here.\n\n--b\nContent-Type: message/rfc822\n\n" + forged + "\n--b--\n"
	outlook := strings.ReplaceAll(fromOurs, "a.mx.example.net", "a.mail.protection.outlook.com")
	hmxmr := crlfs("X-HmXmrOriginalRecipient: <victim@example.org>\n" + outlook)

	judge := func(message string) report.Reporter {
		r := report.Parse([]byte(message))
		records := r.Records(report.Envelope{Providers: hosted})
		if len(records) == 0 {
			return report.Reporter{}
		}
		c.Check(t.Context(), []byte(message), r, records, time.Time{}, false)
		return *records[0].Reporter
	}
	for _, test := range []struct{ name, above, message string }{
		{"a report in a message that it attaches", "", head("multipart/mixed; boundary=b") + attached},
		{"a report without parts of its own", "", head("multipart/report; report-type=feedback-report; boundary=b") + attached},
		{"two messages that it attaches", "", head("multipart/mixed; boundary=b") + strings.Replace(attached, "--b--\n", "--b\nContent-Type: message/rfc822\n\n"+forged+"\n--b--\n", 1)},
		{"a report behind 16 MiB", "", head("multipart/report; report-type=feedback-report; boundary=b") +
			strings.Replace(attached, "--b--\n", strings.Repeat(strings.Repeat("x", 1000)+"\n", 17<<10)+"--b\nContent-Type: message/feedback-report\n\n"+strings.Replace(text, "192.0.2.9", "203.0.113.9", 1)+"\n--b--\n", 1)},
		{"a report in its text", "", head("text/plain") + "You wrote:\n\n" + text + "\n" + fromOurs + fromUs + "Subject: x\n\nx\n"},
		{"a report that it quotes", "", head("text/plain") + "You wrote:\n\n> " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n> ") + "\n>\n> " + strings.ReplaceAll(fromUs+"Subject: x\n\nx", "\n", "\n> ") + "\n"},
		{"its own message", hmxmr, head("text/plain") + "Your message was received.\n"},
		{"its own message, in parts", hmxmr, head("multipart/mixed; boundary=b") + "--b\nContent-Type: text/plain\n\nx\n--b--\n"},
		{"its own message, sent again", crlfs("Resent-From: <staff@hotmail.com>\n" + outlook), head("text/plain") + "x\n"},
	} {
		message := test.above + sign(t, crlfs(test.message), reporter, append([]string{"Content-Transfer-Encoding"}, allFields...))
		if got := judge(message); got.Trusted || got.Auth != pass || got.Code != report.CodeSecondHand {
			t.Errorf("%s: %+v", test.name, got)
		}
	}

	// The genuine ones.
	for name, message := range map[string]string{
		"in parts":           complaint("feedback@"+reporter, oursOriginal),
		"without a type":     strings.Replace(complaint("feedback@"+reporter, oursOriginal), "Content-Type: message/feedback-report\r\n", "Content-Type: text/plain\r\n", 1),
		"in parts of a part": head("multipart/mixed; boundary=b") + "--b\nContent-Type: " + ownType + "\n\n" + strings.SplitN(complaint("x", oursOriginal), "\r\n\r\n", 2)[1] + "\n--b--\n",
		"by JMRP":            strings.Replace(head("multipart/mixed; boundary=b"), "Your message", "complaint about message from 192.0.2.9", 1) + "--b\nContent-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: <reader@example.org>\n" + fromUs + "Subject: x\n\nx\n--b--\n",
		"as the whole body":  head("message/rfc822") + fromOurs + fromUs + "Subject: x\n\nx\n",
	} {
		message = sign(t, crlfs(message), reporter, append([]string{"Content-Transfer-Encoding"}, allFields...))
		if got := judge(message); got.Code == report.CodeSecondHand || got.Auth != pass {
			t.Errorf("genuine, %s: %+v", name, got)
		}
	}
}
