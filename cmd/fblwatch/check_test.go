package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/internal/settings"
)

// check says when each feed gave its last complaint, and what share of them is
// identified, by the ledger's counts.
func TestCheckIdentified(t *testing.T) {
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
	for i, r := range []ledger.Record{
		{Provider: "yahoo", Feed: "cfl", Identity: "identified"}, {Provider: "yahoo", Feed: "cfl", Identity: "identified"}, {Provider: "yahoo", Feed: "cfl", Identity: "partial"},
		{Provider: "aol", Feed: "scomp", Identity: "unknown", At: time.Now().AddDate(0, 0, -3)}, {Provider: "old", Identity: "identified", At: time.Now().AddDate(0, 0, -40)},
		{Provider: "dmarc"}, // names nobody, and need not
	} {
		id := string(rune('a' + i))
		r.ID, r.Revision, r.JSON, r.Event = id+".1", 1, []byte("{}"), "complaint"
		if r.At.IsZero() {
			r.At = time.Now().Add(-time.Minute)
		}
		messages = append(messages, ledger.Message{ReportID: id, Kind: "report", Records: []ledger.Record{r}})
	}
	if _, err := l.Commit(t.Context(), claim, ledger.Batch{Messages: messages}); err != nil {
		t.Fatal(err)
	}
	l.Close()
	var b strings.Builder
	tr := trial{p: &program{stdout: &b}}
	tr.ledger(t.Context(), &settings.Config{Ledger: path})
	_, got, _ := strings.Cut(b.String(), "\n")
	if want := "ok      feed yahoo cfl: 3 complaints in 30 days, the last within two hours; 66% name a subscriber\n" +
		"ok      feed aol scomp: 1 complaint in 30 days, the last 3 days ago; 0% name a subscriber\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A mailbox that is nearly full is told of: reports would bounce.
func TestCheckQuota(t *testing.T) {
	d := realserver.Dovecot(t, realserver.Quotas)
	for _, test := range []struct {
		messages int
		code     int
		want     string
	}{
		{100, exitDone, "ok      fbl@127.0.0.1: quota of message: 100 of 1000 used (10%)\n"},
		{800, exitFailed, "FAILED  fbl@127.0.0.1: quota of message: 900 of 1000 used (90%)\n        hint: reports bounce from a full mailbox"},
	} {
		for n := range test.messages {
			d.Append("INBOX", sample.Report(n, 400))
		}
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), []string{"fblwatch", "check", "--url", "imap://" + d.User() + "@" + d.PlainAddr(), "--ledger", filepath.Join(t.TempDir(), "l.db")},
			nil, &stdout, &stderr, env("FBLWATCH_PASSWORD", d.Password(), "HOME", t.TempDir()))
		if code != test.code || !strings.Contains(stdout.String(), test.want) || !strings.Contains(stdout.String(), "quota: ") {
			t.Errorf("exit %d, want %d and %q in\n%s%s", code, test.code, test.want, &stdout, &stderr)
		}
	}
}

// A folder for junk that a pattern reads is nobody's loss.
func TestCheckJunk(t *testing.T) {
	server := imaptest.New()
	defer server.Close()
	addr, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	server.AddMailbox("FBL/Junk", `\Junk`)
	server.Append("FBL/Junk", sample.Report(1, 400))
	dir := t.TempDir()
	for folders, want := range map[string]int{"INBOX": exitFailed, "FBL/*": exitDone} {
		config := filepath.Join(dir, "c.yaml")
		text := "ledger: " + filepath.Join(dir, "l.db") + "\naccounts:\n  - {name: a, url: 'imap://user@" + addr + "', password: pass, folders: ['" + folders + "']}\n"
		fixture.File(t, config, text)
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), []string{"fblwatch", "check", "-c", config}, nil, &stdout, &stderr, env("HOME", dir))
		if told := strings.Contains(stdout.String(), "1 of the newest 1 message in FBL/Junk are feedback reports"); code != want || told != (want == exitFailed) {
			t.Errorf("%s: exit %d\n%s%s", folders, code, &stdout, &stderr)
		}
	}
}

// check says beforehand which after-actions the server will refuse, and sweep says
// so afterwards, each with exit code 1.
func TestAfterRefused(t *testing.T) {
	opened := func(text string) func(imaptest.Step) imaptest.Action {
		return func(at imaptest.Step) imaptest.Action {
			switch {
			case at.Command != "SELECT":
			case strings.HasPrefix(text, "OK") && at.Part == imaptest.Tagged:
				return imaptest.Action{Do: imaptest.Answer, Text: text}
			case strings.HasPrefix(text, "*") && strings.Contains(at.Text, "PERMANENTFLAGS"):
				return imaptest.Action{Do: imaptest.Drop, Before: text + "\r\n"}
			}
			return imaptest.Action{}
		}
	}
	for _, test := range []struct {
		name, after string
		caps        []string
		hook        func(imaptest.Step) imaptest.Action
		check       string // what check says
		sweep       string // what sweep says; empty: nothing is refused
	}{
		{"nothing is refused", "{report: delete, other: seen}", []string{"UIDPLUS"}, nil, "ok      a: folder INBOX: 2 messages", ""},
		{"read-only", "{report: seen}", nil, opened("OK [READ-ONLY] opened"), `FAILED  a: after: folder "INBOX": imapclient: the mailbox is read-only`, "the mailbox is read-only"},
		{"no UIDPLUS", "{report: delete}", nil, nil, "FAILED  a: after: imapclient: the server does not offer UIDPLUS", "does not offer UIDPLUS"},
		{"no MOVE", "{report: move Done}", nil, nil, "FAILED  a: after: imapclient: the server does not offer MOVE", "does not offer MOVE"},
		{"the flag is not kept", "{report: flag $Done}", nil, opened(`* OK [PERMANENTFLAGS (\Seen \Deleted)] kept`), `FAILED  a: after: folder "INBOX": flag $Done: imapclient: the mailbox does not keep this flag: $Done`, "does not keep this flag"},
		{"nothing can be deleted", "{report: delete}", []string{"UIDPLUS"}, opened(`* OK [PERMANENTFLAGS (\Seen)] kept`), `FAILED  a: after: folder "INBOX": delete: imapclient: the mailbox does not keep this flag: \Deleted`, "does not keep this flag"},
		{"nothing can be moved by a copy", "{report: move Done}", []string{"UIDPLUS"}, opened(`* OK [PERMANENTFLAGS ()] none`), `FAILED  a: after: folder "INBOX": move Done: imapclient: the mailbox does not keep`, "does not keep this flag"},
		{"the target is missing", "{report: move New}", []string{"MOVE"}, nil, "ok      a: after: folder New does not exist yet: the first move creates it", ""},
		{"the target is a mere name", "{report: move Names}", []string{"MOVE"}, nil, `FAILED  a: after: folder "INBOX": move Names: folder "Names" takes no messages, as it is listed by \Noselect`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := imaptest.New()
			defer s.Close()
			s.AddMailbox("Done")
			s.AddMailbox("Names", `\Noselect`)
			s.Caps, s.Hook = append(s.Caps, test.caps...), test.hook
			for n := range 2 {
				s.Append("INBOX", sample.Report(n, 0))
			}
			addr, err := s.Listen()
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			config := filepath.Join(dir, "config.yaml")
			text := "ledger: " + filepath.Join(dir, "l.db") + "\naccounts:\n  - {name: a, url: 'imap://user@" + addr + "', password: pass, after: " + test.after + "}\n"
			fixture.File(t, config, text)
			command := func(name string) (int, string) {
				var stdout, stderr bytes.Buffer
				code := run(t.Context(), []string{"fblwatch", name, "-c", config}, nil, &stdout, &stderr, env("HOME", dir))
				return code, stdout.String() + stderr.String()
			}
			want := exitDone
			if strings.HasPrefix(test.check, "FAILED") {
				want = exitFailed
			}
			if code, out := command("check"); code != want || strings.Count(out, test.check) != 1 {
				t.Errorf("check: exit %d, want %d and %q once in\n%s", code, want, test.check, out)
			}
			if n := len(s.UIDs("INBOX")); n != 2 || len(s.UIDs("New")) != 0 {
				t.Errorf("behind check INBOX has %d messages", n)
			}
			if test.sweep == "" && want == exitFailed {
				return // imaptest copies to it all the same
			}
			want = exitDone
			if test.sweep != "" {
				want = exitFailed
			}
			if code, out := command("sweep"); code != want || !strings.Contains(out, test.sweep) || want == exitFailed && !strings.Contains(out, "hint: ") {
				t.Errorf("sweep: exit %d, want %d and %q with a hint in\n%s", code, want, test.sweep, out)
			}
		})
	}
}

// check fails for a ledger and a file of a sink that watch could not create.
func TestCheckUnwritable(t *testing.T) {
	dir := t.TempDir()
	file := fixture.File(t, filepath.Join(dir, "file"), "x\n")
	for text, want := range map[string]string{
		"ledger: " + filepath.Join(file, "l.db"):                                                "FAILED  ledger: ",
		"ledger: " + dir + "/l.db\nsinks: [{name: out, type: file, path: " + dir + "}]":         "FAILED  sinks.out: " + dir + " is not a regular file; name one",
		"ledger: " + dir + "/l.db\nsinks: [{name: out, type: file, path: " + file + "/r.json}]": "FAILED  sinks.out: ",
		"ledger: " + dir + "/l.db\nrecords: {file: " + dir + "}":                                "FAILED  sinks.file: ",
	} {
		config := fixture.File(t, filepath.Join(dir, "c.yaml"), text+"\naccounts: [{name: a, url: 'imap://u@127.0.0.1:1/INBOX', password: x}]\n")
		stdout, stderr, code := fblwatch(t, nil, "check", "-c", config)
		if code != 1 || !strings.Contains(stdout, want) {
			t.Errorf("%s: exit code %d\n%s%s", text, code, stdout, stderr)
		}
	}
}
