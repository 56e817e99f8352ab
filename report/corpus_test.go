package report

import (
	"encoding/json"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// corpusFolder is where published messages are. Nothing that they say of people may
// come into this repository: the tests that read them know classes, providers,
// dialects, events and verdicts by file number. TestGolden has fixtures of the
// same shapes.
func corpusFolder(t testing.TB) string {
	folder := os.Getenv("FBLWATCH_CORPUS")
	if folder == "" {
		t.Skip("FBLWATCH_CORPUS, the folder of published messages, is not set; TestGolden has fixtures of the same shapes")
	}
	return folder
}

// reading is another program's reading of a corpus message.
type reading struct {
	file   string // without its suffix
	ID     string
	Kind   string
	Report struct {
		Fields map[string][]string
	}
}

// corpusReadings are that program's readings of all messages.
func corpusReadings(t *testing.T, folder string) (readings []reading) {
	files, _ := filepath.Glob(filepath.Join(folder, "*.json"))
	if len(files) == 0 {
		t.Fatalf("no messages in %s", folder)
	}
	for _, file := range files {
		r := reading{file: strings.TrimSuffix(file, ".json")}
		b, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(b, &r)
		}
		if err != nil {
			t.Fatal(err)
		}
		readings = append(readings, r)
	}
	return readings
}

// differ lists what we read otherwise than the other program, and why.
var differ = map[string]map[string]string{
	"324": {"source-ip": "2001:DB8::25 in canonical form is in lower case"},
	"259": {"original-mail-from": "the address is taken out of its display name; the whole value stays in the extensions"},
}

func TestCorpus(t *testing.T) {
	for _, want := range corpusReadings(t, corpusFolder(t)) {
		t.Run(filepath.Base(want.file), func(t *testing.T) {
			message, err := os.ReadFile(want.file + ".eml")
			if err != nil {
				t.Fatal(err)
			}
			r := Parse(message)
			records := r.Records(Envelope{})
			switch want.Kind {
			case "dsn", "mdn", "dmarc-aggregate", "tlsrpt", "human", "autoreply":
				if len(records) > 0 {
					t.Errorf("%s gives %d records, kind %s", want.Kind, len(records), r.Kind)
				}
				if want.Kind != "human" && r.Kind != Kind(want.Kind) {
					t.Errorf("kind %s, want %s", r.Kind, want.Kind)
				}
			case "arf-abuse", "arf-fraud", "arf-not-spam", "arf-auth-failure", "arf-other":
				if r.Kind != KindReport || len(records) == 0 {
					t.Fatalf("kind %s, %d records", r.Kind, len(records))
				}
				compareFields(t, &want, records)
				compareDates(t, &records[0], r)
			}
		})
	}
}

// compareFields compares the fields of RFC 5965 in both directions: nothing is
// lost, nothing is invented.
func compareFields(t *testing.T, want *reading, records []Record) {
	got := fieldsOf(records)
	if draft := want.Report.Fields["received-date"]; draft != nil && want.Report.Fields["arrival-date"] == nil {
		delete(want.Report.Fields, "received-date")
		want.Report.Fields["arrival-date"] = draft
	}
	for name, values := range want.Report.Fields {
		for _, v := range values {
			v = strings.Join(strings.Fields(v), " ")
			if v == "" || v == "authentication result string is not available" || differ[want.ID][name] != "" {
				continue
			}
			if !slices.Contains(got[name], plain(v)) {
				t.Errorf("%s: %q is not in %q", name, v, got[name])
			}
		}
	}
	for name, values := range got {
		for _, v := range values {
			found := slices.ContainsFunc(want.Report.Fields[name], func(w string) bool { return plain(w) == v })
			if !found && differ[want.ID][name] == "" {
				t.Errorf("%s: %q was not sent: %q", name, v, want.Report.Fields[name])
			}
		}
	}
}

// compareDates: each date is the instant that net/mail reads where there is an
// offset in digits; no published report's own date is without an instant.
func compareDates(t *testing.T, rec *Record, r *Report) {
	if rec.ArrivalDateRaw != "" && rec.ArrivalDate.IsZero() {
		t.Errorf("no instant in %q", rec.ArrivalDateRaw)
	}
	header := r.Header(FromOuter).Values("Date")
	if len(header) > 0 && r.Outer.Date.IsZero() {
		t.Errorf("no instant in %q", header)
	}
	numeric := regexp.MustCompile(` [+-]\d{4}( |$)`)
	for raw, got := range map[string]time.Time{rec.ArrivalDateRaw: rec.ArrivalDate, strings.Join(header, ""): r.Outer.Date} {
		if !numeric.MatchString(raw) {
			continue
		}
		if want, err := mail.ParseDate(raw); err != nil || !want.Equal(got) {
			t.Errorf("%q is %v, want %v (%v)", raw, got, want, err)
		}
	}
}

// plain is a field's value as both readings may write it.
func plain(v string) string {
	v = strings.Join(strings.Fields(v), " ")
	if len(v) > 2 && v[0] == '<' && v[len(v)-1] == '>' {
		v = v[1 : len(v)-1]
	}
	return v
}

// fieldsOf is what the records say, under the names of the report part.
func fieldsOf(records []Record) map[string][]string {
	r := records[0]
	got := make(map[string][]string)
	add := func(name string, values ...string) {
		for _, v := range values {
			if v != "" {
				got[name] = append(got[name], plain(v))
			}
		}
	}
	for name, values := range r.Extensions {
		add(name, values...)
	}
	add("feedback-type", r.FeedbackType)
	add("user-agent", r.UserAgent)
	add("version", r.Version)
	add("original-envelope-id", r.OriginalEnvelopeID)
	if r.Derived["original_mail_from"] == "" {
		add("original-mail-from", r.OriginalMailFrom)
	}
	if r.Derived["original_rcpt_to"] == "" {
		for _, one := range records {
			add("original-rcpt-to", one.OriginalRcptTo, one.RcptHash)
		}
	}
	if m := r.ReportingMTA; m != nil && m.Type != "" {
		add("reporting-mta", m.Type+"; "+m.Name)
	} else if m != nil {
		add("reporting-mta", m.Name)
	}
	if r.Derived["source_ip"] == "" {
		add("source-ip", r.SourceIP)
	}
	add("authentication-results", r.AuthenticationResults...)
	add("reported-domain", r.ReportedDomain...)
	add("reported-uri", r.ReportedURI...)
	a := r.AuthFailure
	for name, v := range map[string]string{
		"auth-failure": a.AuthFailure, "delivery-result": a.DeliveryResult, "identity-alignment": a.IdentityAlignment,
		"dkim-domain": a.DKIMDomain, "dkim-identity": a.DKIMIdentity, "dkim-selector": a.DKIMSelector,
		"dkim-selector-dns": a.DKIMSelectorDNS, "dkim-adsp-dns": a.DKIMADSPDNS,
		"dkim-canonicalized-header": a.DKIMCanonicalizedHeader, "dkim-canonicalized-body": a.DKIMCanonicalizedBody,
	} {
		add(name, v)
	}
	add("spf-dns", a.SPFDNS...)
	add("arrival-date", r.ArrivalDateRaw)
	if r.SourcePort > 0 {
		add("source-port", strconv.Itoa(r.SourcePort))
	}
	if r.Incidents > 0 {
		add("incidents", strconv.Itoa(r.Incidents))
	}
	return got
}
