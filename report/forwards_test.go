package report

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// forwards are what people's programs make of a report that they send on.
var forwards = map[string]func(message string, f framed) string{
	"attached": func(message string, f framed) string {
		return forwarder + "Content-Type: multipart/mixed; boundary=\"------------060300\"\n\nThis is a multi-part message in MIME format.\n--------------060300\nContent-Type: text/plain; charset=utf-8; format=flowed\n\nFYI\n\n" +
			"--------------060300\nContent-Type: message/rfc822; name=\"Attached Message\"\nContent-Disposition: attachment; filename=\"Attached Message\"\n\n" + message + "\n--------------060300--\n"
	},
	"attached as octets": func(message string, f framed) string {
		return forwarder + "Content-Type: multipart/mixed;\n\tboundary=\"_004_AM0\"\n\n--_004_AM0\nContent-Type: multipart/alternative; boundary=\"_000_AM0\"\n\n--_000_AM0\nContent-Type: text/plain\n\nFYI\n--_000_AM0\nContent-Type: text/html\n\n<p>FYI\n--_000_AM0--\n\n" +
			"--_004_AM0\nContent-Type: application/octet-stream; name=\"FW What is new.eml\"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"FW What is new.eml\"; size=1\n\n" + base64Lines(strings.ReplaceAll(message, "\n", "\r\n")) + "\n--_004_AM0--\n"
	},
	"as the body": func(message string, f framed) string { return forwarder + "Content-Type: message/rfc822\n\n" + message },
	"attached twice over": func(message string, f framed) string {
		inner := "From: desk@example.org\nSubject: Fwd: complaint\nContent-Type: multipart/mixed; boundary=in1\n\n--in1\nContent-Type: message/rfc822\n\n" + message + "\n--in1--\n"
		return forwarder + "Content-Type: multipart/mixed; boundary=out1\n\n--out1\nContent-Type: text/html\n\n<p>see\n--out1\nContent-Type: message/rfc822\n\n" + inner + "\n--out1--\n"
	},
	"its parts attached": func(message string, f framed) string {
		f.head, f.typ = forwarder, "multipart/mixed"
		f.parts = append([]framedPart{{"Content-Type: multipart/alternative; boundary=alt", "--alt\nContent-Type: text/plain\n\n---------- Forwarded message ---------\nFrom: Loop <fbl@fbl.example.com>\nDate: Mon, Jul 6, 2026 at 10:00 AM\nSubject: FW: What is new in July\nTo: <complaints@example.net>\n\n\nThis is an email abuse report.\n--alt\nContent-Type: text/html\n\n<p>Forwarded\n--alt--\n"}}, f.parts...)
		return f.each(func(p *framedPart) bool { return !strings.Contains(p.head, "alternative") }, func(p *framedPart) {
			p.head += "\nContent-Disposition: attachment; filename=\"noname\"\nX-Attachment-Id: 18e_0.1"
		}).String()
	},
}

const forwarder = "Received: from mail.example.org (mail.example.org [198.51.100.7])\n\tby mx.example.net with ESMTPS id 77; Tue, 07 Jul 2026 08:00:05 +0000\nFrom: Jo Example <jo@example.org>\nTo: complaints@example.net\nSubject: Fwd: FW: What is new in July\nDate: Tue, 07 Jul 2026 08:00:00 +0000\nMessage-ID: <77@example.org>\nMIME-Version: 1.0\n"

// TestForwards: a report that somebody sends on says the same, but for who sent
// it. Where a feed is known by From alone, it is not known any more, and nothing
// is derived by its hosts.
func TestForwards(t *testing.T) {
	taken := 0
	for _, fixture := range fixtures(t) {
		f, ok := take(string(fixture.message))
		want := Parse(fixture.message)
		if !ok || want.Kind != KindReport || want.Dialect == "forward" || strings.HasPrefix(fixture.name, "sparse-") || !cmp.Equal(said(want), said(Parse([]byte(f.String())))) {
			continue // the forward of a forward is a person's letter; sparse ones are known by From alone
		}
		taken++
		for name, forward := range forwards {
			if !slices.ContainsFunc(f.parts, func(p framedPart) bool { return p.isReport() }) && name == "its parts attached" {
				continue // without a report part there is nothing to know it by
			}
			got := Parse([]byte(forward(string(fixture.message), f)))
			if got.Outer.From != "jo@example.org" {
				t.Errorf("%s: %s: From %s", fixture.name, name, got.Outer.From)
			}
			if diff := cmp.Diff(reportedIn(want), reportedIn(got)); diff != "" {
				t.Errorf("%s: %s: %s %v\n%s", fixture.name, name, got.Kind, got.Problems, diff)
			}
		}
	}
	if taken < 30 {
		t.Errorf("%d fixtures", taken)
	}
}

// reportedIn is what records say of the reported message.
func reportedIn(r *Report) []map[string]any {
	all := said(r)
	for _, m := range all {
		for _, key := range []string{"reported_at", "reporter", "provider", "feed", "fingerprint", "suppress"} {
			delete(m, key)
		}
		switch d := m["dialect"]; { // the outer header made it out
		case d == "returnpath1" && m["user_agent"] == nil, d == "sieve-report":
			m["dialect"] = "rfc5965"
		case d == "yahoo-ses":
			m["dialect"] = "yahoo"
		}
		if derived, ok := m["derived"].(map[string]any); ok && derived["source_ip"] == "outer:Subject" {
			derived["source_ip"] = "forwarded:Subject"
		}
	}
	return all
}

// Who writes no word of spam denies none: the expressions for that take 17 ms to
// make.
func TestNoDenials(t *testing.T) {
	made := denials
	defer func() { denials = made }()
	denials = func() *denial {
		t.Error("denials are looked for")
		return made()
	}
	for _, says := range []string{"See below, please.", "This is not what I ordered.", "> spam\n\nDMARC failed"} {
		message := forwarder + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + says + "\n--b\nContent-Type: message/rfc822\n\nFrom: news@example.com\nSubject: spam\n\nbody\n--b--\n"
		if r := Parse([]byte(message)); r.Kind == KindReport {
			t.Errorf("%q: %s", says, r.Event)
		}
	}
}
