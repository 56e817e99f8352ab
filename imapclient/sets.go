package imapclient

import (
	"slices"
	"strconv"

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

// appendSet writes a sequence set of at most most octets of the first of these
// ascending UIDs, and returns how many of them it has: at least one.
func appendSet(b []byte, uids []uint32, most int) (set []byte, n int) {
	for n < len(uids) {
		last := n
		for last+1 < len(uids) && uids[last+1] == uids[last]+1 {
			last++
		}
		had := len(b)
		if had > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(uids[n]), 10)
		if last > n {
			b = strconv.AppendUint(append(b, ':'), uint64(uids[last]), 10)
		}
		if had > 0 && len(b) > most {
			return b[:had], n
		}
		n = last + 1
	}
	return b, n
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
