package sample_test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"testing"

	"github.com/fblwatch/fblwatch/internal/sample"
)

// part is one leaf of a multipart message.
type part struct{ mediaType, body string }

// read takes a message apart by the standard library, an independent reader.
func read(t *testing.T, b []byte) (mail.Header, map[string]string, []part) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%v in\n%s", err, b)
	}
	mediaType, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	params["type"] = mediaType
	if params["boundary"] == "" {
		return m.Header, params, nil
	}
	var parts []part
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextPart()
		if err == io.EOF {
			return m.Header, params, parts
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part{p.Header.Get("Content-Type"), string(body)})
	}
}

func field(t *testing.T, block, name string) string {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader([]byte(block + "\r\n\r\n")))
	if err != nil {
		t.Fatalf("%v in\n%s", err, block)
	}
	return m.Header.Get(name)
}

func TestReport(t *testing.T) {
	for _, size := range []int{0, 1, 400, 1000, 2500, 5000, 25000} {
		for _, n := range []int{0, 7, 12345, 9999999} {
			b := sample.Report(n, size)
			_, params, parts := read(t, b)
			if params["type"] != "multipart/report" || params["report-type"] != "feedback-report" {
				t.Errorf("n %d, size %d: type %v", n, size, params)
			}
			if len(parts) != 3 {
				t.Fatalf("n %d, size %d: %d parts", n, size, len(parts))
			}
			if parts[1].mediaType != "message/feedback-report" || parts[2].mediaType != "message/rfc822" {
				t.Errorf("n %d, size %d: parts %q, %q", n, size, parts[1].mediaType, parts[2].mediaType)
			}
			rcpt, err := mail.ParseAddress(field(t, parts[1].body, "Original-Rcpt-To"))
			if want := fmt.Sprintf("user%d@example.com", n); err != nil || rcpt.Address != want {
				t.Errorf("n %d, size %d: recipient %v (%v), want %s", n, size, rcpt, err, want)
			}
			for _, name := range []string{"Feedback-Type", "User-Agent", "Version"} {
				if field(t, parts[1].body, name) == "" {
					t.Errorf("n %d, size %d: no %s", n, size, name)
				}
			}
			if field(t, parts[2].body, "Subject") == "" {
				t.Errorf("n %d, size %d: the original has no subject", n, size)
			}
		}
	}
}

func TestReportSize(t *testing.T) {
	natural := len(sample.Report(7, 0))
	if natural < 2000 || natural > 3000 {
		t.Errorf("the natural form has %d octets", natural)
	}
	if n := len(sample.Report(7, 1)); n > 350 {
		t.Errorf("the smallest form has %d octets", n)
	}
	for _, size := range []int{400, 401, 402, natural - 1, natural, natural + 1, natural + 71, natural + 72, natural + 73, 25000} {
		if n := len(sample.Report(7, size)); n != size {
			t.Errorf("size %d gives %d octets", size, n)
		}
	}
}

func TestUniqueAndStable(t *testing.T) {
	seen := map[string]int{}
	for n := range 3000 {
		for _, size := range []int{0, 1} {
			b := sample.Report(n, size)
			if !bytes.Equal(b, sample.Report(n, size)) {
				t.Fatalf("report %d differs from itself", n)
			}
			header, _, _ := read(t, b)
			id := header.Get("Message-Id")
			if other, ok := seen[id]; ok {
				t.Fatalf("reports %d and %d have the Message-ID %s", other, n, id)
			}
			seen[id] = n
		}
	}
}

func TestLines(t *testing.T) {
	messages := [][]byte{sample.Report(3, 0), sample.Report(3, 1), sample.Report(3, 7777)}
	for _, kind := range []string{"dsn", "mdn", "autoreply", "human"} {
		messages = append(messages, sample.Message(3, kind))
	}
	for _, b := range messages {
		if bytes.Count(b, []byte("\r\n")) != bytes.Count(b, []byte("\n")) || bytes.Count(b, []byte("\r")) != bytes.Count(b, []byte("\n")) {
			t.Errorf("not every line ends in CRLF:\n%s", b)
		}
		if bytes.ContainsAny(b, "{}") {
			t.Errorf("a name was not filled in:\n%s", b)
		}
		for line := range bytes.Lines(b) {
			if len(line) > 80 {
				t.Errorf("line of %d octets: %s", len(line), line)
			}
		}
	}
}

func TestMessage(t *testing.T) {
	for kind, reportType := range map[string]string{
		"dsn":       "delivery-status",
		"mdn":       "disposition-notification",
		"autoreply": "",
		"human":     "",
	} {
		header, params, _ := read(t, sample.Message(5, kind))
		if params["report-type"] != reportType {
			t.Errorf("%s: report-type %q", kind, params["report-type"])
		}
		if auto := header.Get("Auto-Submitted") != ""; auto == (kind == "human") {
			t.Errorf("%s: Auto-Submitted present: %v", kind, auto)
		}
		if _, err := header.Date(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
