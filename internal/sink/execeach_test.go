package sink

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

// itemOf is an item of a record.
func itemOf(t *testing.T, r report.Record) delivery.Item {
	t.Helper()
	r.ID, r.Revision = "0a.1", 1
	text, err := json.Marshal(&r)
	if err != nil {
		t.Fatal(err)
	}
	row := ledger.Row{FolderID: 1, Seq: 1, Record: ledger.Record{ID: r.ID, Revision: r.Revision, JSON: text, Event: string(r.Event)}}
	if r.Identity != nil {
		row.Subscriber, row.Campaign = r.Identity.Subscriber, r.Identity.Campaign
	}
	return delivery.Item{Row: row}
}

// startEach opens the sink with a command of behave, run for each record.
func startEach(t *testing.T, args ...string) (*each, *fixture.Log) {
	t.Helper()
	log := &fixture.Log{}
	s, err := Open(Config{Name: "own", Type: TypeExec, Exec: ExecConfig{Each: true, Command: append([]string{os.Args[0], "command"}, args...)}}, Options{Log: log.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*each), log
}

// Values reach the program as whole arguments, whatever a shell would make of them, and
// none of them becomes an option.
func TestEachArguments(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	const hostile = "$(touch x) `id`; 'a' \"b\" | c > d\\ \n*"
	for name, test := range map[string]struct {
		args []string
		rcpt string
		want string // of the arguments; "": refused
	}{
		"whole":            {[]string{"-e", "{original_rcpt_to}"}, "user@example.com", `["-e" "user@example.com"]`},
		"in a text":        {[]string{"--email={original_rcpt_to}/{{{event}}}"}, "user@example.com", `["--email=user@example.com/{complaint}"]`},
		"shell":            {[]string{"{original_rcpt_to}"}, hostile, `["` + strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(hostile, `\`, `\\`), `"`, `\"`), "\n", `\n`) + `"]`},
		"option":           {[]string{"{original_rcpt_to}"}, "--delete-all", ""},
		"option's value":   {[]string{"-e", "{original_rcpt_to}"}, "-x@example.com", ""},
		"after options":    {[]string{"--", "{original_rcpt_to}"}, "--delete-all", `["--" "--delete-all"]`},
		"ends the options": {[]string{"{original_rcpt_to}"}, "--", ""},
		"not at the start": {[]string{"x{original_rcpt_to}"}, "-x", `["x-x"]`},
		"too long":         {[]string{"{original_rcpt_to}"}, strings.Repeat("x", argumentOctets+1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			os.Remove(path)
			s, _ := startEach(t, append([]string{"arguments", path}, test.args...)...)
			item := itemOf(t, report.Record{Event: report.Complaint, OriginalRcptTo: test.rcpt})
			done, err := s.Write(t.Context(), []delivery.Item{item})
			var refused delivery.Refusals
			switch {
			case test.want == "":
				if done != 1 || !errors.As(err, &refused) || refused[0] != (delivery.Refusal{First: 0, N: 1, Reason: refused[0].Reason}) {
					t.Errorf("%d, %v", done, err)
				}
				if _, err := os.Stat(path); err == nil {
					t.Error("it was run")
				}
			case err != nil:
				t.Error(err)
			default:
				if got := fixture.Read(t, path); got != test.want+" \"\"\n" {
					t.Errorf("it got %s, want %s", got, test.want)
				}
			}
		})
	}
}

// A record without a value that the command needs is skipped.
func TestEachTakes(t *testing.T) {
	s, _ := startEach(t, "good", "{original_rcpt_to}", "{subscriber}")
	for want, r := range map[string]report.Record{
		"no original_rcpt_to": {Identity: &report.Identity{Subscriber: "1"}},
		"no subscriber":       {OriginalRcptTo: "user@example.com"},
		"":                    {OriginalRcptTo: "user@example.com", Identity: &report.Identity{Subscriber: "1"}},
	} {
		item := itemOf(t, r)
		if got := s.Takes(&item); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Exit status 65 refuses the record, and the first line says why. Any other status is
// the program's own fault, and the last line says more.
func TestEachStatus(t *testing.T) {
	for status, want := range map[string]struct {
		refused bool
		text    string
	}{
		"0":  {false, ""},
		"65": {true, "exit status 65: no such user"},
		"1":  {false, "exit status 1: database is down"},
		"75": {false, "exit status 75: database is down"},
	} {
		s, log := startEach(t, "exits", status, "no such user", "database is down")
		done, err := s.Write(t.Context(), []delivery.Item{itemOf(t, report.Record{})})
		var refused delivery.Refusals
		if errors.As(err, &refused) != want.refused || (err == nil) != (want.text == "") || err != nil && !strings.HasSuffix(err.Error(), want.text) {
			t.Errorf("status %s: %v, want %+v", status, err, want)
		}
		if wantDone := map[bool]int{true: 1}[want.refused || want.text == ""]; done != wantDone {
			t.Errorf("status %s: %d done", status, done)
		}
		if strings.Contains(log.String(), "WARN") || !strings.Contains(log.String(), `level=INFO msg="command says: no such user"`) {
			t.Error(log)
		}
	}
}

// A program that does not end is killed, and the record waits.
func TestEachLimit(t *testing.T) {
	s, _ := startEach(t, "unread")
	s.limit = 50 * time.Millisecond
	done, err := s.Write(t.Context(), []delivery.Item{itemOf(t, report.Record{})})
	if done != 0 || err == nil || !strings.HasSuffix(err.Error(), "killed: it ran longer than 50ms") {
		t.Errorf("%d, %v", done, err)
	}
}
