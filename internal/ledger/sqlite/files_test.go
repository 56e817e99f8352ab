//go:build unix

package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return st.Mode().Perm()
}

// What a symbolic link leads to keeps its mode: it is somebody else's choice, or
// no ledger at all.
func TestLinksKeepTheirMode(t *testing.T) {
	for _, name := range []string{"l.db", "l.db.lock"} {
		for text, works := range map[string]bool{"": true, strings.Repeat("somebody's list of things\n", 100): false} {
			dir := t.TempDir()
			target := filepath.Join(dir, "target")
			if err := errors.Join(os.WriteFile(target, []byte(text), 0o600), os.Chmod(target, 0o644), os.Symlink("target", filepath.Join(dir, name))); err != nil {
				t.Fatal(err)
			}
			l, err := Open(t.Context(), filepath.Join(dir, "l.db"))
			if (err == nil) != works {
				t.Errorf("%s, %d octets: %v", name, len(text), err)
			}
			if err == nil {
				l.Close()
			}
			if mode := modeOf(t, target); mode != 0o644 {
				t.Errorf("%s, %d octets: the target has mode %04o, not 0644", name, len(text), mode)
			}
		}
	}
}

// A file that turns out to be no ledger keeps its mode, too.
func TestOthersKeepTheirMode(t *testing.T) {
	for _, name := range []string{"l.db", "l.db.lock"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte(strings.Repeat("somebody's list of things\n", 100)), 0o600), os.Chmod(path, 0o644)); err != nil {
			t.Fatal(err)
		}
		if l, err := Open(t.Context(), filepath.Join(dir, "l.db")); err == nil {
			l.Close()
			t.Errorf("%s: a text is taken for a ledger", name)
		}
		if mode := modeOf(t, path); mode != 0o644 {
			t.Errorf("%s: mode %04o, not 0644", name, mode)
		}
	}
}

// Opening a named pipe would wait for its writer.
func TestPipeIsNoLedger(t *testing.T) {
	for _, name := range []string{"l.db", "l.db.lock"} {
		dir := t.TempDir()
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), filepath.Join(dir, "l.db")); err == nil || !strings.Contains(err.Error(), name+" is not a regular file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
