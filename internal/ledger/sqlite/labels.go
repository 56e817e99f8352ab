package sqlite

import (
	"context"
	"database/sql"
	"sync"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// label is what many records have in common: a row of the table of that name.
type label struct {
	event, class, provider, feed, identity, verdict string
}

func labelOf(r *ledger.Record) label {
	return label{r.Event, r.Class, r.Provider, r.Feed, r.Identity, r.Verdict}
}

func labelOfCount(c ledger.Count) label {
	return label{c.Event, c.Class, c.Provider, c.Feed, c.Identity, c.Verdict}
}

func (l label) put(r *ledger.Record) {
	r.Event, r.Class, r.Provider, r.Feed, r.Identity, r.Verdict = l.event, l.class, l.provider, l.feed, l.identity, l.verdict
}

// labelsMost bounds the labels that are held in memory: a sender chooses his domain,
// and it names the provider.
const labelsMost = 4096

// labels are the labels that a reader knows, by number. A label never changes.
type labels struct {
	mu    sync.Mutex
	known map[int64]label
}

const labelColumns = "event, class, provider, feed, identity, verdict"

// label returns a label by its number.
func (r *reader) label(ctx context.Context, on queryer, id int64) (l label, err error) {
	r.labels.mu.Lock()
	defer r.labels.mu.Unlock()
	if l, ok := r.labels.known[id]; ok {
		return l, nil
	}
	err = on.QueryRowContext(ctx, "SELECT "+labelColumns+" FROM label WHERE id = ?", id).
		Scan(&l.event, &l.class, &l.provider, &l.feed, &l.identity, &l.verdict)
	if err != nil {
		return l, err
	}
	if r.labels.known == nil || len(r.labels.known) >= labelsMost {
		r.labels.known = make(map[int64]label)
	}
	r.labels.known[id] = l
	return l, nil
}

// label returns the number of a label, and makes it if there is none.
func (t tx) label(l label) (id int64, err error) {
	if id, ok := t.s.numbers[l]; ok {
		return id, nil
	}
	values := []any{l.event, l.class, l.provider, l.feed, l.identity, l.verdict}
	err = t.row([]any{&id}, "SELECT id FROM label WHERE ("+labelColumns+") = (?, ?, ?, ?, ?, ?)", values...)
	if err == sql.ErrNoRows {
		err = t.row([]any{&id}, "INSERT INTO label ("+labelColumns+") VALUES (?, ?, ?, ?, ?, ?) RETURNING id", values...)
	}
	if err != nil {
		return 0, err
	}
	if len(t.s.numbers) >= labelsMost {
		clear(t.s.numbers)
	}
	t.s.numbers[l] = id
	return id, nil
}
