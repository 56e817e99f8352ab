package main

import (
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/recordtable"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

// A row is one line without control characters, whatever the values hold, and of
// the width that it is to have.
func TestTableRow(t *testing.T) {
	r := &report.Record{
		ID: strings.Repeat("0a", 16) + ".1", Event: "complaint", Provider: "a-provider-with-a-long-name.example", SourceIP: "192.0.2.1", OriginalRcptTo: "user\x1b[2J\n@example.com",
		Suppress: &report.Suppress{Verdict: "review"}, Original: &report.Original{Subject: "Größe " + strings.Repeat("x", 60)},
		ReceivedAt: time.Date(2026, 3, 2, 6, 1, 59, 0, time.UTC),
	}
	id := strings.Repeat("0a", 16) + ".1"
	for width, want := range map[int]string{
		0:  id + "  2026-03-02 06:01  complaint     review   a-provider-with…  user\uFFFD[2J\uFFFD@example.com                     192.0.2.1        Größe " + strings.Repeat("x", 41) + "…\n",
		80: id + "  complaint     review   user\uFFFD[2J\uFFFD@example.com\n", // 34, 12, 7 and 21
		79: id + "  complaint     review   user\uFFFD[2J\uFFFD@example.c…\n",
		40: "0a0a0a0a0a0a0…  review   user\uFFFD[2J\uFFFD@exam…\n", // 14, 7 and 15: the widest were cut
	} {
		if got := string(terminal.NewTable(recordtable.Columns, width, false).AppendRow(nil, recordtable.Cells(r))); got != want {
			t.Errorf("%d\n got %q\nwant %q", width, got, want)
		}
	}
	want := id + "  complaint     \x1b[33mreview\x1b[0m   user\uFFFD[2J\uFFFD@example.com\n"
	if got := string(terminal.NewTable(recordtable.Columns, 80, true).AppendRow(nil, recordtable.Cells(r))); got != want {
		t.Errorf("in colour\n got %q\nwant %q", got, want)
	}
}

// Every width has the id, who complained and the verdict, and no line is longer.
func TestTableFits(t *testing.T) {
	r := &report.Record{
		ID: strings.Repeat("f", 32) + ".12", Event: "auth_failure", Provider: "提供者.example", SourceIP: "2001:db8:1234:5678:9abc:def0:1234:5678",
		OriginalRcptTo: strings.Repeat("受信者e\u0301", 20) + "@example.com", Suppress: &report.Suppress{Verdict: "review"},
		Original: &report.Original{Subject: strings.Repeat("大売り出し", 20)}, ReceivedAt: time.Now(),
	}
	for width := 20; width <= 300; width++ {
		table := terminal.NewTable(recordtable.Columns, width, false)
		row, head := string(table.AppendRow(nil, recordtable.Cells(r))), string(table.AppendHead(nil))
		for _, line := range []string{row, head} {
			if n := terminal.Cells(strings.TrimSuffix(line, "\n")); n > width || n < width-60 && width < 180 || strings.Count(line, "\n") != 1 {
				t.Errorf("%d: %d columns: %q", width, n, line)
			}
		}
		if !strings.HasPrefix(row, "fff") || width >= 40 && (!strings.Contains(row, " review ") || !strings.Contains(row, " 受")) {
			t.Errorf("%d: %q", width, row)
		}
		if width >= 80 && !strings.Contains(row, strings.Repeat("f", 32)+".") {
			t.Errorf("%d: the id is cut: %q", width, row)
		}
	}
}
