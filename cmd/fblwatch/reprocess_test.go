package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
)

// TestReprocessNeedsConfig: without the config whose accounts a ledger has, its
// rules, trust and privacy would be missing, and every record be revised.
func TestReprocessNeedsConfig(t *testing.T) {
	for account, want := range map[string]int{"yahoo": exitUsage, "fbl@imap.example.com": exitDone} {
		dir := t.TempDir()
		path := filepath.Join(dir, "l.db")
		l, err := backend.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Claim(t.Context(), ledger.Folder{Account: account, Name: "INBOX"}); err != nil {
			t.Fatal(err)
		}
		l.Close()
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), []string{"fblwatch", "reprocess", "--ledger", path}, nil, &stdout, &stderr, env("HOME", dir))
		if code != want || strings.Contains(stderr.String(), "-c FILE") != (want == exitUsage) {
			t.Errorf("%s: exit %d\n%s%s", account, code, &stdout, &stderr)
		}
	}
}
