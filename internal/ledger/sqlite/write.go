package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

func (s *store) Todos(ctx context.Context, claim ledger.Claim, limit int) ([]ledger.Todo, error) {
	var todos []ledger.Todo
	err := s.write(ctx, func(t tx) error {
		if _, _, err := t.fence(claim); err != nil {
			return err
		}
		stmt, err := t.prepare("SELECT uidvalidity, uid, action FROM todo WHERE folder = ? ORDER BY id LIMIT ?")
		if err != nil {
			return err
		}
		rows, err := stmt.Query(claim.ID, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d ledger.Todo
			if err := rows.Scan((*bits)(&d.UIDValidity), &d.UID, &d.Action); err != nil {
				return err
			}
			todos = append(todos, d)
		}
		return rows.Err()
	})
	return todos, err
}

func (s *store) CompleteTodos(ctx context.Context, claim ledger.Claim, todos []ledger.Todo) error {
	return s.write(ctx, func(t tx) error {
		if _, _, err := t.fence(claim); err != nil {
			return err
		}
		for _, d := range todos {
			if err := t.exec("DELETE FROM todo WHERE folder = ? AND uidvalidity = ? AND uid = ? AND action = ?",
				claim.ID, int64(d.UIDValidity), d.UID, d.Action); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *store) Ack(ctx context.Context, sink string, replays int, folderID, seq int64) error {
	return s.write(ctx, func(t tx) error {
		var have int
		err := t.row([]any{&have}, "SELECT replays FROM sink WHERE name = ?", sink)
		if err != nil && !errors.Is(err, sql.ErrNoRows) || have > replays {
			return err
		}
		return t.ack(sink, folderID, seq)
	})
}

func (t tx) ack(sink string, folderID, seq int64) error {
	if err := t.exec("INSERT INTO sink (name) VALUES (?) ON CONFLICT DO NOTHING", sink); err != nil {
		return err
	}
	// Not beyond the last record: the next one would be skipped.
	res, err := t.result(`INSERT INTO cursor (sink, folder, seq)
		SELECT ?, id, min(?, next_seq - 1) FROM folder WHERE id = ?
		ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)`, sink, seq, folderID)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return ledger.NoFolder(folderID)
	}
	return t.forward(sink, folderID, seq)
}

func (s *store) Register(ctx context.Context, sink string, atHead bool) error {
	return s.write(ctx, func(t tx) error {
		res, err := t.result("INSERT INTO sink (name) VALUES (?) ON CONFLICT DO NOTHING", sink)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 || !atHead {
			return err
		}
		return t.exec("INSERT INTO cursor (sink, folder, seq) SELECT ?, id, next_seq - 1 FROM folder", sink)
	})
}

func (s *store) SetStates(ctx context.Context, states ...ledger.Status) error {
	states = append(slices.Clip(states), ledger.WriterStatus(s.run))
	texts := make([]string, len(states))
	for i, state := range states {
		var err error
		if texts[i], err = state.Format(s.run); err != nil {
			return fmt.Errorf("ledger: state %s: %w", state.Name, err)
		}
	}
	return s.write(ctx, func(t tx) error {
		now := ledger.Milli(time.Now())
		return t.insert("INSERT OR REPLACE INTO state (name, value, at)", 3, "", len(states), func(i int, args []any) []any {
			return append(args, states[i].Name, texts[i], now)
		})
	})
}

// pruneRows is the number of rows that one transaction of Prune drops: commits must not
// wait long.
const pruneRows = 500

func (s *store) Prune(ctx context.Context, heads, records time.Time) error {
	if !heads.IsZero() {
		err := s.drop(ctx, func(t tx) (int64, error) {
			res, err := t.result("DELETE FROM head WHERE mail IN (SELECT mail FROM head WHERE at < ? LIMIT ?)", ledger.Milli(heads), pruneRows)
			if err != nil {
				return 0, err
			}
			return res.RowsAffected()
		})
		if err != nil {
			return err
		}
	}
	if records.IsZero() {
		return nil
	}
	err := s.drop(ctx, func(t tx) (int64, error) { return t.dropRecords(records) })
	if err != nil {
		return err
	}
	return s.write(ctx, func(t tx) error {
		for _, table := range []string{"revision", "dead", "resend"} {
			if err := t.exec("DELETE FROM " + table + " WHERE key NOT IN (SELECT key FROM record)"); err != nil {
				return err
			}
		}
		return nil
	})
}

// drop calls some in one transaction after the other, until it drops fewer than
// pruneRows.
func (s *store) drop(ctx context.Context, some func(tx) (int64, error)) error {
	for n := int64(pruneRows); n == pruneRows; {
		err := s.write(ctx, func(t tx) (err error) {
			n, err = some(t)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dropRecords drops some records of before a time, and takes their JSON out of the packs.
func (t tx) dropRecords(before time.Time) (int64, error) {
	stmt, err := t.prepare("SELECT key FROM record INDEXED BY record_at WHERE at < ? ORDER BY at LIMIT ?")
	if err != nil {
		return 0, err
	}
	keys, err := keysOf(stmt.Query(ledger.Milli(before), pruneRows))
	if err != nil {
		return 0, err
	}
	slices.Sort(keys)
	err = chunks(len(keys), func(from, n int) error {
		args := make([]any, n)
		for i, key := range keys[from : from+n] {
			args[i] = key
		}
		return t.exec("DELETE FROM record WHERE key IN "+tuples(1, n), args...)
	})
	for rest := keys; err == nil && len(rest) > 0; {
		rest, err = t.erase(rest)
	}
	return int64(len(keys)), err
}

// erase empties the pieces of those of keys, ascending, that share a pack with the first,
// and returns the others. A pack without any record left goes.
func (t tx) erase(keys []int64) (others []int64, err error) {
	var first int64
	var data []byte
	if err := t.row([]any{&first, &data}, packOf, keys[0]); err != nil {
		return nil, err
	}
	pieces, err := unpack(data)
	if err != nil {
		return nil, err
	}
	end := first + int64(len(pieces)/2)
	if keys[0] >= end {
		return nil, errPack
	}
	for len(keys) > 0 && keys[0] < end {
		i := 2 * (keys[0] - first)
		pieces[i], pieces[i+1] = nil, nil
		keys = keys[1:]
	}
	if !slices.ContainsFunc(pieces, func(piece []byte) bool { return len(piece) > 0 }) {
		return keys, t.exec("DELETE FROM pack WHERE key = ?", first)
	}
	var p packer
	for _, piece := range pieces {
		p.add(piece)
	}
	return keys, t.exec("UPDATE pack SET pack = ? WHERE key = ?", p.pack(packedRecords), first)
}

func keysOf(rows *sql.Rows, err error) (keys []int64, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key int64
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}
