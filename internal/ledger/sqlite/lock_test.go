package sqlite

import (
	"path/filepath"
	"testing"
)

func TestWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	tell := func(when string, want bool) {
		t.Helper()
		if got, err := Written(t.Context(), path); err != nil || got != want {
			t.Errorf("%s: %v, %v", when, got, err)
		}
	}
	tell("before", false)
	l, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	tell("while it is open", true)
	if other, err := Open(t.Context(), path); err == nil {
		other.Close()
		t.Error("Written let the lock go")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	tell("behind its end", false)
	again, err := Open(t.Context(), path)
	if err != nil {
		t.Fatalf("Written left something behind: %v", err)
	}
	again.Close()
}
