package settings

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/internal/mailboxurl"
	"github.com/fblwatch/fblwatch/internal/rule"
	"github.com/fblwatch/fblwatch/internal/sink"
	"github.com/fblwatch/fblwatch/internal/trust"
)

// env is an environment made of pairs.
func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

// Each bad config holds its message in the first line.
func TestBadConfig(t *testing.T) {
	files, err := filepath.Glob("testdata/config/bad-*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no bad configs", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(data), "\n")
			want := strings.TrimPrefix(first, "# ")
			if _, err := Parse(data, "config.yaml", env("HOME", "/home/fbl")); err == nil {
				t.Fatal("it loads")
			} else if err.Error() != want {
				t.Errorf("\n got %s\nwant %s", err, want)
			}
		})
	}
}

func TestConfig(t *testing.T) {
	text := `
ledger: ~/l.db
accounts:
  - name: a
    url: imaps://fbl@example.com@imap.example.com:1993
    password: '${PASSWORD} $${PASSWORD} ${NONE:-none}'
    folders: [FBL, "~/mail", "FBL/*", 2026]
    mailbox: gmail
    insecure: ${INSECURE:-false}
    ca_file:
  - {name: b, url: 'imap+starttls://fbl@[2001:db8::1]/A%20B', password_command: [pass, show], mailbox: {authserv_ids: [mx.example.com], hops: [.example.com]}}
  - name: c
    url: imaps://fbl@outlook.office365.com
    password_command: [pass, show]
    mailbox: {profile: microsoft365, gateway: {authserv_ids: ['${ID}'], hops: [mx0a-1.gateway.example.net], ips: [192.0.2.0/24]}}
trust: {mailbox: auto, profiles: [{name: p, authserv_ids: [a.example.net], border: [192.0.2.7]}]}
keep: 1d12h
records: {file: "~/r.ndjson"}
sinks:
  - {name: own, type: exec, command: [suppress, "~", '${ID}']}
  - {name: copy, type: file, path: ~/copy.ndjson}
log: {level: debug, format: json}
`
	got, err := Parse([]byte(text), "c", env("HOME", "/home/fbl", "PASSWORD", "~/pa: ${ss} #", "INSECURE", "true", "ID", "gateway.example.net"))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Ledger: "/home/fbl/l.db",
		Accounts: []Account{{
			Name:     "a",
			URL:      mailboxurl.URL{Scheme: "imaps", User: "fbl@example.com", Host: "imap.example.com", Port: 1993},
			Password: "~/pa: ${ss} # ${PASSWORD} none",
			Folders:  []string{"FBL", "~/mail", "FBL/*", "2026"},
			Mailbox:  trust.Mailbox{Profile: "gmail"},
			Insecure: true,
		}, {
			Name:            "b",
			URL:             mailboxurl.URL{Scheme: "imap+starttls", User: "fbl", Host: "2001:db8::1", Port: 143, Folder: "A B"},
			PasswordCommand: []string{"pass", "show"},
			Mailbox:         trust.Mailbox{AuthservIDs: []string{"mx.example.com"}, Hops: []string{".example.com"}},
		}, {
			Name:            "c",
			URL:             mailboxurl.URL{Scheme: "imaps", User: "fbl", Host: "outlook.office365.com", Port: 993},
			PasswordCommand: []string{"pass", "show"},
			Mailbox: trust.Mailbox{Profile: "microsoft365", Gateway: &trust.Gateway{
				AuthservIDs: []string{"gateway.example.net"}, Hops: []string{"mx0a-1.gateway.example.net"}, IPs: []string{"192.0.2.0/24"},
			}},
		}},
		Trust: trust.Config{
			Mailbox:  trust.Mailbox{Profile: "auto"},
			Profiles: []trust.Profile{{Name: "p", AuthservIDs: []string{"a.example.net"}, Border: []string{"192.0.2.7"}}},
		},
		Keep:      Keep(36 * time.Hour),
		Retention: Retention(400 * 24 * time.Hour),
		Sinks: sink.List{
			{Name: "own", Type: "exec", Exec: sink.ExecConfig{Command: []string{"suppress", "~", "gateway.example.net"}}},
			{Name: "copy", Type: "file", File: sink.FileConfig{Path: "/home/fbl/copy.ndjson"}},
		},
		Records: sink.Records{File: "/home/fbl/r.ndjson"},
		Log:     LogConfig{Level: "debug", Format: "json"},
		path:    "c",
	}
	if !reflect.DeepEqual(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

func TestExampleConfig(t *testing.T) {
	data, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(data, "config.example.yaml", env("HOME", "/home/fbl"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Ledger != "/home/fbl/.local/state/fblwatch/fblwatch.db" || len(c.Accounts) != 3 {
		t.Errorf("ledger %q, %d accounts", c.Ledger, len(c.Accounts))
	}
	for key := range yamlKeys(reflect.TypeFor[Config]()) {
		if !strings.Contains(string(data), key) {
			t.Errorf("the example does not show %s", key)
		}
	}
}

// yamlKeys are all keys of a struct and those below it.
func yamlKeys(t reflect.Type) map[string]bool {
	keys := map[string]bool{}
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Tag.Get("yaml") == "-" { // not of the file
			continue
		}
		if field.Tag.Get("yaml") == ",inline" {
			maps.Copy(keys, yamlKeys(field.Type))
			continue
		}
		keys[field.Tag.Get("yaml")+":"] = true
		below := field.Type
		if below.Kind() == reflect.Slice || below.Kind() == reflect.Pointer {
			below = below.Elem()
		}
		if below.Kind() == reflect.Struct && below != reflect.TypeFor[mailboxurl.URL]() && below != reflect.TypeFor[rule.When]() {
			for key := range yamlKeys(below) {
				keys[key] = true
			}
		}
	}
	return keys
}

const canary = "c4n4ry"

// TestConfigErrorsHoldNoValue: whichever value a variable gives, an error does
// not repeat it: it may be the password that was meant for another key.
func TestConfigErrorsHoldNoValue(t *testing.T) {
	const account = "accounts:\n  - {name: a, url: 'imaps://u@h', password: x}\n"
	of := func(keys string) string {
		return "accounts:\n  - {name: a, url: 'imaps://u@h', password: x, " + keys + "}\n"
	}
	smtpSink := func(keys string) string {
		return account + "sinks: [{name: a, type: smtp, url: 'smtps://h', sender: a@example.com, " + keys + "}]\n"
	}
	for _, text := range []string{
		of("watch: '${S}'"), of("on_uidvalidity: '${S}'"), of("compress: '${S}'"), of("connections: '${S}'"), of("since: '${S}'"), of("pin: '${S}'"),
		of("after: {report: '${S}'}"), of("after: {other: 'move ${S}'}, folders: ['${S}']"), of("insecure: '${S}'"),
		of("oauth2: {provider: '${S}'}"), of("cert_file: '${S}'"),
		"accounts:\n  - {name: '${S}', url: 'imaps://u@h', password: x}\n  - {name: '${S}', url: 'imaps://u@h', password: x}\n",
		"accounts:\n  - {name: a, url: '${S}', password: x}\n", "accounts:\n  - {name: a, url: 'imaps://u:${S}@h', password: x}\n",
		"accounts:\n  - {name: a, url: '{h/${S}}INBOX', password: x}\n", "accounts:\n  - {name: a, url: '{${S}}INBOX', password: x}\n",
		"accounts:\n  - {name: a, url: 'imaps://u@h:${S}', password: x}\n", "accounts:\n  - {name: a, url: 'imaps://u@h/%z${S}', password: x}\n",
		account + "keep: '${S}'", account + "retention: '${S}'", account + "ledger: 'x${S}://y'", account + "records: {file: 'x${S}://y'}",
		account + "sinks: [{name: '${S} x', type: file, path: r}]", account + "sinks: [{name: a, type: '${S}', path: r}]", account + "sinks: [{name: a, type: file, path: 'x${S}://y'}]",
		account + "sinks: [{name: '${S}', type: file, path: r}, {name: '${S}', type: file, path: s}]", account + "sinks: [{name: a, type: file, path: '${S}'}, {name: b, type: file, path: '${S}'}]",
		account + "sinks: [{name: a, type: file, path: '${S}'}]\nrecords: {file: '${S}'}",
		account + "sinks: [{name: command, type: exec, command: ['${S}']}]\nhooks: {record: ['${S}']}", account + "log: {level: '${S}'}", account + "log: {format: '${S}'}", account + "enrich: {timeout: '${S}'}",
		account + "trust: {own: {domains: ['*${S}']}}", account + "trust: {own: {ips: ['${S}']}}", account + "trust: {authserv_ids: ['a ${S}']}",
		account + "trust: {hops: ['*${S}']}", account + "trust: {mailbox: '${S}'}", account + "trust: {profiles: [{name: a, authserv_ids: ['${S} a']}]}",
		of("mailbox: '${S}'"), of("mailbox: {hops: ['a@${S}']}"), of("mailbox: {profile: '${S}', gateway: {authserv_ids: ['${S}'], hops: ['${S}'], ips: ['${S}']}}"),
		of("mailbox: {profile: microsoft365, gateway: {authserv_ids: [a], hops: ['.${S}.example'], ips: ['192.0.2.1']}}"),
		of("mailbox: {profile: microsoft365, gateway: {authserv_ids: [a], hops: [b], ips: ['${S}']}}"),
		account + "trust: {hops: ['a ${S}']}", account + "trust: {reporters: ['@${S}']}", account + "trust: {arc_sealers: ['a@${S}']}",
		smtpSink("mode: '${S}'"), smtpSink("mode: digest, at: '${S}'"), smtpSink("mode: digest, every: '${S}'"), smtpSink("mode: digest, to: 'a ${S}'"),
		smtpSink("mode: arf, rate: '${S}'"), smtpSink("mode: arf, redact_key_file: f, to: '${S}'"), smtpSink("mode: arf, redact_key_file: f, tenants: {a: '${S}'}"),
		smtpSink("mode: digest, ehlo: 'a ${S}'"), smtpSink("mode: arf, redact_key_file: f, to: 'a@{${S}}.example.com'"), smtpSink("mode: arf, redact_key_file: f, to: 'u@h'"),
		account + "privacy: {addresses: '${S}'}", account + "privacy: {subject: '${S}'}", account + "identify: {presets: '${S}'}",
		account + "identify: {rules: [{from: '${S}', match: '(?P<subscriber>a)'}]}", account + "identify: {rules: [{from: text, decode: '${S}'}]}",
		account + "identify: {rules: [{from: text, match: '(${S}'}]}", account + "identify: {rules: [{from: text, match: '(?P<${S}>a)'}]}",
		account + "identify: {rules: [{from: text, match: '(?P<subscriber>a)(?P<hmac>b)', verify: {hmac: '${S}', key_file: f}}]}",
		account + "providers: [{name: '${S}', class: '${S}', from: [a.example]}]", account + "providers: [{name: b, from: ['*@*${S}*']}]",
		account + "records: {file: \"a\\0${S}\"}",
	} {
		_, err := Parse([]byte(text), "c", env("S", canary, "HOME", "/home/fbl"))
		if err == nil {
			t.Errorf("it loads: %s", text)
		} else if strings.Contains(err.Error(), canary) {
			t.Errorf("%s: the error holds the value: %v", text, err)
		}
	}
}

// A config is an error or one that validates; neither shows a value that came
// from the environment or stands behind a password key.
func FuzzConfig(f *testing.F) {
	files, _ := filepath.Glob("testdata/config/*.yaml")
	for _, file := range append(files, "../../config.example.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Add("accounts:\n  - {name: a, url: 'imaps://${S}@h', password: \"${S}\", folders: [\"${S}\"]}\n")
	f.Add("ledger: ${S}\nkeep: ${S}\nlog: {level: '${S}'}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, canary) {
			return
		}
		c, err := Parse([]byte(text), "c", func(string) (string, bool) { return canary, true })
		if err != nil {
			if strings.Contains(err.Error(), canary) {
				t.Errorf("the error holds a value: %v", err)
			}
			return
		}
		if err := c.Validate(); err != nil {
			t.Errorf("loads and does not validate: %v", err)
		}
		for _, a := range c.Accounts {
			if err := a.Validate(); err != nil {
				t.Errorf("loads and does not validate: %v", err)
			}
			if shown := fmt.Sprintf("%v %+v %#v", a.Password, a.Password, a.Password); strings.Contains(shown, canary) {
				t.Errorf("a password shows: %s", shown)
			}
		}
	})
}

// TestTrust: who is believed in which account, and whether the DNS is asked.
func TestTrust(t *testing.T) {
	const ours = "trust: {own: {domains: [example.com]}"
	for _, test := range []struct {
		name, url, mailbox, trust string
		checks, asks              bool
		want                      string // what check says of the mailbox
	}{
		{name: "nothing", url: "imaps://u@imap.example.com", want: "not known by its host; trust.dkim can verify signatures"},
		{name: "a profile's host", url: "imaps://u@imap.gmail.com", checks: true, asks: true, want: "gmail (by its host)"},
		{name: "a name like it", url: "imaps://u@imap.gmail.com.example.net", want: "not known by its host; trust.dkim can verify signatures"},
		{name: "loopback", url: "imap://u@127.0.0.1", trust: ours + "}", checks: true, asks: true, want: "not known by its host; signatures are verified"},
		{name: "loopback, named", url: "imap://u@127.0.0.1", mailbox: "gmail", checks: true, asks: true, want: "gmail (by its mailbox)"},
		{name: "named for all", url: "imap://u@localhost", trust: "trust: {mailbox: fastmail}", checks: true, asks: true, want: "fastmail (by trust.mailbox)"},
		{name: "ours", url: "imaps://u@imap.gmail.com", trust: ours + "}", checks: true, asks: true, want: "gmail (by its host)"},
		{name: "ours, no dkim", url: "imaps://u@imap.gmail.com", trust: ours + ", dkim: false}", checks: true, asks: true, want: "gmail (by its host)"},
		{name: "ours, no dkim, no seals", url: "imaps://u@imap.mail.yahoo.com", trust: ours + ", dkim: false}", checks: true, want: "yahoo (by its host)"},
		{name: "ours, no dkim, no host", url: "imaps://u@imap.example.com", trust: ours + ", dkim: false}", checks: true, want: "not known by its host; trust.dkim can verify signatures"},
		{name: "dkim alone", url: "imaps://u@imap.example.com", trust: "trust: {dkim: true}", checks: true, asks: true, want: "not known by its host; signatures are verified"},
		{name: "ids", url: "imaps://u@imap.example.com", trust: "trust: {authserv_ids: [mx.example.com]}", checks: true, want: "own (by trust.authserv_ids)"},
		{name: "ids beside a host", url: "imaps://u@outlook.office365.us", trust: "trust: {authserv_ids: [mx.example.com]}", checks: true, want: "microsoft365 (by its host)"},
		{name: "the alias", url: "imap://u@127.0.0.1", trust: "trust: {microsoft365: true}", checks: true, want: "microsoft365 (by trust.microsoft365)"},
		{name: "a row of the config", url: "imaps://u@imap.example.net", trust: "trust: {profiles: [{name: mine, imap_hosts: [.example.net], authserv_ids: [.example.net]}]}", checks: true, want: "mine (by its host)"},
		{name: "a profile that is not believed", url: "imaps://u@imap.yandex.ru", trust: ours + ", dkim: false}", checks: true, want: "yandex (by its host), whose results do not count: it adds no field to an unsigned message, and may leave foreign ones; trust.dkim can verify signatures"},
	} {
		t.Run(test.name, func(t *testing.T) {
			keys := "name: a, password: x, url: '" + test.url + "'"
			if test.mailbox != "" {
				keys += ", mailbox: " + test.mailbox
			}
			c, err := Parse([]byte("accounts: [{"+keys+"}]\n"+test.trust), "c", env("HOME", "/home/fbl"))
			if err != nil {
				t.Fatal(err)
			}
			rules, err := c.Rules(nil)
			if err != nil {
				t.Fatal(err)
			}
			if checks := rules.Trust != nil; checks != test.checks || rules.DNS != test.asks {
				t.Errorf("checks %v, asks the DNS %v", checks, rules.DNS)
			}
			if got := c.Believed().System("a"); got != test.want {
				t.Errorf("mailbox: %s\nwant %s", got, test.want)
			}
		})
	}
}
