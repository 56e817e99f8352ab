package report_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/report"
)

// TestClosed: of a message that is cut anywhere before its outermost closing
// delimiter it is known, whatever else in it looks like one.
func TestClosed(t *testing.T) {
	const head = "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n"
	inner := "--b\nContent-Type: multipart/alternative; boundary=b2\n\n--b2\n\ntext\n--b2--\n"
	encoded := base64.StdEncoding.EncodeToString([]byte("--b\n\ntext\n--b--\n"))
	for _, test := range []struct {
		name, message     string
		closed, multipart bool
	}{
		{"closed", head + "--b\n\ntext\n--b--\n", true, true},
		{"closed, without a line break behind", head + "--b\n\ntext\n--b--", true, true},
		{"closed, with CRLF and an epilogue", strings.ReplaceAll(head+"--b\n\ntext\n--b--\nepilogue\n", "\n", "\r\n"), true, true},
		{"white space behind", head + "--b\n\ntext\n--b-- \t\nepilogue\n", true, true},
		{"cut in the last delimiter", head + "--b\n\ntext\n--b-", false, true},
		{"only the inner one is closed", head + inner, false, true},
		{"both are closed", head + inner + "--b--\n", true, true},
		{"no delimiter at all", head + "text", false, true},
		{"an empty body", head, false, true},
		{"no boundary declared", "Content-Type: multipart/mixed\n\n--x\nContent-Type: text/plain\n\ntext\n--x--\n", true, true},
		{"another boundary declared", "Content-Type: multipart/mixed; boundary=y\n\n--x\nContent-Type: text/plain\n\ntext\n", false, true},
		{"no type, and framed", "From: a@example.com\n\n--x\nContent-Type: text/plain\n\ntext\n", false, true},
		{"base64", strings.Replace(head, "\n\n", "\nContent-Transfer-Encoding: base64\n\n", 1) + encoded, true, true},
		{"base64, cut", strings.Replace(head, "\n\n", "\nContent-Transfer-Encoding: base64\n\n", 1) + encoded[:16], false, true},
		{"within a message", "From: b@example.com\nContent-Type: message/rfc822\n\n" + head + "--b\n\ntext\n", false, true},
		{"within a message, closed", "From: b@example.com\nContent-Type: message/rfc822\n\n" + head + "--b\n\ntext\n--b--\n", true, true},
		{"text", "Subject: x\n\ntext", true, false},
		{"text without a body", "Subject: x\n\n", true, false},
		{"cut in its header", "Subject: x\n", false, false},
		{"a multipart cut in its header", head[:len(head)-1], false, true},
		{"nothing", "", false, false},
	} {
		closed, multipart := report.Closed([]byte(test.message))
		if closed != test.closed || multipart != test.multipart {
			t.Errorf("%s: closed %v, multipart %v; want %v, %v", test.name, closed, multipart, test.closed, test.multipart)
		}
	}
	whole := sample.Report(1, 2000)
	last := bytes.LastIndex(whole, []byte("--"))
	for n := range whole {
		if closed, _ := report.Closed(whole[:n]); closed != (n >= last+2) {
			t.Fatalf("cut at %d of %d: closed %v; the closing delimiter ends at %d", n, len(whole), closed, last+2)
		}
	}
}
