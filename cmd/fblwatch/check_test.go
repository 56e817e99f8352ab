package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// check says what share of each provider's complaints is identified, by the
// ledger's counts.
func TestCheckIdentified(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	l, err := ledger.Open(t.Context(), path, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	claim, err := l.Claim(t.Context(), ledger.Folder{Account: "a", Name: "INBOX"})
	if err != nil {
		t.Fatal(err)
	}
	var mails []ledger.Mail
	for i, r := range []ledger.Record{
		{Provider: "yahoo", Identity: "identified"}, {Provider: "yahoo", Identity: "identified"}, {Provider: "yahoo", Identity: "partial"},
		{Provider: "aol", Identity: "unknown"}, {Provider: "old", Identity: "identified", At: time.Now().AddDate(0, 0, -40)},
		{Provider: "dmarc"}, // names nobody, and need not
	} {
		id := string(rune('a' + i))
		r.ID, r.Revision, r.JSON, r.Event = id+".1", 1, []byte("{}"), "complaint"
		if r.At.IsZero() {
			r.At = time.Now().Add(-time.Hour)
		}
		mails = append(mails, ledger.Mail{ReportID: id, Kind: "report", Records: []ledger.Record{r}})
	}
	if _, err := l.Commit(t.Context(), claim, ledger.Batch{Mails: mails}); err != nil {
		t.Fatal(err)
	}
	l.Close()
	var b strings.Builder
	tr := trial{p: &program{stdout: &b}}
	tr.ledger(t.Context(), path)
	_, got, _ := strings.Cut(b.String(), "\n")
	if want := "ok      provider yahoo: 2 of 3 complaints of the last 30 days name a subscriber\n" +
		"ok      provider aol: 0 of 1 complaint of the last 30 days name a subscriber\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
