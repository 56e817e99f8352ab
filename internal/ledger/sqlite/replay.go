package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

func (r *reader) Replays(ctx context.Context, sink string) (n int, err error) {
	err = r.db.QueryRowContext(ctx, "SELECT replays FROM sink WHERE name = ?", sink).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return n, r.explain(ctx, err)
}

// replays are the records of each folder that a sink gets again.
type replays map[int64][]replayed

// replayed are the Seqs above after, up to last.
type replayed struct {
	after, last int64
	replay      int
}

// replaysOf lists them, the last ones first.
func (r *reader) replaysOf(ctx context.Context, sink string) (replays, error) {
	all := make(replays)
	err := r.each(ctx, func(rows *sql.Rows) error {
		var folder int64
		var one replayed
		err := rows.Scan(&folder, &one.after, &one.last, &one.replay)
		all[folder] = append(all[folder], one)
		return err
	}, "SELECT folder, after, last, replay FROM replayed WHERE sink = ? ORDER BY replay DESC", sink)
	return all, err
}

// numbered sets Replay of the rows that yield gets.
func (all replays) numbered(yield func(ledger.Row, error) bool) func(ledger.Row, error) bool {
	if len(all) == 0 {
		return yield
	}
	return func(row ledger.Row, err error) bool {
		of := all[row.FolderID]
		if i := slices.IndexFunc(of, func(one replayed) bool { return row.Seq > one.after && row.Seq <= one.last }); i >= 0 {
			row.Replay = of[i].replay
		}
		return yield(row, err)
	}
}

// found is what a Replay needs to know.
type found struct {
	first map[int64]int64 // by folder, the first Seq to be sent again
	keys  []int64         // of all records of an id
}

// findReplays looks up what replays need to know. Without a transaction it may miss
// only what has not been acknowledged, or is being pruned.
func (r *reader) findReplays(ctx context.Context, all []ledger.Replay) ([]found, error) {
	founds := make([]found, len(all))
	for i, one := range all {
		var err error
		switch {
		case one.ID != "":
			for row, err := range r.Records(ctx, ledger.Query{ID: one.ID, Replaced: true}) {
				if err != nil {
					return nil, err
				}
				founds[i].keys = append(founds[i].keys, key(row.FolderID, row.Seq))
			}
		case !one.Dead:
			founds[i].first, err = r.firsts(ctx, one.Sink, one.Since)
		}
		if err != nil {
			return nil, err
		}
	}
	return founds, nil
}

// firsts finds the first record of each folder that was received at or after since and
// that a sink has acknowledged.
func (r *reader) firsts(ctx context.Context, sink string, since time.Time) (map[int64]int64, error) {
	cursors := make(map[int64]int64)
	err := r.each(ctx, func(rows *sql.Rows) error {
		var folder, seq int64
		err := rows.Scan(&folder, &seq)
		cursors[folder] = seq
		return err
	}, "SELECT folder, seq FROM cursor WHERE sink = ? AND seq > 0", sink)
	if err != nil {
		return nil, err
	}
	first := make(map[int64]int64)
	from, _ := ledger.Span(since, time.Time{})
	for folder, cursor := range cursors {
		k, err := r.firstSince(ctx, from, key(folder, 0), key(folder, cursor), firstRows)
		if err != nil {
			return nil, r.explain(ctx, err)
		}
		if k != 0 {
			first[folder] = k & (1<<seqBits - 1)
		}
	}
	return first, nil
}

// firstRows is how many records firstSince looks through at first.
const firstRows = 1 << 14

// firstSince finds the first key above after, up to last, of a record received at since
// or later; 0: there is none. It looks by number from the first one on, and by time
// from the last one back, further and further in turns: one of the two is short.
func (r *reader) firstSince(ctx context.Context, since, after, last int64, rows int) (k int64, err error) {
	for ; ; rows *= 4 {
		var end int64
		err = r.db.QueryRowContext(ctx, `SELECT coalesce(min(iif(at >= ?, key, NULL)), 0), coalesce(max(key), 0) FROM
			(SELECT key, at FROM record WHERE key > ? AND key <= ? ORDER BY key LIMIT ?)`, since, after, last, rows).Scan(&k, &end)
		if err != nil || k != 0 || end == 0 {
			return k, err
		}
		after = end
		var n int
		err = r.db.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM record INDEXED BY record_at WHERE at >= ? LIMIT ?)", since, rows).Scan(&n)
		if err != nil {
			return 0, err
		}
		if n < rows {
			err = r.db.QueryRowContext(ctx, "SELECT coalesce(min(+key), 0) FROM record INDEXED BY record_at WHERE at >= ? AND +key > ? AND +key <= ?",
				since, after, last).Scan(&k)
			return k, err
		}
	}
}

// replay has records sent again, and returns how many.
func (t tx) replay(r ledger.Replay, f found) (n int64, err error) {
	var number int
	err = t.row([]any{&number}, "UPDATE sink SET replay = replay + 1 WHERE name = ? RETURNING replay", r.Sink)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, t.noSink(r.Sink)
	}
	switch {
	case err != nil:
		return 0, err
	case r.ID != "":
		return t.replayKeys(r, f.keys, number)
	case r.Dead:
		res, err := t.result(`INSERT OR REPLACE INTO resend (sink, key, replay)
			SELECT sink, key, ? FROM dead JOIN record USING (key) WHERE sink = ? AND replaced = 0 ORDER BY key`, number, r.Sink)
		if err != nil {
			return 0, err
		}
		if n, err = res.RowsAffected(); err != nil {
			return 0, err
		}
		return n, t.exec("DELETE FROM dead WHERE sink = ?", r.Sink)
	}
	return t.setBack(r.Sink, f.first, number)
}

func (t tx) noSink(name string) error {
	var known []string
	stmt, err := t.prepare("SELECT name FROM sink")
	if err != nil {
		return err
	}
	rows, err := stmt.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			return err
		}
		known = append(known, one)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return ledger.NoSink(name, known)
}

func (t tx) replayKeys(r ledger.Replay, keys []int64, number int) (n int64, err error) {
	for _, k := range keys {
		res, err := t.result(`INSERT OR REPLACE INTO resend (sink, key, replay) SELECT ?1, key, ?2 FROM record WHERE key = ?3 AND replaced = 0
			AND (EXISTS (SELECT 1 FROM dead WHERE sink = ?1 AND dead.key = ?3)
				OR NOT ?4 AND EXISTS (SELECT 1 FROM cursor WHERE sink = ?1 AND folder = ?3 >> 40 AND seq >= ?3 & 1099511627775))`,
			r.Sink, number, k, r.Dead)
		if err != nil {
			return 0, err
		}
		one, err := res.RowsAffected()
		if err != nil {
			return 0, err
		}
		n += one
		if err := t.exec("DELETE FROM dead WHERE sink = ? AND key = ?", r.Sink, k); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// setBack sets a sink's cursors back to before the first Seq of each folder.
func (t tx) setBack(sink string, first map[int64]int64, number int) (n int64, err error) {
	for folder, seq := range first {
		var cursor int64
		if err := t.row([]any{&cursor}, "SELECT seq FROM cursor WHERE sink = ? AND folder = ?", sink, folder); err != nil {
			return 0, err
		}
		n += cursor - seq + 1
		for _, step := range []struct {
			query string
			args  []any
		}{
			{"UPDATE cursor SET seq = ? WHERE sink = ? AND folder = ?", []any{seq - 1, sink, folder}},
			{"DELETE FROM replayed WHERE sink = ? AND folder = ? AND last <= ?", []any{sink, folder, cursor}},
			{"INSERT INTO replayed (sink, folder, after, last, replay) VALUES (?, ?, ?, ?, ?)", []any{sink, folder, seq - 1, cursor, number}},
			{"DELETE FROM dead WHERE sink = ? AND key >= ? AND key < ?", []any{sink, key(folder, seq), key(folder+1, 0)}},
			{"DELETE FROM resend WHERE sink = ? AND key >= ? AND key < ?", []any{sink, key(folder, seq), key(folder+1, 0)}},
		} {
			if err := t.exec(step.query, step.args...); err != nil {
				return 0, err
			}
		}
	}
	for _, query := range []string{
		"UPDATE sink SET replays = replays + 1 WHERE name = ?",
		"DELETE FROM batch WHERE sink = ?",
		"DELETE FROM waiting WHERE sink = ?",
	} {
		if err := t.exec(query, sink); err != nil {
			return 0, err
		}
	}
	return n, nil
}
