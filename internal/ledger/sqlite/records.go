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

const recordColumns = "id, revision, at, event, class, provider, feed, source_ip, domain, campaign, subscriber, identity, verdict, json"

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

// filter is a condition on record, its values always bound.
type filter struct {
	where strings.Builder
	args  []any
}

func (f *filter) and(condition string, args ...any) {
	f.where.WriteString(" AND " + condition)
	f.args = append(f.args, args...)
}

func (f *filter) equal(column, value string) {
	if value != "" {
		f.and(column+" = ?", value)
	}
}

func (r *reader) Records(ctx context.Context, q ledger.Query) iter.Seq2[ledger.Row, error] {
	return func(yield func(ledger.Row, error) bool) {
		sections, err := r.sections(ctx, q)
		if err != nil {
			yield(ledger.Row{}, err)
			return
		}
		var f filter
		// Of two indexes SQLite would take either, and + forbids one. Most
		// records are complaints.
		switch {
		case q.Provider != "" && q.Event == "complaint":
			f.equal("provider", q.Provider)
			f.equal("+event", q.Event)
		case q.Provider != "" && q.Event != "":
			f.equal("+provider", q.Provider)
			f.equal("event", q.Event)
		default:
			f.equal("provider", q.Provider)
			f.equal("event", q.Event)
		}
		f.equal("class", q.Class)
		f.equal("verdict", q.Verdict)
		if !q.Replaced {
			f.and("replaced = 0")
		}
		if q.ID != "" {
			// The id itself, or all of a message: "/" is the octet after ".".
			f.and("(id = ? OR id >= ? AND id < ?)", q.ID, q.ID+".", q.ID+"/")
		}
		timed := !q.Since.IsZero() || !q.Until.IsZero()
		left := q.Limit
		more := func(row ledger.Row, err error) bool {
			left--
			return yield(row, err) && (q.Limit == 0 || left > 0)
		}
		for _, s := range sections {
			if timed && !r.span(ctx, s, q, &f, more) || !timed && !r.pages(ctx, s, &f, more) {
				return
			}
		}
	}
}

func (r *reader) ReportIDs(ctx context.Context, prefix string, limit int) (ids []string, err error) {
	err = r.each(ctx, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, "SELECT report_id FROM mail WHERE report_id >= ? AND report_id < ? ORDER BY report_id LIMIT ?", prefix, prefix+"\xff", limit)
	return ids, err
}

// sections lists where the records of q can be.
func (r *reader) sections(ctx context.Context, q ledger.Query) ([]section, error) {
	var sections []section
	var message struct{ folder, seq, records int64 }
	// A record's id is that of its message, followed by .n.
	report, _, _ := strings.Cut(q.ID, ".")
	if q.ID != "" {
		err := r.db.QueryRowContext(ctx, "SELECT folder, seq, records FROM mail WHERE report_id = ?", report).
			Scan(&message.folder, &message.seq, &message.records)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
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
	}, "SELECT key & 1099511627775 FROM revision WHERE report_id = ? ORDER BY key", report)
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
	return func(yield func(ledger.Row, error) bool) {
		if err != nil {
			yield(ledger.Row{}, err)
			return
		}
		for _, s := range sections {
			if !r.pages(ctx, s, &filter{}, yield) {
				return
			}
		}
	}
}

// pages yields the records of a section page by page, in the order of the key;
// false ends it.
func (r *reader) pages(ctx context.Context, s section, f *filter, yield func(ledger.Row, error) bool) bool {
	for s.after < s.last {
		page, whole, err := r.page(ctx, s, "key > ? AND key <= ?"+f.where.String()+" ORDER BY key LIMIT ?",
			append([]any{key(s.id, s.after), key(s.id, s.last)}, append(f.args[:len(f.args):len(f.args)], pageRows)...))
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

// span yields those records of a section that fall into the query's time. The
// index by time is not in the order of the key, so it gives keys first.
func (r *reader) span(ctx context.Context, s section, q ledger.Query, f *filter, yield func(ledger.Row, error) bool) bool {
	low, high := ledger.Span(q.Since, q.Until)
	for {
		var keys []any
		err := r.each(ctx, func(rows *sql.Rows) error {
			var k int64
			err := rows.Scan(&k)
			keys = append(keys, k)
			return err
		}, `SELECT key FROM record INDEXED BY record_at WHERE at >= ? AND at < ? AND key > ? AND key <= ? ORDER BY key LIMIT ?`,
			low, high, key(s.id, s.after), key(s.id, s.last), keyRows)
		if err != nil {
			yield(ledger.Row{}, err)
			return false
		}
		for rest := keys; len(rest) > 0; {
			n := min(len(rest), pageRows/2)
			page, whole, err := r.page(ctx, s, "key IN "+tuples(1, n)+f.where.String()+" ORDER BY key",
				append(rest[:n:n], f.args...))
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
				n = 1 + slices.Index(rest, any(key(s.id, page[len(page)-1].Seq)))
			}
			rest = rest[n:]
		}
		if len(keys) < keyRows {
			return true
		}
		s.after = keys[len(keys)-1].(int64) & (1<<seqBits - 1)
	}
}

// page reads records. It ends after about pageBytes, since reports may be long; whole
// reports whether it has all.
func (r *reader) page(ctx context.Context, s section, where string, args []any) (page []ledger.Row, whole bool, err error) {
	size := 0
	err = r.each(ctx, func(rows *sql.Rows) error {
		row := ledger.Row{FolderID: s.id, Folder: s.folder}
		var at int64
		err := rows.Scan(&row.Seq, &row.ID, &row.Revision, &at, &row.Event, &row.Class, &row.Provider, &row.Feed,
			&row.SourceIP, &row.Domain, &row.Campaign, &row.Subscriber, &row.Identity, &row.Verdict, &row.JSON, &row.Replaced)
		if err != nil {
			return err
		}
		row.At = ledger.FromMilli(at)
		page = append(page, row)
		if size += len(row.JSON); size > pageBytes {
			return errPageFull
		}
		return nil
	}, "SELECT seq, "+recordColumns+", replaced FROM record WHERE "+where, args...)
	if errors.Is(err, errPageFull) {
		return page, false, nil
	}
	return page, true, err
}

var (
	errPageFull = errors.New("ledger: page full")
	errEnough   = errors.New("ledger: enough")
)
