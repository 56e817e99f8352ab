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

// sets writes UIDs as sequence sets of at most most octets each.
func sets(uids []uint32, most int) []string {
	uids = slices.Clone(uids)
	slices.Sort(uids)
	uids = slices.Compact(uids)
	var list []string
	var set []byte
	for len(uids) > 0 {
		n := 1
		for n < len(uids) && uids[n] == uids[n-1]+1 {
			n++
		}
		run := strconv.AppendUint(nil, uint64(uids[0]), 10)
		if n > 1 {
			run = strconv.AppendUint(append(run, ':'), uint64(uids[n-1]), 10)
		}
		if len(set) > 0 && len(set)+1+len(run) > most {
			list = append(list, string(set))
			set = set[:0]
		}
		if len(set) > 0 {
			set = append(set, ',')
		}
		set = append(set, run...)
		uids = uids[n:]
	}
	if len(set) > 0 {
		list = append(list, string(set))
	}
	return list
}
