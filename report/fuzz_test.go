package report

import (
	"encoding/json"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/internal/message"
)

// FuzzParse: whatever the bytes, what is fetched by Need has the whole message's
// id, every record is one inert line that reads back equal, and every field of a
// header is found by its name in any case.
func FuzzParse(f *testing.F) {
	for _, fixture := range fixtures(f) {
		f.Add(fixture.message, uint16(len(fixture.message)/2))
	}
	for _, accused := range accusing {
		f.Add(accused.message(), uint16(300))
	}
	f.Fuzz(func(t *testing.T, message []byte, first uint16) {
		r := Parse(message)
		if r.Need() != 0 {
			t.Fatalf("a whole mail needs %d", r.Need())
		}
		if part, _ := fetch(t, message, int(first)); part.ID != r.ID {
			t.Errorf("id %s from a part, %s from the whole", part.ID, r.ID)
		} else if len(part.Records(envelope)) != len(r.Records(envelope)) {
			t.Errorf("%s from a part, %s from the whole", part.Kind, r.Kind)
		}
		for _, source := range []string{FromOuter, FromOriginal, FromReport} {
			header := r.Header(source)
			for name, v := range header.Fields() {
				if !slices.Contains(header.Values(strings.ToUpper(name)), v) {
					t.Errorf("%s: %s has no %q", source, name, v)
				}
			}
		}
		for _, record := range r.Records(envelope) {
			line := record.AppendJSON(nil)
			checkInert(t, line)
			var back Record
			if err := json.Unmarshal(line, &back); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			if diff := cmp.Diff(record, back); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func checkInert(t *testing.T, line []byte) {
	if !utf8.Valid(line) {
		t.Fatalf("not UTF-8: %q", line)
	}
	for _, c := range string(line) {
		if c < ' ' || c == 0x7f || isActive(c) {
			t.Fatalf("%U in %q", c, line)
		}
	}
}

// FuzzFields: nothing that a report part says is lost. Each line that is a
// field with a value is somewhere in the record, in whole or with its brackets
// off.
func FuzzFields(f *testing.F) {
	for _, fixture := range fixtures(f) {
		_, part, found := strings.Cut(string(fixture.message), "message/feedback-report\n\n")
		if part, _, ended := strings.Cut(part, "\n--"); found && ended {
			f.Add(part)
		}
	}
	f.Add("Feedback-Type: abuse\nVersion: 1\nX: y\nX: z\nOriginal-Rcpt-To: a@example.com, <b@example.com>\n")
	f.Fuzz(func(t *testing.T, fields string) {
		if strings.ContainsAny(fields, "\r") || strings.Contains(fields, "--b") || !utf8.ValidString(fields) {
			t.Skip()
		}
		message := limitHead + "--b\nContent-Type: message/feedback-report\n\n" + fields + "\n--b--\n"
		r := Parse([]byte(message))
		if r.Kind != KindReport {
			t.Skip()
		}
		var said strings.Builder
		for _, record := range r.Records(Envelope{}) {
			for _, values := range valuesOf([]Record{record}) {
				for _, v := range values {
					said.WriteString(v + "\n")
				}
			}
		}
		underName(t, r, fields)
		for _, v := range fieldsIn([]byte(fields)) {
			v = strings.ReplaceAll(v, "\x00", "\ufffd")
			for word := range strings.FieldsFuncSeq(v, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("<>[];,", r) }) {
				if !says(said.String(), word) {
					t.Errorf("%q of %q is not in %q", word, v, said.String())
				}
			}
		}
	})
}

// underName: each field stands under its own name: one that has no key whole, in
// the extensions, the words of another in its key or there.
func underName(t *testing.T, r *Report, fields string) {
	values := valuesOf(r.Records(Envelope{}))
	for b := reflow(unquote(skipYAML([]byte(fields)))); len(b) > 0; {
		f, rest, kind := message.ReadField(b)
		b = rest
		if kind != message.FieldLine {
			continue
		}
		name, value := strings.ToLower(string(f.Name)), strings.ReplaceAll(new(message.Arena).Keep(f.Value, f.Folded), "\x00", "\ufffd")
		key := strings.ReplaceAll(name, "-", "_")
		switch {
		case value == "" || strings.EqualFold(value, "authentication result string is not available"):
			continue
		case fieldOf(f.Name) == nil:
			if !slices.Contains(r.Extensions[name], value) {
				t.Errorf("%s: %q is not in %q", name, value, r.Extensions[name])
			}
			continue
		case name == "received-date" || name == "arrival-date":
			key = "arrival_date_raw"
		case name == "reporting-mta":
			key = "reporting_mta.name"
		}
		under := strings.Join(slices.Concat(values[key], values["reporting_mta.type"], values["rcpt_hash"], r.Extensions[name]), "\n")
		for word := range strings.FieldsFuncSeq(value, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("<>[];,", r) }) {
			if !says(under, word) {
				t.Errorf("%s: %q of %q is not in %q", name, word, value, under)
			}
		}
	}
}

// fieldsIn reads the values of a report part, as a plain reader would.
func fieldsIn(b []byte) (values []string) {
	for len(b) > 0 {
		f, rest, kind := message.ReadField(b)
		if v := string(f.Value); kind == message.FieldLine && !strings.EqualFold(v, "authentication result string is not available") {
			values = append(values, v)
		}
		b = rest
	}
	return values
}

// says looks for a word, but for what canonical forms change.
func says(text, word string) bool {
	text, word = strings.ToLower(text), strings.ToLower(word)
	if strings.Contains(text, word) {
		return true
	}
	if name, _, found := strings.Cut(word, ":"); found && fieldOf([]byte(name)) != nil {
		return true // all fields on one line
	}
	ip, _ := message.ParseIP(word)
	return ip != "" && strings.Contains(text, ip) || message.Number(word) > 0 && strings.Contains(text, strings.TrimLeft(word, "0"))
}

// FuzzDate: what net/mail reads with an offset in digits is the same instant, but
// for offsets of 15 hours and more, or 60 minutes, which no place has; no other date is before 1900, or has a part that there is not.
func FuzzDate(f *testing.F) {
	for _, s := range []string{"Mon, 06 Jul 2026 09:58:12 +0000", "Mon,  6 Jul 26 5:58:12 EDT", "2026-07-06T09:58:12.5+02:00", "mar. 7 juil. 2026 09:58 +0200",
		"Jan 18 23:57:24 PST 2016", "31 Feb 2026 23:59:60 -0000 (UTC)", "06-Jul-2026 09:58:12 GMT +0100", "09:58 6 Jul 2026 Z", "1 Jul 2000 00:00 +2000"} {
		f.Add(s)
	}
	offset := regexp.MustCompile(`^[A-Za-z]{0,3},? *\d{1,2} [A-Za-z]{3} \d{4} \d{2}:\d{2}(:\d{2})? [+-](0\d|1[0-4])[0-5]\d$`)
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := message.ParseDate(s)
		if ok && (got.Year() < 1899 || got.Year() > 10000 || got.Location() != time.UTC) || !ok && !got.IsZero() {
			t.Errorf("%q: %v %t", s, got, ok)
		}
		if want, err := mail.ParseDate(s); err == nil && offset.MatchString(s) && want.Year() > 1900 && (!ok || !want.Equal(got)) {
			t.Errorf("%q: %v %t, net/mail has %v", s, got, ok, want)
		}
	})
}
