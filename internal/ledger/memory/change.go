package memory

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

func (m *memory) Do(ctx context.Context, c ledger.Change) (ledger.Changed, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return ledger.Changed{}, err
	}
	defer leave()
	for _, a := range c.Ack { // before anything is changed
		if m.folder(a.FolderID) == nil {
			return ledger.Changed{}, ledger.NoFolder(a.FolderID)
		}
	}
	for _, r := range c.Replay {
		acked := slices.ContainsFunc(c.Ack, func(a ledger.Acked) bool { return a.Sink == r.Sink })
		if known := m.known(); !acked && !slices.Contains(known, r.Sink) {
			return ledger.Changed{}, ledger.NoSink(r.Sink, known)
		}
	}
	revised := m.revise(c.Revise)
	done := ledger.Changed{Records: len(revised.Rows), Stale: revised.Stale, Over: revised.Over}
	for _, a := range c.Ack {
		m.ack(a.Sink, a.FolderID, a.Seq)
	}
	for _, r := range c.Replay {
		done.Resent += m.replay(r)
	}
	return done, nil
}

// known lists the sinks that are known.
func (m *memory) known() (names []string) {
	for name, d := range m.sinks {
		if d.known {
			names = append(names, name)
		}
	}
	return names
}

// RunRequests has nothing to do: no other process sees this ledger.
func (m *memory) RunRequests(context.Context) (ledger.Ran, error) { return ledger.Ran{}, nil }

// replay has records of a known sink sent again, and returns how many.
func (m *memory) replay(r ledger.Replay) (n int64) {
	d := m.sink(r.Sink)
	d.replay++
	if !r.Dead && r.ID == "" {
		return m.setBack(d, r)
	}
	for _, f := range m.folders {
		for _, row := range f.records {
			p := placeOf(row)
			if r.ID != "" && row.ID != r.ID && !strings.HasPrefix(row.ID, r.ID+".") {
				continue
			}
			_, dead := d.dead[p]
			delete(d.dead, p)
			if !row.Replaced && (dead || !r.Dead && p.seq <= d.cursors[p.folder]) {
				d.drop(func(old place) bool { return old.folder == p.folder && old.seq == p.seq })
				p.replay = d.replay
				d.resends = append(d.resends, p)
				n++
			}
		}
	}
	return n
}

func (d *delivery) drop(these func(place) bool) { d.resends = slices.DeleteFunc(d.resends, these) }

func (m *memory) setBack(d *delivery, r ledger.Replay) (n int64) {
	from, _ := ledger.Span(r.Since, r.Since)
	for _, f := range m.folders {
		id, cursor := f.claim.ID, d.cursors[f.claim.ID]
		i := slices.IndexFunc(f.records, func(row ledger.Row) bool { return ledger.Milli(row.At) >= from })
		if i < 0 || f.records[i].Seq > cursor {
			continue
		}
		first := f.records[i].Seq
		n += cursor - first + 1
		d.cursors[id] = first - 1
		d.replayed = slices.DeleteFunc(d.replayed, func(old replayed) bool { return old.folder == id && old.last <= cursor })
		d.replayed = append(d.replayed, replayed{id, first - 1, cursor, d.replay})
		behind := func(p place) bool { return p.folder == id && p.seq >= first }
		d.drop(behind)
		maps.DeleteFunc(d.dead, func(p place, _ ledger.DeadLetter) bool { return behind(p) })
	}
	d.replays++
	clear(d.batches)
	clear(d.waitings)
	return n
}

// number sets Replay of a row that a sink gets.
func (d *delivery) number(row *ledger.Row) {
	for _, one := range d.replayed {
		if row.FolderID == one.folder && row.Seq > one.after && row.Seq <= one.last {
			row.Replay = one.replay // the last one counts
		}
	}
}
