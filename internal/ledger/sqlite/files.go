package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// dsn names a database file to the driver.
func dsn(path, query string) string {
	u := url.URL{Scheme: "file", Path: path, RawQuery: query}
	return u.String()
}

// create makes an empty file of mode 600 if there is none, whatever the umask is. It
// never opens an existing file: closing it would drop the locks that SQLite holds on
// it in this process (POSIX record locks).
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return errors.Join(f.Chmod(0o600), f.Close())
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	st, err := os.Stat(path)
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("ledger: %s is not a regular file; name a file", path)
	}
	return err
}

// own takes the files of a ledger from all other users. It leaves the target of a
// symbolic link: its mode was chosen by a person.
func own(paths ...string) error {
	for _, path := range paths {
		st, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && st.Mode().IsRegular() && st.Mode().Perm()&0o077 != 0 {
			err = os.Chmod(path, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// createDir makes a directory of mode 700 if there is none.
func createDir(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}

// explain adds to err what to do about it.
func explain(path string, err error) error {
	var se *sqlite.Error
	var pe *fs.PathError
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, ledger.ErrClaimLost), errors.Is(err, ledger.ErrLocked), errors.Is(err, ledger.ErrNewer):
		return err
	case noSpace(err):
		return full(path, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return readOnly(path, err)
	case errors.As(err, &pe):
		return fmt.Errorf("ledger: %s: %w", path, err)
	case !errors.As(err, &se):
		return err
	}
	switch se.Code() & 0xff {
	case lib.SQLITE_FULL:
		return full(path, err)
	case lib.SQLITE_IOERR:
		// SQLite knows ENOSPC of some calls only, and no quota.
		if noSpace(probe(filepath.Dir(path))) {
			return full(path, err)
		}
		return fmt.Errorf("ledger: %s: %w; look at the disk's health (dmesg)", path, err)
	case lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
		return readOnly(path, err)
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return fmt.Errorf("ledger: %s is damaged or no ledger: %w; "+
			"put a backup in its place, or move it away together with its -wal and -shm and start anew", path, err)
	case lib.SQLITE_BUSY:
		return fmt.Errorf("ledger: %s is held by another program: %w; end that program's transaction", path, err)
	}
	return fmt.Errorf("ledger: %s: %w", path, err)
}

func full(path string, err error) error {
	return fmt.Errorf("%w: %s: %w; make room or raise the quota, then run again", ledger.ErrFull, path, err)
}

func readOnly(path string, err error) error {
	return fmt.Errorf("ledger: %s cannot be opened: %w; give user %d access to the file and its directory, "+
		"or name another ledger", path, err, os.Getuid())
}

func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// probe returns an error if dir does not take a few pages.
func probe(dir string) error {
	f, err := os.CreateTemp(dir, ".fblwatch-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, 64<<10))
	return errors.Join(err, f.Sync(), f.Close())
}
