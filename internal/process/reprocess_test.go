package process

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/privacy"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

var came = time.Date(2026, 3, 2, 6, 5, 0, 0, time.UTC)

// shelf is a ledger with one message in it.
type shelf struct {
	t *testing.T
	l ledger.Ledger
	c ledger.Claim
}

// shelve puts a message into a ledger as g reads it; the ledger keeps its first
// most octets.
func shelve(t *testing.T, g Rules, message []byte, most int, doubts ...report.Reason) shelf {
	t.Helper()
	s := shelf{t: t, l: memory.New()}
	var err error
	if s.c, err = s.l.Claim(t.Context(), ledger.Folder{Account: "a", Name: "INBOX"}); err != nil {
		t.Fatal(err)
	}
	r := report.Parse(message)
	box := &report.Mailbox{Account: "a", Folder: "INBOX", UID: 3, UIDValidity: 9, Size: int64(len(message))}
	records, _ := g.Records(t.Context(), r, message, true, report.Envelope{ReceivedAt: came, ProcessedAt: came.Add(time.Second), Mailbox: box}, doubts...)
	plain := message[:min(most, len(message))]
	head := g.Head(plain, r)
	m := ledger.Message{ReportID: r.ID, UIDValidity: 9, UID: 3, Kind: string(r.Kind), At: came, Size: int64(len(message) - len(plain) + len(head)), Head: head}
	for i := range records {
		row := LedgerRecord(&records[i], records[i].AppendJSON(nil))
		g.Brake.Hold(&row, &records[i])
		m.Records = append(m.Records, row)
	}
	if _, err := s.l.Commit(t.Context(), s.c, ledger.Batch{Messages: []ledger.Message{m}}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s shelf) rows(replaced bool) (rows []ledger.Row) {
	s.t.Helper()
	for row, err := range s.l.Records(s.t.Context(), ledger.Query{Replaced: replaced}) {
		if err != nil {
			s.t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

func (s shelf) records() (records []report.Record) {
	s.t.Helper()
	for _, row := range s.rows(false) {
		var r report.Record
		if err := json.Unmarshal(row.JSON, &r); err != nil {
			s.t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

// again reads the message again as g has it and writes what is different.
func (s shelf) again(g Rules, doubts ...report.Reason) Outcome {
	s.t.Helper()
	outcome := Outcome("no message is kept")
	for kept, err := range s.l.KeptMessages(s.t.Context(), time.Time{}) {
		if err != nil {
			s.t.Fatal(err)
		}
		var revision ledger.Revision
		revision, outcome, err = g.Reprocess(s.t.Context(), kept, s.rows(true), came.Add(time.Hour), doubts...)
		if err != nil {
			s.t.Fatal(err)
		}
		if outcome != Revises {
			continue
		}
		if done, err := s.l.Revise(s.t.Context(), []ledger.Revision{revision}); err != nil || len(done.Stale) > 0 {
			s.t.Fatalf("revise: %+v, %v", done, err)
		}
	}
	return outcome
}

func identifier(t testing.TB, c identify.Config) *identify.Identifier {
	t.Helper()
	id, err := identify.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// trusting is a config that trusts the reports of sample.Signed.
func trusting() trust.Config {
	return trust.Config{
		Own: trust.Own{Domains: []string{"example.com"}}, DKIM: new(false),
		AuthservIDs: []string{"mx.example.com"}, Reporters: []string{"fbl.example.net"},
	}
}

func checker(t *testing.T, c trust.Config) *trust.Checker {
	t.Helper()
	trust, err := trust.New(c, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

func filter(t *testing.T, addresses, subject string) *privacy.Filter {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, bytes.Repeat([]byte("k"), 32), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := privacy.New(privacy.Config{Addresses: addresses, Subject: subject, KeyFile: key})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestReprocessSame: by the same rules nothing is different, whatever the
// dialect, and although people were taken out of what is kept.
func TestReprocessSame(t *testing.T) {
	paths, err := filepath.Glob("../../report/testdata/*.eml")
	if err != nil || len(paths) < 50 {
		t.Fatalf("%d fixtures, %v", len(paths), err)
	}
	trust := checker(t, trust.Config{Own: trust.Own{Domains: []string{"example.com"}}, DKIM: new(false), AuthservIDs: []string{"mx.example.com"}})
	readings := map[string]Rules{
		"plain": {}, "identified": {Identify: identifier(t, identify.Config{})},
		"hashed":  {Identify: identifier(t, identify.Config{}), Trust: trust, Privacy: filter(t, "hash", "keep")},
		"dropped": {Identify: identifier(t, identify.Config{}), Trust: trust, Privacy: filter(t, "drop", "drop")},
		"private": {Privacy: filter(t, "keep", "drop")},
	}
	for _, path := range paths {
		message, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		doubt := report.Reason{Code: "some", Text: "some doubt"}
		for name, g := range readings {
			s := shelve(t, g, message, len(message), doubt)
			if got := s.again(g, doubt); got != Same {
				t.Errorf("%s %s: %s\n%s", filepath.Base(path), name, got, s.changes())
			}
		}
	}
}

// TestReprocessUncoded: of records that a version without codes wrote, and in other
// words, nothing is different either.
func TestReprocessUncoded(t *testing.T) {
	code, reason := regexp.MustCompile(`"codes?":(\[[^]]*\]|"[^"]*"),`), regexp.MustCompile(`("trusted":false,"reason":")`)
	message := sample.Report(1, 0)
	signed := append([]byte("DKIM-Signature: v=1; d=fbl.example.net; s=s; h=From; bh=AA==; b=AA==\r\n"), message...)
	hashed := regexp.MustCompile(`Original-Rcpt-To: .*\r\n`).ReplaceAll(message, nil)
	trust := checker(t, trust.Config{Own: trust.Own{Domains: []string{"example.com"}}, DKIM: new(false), AuthservIDs: []string{"mx.example.com"}})
	for name, message := range map[string][]byte{"unsigned": message, "signed": signed, "of nobody": hashed, "not spam": bytes.Replace(message, []byte("Feedback-Type: abuse"), []byte("Feedback-Type: not-spam"), 1)} {
		for _, g := range []Rules{{}, {Trust: trust}, {Trust: trust, Privacy: filter(t, "drop", "drop")}} {
			s := shelve(t, g, message, len(message), Doubts(came, came.AddDate(1, 0, 0), time.Hour)...)
			rows := s.rows(true)
			for i := range rows {
				old := reason.ReplaceAll(code.ReplaceAll(rows[i].JSON, nil), []byte("${1}as it was put once: "))
				if bytes.Equal(old, rows[i].JSON) || bytes.Contains(old, []byte(`"code`)) {
					t.Fatalf("%s: %s", name, old)
				}
				rows[i].JSON = old
			}
			for kept, err := range s.l.KeptMessages(t.Context(), time.Time{}) {
				if err != nil {
					t.Fatal(err)
				}
				if _, outcome, err := g.Reprocess(t.Context(), kept, rows, came.Add(time.Hour), Doubts(came, came.AddDate(1, 0, 0), time.Hour)...); err != nil || outcome != Same {
					t.Errorf("%s: %s, %v", name, outcome, err)
				}
			}
		}
	}
}

// changes shows what is different in each revised record.
func (s shelf) changes() string {
	s.t.Helper()
	var out strings.Builder
	first := make(map[string]map[string]any)
	for _, row := range s.rows(true) {
		var r map[string]any
		if err := json.Unmarshal(row.JSON, &r); err != nil {
			s.t.Fatal(err)
		}
		if had := first[row.ID]; had != nil {
			delete(r, "processed_at")
			delete(had, "processed_at")
			out.WriteString(cmp.Diff(had, r))
		}
		first[row.ID] = r
	}
	return out.String()
}

// What the next rules find makes the next revision, once.
func TestReprocessIdentifies(t *testing.T) {
	message := sample.Signed(1)
	message = regexp.MustCompile("(?m)^Original-Rcpt-To: .*\r\n").ReplaceAll(message, nil)
	whom := trusting()
	g := Rules{Trust: checker(t, whom)}
	s := shelve(t, g, message, len(message))
	if r := s.records()[0]; r.Suppress.Verdict != report.SuppressReview || !r.Reporter.Trusted {
		t.Fatalf("verdict %+v, reporter %+v", *r.Suppress, *r.Reporter)
	}

	g.Identify = identifier(t, identify.Config{Presets: "none", Rules: []identify.Rule{{From: "mailfrom", Match: `\+(?P<subscriber>\d+)@`}}})
	if got := s.again(g); got != Revises {
		t.Fatal(got)
	}
	r := s.records()[0]
	if r.Revision != 2 || r.Identity.Subscriber != "1" || r.Complainant != report.Token || r.Suppress.Verdict != report.SuppressYes || !r.ProcessedAt.Equal(came.Add(time.Hour)) {
		t.Errorf("revision %d, identity %+v, complainant %s, verdict %+v, processed %v", r.Revision, *r.Identity, r.Complainant, *r.Suppress, r.ProcessedAt)
	}
	if got := s.again(g); got != Same {
		t.Errorf("once more: %s", got)
	}

	// The word of today counts on whom to believe, over what was found then.
	whom.Reporters, whom.AuthservIDs = nil, []string{"mx.example.org"}
	g.Trust = checker(t, whom)
	if s.again(g); s.records()[0].Suppress.Verdict != report.SuppressReview || s.records()[0].Reporter.Auth != "pass" {
		t.Errorf("a reporter no longer listed: %+v", *s.records()[0].Suppress)
	}
	if s.again(g, report.Reason{Code: report.CodeHistory, Text: "old"}); len(s.records()[0].Suppress.Reasons) != 2 {
		t.Errorf("with a doubt: %+v", *s.records()[0].Suppress)
	}
}

// Where people were taken out of the head that is kept, they and what follows
// from knowing them stand.
func TestReprocessPrivate(t *testing.T) {
	message := sample.Signed(1)
	whom := trusting()
	rule := identify.Config{Presets: "none", Rules: []identify.Rule{{From: "original:Feedback-ID", Match: `^(?P<campaign>[a-z]+)-`}}}
	for _, addresses := range []string{"hash", "drop"} {
		g := Rules{Trust: checker(t, whom), Privacy: filter(t, addresses, "drop")}
		s := shelve(t, g, message, len(message))
		was := s.records()[0]
		if was.Suppress.Verdict != report.SuppressYes {
			t.Fatalf("%s: verdict %+v", addresses, *was.Suppress)
		}
		g.Identify = identifier(t, rule)
		if got := s.again(g); got != Revises {
			t.Fatalf("%s: %s", addresses, got)
		}
		r := s.records()[0]
		if r.Identity.Campaign != "digest" || r.Suppress.Verdict != report.SuppressYes || r.Complainant != was.Complainant ||
			r.RcptHash != was.RcptHash || r.Fingerprint != was.Fingerprint || r.OriginalRcptTo != "" {
			t.Errorf("%s: %s", addresses, s.rows(false)[0].JSON)
		}
		if got := s.again(g); got != Same {
			t.Errorf("%s once more: %s", addresses, got)
		}
	}
}

// A record in place of an unparsed one names it; a reading that shows less
// changes nothing.
func TestReprocessSupersedes(t *testing.T) {
	whole := sample.Report(1, 0)
	s := shelve(t, Rules{}, whole, len(whole))
	row := s.rows(false)[0]
	id := strings.TrimSuffix(row.ID, ".1")
	old := report.Record{Schema: 1, ID: id + ".0", Revision: 1, ReportID: id, Event: report.Unparsed, Suppress: &report.Suppress{Verdict: "no"}}
	if done, err := s.l.Revise(t.Context(), []ledger.Revision{{ReportID: id, Kind: "unparsed", Replaced: []string{row.ID}, Records: []ledger.Record{LedgerRecord(&old, old.AppendJSON(nil))}}}); err != nil || len(done.Stale) > 0 {
		t.Fatal(done, err)
	}
	if got := s.again(Rules{}); got != Revises {
		t.Fatal(got)
	}
	r := s.records()
	if len(r) != 1 || r[0].ID != row.ID || r[0].Revision != 2 || len(r[0].Supersedes) != 1 || r[0].Supersedes[0] != old.ID {
		t.Errorf("records %+v", r)
	}
	if got := s.again(Rules{}); got != Same {
		t.Errorf("once more: %s", got)
	}

	for name, test := range map[string]struct {
		kept []byte
		size int64
		want Outcome
	}{
		"the start only":            {whole[:600], int64(len(whole)), Short},
		"cut for good":              {whole[:bytes.Index(whole, []byte("Feedback-Type"))], int64(bytes.Index(whole, []byte("Feedback-Type"))), Worse},
		"a letter, as it seems now": {[]byte("From: a@example.com\r\n\r\nHello\r\n"), 30, Worse},
	} {
		kept := ledger.KeptMessage{Message: ledger.Message{ReportID: id, Kind: "report", At: came, Size: test.size, Head: test.kept}, Made: 1}
		if _, got, err := (Rules{}).Reprocess(t.Context(), kept, s.rows(true), came); got != test.want || err != nil {
			t.Errorf("%s: %s, %v, want %s", name, got, err, test.want)
		}
	}
	kept := ledger.KeptMessage{Message: ledger.Message{ReportID: id, Kind: "report", At: came, Size: int64(len(whole)), Head: whole}, Made: 1}
	if _, got, err := (Rules{}).Reprocess(t.Context(), kept, nil, came); got != Pruned || err != nil {
		t.Errorf("without records: %s, %v", got, err)
	}
}

// A message that was none of ours and is one today makes its records now.
func TestReprocessOther(t *testing.T) {
	message := sample.Report(1, 0)
	r := report.Parse(message)
	s := shelf{t: t, l: memory.New()}
	s.c, _ = s.l.Claim(t.Context(), ledger.Folder{Account: "a", Name: "INBOX"})
	m := ledger.Message{ReportID: r.ID, Kind: "other", At: came, Size: int64(len(message)), Head: message}
	if _, err := s.l.Commit(t.Context(), s.c, ledger.Batch{Messages: []ledger.Message{m}}); err != nil {
		t.Fatal(err)
	}
	if got := s.again(Rules{}); got != Revises {
		t.Fatal(got)
	}
	if r := s.records(); len(r) != 1 || r[0].Revision != 1 || r[0].OriginalRcptTo != "user1@example.com" || !r[0].ReceivedAt.Equal(came) {
		t.Errorf("records %+v", r)
	}
	if counts, err := s.l.MessageCounts(t.Context()); err != nil || len(counts) != 1 || counts[0].Kind != "report" {
		t.Errorf("counts %+v, %v", counts, err)
	}
	// And not once more when they are kept no longer.
	if err := s.l.Prune(t.Context(), time.Time{}, came.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := s.again(Rules{}); got != Pruned {
		t.Errorf("pruned: %s", got)
	}
}

func TestDoubts(t *testing.T) {
	const day = 24 * time.Hour
	contact := came
	for _, test := range []struct {
		age   time.Duration
		since time.Duration
		known bool
		want  int
	}{
		{31 * day, 30 * day, true, 1}, {29 * day, 30 * day, true, 0}, {-day, 30 * day, true, 0},
		{31 * day, 0, true, 0}, {31 * day, 30 * day, false, 0},
	} {
		at := time.Time{}
		if test.known {
			at = contact
		}
		if got := Doubts(contact.Add(-test.age), at, test.since); len(got) != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}
