package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

const (
	askEvery  = 100 * time.Millisecond // how often an Editor looks for its answer
	tryEvery  = 2 * time.Second        // how often it looks whether the writer is gone
	keepAsked = time.Hour              // an answered request
)

// editor holds the ledger itself if it has no other writer, else a connection to ask
// the writer, which answers within two seconds.
type editor struct {
	path string
	own  *store  // nil: another process writes
	db   *sql.DB // for asking
}

// Edit opens the ledger at path for changes; ErrNone if there is none.
func Edit(ctx context.Context, path string) (ledger.Editor, error) {
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
	e := &editor{path: path}
	if err := e.take(ctx); err != nil && !errors.Is(err, ledger.ErrLocked) {
		return nil, err
	}
	return e, nil
}

// take becomes the writer, if there is none.
func (e *editor) take(ctx context.Context) error {
	own, err := open(ctx, e.path, 0)
	if err == nil {
		e.own = own
	}
	return err
}

// Do carries out a change, or has it carried out and waits for that.
func (e *editor) Do(ctx context.Context, c ledger.Change) (ledger.Changed, error) {
	if e.own != nil {
		return e.own.Do(ctx, c)
	}
	if e.db == nil {
		db, err := sql.Open("sqlite", dsn(e.path, fmt.Sprintf("mode=rw&_pragma=busy_timeout(%d)&_txlock=immediate", busyWait)))
		if err != nil {
			return ledger.Changed{}, explain(e.path, err)
		}
		e.db = db
	}
	args, err := json.Marshal(c)
	if err != nil {
		return ledger.Changed{}, err
	}
	var id int64
	err = e.db.QueryRowContext(ctx, "INSERT INTO request (kind, args, at) VALUES ('change', ?, ?) RETURNING id", string(args), ledger.Milli(time.Now())).Scan(&id)
	if err != nil {
		return ledger.Changed{}, explain(e.path, err)
	}
	return e.await(ctx, id)
}

// await waits for the answer to a request. If the writer ends without one, the editor
// takes its place.
func (e *editor) await(ctx context.Context, id int64) (ledger.Changed, error) {
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for tried := time.Now(); ; {
		var text sql.NullString
		err := e.db.QueryRowContext(ctx, "SELECT answer FROM request WHERE id = ?", id).Scan(&text)
		if err != nil {
			return ledger.Changed{}, explain(e.path, err)
		}
		if text.Valid {
			return readAnswer(text.String)
		}
		if e.own == nil && time.Since(tried) > tryEvery {
			tried = time.Now()
			if err := e.take(ctx); err == nil {
				_, err = e.own.RunRequests(ctx)
				if err != nil {
					return ledger.Changed{}, err
				}
				continue
			} else if !errors.Is(err, ledger.ErrLocked) {
				return ledger.Changed{}, err
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ledger.Changed{}, ctx.Err()
		}
	}
}

// Close ends the editing. The writer still carries out what it was asked for.
func (e *editor) Close() error {
	var errs []error
	if e.db != nil {
		errs = append(errs, explain(e.path, e.db.Close()))
	}
	if e.own != nil {
		errs = append(errs, e.own.Close())
	}
	return errors.Join(errs...)
}

func (s *store) Do(ctx context.Context, c ledger.Change) (ledger.Changed, error) {
	_, done, err := s.change(ctx, c, 0)
	return done, err
}

// change carries out a change and answers its request, in one transaction. request 0:
// there is none.
func (s *store) change(ctx context.Context, c ledger.Change, request int64) (ran ledger.Ran, done ledger.Changed, err error) {
	found, err := s.reader.findReplays(ctx, c.Replay) // before the transaction: commits must not wait long
	if err != nil {
		return ran, done, err
	}
	err = s.write(ctx, func(t tx) error {
		revised, err := t.revise(c.Revise)
		if err != nil {
			return err
		}
		for _, a := range c.Ack {
			if err := t.ack(a.Sink, a.FolderID, a.Seq); err != nil {
				return err
			}
		}
		ran, done = ledger.Ran{Rows: revised.Rows}, ledger.Changed{Records: len(revised.Rows), Stale: revised.Stale, Over: revised.Over}
		for i, r := range c.Replay {
			n, err := t.replay(r, found[i])
			if err != nil {
				return err
			}
			done.Resent += n
			ran.Replayed = append(ran.Replayed, r.Sink)
		}
		if request == 0 {
			return nil
		}
		return t.answer(request, answer{Changed: done})
	})
	if err != nil {
		return ledger.Ran{}, ledger.Changed{}, err
	}
	return ran, done, nil
}

// answer is the writer's answer to a request.
type answer struct {
	ledger.Changed
	Err string `json:",omitempty"`
}

func readAnswer(text string) (ledger.Changed, error) {
	var a answer
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return ledger.Changed{}, fmt.Errorf("ledger: answer of the writer: %w", err)
	}
	if a.Err != "" {
		return a.Changed, errors.New(a.Err)
	}
	return a.Changed, nil
}

// readChange refuses a request with an unknown key.
func readChange(kind string, args []byte) (c ledger.Change, err error) {
	d := json.NewDecoder(bytes.NewReader(args))
	d.DisallowUnknownFields()
	if err = d.Decode(&c); err != nil || kind != "change" {
		err = errors.New("ledger: the request is of a newer version than the process that writes the ledger; restart that process")
	}
	return c, err
}

// RunRequests carries out one request after the other. The answer to a request has its
// error; RunRequests returns an error only if the ledger cannot be written.
func (s *store) RunRequests(ctx context.Context) (ran ledger.Ran, err error) {
	for {
		var id int64
		var kind string
		var args []byte
		err := s.reader.db.QueryRowContext(ctx, "SELECT id, kind, args FROM request WHERE answer IS NULL ORDER BY id LIMIT 1").Scan(&id, &kind, &args)
		if errors.Is(err, sql.ErrNoRows) {
			return ran, nil
		}
		if err != nil {
			return ran, s.explain(ctx, err)
		}
		c, err := readChange(kind, args)
		if err == nil {
			var more ledger.Ran
			more, _, err = s.change(ctx, c, id)
			ran.Rows, ran.Replayed = append(ran.Rows, more.Rows...), append(ran.Replayed, more.Replayed...)
		}
		switch {
		case err == nil:
			continue
		case ctx.Err() != nil, errors.Is(err, ledger.ErrFull):
			return ran, err
		}
		failed := answer{Err: err.Error()}
		if err := s.write(ctx, func(t tx) error { return t.answer(id, failed) }); err != nil {
			return ran, err
		}
	}
}

// answer answers a request, and drops old ones.
func (t tx) answer(id int64, a answer) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if err := t.exec("UPDATE request SET answer = ? WHERE id = ?", string(text), id); err != nil {
		return err
	}
	return t.exec("DELETE FROM request WHERE answer IS NOT NULL AND at < ? AND id <> ?", ledger.Milli(time.Now().Add(-keepAsked)), id)
}
