package sqlite

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/ledgertest"
)

// The README's backup, VACUUM INTO beside a running watch, is a whole ledger that
// can be written on. A copy of the .db alone is none: what is new stands in the -wal.
func TestBackup(t *testing.T) {
	dir := t.TempDir()
	path, backup, copied := filepath.Join(dir, "l.db"), filepath.Join(dir, "backup.db"), filepath.Join(dir, "copied.db")
	l := openTest(t, path)
	defer l.Close()
	ledgertest.Commit(t, l, ledgertest.Claim(t, l, ledgertest.Inbox), ledgertest.Message("a", 2), ledgertest.Message("b", 1))
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("VACUUM INTO ?", backup); err != nil {
		t.Fatal(err)
	}
	plain, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, plain, 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := OpenReader(t.Context(), copied); err == nil {
		n := 0
		for range r.Records(t.Context(), ledger.Query{}) {
			n++
		}
		if n == 3 {
			t.Error("a copy of the .db alone holds all: the README need not warn")
		}
		r.Close()
	}
	restored := openTest(t, backup)
	defer restored.Close()
	if got := len(ledgertest.Rows(t, restored.Records(t.Context(), ledger.Query{}))); got != 3 {
		t.Errorf("the backup holds %d records, want 3", got)
	}
	if done := ledgertest.Commit(t, restored, ledgertest.Claim(t, restored, ledgertest.Inbox), ledgertest.Message("b", 1), ledgertest.Message("c", 1)); done.Messages != 1 || done.Duplicates != 1 {
		t.Errorf("%+v", done)
	}
}
