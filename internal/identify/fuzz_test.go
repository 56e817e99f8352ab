package identify

import (
	"encoding/base64"
	"mime"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/report"
)

// FuzzIdentify has all presets and a rule of each kind of source read a field
// of any name: no panic, the same each time, and nothing that the message does not
// hold, as it is or encoded.
func FuzzIdentify(f *testing.F) {
	for _, test := range readings {
		f.Add(uint8(0), test.in)
	}
	for i := range builtins {
		f.Add(uint8(i), builtins[i].name)
		for _, test := range readings {
			if reflect.ValueOf(test.read).Pointer() == reflect.ValueOf(builtins[i].read).Pointer() && builtins[i].name != "ses" {
				f.Add(uint8(i), test.in)
			}
		}
	}
	rules := []Rule{
		{From: "original:X-Ref", Match: `(?P<campaign>\w+)\.(?P<subscriber>\w+)`},
		{From: "rcpt", Match: `^(?P<subscriber>u\d+)`},
		{From: "text", Match: `ref=(?P<message_id>\S+)`},
		{From: "report:X-Ref", Decode: "list-unsubscribe"},
	}
	id, err := New(Config{Rules: rules})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, n uint8, v string) {
		b := &builtins[int(n)%len(builtins)]
		name := b.from[0].name
		if name == "" {
			name = "Return-Path"
		}
		message := complaint(name+": "+v, "X-Ref: "+v, "report:X-Ref: "+v, "text:"+v)
		r := report.Parse(message)
		records := r.Records(report.Envelope{})
		again := slices.Clone(records)
		id.Identify(r, records)
		id.Identify(report.Parse(message), again)
		for i := range records {
			if !reflect.DeepEqual(records[i].Identity, again[i].Identity) {
				t.Fatalf("%s is once %v and once %v", v, records[i].Identity, again[i].Identity)
			}
			for _, found := range []string{records[i].Identity.Subscriber, records[i].Identity.Campaign, records[i].Identity.Tenant, records[i].Identity.MessageID} {
				if !occurs(found, string(message)) {
					t.Fatalf("%q is not in %q: %s", found, v, by(records[i].Identity))
				}
			}
			if got, want := records[i].Identity.Status == "identified", records[i].Identity.Subscriber != ""; got != want {
				t.Fatalf("%q is %s", v, by(records[i].Identity))
			}
		}
	})
}

// FuzzMayTell: what listUnsubscribe does not parse tells nothing.
func FuzzMayTell(f *testing.F) {
	for _, test := range readings {
		f.Add(test.in)
	}
	for _, v := range []string{
		"https://example.com/u/1?E-Mail=bob@example.org", "https://example.com/u/1?a=1&campaign+id=2", "https://example.com/?campaign%5Fid=2",
		"https://example.com/Campaign-ID/12/x", "https://bob@example.org/1", "https://example.com/Ym9iQGV4YW1wbGUub3Jn/1", "https://example.com/u#?email=bob@example.org",
		"MailTo:bounce-bob=example.org@example.com", "mailto:bounce-bob%3Dexample.org@example.com", "mailto:u@example.com?subject=1&contact_id=2",
		"https:?e=bob@example.org", "https://example.com?e=bob@example.org?e=2", "campaign/1", "//tenant/1", "https://example.com/%63ampaign/12",
	} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		if told := tell(v); !mayTell(v) && told != (found{}) {
			t.Fatalf("%q tells %q", v, told)
		}
	})
}

var (
	base64Run = regexp.MustCompile(`[A-Za-z0-9+/_-]{4,}`)
	space     = regexp.MustCompile(`\s+`)
)

// occurs reports whether the message holds a value: literally; unfolded; with its
// escapes of a URL or of JSON undone; out of base64, reversed or not; an address
// of two pieces that stand apart, as a VERP has them.
func occurs(v, message string) bool {
	local, domain, _ := strings.Cut(v, "@")
	in := func(text string) bool {
		return strings.Contains(text, v) || domain != "" && strings.Contains(text, local) && strings.Contains(text, domain)
	}
	words, _ := new(mime.WordDecoder).DecodeHeader(message)
	for _, text := range []string{message, words, space.ReplaceAllString(message, " "), space.ReplaceAllString(message, "")} {
		if in(text) {
			return true
		}
		if plain, err := url.QueryUnescape(text); err == nil && in(plain) {
			return true
		}
		for _, run := range base64Run.FindAllString(text, -1) {
			for cut := range min(4, len(run)) {
				if in(decoded(run[cut:])) || in(turned(decoded(turned(run[cut:])))) {
					return true
				}
			}
		}
	}
	return false
}

// decoded is what base64 of either alphabet holds, as far as it goes.
func decoded(v string) string {
	v = strings.NewReplacer("-", "+", "_", "/").Replace(v)
	b, _ := base64.RawStdEncoding.DecodeString(v[:len(v)-len(v)%4])
	tail, _ := base64.RawStdEncoding.DecodeString(v)
	return string(b) + "\n" + string(tail)
}

func turned(v string) string {
	b := []byte(v)
	slices.Reverse(b)
	return string(b)
}
