package trust

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/pacetest"
	"github.com/fblwatch/fblwatch/report"
)

// TestLinear: eight times the octets take about eight times as long, in each field
// that is read and in the body.
func TestLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short: it takes some seconds")
	}
	plain := complaint("feedback@"+reporter, oursOriginal)
	signed := sign(t, plain, reporter, yahooFields)
	found := results("mx.example.com", dkimPass(reporter)) + receivedOurs
	behind := func(message, name, more string) string { // a field's value and more
		before, after, _ := strings.Cut(message, "\r\n"+name+": ")
		value, rest, _ := strings.Cut(after, "\r\n")
		return before + "\r\n" + name + ": " + value + more + "\r\n" + rest
	}
	dns := publish(t, reporter, carrier, evil, sealer)
	conf := config
	conf.AuthservIDs = []string{"mx.example.com", ".ids.example"}
	c, err := New(conf, dns, table)
	if err != nil {
		t.Fatal(err)
	}
	check := func(message string) func() {
		r := report.Parse([]byte(message))
		records := r.Records(report.Envelope{Providers: table})
		return func() { c.Check(t.Context(), []byte(message), r, records, time.Time{}, false) }
	}
	const header, body = 16 << 10, 256 << 10
	for _, test := range []struct {
		name    string
		pieces  []string
		small   int
		message func(more string) string
	}{
		{"Authentication-Results", []string{";", "; dkim=pass header.d=a", " header.d=a#", "= = ", "a =", "(", "()", "\"", "\\", "(\\", " ", "\r\n ", "; dkim=pass header.i=a@b.c.", "a."}, header,
			func(more string) string { return results("mx.example.com", more) + receivedOurs + signed }},
		{"Authentication-Results, lines", []string{"Authentication-Results: mx.example.com; dkim=pass header.d=d#.example.net\r\n", "Authentication-Results: x\r\n"}, header,
			func(more string) string { return more + receivedOurs + signed }},
		{"Authentication-Results, servers", []string{"Authentication-Results: m#.ids.example; dkim=pass header.d=d#.fbl.example.net; dkim=pass header.d=e.fbl.example.net\r\n", "Authentication-Results: m#.ids.example; spf=pass smtp.mailfrom=fbl.example.net\r\n"}, header,
			func(more string) string { return more + receivedOurs + plain }},
		{"Authentication-Results, not counted", []string{"Authentication-Results: m#.ids.example; dkim=pass header.d=d#.example.org; dkim=pass header.i=a@b\r\n", "Authentication-Results: x; / / / /\r\n"}, header,
			func(more string) string { return receivedTheir + more + plain }},
		{"Received", []string{";", "by ", "(", "\"", "from x ", "by #.example.com "}, header,
			func(more string) string { return found + "Received: " + more + "\r\n" + signed }},
		{"Received, lines", []string{receivedOurs}, header, func(more string) string { return found + more + signed }},
		{"From", []string{"(", "()", "(\\", "\"", "\\", "<", ",", "@", "a@b,", "[", "[\\", "a@[", ".", "=?utf-8?q?x?= ", "=?a?b?", "x ", ":", ";", "g:;", "a."}, header,
			func(more string) string {
				return strings.Replace(signed, "From: <", "From: "+more+" <", 1)
			}},
		{"Content-Type", []string{";", "; ", ";a=b", ";a#=b", "\"", ";\"", ";a*#=b", ";boundary*#=b", ";boundary*#*=%41", "\\", "(", "a", "="}, header,
			func(more string) string { return found + behind(signed, "Content-Type", more) }},
		{"DKIM-Signature, tags", []string{";", ";a#=b", "; ", "=", ";h=", " ", "\r\n "}, header,
			func(more string) string {
				return found + "DKIM-Signature: v=1; d=" + reporter + "; s=s; b=AA" + more + "\r\n" + signed
			}},
		{"DKIM-Signature, lines", []string{"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=" + reporter + "; s=s#; l=1; h=from:content-type; bh=AA; b=AA\r\n"}, header,
			func(more string) string { return found + more + signed }},
		{"DKIM-Signature, names", []string{"from:", "x#:", ":"}, 1 << 10,
			func(more string) string {
				return "DKIM-Signature: v=1; a=ed25519-sha256; d=" + reporter + "; s=s; h=from:" + more + "; bh=AA; b=AA\r\n" + signed
			}},
		{"ARC", []string{"ARC-Seal: i=#; cv=none; d=sealer.example; s=s; b=AA\r\n", "ARC-Authentication-Results: i=1; x\r\n", "ARC-Message-Signature: i=1; ;;;;;;;;;;;;;\r\n"}, header,
			func(more string) string { return more + signed }},
		{"other fields", []string{"X: y\r\n", "X#: y\r\n", "X:\r\n y\r\n"}, header, func(more string) string { return found + more + signed }},
		{"body, a-r", []string{" ", "\r\n", "\n", " \r\n", "\r", "--", "--x\r\n", "--outer\r\n", "--outer\r\n\r\n", "x", "=20", "a\t "}, body,
			func(more string) string { return found + signed + more }},
		{"body, many signatures", []string{" ", "\r\n", "--x\r\n"}, body, func(more string) string {
			return found + pacetest.Repeat("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d="+reporter+"; s=s#; l=1; h=from:content-type; bh=AA; b=AA\r\n", 64<<10) + signed + more
		}},
		{"body, signed", []string{" ", "\r\n", "\n", "\r", "x \t", "--outer\r\n"}, body, func(more string) string {
			return sign(t, strings.Replace(plain, "Buy now.", "Buy now. "+more, 1), reporter, yahooFields)
		}},
	} {
		for _, piece := range test.pieces {
			one, many := test.message(pacetest.Repeat(piece, test.small)), test.message(pacetest.Repeat(piece, 8*test.small))
			pacetest.Linear(t, fmt.Sprintf("%s of %q", test.name, piece), 60*time.Millisecond, 8, check(one), check(many))
		}
	}
}

// TestManyRecords: what is said of a report is read once for its thousand records.
func TestManyRecords(t *testing.T) {
	var rcpts strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&rcpts, "\r\nOriginal-Rcpt-To: <u%d@example.org>", i)
	}
	message := strings.Replace(complaint("feedback@"+reporter, oursOriginal), "\r\nOriginal-Rcpt-To: <reader@example.org>", rcpts.String(), 1)
	message = strings.Replace(message, "Source-IP: 192.0.2.7\r\n", "", 1)
	message = strings.Replace(message, "Subject: News", pacetest.Repeat("Received: from a."+reporter+" (b [10.0.0.1]) by c."+reporter+"; x\r\n", 60<<10)+"Subject: News", 1)
	message = results("mx.example.com", dkimPass(reporter)) + receivedOurs + sign(t, message, reporter, allFields)
	c, err := New(config, publish(t, reporter), table)
	if err != nil {
		t.Fatal(err)
	}
	r := report.Parse([]byte(message))
	records := r.Records(report.Envelope{Providers: table})
	if len(records) != 1000 {
		t.Fatalf("%d records", len(records))
	}
	pacetest.Within(t, "a thousand records", 250*time.Millisecond, func() {
		if c.Check(t.Context(), []byte(message), r, records, time.Time{}, false); records[999].Reporter.Auth != pass {
			t.Fatalf("%+v", records[999].Reporter)
		}
	})
}
