package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// reader is the reading side on SQLite.
type reader struct {
	path   string
	db     *sql.DB
	labels labels

	finding sync.Mutex // for recent
	recent  recent
}

// queryer is a connection, or a transaction on it.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

var _ ledger.Reader = (*reader)(nil)

func (r *reader) Close() error { return explain(r.path, r.db.Close()) }

// each calls scan for every row of a query, until it fails.
func (r *reader) each(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	return r.explain(ctx, eachOf(ctx, r.db, scan, query, args...))
}

func eachOf(ctx context.Context, on queryer, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := on.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// explain returns the error of ctx for an interrupt that ctx caused.
func (r *reader) explain(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return explain(r.path, err)
}

func (r *reader) Folders(ctx context.Context) ([]ledger.Claim, error) {
	var folders []ledger.Claim
	err := r.each(ctx, func(rows *sql.Rows) error {
		var c ledger.Claim
		var pending, marks string
		var contact, read int64
		err := rows.Scan(&c.ID, &c.Folder.Account, &c.Folder.Name, (*bits)(&c.Checkpoint.UIDValidity), &c.Checkpoint.High, &pending, &marks, &contact, &read, &c.Last)
		if err != nil {
			return err
		}
		c.FirstSeen, c.LastCommit = fromNoted(contact), fromNoted(read)
		err = parseCheckpoint(&c.Checkpoint, pending, marks)
		folders = append(folders, c)
		return err
	}, "SELECT id, account, name, uidvalidity, high, pending, marks, contact, read, next_seq - 1 FROM folder ORDER BY account, name")
	return folders, err
}

// find returns the number of the message that has an id; 0: there is none.
func (r *reader) find(ctx context.Context, id string) (int64, error) {
	r.finding.Lock()
	defer r.finding.Unlock()
	if err := r.recent.load(ctx, r.db); err != nil {
		return 0, r.explain(ctx, err)
	}
	n, err := r.recent.find(ctx, r.db, id)
	return n, r.explain(ctx, err)
}

const headOf = "SELECT mail, pack FROM head WHERE mail <= ? ORDER BY mail DESC LIMIT 1"

func (r *reader) Head(ctx context.Context, reportID string) ([]byte, error) {
	n, err := r.find(ctx, reportID)
	if err != nil || n == 0 {
		return nil, err
	}
	var first int64
	var data []byte
	err = r.db.QueryRowContext(ctx, headOf, n).Scan(&first, &data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, r.explain(ctx, err)
	}
	heads, err := unpack(data)
	if err != nil || n >= first+int64(len(heads)) || len(heads[n-first]) == 0 {
		return nil, err
	}
	return heads[n-first], nil
}

func (r *reader) Counts(ctx context.Context, since, until time.Time) ([]ledger.Count, error) {
	var counts []ledger.Count
	low, high := ledger.Span(since, until)
	err := r.each(ctx, func(rows *sql.Rows) error {
		var c ledger.Count
		var hour int64
		err := rows.Scan(&hour, &c.Event, &c.Class, &c.Provider, &c.Feed, &c.Identity, &c.Verdict, &c.N)
		c.Hour = ledger.FromMilli(hour)
		counts = append(counts, c)
		return err
	}, `SELECT hour, event, class, provider, feed, identity, verdict, n FROM hourly CROSS JOIN label ON id = label WHERE hour >= ? AND hour < ? AND n <> 0
		ORDER BY hour, event, class, provider, feed, identity, verdict`, low, high)
	return counts, err
}

func (r *reader) MessageCounts(ctx context.Context) ([]ledger.MessageCount, error) {
	var counts []ledger.MessageCount
	err := r.each(ctx, func(rows *sql.Rows) error {
		var c ledger.MessageCount
		err := rows.Scan(&c.Folder.Account, &c.Folder.Name, &c.Kind, &c.N)
		counts = append(counts, c)
		return err
	}, "SELECT account, name, kind, n FROM mail_count JOIN folder ON folder.id = mail_count.folder WHERE n <> 0 ORDER BY account, name, kind")
	return counts, err
}

func (r *reader) States(ctx context.Context) ([]ledger.Status, error) {
	var states []ledger.Status
	err := r.each(ctx, func(rows *sql.Rows) error {
		var name, text string
		var at int64
		err := rows.Scan(&name, &text, &at)
		states = append(states, ledger.ParseStatus(name, text, ledger.FromMilli(at)))
		return err
	}, "SELECT name, value, at FROM state ORDER BY name")
	return ledger.DateStates(states), err
}
