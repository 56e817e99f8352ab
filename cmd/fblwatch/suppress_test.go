package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/report"
)

// recordOf is a record of the n-th report, received at that hour and reported a
// minute before.
func recordOf(n int, of string, revision int, verdict report.Verdict, set func(*report.Record)) ledger.Record {
	at := time.Date(2026, 3, 1, n, 0, 0, 0, time.UTC)
	r := report.Record{
		Schema: 1, ID: fmt.Sprintf("r%d.%s", n, of), Revision: revision, Event: report.Complaint, Provider: "yahoo",
		ReceivedAt: at, ReportedAt: at.Add(-time.Minute), Suppress: &report.Suppress{Verdict: verdict},
	}
	set(&r)
	return ledger.Record{ID: r.ID, Revision: revision, At: at, JSON: r.AppendJSON(nil), Event: string(r.Event), Verdict: string(verdict)}
}

func rcpt(address string) func(*report.Record) {
	return func(r *report.Record) { r.OriginalRcptTo = address }
}

func token(tenant, subscriber, campaign string) func(*report.Record) {
	return func(r *report.Record) {
		r.Identity = &report.Identity{Status: "identified", Tenant: tenant, Subscriber: subscriber, Campaign: campaign}
	}
}

func TestSuppress(t *testing.T) {
	tests := []struct {
		name         string
		rows         []ledger.Record
		want, review string // lines without the head; review: those of --include review
	}{
		{"one line a person, whatever order the reports came in", []ledger.Record{
			recordOf(5, "1", 1, "yes", rcpt("A@example.com")), recordOf(3, "1", 1, "yes", rcpt("a@example.com")), recordOf(4, "1", 1, "yes", rcpt("b@example.com")),
		}, `
,A@example.com,,,,yahoo,yes,2026-03-01T02:59:00Z,2026-03-01T05:00:00Z,2,r5.1
,b@example.com,,,,yahoo,yes,2026-03-01T03:59:00Z,2026-03-01T04:00:00Z,1,r4.1`, ""},
		{"records of one report are one report", []ledger.Record{
			recordOf(1, "1", 1, "yes", rcpt("a@example.com")), recordOf(2, "1", 1, "yes", rcpt("a@example.com")), recordOf(1, "2", 1, "yes", rcpt("a@example.com")),
		}, `
,a@example.com,,,,yahoo,yes,2026-03-01T00:59:00Z,2026-03-01T02:00:00Z,2,r2.1`, ""},
		{"not spam lifts nothing", []ledger.Record{
			recordOf(1, "1", 1, "yes", rcpt("a@example.com")),
			recordOf(2, "1", 1, "no", func(r *report.Record) { r.Event, r.OriginalRcptTo = report.NotSpam, "a@example.com" }),
		}, `
,a@example.com,,,,yahoo,yes,2026-03-01T00:59:00Z,2026-03-01T01:00:00Z,1,r1.1`, ""},
		{"the latest revision decides", []ledger.Record{
			recordOf(1, "1", 1, "yes", rcpt("a@example.com")), recordOf(1, "1", 2, "no", rcpt("a@example.com")),
			recordOf(2, "1", 1, "review", rcpt("b@example.com")), recordOf(2, "1", 2, "yes", rcpt("b@example.com")),
			recordOf(3, "1", 1, "yes", rcpt("c@example.com")), recordOf(3, "1", 2, "no", rcpt("c@example.com")), recordOf(3, "1", 3, "yes", rcpt("c@example.com")),
		}, `
,c@example.com,,,,yahoo,yes,2026-03-01T02:59:00Z,2026-03-01T03:00:00Z,1,r3.1
,b@example.com,,,,yahoo,yes,2026-03-01T01:59:00Z,2026-03-01T02:00:00Z,1,r2.1`, ""},
		{"what was replaced does not count", []ledger.Record{
			recordOf(1, "1", 1, "yes", rcpt("a@example.com")),
			recordOf(1, "0", 1, "no", func(r *report.Record) { r.Event, r.Supersedes = report.Unparsed, []string{"r1.1"} }),
		}, "", ""},
		{"a subscriber is one of a tenant", []ledger.Record{
			recordOf(1, "1", 1, "yes", token("x", "17", "spring")), recordOf(2, "1", 1, "yes", token("y", "17", "")), recordOf(3, "1", 1, "yes", token("x", "17", "winback")),
		}, `
17,,,winback,x,yahoo,yes,2026-03-01T00:59:00Z,2026-03-01T03:00:00Z,2,r3.1
17,,,,y,yahoo,yes,2026-03-01T01:59:00Z,2026-03-01T02:00:00Z,1,r2.1`, ""},
		{"review says nothing about whom a yes names", []ledger.Record{
			recordOf(1, "1", 1, "yes", rcpt("a@example.com")), recordOf(2, "1", 1, "review", rcpt("a@example.com")),
			recordOf(3, "1", 1, "review", func(r *report.Record) { r.RcptHash = "f00@example.org" }),
		}, `
,a@example.com,,,,yahoo,yes,2026-03-01T00:59:00Z,2026-03-01T01:00:00Z,1,r1.1`, `
,,f00@example.org,,,yahoo,review,2026-03-01T02:59:00Z,2026-03-01T03:00:00Z,1,r3.1
,a@example.com,,,,yahoo,yes,2026-03-01T00:59:00Z,2026-03-01T01:00:00Z,1,r1.1`},
		{"formulas and escapes", []ledger.Record{
			recordOf(1, "1", 1, "yes", token("", "=1+1", "\x1b[2J")),
		}, `
'=1+1,,,` + "\uFFFD" + `[2J,,yahoo,yes,2026-03-01T00:59:00Z,2026-03-01T01:00:00Z,1,r1.1`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := ledgerOf(t, test.rows)
			if got := output(t, "suppress", "--ledger", path); got != strings.Join(suppressHead, ",")+test.want[:min(1, len(test.want))]+strings.TrimPrefix(test.want, "\n")+"\n" {
				t.Errorf("got\n%s\nwant%s", got, test.want)
			}
			if test.review == "" {
				return
			}
			if _, got, _ := strings.Cut(output(t, "suppress", "--include", "review", "--ledger", path), "\n"); got != test.review[1:]+"\n" {
				t.Errorf("with review got\n%s\nwant%s", got, test.review)
			}
		})
	}
}

// ledgerOf makes a ledger with these records, those of a report by one commit.
func ledgerOf(t *testing.T, rows []ledger.Record) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "l.db")
	l, err := backend.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	claim, err := l.Claim(t.Context(), ledger.Folder{Account: "a", Name: "INBOX"})
	if err != nil {
		t.Fatal(err)
	}
	batch := ledger.Batch{Checkpoint: ledger.Checkpoint{UIDValidity: 1, High: 1}}
	messages := make(map[string]int)
	var later []ledger.Revision
	for _, r := range rows {
		id, _, _ := strings.Cut(r.ID, ".")
		rec, err := process.ReadRecord(ledger.Row{Record: r})
		if err != nil {
			t.Fatal(err)
		}
		if r.Revision > 1 || rec.Supersedes != nil {
			later = append(later, ledger.Revision{ReportID: id, Records: []ledger.Record{r}, Replaced: rec.Supersedes})
			continue
		}
		at, known := messages[id]
		if !known {
			at = len(batch.Messages)
			messages[id] = at
			batch.Messages = append(batch.Messages, ledger.Message{ReportID: id, UIDValidity: 1, UID: uint32(at + 1), Kind: "report", At: r.At})
		}
		batch.Messages[at].Records = append(batch.Messages[at].Records, r)
	}
	if _, err := l.Commit(t.Context(), claim, batch); err != nil {
		t.Fatal(err)
	}
	if done, err := l.Revise(t.Context(), later); err != nil || len(done.Stale) > 0 {
		t.Fatal(done, err)
	}
	return path
}

// A record that names nobody is told of, and JSON turns no text round.
func TestSuppressJSON(t *testing.T) {
	path := ledgerOf(t, []ledger.Record{
		recordOf(1, "1", 1, "review", func(*report.Record) {}),
		recordOf(2, "1", 1, "yes", token("", "a\u202eb\u009b", "")),
	})
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"fblwatch", "suppress", "--include", "review", "--format", "json", "--ledger", path}, nil, &stdout, &stderr, env())
	want := `{"subscriber":"a\u202eb\u009b","provider":"yahoo","verdict":"yes","first_reported":"2026-03-01T01:59:00Z","last_received":"2026-03-01T02:00:00Z","reports":1,"id":"r2.1"}` + "\n"
	if code != exitDone || stdout.String() != want || stderr.String() != "left out: 1 record with verdict review and without a complainant\n" {
		t.Errorf("exit %d, stdout %q, stderr %q", code, &stdout, &stderr)
	}
}

// What a mail server reads has one plain address a line; what it cannot have is told.
func TestSuppressAddresses(t *testing.T) {
	path := ledgerOf(t, []ledger.Record{
		recordOf(1, "1", 1, "yes", rcpt("A.b@Example.com")), recordOf(2, "1", 1, "yes", rcpt("a.b@example.com")), recordOf(3, "1", 1, "yes", rcpt("c@example.com")),
		recordOf(4, "1", 1, "yes", token("x", "17", "")), recordOf(5, "1", 1, "yes", rcpt("\"a b\"@example.com")), recordOf(6, "1", 1, "yes", rcpt("#d@example.com")),
		recordOf(7, "1", 1, "review", rcpt("e@example.com")), recordOf(8, "1", 1, "yes", func(r *report.Record) { r.RcptHash = "f00@example.com" }),
	})
	const left = "left out: 1 complainant known by a subscriber's id only; --format json has them\n" +
		"left out: 1 complainant known by a hash only; --format json has them\n" +
		"left out: 2 complainants with an address that is not plain (quotes, blanks, wildcards, letters beyond ASCII); --format json has them\n"
	for format, want := range map[string]string{
		"list":    "c@example.com\na.b@example.com\n",
		"postfix": "c@example.com REJECT 5.7.1 the recipient has reported our messages as spam\na.b@example.com REJECT 5.7.1 the recipient has reported our messages as spam\n",
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), []string{"fblwatch", "suppress", "--format", format, "--ledger", path}, nil, &stdout, &stderr, env())
		if code != exitDone || stdout.String() != want || stderr.String() != left {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", format, code, &stdout, &stderr)
		}
	}
	empty := ledgerOf(t, nil)
	if got := output(t, "suppress", "--format", "list", "--ledger", empty); got != "" {
		t.Errorf("nobody is %q", got)
	}
}
