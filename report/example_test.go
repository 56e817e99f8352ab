package report_test

import (
	"fmt"
	"strings"

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

func ExampleParse() {
	r := report.Parse([]byte(sent))
	fmt.Println(r.Kind, r.FeedbackType, r.SourceIP)
	for _, record := range r.Records(report.Envelope{}) {
		fmt.Println(record.Event, record.OriginalRcptTo, record.Original.MessageID)
	}
	// Output:
	// report abuse 192.0.2.10
	// complaint user@example.com 4711.42@example.net
}

// A message is fetched piece by piece until Parse has seen enough of it.
func ExampleReport_Need() {
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

func ExampleRecord_AppendJSON() {
	record := report.Record{Schema: report.Schema, ID: "0123.1", Revision: 1, Event: report.Complaint,
		Class: "fbl", Provider: "example.com", Feed: "unknown", Dialect: "rfc5965",
		UserAgent: "\x1b[31mred\u202e", Parse: report.ParseStatus{Status: "ok"}}
	fmt.Printf("%s\n", record.AppendJSON(nil))
	// Output:
	// {"schema":1,"id":"0123.1","revision":1,"event":"complaint","class":"fbl","provider":"example.com","feed":"unknown","dialect":"rfc5965","user_agent":"\u001b[31mred\u202e","parse":{"status":"ok"}}
}
