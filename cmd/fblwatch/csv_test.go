package main

import (
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/report"
)

// What a reporter wrote can neither steer a terminal nor be a formula.
func TestCSVRow(t *testing.T) {
	for _, value := range []string{"\x1b[2J", "=1+1", "\u009b2J", "\x1b=cmd|' /C calc'!A0", "a\nb", "\u202egnp.exe"} {
		row := csvRow(&report.Record{Event: report.Complaint, FeedbackType: value, Original: &report.Original{Subject: value}})
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
		if got := inert(formula); got != "'"+formula {
			t.Errorf("%q: %q, want an apostrophe", formula, got)
		}
	}
	for _, plain := range []string{"", "+491701234567", "+49 170 1234567", "-5", "-1.5", "+1,5", "-1e5", "+1.5E-3", "-user@example.com", "+tag-1@example.com", "+491701234567@example.com", "user@example.com",
		"00123", "1+1", "%tag", "|x", "a=b", "'x", "12345-6", "<>"} {
		if got := inert(plain); got != plain {
			t.Errorf("%q: %q, want it as it is", plain, got)
		}
	}
}
