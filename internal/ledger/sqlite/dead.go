package sqlite

import (
	"context"
	"database/sql"
	"iter"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

func (s *store) Bury(ctx context.Context, dead []ledger.DeadLetter) error {
	return s.write(ctx, func(t tx) error {
		for _, d := range dead {
			err := t.exec("INSERT OR REPLACE INTO dead (sink, key, at, tries, reason) VALUES (?, ?, ?, ?, ?)",
				d.Sink, key(d.FolderID, d.Seq), ledger.Milli(d.At), d.Tries, d.Reason)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *reader) DeadCounts(ctx context.Context) (counts []ledger.DeadCount, err error) {
	err = r.each(ctx, func(rows *sql.Rows) error {
		var c ledger.DeadCount
		err := rows.Scan(&c.Sink, &c.N)
		counts = append(counts, c)
		return err
	}, "SELECT sink, count(*) FROM dead GROUP BY sink ORDER BY sink")
	return counts, err
}

func (r *reader) DeadLetters(ctx context.Context, sink string) iter.Seq2[ledger.DeadLetter, error] {
	return func(yield func(ledger.DeadLetter, error) bool) {
		last := ledger.DeadLetter{Sink: sink}
		for {
			page, err := r.deadAfter(ctx, last, sink == "")
			for _, d := range page {
				if !yield(d, nil) {
					return
				}
			}
			if err != nil {
				yield(ledger.DeadLetter{}, err)
				return
			}
			if len(page) == 0 {
				return
			}
			last = page[len(page)-1]
		}
	}
}

// deadAfter lists some dead letters behind last, of its sink or of all sinks.
func (r *reader) deadAfter(ctx context.Context, last ledger.DeadLetter, all bool) (page []ledger.DeadLetter, err error) {
	where := "sink = ? AND key > ?"
	if all {
		where = "(sink, key) > (?, ?)"
	}
	err = r.reading(ctx, func(tx *sql.Tx) error {
		var keys []int64
		var found []ledger.DeadLetter
		err := eachOf(ctx, tx, func(rows *sql.Rows) error {
			var d ledger.DeadLetter
			var key, at int64
			err := rows.Scan(&d.Sink, &key, &at, &d.Tries, &d.Reason)
			d.At = ledger.FromMilli(at)
			keys, found = append(keys, key), append(found, d)
			return err
		}, "SELECT sink, key, dead.at, tries, reason FROM dead JOIN record USING (key) WHERE "+where+" ORDER BY sink, key LIMIT ?",
			last.Sink, key(last.FolderID, last.Seq), pageRows)
		if err != nil {
			return err
		}
		rows, err := r.recordsAt(ctx, tx, keys)
		for i := range rows {
			found[i].Row = rows[i]
		}
		page = found[:len(rows)]
		return err
	})
	return page, err
}

// reading calls f in a transaction that only reads.
func (r *reader) reading(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return r.explain(ctx, err)
	}
	defer tx.Rollback()
	return r.explain(ctx, f(tx))
}

// recordsAt reads the records of keys, all of which are there. It ends after about
// pageBytes, and then returns only the first ones.
func (r *reader) recordsAt(ctx context.Context, tx *sql.Tx, keys []int64) (rows []ledger.Row, err error) {
	if len(keys) == 0 {
		return nil, nil
	}
	folders := make(map[int64]ledger.Folder)
	err = eachOf(ctx, tx, func(found *sql.Rows) error {
		var id int64
		var f ledger.Folder
		err := found.Scan(&id, &f.Account, &f.Name)
		folders[id] = f
		return err
	}, "SELECT id, account, name FROM folder")
	if err != nil {
		return nil, err
	}
	find, err := tx.PrepareContext(ctx, "SELECT "+recordColumns+" FROM record WHERE key = ?")
	if err != nil {
		return nil, err
	}
	defer find.Close()
	packs, err := newPacks(ctx, tx)
	defer packs.close()
	if err != nil {
		return nil, err
	}
	size := 0
	for _, k := range keys {
		row, number := ledger.Row{FolderID: k >> seqBits, Folder: folders[k>>seqBits]}, int64(0)
		if err := scanRow(find.QueryRowContext(ctx, k), &row, &number); err != nil {
			return rows, err
		}
		if err := packs.read(ctx, &row); err != nil {
			return rows, err
		}
		l, err := r.label(ctx, tx, number)
		if err != nil {
			return rows, err
		}
		l.put(&row.Record)
		rows = append(rows, row)
		if size += len(row.JSON); size > pageBytes {
			break
		}
	}
	return rows, nil
}
