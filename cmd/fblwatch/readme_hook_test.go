package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/sink"
)

// python3 is the interpreter that the hooks of the documents want. Without one the
// test is skipped; with CI=true it fails.
func python3(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		missing := t.Skipf
		if os.Getenv("CI") == "true" {
			missing = t.Fatalf
		}
		missing("left out a hook in Python: %v; scripts/setup installs it", err)
	}
	return path
}

// The README's hook acts upon the verdict yes only, names somebody, and answers
// every record.
func TestReadmeHook(t *testing.T) {
	python := python3(t)
	hook := filepath.Join(t.TempDir(), "hook.py")
	fixture.File(t, hook, blocks(t, "python")[0])
	records := []string{
		`"event":"complaint","original_rcpt_to":"yes@example.com","suppress":{"verdict":"yes"}`,
		`"event":"complaint","original_rcpt_to":"no@example.com","suppress":{"verdict":"no"}`,
		`"event":"complaint","original_rcpt_to":"review@example.com","suppress":{"verdict":"review"}`,
		`"event":"not_spam","original_rcpt_to":"notspam@example.com","suppress":{"verdict":"no"}`,
		`"event":"unparsed"`, // nobody is named, and there is no verdict
		`"event":"complaint","identity":{"status":"identified","subscriber":"s-17"},"suppress":{"verdict":"yes"}`, // a token
		`"event":"complaint","rcpt_hash":"0a1b2c@example.com","suppress":{"verdict":"yes"}`,
		`"event":"complaint","complainant":"none","suppress":{"verdict":"yes"}`, // erased since
		`"event":"opt_out","original_rcpt_to":"optout@example.com","suppress":{"verdict":"yes"}`,
	}
	var rows []ledger.Row
	for i, record := range records {
		id := fmt.Sprintf("%032x.1", i)
		rows = append(rows, ledger.Row{FolderID: 1, Seq: int64(i + 1), Record: ledger.Record{ID: id, Revision: 1, JSON: fmt.Appendf(nil, `{"id":%q,%s}`, id, record)}})
	}
	var log bytes.Buffer
	command, err := sink.Open(sink.Config{Name: "own", Type: sink.TypeExec, Exec: sink.ExecConfig{Command: []string{python, hook}}}, sink.Options{Log: slog.New(slog.NewJSONHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := command.Write(t.Context(), delivery.Items(rows)); err != nil {
		t.Errorf("not every record was answered: %v", err)
	}
	if err := command.Close(); err != nil {
		t.Error(err)
	}
	var got []string
	for _, match := range regexp.MustCompile(`"msg":"[^"]*?(suppress[^"]*)"`).FindAllStringSubmatch(log.String(), -1) {
		got = append(got, match[1])
	}
	want := []string{"suppress yes@example.com", "suppress s-17", "suppress 0a1b2c@example.com", "suppress optout@example.com"}
	if !slices.Equal(got, want) {
		t.Errorf("it said %q, want %q\n%s", got, want, &log)
	}
}
