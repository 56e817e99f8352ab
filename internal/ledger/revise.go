package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
)

func (s *store) Revise(ctx context.Context, revisions []Revision) (Revised, error) {
	var done Revised
	err := s.write(ctx, func(t tx) (err error) {
		done, err = t.revise(revisions)
		return err
	})
	if err != nil {
		return Revised{}, err
	}
	return done, nil
}

func (t tx) revise(revisions []Revision) (done Revised, err error) {
	for _, r := range revisions {
		rows, err := t.reviseMessage(r)
		if errors.Is(err, errStale) {
			done.Stale = append(done.Stale, r.ReportID)
			continue
		}
		if err != nil {
			return done, err
		}
		done.Rows = append(done.Rows, rows...)
	}
	sortRows(done.Rows)
	return done, nil
}

func sortRows(rows []Row) {
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.FolderID, b.FolderID), cmp.Compare(a.Seq, b.Seq))
	})
}

var errStale = errors.New("ledger: made of what is no longer current")

// reviseMail fails with errStale before it has written anything.
func (t tx) reviseMessage(r Revision) ([]Row, error) {
	var message struct{ folder, seq, records int64 }
	var kind string
	err := t.row([]any{&message.folder, &message.seq, &message.records, &kind},
		"SELECT folder, seq, records, kind FROM mail WHERE report_id = ?", r.ReportID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errStale
	}
	if err != nil {
		return nil, err
	}
	known, err := t.recordsOf(r.ReportID, message.folder, message.seq, message.records)
	if err != nil {
		return nil, err
	}
	changes, err := plan(r, kind, known)
	if err != nil {
		return nil, err
	}
	folder, next := Folder{}, int64(0)
	err = t.row([]any{&folder.Account, &folder.Name, &next}, // the row's lock makes commit order number order
		"UPDATE folder SET next_seq = next_seq + ? WHERE id = ? RETURNING account, name, next_seq", len(r.Records), message.folder)
	if err != nil {
		return nil, err
	}
	next -= int64(len(r.Records))
	rows := make([]Row, len(r.Records))
	for i, record := range r.Records {
		record.At = fromMilli(milli(record.At))
		rows[i] = Row{FolderID: message.folder, Folder: folder, Seq: next + int64(i), Record: record}
	}
	for _, old := range changes.replaced {
		if err := t.exec("UPDATE record SET replaced = 1 WHERE key = ?", key(message.folder, old)); err != nil {
			return nil, err
		}
	}
	if err := t.addRecords(rows); err != nil {
		return nil, err
	}
	for _, row := range rows {
		if err := t.exec("INSERT INTO revision (report_id, key) VALUES (?, ?)", r.ReportID, key(row.FolderID, row.Seq)); err != nil {
			return nil, err
		}
	}
	if len(changes.kinds) > 0 {
		if err := t.exec("UPDATE mail SET kind = ? WHERE report_id = ?", r.Kind, r.ReportID); err != nil {
			return nil, err
		}
	}
	return rows, t.addCounts(message.folder, changes.counts, changes.kinds)
}

// recordsOf reads all records that a message has, or had.
func (t tx) recordsOf(reportID string, folder, seq, n int64) (rows []Row, err error) {
	stmt, err := t.prepare(`SELECT seq, id, revision, at, event, class, provider, feed, identity, verdict, replaced FROM record
		WHERE key >= ? AND key < ? OR key IN (SELECT key FROM revision WHERE report_id = ?)`)
	if err != nil {
		return nil, err
	}
	found, err := stmt.Query(key(folder, seq), key(folder, seq+n), reportID)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var r Row
		var at int64
		if err := found.Scan(&r.Seq, &r.ID, &r.Revision, &at, &r.Event, &r.Class, &r.Provider, &r.Feed, &r.Identity, &r.Verdict, &r.Replaced); err != nil {
			return nil, err
		}
		r.At = fromMilli(at)
		rows = append(rows, r)
	}
	return rows, found.Err()
}

// changes is what a revision does beside adding records.
type changes struct {
	replaced []int64 // seqs
	counts   map[Count]int64
	kinds    map[string]int64 // empty where the kind stays
}

// plan compares a revision with what the ledger has of its message; errStale where
// the two do not belong together.
func plan(r Revision, kind string, known []Row) (changes, error) {
	c := changes{counts: make(map[Count]int64), kinds: make(map[string]int64)}
	last, current := make(map[string]int), make(map[string]*Row)
	for i := range known {
		row := &known[i]
		last[row.ID] = max(last[row.ID], row.Revision)
		if !row.Replaced {
			current[row.ID] = row
		}
	}
	drop := func(id string) bool {
		row := current[id]
		if row == nil {
			return false
		}
		c.replaced = append(c.replaced, row.Seq)
		c.counts[row.counted()]--
		delete(current, id)
		return true
	}
	for _, id := range r.Replaced {
		if !drop(id) {
			return c, errStale
		}
	}
	for i := range r.Records {
		record := &r.Records[i]
		if record.Revision != last[record.ID]+1 {
			return c, errStale
		}
		last[record.ID]++
		drop(record.ID)
		c.counts[record.counted()]++
	}
	if r.Kind != "" && r.Kind != kind {
		c.kinds[kind]--
		c.kinds[r.Kind]++
	}
	return c, nil
}
