package sqlite

import (
	"context"
	"database/sql"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

func (r *reader) Resends(ctx context.Context, sink string, limit int) (rows []ledger.Row, err error) {
	err = r.reading(ctx, func(tx *sql.Tx) error {
		var keys []int64
		var numbers []int
		err := eachOf(ctx, tx, func(found *sql.Rows) error {
			var key int64
			var number int
			err := found.Scan(&key, &number)
			keys, numbers = append(keys, key), append(numbers, number)
			return err
		}, `SELECT key, replay FROM resend INDEXED BY resend_sink JOIN record USING (key)
			WHERE sink = ? AND replaced = 0 ORDER BY id LIMIT ?`, sink, limit)
		if err != nil {
			return err
		}
		rows, err = r.recordsAt(ctx, tx, keys)
		for i := range rows {
			rows[i].Replay = numbers[i]
		}
		return err
	})
	return rows, err
}

func (s *store) Resent(ctx context.Context, sink string, rows []ledger.Row) error {
	return s.write(ctx, func(t tx) error {
		for _, row := range rows {
			err := t.exec("DELETE FROM resend WHERE sink = ? AND key = ? AND replay = ?", sink, key(row.FolderID, row.Seq), row.Replay)
			if err != nil {
				return err
			}
		}
		return nil
	})
}
