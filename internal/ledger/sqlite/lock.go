package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// lock is the right to write a ledger: a transaction held on FILE.lock, itself
// SQLite, whose last committed row is the holder's process id. The kernel frees
// it with the process, however that one ends.
type lock struct {
	db   *sql.DB
	conn *sql.Conn
}

// takeLock refuses with ErrLocked after lockWait milliseconds.
const lockWait = 500

func takeLock(ctx context.Context, file string) (*lock, error) {
	path := file + ".lock"
	if err := create(path); err != nil {
		return nil, explain(path, err)
	}
	db, err := sql.Open("sqlite", dsn(path, fmt.Sprintf("_pragma=busy_timeout(%d)", lockWait)))
	if err != nil {
		return nil, explain(path, err)
	}
	l := &lock{db: db}
	if l.conn, err = db.Conn(ctx); err == nil {
		err = l.take(ctx, file)
	}
	if err == nil {
		err = own(path)
	}
	if err != nil {
		l.release()
		return nil, explain(path, err)
	}
	return l, nil
}

func (l *lock) take(ctx context.Context, file string) error {
	if _, err := l.conn.ExecContext(ctx,
		`CREATE TABLE IF NOT EXISTS writer (id INTEGER PRIMARY KEY CHECK (id = 1), pid INTEGER NOT NULL) STRICT`); err != nil {
		return l.refused(ctx, file, err)
	}
	// What the row says matters no longer than the lock: no fsync.
	if _, err := l.conn.ExecContext(ctx, "PRAGMA synchronous = off"); err != nil {
		return err
	}
	// Another process may come between the commit of the row and the hold: hold only a
	// row that names this process.
	for {
		if _, err := l.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			return l.refused(ctx, file, err)
		}
		if pid, err := l.pid(ctx); err != nil || pid == os.Getpid() {
			return err
		}
		if _, err := l.conn.ExecContext(ctx, "INSERT OR REPLACE INTO writer VALUES (1, ?)", os.Getpid()); err != nil {
			return err
		}
		if _, err := l.conn.ExecContext(ctx, "COMMIT"); err != nil {
			return err
		}
	}
}

func (l *lock) pid(ctx context.Context) (pid int, err error) {
	err = l.conn.QueryRowContext(ctx, "SELECT coalesce(max(pid), 0) FROM writer").Scan(&pid)
	return pid, err
}

func (l *lock) refused(ctx context.Context, file string, err error) error {
	var se *sqlite.Error
	if !errors.As(err, &se) || se.Code()&0xff != lib.SQLITE_BUSY {
		return err
	}
	pid, err := l.pid(ctx)
	if err != nil {
		return fmt.Errorf("%w: %s (its process id cannot be read: %w)", ledger.ErrLocked, file, err)
	}
	return fmt.Errorf("%w: process %d writes %s; end it first, or name another ledger", ledger.ErrLocked, pid, file)
}

// Written reports whether a process writes the ledger at path now. An error means
// that this is unknown.
func Written(ctx context.Context, path string) (bool, error) {
	path, err := filepath.Abs(path + ".lock")
	if err != nil {
		return false, fmt.Errorf("ledger: %w", err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	db, err := sql.Open("sqlite", dsn(path, "mode=rw&_pragma=busy_timeout(0)"))
	if err != nil {
		return false, explain(path, err)
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "BEGIN IMMEDIATE; ROLLBACK")
	var se *sqlite.Error
	if errors.As(err, &se) && se.Code()&0xff == lib.SQLITE_BUSY {
		return true, nil
	}
	if err != nil {
		return false, explain(path, err)
	}
	return false, nil
}

func (l *lock) release() error {
	var err error
	if l.conn != nil {
		err = l.conn.Close()
	}
	return errors.Join(err, l.db.Close())
}
