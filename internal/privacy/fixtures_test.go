package privacy_test

import (
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/report"
)

// recipients are the people whom a report is about, by the record as it would be
// without a filter and by the header of the reported message: whoever got that message.
func recipients(r *report.Report, records []report.Record) (all []string) {
	own := map[string]bool{}
	for _, rec := range records {
		all = append(all, rec.OriginalRcptTo)
		if rec.Reporter != nil {
			own[strings.ToLower(rec.Reporter.From)] = true
		}
		if rec.Original != nil {
			own[strings.ToLower(rec.Original.From)] = true
			all = append(all, rec.Original.To...)
		}
	}
	h := r.Header(report.FromOriginal)
	for _, name := range []string{"To", "Cc", "Bcc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Apparently-To", "X-HmXmrOriginalRecipient", "X-Forwarded-To", "X-Rcpt-To", "X-ListMember"} {
		for _, v := range h.Values(name) {
			all = append(all, plainAddress.FindAllString(v, -1)...)
		}
	}
	for _, v := range h.Values("Received") {
		if _, rcpt, found := strings.Cut(v, " for <"); found {
			rcpt, _, _ = strings.Cut(rcpt, ">")
			all = append(all, rcpt)
		}
	}
	for _, name := range []string{"Removal-Recipient", "Original-Recipient", "Final-Recipient", "Redacted-Address", "Reported-Recipient"} {
		for _, v := range r.Header(report.FromReport).Values(name) {
			all = append(all, plainAddress.FindAllString(v, -1)...)
		}
	}
	known := all
	all = nil
	for _, addr := range known {
		if a, err := mail.ParseAddress(addr); err == nil && !own[strings.ToLower(a.Address)] && !digestLocal.MatchString(a.Address) {
			all = append(all, a.Address)
		}
	}
	return all
}

var (
	plainAddress = regexp.MustCompile(`[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+@[A-Za-z0-9.-]+[A-Za-z0-9]`)
	hash64       = regexp.MustCompile(`[0-9a-f]{64}`)
	digestLocal  = regexp.MustCompile(`^([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})@`)
)

// TestFixtures: of no message of the reader's own tests a recipient is left, in no
// encoding, neither in a record nor in what is kept of the message; the identifiers
// and everything else that names nobody stay.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob("../../report/testdata/*.eml")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	people := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := report.Parse(b)
		plain := r.Records(report.Envelope{})
		if len(plain) == 0 {
			continue
		}
		whom := recipients(r, plain)
		people += len(whom)
		for _, addresses := range []string{"hash", "drop"} {
			t.Run(addresses+"/"+filepath.Base(file), func(t *testing.T) {
				f := filter(t, addresses, "keep")
				records := r.Records(report.Envelope{})
				f.Records(records)
				head := string(f.Head(b, r))
				shown := hash64.ReplaceAllString(head, "-") // which may end in somebody's name
				for i, rec := range records {
					line := hash64.ReplaceAllString(string(rec.AppendJSON(nil)), "-")
					for _, addr := range whom {
						if local, domain, _ := strings.Cut(addr, "@"); leaks(line, local, domain) {
							t.Errorf("%s in the record %s", addr, line)
						}
					}
					if rec.ReportID != plain[i].ReportID || rec.ID != plain[i].ID || rec.OriginalRcptTo != "" || rec.Event != plain[i].Event || rec.Provider != plain[i].Provider {
						t.Errorf("%s %s %q", rec.ID, rec.Event, rec.OriginalRcptTo)
					}
					if was := plain[i].Complainant; was == report.Named && rec.Complainant != map[string]report.Complainant{"hash": report.Hashed, "drop": report.NoOne}[addresses] {
						t.Errorf("named, and now %s", rec.Complainant)
					}
				}
				for _, addr := range whom {
					if local, domain, _ := strings.Cut(addr, "@"); leaks(shown, local, domain) {
						t.Errorf("%s in the head %s", addr, head)
					}
				}
				if len(whom) == 0 && head != string(b) {
					t.Errorf("nobody is in it, and it is changed: %s", cmp.Diff(string(b), head))
				}
				again := report.Parse([]byte(head))
				if again.Kind != r.Kind {
					t.Errorf("its head is read as %s, not as %s", again.Kind, r.Kind)
				}
			})
		}
	}
	if people < 60 {
		t.Errorf("only %d people in all fixtures", people)
	}
}

// TestFixtureSubjects: no reported subject is left where subjects are dropped.
func TestFixtureSubjects(t *testing.T) {
	files, err := filepath.Glob("../../report/testdata/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	subjects := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := report.Parse(b)
		records := r.Records(report.Envelope{})
		if len(records) == 0 || r.Original == nil || len(r.Original.Subject) < 8 {
			continue
		}
		subjects++
		f, subject := filter(t, "keep", "drop"), r.Original.Subject
		f.Records(records)
		head := string(f.Head(b, r))
		for i := range records {
			if line := string(records[i].AppendJSON(nil)); strings.Contains(line, subject) {
				t.Errorf("%s: %q in %s", filepath.Base(file), subject, line)
			}
		}
		if again := report.Parse([]byte(head)); strings.Contains(head, subject) ||
			again.Original != nil && again.Original.Subject != "" || strings.Contains(again.Outer.Subject, subject) {
			t.Errorf("%s: %q in %s", filepath.Base(file), subject, head)
		}
	}
	if subjects < 40 {
		t.Errorf("only %d subjects", subjects)
	}
}
