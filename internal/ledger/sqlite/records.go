package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

const recordColumns = "key, label, revision, at, source_ip, domain, campaign, subscriber, replaced"

const (
	// pageRows and pageBytes bound what one read transaction fetches.
	pageRows  = 500
	pageBytes = 4 << 20
	// keyRows is how many keys of a span of time are held at once.
	keyRows = 1 << 20
)

// section is a part of a folder: its seqs above after, up to last.
type section struct {
	id          int64
	folder      ledger.Folder
	after, last int64
}

// filter is what the records of a query have in common.
type filter struct {
	labels   string // a condition on table label; empty: all
	args     []any  // of labels
	numbers  []int64
	replaced bool
	id       string

	timed     bool
	low, high int64 // of at, half open
}

// merged is the largest number of labels whose records are looked up by the index; with
// more of them all records of a section are looked through.
const merged = 16

func newFilter(q ledger.Query) *filter {
	f := &filter{replaced: q.Replaced, id: q.ID, timed: !q.Since.IsZero() || !q.Until.IsZero()}
	f.low, f.high = ledger.Span(q.Since, q.Until)
	for _, c := range []struct{ column, value string }{
		{"event", q.Event}, {"class", q.Class}, {"provider", q.Provider}, {"verdict", q.Verdict},
	} {
		if c.value != "" {
			f.labels += " AND " + c.column + " = ?"
			f.args = append(f.args, c.value)
		}
	}
	return f
}

// number looks up the labels.
func (r *reader) number(ctx context.Context, f *filter) error {
	if f.labels == "" {
		return nil
	}
	return r.each(ctx, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		f.numbers = append(f.numbers, id)
		return err
	}, "SELECT id FROM label WHERE true"+f.labels+" LIMIT ?", append(slices.Clip(f.args), merged+1)...)
}

// where is the condition on table record, beside that on its key.
func (f *filter) where() (where string, args []any) {
	if f.labels != "" {
		// + forbids the index: its order is not that of the key. The label is looked up for
		// each record, since each page would list all labels anew.
		where += " AND EXISTS (SELECT 1 FROM label WHERE id = +record.label" + f.labels + ")"
	}
	if !f.replaced {
		where += " AND replaced = 0"
	}
	args = slices.Clip(f.args)
	if f.timed {
		where += " AND +at >= ? AND +at < ?"
		args = append(args, f.low, f.high)
	}
	return where, args
}

// is reports whether a record has the id, or is one of the message of that id.
func (f *filter) is(id string) bool {
	return f.id == "" || id == f.id || strings.HasPrefix(id, f.id+".")
}

func (r *reader) Records(ctx context.Context, q ledger.Query) iter.Seq2[ledger.Row, error] {
	return func(yield func(ledger.Row, error) bool) {
		sections, err := r.sections(ctx, q)
		f := newFilter(q)
		if err == nil {
			err = r.number(ctx, f)
		}
		if err != nil {
			yield(ledger.Row{}, err)
			return
		}
		if f.labels != "" && len(f.numbers) == 0 {
			return
		}
		left := q.Limit
		more := func(row ledger.Row, err error) bool {
			if err == nil && !f.is(row.ID) {
				return true
			}
			left--
			return yield(row, err) && (q.Limit == 0 || left > 0)
		}
		for _, s := range sections {
			var some func(section) ([]int64, error)
			switch {
			case f.timed:
				some = r.timed(ctx, f)
			case f.labels != "" && len(f.numbers) <= merged:
				some = r.labelled(ctx, f)
			}
			if some != nil && !r.keys(ctx, s, f, some, more) || some == nil && !r.pages(ctx, s, f, more) {
				return
			}
		}
	}
}

func (r *reader) ReportIDs(ctx context.Context, prefix string, limit int) (ids []string, err error) {
	scan := func(rows *sql.Rows) error {
		var id storedID
		err := rows.Scan(&id)
		if strings.HasPrefix(string(id), prefix) {
			ids = append(ids, string(id))
		}
		return err
	}
	// In this order: one that is indexed meanwhile is found twice.
	if err := r.each(ctx, scan, "SELECT report_id FROM mail WHERE n > (SELECT n FROM indexed)"); err != nil {
		return nil, err
	}
	for _, hashes := range hashRanges(prefix) {
		if err := r.each(ctx, scan, `SELECT report_id FROM mail_id JOIN mail USING (n) WHERE hash >= ? AND hash <= ?
			ORDER BY hash LIMIT ?`, hashes[0], hashes[1], limit); err != nil {
			return nil, err
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return ids[:min(len(ids), limit)], nil
}

// sections lists where the records of q can be.
func (r *reader) sections(ctx context.Context, q ledger.Query) ([]section, error) {
	var sections []section
	var message struct{ n, folder, seq, records int64 }
	if q.ID != "" {
		report, _, _ := strings.Cut(q.ID, ".") // a record's id is that of its message, followed by .n
		n, err := r.find(ctx, report)
		if err != nil || n == 0 {
			return nil, err
		}
		message.n = n
		err = r.db.QueryRowContext(ctx, "SELECT folder, seq, records FROM mail WHERE n = ?", n).Scan(&message.folder, &message.seq, &message.records)
		if err != nil {
			return nil, r.explain(ctx, err)
		}
	}
	err := r.each(ctx, func(rows *sql.Rows) error {
		s := section{}
		if err := rows.Scan(&s.id, &s.folder.Account, &s.folder.Name, &s.last); err != nil {
			return err
		}
		if q.FolderID != 0 {
			s.after = q.AfterSeq
		}
		if q.ID != "" {
			s.after, s.last = max(s.after, message.seq-1), message.seq+message.records-1
		}
		if (q.FolderID == 0 || s.id == q.FolderID) && (q.Account == "" || s.folder.Account == q.Account) &&
			(q.Folder == "" || s.folder.Name == q.Folder) && (q.ID == "" || s.id == message.folder) {
			sections = append(sections, s)
		}
		return nil
	}, "SELECT id, account, name, next_seq - 1 FROM folder ORDER BY id")
	if err != nil || q.ID == "" || len(sections) == 0 {
		return sections, err
	}
	err = r.each(ctx, func(rows *sql.Rows) error { // its later revisions, each a section
		s := sections[0]
		err := rows.Scan(&s.last)
		if s.after = max(q.AfterSeq, s.last-1); err == nil && s.after < s.last {
			sections = append(sections, s)
		}
		return err
	}, "SELECT key & 1099511627775 FROM revision WHERE mail = ? ORDER BY key", message.n)
	return sections, err
}

func (r *reader) Unsent(ctx context.Context, sink string, without ...int64) iter.Seq2[ledger.Row, error] {
	var sections []section
	err := r.each(ctx, func(rows *sql.Rows) error {
		var s section
		err := rows.Scan(&s.id, &s.folder.Account, &s.folder.Name, &s.after, &s.last)
		if !slices.Contains(without, s.id) {
			sections = append(sections, s)
		}
		return err
	}, `SELECT id, account, name, coalesce(seq, 0), next_seq - 1 FROM folder
		LEFT JOIN cursor ON cursor.folder = id AND sink = ? WHERE coalesce(seq, 0) < next_seq - 1 ORDER BY id`, sink)
	var again replays
	if err == nil {
		again, err = r.replaysOf(ctx, sink) // after the cursors, which they are older than
	}
	return func(yield func(ledger.Row, error) bool) {
		if err != nil {
			yield(ledger.Row{}, err)
			return
		}
		for _, s := range sections {
			if !r.pages(ctx, s, &filter{replaced: true}, again.numbered(yield)) {
				return
			}
		}
	}
}

// pages yields the records of a section page by page, in the order of the key;
// false ends it.
func (r *reader) pages(ctx context.Context, s section, f *filter, yield func(ledger.Row, error) bool) bool {
	where, args := f.where()
	for s.after < s.last {
		page, whole, err := r.page(ctx, s, "key > ? AND key <= ?"+where+" ORDER BY key LIMIT ?",
			append(append([]any{key(s.id, s.after), key(s.id, s.last)}, args...), pageRows)...)
		for _, row := range page {
			if !yield(row, nil) {
				return false
			}
			s.after = row.Seq
		}
		if err != nil {
			yield(ledger.Row{}, err)
			return false
		}
		if whole && len(page) < pageRows {
			break
		}
	}
	return true
}

// keys yields those records of a section whose keys some returns, at most keyRows at
// once and in order, and none at the end.
func (r *reader) keys(ctx context.Context, s section, f *filter, some func(section) ([]int64, error), yield func(ledger.Row, error) bool) bool {
	where, args := f.where()
	for {
		keys, err := some(s)
		if err != nil {
			yield(ledger.Row{}, err)
			return false
		}
		if len(keys) == 0 {
			return true
		}
		s.after = keys[len(keys)-1] & (1<<seqBits - 1)
		for len(keys) > 0 {
			n := min(len(keys), pageRows)
			condition, values := "key >= ? AND key <= ?", []any{keys[0], keys[n-1]}
			if keys[n-1]-keys[0] >= 2*pageRows { // too many others between them
				n = min(n, pageRows/2)
				condition, values = "key IN "+tuples(1, n), anys(keys[:n])
			}
			page, whole, err := r.page(ctx, s, condition+where+" ORDER BY key", append(values, args...)...)
			for _, row := range page {
				if !yield(row, nil) {
					return false
				}
			}
			if err != nil {
				yield(ledger.Row{}, err)
				return false
			}
			if !whole {
				n = 1 + slices.Index(keys, key(s.id, page[len(page)-1].Seq))
			}
			keys = keys[n:]
		}
	}
}

// timed finds the keys of a query's span of time. The index by time is not in the order
// of the key.
func (r *reader) timed(ctx context.Context, f *filter) func(section) ([]int64, error) {
	return func(s section) ([]int64, error) {
		return keysOf(r.db.QueryContext(ctx, `SELECT key FROM record INDEXED BY record_at
			WHERE at >= ? AND at < ? AND key > ? AND key <= ? ORDER BY key LIMIT ?`,
			f.low, f.high, key(s.id, s.after), key(s.id, s.last), keyRows))
	}
}

// labelled finds the keys of a filter's labels. Each label has its keys in order.
func (r *reader) labelled(ctx context.Context, f *filter) func(section) ([]int64, error) {
	return func(s section) (keys []int64, err error) {
		whole := key(s.id, s.last) // up to here the keys are known
		for _, number := range f.numbers {
			some, err := keysOf(r.db.QueryContext(ctx, `SELECT key FROM record INDEXED BY record_label
				WHERE label = ? AND key > ? AND key <= ? ORDER BY key LIMIT ?`,
				number, key(s.id, s.after), key(s.id, s.last), pageRows))
			if err != nil {
				return nil, err
			}
			if len(some) == pageRows {
				whole = min(whole, some[pageRows-1])
			}
			keys = append(keys, some...)
		}
		slices.Sort(keys)
		end, _ := slices.BinarySearch(keys, whole+1)
		return keys[:end], nil
	}
}

// page reads records. It ends after about pageBytes, since reports may be long; whole
// reports whether it has all.
func (r *reader) page(ctx context.Context, s section, where string, args ...any) (page []ledger.Row, whole bool, err error) {
	tx, err := r.db.BeginTx(ctx, nil) // a record and its pack are of one state of the ledger
	if err != nil {
		return nil, false, r.explain(ctx, err)
	}
	defer tx.Rollback()
	var numbers []int64
	err = eachOf(ctx, tx, func(rows *sql.Rows) error {
		row, number := ledger.Row{FolderID: s.id, Folder: s.folder}, int64(0)
		err := scanRow(rows, &row, &number)
		page, numbers = append(page, row), append(numbers, number)
		return err
	}, "SELECT "+recordColumns+" FROM record WHERE "+where, args...)
	if err != nil {
		return nil, false, r.explain(ctx, err)
	}
	packs, err := newPacks(ctx, tx)
	defer packs.close()
	size := 0
	for i := range page {
		row := &page[i]
		if err == nil {
			err = packs.read(ctx, row)
		}
		var l label
		if err == nil {
			l, err = r.label(ctx, tx, numbers[i])
		}
		if err != nil {
			return page[:i], false, r.explain(ctx, err)
		}
		l.put(&row.Record)
		if size += len(row.JSON); size > pageBytes {
			return page[:i+1], false, nil
		}
	}
	return page, true, r.explain(ctx, err)
}

// scanRow scans recordColumns of a *sql.Rows or *sql.Row.
func scanRow(rows interface{ Scan(...any) error }, row *ledger.Row, label *int64) error {
	var k, at int64
	err := rows.Scan(&k, label, &row.Revision, &at, &row.SourceIP, &row.Domain, &row.Campaign, &row.Subscriber, &row.Replaced)
	row.Seq, row.At = k&(1<<seqBits-1), ledger.FromMilli(at)
	return err
}

var errEnough = errors.New("ledger: enough")
