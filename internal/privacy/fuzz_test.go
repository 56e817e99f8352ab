package privacy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/report"
)

// FuzzFilter puts a recipient, in one of the forms, into any text: it is gone
// from record and head, the identifiers stay, and what was filtered once is not
// changed again.
func FuzzFilter(f *testing.F) {
	const local, domain = "mary.smith", "example.com"
	names := make([]string, 0, len(forms))
	for name := range forms {
		names = append(names, name)
	}
	slices.Sort(names)
	for i := range names {
		f.Add(uint8(i), "before: ", " :after")
	}
	f.Add(uint8(0), "Subject: =?utf-8?q?a?=\r\n =?utf-8?b?YQ==?=\r\n\r\n{\"subject\": \"x\"}", "=25=\r\n%")
	filters := []interface {
		Records([]report.Record, ...string)
		Head([]byte, *report.Report, ...string) []byte
	}{filter(f, "hash", "drop"), filter(f, "drop", "keep")}
	f.Fuzz(func(t *testing.T, form uint8, before, after string) {
		text := before + ": " + forms[names[int(form)%len(names)]](local, domain) + " :" + after
		r := &report.Report{OriginalRcptTo: []string{local + "@" + domain}}
		for _, filter := range filters {
			records := []report.Record{record(local, domain, text)}
			filter.Records(records)
			if records[0].ID != "0123.1" || records[0].ReportID != "0123" {
				t.Errorf("%s %s", records[0].ID, records[0].ReportID)
			}
			if line := string(records[0].AppendJSON(nil)); leaks(line, local, domain) {
				t.Errorf("%q: in %s", text, line)
			}
			head := filter.Head([]byte("To: x\r\n\r\n"+text), r)
			if leaks(string(head), local, domain) {
				t.Errorf("%q: in %q", text, head)
			}
			if !strings.HasPrefix(string(head), "To: x\r\n\r\n") {
				t.Errorf("%q is now %q", text, head)
			}
		}
	})
}
