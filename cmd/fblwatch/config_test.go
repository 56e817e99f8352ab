package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/internal/sink"
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
			if _, err := readConfig(data, "config.yaml", env("HOME", "/home/fbl")); err == nil {
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
    insecure: ${INSECURE:-false}
    ca_file:
  - {name: b, url: 'imap+starttls://fbl@[2001:db8::1]/A%20B', password_command: [pass, show]}
keep: 1d12h
records: {file: "~/r.ndjson"}
log: {level: debug, format: json}
`
	got, err := readConfig([]byte(text), "c", env("HOME", "/home/fbl", "PASSWORD", "~/pa: ${ss} #", "INSECURE", "true"))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Ledger: "/home/fbl/l.db",
		Accounts: []Account{{
			Name:     "a",
			URL:      MailboxURL{Scheme: "imaps", User: "fbl@example.com", Host: "imap.example.com", Port: 1993},
			Password: "~/pa: ${ss} # ${PASSWORD} none",
			Folders:  []string{"FBL", "~/mail", "FBL/*", "2026"},
			Insecure: true,
		}, {
			Name:            "b",
			URL:             MailboxURL{Scheme: "imap+starttls", User: "fbl", Host: "2001:db8::1", Port: 143, Folder: "A B"},
			PasswordCommand: []string{"pass", "show"},
		}},
		Keep:      Keep(36 * time.Hour),
		Retention: Retention(400 * 24 * time.Hour),
		Records:   sink.FileConfig{File: "/home/fbl/r.ndjson"},
		Log:       LogConfig{Level: "debug", Format: "json"},
		path:      "c",
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
	c, err := readConfig(data, "config.example.yaml", env("HOME", "/home/fbl"))
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
		keys[field.Tag.Get("yaml")+":"] = true
		below := field.Type
		if below.Kind() == reflect.Slice || below.Kind() == reflect.Pointer {
			below = below.Elem()
		}
		if below.Kind() == reflect.Struct && below != reflect.TypeFor[MailboxURL]() {
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
	for _, text := range []string{
		of("watch: '${S}'"), of("on_uidvalidity: '${S}'"), of("compress: '${S}'"), of("connections: '${S}'"), of("since: '${S}'"), of("pin: '${S}'"),
		of("after: {report: '${S}'}"), of("after: {other: 'move ${S}'}, folders: ['${S}']"), of("insecure: '${S}'"),
		of("oauth2: {provider: '${S}'}"), of("cert_file: '${S}'"),
		"accounts:\n  - {name: '${S}', url: 'imaps://u@h', password: x}\n  - {name: '${S}', url: 'imaps://u@h', password: x}\n",
		"accounts:\n  - {name: a, url: '${S}', password: x}\n", "accounts:\n  - {name: a, url: 'imaps://u:${S}@h', password: x}\n",
		"accounts:\n  - {name: a, url: '{h/${S}}INBOX', password: x}\n", "accounts:\n  - {name: a, url: '{${S}}INBOX', password: x}\n",
		"accounts:\n  - {name: a, url: 'imaps://u@h:${S}', password: x}\n", "accounts:\n  - {name: a, url: 'imaps://u@h/%z${S}', password: x}\n",
		account + "keep: '${S}'", account + "retention: '${S}'", account + "ledger: 'x${S}://y'", account + "records: {file: 'x${S}://y'}", account + "log: {level: '${S}'}", account + "log: {format: '${S}'}", account + "enrich: {timeout: '${S}'}",
		account + "trust: {own: {domains: ['*${S}']}}", account + "trust: {own: {ips: ['${S}']}}", account + "trust: {authserv_ids: ['a ${S}']}",
		account + "trust: {hops: ['a ${S}']}", account + "trust: {reporters: ['@${S}']}", account + "trust: {arc_sealers: ['a@${S}']}",
		account + "privacy: {addresses: '${S}'}", account + "privacy: {subject: '${S}'}", account + "identify: {presets: '${S}'}",
		account + "identify: {rules: [{from: '${S}', match: '(?P<subscriber>a)'}]}", account + "identify: {rules: [{from: text, decode: '${S}'}]}",
		account + "identify: {rules: [{from: text, match: '(${S}'}]}", account + "identify: {rules: [{from: text, match: '(?P<${S}>a)'}]}",
		account + "identify: {rules: [{from: text, match: '(?P<subscriber>a)(?P<hmac>b)', verify: {hmac: '${S}', key_file: f}}]}",
		account + "providers: [{name: '${S}', class: '${S}', from: [a.example]}]", account + "providers: [{name: b, from: ['*@*${S}*']}]",
		account + "records: {file: \"a\\0${S}\"}",
	} {
		_, err := readConfig([]byte(text), "c", env("S", canary, "HOME", "/home/fbl"))
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
		c, err := readConfig([]byte(text), "c", func(string) (string, bool) { return canary, true })
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
