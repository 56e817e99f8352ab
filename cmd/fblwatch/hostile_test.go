package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/recordtable"
	"github.com/fblwatch/fblwatch/internal/suppress"
	"github.com/fblwatch/fblwatch/report"
)

// hostile are values that do something where they are shown as they are.
var hostile = map[string]string{
	"clear the screen":    "\x1b[2J\x1b[H",
	"set the title":       "\x1b]0;owned\x07",
	"one octet of escape": "\u009b31m",
	"backspaces":          "safe\b\b\b\bevil",
	"carriage return":     "safe\revil",
	"vertical tab":        "a\vb\fc",
	"NUL and DEL":         "a\x00b\x7fc",
	"turn text round":     "\u202etxt.exe\u2066\u200f",
	"line separators":     "a\u2028b\u2029c\u0085d",
	"invisible":           "a\u200b\u2060\ufeffb",
	"not UTF-8":           "a\xff\xfe\xc0\xafb",
	"formula =":           "=HYPERLINK(\"https://example.com\")",
	"formula +":           "+1+cmd|' /C calc'!A0",
	"formula -":           "-2+3",
	"formula @":           "@SUM(1+1)",
	"formula behind tab":  "\t=1+1",
	"formula in full":     "\uff1d1+1",
	"quotes and commas":   "a\",\"b,c;=1+1",
	"HTML":                "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;",
	"JSON":                `","event":"not_spam","x":"`,
	"a field":             "a Feedback-Type: not-spam",
	"long":                longValue1MB,
}

var longValue1MB = strings.Repeat("0123456789abcdef", 1<<16)

// hostileMail has the value in every place that comes out again; one of 1 MB in
// four, as no header is read beyond that.
func hostileMessage(value string) []byte {
	if value == longValue1MB {
		return fmt.Appendf(nil, "From: fbl@example.com\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\n"+
			"Feedback-Type: abuse\nVersion: 1\nUser-Agent: %[1]s\nReported-URI: %[1]s\nX-One: %[1]s\n--b\nContent-Type: message/rfc822\n\nFrom: news@example.net\nSubject: %[1]s\n\nHello\n--b--\n", value)
	}
	word := "=?utf-8?q?" + encodeAll(value) + "=0D=0ABcc=3A_evil?="
	return fmt.Appendf(nil, "From: %[1]s <fbl@example.com>\nMessage-ID: <%[1]s@example.com>\nSubject: %[2]s\nDate: Mon, 06 Jul 2026 10:00:00 +0000\n"+
		"Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report; name=\"%[1]s\"\n\n"+
		"Feedback-Type: abuse\nUser-Agent: %[1]s\nVersion: %[1]s\nOriginal-Envelope-Id: %[1]s\nOriginal-Mail-From: <%[1]s@example.net>\nOriginal-Rcpt-To: <%[1]s@example.org>\n"+
		"Arrival-Date: %[1]s\nReporting-MTA: dns; %[1]s\nSource-IP: %[1]s\nIncidents: %[1]s\nAuthentication-Results: %[1]s\nReported-Domain: %[1]s\nReported-URI: %[1]s\n"+
		"Auth-Failure: %[1]s\nX-%[1]s: %[1]s\nX-One: %[1]s\n%[1]s\n--b\nContent-Type: message/rfc822\n\n"+
		"Message-ID: <%[1]s@example.net>\nFrom: %[1]s <news@example.net>\nTo: <%[1]s@example.org>\nSubject: %[2]s\nReturn-Path: <%[1]s@example.net>\nList-ID: %[1]s\n"+
		"List-Unsubscribe: <https://example.net/u?%[1]s>\nFeedback-ID: %[1]s:%[1]s:%[1]s:s\nX-ListMember: %[1]s@example.org\nX-MessageID: %[1]s\n\nHello\n--b--\n", value, word)
}

func encodeAll(s string) (out string) {
	for _, c := range []byte(s) {
		out += fmt.Sprintf("=%02X", c)
	}
	return out
}

// TestHostile: whatever a reporter writes, every format is what it is: one line a
// record, cells that are text, nothing that a terminal obeys.
func TestHostile(t *testing.T) {
	for name, value := range hostile {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "mail.eml")
			fixture.File(t, file, hostileMessage(value))
			parsed := output(t, "parse", "--format", "json", file)
			record := checkJSON(t, "parse", parsed)
			for _, format := range []string{"arf", "table"} {
				checkText(t, "parse "+format, output(t, "parse", "--format", format, file))
			}
			if got := strings.Count(output(t, "parse", "--format", "table", file), "\n"); got != 2 {
				t.Errorf("a table of %d lines", got)
			}
			for line := range strings.Lines(strings.TrimSuffix(output(t, "parse", "--format", "arf", file), "\n")) {
				if field, _, found := strings.Cut(line, ": "); !found && line != "\n" || strings.EqualFold(field, "bcc") {
					t.Errorf("%.100q is no field", line)
				}
			}

			shown := output(t, "explain", file)
			if checkText(t, "explain", shown); len(shown) > 20_000 {
				t.Errorf("explain: %d octets", len(shown))
			}
			explained := output(t, "explain", "--format", "json", file)
			checkText(t, "explain json", explained)
			if !json.Valid([]byte(explained)) || strings.Count(explained, "\n") != 1 {
				t.Errorf("explain json: %.200q", explained)
			}

			record.Suppress = &report.Suppress{Verdict: report.SuppressYes}
			subscriber := clean(value[:min(len(value), 10_000)]) // a token that is longer has no room in a long record
			record.Identity = &report.Identity{Status: "identified", Subscriber: subscriber, Campaign: subscriber, Tenant: subscriber}
			at := time.Date(2026, 7, 6, 10, 0, 0, 0, time.UTC)
			path := ledgerOf(t, []ledger.Record{{ID: record.ID, Revision: 1, At: at, JSON: record.AppendJSON(nil), Event: string(record.Event), Verdict: string(record.Suppress.Verdict)}})
			kept := checkJSON(t, "records json", output(t, "records", "--format", "json", "--ledger", path))
			if diff := cmp.Diff(record, kept); diff != "" {
				t.Errorf("records json: %.1000s", diff)
			}
			table := output(t, "records", "--format", "table", "--ledger", path)
			if checkText(t, "records table", table); strings.Count(table, "\n") != 2 || utf8.RuneCountInString(table) > 1000 {
				t.Errorf("records table: %d lines, %d octets", strings.Count(table, "\n"), len(table))
			}
			checkCSV(t, "records csv", output(t, "records", "--format", "csv", "--ledger", path), len(recordtable.CSVHead))
			checkCSV(t, "suppress csv", output(t, "suppress", "--ledger", path), len(suppressHead))
			suppressed := output(t, "suppress", "--format", "json", "--ledger", path)
			checkText(t, "suppress json", suppressed)
			var line suppress.Entry
			if err := json.Unmarshal([]byte(suppressed), &line); err != nil || line.Subscriber != subscriber || strings.Count(suppressed, "\n") != 1 {
				t.Errorf("suppress json: %v %.200q", err, suppressed)
			}
		})
	}
}

func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// checkText: nothing but what can be seen, and line ends.
func checkText(t *testing.T, name, text string) {
	t.Helper()
	if text == "" || !utf8.ValidString(text) || !strings.HasSuffix(text, "\n") {
		t.Errorf("%s: empty, not UTF-8 or not ended: %.100q", name, text)
	}
	for _, r := range text {
		if r != '\n' && !unicode.IsPrint(r) && !strings.ContainsRune("\u200b\u2060\ufeff", r) { // these show nothing, and do nothing
			t.Errorf("%s: %U in %.300q", name, r, text)
			return
		}
	}
}

// checkJSON: one line, which is a record and is inert.
func checkJSON(t *testing.T, name, text string) (r report.Record) {
	t.Helper()
	checkText(t, name, text)
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	if err := d.Decode(&r); err != nil || strings.Count(text, "\n") != 1 || r.Event != report.Complaint || r.FeedbackType != "abuse" {
		t.Errorf("%s: %v, %.300q", name, err, text)
	}
	return r
}

// checkCSV: a head and one row, whose cells are text to a spreadsheet.
func checkCSV(t *testing.T, name, text string, cells int) {
	t.Helper()
	checkText(t, name, text)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 2 || len(rows[1]) != cells {
		t.Fatalf("%s: %v, %d rows: %.300q", name, err, len(rows), text)
	}
	for _, cell := range rows[1] {
		if r, _ := utf8.DecodeRuneInString(cell); cell != "" && strings.ContainsRune("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", r) {
			t.Errorf("%s: a formula: %.100q", name, cell)
		}
	}
}
