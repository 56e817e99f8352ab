package recordtable

import (
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/report"
)

// What a reporter wrote can neither steer a terminal nor be a formula.
func TestCSVRow(t *testing.T) {
	for _, value := range []string{"\x1b[2J", "=1+1", "\u009b2J", "\x1b=cmd|' /C calc'!A0", "a\nb", "\u202egnp.exe"} {
		row := CSVRow(&report.Record{Event: report.Complaint, FeedbackType: value, Original: &report.Original{Subject: value}})
		for _, cell := range row {
			if strings.ContainsAny(cell, "\x1b\n\u009b\u202e") || cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("%q makes %q", value, cell)
			}
		}
	}
}

// TestInert: an apostrophe stands before what a spreadsheet runs, and before nothing
// else: no importer takes it off, and the subscriber would not be found.
func TestInert(t *testing.T) {
	for _, formula := range []string{"=1+1", "=cmd|' /C calc'!A0", "+1+1", "+SUM(A1)", "-2+3+cmd|' /C calc'!A0", "@SUM(1)", "=HYPERLINK(\"http://x.example\")", "+49-170-1234567",
		"=1+1;x@example.com", "=HYPERLINK(A1)@example.com", "@example.com", "+abc", "-abc", "\uff1d1+1", "\uff0b1+1", "=A1", "-", "+491701234567=1", "+1 cmd", "=cmd|x!A0@example.com", "=1+1@example.com", "-2+3@example.com"} {
		if got := Inert(formula); got != "'"+formula {
			t.Errorf("%q: %q, want an apostrophe", formula, got)
		}
	}
	for _, plain := range []string{"", "+491701234567", "+49 170 1234567", "-5", "-1.5", "+1,5", "-1e5", "+1.5E-3", "-user@example.com", "+tag-1@example.com", "+491701234567@example.com", "user@example.com",
		"00123", "1+1", "%tag", "|x", "a=b", "'x", "12345-6", "<>"} {
		if got := Inert(plain); got != plain {
			t.Errorf("%q: %q, want it as it is", plain, got)
		}
	}
}

// A reporter decides what the values are; no spreadsheet may run them.
func TestCSVHoldsNoFormula(t *testing.T) {
	r := &report.Record{
		ID: "x.1", UserAgent: "=1+1", OriginalRcptTo: "=cmd|'/c calc'!A1", Provider: "@SUM(A1)", FeedbackType: "+1+1", OriginalMailFrom: "<>",
		Original: &report.Original{Subject: "\t=1", From: "-2*A1", MessageID: "a=b@c"},
	}
	row := CSVRow(r)
	if len(row) != len(CSVHead) {
		t.Fatalf("%d cells under %d titles", len(row), len(CSVHead))
	}
	got := map[string]string{}
	for i, cell := range row {
		if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
			t.Errorf("%s is a formula: %q", CSVHead[i], cell)
		}
		got[CSVHead[i]] = cell
	}
	for title, want := range map[string]string{
		"original_rcpt_to": "'=cmd|'/c calc'!A1", "original_mail_from": "<>", "original_message_id": "a=b@c", "original_subject": "\ufffd=1",
	} {
		if got[title] != want {
			t.Errorf("%s: %q, want %q", title, got[title], want)
		}
	}
}
