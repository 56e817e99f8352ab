package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// forward drops what a sink kept for records up to seq.
func (t tx) forward(sink string, folder, seq int64) error {
	if err := t.exec("DELETE FROM batch WHERE sink = ? AND folder = ? AND last <= ?", sink, folder, seq); err != nil {
		return err
	}
	return t.exec("DELETE FROM waiting WHERE sink = ? AND folder = ? AND seq <= ?", sink, folder, seq)
}

// Lag looks for the first record behind each cursor: those before it are pruned.
func (r *reader) Lag(ctx context.Context, sink string) (records int64, since time.Time, err error) {
	var at sql.NullInt64
	err = r.db.QueryRowContext(ctx, `SELECT coalesce(sum(n), 0), min(at) FROM (
		SELECT last - (key & 1099511627775) + 1 AS n, at FROM (
			SELECT next_seq - 1 AS last, (SELECT min(key) FROM record WHERE key > (id << 40 | coalesce(seq, 0)) AND key < id + 1 << 40) AS first
			FROM folder LEFT JOIN cursor ON cursor.folder = id AND sink = ?1
		) JOIN record ON key = first
		UNION ALL
		SELECT count(*), min(at) FROM resend JOIN record USING (key) WHERE sink = ?1 AND replaced = 0)`, sink).Scan(&records, &at)
	if err == nil && at.Valid {
		since = ledger.FromMilli(at.Int64)
	}
	return records, since, r.explain(ctx, err)
}

func (r *reader) Batches(ctx context.Context, sink string) (batches []ledger.StoredBatch, err error) {
	err = r.each(ctx, func(rows *sql.Rows) error {
		var b ledger.StoredBatch
		err := rows.Scan(&b.FolderID, &b.Last, &b.Data)
		batches = append(batches, b)
		return err
	}, "SELECT folder, last, data FROM batch WHERE sink = ? ORDER BY folder", sink)
	return batches, err
}

func (s *store) SetBatch(ctx context.Context, sink string, b ledger.StoredBatch) error {
	return s.write(ctx, func(t tx) error {
		if len(b.Data) == 0 {
			return t.exec("DELETE FROM batch WHERE sink = ? AND folder = ?", sink, b.FolderID)
		}
		return t.exec("INSERT OR REPLACE INTO batch (sink, folder, last, data) VALUES (?, ?, ?, ?)", sink, b.FolderID, b.Last, b.Data)
	})
}

func (r *reader) Waitings(ctx context.Context, sink string) (waitings []ledger.Waiting, err error) {
	err = r.each(ctx, func(rows *sql.Rows) error {
		var w ledger.Waiting
		var since int64
		err := rows.Scan(&w.FolderID, &w.Seq, &w.ID, &w.Tries, &since, &w.Error)
		w.Since = ledger.FromMilli(since)
		waitings = append(waitings, w)
		return err
	}, "SELECT folder, seq, record, tries, since, error FROM waiting WHERE sink = ? ORDER BY folder", sink)
	return waitings, err
}

func (s *store) SetWaiting(ctx context.Context, sink string, w ledger.Waiting) error {
	return s.write(ctx, func(t tx) error {
		return t.exec("INSERT OR REPLACE INTO waiting (sink, folder, seq, record, tries, since, error) VALUES (?, ?, ?, ?, ?, ?, ?)",
			sink, w.FolderID, w.Seq, w.ID, w.Tries, ledger.Milli(w.Since), w.Error)
	})
}

func (r *reader) Acted(ctx context.Context, sink string, key ledger.ActKey) (time.Time, error) {
	var at int64
	err := r.db.QueryRowContext(ctx, "SELECT at FROM acted WHERE sink = ? AND key = ?", sink, key[:]).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, r.explain(ctx, err)
	}
	return ledger.FromMilli(at), nil
}

func (s *store) SetActed(ctx context.Context, sink string, keys []ledger.ActKey, at time.Time) error {
	return s.write(ctx, func(t tx) error {
		return t.insert("INSERT OR REPLACE INTO acted (sink, key, at)", 3, "", len(keys), func(i int, args []any) []any {
			return append(args, sink, keys[i][:], ledger.Milli(at))
		})
	})
}
