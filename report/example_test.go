package report_test

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

const sent = `From: Feedback Loop <fbl@example.com>
Date: Mon, 06 Jul 2026 10:00:00 +0000
Message-ID: <1@example.com>
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: ExampleFBL/1.0
Version: 1
Original-Rcpt-To: <user@example.com>
Source-IP: 192.0.2.10

--b
Content-Type: text/rfc822-headers

From: news@example.net
Subject: What is new
Message-ID: <4711.42@example.net>

--b--
`

// Who complained about which message?
func ExampleParse() {
	r := report.Parse([]byte(sent))
	for _, record := range r.Records(report.Envelope{}) {
		fmt.Println(record.Event, "by", record.OriginalRcptTo, "about", record.Original.MessageID)
	}
	// Output: complaint by user@example.com about 4711.42@example.net
}

// A message is fetched piece by piece until the reader has enough of it.
func ExampleParsePrefix() {
	large := strings.Replace(sent, "\n--b--", strings.Repeat("\nLorem ipsum", 100_000)+"\n--b--", 1)
	b := []byte(large)[:2048]
	r := report.ParsePrefix(b, int64(len(large)))
	for r.Need() > 0 {
		b = []byte(large)[:r.Need()]
		r = report.ParsePrefix(b, int64(len(large)))
	}
	fmt.Println(r.Original.Subject, len(b) < len(large)/10)
	// Output: What is new true
}

// Parts shows what the reader did with each part of the message.
func ExampleReport_Parts() {
	b := []byte(sent)
	for _, part := range report.Parse(b).Parts(b) {
		fmt.Printf("%q %s: %s\n", part.Path, part.Type, part.Use)
	}
	// Output:
	// "" multipart/report: parts
	// "1" message/feedback-report: report
	// "2" text/rfc822-headers: original
}

// The records of a message as NDJSON, one a line.
func ExampleRecord_AppendJSON() {
	envelope := report.Envelope{ReceivedAt: time.Date(2026, time.July, 6, 10, 0, 5, 0, time.UTC)}
	var lines []byte
	for _, record := range report.Parse([]byte(sent)).Records(envelope) {
		lines = append(record.AppendJSON(lines), '\n')
	}
	os.Stdout.Write(lines)
	// Output:
	// {"schema":1,"id":"8d6f457511931163d16c667f2ac5babf.1","revision":1,"report_id":"8d6f457511931163d16c667f2ac5babf","fingerprint":"a80e2c19e2aa57452684b8a33f7bd05a","event":"complaint","class":"fbl","provider":"example.com","feed":"unknown","dialect":"rfc5965","received_at":"2026-07-06T10:00:05Z","reported_at":"2026-07-06T10:00:00Z","feedback_type":"abuse","user_agent":"ExampleFBL/1.0","version":"1","source_ip":"192.0.2.10","original_rcpt_to":"user@example.com","complainant":"named","recipients":1,"original":{"message_id":"4711.42@example.net","from":"news@example.net","from_domain":"example.net","subject":"What is new","headers_only":true,"size":78},"identity":{"status":"unknown"},"reporter":{"from":"fbl@example.com","from_domain":"example.com","auth":"unchecked","trusted":false,"code":"trust_unchecked","reason":"not checked"},"suppress":{"verdict":"review","codes":["trust_unchecked"],"reasons":["trust is not checked"]},"parse":{"status":"ok"}}
}

// A provider of your own: the marks of its reports, and its feed's name.
func ExampleProviders() {
	own := report.Providers{{Name: "acme", Feed: "junk", Class: report.ClassFBL, UserAgents: []string{"ExampleFBL/"}}}
	if err := own.Validate(); err != nil {
		fmt.Println(err)
	}
	for _, record := range report.Parse([]byte(sent)).Records(report.Envelope{Providers: own}) {
		fmt.Println(record.Provider, record.Feed, record.Class)
	}
	// Output: acme junk fbl
}

// The verdict follows from what the caller knows of the reporter and the subscriber.
func ExampleRecord_Decide() {
	record := report.Parse([]byte(sent)).Records(report.Envelope{})[0]
	fmt.Println(record.Suppress.Verdict, record.Suppress.Codes)

	record.Reporter = &report.Reporter{FromDomain: "example.com", Auth: report.AuthPass, Trusted: true}
	record.Identify(report.Identity{Status: report.Identified, Subscriber: "4711"})
	verdict := record.Decide()
	fmt.Println(verdict.Verdict, verdict.Codes)
	// Output:
	// review [trust_unchecked]
	// yes [named]
}
