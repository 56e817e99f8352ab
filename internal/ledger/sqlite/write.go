package sqlite

import (
	"context"
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

func (s *store) Ack(ctx context.Context, sink string, folderID, seq int64) error {
	return s.write(ctx, func(t tx) error { return t.ack(sink, folderID, seq) })
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
	return nil
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
		if err := s.drop(ctx, "DELETE FROM head WHERE id IN (SELECT id FROM head WHERE at < ? LIMIT ?)", heads); err != nil {
			return err
		}
	}
	if records.IsZero() {
		return nil
	}
	if err := s.drop(ctx, "DELETE FROM record WHERE key IN (SELECT key FROM record WHERE at < ? LIMIT ?)", records); err != nil {
		return err
	}
	return s.write(ctx, func(t tx) error {
		return t.exec("DELETE FROM revision WHERE key NOT IN (SELECT key FROM record)")
	})
}

func (s *store) drop(ctx context.Context, query string, before time.Time) error {
	for n := int64(pruneRows); n == pruneRows; {
		err := s.write(ctx, func(t tx) error {
			res, err := t.result(query, ledger.Milli(before), pruneRows)
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
