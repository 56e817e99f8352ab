package memory

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

func (m *memory) Folders(ctx context.Context) ([]ledger.Claim, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var folders []ledger.Claim
	for _, f := range m.folders {
		c := f.copy()
		c.Token, c.Last = "", f.next-1
		folders = append(folders, c)
	}
	slices.SortFunc(folders, func(a, b ledger.Claim) int { return ledger.CompareFolders(a.Folder, b.Folder) })
	return folders, nil
}

// rows yields copies of the records that want selects, at the time of the call. want may
// change the copy.
func (m *memory) rows(ctx context.Context, want func(*ledger.Row) bool) iter.Seq2[ledger.Row, error] {
	var rows []ledger.Row
	leave, err := m.enter(ctx)
	if err == nil {
		for _, f := range m.folders {
			for _, r := range f.records {
				if want(&r) {
					rows = append(rows, r)
				}
			}
		}
		leave()
	}
	return func(yield func(ledger.Row, error) bool) {
		for _, r := range rows {
			if err = ctx.Err(); err != nil || !yield(r, nil) {
				break
			}
		}
		if err != nil {
			yield(ledger.Row{}, err)
		}
	}
}

func (m *memory) Records(ctx context.Context, q ledger.Query) iter.Seq2[ledger.Row, error] {
	return func(yield func(ledger.Row, error) bool) {
		n := 0
		for row, err := range m.rows(ctx, q.Selects) {
			if n++; !yield(row, err) || n == q.Limit {
				return
			}
		}
	}
}

func (m *memory) ReportIDs(ctx context.Context, prefix string, limit int) (ids []string, err error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	for id := range m.messages {
		if strings.HasPrefix(id, prefix) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids[:min(len(ids), limit)], nil
}

func (m *memory) Unsent(ctx context.Context, sink string, without ...int64) iter.Seq2[ledger.Row, error] {
	return m.rows(ctx, func(r *ledger.Row) bool {
		d := m.sinks[sink]
		if d == nil {
			d = &delivery{}
		}
		d.number(r)
		return r.Seq > d.cursors[r.FolderID] && !slices.Contains(without, r.FolderID)
	})
}

func (m *memory) Head(ctx context.Context, reportID string) ([]byte, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if message := m.messages[reportID]; message != nil && len(message.Head) > 0 {
		return bytes.Clone(message.Head), nil
	}
	return nil, nil
}

func (m *memory) Counts(ctx context.Context, since, until time.Time) ([]ledger.Count, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	low, high := ledger.Span(since, until)
	var counts []ledger.Count
	for c, n := range m.hourly {
		if at := ledger.Milli(c.Hour); at >= low && at < high && n != 0 {
			c.N = n
			counts = append(counts, c)
		}
	}
	slices.SortFunc(counts, ledger.CompareCounts)
	return counts, nil
}

func (m *memory) MessageCounts(ctx context.Context) ([]ledger.MessageCount, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var counts []ledger.MessageCount
	for c, n := range m.kinds {
		if c.N = n; n != 0 {
			counts = append(counts, c)
		}
	}
	slices.SortFunc(counts, func(a, b ledger.MessageCount) int {
		return cmp.Or(ledger.CompareFolders(a.Folder, b.Folder), cmp.Compare(a.Kind, b.Kind))
	})
	return counts, nil
}

func (m *memory) States(ctx context.Context) ([]ledger.Status, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return ledger.DateStates(slices.SortedFunc(maps.Values(m.states), func(a, b ledger.Status) int { return cmp.Compare(a.Name, b.Name) })), nil
}

func (m *memory) KeptMessages(ctx context.Context, since time.Time, kinds ...string) iter.Seq2[ledger.KeptMessage, error] {
	return func(yield func(ledger.KeptMessage, error) bool) {
		leave, err := m.enter(ctx)
		if err != nil {
			yield(ledger.KeptMessage{}, err)
			return
		}
		var all []ledger.KeptMessage
		for _, id := range m.order {
			k := m.messages[id].KeptMessage
			if len(k.Head) > 0 && !k.At.Before(since) && (len(kinds) == 0 || slices.Contains(kinds, k.Kind)) {
				all = append(all, k)
			}
		}
		leave()
		for _, k := range all {
			if !yield(k, nil) {
				return
			}
		}
	}
}

func (m *memory) Places(ctx context.Context, folderID int64, uidValidity uint64, from uint32, limit int) ([]ledger.Place, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var places []ledger.Place
	for id, message := range m.messages {
		if message.FolderID == folderID && message.UIDValidity == uidValidity && message.UID >= from {
			places = append(places, ledger.Place{UID: message.UID, ReportID: id, Origin: message.Origin})
		}
	}
	slices.SortFunc(places, func(a, b ledger.Place) int {
		return cmp.Or(cmp.Compare(a.UID, b.UID), cmp.Compare(a.ReportID, b.ReportID))
	})
	return places[:min(len(places), limit)], nil
}
