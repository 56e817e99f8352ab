package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/ledgertest"
)

func TestModes(t *testing.T) {
	old := syscall.Umask(0o277) // takes even the owner's right to write
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "new")
	path := filepath.Join(dir, "l.db")
	l := openTest(t, path)
	ledgertest.Commit(t, l, ledgertest.Claim(t, l, ledgertest.Inbox), ledgertest.Message("a", 1))
	check := func() {
		t.Helper()
		for name, want := range map[string]fs.FileMode{"": 0o700 | fs.ModeDir, "l.db": 0o600, "l.db-wal": 0o600, "l.db-shm": 0o600, "l.db.lock": 0o600} {
			st, err := os.Stat(filepath.Join(dir, name))
			if err != nil || st.Mode() != want {
				t.Errorf("%q: mode %v, %v, want %v", name, st.Mode(), err, want)
			}
		}
	}
	check()
	l.Close()
	// A file that came back from a backup with other modes.
	if err := errors.Join(os.Chmod(path, 0o644), os.Chmod(path+".lock", 0o666)); err != nil {
		t.Fatal(err)
	}
	l = openTest(t, path)
	defer l.Close()
	ledgertest.Commit(t, l, ledgertest.Claim(t, l, ledgertest.Inbox), ledgertest.Message("b", 1))
	check()
}

func TestPragmas(t *testing.T) {
	l := openTest(t, filepath.Join(t.TempDir(), "a b?c#d%20.db")).(*store)
	defer l.Close()
	if _, err := os.Stat(l.path); err != nil {
		t.Error(err)
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "page_size": fmt.Sprint(pageSize),
		"user_version": fmt.Sprint(len(migrations)), "busy_timeout": fmt.Sprint(busyWait)} {
		var got string
		if err := l.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %s, %v, want %s", pragma, got, err, want)
		}
	}
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	l := openTest(t, path)
	old := ledgertest.Claim(t, l, ledgertest.Inbox)
	cp := ledger.Checkpoint{UIDValidity: 4, High: 9, Pending: []ledger.Pending{{UID: 8, Tries: 1}, {UID: 9, Tries: 1}}}
	if _, err := l.Commit(t.Context(), old, ledger.Batch{Messages: []ledger.Message{ledgertest.Message("a", 1)}, Checkpoint: cp}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := l.Claim(t.Context(), ledgertest.Inbox); err == nil {
		t.Error("claim after Close: no error")
	}
	if _, err := l.Folders(t.Context()); err == nil {
		t.Error("folders after Close: no error")
	}
	l = openTest(t, path)
	defer l.Close()
	if _, err := l.Commit(t.Context(), old, ledger.Batch{}); !errors.Is(err, ledger.ErrClaimLost) {
		t.Errorf("a claim outlived its ledger: %v", err)
	}
	c := ledgertest.Claim(t, l, ledgertest.Inbox)
	ledgertest.Diff(t, "checkpoint", c.Checkpoint, cp)
	if done := ledgertest.Commit(t, l, c, ledgertest.Message("a", 1), ledgertest.Message("b", 1)); done.Duplicates != 1 || done.Rows[0].Seq != 2 {
		t.Errorf("%+v", done)
	}
}

func TestOneWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	l := openTest(t, path)
	_, err := Open(t.Context(), path)
	if !errors.Is(err, ledger.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d writes %s", os.Getpid(), path)) {
		t.Errorf("second writer: %v", err)
	}
	// Being refused must not free the lock.
	if _, err := Open(t.Context(), path); !errors.Is(err, ledger.ErrLocked) {
		t.Errorf("third writer: %v", err)
	}
	ledgertest.Commit(t, l, ledgertest.Claim(t, l, ledgertest.Inbox), ledgertest.Message("a", 1))
	l.Close()
	l = openTest(t, path)
	l.Close()
}

// TestForeign: a database of another program stays as it is, in either journal
// mode, and gets no file beside it.
func TestForeign(t *testing.T) {
	for _, mode := range []string{"delete", "wal"} {
		t.Run(mode, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "places.sqlite")
			db, err := sql.Open("sqlite", dsn(path, ""))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec("PRAGMA journal_mode = " + mode + "; CREATE TABLE bookmarks (url TEXT)"); err != nil {
				t.Fatal(err)
			}
			db.Close()
			was, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "database of another program") {
				t.Errorf("Open: %v", err)
			}
			is, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(is, was) {
				t.Errorf("the file changed: %v", err)
			}
			if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
				t.Errorf("files beside it: %v, %v", files, err)
			}
		})
	}
}

func TestBadFiles(t *testing.T) {
	ctx := context.Background()
	written := func(t *testing.T, path string) {
		l := openTest(t, path)
		c := ledgertest.Claim(t, l, ledgertest.Inbox)
		for i := range 200 {
			ledgertest.Commit(t, l, c, ledgertest.Message(fmt.Sprint(i), 1))
		}
		l.Close()
	}
	script := func(t *testing.T, path, script string) {
		db, err := sql.Open("sqlite", dsn(path, ""))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(script); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name string
		make func(t *testing.T, path string)
		want string // in the error beside the path
		is   error
	}{
		{"newer", func(t *testing.T, path string) {
			written(t, path)
			script(t, path, "PRAGMA user_version = 4711")
		}, fmt.Sprintf("has schema 4711, this fblwatch knows %d; update fblwatch", len(migrations)), ledger.ErrNewer},
		{"foreign", func(t *testing.T, path string) { script(t, path, "CREATE TABLE bookmarks (url TEXT)") },
			"another program", nil},
		{"text", func(t *testing.T, path string) {
			os.WriteFile(path, []byte(strings.Repeat("From a@example.com\n", 999)), 0o600)
		},
			"is damaged or no ledger", nil},
		{"directory", func(t *testing.T, path string) { os.Mkdir(path, 0o700) }, "is not a regular file", nil},
		{"torn", func(t *testing.T, path string) {
			written(t, path)
			os.Truncate(path, 2*pageSize)
		}, "is damaged or no ledger", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "l.db")
			test.make(t, path)
			check := func(what string, err error) {
				t.Helper()
				if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) ||
					test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("%s: %v", what, err)
				}
			}
			l, err := Open(ctx, path)
			if err == nil {
				_, err = l.Claim(ctx, ledgertest.Inbox)
				l.Close()
			}
			check("Open", err)
			r, err := OpenReader(ctx, path)
			if err == nil {
				_, err = r.Folders(ctx)
				r.Close()
			}
			check("OpenReader", err)
		})
	}
}

func TestDirectoryIsAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(file, "l.db")
	if _, err := Open(t.Context(), path); !errors.Is(err, syscall.ENOTDIR) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
}

func TestFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	l := openFull(t, path, 60)
	c := ledgertest.Claim(t, l, ledgertest.Inbox)
	var err error
	n := 0
	for ; err == nil && n < 100; n++ {
		var messages []ledger.Message
		for j := range 10 {
			m := ledgertest.Message(fmt.Sprintf("%d-%d", n, j), 1)
			m.Records[0].JSON = fmt.Appendf(nil, `{"text":"%x"}`, noise(m.ReportID, 1000))
			messages = append(messages, m)
		}
		_, err = l.Commit(t.Context(), c, ledger.Batch{Messages: messages, Checkpoint: ledger.Checkpoint{UIDValidity: 1, High: uint32(n + 1)}})
	}
	if !errors.Is(err, ledger.ErrFull) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "make room") {
		t.Fatalf("after %d batches: %v", n, err)
	}
	whole := n - 1
	check := func() {
		t.Helper()
		folders, err := l.Folders(t.Context())
		if err != nil || folders[0].Checkpoint.High != uint32(whole) {
			t.Errorf("folders %+v, %v", folders, err)
		}
		if rows := ledgertest.Rows(t, l.Records(t.Context(), ledger.Query{})); len(rows) != whole*10 {
			t.Errorf("%d records of %d batches", len(rows), whole)
		}
	}
	check()
	// With room it goes on, under the same claim.
	if _, err := l.(*store).conn.ExecContext(t.Context(), "PRAGMA max_page_count = 100000"); err != nil {
		t.Fatal(err)
	}
	whole++
	var messages []ledger.Message
	for j := range 10 {
		messages = append(messages, ledgertest.Message(fmt.Sprintf("%d-%d", n, j), 1))
	}
	if _, err := l.Commit(t.Context(), c, ledger.Batch{Messages: messages, Checkpoint: ledger.Checkpoint{High: uint32(whole)}}); err != nil {
		t.Fatal(err)
	}
	check()
	l.Close()
}

// A disk that says so without SQLite's word for it, as a quota does.
func TestNoSpace(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		err := explain("/x/l.db", &fs.PathError{Op: "open", Path: "/x/l.db.lock", Err: errno})
		if !errors.Is(err, ledger.ErrFull) || !strings.Contains(err.Error(), "/x/l.db") {
			t.Errorf("%v: %v", errno, err)
		}
	}
	if err := probe(t.TempDir()); err != nil {
		t.Errorf("probe: %v", err)
	}
}

func TestReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	if _, err := OpenReader(t.Context(), path); !errors.Is(err, ledger.ErrNone) || !strings.Contains(err.Error(), path) {
		t.Errorf("absent: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a reader made the file: %v", err)
	}
	l := openTest(t, path)
	c := ledgertest.Claim(t, l, ledgertest.Inbox)
	ledgertest.Commit(t, l, c, ledgertest.Message("a", 1))
	beside, err := OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ledgertest.Want(t, "beside the writer", ledgertest.Places(ledgertest.Rows(t, beside.Records(t.Context(), ledger.Query{}))), "INBOX/1=a.1")
	ledgertest.Commit(t, l, c, ledgertest.Message("b", 1))
	ledgertest.Want(t, "what is committed later", ledgertest.Places(ledgertest.Rows(t, beside.Records(t.Context(), ledger.Query{}))), "INBOX/1=a.1 INBOX/2=b.1")
	l.Close()
	ledgertest.Want(t, "after the writer", ledgertest.Places(ledgertest.Rows(t, beside.Records(t.Context(), ledger.Query{}))), "INBOX/1=a.1 INBOX/2=b.1")
	beside.Close()
	alone, err := OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer alone.Close()
	ledgertest.Want(t, "alone", ledgertest.Places(ledgertest.Rows(t, alone.Records(t.Context(), ledger.Query{}))), "INBOX/1=a.1 INBOX/2=b.1")
}

// A reader in the middle of its pages must not keep the writer's log growing.
func TestReaderHoldsNoTransaction(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	l := openTest(t, path)
	defer l.Close()
	c := ledgertest.Claim(t, l, ledgertest.Inbox)
	ledgertest.Commit(t, l, c, ledgertest.Message("a", 2))
	r, err := OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for range r.Records(t.Context(), ledger.Query{}) {
		ledgertest.Commit(t, l, c, ledgertest.Message(fmt.Sprint(time.Now().UnixNano()), 1))
		var busy, log, moved int
		if err := l.(*store).conn.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &moved); err != nil || busy != 0 {
			t.Fatalf("checkpoint: busy %d, %v", busy, err)
		}
	}
}

// With ten million records a query that scans is a bug.
func TestPlans(t *testing.T) {
	l := openTest(t, filepath.Join(t.TempDir(), "l.db")).(*store)
	defer l.Close()
	var indexes int
	if err := l.conn.QueryRowContext(t.Context(), "SELECT count(*) FROM pragma_index_list('record')").Scan(&indexes); err != nil || indexes > 3 {
		t.Errorf("%d indexes on record, %v", indexes, err)
	}
	const record = "SELECT " + recordColumns + " FROM record WHERE "
	const section = record + "key > 1 AND key <= 9"
	byLabel, _ := newFilter(ledger.Query{Event: "a", Provider: "a"}).where()
	for query, plan := range map[string]string{
		section + " ORDER BY key LIMIT 9":                                                           "USING INTEGER PRIMARY KEY",
		section + byLabel + " ORDER BY key LIMIT 9":                                                 "SEARCH record USING INTEGER PRIMARY KEY",
		record + "key IN (1,2,3)" + byLabel + " ORDER BY key":                                       "SEARCH record USING INTEGER PRIMARY KEY",
		"SELECT key FROM record INDEXED BY record_at WHERE at >= 0 AND at < 3 ORDER BY key LIMIT 9": "USING COVERING INDEX record_at (at>? AND at<?)",
		"SELECT key FROM record INDEXED BY record_label WHERE label = 1 AND key > 1 ORDER BY key":   "USING COVERING INDEX record_label (label=? AND rowid>?)",
		packOf: "SEARCH pack USING INTEGER PRIMARY KEY (rowid<?)",
		headOf: "SEARCH head USING INTEGER PRIMARY KEY (rowid<?)",
		"SELECT n FROM mail_id WHERE hash IN (1,2)": "SEARCH mail_id USING PRIMARY KEY (hash=?)",
	} {
		rows, err := l.conn.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+strings.ReplaceAll(query, "?", "1"))
		if err != nil {
			t.Fatal(err)
		}
		var got string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			got += detail + "; "
		}
		rows.Close()
		if !strings.Contains(got, plan) || strings.Contains(got, "SCAN record") || strings.Contains(got, "SCAN mail") || strings.Contains(got, "LIST SUBQUERY") {
			t.Errorf("%s: %s", query, got)
		}
	}
}

func TestPendingIsCompact(t *testing.T) {
	var pending []ledger.Pending
	for uid := range uint32(100_000) {
		pending = append(pending, ledger.Pending{UID: uid + 1})
	}
	pending[9].Tries = 2
	ledgertest.Want(t, "text", formatPending(pending), "1-9,10:2,11-100000")
	for _, bad := range []string{"x", "1-", "3-2", "1:x", "1,,2", "4294967296", "-1"} {
		if p, err := parsePending(bad); err == nil {
			t.Errorf("%q: %v", bad, p)
		}
	}
}
