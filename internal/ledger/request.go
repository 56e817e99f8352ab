package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// Change is what a command writes into a ledger that another process may be
// writing.
type Change struct {
	Revise []Revision
	Ack    []Acked
}

// Acked says that a sink has every record of a folder up to Seq.
type Acked struct {
	Sink          string
	FolderID, Seq int64
}

// Changed is what became of a Change.
type Changed struct {
	Records int      // new revisions
	Stale   []string // see Revised
}

const (
	askEvery  = 100 * time.Millisecond // how often an Editor looks for its answer
	tryEvery  = 2 * time.Second        // how often it looks whether the writer is gone
	keepAsked = time.Hour              // an answered request
)

// Editor changes a ledger whoever writes it: by itself where nobody does,
// otherwise by asking the writer, which obeys within a second or two.
type Editor struct {
	path string
	own  Ledger  // nil: another process writes
	db   *sql.DB // for asking
}

// Edit opens the ledger at path, which must be there, for changes.
func Edit(ctx context.Context, path string) (*Editor, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	reader, err := OpenReader(ctx, path) // makes no ledger, and knows one that is too old or too new
	if err != nil {
		return nil, err
	}
	if err := reader.Close(); err != nil {
		return nil, err
	}
	e := &Editor{path: path}
	if err := e.take(ctx); err != nil && !errors.Is(err, ErrLocked) {
		return nil, err
	}
	return e, nil
}

// take becomes the writer, if there is none.
func (e *Editor) take(ctx context.Context) error {
	l, err := Open(ctx, e.path, Options{})
	if err == nil {
		e.own = l
	}
	return err
}

// Do carries out a change, or has it carried out and waits for that.
func (e *Editor) Do(ctx context.Context, c Change) (Changed, error) {
	if e.own != nil {
		rows, done, err := apply(ctx, e.own, c)
		return Changed{len(rows), done.Stale}, err
	}
	if e.db == nil {
		db, err := sql.Open("sqlite", dsn(e.path, fmt.Sprintf("mode=rw&_pragma=busy_timeout(%d)&_txlock=immediate", busyWait)))
		if err != nil {
			return Changed{}, explain(e.path, err)
		}
		e.db = db
	}
	args, err := json.Marshal(c)
	if err != nil {
		return Changed{}, err
	}
	var id int64
	err = e.db.QueryRowContext(ctx, "INSERT INTO request (kind, args, at) VALUES ('change', ?, ?) RETURNING id", string(args), milli(time.Now())).Scan(&id)
	if err != nil {
		return Changed{}, explain(e.path, err)
	}
	return e.await(ctx, id)
}

// await waits for the answer to a request. Should the writer end before it has
// given one, the Editor takes its place.
func (e *Editor) await(ctx context.Context, id int64) (Changed, error) {
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for tried := time.Now(); ; {
		var text sql.NullString
		err := e.db.QueryRowContext(ctx, "SELECT answer FROM request WHERE id = ?", id).Scan(&text)
		if err != nil {
			return Changed{}, explain(e.path, err)
		}
		if text.Valid {
			return readAnswer(text.String)
		}
		if e.own == nil && time.Since(tried) > tryEvery {
			tried = time.Now()
			if err := e.take(ctx); err == nil {
				_, err = e.own.Obey(ctx)
				if err != nil {
					return Changed{}, err
				}
				continue
			} else if !errors.Is(err, ErrLocked) {
				return Changed{}, err
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return Changed{}, ctx.Err()
		}
	}
}

// Close ends the editing. What was asked for is done all the same.
func (e *Editor) Close() error {
	var errs []error
	if e.db != nil {
		errs = append(errs, explain(e.path, e.db.Close()))
	}
	if e.own != nil {
		errs = append(errs, e.own.Close())
	}
	return errors.Join(errs...)
}

// apply carries out a change by the methods of a writer.
func apply(ctx context.Context, l interface {
	Revise(context.Context, []Revision) (Revised, error)
	Ack(ctx context.Context, sink string, folderID, seq int64) error
}, c Change) ([]Row, Revised, error) {
	done, err := l.Revise(ctx, c.Revise)
	for _, a := range c.Ack {
		if err == nil {
			err = l.Ack(ctx, a.Sink, a.FolderID, a.Seq)
		}
	}
	return done.Rows, done, err
}

// answer is how the writer tells what became of a request.
type answer struct {
	Changed
	Err string `json:",omitempty"`
}

func readAnswer(text string) (Changed, error) {
	var a answer
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return Changed{}, fmt.Errorf("ledger: answer of the writer: %w", err)
	}
	if a.Err != "" {
		return a.Changed, errors.New(a.Err)
	}
	return a.Changed, nil
}

// readChange takes only a request that it understands to the last key.
func readChange(kind string, args []byte) (c Change, err error) {
	d := json.NewDecoder(bytes.NewReader(args))
	d.DisallowUnknownFields()
	if err = d.Decode(&c); err != nil || kind != "change" {
		err = errors.New("ledger: what is asked for is of a newer version than the ledger's writer; start that one anew")
	}
	return c, err
}

// Obey does one request after the other. One that cannot be done is answered
// so; only a ledger that cannot be written is an error. A crash between the
// change and its answer repeats the change, which does no harm: its revisions
// are stale then.
func (s *store) Obey(ctx context.Context) (rows []Row, err error) {
	for {
		var id int64
		var kind string
		var args []byte
		err := s.reader.db.QueryRowContext(ctx, "SELECT id, kind, args FROM request WHERE answer IS NULL ORDER BY id LIMIT 1").Scan(&id, &kind, &args)
		if errors.Is(err, sql.ErrNoRows) {
			return rows, nil
		}
		if err != nil {
			return rows, s.explain(ctx, err)
		}
		var a answer
		c, err := readChange(kind, args)
		if err == nil {
			var done Revised
			var more []Row
			more, done, err = apply(ctx, s, c)
			rows = append(rows, more...)
			a.Changed = Changed{len(more), done.Stale}
		}
		if ctx.Err() != nil || errors.Is(err, ErrFull) {
			return rows, err
		}
		if err != nil {
			a.Err = err.Error()
		}
		text, err := json.Marshal(a)
		if err != nil {
			return rows, err
		}
		err = s.write(ctx, func(t tx) error {
			if err := t.exec("UPDATE request SET answer = ? WHERE id = ?", string(text), id); err != nil {
				return err
			}
			return t.exec("DELETE FROM request WHERE answer IS NOT NULL AND at < ? AND id <> ?", milli(time.Now().Add(-keepAsked)), id)
		})
		if err != nil {
			return rows, err
		}
	}
}
