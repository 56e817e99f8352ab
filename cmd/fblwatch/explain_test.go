package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/mailfile"
	"github.com/fblwatch/fblwatch/internal/pacetest"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

// The parts with their depth, and no more of them than a person reads.
func TestPartsOf(t *testing.T) {
	tests := []struct {
		name, message string
		want          []messagePart
	}{
		{"empty", "", []messagePart{{Path: "1", Type: "text/plain", Use: report.UseNone, Why: report.WhyEmpty}}},
		{"mbox line", "From x\nContent-Type: Text/HTML; charset=x\n\nabc", []messagePart{{Path: "1", Type: "text/html", Octets: 3, Use: report.UseNone, Why: report.WhyOther}}},
		{"within", "Content-Type: multipart/mixed; boundary=b=1\n\npreamble\n--b=1\nContent-Type: a/b; name=n\n\nx\n--b=1\n\ny\r\n\n", []messagePart{
			{Type: "multipart/mixed", Octets: 55, Use: report.UseParts},
			{Depth: 1, Path: "1", Type: "a/b", Name: "n", Octets: 1, Use: report.UseNone, Why: report.WhyOther},
			{Depth: 1, Path: "2", Type: "text/plain", Octets: 4, Use: report.UseNone, Why: report.WhyOther},
		}},
		{"a longer line is no boundary", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--bc\n--b--\n--b\n\n", []messagePart{
			{Type: "multipart/mixed", Octets: 21, Use: report.UseParts},
			{Depth: 1, Path: "1", Type: "text/plain", Octets: 4, Use: report.UseNone, Why: report.WhyOther},
		}},
		{"control", "Content-Type: a\x1b/b\n\n", []messagePart{{Path: "1", Type: "a\uFFFD/b", Use: report.UseNone, Why: report.WhyEmpty}}},
	}
	for _, test := range tests {
		b := []byte(test.message)
		if diff := cmp.Diff(test.want, partsOf(report.Parse(b), b)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
	var deep []byte
	for i := range 100 {
		deep = fmt.Appendf(deep, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	if n := len(partsOf(report.Parse(deep), deep)); n < 5 || n > 20 {
		t.Errorf("%d parts of a deep message", n)
	}
	wide := []byte("Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\n", 1000))
	if n := len(partsOf(report.Parse(wide), wide)); n != maxShownParts {
		t.Errorf("%d parts of a wide message", n)
	}
}

// Whatever a message holds, what a person sees of it is inert.
func TestExplainIsInert(t *testing.T) {
	for _, evil := range []string{"\x1b[2J", "\u202e", "\u009b", "\xff", "\x00", "\u2028"} {
		message := "From: a@example.com\nMessage-ID: " + evil + "\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/feedback-report; name=" + evil +
			"\n\nFeedback-Type: " + evil + "\nX-One: " + evil + "\n" + evil + "\n--b\nContent-Type: application/json" + evil + "\nContent-Transfer-Encoding: " + evil + "\n\n{}\n--b--\n"
		e := explainMessage(t.Context(), process.Rules{}, mailfile.Message{Path: "a", Number: 1, Body: []byte(message), Size: int64(len(message))}, "")
		var out strings.Builder
		if err := e.writeJSON(&out); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{e.text(0), e.text(80), out.String()} {
			for line := range strings.Lines(text) {
				if line = strings.TrimSuffix(line, "\n"); line != terminal.Printable(line) {
					t.Errorf("%q of %q", line, evil)
				}
			}
		}
	}
}

// On a terminal no line is longer than that is wide, and nothing is left out.
func TestExplainFits(t *testing.T) {
	token := strings.Repeat("0123456789", 15)
	message := "From: a@example.com\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n" +
		"--b\nContent-Type: message/rfc822\n\nFrom: news@example.com\nReturn-Path: <bounce-mary=example.org@example.com>\nSubject: " + strings.Repeat("Größe ", 20) + "\nMessage-ID: <" + token + "@example.com>\n\n--b--\n"
	identifier, err := identify.New(identify.Config{})
	if err != nil {
		t.Fatal(err)
	}
	e := explainMessage(t.Context(), process.Rules{Identify: identifier}, mailfile.Message{Path: "a", Number: 1, Body: []byte(message), Size: int64(len(message))}, "")
	for _, width := range []int{0, 40, 80, 200} {
		text, longest := e.text(width), 0
		for line := range strings.Lines(text) {
			longest = max(longest, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")))
		}
		if width >= 80 && longest > width || width == 0 && longest <= 160 {
			t.Errorf("a line of %d in a terminal of %d", longest, width)
		}
		squeezed := strings.Join(strings.Fields(text), "")
		for _, want := range []string{token, "(original:Return-Path,byverp)", "identity.subscribermary@example.org"} {
			if !strings.Contains(squeezed, want) {
				t.Errorf("width %d: no %s in\n%s", width, want, text)
			}
		}
	}
}

// A report of a thousand recipients and thousands of fields is shown at once, and
// is no book.
func TestExplainMuch(t *testing.T) {
	head := "From: a@example.com\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n"
	fields := head + pacetest.Repeat("X-Field-#: "+strings.Repeat("v", 60)+"\n", 1<<20) + "--b--\n"
	recipients := head + pacetest.Repeat("Original-Rcpt-To: u#@example.org\n", 32<<10) + pacetest.Repeat("X-Field-#: "+strings.Repeat("v", 60)+"\n", 4<<10) + "--b--\n"
	for name, message := range map[string]string{"fields": fields, "recipients": recipients} {
		var e *explanation
		var text string
		pacetest.Within(t, name, 2*time.Second, func() {
			e = explainMessage(t.Context(), process.Rules{}, mailfile.Message{Path: "a", Number: 1, Body: []byte(message), Size: int64(len(message))}, "")
			text = e.text(80)
		})
		if len(text) > 4<<20 {
			t.Errorf("%s: %d octets", name, len(text))
		}
		if shown := strings.Count(text, "\nrecord "); shown != min(len(e.Records), 100) || len(e.Records) > 100 != strings.Contains(text, "more records: --format json shows all\n") {
			t.Errorf("%s: %d of %d records", name, shown, len(e.Records))
		}
	}
}
