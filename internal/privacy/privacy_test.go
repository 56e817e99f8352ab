package privacy_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/privacy"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/report"
)

const key = "sixteen octets or more"

func filter(t testing.TB, addresses, subject string) *privacy.Filter {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	fixture.File(t, path, key+"\n")
	f, err := privacy.New(privacy.Config{Addresses: addresses, Subject: subject, KeyFile: path})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// forms are how an address gets into a field.
var forms = map[string]func(local, domain string) string{
	"plain":            func(l, d string) string { return "<" + l + "@" + d + ">" },
	"upper case":       func(l, d string) string { return strings.ToUpper(l + "@" + d) },
	"percent":          func(l, d string) string { return "https://example.net/u?e=" + url.QueryEscape(l+"@"+d) + "&x=1" },
	"percent, all":     func(l, d string) string { return hexed("%", l+"@"+d) },
	"percent, twice":   func(l, d string) string { return url.QueryEscape(hexed("%", l+"@"+d)) },
	"quoted-printable": func(l, d string) string { return l + "=40" + d },
	"quoted, all":      func(l, d string) string { return hexed("=", l+"@"+d) },
	"soft line break":  func(l, d string) string { return l[:1] + "=\r\n" + l[1:] + "=40=\n" + d },
	"JSON":             func(l, d string) string { return `{"a":"` + l + `\u0040` + d + `"}` },
	"HTML":             func(l, d string) string { return "<b>" + l + "&#64;" + d + "</b> " + l + "&#x40;" + d },
	"VERP":             func(l, d string) string { return "bounce+" + l + "=" + d + "@mail.example.net" },
	"VERP with a plus": func(l, d string) string { return "bounce-" + l + "+" + d + "@mail.example.net" },
	"VERP, quoted":     func(l, d string) string { return "bounce+" + l + "=3D" + d + "@mail.example.net" },
	"BATV":             func(l, d string) string { return "prvs=0123456789=" + l + "@" + d },
	"SRS":              func(l, d string) string { return "SRS0=abc=de=" + d + "=" + l + "@mail.example.net" },
	"percent hack":     func(l, d string) string { return l + "%" + d + "@mail.example.net" },
	"tag":              func(l, d string) string { return l + "+news.7@" + d },
	"base64":           func(l, d string) string { return base64.StdEncoding.EncodeToString([]byte(l + "@" + d)) },
	"base64, inside": func(l, d string) string {
		return base64.StdEncoding.EncodeToString([]byte(`{"r":"` + l + "@" + d + `","t":1}`))
	},
	"base64, for URLs": func(l, d string) string {
		return "u_" + base64.RawURLEncoding.EncodeToString([]byte("??>"+l+"@"+d+"~~~")) + "/x"
	},
	"base64, twice": func(l, d string) string {
		return base64.StdEncoding.EncodeToString([]byte("a" + base64.StdEncoding.EncodeToString([]byte("bc"+l+"@"+d))))
	},
	"base64, glued":          func(l, d string) string { return "v1-" + base64.RawURLEncoding.EncodeToString([]byte(l+"@"+d+" ok")) },
	"base64, folded":         func(l, d string) string { return folded(l, d, "\r\n\t") },
	"base64, unfolded":       func(l, d string) string { return folded(l, d, " ") },
	"base64, folded in JSON": func(l, d string) string { return `{"t":"` + folded(l, d, `\r\n`) + `"}` },
	"base64, quoted":         func(l, d string) string { return "u=3D" + folded(l, d, "=\r\n") + "=3D=3D" },
	"base64 of VERP":         func(l, d string) string { return base64.StdEncoding.EncodeToString([]byte(l + "=" + d)) },
	"Q words, split": func(l, d string) string {
		return "=?us-ascii?Q?Dear_" + l + "=40" + d[:3] + "?=\r\n =?us-ascii?Q?" + d[3:] + "_and_so_on?="
	},
	"B words, split": func(l, d string) string {
		return "=?utf-8?B?" + base64.StdEncoding.EncodeToString([]byte("Dear "+l[:2])) + "?=\r\n\t=?utf-8?b?" + base64.StdEncoding.EncodeToString([]byte(l[2:]+"@"+d+"!")) + "?="
	},
	"base64 in Q words, split": func(l, d string) string {
		b := base64.StdEncoding.EncodeToString([]byte("m0|255|984|" + l + "@" + d))
		return "=?utf-8?q?|" + b[:20] + "?= =?utf-8?q?" + strings.ReplaceAll(b[20:], "=", "=3D") + "|?="
	},
	"words of a strange charset": func(l, d string) string { return "=?x-none?Q?" + l + "=40" + d[:2] + "?= =?x-none?Q?" + d[2:] + "?=" },
	"hexadecimal":                func(l, d string) string { return hexed("", l+"@"+d) },
	"hexadecimal, glued":         func(l, d string) string { return "bounce-1" + strings.ToLower(hexed("", "u="+l+"@"+d)) },
	"base64, turned round":       func(l, d string) string { return "12." + backward(l+"@"+d) + "." + backward("spring") },
	"Mailman's link":             func(l, d string) string { return "https://example.net/options/list/" + l + "--at--" + d },
	"VERP with at":               func(l, d string) string { return "bounce-" + l + "_AT_" + d + "@mail.example.net" },
	"at in words":                func(l, d string) string { return l + " at " + d + ", " + l + "(at)" + d },
	"many":                       func(l, d string) string { return strings.Repeat(l+"@"+d+",", 3) },
}

// backward is one piece of X-Mailer-Info.
func backward(s string) string {
	turn := func(b []byte) []byte { slices.Reverse(b); return b }
	return string(turn([]byte(base64.StdEncoding.EncodeToString(turn([]byte(s))))))
}

func folded(local, domain, fold string) string {
	b := base64.StdEncoding.EncodeToString([]byte("0123456789" + local + "@" + domain + strings.Repeat(" and so on", 3)))
	return b[:20] + fold + b[20:40] + fold + b[40:]
}

func hexed(mark, s string) string {
	var out strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&out, "%s%02X", mark, c)
	}
	return out.String()
}

// record has an address in each of its places.
func record(local, domain, text string) report.Record {
	return report.Record{
		Schema: 1, ID: "0123.1", ReportID: "0123", Revision: 1, Event: "complaint", Fingerprint: "0123456789abcdef0123456789abcdef",
		OriginalRcptTo: local + "@" + domain, Complainant: "named", Recipients: 1,
		OriginalMailFrom: text, OriginalEnvelopeID: text, AuthenticationResults: []string{"x; " + text},
		ReportedURI: []string{text, text}, ReportingMTA: &report.MTA{Name: text}, ReportedDomain: []string{text},
		Extensions: map[string][]string{"x-one": {text, "mine"}, text: {"a"}},
		Original: &report.Original{To: []string{local + "@" + domain}, From: "news@example.com", Subject: "Dear " + text, ReturnPath: text,
			ListUnsubscribe: []string{text}, MessageID: text, FeedbackID: text},
		Identity: &report.Identity{Status: "identified", Subscriber: text, Campaign: "spring", By: map[string]report.Rule{"subscriber": {Rule: "r", Source: text}}},
		Derived:  map[string]string{"original_mail_from": text},
		Mailbox:  &report.Mailbox{Account: "a", Folder: "FBL", MessageID: text},
		Parse:    report.ParseStatus{Status: "ok", Warnings: []string{text}},
	}
}

// In every form and place an address is gone, and what is beside it is not.
func TestForms(t *testing.T) {
	for _, addresses := range []string{"hash", "drop"} {
		f := filter(t, addresses, "keep")
		for name, form := range forms {
			t.Run(addresses+"/"+name, func(t *testing.T) {
				const local, domain = "mary.smith", "example.com"
				text := form(local, domain)
				if !strings.Contains(name, "tag") && !leaks(text, local, domain) {
					t.Fatalf("the test cannot see the address in %q", text)
				}
				rec := record(local, domain, "before: "+text+" :after")
				f.Records([]report.Record{rec})
				records := []report.Record{rec}
				f.Records(records)
				line := string(records[0].AppendJSON(nil))
				if leaks(line, local, domain) || strings.Contains(strings.ToLower(line), "mary") {
					t.Errorf("in %s", line)
				}
				for _, kept := range []string{`"id":"0123.1"`, `"report_id":"0123"`, "before: ", " :after", `"mine"`, `"from":"news@example.com"`, `"campaign":"spring"`, `"folder":"FBL"`} {
					if !strings.Contains(line, kept) {
						t.Errorf("%s is not in %s", kept, line)
					}
				}
				head := string(f.Head([]byte("Subject: x\r\n\r\n"+text+"\r\n\r\nend"), &report.Report{OriginalRcptTo: []string{local + "@" + domain}}))
				if leaks(head, local, domain) || !strings.HasPrefix(head, "Subject: x\r\n\r\n") || !strings.HasSuffix(head, "\r\n\r\nend") {
					t.Errorf("in the head %q", head)
				}
			})
		}
	}
}

// No known recipient is left, whoever it is and whatever stands around it.
func TestNoneIsLeft(t *testing.T) {
	f := map[string]*privacy.Filter{"hash": filter(t, "hash", "drop"), "drop": filter(t, "drop", "keep")}
	names := make([]string, 0, len(forms))
	for name := range forms {
		names = append(names, name)
	}
	const letters = "abcdefXYZ0189._-+~!'"
	r := rand.New(rand.NewPCG(1, 2))
	word := func(n int, from string) string {
		b := make([]byte, 1+r.IntN(n))
		for i := range b {
			b[i] = from[r.IntN(len(from))]
		}
		return string(b)
	}
	for range 60 {
		local, domain := "k"+word(12, letters), word(8, letters[:10])+"."+word(3, "abc")
		text := word(9, letters+" =%:;<") + ":"
		for range 1 + r.IntN(3) {
			text += forms[names[r.IntN(len(names))]](local, domain) + ": " + word(9, letters+" =%:;<") + ";"
		}
		for mode, f := range f {
			records := []report.Record{record(local, domain, text)}
			f.Records(records)
			if line := string(records[0].AppendJSON(nil)); leaks(line, local, domain) {
				t.Fatalf("%s: %s@%s of %q in %s", mode, local, domain, text, line)
			}
			head := f.Head([]byte("To: x\r\n\r\n"+text), &report.Report{OriginalRcptTo: []string{local + "@" + domain}})
			if leaks(string(head), local, domain) {
				t.Fatalf("%s: %s@%s of %q in %q", mode, local, domain, text, head)
			}
		}
	}
}

// A whole message: the records of the head as it is kept name the same hash, and
// the sender is who he was.
func TestMessage(t *testing.T) {
	message := sample.Report(7, 0)
	r := report.Parse(message)
	plain, records := r.Records(report.Envelope{}), r.Records(report.Envelope{})
	f := filter(t, "hash", "drop")
	f.Records(records)
	want := report.Redact([]byte(key), "user7@example.com")
	got := records[0]
	if got.RcptHash != want || got.Complainant != "hashed" || got.OriginalRcptTo != "" || got.Recipients != 1 || got.Original.To[0] != want {
		t.Errorf("%s %q %q %v", got.Complainant, got.RcptHash, got.OriginalRcptTo, got.Original.To)
	}
	if got.Original.Subject != "" || got.Original.From != "news@example.com" || got.ReportID != plain[0].ReportID || got.ID != plain[0].ID {
		t.Errorf("%+v", got.Original)
	}
	if got.Fingerprint == "" || got.Fingerprint == plain[0].Fingerprint {
		t.Errorf("fingerprint %s", got.Fingerprint)
	}
	if diff := cmp.Diff(plain, r.Records(report.Envelope{})); diff != "" {
		t.Errorf("the report has changed: %s", diff)
	}

	head := f.Head(message, r)
	if leaks(string(head), "user7", "example.com") || strings.Contains(string(head), r.Original.Subject) || strings.Contains(string(head), "=?utf-8") {
		t.Errorf("in %s", head)
	}
	again := report.Parse(head).Records(report.Envelope{})
	f.Records(again)
	again[0].ID, again[0].ReportID, again[0].Fingerprint = got.ID, got.ReportID, got.Fingerprint
	again[0].Original.Size, again[0].Suppress = got.Original.Size, got.Suppress // decided on what was known then
	if diff := cmp.Diff(got, again[0]); diff != "" {
		t.Error(diff)
	}
}

// One report's recipients are hidden in each other's records.
func TestSiblings(t *testing.T) {
	one, two := record("mary", "example.com", "john@example.org"), record("john", "example.org", "mary@example.com")
	one.Original.To, two.Original.To = nil, nil
	records := []report.Record{one, two}
	filter(t, "hash", "keep").Records(records)
	for _, rec := range records {
		if line := string(rec.AppendJSON(nil)); leaks(line, "mary", "example.com") || leaks(line, "john", "example.org") {
			t.Errorf("in %s", line)
		}
	}
	if records[0].RcptHash == records[1].RcptHash {
		t.Error("two people have one hash")
	}
}

// A digest of the reporter's, the sender's own address and a person who was
// only known by a token stay as they are.
func TestWhatStays(t *testing.T) {
	hashed := strings.Repeat("0f", 16) + "@example.com"
	rec := report.Record{RcptHash: hashed, Complainant: "hashed", Identity: &report.Identity{Status: "identified", Subscriber: "4711"},
		Original: &report.Original{From: "news@example.com", To: []string{"news@example.com"}, Subject: "Sale"}, OriginalMailFrom: "bounce+4711@example.com"}
	for _, addresses := range []string{"hash", "drop"} {
		records := []report.Record{rec}
		filter(t, addresses, "keep").Records(records)
		if diff := cmp.Diff(rec, records[0]); diff != "" {
			t.Errorf("%s: %s", addresses, diff)
		}
	}
	var nothing *privacy.Filter
	records := []report.Record{rec}
	if nothing.Records(records); !cmp.Equal(rec, records[0]) || string(nothing.Head([]byte("a"), nil)) != "a" {
		t.Error("a nil filter has changed something")
	}
}

// Whoever was named and is dropped is known by a token or not at all.
func TestDrop(t *testing.T) {
	f := filter(t, "drop", "keep")
	records := []report.Record{record("mary", "example.com", "4711"), record("mary", "example.com", "mary@example.com")}
	f.Records(records)
	if r := records[0]; r.Complainant != "token" || r.Identity.Subscriber != "4711" || r.RcptHash != "" || r.OriginalRcptTo != "" || len(r.Original.To) != 0 {
		t.Errorf("%+v, %+v", r, r.Identity)
	}
	if r := records[1]; r.Complainant != "none" || r.Identity.Subscriber != "" || r.Identity.Status != "partial" || len(r.Identity.By) != 0 {
		t.Errorf("%+v, %+v", r, r.Identity)
	}
}

// TestSharedBy: records of several reports have one Identity.By.
func TestSharedBy(t *testing.T) {
	by := map[string]report.Rule{"subscriber": {Rule: "r", Source: "rcpt"}, "campaign": {Rule: "r", Source: "rcpt"}}
	var records [2]report.Record
	for i, subscriber := range []string{"bob@example.org", "4711"} {
		records[i] = report.Record{Event: report.Complaint, OriginalRcptTo: "bob@example.org", Identity: &report.Identity{Status: report.Identified, Subscriber: subscriber, Campaign: "spring", By: by}}
		filter(t, "drop", "keep").Records(records[i : i+1])
	}
	if _, kept := records[0].Identity.By["subscriber"]; kept || records[0].Identity.Status != report.PartlyIdentified {
		t.Errorf("the first record keeps %v", records[0].Identity)
	}
	if len(records[1].Identity.By) != 2 || records[1].Identity.Subscriber != "4711" {
		t.Errorf("the second record has %v", records[1].Identity)
	}
}

// A token stays a token: what is not the address is decoded as before.
func TestTokens(t *testing.T) {
	token := func(rcpt string) string { return `{"_@_":"\\_/","recipient":"` + rcpt + `","tenant":"acme"}` }
	rec := record("mary", "example.com", base64.StdEncoding.EncodeToString([]byte(token("mary@example.com"))))
	records := []report.Record{rec}
	filter(t, "hash", "keep").Records(records)
	got, err := base64.StdEncoding.DecodeString(records[0].OriginalEnvelopeID)
	if want := token(report.Redact([]byte(key), "mary@example.com")); err != nil || string(got) != want {
		t.Errorf("%s (%v), not %s", got, err, want)
	}
	var back report.Record
	if err := json.Unmarshal(records[0].AppendJSON(nil), &back); err != nil {
		t.Error(err)
	}
}

// The reported subject goes wherever a message has it; what the report's own
// subject says beside it stays.
func TestSubjects(t *testing.T) {
	const subject = "Größe zählt: Spring sale"
	f := filter(t, "keep", "drop")
	for _, encoded := range []string{subject, "=?utf-8?Q?Gr=C3=B6=C3=9Fe_z=C3=A4hlt:_Spring_sale?=", "=?utf-8?B?" + base64.StdEncoding.EncodeToString([]byte(subject)) + "?="} {
		message := "From: a@example.com\r\nSubject: FW: " + encoded + "\r\n folded: on\r\nMessage-ID: <1@example.com>\r\n\r\nAbout " + encoded + ":\r\n" +
			base64.StdEncoding.EncodeToString([]byte("subject: "+subject+"\r\nTo: b@example.com")) + "\r\n{\"subject\":\"x\\\"y\", \"name\": \"Subject\", \"value\": \"xy\"}\r\nSubject: " +
			encoded + "\r\n\tmore\r\nTo: b@example.com\r\n\r\n"
		r := &report.Report{Outer: report.Outer{Subject: "FW: " + subject + " folded: on"}, Original: &report.Original{Subject: subject, To: []string{"b@example.com"}}}
		head := string(f.Head([]byte(message), r))
		if !strings.Contains(head, "\r\nSubject: FW:  folded: on\r\nMessage-ID:") || !strings.Contains(head, "\r\nSubject:\r\nTo: b@example.com") ||
			strings.Contains(head, `x\"y`) || strings.Contains(head, `"xy"`) || strings.Contains(head, "Spring") || strings.Contains(head, "U3ByaW5n") {
			t.Errorf("%q", head)
		}
	}
	records := []report.Record{{OriginalRcptTo: "b@example.com", Complainant: "named", Original: &report.Original{Subject: subject}, Fingerprint: "f",
		Extensions: map[string][]string{"mail.commonheaders.subject": {subject}, "subject": {"Hi"}, "x-thread": {"Re: " + subject}}}}
	f.Records(records)
	want := []report.Record{{OriginalRcptTo: "b@example.com", Complainant: "named", Original: &report.Original{}, Fingerprint: "f",
		Extensions: map[string][]string{"x-thread": {"Re: "}}}}
	if diff := cmp.Diff(want, records); diff != "" {
		t.Error(diff)
	}
}

func TestConfig(t *testing.T) {
	dir := t.TempDir()
	short := filepath.Join(dir, "short")
	fixture.File(t, short, " 123456789012345 \n")
	tests := []struct {
		config privacy.Config
		want   string
	}{
		{privacy.Config{}, ""},
		{privacy.Config{Addresses: "keep", Subject: "drop"}, ""},
		{privacy.Config{Addresses: "drop"}, ""},
		{privacy.Config{Addresses: "hash"}, "privacy: addresses: hash needs a key_file"},
		{privacy.Config{Addresses: "encrypt"}, `privacy: addresses is none of keep, hash, drop`},
		{privacy.Config{Subject: "hash"}, `privacy: subject is neither keep nor drop`},
		{privacy.Config{Addresses: "hash", KeyFile: short}, "privacy: key_file: " + short + ": a key of 15 octets, fewer than 16"},
		{privacy.Config{Addresses: "hash", KeyFile: filepath.Join(dir, "none")}, "privacy: key_file: open " + filepath.Join(dir, "none") + ": no such file or directory"},
	}
	for _, test := range tests {
		f, err := privacy.New(test.config)
		if got := fmt.Sprint(err); test.want != "" && got != test.want || test.want == "" && err != nil {
			t.Errorf("%+v: %v", test.config, err)
		}
		if (f == nil) != (test.config == privacy.Config{} || err != nil) {
			t.Errorf("%+v: a filter %v", test.config, f)
		}
	}
}

// A hostile message costs no more than its size.
func BenchmarkHead(b *testing.B) {
	var rcpts []string
	for i := range 1000 {
		rcpts = append(rcpts, fmt.Sprintf("u%d@example.com", i))
	}
	f := filter(b, "hash", "drop")
	for name, head := range map[string][]byte{"report": sample.Report(7, 32<<10), "base64": []byte(strings.Repeat("dXUx", 8<<10)), "signs": []byte(strings.Repeat("=25", 11<<10))} {
		for _, n := range []int{1, 1000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.SetBytes(int64(len(head)))
				for b.Loop() {
					f.Head(head, &report.Report{OriginalRcptTo: rcpts[:n]})
				}
			})
		}
	}
}

// What the records of a report have in common is copied once: a thousand records
// of a message to ten thousand people are no ten million addresses.
func TestSharedLists(t *testing.T) {
	var to []string
	for i := range 10_000 {
		to = append(to, fmt.Sprintf("user%d@example.com", i))
	}
	records := make([]report.Record, 1000)
	for i := range records {
		records[i] = report.Record{OriginalRcptTo: to[i], Original: &report.Original{To: to, Subject: fmt.Sprintf("This is number %d", i)}}
	}
	filter(t, "hash", "drop").Records(records)
	first, last := records[0].Original.To, records[999].Original.To
	if to[0] != "user0@example.com" || first[0] != report.Redact([]byte(key), to[0]) || len(last) != len(to) || &first[0] != &last[0] {
		t.Errorf("%s, %s; %d of %d", to[0], first[0], len(last), len(to))
	}
}
