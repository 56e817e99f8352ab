package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/internal/mailfile"
	"github.com/fblwatch/fblwatch/internal/watch"
)

// The parts as the boundaries declare them, however the mail is broken.
func TestPartsOf(t *testing.T) {
	deep := ""
	for range 30 {
		deep += "Content-Type: message/rfc822\n\n"
	}
	tests := []struct {
		name, mail string
		want       []mailPart
	}{
		{"empty", "", []mailPart{{Type: "text/plain"}}},
		{"mbox line", "From x\nContent-Type: Text/HTML; charset=x\n\nabc", []mailPart{{Type: "text/html", Octets: 3}}},
		{"cut", "Content-Type: multipart/mixed; boundary=b=1\n\npreamble\n--b=1\nContent-Type: a/b; name=n\n\nx\n--b=1\n\ny\r\n\n",
			[]mailPart{{Type: "multipart/mixed", Octets: 55}, {Depth: 1, Type: "a/b", Name: "n", Octets: 1}, {Depth: 1, Type: "text/plain", Octets: 4}}},
		{"a longer line is no boundary", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--bc\n--b--\n--b\n\n",
			[]mailPart{{Type: "multipart/mixed", Octets: 21}, {Depth: 1, Type: "text/plain", Octets: 4}}},
		{"control", "Content-Type: a\x1b/b\n\n", []mailPart{{Type: "a\uFFFD/b"}}},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, partsOf([]byte(test.mail))); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
	if n := len(partsOf([]byte(deep))); n != maxShownDepth+1 {
		t.Errorf("%d parts of a deep mail", n)
	}
	if n := len(partsOf([]byte("Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\n", 1000)))); n != maxShownParts {
		t.Errorf("%d parts of a wide mail", n)
	}
}

// Whatever a mail holds, what a person sees of it is inert.
func TestExplainIsInert(t *testing.T) {
	for _, evil := range []string{"\x1b[2J", "\u202e", "\u009b", "\xff", "\x00", "\u2028"} {
		mail := "From: a@example.com\nMessage-ID: " + evil + "\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/feedback-report; name=" + evil +
			"\n\nFeedback-Type: " + evil + "\nX-One: " + evil + "\n" + evil + "\n--b\nContent-Type: application/json" + evil + "\nContent-Transfer-Encoding: " + evil + "\n\n{}\n--b--\n"
		e := explainMail(t.Context(), watch.Reading{}, mailfile.Mail{Path: "a", Number: 1, Body: []byte(mail), Size: int64(len(mail))})
		var out strings.Builder
		if err := e.writeJSON(&out); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{e.text(), out.String()} {
			for line := range strings.Lines(text) {
				if line = strings.TrimSuffix(line, "\n"); line != printable(line) {
					t.Errorf("%q of %q", line, evil)
				}
			}
		}
	}
}
