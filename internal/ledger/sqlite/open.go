package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

const (
	// busyWait is how many milliseconds a statement waits for a lock of
	// another program.
	busyWait = 10_000
	// pageSize, in octets. A record with its head takes about half a page.
	pageSize = 8192
	// cacheSize of the writer and readCache of each reader, in KiB. In memory a page
	// takes twice its size. Larger ones save no time.
	cacheSize = 2048
	readCache = 512
	// logPages is after how many pages the log is folded into the file: a page that
	// changes often is written there once.
	logPages = 4000
	// readers is how many connections read beside the writer.
	readers = 4
)

// store is the ledger on SQLite. One connection writes; its user holds turn.
type store struct {
	*reader
	lock  *lock
	db    *sql.DB
	conn  *sql.Conn
	turn  chan struct{}
	run   time.Time            // when it was opened
	stmts map[string]*sql.Stmt // of conn, by their text

	committed []func() // to be called after the commit

	numbers    map[label]int64 // of labels
	recent     recent
	recentMost int
	merge      merge
	heads      packer
	records    recordPacker

	closing sync.Once
	closed  chan struct{}
	result  error // of Close
}

var _ ledger.Ledger = (*store)(nil)

// Open opens the ledger at path for writing. It makes the file (mode 600) and its
// directory (mode 700) if there are none. The error is ErrLocked if another process
// writes the ledger, and ErrNewer if a newer version wrote it. While a ledger is open,
// no other code of the process may open its files: closing them would drop SQLite's
// locks.
func Open(ctx context.Context, path string) (ledger.Ledger, error) {
	s, err := open(ctx, path, 0)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// open is Open; maxPages bounds the file, so that a test can fill it; 0: no bound.
func open(ctx context.Context, path string, maxPages int) (*store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	if err := createDir(filepath.Dir(path)); err != nil {
		return nil, explain(path, err)
	}
	if err := untouched(ctx, path); err != nil {
		return nil, err
	}
	lock, err := takeLock(ctx, path)
	if err != nil {
		return nil, err
	}
	s := &store{lock: lock, run: time.Now().UTC(), turn: make(chan struct{}, 1), closed: make(chan struct{}), stmts: make(map[string]*sql.Stmt), numbers: make(map[label]int64), recentMost: recentMost}
	s.reader = &reader{path: path}
	if err := s.open(ctx, maxPages); err != nil {
		s.Close()
		return nil, explain(path, err)
	}
	return s, nil
}

// untouched returns an error if the file at path is a database of another program. It
// does not change the file, nor make a lock beside it. Other faults show when the file
// is opened for writing.
func untouched(ctx context.Context, path string) error {
	if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() || st.Size() == 0 {
		return nil
	}
	query := readQuery
	if atRest(path) {
		query += "&immutable=1" // else SQLite makes -wal and -shm
	}
	db, err := sql.Open("sqlite", dsn(path, query))
	if err != nil {
		return nil
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil
	}
	defer conn.Close()
	if _, err := version(ctx, conn, path); errors.Is(err, errForeign) {
		return err
	}
	return nil
}

func (s *store) open(ctx context.Context, maxPages int) (err error) {
	if err := create(s.path); err != nil {
		return err
	}
	s.db, err = sql.Open("sqlite", dsn(s.path, fmt.Sprintf("_pragma=busy_timeout(%d)", busyWait)))
	if err != nil {
		return err
	}
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return err
	}
	if _, err := version(ctx, s.conn, s.path); err != nil {
		return err
	}
	// In this order: the log fixes the size of a page.
	_, err = s.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA page_size = %d; PRAGMA journal_mode = wal; "+
		"PRAGMA synchronous = full; PRAGMA cache_size = -%d; PRAGMA wal_autocheckpoint = %d", pageSize, cacheSize, logPages))
	if err != nil {
		return err
	}
	if err := migrate(ctx, s.conn, s.path); err != nil {
		return err
	}
	if err := own(s.path, s.path+"-wal", s.path+"-shm"); err != nil {
		return err
	}
	// The claims of an earlier writer end here.
	if _, err := s.conn.ExecContext(ctx, "UPDATE folder SET token = NULL"); err != nil {
		return err
	}
	if maxPages > 0 {
		if _, err := s.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", maxPages)); err != nil {
			return err
		}
	}
	r, err := openReader(ctx, s.path, readQuery)
	if err == nil {
		s.reader = r
	}
	return err
}

// Close waits for the write that is under way and frees the ledger for another
// writer.
func (s *store) Close() error {
	s.closing.Do(func() {
		s.turn <- struct{}{} // for good
		close(s.closed)
		if s.reader.db != nil {
			s.result = s.reader.db.Close()
		}
		for _, stmt := range s.stmts {
			stmt.Close()
		}
		if s.conn != nil {
			s.conn.Close()
		}
		if s.db != nil {
			// The last connection folds the log into the file.
			s.result = errors.Join(s.result, s.db.Close())
		}
		s.result = explain(s.path, errors.Join(s.result, s.lock.release()))
	})
	return s.result
}

var readQuery = fmt.Sprintf("mode=ro&_pragma=busy_timeout(%d)&_pragma=cache_size(-%d)", busyWait, readCache)

// OpenReader opens the ledger at path for reading, with or without a writer beside it.
// The error is ErrNone if there is no ledger.
func OpenReader(ctx context.Context, path string) (ledger.Reader, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w at %s; sweep or watch makes it", ledger.ErrNone, path)
	case err != nil:
		return nil, explain(path, err)
	case !st.Mode().IsRegular():
		return nil, fmt.Errorf("ledger: %s is not a regular file; name a file", path)
	}
	r, err := openReader(ctx, path, readQuery)
	if err != nil && atRest(path) {
		// SQLite wants to make -wal and -shm and may not. There is no writer:
		// the file is complete.
		if still, err2 := openReader(ctx, path, readQuery+"&immutable=1"); err2 == nil {
			return still, nil
		}
	}
	if err != nil {
		return nil, explain(path, err)
	}
	return r, nil
}

// atRest reports whether the ledger has no log beside it.
func atRest(path string) bool {
	st, err := os.Stat(path + "-wal")
	return errors.Is(err, fs.ErrNotExist) || err == nil && st.Size() == 0
}

func openReader(ctx context.Context, path, query string) (*reader, error) {
	db, err := sql.Open("sqlite", dsn(path, query))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(readers)
	r := &reader{path: path, db: db}
	if err := r.known(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return r, nil
}

func (r *reader) known(ctx context.Context) error {
	conn, err := r.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	have, err := version(ctx, conn, r.path)
	if err == nil && have < len(migrations) {
		err = fmt.Errorf("ledger: %s has schema %d and wants %d; sweep or watch brings it up to date", r.path, have, len(migrations))
	}
	return err
}
