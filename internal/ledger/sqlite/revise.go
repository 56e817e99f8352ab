package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

func (s *store) Revise(ctx context.Context, revisions []ledger.Revision) (ledger.Revised, error) {
	var done ledger.Revised
	err := s.write(ctx, func(t tx) (err error) {
		done, err = t.revise(revisions)
		return err
	})
	if err != nil {
		return ledger.Revised{}, err
	}
	return done, nil
}

func (t tx) revise(revisions []ledger.Revision) (done ledger.Revised, err error) {
	brake := t.brake()
	for _, r := range revisions {
		brake.Recount()
		rows, err := t.reviseMessage(r, brake)
		if errors.Is(err, ledger.ErrStale) {
			done.Stale = append(done.Stale, r.ReportID)
			continue
		}
		if err != nil {
			return done, err
		}
		done.Rows = append(done.Rows, rows...)
	}
	ledger.SortRows(done.Rows)
	done.Over = brake.Over()
	return done, nil
}

// reviseMessage fails with ErrStale before it has written anything.
func (t tx) reviseMessage(r ledger.Revision, brake *ledger.Brake) ([]ledger.Row, error) {
	ctx := context.WithoutCancel(t.ctx)
	if t.s.recent.loaded == 0 {
		if err := t.s.recent.load(ctx, t.s.conn); err != nil {
			return nil, err
		}
	}
	var message struct{ n, folder, seq, records int64 }
	var kind string
	var err error
	if message.n, err = t.s.recent.find(ctx, t.s.conn, r.ReportID); err != nil {
		return nil, err
	}
	err = t.row([]any{&message.folder, &message.seq, &message.records, &kind}, "SELECT folder, seq, records, kind FROM mail WHERE n = ?", message.n)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ledger.ErrStale
	}
	if err != nil {
		return nil, err
	}
	known, err := t.recordsOf(message.n, message.folder, message.seq, message.records)
	if err != nil {
		return nil, err
	}
	changes, err := r.Changes(kind, known, brake)
	if err != nil {
		return nil, err
	}
	folder, next := ledger.Folder{}, int64(0)
	err = t.row([]any{&folder.Account, &folder.Name, &next}, // the row's lock makes commit order number order
		"UPDATE folder SET next_seq = next_seq + ? WHERE id = ? RETURNING account, name, next_seq", len(r.Records), message.folder)
	if err != nil {
		return nil, err
	}
	next -= int64(len(r.Records))
	rows := make([]ledger.Row, len(r.Records))
	for i, record := range changes.Records {
		rows[i] = ledger.Row{FolderID: message.folder, Folder: folder, Seq: next + int64(i), Record: record}
	}
	for _, old := range changes.Replaced {
		if err := t.exec("UPDATE record SET replaced = 1 WHERE key = ?", key(message.folder, old)); err != nil {
			return nil, err
		}
	}
	if err := t.addRecords(rows); err != nil {
		return nil, err
	}
	for _, row := range rows {
		if err := t.exec("INSERT INTO revision (mail, key) VALUES (?, ?)", message.n, key(row.FolderID, row.Seq)); err != nil {
			return nil, err
		}
	}
	if len(changes.Kinds) > 0 {
		if err := t.exec("UPDATE mail SET kind = ? WHERE n = ?", r.Kind, message.n); err != nil {
			return nil, err
		}
	}
	return rows, t.addCounts(message.folder, changes.Counts, changes.Kinds)
}

// recordsOf reads all records that a message has, or had.
func (t tx) recordsOf(message, folder, seq, n int64) (rows []ledger.Row, err error) {
	ctx := context.WithoutCancel(t.ctx) // an interrupt of each statement costs time
	err = eachOf(ctx, t.s.conn, func(found *sql.Rows) error {
		row, l := ledger.Row{FolderID: folder}, label{}
		var k, at int64
		err := found.Scan(&k, &row.Revision, &at, &row.Replaced, &l.event, &l.class, &l.provider, &l.feed, &l.identity, &l.verdict)
		row.Seq, row.At = k&(1<<seqBits-1), ledger.FromMilli(at)
		l.put(&row.Record)
		rows = append(rows, row)
		return err
	}, "SELECT key, revision, at, replaced, "+labelColumns+` FROM record JOIN label ON id = label
		WHERE key >= ? AND key < ? OR key IN (SELECT key FROM revision WHERE mail = ?) ORDER BY key`,
		key(folder, seq), key(folder, seq+n), message)
	if err != nil {
		return nil, err
	}
	packs, err := newPacks(ctx, t.s.conn)
	defer packs.close()
	for i := range rows {
		if err == nil {
			err = packs.read(ctx, &rows[i])
		}
	}
	return rows, err
}
