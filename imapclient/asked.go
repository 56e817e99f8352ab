package imapclient

import (
	"cmp"
	"slices"
)

// asked is what the running FETCHes wait for. tap.mu guards it.
type asked struct {
	open bool // the FETCHes are not all answered
	turn int  // number of the fetch they belong to
	sets []askedSet
	at   int // the set that was answered last

	// Not 0: this UID and all above are asked for. given are those that came.
	from  uint32
	given map[uint32]bool

	// The other items of messages whose body has not come. If none comes, the message
	// exists.
	beside map[uint32]fetchLine
	// A body came without a UID: it is not known which message it is.
	nameless bool
}

// askedSet is the UIDs of one FETCH.
type askedSet struct {
	uids   []uint32 // ascending, above those of the sets before
	given  []bool   // those that came
	next   int      // the UID behind the one that came last
	prefix int64    // octets of a body that are asked for
}

// find returns the place of a UID among those that are asked for.
func (a *asked) find(uid uint32) (set *askedSet, i int) {
	if a.at < len(a.sets) {
		if s := &a.sets[a.at]; s.next < len(s.uids) && s.uids[s.next] == uid { // nearly always
			return s, s.next
		}
	}
	at, _ := slices.BinarySearchFunc(a.sets, uid, func(s askedSet, uid uint32) int { return cmp.Compare(s.uids[len(s.uids)-1], uid) })
	if at == len(a.sets) {
		return nil, 0
	}
	s := &a.sets[at]
	i, there := slices.BinarySearch(s.uids, uid)
	if !there {
		return nil, 0
	}
	a.at = at
	return s, i
}

// due reports whether a body of uid is asked for and has not come. prefix is how many
// octets of it are asked for.
func (a *asked) due(uid uint32) (prefix int64, due bool) {
	if !a.open {
		return 0, false
	}
	if a.from != 0 {
		return a.sets[0].prefix, uid >= a.from && !a.given[uid]
	}
	set, i := a.find(uid)
	if set == nil || set.given[i] {
		return 0, false
	}
	return set.prefix, true
}

// take notes that the body of uid comes, if it is due.
func (a *asked) take(uid uint32) (prefix int64, due bool) {
	if prefix, due = a.due(uid); !due {
		return 0, false
	}
	if a.from != 0 {
		a.given[uid] = true
	} else {
		set, i := a.find(uid)
		set.given[i], set.next = true, i+1
	}
	return prefix, true
}

// missing lists the UIDs of which no body came, ascending.
func (a *asked) missing() (uids []uint32) {
	for _, s := range a.sets {
		for i, uid := range s.uids {
			if !s.given[i] {
				uids = append(uids, uid)
			}
		}
	}
	return uids
}

// most is how many octets of any body are asked for.
func (a *asked) most() (octets int64) {
	for _, s := range a.sets {
		octets = max(octets, s.prefix)
	}
	return octets
}

// note keeps a line without a body. Its message may have several.
func (a *asked) note(f fetchLine) { a.beside[f.uid] = a.whole(f) }

// whole adds to a line what earlier lines of its message said.
func (a *asked) whole(f fetchLine) fetchLine {
	if had, ok := a.beside[f.uid]; ok {
		if f.date.IsZero() {
			f.date = had.date
		}
		if f.size < 0 {
			f.size = had.size
		}
		delete(a.beside, f.uid)
	}
	f.body, f.flags = nil, nil
	return f
}
