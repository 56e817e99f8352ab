package sqlite

import (
	"cmp"
	"context"
	"slices"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// mergeFactor is how many recent ids go into the table mail_id for each new one, until
// all of a merge are in it.
const mergeFactor = 8

// merge is recent ids on their way into the table mail_id. It goes on from commit to
// commit. If the process ends before, the next one starts again.
type merge struct {
	ids  []hashed // in the order of the table
	done int
	upTo int64 // the last message of ids
}

type hashed struct{ hash, n int64 }

// known returns those report ids, given by their keys, that the ledger holds, and maybe
// others.
func (t tx) known(keys []any) (map[string]bool, error) {
	ctx, ids := context.WithoutCancel(t.ctx), &t.s.recent
	if t.s.recent.loaded == 0 {
		if err := ids.load(ctx, t.s.conn); err != nil {
			return nil, err
		}
	}
	var candidates []any
	hashes := make([]int64, len(keys))
	for i, key := range keys {
		hashes[i] = hashOf(key)
		for _, n := range ids.of(hashes[i]) {
			candidates = append(candidates, n)
		}
	}
	if ids.indexed > 0 {
		slices.Sort(hashes) // each page is visited once
		err := t.in("SELECT n FROM mail_id WHERE hash IN ", anys(hashes), func(scan func(...any) error) error {
			var n int64
			err := scan(&n)
			candidates = append(candidates, n)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	known := make(map[string]bool)
	err := t.in("SELECT report_id FROM mail WHERE n IN ", candidates, func(scan func(...any) error) error {
		var id storedID
		err := scan(&id)
		known[string(id)] = true
		return err
	})
	return known, err
}

// in queries for many values, in chunks.
func (t tx) in(query string, values []any, each func(scan func(...any) error) error) error {
	return chunks(len(values), func(from, n int) error {
		stmt, err := t.prepare(query + tuples(1, n))
		if err != nil {
			return err
		}
		rows, err := stmt.Query(values[from : from+n]...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := each(rows.Scan); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

func anys(values []int64) []any {
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = v
	}
	return all
}

// index notes the ids of new messages, of which the first one has the number first, and
// takes a merge further.
func (t tx) index(keys []any, added []ledger.NewMessage, first int64) error {
	s := t.s
	t.after(func() {
		for i, m := range added {
			s.recent.add(hashOf(keys[m.Index]), first+int64(i))
		}
	})
	if len(s.merge.ids) == 0 {
		if len(s.recent.byHash) < s.recentMost {
			return nil
		}
		s.merge = newMerge(&s.recent)
	}
	m := &s.merge
	some := m.ids[m.done:min(len(m.ids), m.done+mergeFactor*len(added))]
	// What an earlier process began is there already.
	err := t.insert("INSERT OR IGNORE INTO mail_id (hash, n)", 2, "", len(some), func(i int, args []any) []any {
		return append(args, some[i].hash, some[i].n)
	})
	last := m.done+len(some) == len(m.ids)
	if err == nil && last {
		err = t.exec("UPDATE indexed SET n = ?", m.upTo)
	}
	t.after(func() {
		m.done += len(some)
		if last {
			s.recent.forget(m.upTo)
			s.merge = merge{}
		}
	})
	return err
}

func newMerge(r *recent) merge {
	m := merge{upTo: r.loaded}
	for hash, n := range r.byHash {
		m.ids = append(m.ids, hashed{hash, n})
	}
	for hash, some := range r.alike {
		for _, n := range some {
			m.ids = append(m.ids, hashed{hash, n})
		}
	}
	slices.SortFunc(m.ids, func(a, b hashed) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.n, b.n)) })
	return m
}
