package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/hook"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/subprocess"
)

// What failed is failing, with its age; what nobody writes any more is stale;
// what the config does not name is not told of.
func TestCheckStates(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	row := func(name, value string, age time.Duration) ledger.Status { // as an older version wrote it
		return ledger.ParseStatus(name, value, now.Add(-age))
	}
	config := &settings.Config{
		Accounts: []settings.Account{{Name: "a", Folders: []string{"FBL/*", "Old%"}}, {Name: "b"}, {Name: "c"}},
		Hooks:    hook.Config{Record: subprocess.Command{"/bin/true"}, Exists: subprocess.Command{"/bin/true"}},
	}
	states := ledger.DateStates([]ledger.Status{
		row("feed/yahoo cfl", `{"state":"3 complaints"}`, 0),
		row("hooks", `{"state":"failing","failing":"2026-03-02T11:30:00Z","err":"exists: /bin/false: exit status 1","done":9}`, 10*time.Second),
		row("quota/a", `{"state":"95% of STORAGE used"}`, time.Hour),
		row("session/a/FBL/one", `{"state":"watch","since":"2026-03-01T00:00:00Z"}`, 20*time.Second),
		row("session/a/FBL/two", `{"state":"dial","since":"2026-03-02T11:59:50Z","failing":"2026-03-02T09:00:00Z","err":"connection refused"}`, 10*time.Second),
		row("session/a/FBL/gone", `{"state":"backoff","err":"no such folder"}`, 3*24*time.Hour), // its neighbours are written
		row("session/a/INBOXX", `{"state":"backoff","err":"no such folder"}`, 10*time.Second),   // named once by mistake
		row("session/a/Oldest", `{"state":"backoff","err":"old row"}`, time.Minute),             // of a version without "failing"
		row("session/b/INBOX", `{"state":"watch","since":"2026-03-01T00:00:00Z"}`, 3*time.Hour),
		row("session/b/*", `{"state":"failed","failing":"2026-03-02T08:00:00Z","err":"login refused"}`, 3*time.Hour+time.Minute), // b's watch is newer
		row("session/c/*", `{"state":"failed","failing":"2026-03-02T11:00:00Z","err":"login refused"}`, time.Minute),
		row("session/d/INBOX", `{"state":"backoff","err":"an account of another config"}`, 0),
		row("sink/command", `{"state":"failing","failing":"2026-03-02T10:00:00Z","err":"no answer within 1m0s","record":"0a.1","waits":"2026-03-02T10:30:00Z"}`, 4*time.Hour),
		row("sink/file", `{"state":"failing","err":"disk full"}`, 0), // not in the config any more
		row("sink/stdout", `{"state":"ok","ended":true}`, 50*time.Hour),
	})
	var b strings.Builder
	tr := trial{p: &program{stdout: &b}}
	for _, s := range reported(states, config) {
		tr.state(s, now)
	}
	want := `FAILED  hooks: failing, as of 2026-03-02 11:59:50; failing for 30 minutes: exists: /bin/false: exit status 1
ok      session/a/FBL/one: watch, as of 2026-03-02 11:59:40
FAILED  session/a/FBL/two: dial, as of 2026-03-02 11:59:50; failing for 3 hours: connection refused
FAILED  session/a/Oldest: backoff, as of 2026-03-02 11:59:00: old row
stale   session/b/INBOX: watch, as of 2026-03-02 09:00:00, which is stale: nothing has written it for 3 hours
was     session/c/*: the last sweep failed at 2026-03-02 11:59:00, 1 minute ago: login refused
FAILED  sink/command: failing, as of 2026-03-02 08:00:00, which is stale: nothing has written it for 4 hours; failing for 2 hours; record 0a.1 waits since 2026-03-02 10:30:00, for 1 hour: no answer within 1m0s
        hint: the later records of its folder wait too; fblwatch records --id 0a.1 shows it
ok      sink/stdout: ok, as of 2026-02-28 10:00:00, 2 days ago
`
	if b.String() != want || tr.failed != 4 {
		t.Errorf("%d failed, got\n%s\nwant\n%s", tr.failed, &b, want)
	}
}

// Rows are written when they change, and the heartbeat of the last writer dates its
// own: what failed once and works again is not reported as failing, and what an
// earlier writer said is not about now.
func TestCheckStatesByBeat(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	config := &settings.Config{Accounts: []settings.Account{{Name: "a", Folders: []string{"*"}}, {Name: "b"}}, Hooks: hook.Config{Exists: subprocess.Command{"/bin/true"}}}
	hours := func(n int) time.Time { return now.Add(-time.Duration(n) * time.Hour) }
	row := func(name, value string, at, run time.Time) ledger.Status {
		s := ledger.ParseStatus(name, value, at)
		s.Run = run
		return s
	}
	check := func(what string, beat time.Time, unwritten bool, failed int, want string, rows ...ledger.Status) {
		t.Helper()
		writer := ledger.WriterStatus(hours(10))
		writer.At, writer.Beat, writer.Run = beat, beat, hours(10)
		var b strings.Builder
		tr := trial{p: &program{stdout: &b}, unwritten: unwritten}
		for _, s := range reported(ledger.DateStates(append(rows, writer)), config) {
			tr.state(s, now)
		}
		if b.String() != want || tr.failed != failed {
			t.Errorf("%s: %d failed, got\n%s\nwant\n%s", what, tr.failed, &b, want)
		}
	}
	run, before := hours(10), hours(20)
	alive := now.Add(-20 * time.Second)
	watching := row("session/a/INBOX", `{"state":"watch"}`, hours(9), run)
	check("an old row of a watch that lives", alive, false, 0, "ok      session/a/INBOX: watch, as of 2026-03-02 11:59:40\n", watching)
	check("a watch that was killed", hours(1), true, 0,
		"stale   session/a/INBOX: watch, as of 2026-03-02 11:00:00, which is stale: nothing has written it for 1 hour\n", watching)
	check("a watch that hangs", hours(1), false, 0,
		"stale   session/a/INBOX: watch, as of 2026-03-02 11:00:00, which is stale: nothing has written it for 1 hour\n", watching)
	check("what failed once and is read by a later writer", alive, false, 0, "ok      session/a/INBOX: watch, as of 2026-03-02 11:59:40\n",
		watching, row("session/a/*", `{"state":"failed","err":"login refused"}`, hours(15), before), row("session/a/Junk", `{"state":"backoff","err":"refused"}`, hours(15), before))
	check("a folder that is watched no more", alive, false, 0, "ok      session/a/INBOX: watch, as of 2026-03-02 11:59:40\n",
		watching, row("session/a/Gone", `{"state":"closed"}`, hours(8), run))
	check("a watch that has ended", hours(1), true, 0,
		"ok      session/a/INBOX: closed, as of 2026-03-02 11:00:00, 1 hour ago\nok      session/a/Junk: closed, as of 2026-03-02 11:00:00, 1 hour ago\n",
		row("session/a/INBOX", `{"state":"closed"}`, hours(1), run), row("session/a/Junk", `{"state":"closed"}`, hours(1), run))
	check("a failure that lasts", alive, false, 1, "FAILED  session/a/INBOX: dial, as of 2026-03-02 11:59:40; failing for 3 hours: refused\n",
		row("session/a/INBOX", `{"state":"dial","failing":"2026-03-02T09:00:00Z","err":"refused"}`, hours(3), run))
	check("what only an earlier writer knows", alive, false, 0,
		"stale   hooks: failing, as of 2026-03-01 21:00:00, which is stale: nothing has written it for 15 hours: exit status 1\n"+
			"stale   session/b/INBOX: backoff, as of 2026-03-01 21:00:00, which is stale: nothing has written it for 15 hours: refused\n",
		row("hooks", `{"state":"failing","err":"exit status 1"}`, hours(15), before),
		row("session/b/INBOX", `{"state":"backoff","err":"refused"}`, hours(15), before))
	check("a sink that no later writer has", alive, false, 1,
		"FAILED  sink/stdout: failing, as of 2026-03-01 21:00:00, which is stale: nothing has written it for 15 hours: no space left\n",
		row("sink/stdout", `{"state":"failing","err":"no space left"}`, hours(15), before))
	check("a new writer that has not come to it", alive, false, 0,
		"stale   hooks: failing, as of 2026-03-02 11:59:30, 30 seconds ago, and another fblwatch writes this ledger now: exit status 1\n",
		row("hooks", `{"state":"failing","err":"exit status 1"}`, now.Add(-30*time.Second), before))
}

// What a watch that was killed said is stale at once.
func TestCheckStatesUnwritten(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	var b strings.Builder
	tr := trial{p: &program{stdout: &b}, unwritten: true}
	for _, s := range ledger.DateStates([]ledger.Status{
		ledger.ParseStatus("session/a/INBOX", `{"state":"watch"}`, now.Add(-40*time.Second)),
		ledger.ParseStatus("session/a/Old", `{"state":"closed"}`, now.Add(-40*time.Second)),
		ledger.ParseStatus("sink/stdout", `{"state":"ok","ended":true}`, now),
	}) {
		tr.state(s, now)
	}
	want := `stale   session/a/INBOX: watch, as of 2026-03-02 11:59:20, 40 seconds ago, and no fblwatch writes this ledger
ok      session/a/Old: closed, as of 2026-03-02 11:59:20
ok      sink/stdout: ok, as of 2026-03-02 12:00:00
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &b, want)
	}
}

// A feed that is silent for more than three of its usual gaps is reported, by
// its own rhythm.
func TestSilentFeeds(t *testing.T) {
	hour := func(n int) time.Time { return time.Now().Add(-time.Duration(n) * time.Hour).Truncate(time.Hour) }
	daily := func(from, to int) (hours []time.Time) {
		for d := from; d >= to; d-- {
			hours = append(hours, hour(24*d))
		}
		return hours
	}
	var night, bursts, weekly []time.Time
	for h := 20 * 24; h > 0; h-- {
		if at := hour(h); at.Hour() >= 7 && at.Hour() < 22 {
			night = append(night, at) // hourly by day
		}
		if at := hour(h); h > 30 && at.Hour() < 3 {
			bursts = append(bursts, at)
		}
	}
	for d := 84; d > 7; d -= 7 {
		weekly = append(weekly, hour(24*d))
	}
	for _, test := range []struct {
		name   string
		hours  []time.Time
		silent bool
	}{
		{"daily, six days ago", daily(20, 6), true},
		{"daily, two days ago", daily(20, 2), false},
		{"daily, with a gap of a week, four days ago", append(daily(30, 20), daily(13, 4)...), true},
		{"daily, 40 days ago", daily(60, 40), true},
		{"three in all", daily(22, 20), false},
		{"by day only", night, false},
		{"by day only, four days ago", night[:len(night)-60], true},
		{"three hours each night", bursts, false},
		{"weekly, two weeks ago", weekly, false},
		{"weekly, five weeks ago", weekly[:len(weekly)-3], true},
	} {
		path := filepath.Join(t.TempDir(), "l.db")
		l, err := backend.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		claim, err := l.Claim(t.Context(), ledger.Folder{Account: "a", Name: "INBOX"})
		if err != nil {
			t.Fatal(err)
		}
		var messages []ledger.Message
		for i, at := range test.hours {
			id := string(rune('a'+i/26)) + string(rune('a'+i%26))
			messages = append(messages, ledger.Message{ReportID: id, Kind: "report", Records: []ledger.Record{
				{ID: id + ".1", Revision: 1, JSON: []byte("{}"), Event: "complaint", Provider: "yahoo", Feed: "cfl", Identity: "identified", At: at},
			}})
		}
		if _, err := l.Commit(t.Context(), claim, ledger.Batch{Messages: messages}); err != nil {
			t.Fatal(err)
		}
		l.Close()
		var b strings.Builder
		(&trial{p: &program{stdout: &b}}).ledger(t.Context(), &settings.Config{Ledger: path})
		if silent := strings.Contains(b.String(), "\nSILENT  feed yahoo cfl: "); silent != test.silent || silent == strings.Contains(b.String(), "ok      feed") {
			t.Errorf("%s: silent %v, want %v\n%s", test.name, silent, test.silent, &b)
		}
	}
}
