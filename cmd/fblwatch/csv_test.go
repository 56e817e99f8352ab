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
