package sqlite

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

// write runs f in the one writing transaction: all or nothing. It checks ctx between
// statements, until the commit begins: statements are short, and an interrupt of each
// costs time.
func (s *store) write(ctx context.Context, f func(tx) error) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closed:
		return fmt.Errorf("ledger: %s: %w", s.path, fs.ErrClosed)
	}
	defer func() { <-s.turn }()
	t := tx{s, ctx}
	err := t.exec("BEGIN IMMEDIATE")
	if err != nil {
		return explain(s.path, err)
	}
	s.committed = s.committed[:0]
	if err = f(t); err == nil {
		err = t.exec("COMMIT")
	}
	if err != nil {
		s.forget()
		// SQLite may have rolled back by itself, which makes this one fail.
		s.conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return explain(s.path, err)
	}
	for _, f := range s.committed {
		f()
	}
	return nil
}

// after has f called when the transaction is committed.
func (t tx) after(f func()) { t.s.committed = append(t.s.committed, f) }

// forget drops what a transaction that is rolled back leaves in memory.
func (s *store) forget() {
	clear(s.numbers)
	s.heads.plain, s.records.plain = s.heads.plain[:0], s.records.plain[:0]
}

type tx struct {
	s   *store
	ctx context.Context
}

func (t tx) prepare(query string) (*sql.Stmt, error) {
	if err := t.ctx.Err(); err != nil {
		return nil, err
	}
	if stmt := t.s.stmts[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := t.s.conn.PrepareContext(context.WithoutCancel(t.ctx), query)
	if err == nil {
		t.s.stmts[query] = stmt
	}
	return stmt, err
}

func (t tx) exec(query string, args ...any) error {
	_, err := t.result(query, args...)
	return err
}

func (t tx) result(query string, args ...any) (sql.Result, error) {
	stmt, err := t.prepare(query)
	if err != nil {
		return nil, err
	}
	return stmt.Exec(args...)
}

// row scans the first row; sql.ErrNoRows if there is none.
func (t tx) row(dest []any, query string, args ...any) error {
	stmt, err := t.prepare(query)
	if err != nil {
		return err
	}
	return stmt.QueryRow(args...).Scan(dest...)
}

// chunks cuts n rows into statements of 32, 16, 8, 4, 2 and 1 rows: six
// prepared statements at most, and far fewer calls than a row each.
func chunks(n int, do func(from, rows int) error) error {
	for from, rows := 0, 32; from < n; {
		for rows > n-from {
			rows /= 2
		}
		if err := do(from, rows); err != nil {
			return err
		}
		from += rows
	}
	return nil
}

// tuples are n parenthesized lists of columns placeholders.
func tuples(n, columns int) string {
	one := "(?" + strings.Repeat(",?", columns-1) + ")"
	return one + strings.Repeat(","+one, n-1)
}

// insert runs one statement over n rows, head before their VALUES and tail
// after them. INSERT OR ROLLBACK spares SQLite the journal that it keeps to undo a part
// of a statement.
func (t tx) insert(head string, columns int, tail string, n int, values func(i int, args []any) []any) error {
	var args []any
	return chunks(n, func(from, rows int) error {
		args = args[:0]
		for i := from; i < from+rows; i++ {
			args = values(i, args)
		}
		return t.exec(head+" VALUES "+tuples(rows, columns)+tail, args...)
	})
}

func (s *store) Claim(ctx context.Context, folder ledger.Folder) (ledger.Claim, error) {
	claim := ledger.Claim{Folder: folder, Token: rand.Text()}
	err := s.write(ctx, func(t tx) error {
		var pending, marks string
		var contact, read int64
		err := t.row([]any{&claim.ID, (*bits)(&claim.Checkpoint.UIDValidity), &claim.Checkpoint.High, &pending, &marks, &contact, &read},
			`INSERT INTO folder (account, name, token, contact) VALUES (?, ?, ?, ?)
			ON CONFLICT (account, name) DO UPDATE SET token = excluded.token
			RETURNING id, uidvalidity, high, pending, marks, contact, read`, folder.Account, folder.Name, claim.Token, ledger.Milli(time.Now()))
		if err != nil {
			return err
		}
		claim.FirstSeen, claim.LastCommit = fromNoted(contact), fromNoted(read)
		return parseCheckpoint(&claim.Checkpoint, pending, marks)
	})
	if err != nil {
		return ledger.Claim{}, err
	}
	return claim, nil
}

// fence returns ErrClaimLost unless claim is the folder's last.
func (t tx) fence(claim ledger.Claim) (next int64, uidValidity uint64, err error) {
	err = t.row([]any{&next, (*bits)(&uidValidity)},
		"SELECT next_seq, uidvalidity FROM folder WHERE id = ? AND token = ?", claim.ID, claim.Token)
	if errors.Is(err, sql.ErrNoRows) {
		err = ledger.ErrClaimLost
	}
	return next, uidValidity, err
}

func (s *store) Commit(ctx context.Context, claim ledger.Claim, batch ledger.Batch) (ledger.Committed, error) {
	if err := batch.Check(); err != nil {
		return ledger.Committed{}, err
	}
	keys := make([]any, len(batch.Messages)) // of the messages, see idKey
	for i, m := range batch.Messages {
		keys[i] = idKey(m.ReportID)
	}
	var p ledger.Numbered
	err := s.write(ctx, func(t tx) error {
		next, uidValidity, err := t.fence(claim)
		if err != nil {
			return err
		}
		known, err := t.known(keys)
		if err != nil {
			return err
		}
		p, err = ledger.Number(claim, batch.Messages, known, next, t.brake())
		if err != nil {
			return err
		}
		if err := t.addMessages(claim, batch.Messages, keys, p); err != nil {
			return err
		}
		if err := t.addRecords(p.Rows); err != nil {
			return err
		}
		if err := t.addCounts(claim.ID, p.Counts, p.Kinds); err != nil {
			return err
		}
		if err := t.addTodos(claim, batch, uidValidity); err != nil {
			return err
		}
		c := batch.Checkpoint
		return t.exec(`UPDATE folder SET next_seq = ?, read = ?, uidvalidity = ?, high = ?, pending = ?, marks = ? WHERE id = ?`,
			p.Next, ledger.Milli(time.Now()), int64(c.UIDValidity), c.High, formatPending(c.Pending), formatMarks(&c), claim.ID)
	})
	if err != nil {
		return ledger.Committed{}, err
	}
	return p.Committed, nil
}

func (t tx) addMessages(claim ledger.Claim, messages []ledger.Message, keys []any, p ledger.Numbered) error {
	if len(p.New) == 0 {
		return nil
	}
	var first int64
	if err := t.row([]any{&first}, "SELECT 1 + coalesce(max(n), 0) FROM mail"); err != nil {
		return err
	}
	err := t.insert("INSERT OR ROLLBACK INTO mail (n, report_id, folder, uidvalidity, uid, kind, at, seq, records, size, origin)", 11, "", len(p.New),
		func(i int, args []any) []any {
			m := &messages[p.New[i].Index]
			return append(args, first+int64(i), keys[p.New[i].Index], claim.ID, int64(m.UIDValidity), m.UID, m.Kind, ledger.Milli(m.At),
				p.New[i].Seq, len(m.Records), m.Size, int64(m.Origin))
		})
	if err != nil {
		return err
	}
	if err := t.addHeads(messages, p.New, first); err != nil {
		return err
	}
	return t.index(keys, p.New, first)
}

// addHeads keeps the heads of new messages, of which the first one has the number first.
func (t tx) addHeads(messages []ledger.Message, added []ledger.NewMessage, first int64) error {
	now, start := ledger.Milli(time.Now()), 0
	flush := func(end int) error {
		pack := t.s.heads.pack(packedPlain)
		from := start
		start = end
		return t.exec("INSERT INTO head (mail, at, pack) VALUES (?, ?, ?)", first+int64(from), now, pack)
	}
	for i, m := range added {
		head := messages[m.Index].Head
		switch size := len(t.s.heads.plain); {
		case size == 0 && len(head) == 0:
			start = i + 1
			continue
		case size > 0 && size+len(head) > headsSize:
			if err := flush(i); err != nil {
				return err
			}
		}
		t.s.heads.add(head)
	}
	if len(t.s.heads.plain) == 0 {
		return nil
	}
	return flush(len(added))
}

func (t tx) addRecords(rows []ledger.Row) error {
	numbers := make([]int64, len(rows))
	for i := range rows {
		var err error
		if numbers[i], err = t.label(labelOf(&rows[i].Record)); err != nil {
			return err
		}
	}
	err := t.insert("INSERT OR ROLLBACK INTO record (key, label, revision, at, source_ip, domain, campaign, subscriber)", 8, "", len(rows),
		func(i int, args []any) []any {
			r := &rows[i]
			return append(args, key(r.FolderID, r.Seq), numbers[i], r.Revision, ledger.Milli(r.At), r.SourceIP, r.Domain, r.Campaign, r.Subscriber)
		})
	for i := range rows {
		if err == nil {
			err = t.s.records.add(key(rows[i].FolderID, rows[i].Seq), rows[i].ID, rows[i].JSON, t.addPack)
		}
	}
	if err == nil {
		err = t.s.records.flush(t.addPack)
	}
	return err
}

func (t tx) addPack(key int64, pack []byte) error {
	return t.exec("INSERT INTO pack (key, pack) VALUES (?, ?)", key, pack)
}

// brake counts by the rows of hourly.
func (t tx) brake() *ledger.Brake {
	return &ledger.Brake{Count: func(day time.Time, provider, feed string) (n int64, err error) {
		err = t.row([]any{&n}, "SELECT coalesce(sum(n), 0) FROM hourly CROSS JOIN label ON id = label WHERE hour >= ? AND hour < ? AND provider = ? AND feed = ? AND verdict = ?",
			ledger.Milli(day), ledger.Milli(day.Add(24*time.Hour)), provider, feed, string(report.SuppressYes))
		return n, err
	}}
}

func (t tx) addCounts(folder int64, byHour map[ledger.Count]int64, kinds map[string]int64) error {
	type count struct{ hour, label, n int64 }
	counts := make([]count, 0, len(byHour))
	for c, n := range byHour {
		number, err := t.label(labelOfCount(c))
		if err != nil {
			return err
		}
		counts = append(counts, count{ledger.Milli(c.Hour), number, n})
	}
	slices.SortFunc(counts, func(a, b count) int { return cmp.Or(cmp.Compare(a.hour, b.hour), cmp.Compare(a.label, b.label)) })
	err := t.insert("INSERT INTO hourly (hour, label, n)", 3, " ON CONFLICT DO UPDATE SET n = n + excluded.n", len(counts),
		func(i int, args []any) []any { return append(args, counts[i].hour, counts[i].label, counts[i].n) })
	for kind, n := range kinds {
		if err == nil {
			err = t.exec("INSERT INTO mail_count (folder, kind, n) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
				folder, kind, n)
		}
	}
	return err
}

func (t tx) addTodos(claim ledger.Claim, batch ledger.Batch, uidValidity uint64) error {
	if v := batch.Checkpoint.UIDValidity; v != uidValidity {
		if err := t.exec("DELETE FROM todo WHERE folder = ? AND uidvalidity <> ?", claim.ID, int64(v)); err != nil {
			return err
		}
	}
	return t.insert("INSERT INTO todo (folder, uidvalidity, uid, action)", 4, " ON CONFLICT DO NOTHING", len(batch.Todos),
		func(i int, args []any) []any {
			d := batch.Todos[i]
			return append(args, claim.ID, int64(d.UIDValidity), d.UID, d.Action)
		})
}
