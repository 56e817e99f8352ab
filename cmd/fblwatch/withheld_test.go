package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/settings"
)

func TestCheckNamesWithheld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	l, err := backend.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	claim, err := l.Claim(t.Context(), ledger.Folder{Account: "yahoo", Name: "INBOX"})
	if err != nil {
		t.Fatal(err)
	}
	since := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	cp := ledger.Checkpoint{UIDValidity: 1, High: 9, Pending: []ledger.Pending{{UID: 3, Tries: 1}, {UID: 5, Withheld: since.Add(time.Hour)}, {UID: 7, Withheld: since}}}
	if _, err := l.Commit(t.Context(), claim, ledger.Batch{Checkpoint: cp}); err != nil {
		t.Fatal(err)
	}
	l.Close()
	var b strings.Builder
	(&trial{p: &program{stdout: &b}}).ledger(t.Context(), &settings.Config{Ledger: path})
	want := "WAITS   yahoo/INBOX: the server lists 2 messages but has returned nothing for them since 2026-11-30T09:00:00Z: UID 5, 7;"
	if !strings.Contains(b.String(), want) {
		t.Errorf("got\n%s\nwant %s", b.String(), want)
	}
}
