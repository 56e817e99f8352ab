package rule

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/fblwatch/fblwatch/report"
)

// whole is a record all of whose keys are read from the record.
type whole report.Record

func (*whole) Column(string) (string, bool)      { return "", false }
func (w *whole) Record() (*report.Record, error) { return (*report.Record)(w), nil }

const sample = `{"schema":1,"id":"a.1","revision":2,"event":"complaint","class":"fbl","provider":"yahoo","feed":"","dialect":"",
	"received_at":"2026-03-01T12:00:00Z","source_ip":"192.0.2.7","original_mail_from":"Bounce+1@host-17.etp.eu.example.com",
	"original_rcpt_to":"user@example.org","recipients":2,"reported_domain":["example.com","Example.NET"],
	"extensions":{"x-foo":["one","two"]},"derived":{"source_ip":"outer:Subject"},
	"original":{"message_id":"1@example.com","subject":"Your INVOICE (2*2) is\nhere","to":["a@example.com","B@example.com"],"headers_only":true},
	"identity":{"status":"identified","tenant":"acme"},"reporter":{"auth":"pass","trusted":true},
	"mailbox":{"account":"a","folder":"FBL","uid":7},"parse":{"status":"ok"}}`

func parse(t *testing.T, text string) *When {
	t.Helper()
	var c struct {
		When When `yaml:"when"`
	}
	if err := yaml.Unmarshal([]byte("when: "+text), &c); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return &c.When
}

func record(t *testing.T) *whole {
	t.Helper()
	var r report.Record
	if err := json.Unmarshal([]byte(sample), &r); err != nil {
		t.Fatal(err)
	}
	return (*whole)(&r)
}

func TestMatch(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(list, []byte("# ours\n\nACME\n*@lists.example.com\n198.51.100.0/24\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"{}":                                       true,
		"{event: complaint}":                       true,
		"{event: Complaint, class: fbl}":           true,
		"{event: complaint, class: trap}":          false,
		"{event: [opt_out, complaint]}":            true,
		"{revision: 2}":                            true,
		"{revision: 1}":                            false,
		"{recipients: '2'}":                        true,
		"{original.headers_only: true}":            true,
		"{reporter.trusted: false}":                false,
		"{mailbox.uid: 7}":                         true,
		"{received_at: 2026-03-01T12:00:00Z}":      true,
		"{received_at: 2026-03-*}":                 true,
		"{original.to: b@EXAMPLE.com}":             true,
		"{original.to: '*@example.org'}":           false,
		"{reported_domain: example.net}":           true,
		"{extensions.x-foo: two}":                  true,
		"{extensions.X-Foo: two}":                  true,
		"{extensions.x-bar: '*'}":                  false,
		"{derived.source_ip: outer:*}":             true,
		"{source.country: '*'}":                    false, // the record has no source
		"{not: {source.country: '*'}}":             true,
		"{auth_failure: '*'}":                      false,
		"{auth_failure: ''}":                       false, // an absent key has no value
		"{source_ip: 192.0.2.0/24}":                true,
		"{source_ip: [10.0.0.0/8, 2001:db8::/32]}": false,
		"{source_ip: 192.0.2.?}":                   true,
		"{source_ip: 192.0.2.??}":                  false,
		`{original_mail_from: "*@host-*.etp.eu.example.com", original_rcpt_to: user@example.org}`:         true,
		`{original_mail_from: "*@host-*.etp.eu.example.com", original_rcpt_to: other@example.org}`:        false,
		`{original_mail_from: "*@host-.etp.eu.example.com"}`:                                              false,
		`{original_mail_from: "*@host-17.etp.eu.example.co"}`:                                             false,
		`{original_mail_from: "bounce+1*com"}`:                                                            true,
		`{original_mail_from: "bounce+1@host-17.etp.eu.example.com*bounce+1@host-17.etp.eu.example.com"}`: false, // the two parts do not overlap
		`{original.subject: {re: "(?i)invoice"}}`:                                                         true,
		`{original.subject: {re: "invoice"}}`:                                                             false,
		`{original.subject: '*2\*2*'}`:                                                                    true,
		`{original.subject: '*2\**3*'}`:                                                                   false,
		`{original.subject: 'your*is?here'}`:                                                              true, // also a newline
		"{identity.tenant: {file: " + list + "}}":                                                         true,
		"{original.to: {file: " + list + "}}":                                                             false,
		"{original.to: [{file: " + list + "}, a@example.com]}":                                            true,
		"{any: [{class: trap}, {provider: yahoo}]}":                                                       true,
		"{any: [{class: trap}, {provider: google}]}":                                                      false,
		"{all: [{class: fbl}, {provider: yahoo}], event: complaint}":                                      true,
		"{all: [{class: fbl}, {provider: google}]}":                                                       false,
		"{not: {any: [{class: trap}, {not: {provider: yahoo}}]}}":                                         true,
		"{not: {provider: yahoo}}":                                                                        false,
	} {
		if got, err := parse(t, text).Match(record(t)); got != want || err != nil {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

func TestErrors(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("a\n192.0.2.1/24\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	deep := strings.Repeat("{not: ", maxDepth) + "{event: x}" + strings.Repeat("}", maxDepth)
	for text, want := range map[string]string{
		"[a]":                             "expected keys of a record with patterns",
		"{orignal.subject: x}":            `orignal.subject is no key of a record; did you mean "original.subject"?`,
		"{zzzzz: x}":                      "zzzzz is no key of a record",
		"{extensions: x}":                 "extensions is no key of a record",
		"{extensions.: x}":                "extensions. is no key of a record",
		"{any: []}":                       "any: expected a list",
		"{any: {event: x}}":               "any: expected a list",
		"{any: [{event: x}, {evnt: x}]}":  `any[1].evnt is no key of a record; did you mean "event"?`,
		"{not: {not: {evnt: x}}}":         "not.not.evnt is no key",
		"{event: []}":                     "event: the list is empty",
		"{event: {regex: x}}":             "event: expected a pattern, {re: EXPRESSION} or {file: LIST}",
		"{event: {re: x, file: y}}":       "event: expected a pattern, {re: EXPRESSION} or {file: LIST}",
		"{event: {re: '('}}":              "event: re is no regular expression",
		"{event: {file: /no/such}}":       "event: stat /no/such",
		"{event: {file: " + broken + "}}": "event: " + broken + ":2: 192.0.2.1/24 has bits beside its network; write 192.0.2.0/24",
		"{source_ip: 192.0.2.1/24}":       "source_ip: 192.0.2.1/24 has bits beside its network",
		"{event: " + strings.Repeat("a", maxPattern+1) + "}":              "event: a pattern has at most",
		"{event: [" + strings.Repeat("a,", maxConditions+1) + "]}":        "event: more than 1000 patterns",
		"{any: [" + strings.Repeat("{event: x},", maxConditions+1) + "]}": "any[",
		deep: strings.Repeat("not.", maxDepth) + "all, any and not are more than",
	} {
		var c struct {
			When When `yaml:"when"`
		}
		if err := yaml.Unmarshal([]byte("when: "+text), &c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %s", text, err, want)
		}
	}
}

// A list file is read again when it changes. While it is wrong or gone, what it held
// before counts.
func TestListChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		now = now.Add(listEvery)
		if err := os.Chtimes(path, now, now); err != nil {
			t.Fatal(err)
		}
	}
	write("a\n")
	p, err := openList(path, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	expect := func(what, value string, want bool, fails bool) {
		t.Helper()
		if got := p.matches(value); got != want || (p.list.failure() != nil) != fails {
			t.Errorf("%s: %s: %v, %v", what, value, got, p.list.failure())
		}
	}
	expect("at first", "A", true, false)
	write("b\nc*\n")
	expect("changed", "a", false, false)
	expect("changed", "b", true, false)
	expect("changed", "cd", true, false)
	write("192.0.2.1/24\n")
	expect("wrong", "b", true, true)
	os.Remove(path)
	now = now.Add(listEvery)
	expect("gone", "b", true, true)
	write("d\n")
	expect("back", "d", true, false)
	expect("back", "b", false, false)
}

// Ten rules with a pattern, a network or an expression in each cost under a microsecond a
// record.
func BenchmarkTenRules(b *testing.B) {
	var r report.Record
	if err := json.Unmarshal([]byte(sample), &r); err != nil {
		b.Fatal(err)
	}
	var whens []*When
	for _, text := range []string{
		`{original_mail_from: "*@host-*.etp.eu.example.org", original_rcpt_to: user@example.org}`, "{source_ip: 198.51.100.0/24}",
		"{class: trap}", "{provider: google, event: complaint}", "{original.to: '*@example.org'}", "{identity.tenant: other}",
		"{not: {event: complaint}}", "{any: [{class: trap}, {class: service}]}", "{reported_domain: example.org}", "{original_rcpt_to: '*@example.net'}",
	} {
		var c struct {
			When When `yaml:"when"`
		}
		if err := yaml.Unmarshal([]byte("when: "+text), &c); err != nil {
			b.Fatal(err)
		}
		whens = append(whens, &c.When)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, w := range whens {
			if is, _ := w.Match((*whole)(&r)); is {
				b.Fatal("a rule matches")
			}
		}
	}
}
