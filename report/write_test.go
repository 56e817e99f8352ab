package report

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fblwatch/fblwatch/internal/message"
)

// written is a message with every field that a report may have.
func written() Message {
	return Message{
		Report: Report{
			Outer: Outer{From: "Loop <fbl@example.net>", Subject: "FW: Spring sale", MessageID: "<1@example.net>",
				Date: time.Date(2026, time.March, 2, 6, 0, 0, 0, time.FixedZone("", 3600))},
			FeedbackType: "abuse", UserAgent: "SomeFBL/1.0", Version: "1",
			OriginalEnvelopeID: "e-1", OriginalMailFrom: "<>",
			OriginalRcptTo: []string{"a@example.com", "b@example.com"},
			ArrivalDate:    time.Date(2026, time.March, 2, 4, 30, 0, 0, time.UTC),
			ReportingMTA:   &MTA{Name: "mx.example.net"},
			SourceIP:       "::ffff:192.0.2.1", SourcePort: 25001, Incidents: 3,
			AuthenticationResults: []string{"mx.example.net; spf=pass smtp.mailfrom=bounce.example.com; dkim=pass header.d=example.com"},
			ReportedDomain:        []string{"example.com", "example.org"},
			ReportedURI:           []string{"https://example.com/u"},
			Extensions:            map[string][]string{"source": {"Mail"}, "abuse-type": {"complaint"}},
		},
		To:       []string{"fbl@example.com"},
		Text:     "One of our users does not want this mail.\n",
		Original: []byte("From x Mon Mar  2 04:30:00 2026\nMessage-ID: <o@example.com>\nSubject: Spring sale\n\nBuy!\n"),
		Boundary: "b",
	}
}

// The order and form of the fields are those of RFC 5965 sections 2 and 3.
const writtenMessage = `From: "Loop" <fbl@example.net>
To: fbl@example.com
Subject: FW: Spring sale
Date: Mon, 02 Mar 2026 05:00:00 +0000
Message-ID: <1@example.net>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report;
	boundary="b"

--b
Content-Type: text/plain; charset=us-ascii
Content-Transfer-Encoding: 7bit

One of our users does not want this mail.

--b
Content-Type: message/feedback-report
Content-Transfer-Encoding: 7bit

Feedback-Type: abuse
User-Agent: SomeFBL/1.0
Version: 1
Original-Envelope-Id: e-1
Original-Mail-From: <>
Original-Rcpt-To: <a@example.com>
Original-Rcpt-To: <b@example.com>
Arrival-Date: Mon, 02 Mar 2026 04:30:00 +0000
Reporting-MTA: dns; mx.example.net
Source-IP: 192.0.2.1
Source-Port: 25001
Incidents: 3
Authentication-Results: mx.example.net; spf=pass
 smtp.mailfrom=bounce.example.com; dkim=pass header.d=example.com
Reported-Domain: example.com
Reported-Domain: example.org
Reported-URI: https://example.com/u
Abuse-Type: complaint
Source: Mail

--b
Content-Type: message/rfc822
Content-Transfer-Encoding: 7bit

Message-ID: <o@example.com>
Subject: Spring sale

Buy!

--b--
`

func write(t testing.TB, m Message) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWrite(t *testing.T) {
	got := write(t, written())
	if strings.Count(got, "\r\n") != strings.Count(got, "\n") || strings.Count(got, "\r") != strings.Count(got, "\n") {
		t.Error("not every line ends in CRLF")
	}
	if diff := cmp.Diff(writtenMessage, strings.ReplaceAll(got, "\r\n", "\n")); diff != "" {
		t.Error(diff)
	}
	if r := Parse([]byte(got)); r.Kind != KindReport || len(r.Problems) > 0 {
		t.Errorf("%s, with %v", r.Kind, r.Problems)
	}
}

// Another reader finds the parts and their fields, too.
func TestWriteIsMIME(t *testing.T) {
	m := written()
	m.Boundary, m.Report.Outer.MessageID, m.Report.Outer.Date = "", "", time.Time{}
	m.Report.Outer.From = `"Grüße, Ö" <fbl@example.net>`
	m.Report.Outer.Subject = strings.Repeat("Жалоба =?utf-8?Q?x?= ", 20)
	m.Text = "Über " + strings.Repeat("lang ", 400) + "\n.\nend"
	got, err := mail.ReadMessage(strings.NewReader(write(t, m)))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
	if err != nil || subject != m.Report.Outer.Subject {
		t.Errorf("subject %q (%v)", subject, err)
	}
	from, err := got.Header.AddressList("From")
	if err != nil || len(from) != 1 || *from[0] != (mail.Address{Name: "Grüße, Ö", Address: "fbl@example.net"}) {
		t.Errorf("from %v (%v)", from, err)
	}
	if date, err := got.Header.Date(); err != nil || time.Since(date).Abs() > time.Minute {
		t.Errorf("date %v (%v)", date, err)
	}
	if id := got.Header.Get("Message-Id"); !strings.HasSuffix(id, "@example.net>") {
		t.Errorf("message-id %q", id)
	}
	typ, params, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
	if err != nil || typ != "multipart/report" || params["report-type"] != "feedback-report" {
		t.Fatalf("%s %v (%v)", typ, params, err)
	}
	parts := multipart.NewReader(got.Body, params["boundary"])
	want := []string{strings.ReplaceAll(m.Text, "\n", "\r\n"), "Version: 1\r\n", "\r\n\r\nBuy!\r\n"}
	for i, typ := range []string{"text/plain; charset=utf-8", "message/feedback-report", "message/rfc822"} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part)
		if err != nil || part.Header.Get("Content-Type") != typ || !strings.Contains(string(body), want[i]) {
			t.Errorf("part %d: %v (%v): %q", i, part.Header, err, body)
		}
	}
	if _, err := parts.NextPart(); err != io.EOF {
		t.Errorf("a fourth part: %v", err)
	}
}

// Nothing that a caller passes on from elsewhere makes a line of its own.
func TestWriteRefuses(t *testing.T) {
	long := strings.Repeat("x", 999)
	tests := []struct {
		name string
		with func(*Message)
		want error
		says string
	}{
		{"line break in a field", func(m *Message) { m.Report.UserAgent = "x\r\nBcc: y" }, ErrInvalid, "User-Agent: cannot be written: a line break or NUL in it"},
		{"bare CR", func(m *Message) { m.Report.Version = "1\r2" }, ErrInvalid, "Version: "},
		{"NUL", func(m *Message) { m.Report.OriginalEnvelopeID = "a\x00" }, ErrInvalid, "Original-Envelope-Id: "},
		{"line break in the subject", func(m *Message) { m.Report.Outer.Subject = "é\nBcc: y" }, ErrInvalid, "Subject: "},
		{"line break in an address", func(m *Message) { m.To = []string{"a@example.com\r\nBcc: y@example.com"} }, ErrInvalid, "To: "},
		{"line break in a name", func(m *Message) { m.Report.Outer.From = "\"a\r\nBcc: y\" <a@example.com>" }, ErrInvalid, "From: "},
		{"line break in the message-id", func(m *Message) { m.Report.Outer.MessageID = "<a\n@b>" }, ErrInvalid, "Message-ID: "},
		{"line break in an extension's name", func(m *Message) { m.Report.Extensions = map[string][]string{"a\nb": {"c"}} }, ErrInvalid, `"a\nb": `},
		{"extension without a name", func(m *Message) { m.Report.Extensions = map[string][]string{"": {"c"}} }, ErrInvalid, `"": `},
		{"extension that is none", func(m *Message) { m.Report.Extensions = map[string][]string{"Source-IP": {"x"}} }, ErrInvalid, "Source-IP: "},
		{"control", func(m *Message) { m.Report.ReportedURI = []string{"\x1b[2J"} }, ErrInvalid, "Reported-URI: cannot be written: not printable ASCII"},
		{"8-bit", func(m *Message) { m.Report.ReportedDomain = []string{"é.example"} }, ErrInvalid, "Reported-Domain: "},
		{"not UTF-8", func(m *Message) { m.Report.Outer.Subject = "\xff" }, ErrInvalid, "Subject: "},
		{"no type", func(m *Message) { m.Report.FeedbackType = "" }, ErrMissing, "Feedback-Type: missing"},
		{"a type that is no token", func(m *Message) { m.Report.FeedbackType = "abuse Version: 2" }, ErrInvalid, "Feedback-Type: "},
		{"a type that says nothing", func(m *Message) { m.Report.FeedbackType = "_" }, ErrInvalid, "Feedback-Type: "},
		{"no user agent", func(m *Message) { m.Report.UserAgent = " " }, ErrMissing, "User-Agent: "},
		{"no version", func(m *Message) { m.Report.Version = "" }, ErrMissing, "Version: "},
		{"no sender", func(m *Message) { m.Report.Outer.From = "" }, ErrMissing, "From: "},
		{"no addressee", func(m *Message) { m.To = nil }, ErrMissing, "To: "},
		{"no original", func(m *Message) { m.Original = []byte("\r\n ") }, ErrMissing, "original: "},
		{"an original that is no mail", func(m *Message) { m.Original = []byte("Hello\n") }, ErrInvalid, "original: "},
		{"mail-from", func(m *Message) { m.Report.OriginalMailFrom = "a> <b@example.com" }, ErrInvalid, "Original-Mail-From: "},
		{"recipients in one", func(m *Message) { m.Report.OriginalRcptTo = []string{"a@example.com,b@example.com"} }, ErrInvalid, "Original-Rcpt-To: "},
		{"recipient twice", func(m *Message) { m.Report.OriginalRcptTo = []string{"a@example.com", "a@example.com"} }, ErrInvalid, "Original-Rcpt-To: "},
		{"recipient blotted out", func(m *Message) { m.Report.OriginalRcptTo = []string{"redacted@example.com"} }, ErrInvalid, "Original-Rcpt-To: "},
		{"source", func(m *Message) { m.Report.SourceIP = "fe80::1%eth0" }, ErrInvalid, "Source-IP: "},
		{"port", func(m *Message) { m.Report.SourcePort = 65536 }, ErrInvalid, "Source-Port: "},
		{"incidents", func(m *Message) { m.Report.Incidents = -1 }, ErrInvalid, "Incidents: "},
		{"MTA without a name", func(m *Message) { m.Report.ReportingMTA = &MTA{Type: "dns"} }, ErrMissing, "Reporting-MTA: "},
		{"MTA's type", func(m *Message) { m.Report.ReportingMTA = &MTA{Type: "dns; x", Name: "y"} }, ErrInvalid, "Reporting-MTA: "},
		{"date", func(m *Message) { m.Report.Outer.Date = time.Date(10000, 1, 2, 0, 0, 0, 0, time.UTC) }, ErrInvalid, "Date: "},
		{"long word", func(m *Message) { m.Report.ReportedURI = []string{long} }, ErrInvalid, "no blank to fold it at"},
		{"boundary in a part", func(m *Message) { m.Text = "--b\n" }, ErrInvalid, "boundary: "},
		{"boundary's characters", func(m *Message) { m.Boundary = `a"b` }, ErrInvalid, "boundary: "},
		{"boundary's length", func(m *Message) { m.Boundary = long[:71] }, ErrInvalid, "boundary: "},
		{"auth-failure without results", func(m *Message) {
			m.Report.FeedbackType, m.Report.AuthenticationResults, m.Report.AuthFailure.AuthFailure = "auth-failure", nil, "dkim"
		}, ErrMissing, "Authentication-Results: "},
		{"auth-failure without the failure", func(m *Message) { m.Report.FeedbackType = "auth-failure" }, ErrMissing, "Auth-Failure: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := written()
			test.with(&m)
			var b bytes.Buffer
			err := Write(&b, m)
			if !errors.Is(err, test.want) || !strings.HasPrefix(err.Error(), "report: ") || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want %q", err, test.says)
			}
			if b.Len() > 0 {
				t.Errorf("wrote %q", &b)
			}
		})
	}
}

// What the later RFCs add is read as what it is.
func TestWriteEvents(t *testing.T) {
	tests := []struct {
		name  string
		event Event
		class Class
		with  func(*Message)
	}{
		{"RFC 6430", NotSpam, "fbl", func(m *Message) { m.Report.FeedbackType = "not-spam" }},
		{"RFC 6591", AuthFailed, "auth", func(m *Message) {
			m.Report.FeedbackType = "auth-failure"
			m.Report.AuthFailure = AuthFailure{AuthFailure: "bodyhash", DeliveryResult: "reject", DKIMDomain: "example.com", DKIMSelector: "s1"}
		}},
		{"RFC 9477", Complaint, "cfbl", func(m *Message) { m.Original = []byte("CFBL-Feedback-ID: 111:222:333:4444") }},
	}
	for _, test := range tests {
		m := written()
		test.with(&m)
		b := write(t, m)
		record := Parse([]byte(b)).Records(Envelope{})[0]
		if record.Event != test.event || record.Class != test.class {
			t.Errorf("%s: %s, %s", test.name, record.Event, record.Class)
		}
		if headersOnly := !bytes.Contains(m.Original, []byte("\n\n")); strings.Contains(b, "text/rfc822-headers") != headersOnly {
			t.Errorf("%s: the original's type in %s", test.name, b)
		}
	}
}

// The encoding says what the original is (RFC 2045 section 2).
func TestWriteOriginalEncoding(t *testing.T) {
	for body, want := range map[string]int{"a": 0, "é": 1, "\x00": 1, strings.Repeat("a", 999): 1} {
		m := written()
		m.Original = []byte("Subject: a\r\n\r\n" + body)
		encoding := "8bit"
		if body != "é" {
			encoding = "binary"
		}
		if b := write(t, m); strings.Count(b, "Encoding: "+encoding) != 2*want || !strings.Contains(b, body+"\r\n--b--") {
			t.Errorf("%.10q: %s", body, b)
		}
	}
}

func TestRedact(t *testing.T) {
	one := Redact([]byte("k"), "User@Example.com")
	if local, domain, _ := strings.Cut(one, "@"); len(local) != 64 || domain != "example.com" || !message.IsHash(one) {
		t.Errorf("Redact gives %s", one)
	}
	if again := Redact([]byte("k"), "user@example.COM"); again != one {
		t.Errorf("%s in another case", again)
	}
	for _, other := range []string{Redact([]byte("l"), "user@example.com"), Redact([]byte("k"), "user2@example.com"), Redact([]byte("k"), "user@example.org")} {
		if other[:64] == one[:64] {
			t.Error("equal digits of another key or address")
		}
	}
	if alone := Redact([]byte("k"), "User"); len(alone) != 64 || strings.Contains(alone, "@") {
		t.Errorf("without a domain: %s", alone)
	}
}

// FuzzWrite: what is written is read back equal, no line is too long, and what
// is refused leaves nothing behind.
func FuzzWrite(f *testing.F) {
	f.Add("abuse", "UA/1", "a@example.com", "Spring sale", "x-one", "a  b\tc", "mx.example.net; spf=pass", "text\n", "Subject: a\n\nb\n", "b", int64(1772431200), 7)
	f.Add("not-spam", "x", "c@example.org", "Жалоба =?utf-8?q?x?= \x1b", "X-Two", strings.Repeat("ab ", 60), "x", ".\n..\nFrom x\n", "CFBL-Feedback-ID: 1:2", "", int64(-1), 0)
	f.Add("abuse", "é", "<>", "", "", "", "", "", "", "", int64(0), 0)
	f.Add("opt-out", "A", "<>", " a ", "removal-recipient", "c@example.com", "x\ty", "é\r\r\n=", ">From x\nX: y\n\n\xff: y\nFrom: a@b\n\n\n--b", "=_", int64(0), 65535)
	f.Fuzz(func(t *testing.T, kind, agent, addr, subject, name, value, results, text, original, boundary string, unix int64, n int) {
		m := Message{
			Report: Report{
				Outer:        Outer{From: "a@example.com", Subject: subject, Date: time.Unix(unix, 0), MessageID: "<i@example.com>"},
				FeedbackType: kind, UserAgent: agent, Version: "1", OriginalEnvelopeID: value, OriginalMailFrom: addr,
				OriginalRcptTo: []string{addr, "z@example.com"}, ArrivalDateRaw: value, ArrivalDate: time.Unix(unix, 0), ReportingMTA: &MTA{Type: "dns", Name: results},
				SourceIP: "2001:db8::1", SourcePort: n, Incidents: n, AuthenticationResults: []string{results, value}, ReportedDomain: []string{value},
				ReportedURI: []string{results}, AuthFailure: AuthFailure{AuthFailure: value, DeliveryResult: results, IdentityAlignment: value, DKIMDomain: results, DKIMIdentity: value,
					DKIMSelector: results, DKIMSelectorDNS: value, DKIMCanonicalizedHeader: results, DKIMCanonicalizedBody: value, DKIMADSPDNS: results, SPFDNS: []string{results}},
				Extensions: map[string][]string{name: {value, results}},
			},
			To: []string{"fbl@example.com"}, Text: text, Original: []byte(original), Boundary: boundary,
		}
		if addr == "<>" {
			m.Report.OriginalRcptTo = nil
		}
		var b bytes.Buffer
		if err := Write(&b, m); err != nil {
			if b.Len() > 0 {
				t.Fatalf("wrote %q with %v", &b, err)
			}
			t.Skip()
		}
		head, _, _ := bytes.Cut(b.Bytes(), []byte("\r\n\r\n--"))
		for line := range bytes.Lines(head) {
			if len(line) > 1000 {
				t.Errorf("a line of %d octets", len(line))
			}
		}

		got := Parse(b.Bytes())
		if got.Kind != KindReport {
			t.Fatalf("%s of %q", got.Kind, &b)
		}
		want := asRead(m.Report)
		if want.ArrivalDate = got.ArrivalDate; m.Report.ArrivalDateRaw == "" {
			want.ArrivalDate = time.Unix(unix, 0).UTC()
			want.ArrivalDateRaw = want.ArrivalDate.Format("Mon, 02 Jan 2006 15:04:05 -0700")
		}
		if got.Derived["original_rcpt_to"] != "" {
			got.OriginalRcptTo = nil
		}
		p := parser{r: &want}
		p.readOriginal(&message.Part{Body: originalBytes(m.Original).body, Closed: true, Found: true})
		want.withoutNUL()
		if diff := cmp.Diff(want, *got, cmpopts.IgnoreUnexported(Report{}), cmpopts.EquateEmpty(),
			cmpopts.IgnoreFields(Report{}, "ID", "Kind", "Problems", "Derived", "Dialect", "Class", "Event", "Outer.FromDomain")); diff != "" {
			t.Errorf("%s\n%q", diff, &b)
		}
		if text := string(crlf([]byte(text))); text != "" && text != got.Text() && len(text) < message.MaxRaw {
			t.Errorf("text %q, not %q", got.Text(), text)
		}
	})
}

// asRead is what a reader makes of values that say nothing or have blank ends.
func asRead(r Report) Report {
	value := func(s *string) { *s = strings.Trim(*s, " \t") }
	list := func(values []string) (kept []string) {
		for _, v := range values {
			if value(&v); v != "" && !strings.EqualFold(v, "authentication result string is not available") {
				kept = append(kept, v)
			}
		}
		return kept
	}
	value(&r.UserAgent)
	value(&r.OriginalEnvelopeID)
	value(&r.ArrivalDateRaw)
	a := &r.AuthFailure
	a.each(value)
	r.ReportingMTA = &MTA{Type: r.ReportingMTA.Type, Name: strings.TrimSpace(r.ReportingMTA.Name)}
	r.AuthenticationResults = list(r.AuthenticationResults)
	r.ReportedDomain, r.ReportedURI = list(r.ReportedDomain), list(r.ReportedURI)
	r.AuthFailure.SPFDNS = list(r.AuthFailure.SPFDNS)
	extensions := map[string][]string{}
	for name, values := range r.Extensions {
		if values = list(values); len(values) > 0 {
			extensions[strings.ToLower(name)] = values
		}
	}
	r.Extensions = extensions
	r.Outer.Date = r.Outer.Date.UTC()
	return r
}
