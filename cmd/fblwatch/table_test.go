package main

import (
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/report"
)

// A reporter decides what the values are; no spreadsheet may run them.
func TestCSVHoldsNoFormula(t *testing.T) {
	r := &report.Record{
		ID: "x.1", UserAgent: "=1+1", OriginalRcptTo: "=cmd|'/c calc'!A1", Provider: "@SUM(A1)", FeedbackType: "+1+1", OriginalMailFrom: "<>",
		Original: &report.Original{Subject: "\t=1", From: "-2*A1", MessageID: "a=b@c"},
	}
	row := csvRow(r)
	if len(row) != len(csvHead) {
		t.Fatalf("%d cells under %d titles", len(row), len(csvHead))
	}
	got := map[string]string{}
	for i, cell := range row {
		if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
			t.Errorf("%s is a formula: %q", csvHead[i], cell)
		}
		got[csvHead[i]] = cell
	}
	for title, want := range map[string]string{
		"original_rcpt_to": "'=cmd|'/c calc'!A1", "original_mail_from": "<>", "original_message_id": "a=b@c", "original_subject": "\ufffd=1",
	} {
		if got[title] != want {
			t.Errorf("%s: %q, want %q", title, got[title], want)
		}
	}
}

// A row is one line without control characters, whatever the values hold.
func TestTableRow(t *testing.T) {
	r := &report.Record{
		Event: "complaint", Provider: "a-provider-with-a-long-name.example", SourceIP: "192.0.2.1", OriginalRcptTo: "user\x1b[2J\n@example.com",
		Original: &report.Original{Subject: "Größe " + strings.Repeat("x", 60)},
	}
	want := strings.Repeat(" ", 18) + "complaint     a-provider-with…  192.0.2.1        user\uFFFD[2J\uFFFD@example.com         Größe " + strings.Repeat("x", 41) + "…\n"
	if got := string(appendTableRow(nil, r)); got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}
