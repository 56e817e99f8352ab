package identify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/pacetest"
	"github.com/fblwatch/fblwatch/report"
)

// thousand is a report of a thousand recipients about a message with these fields.
func thousand(rcpt func(n int) string, fields string) []byte {
	var b strings.Builder
	b.WriteString("From: fbl@example.net\nMessage-ID: <1@example.net>\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n" +
		"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "Original-Rcpt-To: <%s@example.org>\n", rcpt(i))
	}
	b.WriteString("--b\nContent-Type: message/rfc822\n\nFrom: news@example.com\n" + fields + "\n--b--\n")
	return []byte(b.String())
}

// TestLinear: a thousand records, each of which may be a member of any list and
// whose hash may stand in any value, cost little more than reading what they share.
func TestLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short: it takes some seconds")
	}
	plain := func(n int) string { return fmt.Sprintf("u%d", n) }
	hashed := func(n int) string {
		sum := sha256.Sum256([]byte(plain(n)))
		return hex.EncodeToString(sum[:])
	}
	id, err := New(Config{Rules: []Rule{
		{From: "rcpt", Match: `^(?P<subscriber>.*)$`},
		{From: "original:X-Y", Match: `(?P<subscriber>[a-z]*)-(?P<campaign>.*)`},
		{From: "text", Match: `(?P<tenant>x+)y`},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, message := range map[string][]byte{
		"lists":       thousand(plain, pacetest.Repeat("List-Post: <mailto:list#@example.net>\n", 60<<10)),
		"list ids":    thousand(plain, pacetest.Repeat("List-ID: <list#.example.net>\n", 60<<10)),
		"beenthere":   thousand(plain, pacetest.Repeat("X-BeenThere: list#@example.net\n", 60<<10)),
		"hashes":      thousand(hashed, pacetest.Repeat("X-Y: "+strings.Repeat("ab-", 200)+"#\n", 60<<10)),
		"unsubscribe": thousand(hashed, pacetest.Repeat("List-Unsubscribe: <https://example.net/u/#/"+strings.Repeat("a/", 100)+">\n", 60<<10)),
		"one uri":     thousand(hashed, "List-Unsubscribe: <https://example.net/"+strings.Repeat("a/", 4000)+">\n"),
		"percents":    thousand(hashed, "List-Unsubscribe: <https://example.net/?"+strings.Repeat("%41&", 2000)+">\n"),
		"words":       thousand(hashed, pacetest.Repeat("X-Y: "+strings.Repeat("=?a?b?", 2000)+"?=\n", 60<<10)),
		"verp":        thousand(hashed, pacetest.Repeat("Return-Path: <"+strings.Repeat("a=", 120)+"#@example.net>\n", 60<<10)),
		"srs":         thousand(hashed, pacetest.Repeat("Return-Path: <SRS0="+strings.Repeat("a=", 100)+"#@example.net>\n", 60<<10)),
		"dashes":      thousand(plain, pacetest.Repeat("X-Y: "+strings.Repeat("-", 8000)+"\n", 60<<10)),
		"json":        thousand(plain, pacetest.Repeat("X-Mailgun-Variables: {"+strings.Repeat("\"a\":[[[[[[1]]]]]],", 400)+"\n", 60<<10)),
	} {
		r := report.Parse(message)
		records := r.Records(report.Envelope{})
		if len(records) < 500 {
			t.Fatalf("%s: %d records", name, len(records))
		}
		pacetest.Within(t, name, 250*time.Millisecond, func() {
			id.Identify(r, records)
			id.Subscribers(r, records)
		})
	}
}
