package process_test

import (
	"bytes"
	"encoding/base64"
	"html"
	"io"
	"mime/quotedprintable"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/privacy"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/report"
)

// Of no dialect the recipient is stored where the config takes people out,
// neither in a record nor in what is kept of the message, however it is encoded.
func TestDialectsStoreNobody(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	fixture.File(t, key, "sixteen octets or more")
	identifier, err := identify.New(identify.Config{})
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, d := range sample.Dialects() {
		for n := range 2 {
			c := sample.NewComplaint(7, n)
			b := d.Message(c)
			if occursIn(c.User, string(b), 0) {
				named++
			}
			for _, config := range []privacy.Config{{Addresses: "drop", Subject: "drop"}, {Addresses: "hash", Subject: "drop", KeyFile: key}} {
				filter, err := privacy.New(config)
				if err != nil {
					t.Fatal(err)
				}
				reading := process.Rules{Identify: identifier, Privacy: filter}
				r := report.Parse(b)
				records, _ := reading.Records(t.Context(), r, b, true, report.Envelope{})
				for _, record := range records {
					if line := string(record.AppendJSON(nil)); occursIn(c.User, line, 0) || occursIn(c.Subject, line, 0) {
						t.Errorf("%s, %s: %s in the record %s", d.Name, config.Addresses, c.User, line)
					}
				}
				if head := string(reading.Head(bytes.Clone(b), r)); occursIn(c.User, head, 0) || occursIn(c.Subject, head, 0) {
					t.Errorf("%s, %s: %s in the head %s", d.Name, config.Addresses, c.User, head)
				}
			}
		}
	}
	if named < 50 { // else nothing is shown
		t.Errorf("only %d messages hold their recipient", named)
	}
}

var base64Digits = regexp.MustCompile(`[A-Za-z0-9+/_-]{7,}`)

// occursIn looks for an address, as it is and as VERP has it, or for a text, in
// a text with its encodings undone, one within another.
func occursIn(v, text string, depth int) bool {
	quoted, _ := io.ReadAll(quotedprintable.NewReader(strings.NewReader(text)))
	unescaped, _ := url.PathUnescape(strings.ReplaceAll(text, "%%", "%25%"))
	joined := strings.NewReplacer("\r", "", "\n", "", " ", "", "\t", "", `\r`, "", `\n`, "").Replace(text)
	for _, text := range []string{text, string(quoted), unescaped, html.UnescapeString(text), strings.NewReplacer(`\u0040`, "@", `\u003c`, "<").Replace(text), joined} {
		text = strings.ToLower(text)
		if strings.Contains(text, strings.ToLower(v)) || strings.Contains(text, strings.ToLower(strings.Replace(v, "@", "=", 1))) {
			return true
		}
	}
	if depth == 2 {
		return false
	}
	for _, text := range []string{text, joined} {
		for _, run := range base64Digits.FindAllString(text, -1) {
			run = strings.NewReplacer("-", "+", "_", "/").Replace(run)
			for skip := range min(4, len(run)) {
				part := run[skip:]
				if len(part)%4 == 1 {
					part = part[:len(part)-1]
				}
				if plain, err := base64.RawStdEncoding.DecodeString(part); err == nil && occursIn(v, string(plain), depth+1) {
					return true
				}
			}
		}
	}
	return false
}
