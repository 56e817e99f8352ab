package ledger

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
)

// The README's backup, VACUUM INTO beside a running watch, is a whole ledger that
// can be written on. A copy of the .db alone is none: what is new stands in the -wal.
func TestBackup(t *testing.T) {
	dir := t.TempDir()
	path, backup, copied := filepath.Join(dir, "l.db"), filepath.Join(dir, "backup.db"), filepath.Join(dir, "copied.db")
	l := openTest(t, path, Options{})
	defer l.Close()
	commit(t, l, claim(t, l, inbox), message("a", 2), message("b", 1))
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
		for range r.Records(t.Context(), Query{}) {
			n++
		}
		if n == 3 {
			t.Error("a copy of the .db alone holds all: the README need not warn")
		}
		r.Close()
	}
	restored := openTest(t, backup, Options{})
	defer restored.Close()
	if got := len(collect(t, restored.Records(t.Context(), Query{}))); got != 3 {
		t.Errorf("the backup holds %d records, want 3", got)
	}
	if done := commit(t, restored, claim(t, restored, inbox), message("b", 1), message("c", 1)); done.Messages != 1 || done.Duplicates != 1 {
		t.Errorf("%+v", done)
	}
}
