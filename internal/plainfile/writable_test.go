package plainfile

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWritable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file:                                "",
		filepath.Join(dir, "new"):           "",
		filepath.Join(dir, "a", "b", "new"): "",
		dir:                                 dir + " is not a regular file; name one",
		filepath.Join(file, "new"):          "not a directory",
		filepath.Join(file, "below", "new"): "not a directory",
	} {
		err := Writable(path)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("it left %v behind (%v)", entries, err)
	}
	if os.Getuid() == 0 {
		return // root may write everywhere
	}
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	if err := Writable(filepath.Join(closed, "new")); err == nil || !strings.Contains(err.Error(), closed+": ") {
		t.Errorf("%v, want a mention of %s", err, closed)
	}
	if err := os.Chmod(file, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := Writable(file); err == nil || !os.IsPermission(err) && !strings.Contains(err.Error(), fs.ErrPermission.Error()) {
		t.Errorf("%v, want %v", err, fs.ErrPermission)
	}
}
