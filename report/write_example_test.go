package report_test

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// A mailbox provider reports a complaint and redacts the complainant.
func ExampleWrite() {
	received := "Return-Path: <bounce+4711@mail.example.com>\nMessage-ID: <spring.4711@mail.example.com>\nSubject: Spring sale\n"
	var b strings.Builder
	err := report.Write(&b, report.Message{
		Report: report.Report{
			Outer:          report.Outer{From: "Feedback loop <fbl@example.net>", Subject: "FW: Spring sale"},
			FeedbackType:   "abuse",
			UserAgent:      "ExampleFBL/1.0",
			Version:        "1",
			OriginalRcptTo: []string{report.Redact([]byte("a secret"), "user@example.net")},
			ArrivalDate:    time.Date(2026, time.March, 2, 6, 0, 0, 0, time.UTC),
			SourceIP:       "192.0.2.25",
		},
		To:       []string{"abuse@example.com"},
		Original: []byte(received),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	for _, record := range report.Parse([]byte(b.String())).Records(report.Envelope{}) {
		fmt.Println(record.Event, record.SourceIP, record.Complainant, record.Original.MessageID)
	}
	// Output: complaint 192.0.2.25 hashed spring.4711@mail.example.com
}
