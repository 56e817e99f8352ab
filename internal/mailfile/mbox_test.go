package mailfile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMbox(t *testing.T) {
	const original = "--=_x1\nContent-Type: message/rfc822\n\n" + from + "Subject: s\n\nhello\n\n"
	long := strings.Repeat("x", 10<<20)
	tests := []struct {
		name, input string
		want        []string
	}{
		{"one", from + "a\n\n", []string{"a\n"}},
		{"no empty line at the end", from + "a\n", []string{"a\n"}},
		{"cut in the middle", from + "a\n\n" + from + "b: c\n\nd", []string{"a\n", "b: c\n\nd"}},
		{"cut in a separator", from + "a\n\nFrom b@example.com Mon", []string{"a\n\nFrom b@example.com Mon"}},
		{"cut after a separator", from + "a\n\n" + from, []string{"a\n", ""}},
		{"a header alone", from + "a: b\n\n" + from + "c: d\n\n\n" + from + "e: f\n\n", []string{"a: b\n", "c: d\n\n", "e: f\n"}},
		{"no empty line between", from + "a\n" + from + "b\n\n", []string{"a\n" + from + "b\n"}},
		{"CRLF", crlf(from + "a\n\nb\n\n" + from + "c\n\n"), []string{"a\r\n\r\nb\r\n", "c\r\n"}},
		{"CR", cr(from + "a\n\n>From b\n\n" + from + "c\n\n"), []string{"a\r\rFrom b\r", "c\r"}},
		{"mails with CRLF between lines with LF", from + "a\r\n\r\nb\r\n\n" + from + "c\r\n\n", []string{"a\r\n\r\nb\r\n", "c\r\n"}},
		{"CR does not separate in a file with LF", from + "a\r\r" + cr(from) + "b\n\n" + from + "c\n\n", []string{"a\r\r" + cr(from) + "b\n", "c\n"}},
		{"byte order mark and empty lines first", "\xef\xbb\xbf\r\n\n" + from + "a\n\n" + from + "b\n\n", []string{"a\n", "b\n"}},
		{"a first line without a date", "From b@example.com\na\n\n" + from + "c\n\n", []string{"a\n", "c\n"}},
		{"a CR in the first line of a file with LF", "From a\rb Mon Mar  2 06:00:00 2026\na\n\n" + from + "b\n\n", []string{"a\n", "b\n"}},
		{"a separator beyond measure", from + "a\n\n" + strings.Replace(from, "fbl", strings.Repeat("x", 1024), 1) + "b\n\n", []string{"a\n\n" + strings.Replace(from, "fbl", strings.Repeat("x", 1024), 1) + "b\n"}},
		{"quoted", from + ">From a\n>>From b\n >From c\nx>From d\n>from e\n>From: f\n> From g\n\n", []string{"From a\n>From b\n >From c\nx>From d\n>from e\n>From: f\n> From g\n"}},
		{"a quoted separator", from + "a\n\n>" + from + "b\n\n" + from + "c\n\n", []string{"a\n\n" + from + "b\n", "c\n"}},
		{"a sentence", from + "a\n\nFrom here it is far.\n\nFrom Mon to Fri 10:00 to 12:00 in 2026\n\n" + from + "b\n\n", []string{"a\n\nFrom here it is far.\n\nFrom Mon to Fri 10:00 to 12:00 in 2026\n", "b\n"}},
		{"NUL", from + "a\x00b\n\n" + from + "\x00\n\n", []string{"a\x00b\n", "\x00\n"}},
		{"a line of 10 MB", from + long + "\n\n" + from + "b\n\n", []string{long + "\n", "b\n"}},
		{"Content-Length that lies", from + "Content-Length: 9999\n\na\n\n" + from + "b\n\n", []string{"Content-Length: 9999\n\na\n", "b\n"}},

		{"an original with its own separator", from + "Subject: r\n\n" + original + "--=_x1--\n\n" + from + "b\n\n",
			[]string{"Subject: r\n\n" + original + "--=_x1--\n", "b\n"}},
		{"the same in CRLF", crlf(from + "Subject: r\n\n" + original + "--=_x1--\n\n" + from + "b\n\n"),
			[]string{crlf("Subject: r\n\n" + original + "--=_x1--\n"), "b\r\n"}},
		{"a mail that ends like that swallows none", from + "--=_x1\nContent-Type: message/rfc822\n\n" + from + "x\n\n--c\n\n" + from + "--=_x1\n\n",
			[]string{"--=_x1\nContent-Type: message/rfc822\n", "x\n\n--c\n", "--=_x1\n"}},
		{"not one with that boundary of its own", from + "--=_x1\nContent-Type: message/rfc822\n\n" + from + "Content-Type: multipart/report; boundary==_x1\n\n--=_x1\n\n--=_x1--\n\n",
			[]string{"--=_x1\nContent-Type: message/rfc822\n", "Content-Type: multipart/report; boundary==_x1\n\n--=_x1\n\n--=_x1--\n"}},
		{"nor one with lines of dashes", from + "-----\nContent-Type: message/rfc822\n\n" + from + "x\n\n-------\n\n",
			[]string{"-----\nContent-Type: message/rfc822\n", "x\n\n-------\n"}},
		{"a text part does not hide it", from + "--=_x1\nContent-Type: text/plain\n\n" + from + "x\n\n--=_x1--\n\n",
			[]string{"--=_x1\nContent-Type: text/plain\n", "x\n\n--=_x1--\n"}},

		{"c-client's own mail", from + internal("X-IMAP: 1772000000 0000000007") + from + "a\n\n", []string{"a\n"}},
		{"only looks like it", from + internal("X-Other: 1") + from + "a\n\n", []string{strings.TrimSuffix(internal("X-Other: 1"), "\n"), "a\n"}},
		{"not first", from + "a\n\n" + from + internal("X-IMAPbase: 1 2"), []string{"a\n", strings.TrimSuffix(internal("X-IMAPbase: 1 2"), "\n")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := bodies(t, test.input)
			if diff := cmp.Diff(test.want, got); diff != "" {
				if len(diff) > 2000 {
					diff = diff[:2000]
				}
				t.Error(diff)
			}
		})
	}
}

// internal is the message that c-client writes first into an mbox.
func internal(state string) string {
	return "Date: Mon, 2 Mar 2026 06:00:00 +0000\nFrom: Mail System Internal Data <MAILER-DAEMON@mx.example.com>\n" +
		"Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nMessage-ID: <1@mx.example.com>\n" + state + "\nStatus: RO\n\nThis is the folder's own.\n\n"
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
func cr(s string) string   { return strings.ReplaceAll(s, "\n", "\r") }
