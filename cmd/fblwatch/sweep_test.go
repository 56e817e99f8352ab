package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// TestDryRunActs: a dry run leaves the mailbox alone: what it reads is in no
// ledger, so a message that it deleted would be lost.
func TestDryRunActs(t *testing.T) {
	server := imaptest.New()
	defer server.Close()
	server.Caps = append(server.Caps, "UIDPLUS", "MOVE")
	addr, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		server.Append("INBOX", sample.Report(i, 300))
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	text := fmt.Sprintf("ledger: %s\naccounts:\n  - name: a\n    url: imap://user@%s/INBOX\n    password: pass\n    after: {report: delete, other: seen}\n", filepath.Join(dir, "l.db"), addr)
	fixture.File(t, config, text)
	sweep := func(flags ...string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		args := append([]string{"fblwatch", "sweep", "-c", config}, flags...)
		if code := run(t.Context(), args, nil, &stdout, &stderr, env("HOME", dir)); code != exitDone || bytes.Count(stdout.Bytes(), []byte("\n")) != 3 {
			t.Fatalf("exit %d\n%s%s", code, &stdout, &stderr)
		}
	}
	sweep("--dry-run")
	if got := server.UIDs("INBOX"); !slices.Equal(got, []uint32{1, 2, 3}) {
		t.Fatalf("after a dry run INBOX has %d", got)
	}
	sweep()
	if got := server.UIDs("INBOX"); len(got) != 0 {
		t.Errorf("after a sweep INBOX has %d", got)
	}
}
