package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/sample"
)

// timed fails where a message costs more than a linear reader can need.
func timed(t *testing.T, message string) *Report {
	t.Helper()
	start := time.Now()
	r := Parse([]byte(message))
	r.Records(Envelope{})
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("%d octets took %s", len(message), d)
	}
	return r
}

func hasProblem(r *Report, text string) bool {
	return slices.ContainsFunc(r.Problems, func(p Problem) bool { return p.Text == text })
}

const limitHead = "From: fbl@example.com\nMessage-ID: <1@example.com>\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"

func TestLimitDepth(t *testing.T) {
	var b strings.Builder
	b.WriteString("From: fbl@example.com\nContent-Type: multipart/report; report-type=feedback-report; boundary=b0\n\n")
	for i := range 10_000 {
		fmt.Fprintf(&b, "--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n", i, i+1)
	}
	if r := timed(t, b.String()); r.Kind != KindUnparsed || !hasProblem(r, "parts: nested more than 20 deep") {
		t.Errorf("%s %v", r.Kind, r.Problems)
	}
}

func TestLimitParts(t *testing.T) {
	message := limitHead + strings.Repeat("--b\n\nx\n", 100_000) + "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n--b--\n"
	if r := timed(t, message); r.Kind != KindUnparsed || !hasProblem(r, "parts: more than 1000") {
		t.Errorf("%s %v", r.Kind, r.Problems)
	}
}

func TestLimitFields(t *testing.T) {
	message := limitHead + "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n" + strings.Repeat("X: y\n", 20_000) + "--b--\n"
	if r := timed(t, message); r.Kind != KindReport || !hasProblem(r, "report part: more than 10000 lines") {
		t.Errorf("%s %v", r.Kind, r.Problems)
	}
}

func TestLimitRecipients(t *testing.T) {
	var b strings.Builder
	b.WriteString(limitHead + "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "Original-Rcpt-To: u%d@example.com\n", i)
	}
	b.WriteString("--b--\n")
	r := timed(t, b.String())
	if n := len(r.Records(Envelope{})); n != maxRecipients || !hasProblem(r, "original-rcpt-to: more than 1000") || len(r.Extensions["original-rcpt-to"]) != 1000 {
		t.Errorf("%d records, %v", n, r.Problems)
	}
}

// TestLimitRecords: what all records of a message repeat does not multiply it, and takes
// the place of no recipient.
func TestLimitRecords(t *testing.T) {
	fields := "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n"
	for i := range maxRecipients {
		fields += fmt.Sprintf("Original-Rcpt-To: u%d@example.com\n", i)
	}
	original := "--b\nContent-Type: message/rfc822\n\nFrom: news@example.net\nSubject: " + strings.Repeat("x", 500<<10) + "\n\nx\n--b--\n"
	for name, body := range map[string]string{
		"a field":      fields + "X-Long: " + strings.Repeat("x", 500<<10) + "\n--b--\n",
		"the original": fields + original,
		"recipients":   "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: " + strings.Repeat("a@example.com (x),", 50_000) + "b@example.com\n" + fields[strings.Index(fields, "Original"):] + "--b--\n",
		"of JMRP":      "--b\nContent-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: " + strings.Join(strings.Fields(strings.ReplaceAll(fields[strings.Index(fields, "Original"):], "Original-Rcpt-To:", "")), ",") + "\nFrom: news@example.net\nSubject: " + strings.Repeat("x", 500<<10) + "\n\nx\n--b--\n",
	} {
		r := timed(t, limitHead+body)
		size, named := 0, len(r.OriginalRcptTo)
		records := r.Records(Envelope{})
		for _, rec := range records {
			size += len(rec.AppendJSON(nil))
		}
		if size > 36<<20 || len(records) != maxRecipients {
			t.Errorf("%s: %d records, %d octets, %v", name, len(records), size, r.Problems)
		}
		for _, rec := range records {
			if rec.OriginalRcptTo == "" || rec.Parse.Status != "partial" || !strings.Contains(strings.Join(rec.Parse.Warnings, " "), "values left out") {
				t.Fatalf("%s: %q %s %q", name, rec.OriginalRcptTo, rec.Parse.Status, rec.Parse.Warnings)
			}
		}
		if kept := len(r.Extensions["original-rcpt-to"]); named+kept < maxRecipients {
			t.Errorf("%s: %d recipients named, %d kept", name, named, kept)
		}
	}
}

func TestLimitHeader(t *testing.T) {
	message := "From: fbl@example.com\n" + strings.Repeat("X-Long: "+strings.Repeat("x", 1000)+"\n", 10_000) + limitHead
	if r := timed(t, message); r.Kind != KindUnparsed || !hasProblem(r, "header: longer than 1 MiB") {
		t.Errorf("%s %v", r.Kind, r.Problems)
	}
}

func TestLimitOdd(t *testing.T) {
	for name, message := range map[string]string{
		"NUL":              strings.Repeat("\x00", 1<<20),
		"NUL in a report":  strings.ReplaceAll(string(sample.Arrived(5<<10)), "abuse", "a\x00b"),
		"dashes":           limitHead + strings.Repeat("--", 1<<20),
		"boundaries":       limitHead + strings.Repeat("--b ", 1<<20),
		"continuations":    limitHead + "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n" + strings.Repeat(" x\n", 1<<20),
		"brackets":         limitHead + "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: " + strings.Repeat("<", 1<<20) + "\n",
		"commas":           limitHead + "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: " + strings.Repeat("a,", 1<<20) + "\n",
		"doubled":          limitHead + "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n" + strings.Repeat("Version: 1\n", 9000),
		"encoded words":    limitHead + "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n--b\nContent-Type: message/rfc822\n\nSubject: " + strings.Repeat("=?utf-8?q?x?= ", 50_000) + "\n\n--b--",
		"base64":           limitHead + "--b\nContent-Type: message/feedback-report\nContent-Transfer-Encoding: base64\n\n" + strings.Repeat("QUFB", 1<<20),
		"original header":  limitHead + "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n--b\nContent-Type: message/rfc822\n\n" + strings.Repeat("DKIM-Signature: d=example.com\n", 100_000),
		"DKIM signatures":  limitHead + "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n--b\nContent-Type: message/rfc822\n\n" + signatures(20_000),
		"no line break":    strings.Repeat("x", 10<<20),
		"CR only":          strings.Repeat("x\r", 5<<20),
		"one line, params": "Content-Type: multipart/report" + strings.Repeat("; a=b", 200_000) + "\n\nx",
	} {
		t.Run(name, func(t *testing.T) {
			for _, record := range timed(t, message).Records(Envelope{}) {
				record.AppendJSON(nil)
			}
		})
	}
}

func signatures(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "DKIM-Signature: v=1; d=%d.example.com\n", i)
	}
	return b.String()
}

// TestLarge: a message of 200 MB costs no more memory than its head.
func TestLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("200 MB of memory")
	}
	message := append([]byte(limitHead), make([]byte, 200<<20)...)
	start := time.Now()
	Parse(message)
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %s", d)
	}
}

func TestJSONLimits(t *testing.T) {
	head := "From: no-reply@sns.amazonaws.com\nContent-Type: text/plain\n\n"
	for name, message := range map[string]string{
		"deep":   head + `{"notificationType":"Complaint","x":` + strings.Repeat("[", 1<<20),
		"wide":   head + `{"notificationType":"Complaint","x":[` + strings.Repeat("1,", 1<<20),
		"names":  head + `{"notificationType":"Complaint"` + strings.Repeat(`,"x":{}`, 1<<18),
		"string": head + `{"notificationType":"Complaint","x":"` + strings.Repeat("x", 10<<20),
		"escape": head + `{"notificationType":"Complaint","x":"` + strings.Repeat(`\`, 10<<20),
		"breaks": head + `{"notificationType":"Complaint","x":"` + strings.Repeat("!\n ", 1<<20) + `"}`,
		"values": head + `{"notificationType":"Complaint","complaint":{"complaintFeedbackType":"abuse"},"x":[` + strings.Repeat("1,", 20_000) + "1]}",
	} {
		t.Run(name, func(t *testing.T) {
			r := timed(t, message)
			if n := len(r.Extensions["x"]); n > 2000 || r.Kind != KindReport && r.Kind != KindUnparsed {
				t.Errorf("%s, %d values", r.Kind, n)
			}
		})
	}
}
