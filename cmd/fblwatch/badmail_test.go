package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/report"
)

// badMails are messages that a reader may choke on, by what is wrong with them.
// Those that make a record say what its event is: what could not be searched is
// unparsed, so that somebody looks.
func badMessages() map[string]struct {
	message []byte
	event   report.Event // "": no record
} {
	good := sample.Report(900, 0)
	header, body, _ := bytes.Cut(good, []byte("\r\n\r\n"))
	rebuilt := func(header, body []byte) []byte {
		return append(append(bytes.Clone(header), "\r\n\r\n"...), body...)
	}
	nested := []byte("Subject: nested\r\nMIME-Version: 1.0\r\n")
	for i := range 10_000 {
		nested = fmt.Appendf(nested, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	last := bytes.LastIndex(good, []byte("\r\nContent-Type: message/rfc822"))
	huge := bytes.Repeat([]byte("This line makes the mail a large one, and says no more than that.\r\n"), 200<<20/67)
	return map[string]struct {
		message []byte
		event   report.Event
	}{
		"200 MB":              {rebuilt([]byte("From: a@example.com\r\nSubject: huge"), huge), ""},
		"10,000 nested parts": {nested, report.Unparsed},
		"10 MB header":        {rebuilt(append([]byte("X-Long: "+strings.Repeat("a", 10<<20)+"\r\n"), header...), body), report.Unparsed},
		"NUL bytes":           {rebuilt(header, bytes.Replace(body, []byte("abuse"), []byte("abuse\x00\x00"), 1)), report.Complaint},
		"only NUL bytes":      {make([]byte, 10_000), ""},
		"empty":               {nil, ""},
		"cut in the middle":   {good[:last+20], report.Complaint},
		"no line break":       {bytes.Repeat([]byte("x"), 1<<19), ""},
	}
}

// sortedKeys makes the order of a map's walk the same in every run.
func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// TestBadMessageInFolder sweeps a folder in which every bad message lies between good
// neighbours: none of them is lost.
func TestBadMessageInFolder(t *testing.T) {
	s := imaptest.New()
	defer s.Close()
	bad := badMessages()
	want := make(map[int]report.Event) // by UID
	uid := 0
	add := func(message []byte, event report.Event) {
		s.Append("INBOX", message)
		uid++
		if event != "" {
			want[uid] = event
		}
	}
	add(sample.Report(0, 0), report.Complaint)
	for i, name := range sortedKeys(bad) {
		add(bad[name].message, bad[name].event)
		add(sample.Report(i+1, 0), report.Complaint)
	}
	addr, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := fblwatch(t, map[string]string{"FBLWATCH_PASSWORD": "pass"},
		"sweep", "--json", "--url", "imap://user@"+addr+"/INBOX", "--ledger", filepath.Join(t.TempDir(), "fblwatch.db"))
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	check(t, stdout, want)
}

// TestBadMessageInMbox parses the same messages from an mbox that is cut in its last
// message.
func TestBadMessageInMbox(t *testing.T) {
	var mbox bytes.Buffer
	want := make(map[int]report.Event)
	n := 0
	add := func(message []byte, event report.Event) {
		mbox.WriteString("From fbl@example.com Mon Nov 23 19:00:00 2026\n")
		mbox.Write(message)
		mbox.WriteString("\n\n")
		n++
		if event != "" {
			want[n] = event
		}
	}
	bad := badMessages()
	for i, name := range sortedKeys(bad) {
		add(bad[name].message, bad[name].event)
		add(sample.Report(i, 0), report.Complaint)
	}
	file := filepath.Join(t.TempDir(), "bad.mbox")
	cut := mbox.Bytes()[:mbox.Len()-600] // in the original of the last report
	fixture.File(t, file, cut)
	stdout, stderr, code := fblwatch(t, nil, "parse", "--format", "json", file)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	check(t, stdout, want)
}

// check holds records, one a line, to the events wanted by UID.
func check(t *testing.T, stdout string, want map[int]report.Event) {
	t.Helper()
	got := make(map[int]report.Event)
	for line := range strings.Lines(stdout) {
		var r report.Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if had, ok := got[int(r.Mailbox.UID)]; ok {
			t.Errorf("two records of mail %d: %s, %s", r.Mailbox.UID, had, r.Event)
		}
		got[int(r.Mailbox.UID)] = r.Event
	}
	for uid := range max(len(got), len(want)) + 20 {
		if got[uid] != want[uid] {
			t.Errorf("mail %d: event %q, want %q", uid, got[uid], want[uid])
		}
	}
}

// fblwatch runs the program in this process.
func fblwatch(t *testing.T, vars map[string]string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	home := t.TempDir()
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"fblwatch"}, args...), strings.NewReader(""), &out, &errs, func(name string) (string, bool) {
		if name == "HOME" {
			return home, true
		}
		v, ok := vars[name]
		return v, ok
	})
	return out.String(), errs.String(), code
}
