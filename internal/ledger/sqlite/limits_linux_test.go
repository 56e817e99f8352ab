package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/ledgertest"
)

// unprivileged makes the rest of the test obey file modes where it runs as
// root: file access of this thread is another user's.
func unprivileged(t *testing.T) {
	if os.Getuid() != 0 {
		return
	}
	runtime.LockOSThread()
	if err := syscall.Setfsuid(65534); err != nil {
		t.Fatalf("file access as another user: %v", err)
	}
	t.Cleanup(func() {
		syscall.Setfsuid(0)
		runtime.UnlockOSThread()
	})
}

// readable lets any user read, down from the test's directory, and nobody write.
func readable(t *testing.T, dir string) {
	t.Helper()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if st, err := os.Stat(d); err == nil {
			os.Chmod(d, st.Mode().Perm()|0o055)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		os.Chmod(filepath.Join(dir, f.Name()), 0o444)
	}
	os.Chmod(dir, 0o555)
	t.Cleanup(func() { os.Chmod(dir, 0o700) })
}

func TestReadOnlyDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ro")
	path := filepath.Join(dir, "l.db")
	l := openTest(t, path)
	ledgertest.Commit(t, l, ledgertest.Claim(t, l, ledgertest.Inbox), ledgertest.Message("a", 1))
	l.Close()
	readable(t, dir)
	unprivileged(t)

	_, err := Open(context.Background(), path)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "access to the file and its directory") {
		t.Errorf("Open: %v", err)
	}
	_, err = Open(context.Background(), filepath.Join(dir, "sub", "l.db"))
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Open in a new directory: %v", err)
	}
	r, err := OpenReader(context.Background(), path)
	if err != nil {
		t.Fatalf("OpenReader: %v", err)
	}
	defer r.Close()
	ledgertest.Want(t, "records", ledgertest.Places(ledgertest.Rows(t, r.Records(context.Background(), ledger.Query{}))), "INBOX/1=a.1")
}

func TestReadOnlyFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	path := filepath.Join(dir, "l.db")
	l := openTest(t, path)
	l.Close()
	readable(t, dir)
	os.Chmod(dir, 0o777)
	os.Chmod(path+".lock", 0o600)
	if os.Getuid() == 0 {
		os.Chown(path+".lock", 65534, -1)
	}
	unprivileged(t)
	_, err := Open(context.Background(), path)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "access to the file and its directory") {
		t.Errorf("Open: %v", err)
	}
}

// A quota, or a limit on the size of files, is no SQLITE_FULL: the disk is asked.
func TestFullWithoutTheWord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	l := openTest(t, path)
	defer l.Close()
	c := ledgertest.Claim(t, l, ledgertest.Inbox)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 16 << 10, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	_, err := l.Commit(t.Context(), c, ledger.Batch{Messages: []ledger.Message{ledgertest.Message("a", 1)}})
	if err2 := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err2 != nil {
		t.Fatal(err2)
	}
	if !errors.Is(err, ledger.ErrFull) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	ledgertest.Nothing(t, l, c)
	ledgertest.Commit(t, l, c, ledgertest.Message("a", 1))
}
