package sink

import (
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/rule"
	"github.com/fblwatch/fblwatch/report"
)

func TestPattern(t *testing.T) {
	item := itemOf(t, report.Record{
		Event: report.Complaint, OriginalRcptTo: "{id}", ReceivedAt: time.Date(2026, 3, 2, 6, 1, 59, 0, time.UTC), SourcePort: 25,
		Identity: &report.Identity{Subscriber: "s", Tenant: "t"}, Original: &report.Original{Subject: "a}b"}, Reporter: &report.Reporter{Trusted: true},
	})
	for text, want := range map[string]string{
		"": "", "a": "a", "{id}": "0a.1", "{id}.{revision}": "0a.1.1", "x{original_rcpt_to}y": "x{id}y",
		"{{id}}": "{id}", "{{{id}}}": "{0a.1}", "}}{{": "}{", "{{": "{",
		"{subscriber}/{identity.subscriber}/{tenant}": "s/s/t", "{original_subject}{original.subject}": "a}ba}b",
		"{received_at} {source_port} {reporter.trusted}": "2026-03-02T06:01:59Z 25 true",
		"[{campaign}{source.country}{mailbox.folder}]":   "[]",
	} {
		p, err := parsePattern(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := p.text(&item); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"{": errBrace.Error(), "a}": errBrace.Error(), "{}": errBrace.Error(), "{id": errBrace.Error(), "{{id}": errBrace.Error(),
		"{original_rcpt}": `{original_rcpt}: original_rcpt is no key of a record; did you mean "original_rcpt_to"? (braces are {{ and }})`,
		"{print $1}":      "{print $1}: print $1 is no key of a record (braces are {{ and }})",
		"{extensions.x}":  "{extensions.x} is a list; a placeholder has one value",
		"{original.to}":   "{original.to} is a list; a placeholder has one value",
	} {
		if _, err := parsePattern(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// Each short key is a column of the CSV, and has one value in a record.
func TestShortKeys(t *testing.T) {
	for short, long := range shortKeys {
		if _, err := placeholder(short); err != nil {
			t.Errorf("%s: %v", short, err)
		}
		if _, err := rule.ParseKey(short); err == nil {
			t.Errorf("%s is a key of its own, not only %s", short, long)
		}
	}
}

// A value cannot bring in a placeholder or change another argument.
func FuzzPattern(f *testing.F) {
	f.Add("{original_rcpt_to}", "{id}")
	f.Add("a{{b}}{original_subject}", "}}")
	f.Fuzz(func(t *testing.T, text, value string) {
		p, err := parsePattern(text)
		if err != nil {
			return
		}
		if len(p.literal) != len(p.keys)+1 {
			t.Fatalf("%q: %d literals, %d keys", text, len(p.literal), len(p.keys))
		}
		item := itemOf(t, report.Record{OriginalRcptTo: "user@example.com"})
		if _, err := p.text(&item); err != nil {
			t.Fatal(err)
		}
		value = "{" + value
		if q, err := parsePattern(value); err == nil && len(q.keys) == 0 {
			if got, _ := q.text(&item); len(got) >= len(value) {
				t.Errorf("%q: braces became %q", value, got)
			}
		}
	})
}
