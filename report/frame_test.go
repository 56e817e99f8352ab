package report_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/report"
)

// framedBy is a report in parts of that boundary, about a message to <n@example.org>.
func framedBy(boundary string, n int) string {
	return fmt.Sprintf("--%[1]s\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: x\r\nVersion: 1\r\nOriginal-Rcpt-To: <%[2]d@example.org>\r\n"+
		"\r\n--%[1]s\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@example.com\r\nSubject: x\r\n\r\nx\r\n--%[1]s--\r\n", boundary, n)
}

// TestFrameIsTheReaders: of a body that holds a report of every boundary, Parse reads
// that of the frame, however the Content-Type is made up.
func TestFrameIsTheReaders(t *testing.T) {
	boundaries := []string{"outer", "inner", "a=b", "a/b:c", "a b", "outer--", "--", "in\"ner", "x;y", strings.Repeat("l", 70), strings.Repeat("l", 71), strings.Repeat("l", 257)}
	pieces := []string{"multipart/", "report", "mixed", "digest", "text/plain", "Multipart/Report; ", ";", ";", "; ", "\r\n ", "\t", " ", "=", "\"", "\\", "(", ")", "*", "*0", "*1*", "%6f", "us-ascii''",
		"boundary", "boundary=", "boundary=\"", "Boundary =", "; boundary=", ";\r\n\tboundary=\"", "report-type=feedback-report", "x=", "y", "charset=utf-8", "\x00", "\u00e9", ","}
	pieces = append(pieces, boundaries...)
	random := rand.New(rand.NewPCG(1, 2))
	plain, unencoded := 0, 0
	for range 20_000 {
		contentType, first := "multipart/report", random.IntN(len(boundaries))
		if random.IntN(4) > 0 {
			contentType += "; boundary=" + boundaries[first]
		}
		for range random.IntN(6) {
			contentType += pieces[random.IntN(len(pieces))]
		}
		encoding := []string{"", "7bit", "base64", "quoted-printable", "x"}[random.IntN(5)]
		var body strings.Builder
		if random.IntN(2) > 0 {
			body.WriteString(framedBy(boundaries[first], first))
		}
		for _, n := range random.Perm(len(boundaries)) {
			body.WriteString(framedBy(boundaries[n], n))
		}
		f := message.FrameOf(contentType, encoding, []byte(body.String()))
		if f.Plain && !f.Unencoded || f.Unencoded && f.Boundary == "" && strings.HasPrefix(contentType, "multipart/") {
			t.Fatalf("%q, %q: %+v", contentType, encoding, f)
		}
		if f.Plain {
			plain++
		}
		if f.Boundary == "" || !f.Plain && (strings.HasPrefix(f.Boundary, "outer") || !slices.Contains(boundaries, f.Boundary)) {
			continue // "--outer--" is a line of both
		}
		unencoded++
		message := "From: x@example.net\r\nContent-Type: " + contentType + "\r\n"
		if encoding != "" {
			message += "Content-Transfer-Encoding: " + encoding + "\r\n"
		}
		r := report.Parse([]byte(message + "\r\n" + body.String()))
		want := ""
		for n, b := range boundaries {
			if b == f.Boundary {
				want = fmt.Sprintf("%d@example.org", n)
			}
		}
		if len(r.OriginalRcptTo) != 1 || r.OriginalRcptTo[0] != want {
			t.Fatalf("%q, %q: read %v, want that of %q, %q", contentType, encoding, r.OriginalRcptTo, f.Boundary, want)
		}
	}
	if plain < 300 || unencoded < 2_500 {
		t.Errorf("of 20000, %d were plain and %d had a boundary: too few", plain, unencoded)
	}
}
