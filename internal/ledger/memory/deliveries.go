package memory

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// delivery is what the ledger keeps about the way to one sink.
type delivery struct {
	known    bool            // it was registered, or has acknowledged
	cursors  map[int64]int64 // by folder
	replays  int             // that set cursors back
	replay   int             // the number of the last one of any kind
	replayed []replayed
	resends  []place
	dead     map[place]ledger.DeadLetter
	batches  map[int64]ledger.StoredBatch
	waitings map[int64]ledger.Waiting
	acted    map[ledger.ActKey]time.Time
}

// place is a record's. replay is the number of a Replay, of resends only.
type place struct {
	folder, seq int64
	replay      int
}

// replayed are the Seqs of a folder above after, up to last.
type replayed struct {
	folder, after, last int64
	replay              int
}

func placeOf(row ledger.Row) place { return place{folder: row.FolderID, seq: row.Seq} }

// sink returns what there is of a sink, for changes.
func (m *memory) sink(name string) *delivery {
	if m.sinks[name] == nil {
		m.sinks[name] = &delivery{
			cursors: make(map[int64]int64), dead: make(map[place]ledger.DeadLetter), batches: make(map[int64]ledger.StoredBatch),
			waitings: make(map[int64]ledger.Waiting), acted: make(map[ledger.ActKey]time.Time),
		}
	}
	return m.sinks[name]
}

// look calls f with what there is of a sink, maybe nothing.
func (m *memory) look(ctx context.Context, sink string, f func(*delivery)) error {
	leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	d := m.sinks[sink]
	if d == nil {
		d = &delivery{}
	}
	f(d)
	return nil
}

// change calls f with a sink.
func (m *memory) change(ctx context.Context, sink string, f func(*delivery)) error {
	leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	f(m.sink(sink))
	return nil
}

// row returns a record; nil: there is none.
func (m *memory) row(folder, seq int64) *ledger.Row {
	f := m.folder(folder)
	i, ok := slices.BinarySearchFunc(f.records, seq, func(r ledger.Row, seq int64) int { return cmp.Compare(r.Seq, seq) })
	if !ok {
		return nil
	}
	return &f.records[i]
}

// forward drops what a sink kept for records up to seq.
func (d *delivery) forward(folder, seq int64) {
	if d.batches[folder].Last <= seq {
		delete(d.batches, folder)
	}
	if d.waitings[folder].Seq <= seq {
		delete(d.waitings, folder)
	}
}

func (m *memory) Replays(ctx context.Context, sink string) (n int, err error) {
	err = m.look(ctx, sink, func(d *delivery) { n = d.replays })
	return n, err
}

func (m *memory) Lag(ctx context.Context, sink string) (n int64, since time.Time, err error) {
	first := func(r *ledger.Row) {
		if since.IsZero() || r.At.Before(since) {
			since = r.At
		}
	}
	err = m.look(ctx, sink, func(d *delivery) {
		for _, f := range m.folders {
			i := slices.IndexFunc(f.records, func(r ledger.Row) bool { return r.Seq > d.cursors[f.claim.ID] })
			if i >= 0 {
				n += f.next - f.records[i].Seq
				first(&f.records[i])
			}
		}
		for _, p := range d.resends {
			if row := m.row(p.folder, p.seq); row != nil && !row.Replaced {
				n++
				first(row)
			}
		}
	})
	return n, since, err
}

func (m *memory) Bury(ctx context.Context, dead []ledger.DeadLetter) error {
	leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for _, d := range dead {
		d.At = ledger.FromMilli(ledger.Milli(d.At))
		m.sink(d.Sink).dead[placeOf(d.Row)] = d
	}
	return nil
}

func (m *memory) DeadCounts(ctx context.Context) (counts []ledger.DeadCount, err error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	for _, sink := range slices.Sorted(maps.Keys(m.sinks)) {
		if n := len(m.sinks[sink].dead); n > 0 {
			counts = append(counts, ledger.DeadCount{Sink: sink, N: int64(n)})
		}
	}
	return counts, nil
}

func (m *memory) DeadLetters(ctx context.Context, sink string) iter.Seq2[ledger.DeadLetter, error] {
	return func(yield func(ledger.DeadLetter, error) bool) {
		leave, err := m.enter(ctx)
		if err != nil {
			yield(ledger.DeadLetter{}, err)
			return
		}
		var all []ledger.DeadLetter
		for name, d := range m.sinks {
			for p, letter := range d.dead {
				if row := m.row(p.folder, p.seq); row != nil && (sink == "" || sink == name) {
					letter.Row = *row
					all = append(all, letter)
				}
			}
		}
		leave()
		slices.SortFunc(all, func(a, b ledger.DeadLetter) int {
			return cmp.Or(cmp.Compare(a.Sink, b.Sink), cmp.Compare(a.FolderID, b.FolderID), cmp.Compare(a.Seq, b.Seq))
		})
		for _, letter := range all {
			if !yield(letter, nil) {
				return
			}
		}
	}
}

func (m *memory) Resends(ctx context.Context, sink string, limit int) (rows []ledger.Row, err error) {
	err = m.look(ctx, sink, func(d *delivery) {
		for _, p := range d.resends {
			if row := m.row(p.folder, p.seq); row != nil && !row.Replaced && len(rows) < limit {
				rows = append(rows, *row)
				rows[len(rows)-1].Replay = p.replay
			}
		}
	})
	return rows, err
}

func (m *memory) Resent(ctx context.Context, sink string, rows []ledger.Row) error {
	return m.change(ctx, sink, func(d *delivery) {
		d.resends = slices.DeleteFunc(d.resends, func(p place) bool {
			return slices.ContainsFunc(rows, func(r ledger.Row) bool { return p == place{r.FolderID, r.Seq, r.Replay} })
		})
	})
}

// byFolder are the values of a map in the order of its keys.
func byFolder[T any](of map[int64]T) (all []T) {
	for _, folder := range slices.Sorted(maps.Keys(of)) {
		all = append(all, of[folder])
	}
	return all
}

func (m *memory) Batches(ctx context.Context, sink string) (batches []ledger.StoredBatch, err error) {
	err = m.look(ctx, sink, func(d *delivery) { batches = byFolder(d.batches) })
	return batches, err
}

func (m *memory) SetBatch(ctx context.Context, sink string, b ledger.StoredBatch) error {
	return m.change(ctx, sink, func(d *delivery) {
		b.Data = slices.Clone(b.Data)
		if d.batches[b.FolderID] = b; len(b.Data) == 0 {
			delete(d.batches, b.FolderID)
		}
	})
}

func (m *memory) Waitings(ctx context.Context, sink string) (waitings []ledger.Waiting, err error) {
	err = m.look(ctx, sink, func(d *delivery) { waitings = byFolder(d.waitings) })
	return waitings, err
}

func (m *memory) SetWaiting(ctx context.Context, sink string, w ledger.Waiting) error {
	w.Since = ledger.FromMilli(ledger.Milli(w.Since))
	return m.change(ctx, sink, func(d *delivery) { d.waitings[w.FolderID] = w })
}

func (m *memory) Acted(ctx context.Context, sink string, key ledger.ActKey) (at time.Time, err error) {
	err = m.look(ctx, sink, func(d *delivery) { at = d.acted[key] })
	return at, err
}

func (m *memory) SetActed(ctx context.Context, sink string, keys []ledger.ActKey, at time.Time) error {
	return m.change(ctx, sink, func(d *delivery) {
		for _, key := range keys {
			d.acted[key] = ledger.FromMilli(ledger.Milli(at))
		}
	})
}
