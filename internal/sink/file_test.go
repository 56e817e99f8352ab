package sink

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

func startFile(t *testing.T, path string) Sink {
	t.Helper()
	s, err := openFile(FileConfig{Path: path}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func write(t *testing.T, s Sink, rows []ledger.Row) {
	t.Helper()
	if err := hand(t.Context(), s, rows); err != nil {
		t.Fatal(err)
	}
}

func TestFileMode(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := filepath.Join(t.TempDir(), "a", "b")
	startFile(t, filepath.Join(dir, "r.ndjson"))
	for path, want := range map[string]fs.FileMode{dir: fs.ModeDir | 0o700, filepath.Join(dir, "r.ndjson"): 0o600} {
		if st, err := os.Stat(path); err != nil || st.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", path, st.Mode(), err, want)
		}
	}
}

// What a symbolic link leads to keeps its mode.
func TestFileLinkMode(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "r.ndjson")
	if err := errors.Join(os.WriteFile(target, nil, 0o600), os.Chmod(target, 0o640), os.Symlink("target", link)); err != nil {
		t.Fatal(err)
	}
	startFile(t, link)
	if st, err := os.Stat(target); err != nil || st.Mode() != 0o640 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
}

// A crash may have left the last line cut at any octet.
func TestFileTornLine(t *testing.T) {
	long := `{"id":"` + strings.Repeat("x", 200<<10) + `"}`
	whole := text(rows(1, 1, 2)...)
	for name, test := range map[string]struct{ before, after string }{
		"empty":          {"", ""},
		"whole":          {whole, whole},
		"one octet":      {whole + "{", whole},
		"all but LF":     {whole + `{"id":"1-3"}`, whole},
		"long":           {whole + long, whole},
		"long and whole": {whole + long + "\n", whole + long + "\n"},
		"first line":     {`{"id":`, ""},
		"long first":     {long, ""},
		"zeros":          {whole + strings.Repeat("\x00", 100<<10), whole},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "r")
			fixture.File(t, path, test.before)
			s := startFile(t, path)
			if got := fixture.Read(t, path); got != test.after {
				t.Errorf("cut to %d octets, want %d", len(got), len(test.after))
			}
			write(t, s, rows(1, 3, 1))
			if got := fixture.Read(t, path); got != test.after+text(rows(1, 3, 1)...) {
				t.Errorf("after a write: %d octets", len(got))
			}
		})
	}
}

func TestFileRefuses(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "photo")
	const content = "GIF89a without a newline"
	tail := filepath.Join(dir, "tail")
	if err := errors.Join(os.WriteFile(other, []byte(content), 0o600), os.WriteFile(tail, []byte("{}\nno record"), 0o600), os.WriteFile(filepath.Join(dir, "f"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		other:                             "does not begin with a record as JSON",
		tail:                              "does not end in a line of records",
		dir:                               "is not a regular file",
		filepath.Join(dir, "f", "r.json"): "not a directory",
	} {
		_, err := openFile(FileConfig{Path: path}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), path) != 1 && want != "not a directory" {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if got := fixture.Read(t, other); got != content {
		t.Errorf("a file of somebody else was cut: %q", got)
	}
}

func TestFileSecondWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	s := startFile(t, path)
	write(t, s, rows(1, 1, 1))
	if _, err := openFile(FileConfig{Path: path}, slog.New(slog.DiscardHandler)); !errors.Is(err, errLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	s.Close()
	startFile(t, path)
}

func TestFileRotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d", "r")
	s := startFile(t, path)
	write(t, s, rows(1, 1, 1))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write(t, s, rows(1, 2, 1))
	if got := fixture.Read(t, path+".1"); got != text(rows(1, 1, 1)...) {
		t.Errorf("renamed file: %q", got)
	}
	if got := fixture.Read(t, path); got != text(rows(1, 2, 1)...) {
		t.Errorf("new file: %q", got)
	}
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	write(t, s, rows(1, 3, 1))
	if got := fixture.Read(t, path); got != text(rows(1, 3, 1)...) {
		t.Errorf("after removal: %q", got)
	}
	if err := os.Truncate(path, 0); err != nil { // logrotate's copytruncate
		t.Fatal(err)
	}
	write(t, s, rows(1, 4, 1))
	if got := fixture.Read(t, path); got != text(rows(1, 4, 1)...) {
		t.Errorf("after copytruncate: %q", got)
	}
}

// A write that fails half way leaves no torn line, and the next one works.
func TestFileFailedWrite(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("RLIMIT_FSIZE with EFBIG is tried on Linux only")
	}
	path := filepath.Join(t.TempDir(), "r")
	s := startFile(t, path)
	write(t, s, rows(1, 1, 1))
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 100, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	err := hand(t.Context(), s, rows(1, 2, 100))
	if err2 := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err2 != nil {
		t.Fatal(err2)
	}
	if !errors.Is(err, syscall.EFBIG) || IsPermanent(err) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	if got := fixture.Read(t, path); got != text(rows(1, 1, 1)...) {
		t.Errorf("left %q", got)
	}
	write(t, s, rows(1, 2, 100))
	if got := fixture.Read(t, path); got != text(rows(1, 1, 101)...) {
		t.Errorf("wrote %d octets", len(got))
	}
}
