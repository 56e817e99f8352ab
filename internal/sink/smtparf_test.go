package sink

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	osexec "os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

// readParts reads a multipart message by the standard library: its header, and the
// decoded parts by type.
func readParts(t *testing.T, b []byte) (h mail.Header, types []string, bodies map[string]string) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%v in\n%q", err, b)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	bodies = make(map[string]string)
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := r.NextRawPart()
		if err == io.EOF {
			return m.Header, types, bodies
		} else if err != nil {
			t.Fatalf("%v in\n%q", err, b)
		}
		var body io.Reader = part
		if part.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(part)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		typ, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		types, bodies[typ] = append(types, typ), string(text)
	}
}

func fieldsOf(t *testing.T, text string) mail.Header {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(text + "\r\n\r\n"))
	if err != nil {
		t.Fatalf("%v in\n%q", err, text)
	}
	return m.Header
}

// forwarded is the message for one record.
func forwarded(t testing.TB, rec report.Record) ([]byte, error) {
	s := openSMTPSink(t, arfConfig(t, "smtp://127.0.0.1"), Options{}).(*forwarder)
	return s.message(&itemsOf(t, rec)[0], "abuse@shop.example.com")
}

// What a customer gets, read by other readers than ours: a report of RFC 5965 without
// the complainant's address, also where it is in a token or encoded.
func TestForward(t *testing.T) {
	b, err := forwarded(t, ourReport("shop"))
	if err != nil {
		t.Fatal(err)
	}
	h, types, parts := readParts(t, b)
	for name, want := range map[string]string{
		"From": `"Example Reports" <fbl-forward@esp.example.com>`, "To": "abuse@shop.example.com", "Subject": "Feedback report from yahoo",
		"Auto-Submitted": "auto-generated", "X-Fblwatch-Forwarded": "00112233445566778899aabbccddeeff.1", "Date": "Mon, 04 May 2026 03:02:01 +0000",
	} {
		expect(t, name, h.Get(name), want)
	}
	expect(t, "parts", strings.Join(types, " "), "text/plain message/feedback-report text/rfc822-headers")
	mac := hmac.New(sha256.New, []byte("0123456789abcdef0123456789abcdef"))
	mac.Write([]byte("jane@mail.example.net"))
	hash := hex.EncodeToString(mac.Sum(nil))
	fields := fieldsOf(t, parts["message/feedback-report"])
	for name, want := range map[string]string{
		"Feedback-Type": "abuse", "Version": "1", "Source-Ip": "192.0.2.7", "Arrival-Date": "Mon, 04 May 2026 01:00:00 +0000",
		"Original-Rcpt-To": "<" + hash + "@mail.example.net>", "X-Fblwatch-Forwarded": "00112233445566778899aabbccddeeff.1",
	} {
		expect(t, name, fields.Get(name), want)
	}
	original := fieldsOf(t, parts["text/rfc822-headers"])
	subject, err := new(mime.WordDecoder).DecodeHeader(original.Get("Subject"))
	if err != nil {
		t.Error(err)
	}
	expect(t, "original subject", subject, "Grüße für "+hash+"@mail.example.net")
	expect(t, "original Message-ID", original.Get("Message-ID"), "<m1@esp.example.com>")
	expect(t, "original Feedback-ID", original.Get("Feedback-ID"), "c7:shop:esp")
	if strings.Contains(strings.ToLower(string(b)+subject), "jane") {
		t.Errorf("the complainant's address is in\n%s", b)
	}
	again, err := forwarded(t, ourReport("shop"))
	if err != nil || !bytes.Equal(b, again) {
		t.Error("another time it is another message")
	}
}

// A complainant whom the report does not name may be in a token.
func TestForwardToken(t *testing.T) {
	rec := ourReport("shop")
	rec.OriginalRcptTo, rec.Complainant, rec.Original.To, rec.Original.Subject = "", report.Token, nil, "Hello"
	rec.Original.ListUnsubscribe = nil
	b, err := forwarded(t, rec)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.ToLower(string(b)), "jane") {
		t.Errorf("the complainant's address is in\n%s", b)
	}
}

const pythonReader = `
import email, email.policy, json, sys
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
parts = list(m.iter_parts())
print(json.dumps({"defects": [str(d) for p in m.walk() for d in p.defects], "type": m.get_content_type(), "report": m["content-type"].params.get("report-type"),
  "parts": [p.get_content_type() for p in parts], "to": m["to"].addresses[0].addr_spec,
  "fields": dict(list(parts[1].iter_parts())[0].items()) if parts[1].is_multipart() else parts[1].get_payload(),
  "subject": email.message_from_string(parts[2].get_payload(), policy=email.policy.default)["subject"]}))
`

// Python's email package has no fault to find in it.
func TestForwardPython(t *testing.T) {
	python, err := osexec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	rec := ourReport("shop")
	rec.Original.Subject = "Grüße\r\nBcc: x@example.com"
	b, err := forwarded(t, rec)
	if err != nil {
		t.Fatal(err)
	}
	cmd := osexec.CommandContext(t.Context(), python, "-c", pythonReader)
	cmd.Stdin = bytes.NewReader(b)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got struct {
		Defects, Parts            []string
		Type, Report, To, Subject string
		Fields                    map[string]string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	expect(t, "defects", len(got.Defects), 0)
	expect(t, "type", got.Type+" "+got.Report, "multipart/report feedback-report")
	expect(t, "parts", strings.Join(got.Parts, " "), "text/plain message/feedback-report text/rfc822-headers")
	expect(t, "to", got.To, "abuse@shop.example.com")
	expect(t, "subject", got.Subject, "Grüße  Bcc: x@example.com")
	expect(t, "source", got.Fields["Source-IP"], "192.0.2.7")
}

// What is forwarded, and to whom.
func TestForwardTakes(t *testing.T) {
	c := arfConfig(t, "smtp://127.0.0.1")
	c.SMTP.Tenants = map[string]string{"big.example": "fbl@big.example.com", "loop": "FBL+x@example.com"}
	s := openSMTPSink(t, c, Options{Watched: []string{"fbl@imap.example.com", "other@box.example.com"}}).(*forwarder)
	for name, test := range map[string]struct {
		change func(r *report.Record)
		skip   string
		to     string
	}{
		"a complaint":     {to: "abuse@shop.example.com"},
		"cfbl":            {change: func(r *report.Record) { r.Class = report.ClassCFBL }, to: "abuse@shop.example.com"},
		"opt-out":         {change: func(r *report.Record) { r.Event = report.OptOut }, to: "abuse@shop.example.com"},
		"named tenant":    {change: func(r *report.Record) { r.Identity.Tenant = "big.example" }, to: "fbl@big.example.com"},
		"not spam":        {change: func(r *report.Record) { r.Event = report.NotSpam }, skip: "another event than complaint and opt_out"},
		"trap":            {change: func(r *report.Record) { r.Class = report.ClassTrap }, skip: "another class than fbl and cfbl"},
		"not trusted":     {change: func(r *report.Record) { r.Reporter.Trusted = false }, skip: "not trusted"},
		"nobody":          {change: func(r *report.Record) { r.Reporter = nil }, skip: "not trusted"},
		"no identity":     {change: func(r *report.Record) { r.Identity = nil }, skip: "no tenant"},
		"no tenant":       {change: func(r *report.Record) { r.Identity.Tenant = "" }, skip: "no tenant"},
		"a domain":        {change: func(r *report.Record) { r.Identity.Tenant = "evil.example.net" }, skip: "a tenant that cannot be a part of an address"},
		"another address": {change: func(r *report.Record) { r.Identity.Tenant = "x@evil.example.net>" }, skip: "a tenant that cannot be a part of an address"},
		"a line":          {change: func(r *report.Record) { r.Identity.Tenant = "x\r\nRCPT TO:<y" }, skip: "a tenant that cannot be a part of an address"},
		"a line's end":    {change: func(r *report.Record) { r.Identity.Tenant = "x\n" }, skip: "a tenant that cannot be a part of an address"},
		"long":            {change: func(r *report.Record) { r.Identity.Tenant = strings.Repeat("a", 64) }, skip: "a tenant that cannot be a part of an address"},
		"a loop":          {change: func(r *report.Record) { r.Identity.Tenant = "loop" }, skip: "an address of a mailbox that is read"},
		"forwarded":       {change: func(r *report.Record) { r.Extensions = map[string][]string{"x-fblwatch-forwarded": {"1"}} }, skip: "forwarded before"},
		"decided":         {change: func(r *report.Record) { r.Suppress.DecidedAt = r.ReceivedAt }, skip: "a person's decision about a report that was sent"},
		"no original":     {change: func(r *report.Record) { r.Original = nil }, skip: "no reported message"},
	} {
		rec := ourReport("shop")
		if test.change != nil {
			test.change(&rec)
		}
		item := itemsOf(t, rec)[0]
		expect(t, name, s.Takes(&item), test.skip)
		if test.skip == "" {
			to, _ := s.address(&rec)
			expect(t, name, to, test.to)
		}
	}
	expect(t, "an alarm", s.Takes(&delivery.Item{Kind: delivery.KindAlarm}), "an alarm")
}

// acts is where a sink keeps times.
type acts map[ledger.ActKey]time.Time

func (a acts) Acted(_ context.Context, _ string, key ledger.ActKey) (time.Time, error) {
	return a[key], nil
}

func (a acts) SetActed(_ context.Context, _ string, keys []ledger.ActKey, at time.Time) error {
	for _, key := range keys {
		a[key] = at
	}
	return nil
}

// The rate holds over a restart.
func TestForwardRate(t *testing.T) {
	m := serveMail(t, false, nil)
	c := arfConfig(t, "smtp://"+m.addr)
	c.Limit.Rate = Rate{3, time.Hour}
	kept := acts{}
	items := itemsOf(t, several("shop", 5)...)
	for start, want := range []int{3, 0} {
		s := openSMTPSink(t, c, Options{Acts: kept})
		done, err := s.Write(t.Context(), items)
		if wait := plannedPause(err); done != want || wait < 19*time.Minute || wait > 20*time.Minute {
			t.Errorf("start %d: %d done, %v later: %v", start, done, wait, err)
		}
	}
	expect(t, "mails", len(m.got()), 3)
}

// A rate's pace: so many at once, then evenly.
func TestQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := quota{rate: Rate{4, time.Minute}}
		sent := 0
		start := time.Now()
		for time.Since(start) < time.Hour {
			if wait := p.wait(time.Now()); wait > 0 {
				time.Sleep(wait)
				continue
			}
			p.spend(time.Now())
			sent++
			if sent == 4 && time.Since(start) != 0 {
				t.Error("four do not go at once")
			}
		}
		expect(t, "in an hour", sent, 4+60*4-1) // the last of them is at the hour's end
	})
}

// FuzzForward: no value of a record breaks out of its place.
func FuzzForward(f *testing.F) {
	for _, seed := range []string{"x", "a\r\nBcc: x@example.com\r\n\r\nbody", "=?utf-8?q?=0D=0ABcc:?=", "\u202e\u0000é", "--=_x--", "<>", strings.Repeat("a", 3000), "jane@mail.example.net", "\xff\n.\r\n"} {
		f.Add(seed, seed, seed, seed)
	}
	s := openSMTPSink(f, arfConfig(f, "smtp://127.0.0.1"), Options{}).(*forwarder)
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		rec := ourReport("shop")
		rec.Provider, rec.FeedbackType, rec.OriginalMailFrom, rec.OriginalRcptTo, rec.OriginalEnvelopeID = a, b, c, d, a
		rec.ReportingMTA = &report.MTA{Type: b, Name: c}
		rec.AuthenticationResults, rec.ReportedDomain, rec.ReportedURI, rec.SourceIP = []string{a, b}, []string{c}, []string{d}, d
		rec.Identity.Campaign, rec.Identity.Subscriber = b, a
		rec.Original = &report.Original{MessageID: a, From: b, To: []string{c, d}, Subject: d, ReturnPath: c, ListID: b, ListUnsubscribe: []string{a}, ListUnsubscribePost: d, FeedbackID: c, CFBLFeedbackID: b}
		item := itemsOf(t, rec)[0]
		if s.Takes(&item) != "" {
			return
		}
		got, err := s.message(&item, "abuse@shop.example.com")
		if err != nil {
			return // a dead letter
		}
		for line := range bytes.Lines(got) {
			if !bytes.HasSuffix(line, []byte("\r\n")) || len(line) > 1000 || bytes.ContainsAny(line[:len(line)-2], "\r\x00") {
				t.Fatalf("line %q", line)
			}
		}
		h, types, parts := readParts(t, got)
		if names := slices.Sorted(maps.Keys(h)); strings.Join(names, " ") != "Auto-Submitted Content-Type Date From Message-Id Mime-Version Subject To X-Fblwatch-Forwarded" {
			t.Fatalf("header %q", names)
		}
		if strings.Join(types, " ") != "text/plain message/feedback-report text/rfc822-headers" {
			t.Fatalf("parts %q", types)
		}
		known := strings.Fields("Feedback-Type User-Agent Version Original-Envelope-Id Original-Mail-From Original-Rcpt-To Arrival-Date Reporting-Mta Source-Ip Authentication-Results Reported-Domain Reported-Uri X-Fblwatch-Forwarded")
		for name := range fieldsOf(t, parts["message/feedback-report"]) {
			if !slices.Contains(known, name) {
				t.Fatalf("field %q", name)
			}
		}
		known = strings.Fields("Return-Path From To Subject Date Message-Id List-Id List-Unsubscribe List-Unsubscribe-Post Feedback-Id Cfbl-Feedback-Id")
		for name := range fieldsOf(t, parts["text/rfc822-headers"]) {
			if !slices.Contains(known, name) {
				t.Fatalf("field of the original %q", name)
			}
		}
		r := report.Parse(got)
		if r.Kind != report.KindReport || len(r.Extensions["x-fblwatch-forwarded"]) != 1 || r.Extensions["x-fblwatch-forwarded"][0] != rec.ID {
			t.Fatalf("a reader of ours reads %v", r.Kind)
		}
	})
}
