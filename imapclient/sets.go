package imapclient

import (
	"slices"

	"github.com/emersion/go-imap/v2"
)

const maxSet = 1000 // UIDs in one FETCH or SEARCH of single UIDs

// uidSet is ascending UIDs as go-imap takes them.
func uidSet(uids []uint32) imap.UIDSet {
	var set imap.UIDSet
	for i := 0; i < len(uids); {
		j := i + 1
		for j < len(uids) && uids[j] == uids[j-1]+1 {
			j++
		}
		set = append(set, imap.UIDRange{Start: imap.UID(uids[i]), Stop: imap.UID(uids[j-1])})
		i = j
	}
	return set
}

// sets writes UIDs as sequence sets of at most most octets each.
func sets(uids []uint32, most int) []string {
	var list []string
	var set []byte
	for _, run := range uidSet(slices.Compact(slices.Sorted(slices.Values(uids)))) {
		next := imap.UIDSet{run}.String()
		if len(set) > 0 && len(set)+1+len(next) > most {
			list, set = append(list, string(set)), set[:0]
		}
		if len(set) > 0 {
			set = append(set, ',')
		}
		set = append(set, next...)
	}
	if len(set) > 0 {
		list = append(list, string(set))
	}
	return list
}
