package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/klauspost/compress/s2"
)

// repack makes the packs of schema 5. In schema 4 each record had its JSON beside it,
// and a pack of heads had a number of its own.
func repack(ctx context.Context, c *sql.Conn) error {
	if err := repackRecords(ctx, c); err != nil {
		return err
	}
	return repackHeads(ctx, c)
}

func repackRecords(ctx context.Context, c *sql.Conn) error {
	var p recordPacker
	insert, err := c.PrepareContext(ctx, "INSERT INTO pack (key, pack) VALUES (?, ?)")
	if err != nil {
		return err
	}
	defer insert.Close()
	write := func(key int64, pack []byte) error {
		_, err := insert.ExecContext(ctx, key, pack)
		return err
	}
	for last, more := int64(-1), true; more; {
		more = false
		err := eachOf(ctx, c, func(rows *sql.Rows) error {
			var id string
			var json sql.RawBytes
			if err := rows.Scan(&last, &id, &json); err != nil {
				return err
			}
			more = true
			return p.add(last, id, json, write)
		}, "SELECT key, id, json FROM record_4 WHERE key > ? ORDER BY key LIMIT ?", last, pageRows)
		if err != nil {
			return err
		}
	}
	return p.flush(write)
}

func repackHeads(ctx context.Context, c *sql.Conn) error {
	// Those without a kept head come first.
	var n int64
	err := c.QueryRowContext(ctx, "SELECT 1 + count(*) FROM mail_4 WHERE head IS NULL OR head NOT IN (SELECT id FROM head_4)").Scan(&n)
	if err != nil {
		return err
	}
	insert, err := c.PrepareContext(ctx, "INSERT INTO head (mail, at, pack) VALUES (?, ?, ?)")
	if err != nil {
		return err
	}
	defer insert.Close()
	var p packer
	for last := int64(-1); ; {
		var at int64
		var data []byte
		err := c.QueryRowContext(ctx, "SELECT id, at, pack FROM head_4 WHERE id > ? ORDER BY id LIMIT 1", last).Scan(&last, &at, &data)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		plain, err := s2.Decode(nil, data)
		var heads [][]byte
		if err == nil {
			heads, err = split(nil, plain)
		}
		damaged := err != nil // its messages go on without their heads
		packed := int64(0)
		err = eachOf(ctx, c, func(rows *sql.Rows) error {
			var piece int
			if err := rows.Scan(&piece); err != nil {
				return err
			}
			packed++
			if damaged || piece >= len(heads) {
				p.add(nil)
			} else {
				p.add(heads[piece])
			}
			return nil
		}, "SELECT piece FROM mail_4 WHERE head = ? ORDER BY piece", last)
		if err != nil {
			return err
		}
		if packed == 0 { // all its messages were known when it was written
			continue
		}
		if _, err := insert.ExecContext(ctx, n, at, p.pack(packedPlain)); err != nil {
			return err
		}
		n += packed
	}
}
