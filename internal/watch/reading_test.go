package watch

import (
	"testing"

	"github.com/fblwatch/fblwatch/internal/authentic"
	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/report"
)

// TestReading: the verdict is yes only for a report that our own server found
// genuine, of a known reporter, about our mail.
func TestReading(t *testing.T) {
	signed := append([]byte("Authentication-Results: mx.example.com; dkim=pass header.d=fbl.example.net\r\n"), sample.Report(1, 0)...)
	whom := authentic.Config{
		Own:         authentic.Own{Domains: []string{"example.com"}},
		AuthservIDs: []string{"mx.example.com"},
		Reporters:   []string{"fbl.example.net"},
	}
	foreign, stranger := whom, whom
	foreign.Own = authentic.Own{Domains: []string{"example.org"}}
	stranger.Reporters = nil
	for name, test := range map[string]struct {
		mail    []byte
		trust   authentic.Config
		verdict string
	}{
		"genuine and ours":   {signed, whom, report.SuppressYes},
		"about foreign mail": {signed, foreign, report.SuppressReview},
		"unknown reporter":   {signed, stranger, report.SuppressReview},
		"not signed":         {sample.Report(1, 0), whom, report.SuppressReview},
		"nobody is believed": {signed, authentic.Config{}, report.SuppressReview},
	} {
		t.Run(name, func(t *testing.T) {
			trust, err := authentic.New(test.trust, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			identifier, err := identify.New(identify.Config{})
			if err != nil {
				t.Fatal(err)
			}
			g := Reading{Identify: identifier, Trust: trust}
			r := report.Parse(test.mail, int64(len(test.mail)))
			records, needsWhole := g.Records(t.Context(), r, test.mail, true, report.Envelope{})
			if needsWhole || len(records) != 1 {
				t.Fatalf("%d records, needsWhole %v", len(records), needsWhole)
			}
			rec := records[0]
			if rec.Suppress.Verdict != test.verdict {
				t.Errorf("verdict %s (%v), want %s; reporter %+v", rec.Suppress.Verdict, rec.Suppress.Reasons, test.verdict, *rec.Reporter)
			}
			if rec.Identity.Campaign != "digest-000" { // of the Feedback-ID
				t.Errorf("identity %+v", *rec.Identity)
			}
		})
	}
}
