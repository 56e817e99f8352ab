package backend

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

func TestPath(t *testing.T) {
	for where, want := range map[string]string{
		"l.db": "l.db", "/var/a b%20.db": "/var/a b%20.db", "./a://l.db": "./a://l.db", "a:b": "a:b",
		"file:///var/l.db": "/var/l.db", "sqlite:///var/a%20b.db": "/var/a b.db", "file:/var/l.db": "/var/l.db", "sqlite:l.db": "l.db",
		"sqlite://l.db": "", "file:///var/l.db?mode=ro": "", "sqlite://u:secret@/l.db": "", "file:///%zz": "",
	} {
		got, err := Path(where)
		if got != want || (err == nil) == (want == "") || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %q, %v, want %q", where, got, err, want)
		}
	}
}

// All four functions open the same file, and know that there is none.
func TestFile(t *testing.T) {
	where := "sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "l.db"))
	if _, err := OpenReader(t.Context(), where); !errors.Is(err, ledger.ErrNone) {
		t.Errorf("OpenReader: %v", err)
	}
	if _, err := Edit(t.Context(), where); !errors.Is(err, ledger.ErrNone) {
		t.Errorf("Edit: %v", err)
	}
	l, err := Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if written, err := Written(t.Context(), where); !written || err != nil {
		t.Errorf("Written: %v, %v", written, err)
	}
	r, err := OpenReader(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
}

// Of any other URL nothing is made, and the error does not repeat it.
func TestNoURL(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{"postgres://fbl:secret@db.example.com/fbl", "postgresql://a", "x-y+z.1://a"} {
		_, err1 := Open(t.Context(), path)
		_, err2 := OpenReader(t.Context(), path)
		_, err3 := Edit(t.Context(), path)
		for _, err := range []error{err1, err2, err3} {
			if !errors.Is(err, ledger.ErrScheme) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	if made, err := os.ReadDir("."); err != nil || len(made) > 0 {
		t.Errorf("made %v, %v", made, err)
	}
	l, err := Open(t.Context(), "./a://l.db")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}
