package ledger

import (
	"cmp"
	"slices"
)

// Changes is what a revision does beside adding records.
type Changes struct {
	Records  []Record         // as they are to be written
	Replaced []int64          // seqs of records that are no longer current
	Counts   map[Count]int64  // to add to each; N is 0 in the key
	Kinds    map[string]int64 // to add to the counts of messages; empty: the kind stays
}

// Changes compares a revision with its message: its kind, and all records that the
// ledger has of it. The error is ErrStale, or one of the brake.
func (r Revision) Changes(kind string, known []Row, brake *Brake) (Changes, error) {
	c := Changes{Counts: make(map[Count]int64), Kinds: make(map[string]int64)}
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
		c.Replaced = append(c.Replaced, row.Seq)
		c.Counts[row.counted()]--
		brake.free(&row.Record)
		delete(current, id)
		return true
	}
	for _, id := range r.Replaced {
		if !drop(id) {
			return c, ErrStale
		}
	}
	for _, record := range r.Records {
		record.At = FromMilli(Milli(record.At))
		if record.Revision != last[record.ID]+1 {
			return c, ErrStale
		}
		last[record.ID]++
		drop(record.ID)
		if err := brake.pass(&record); err != nil {
			return c, err
		}
		c.Records = append(c.Records, record)
		c.Counts[record.counted()]++
	}
	if r.Kind != "" && r.Kind != kind {
		c.Kinds[kind]--
		c.Kinds[r.Kind]++
	}
	return c, nil
}

// SortRows sorts by folder and Seq.
func SortRows(rows []Row) {
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.FolderID, b.FolderID), cmp.Compare(a.Seq, b.Seq))
	})
}
