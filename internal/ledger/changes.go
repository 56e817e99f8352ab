package ledger

import (
	"cmp"
	"slices"
)

// Changes is what a revision does beside adding records.
type Changes struct {
	Replaced []int64          // seqs of records that are no longer current
	Counts   map[Count]int64  // to add to each; N is 0 in the key
	Kinds    map[string]int64 // to add to the counts of messages; empty: the kind stays
}

// Changes compares a revision with its message: its kind, and all records that the
// ledger has of it. It returns false if the revision is stale: made of other records.
func (r Revision) Changes(kind string, known []Row) (Changes, bool) {
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
		delete(current, id)
		return true
	}
	for _, id := range r.Replaced {
		if !drop(id) {
			return c, false
		}
	}
	for i := range r.Records {
		record := &r.Records[i]
		if record.Revision != last[record.ID]+1 {
			return c, false
		}
		last[record.ID]++
		drop(record.ID)
		c.Counts[record.counted()]++
	}
	if r.Kind != "" && r.Kind != kind {
		c.Kinds[kind]--
		c.Kinds[r.Kind]++
	}
	return c, true
}

// SortRows sorts by folder and Seq.
func SortRows(rows []Row) {
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.FolderID, b.FolderID), cmp.Compare(a.Seq, b.Seq))
	})
}
