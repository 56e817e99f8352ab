package watch

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

// UIDs may come to mean other messages under the same UIDVALIDITY: a folder was made
// again in the same second, or a server starts anew at 1, or gives the lowest free
// UID again. Therefore the checkpoint keeps marks of the last few messages.
const (
	knownMost    = 3
	recallOctets = 8192 // of each of them; the outer header is nearly always within
)

// markOf identifies a message by its outer From, Date and Message-ID, or by its
// report id if one of them is missing.
func markOf(origin uint64, id string) string {
	if origin != 0 {
		return "o" + strconv.FormatUint(origin, 16)
	}
	return "i" + id
}

// known is a message that was read, before its mark is made.
type known struct {
	uid    uint32
	origin uint64
	id     string
}

func (k known) marked() ledger.Known {
	return ledger.Known{UID: k.uid, Mark: markOf(k.origin, k.id)}
}

// remember keeps a message if its UID is one of the highest few.
func (b *batch) remember(k known) {
	i := len(b.known)
	for i > 0 && b.known[i-1].uid > k.uid {
		i--
	}
	if b.known = slices.Insert(b.known, i, k); len(b.known) > knownMost {
		b.known = slices.Delete(b.known, 0, 1)
	}
}

// remember keeps the last few of the known messages.
func remember(known, more []ledger.Known) []ledger.Known {
	if len(more) == 0 {
		return known
	}
	all := slices.Concat(more, known) // the newer one of a UID comes first
	slices.SortStableFunc(all, func(a, b ledger.Known) int { return cmp.Compare(a.UID, b.UID) })
	all = slices.CompactFunc(all, func(a, b ledger.Known) bool { return a.UID == b.UID })
	return slices.Clone(all[max(0, len(all)-knownMost):])
}

// recognize returns where to begin in a folder whose UIDVALIDITY is unchanged. It
// normally costs one small FETCH. A wrong UIDNEXT is set to 0 in sel.
func (f *folder) recognize(ctx context.Context, c *imapclient.Client, claim ledger.Claim, sel *imapclient.Selected) (ledger.Checkpoint, error) {
	cp := claim.Checkpoint
	lower := sel.UIDNext != 0 && sel.UIDNext <= cp.High
	var other bool  // a UID has another message now
	var same uint32 // the last UID that has the same message
	if len(cp.Known) > 0 && !c.Empty() {
		var err error
		if other, same, err = recall(ctx, c, cp.Known); err != nil {
			return cp, err
		}
	}
	high := uint32(0)
	switch {
	case other:
	case !lower:
		return cp, nil
	case same >= sel.UIDNext: // the server's UIDNEXT is too low
		sel.UIDNext = 0
		return cp, nil
	case same != 0: // those below are as they were
		high = sel.UIDNext - 1
	case len(cp.Known) == 0:
		uids, err := f.find(ctx, c, sel.UIDNext, cp.High)
		if err != nil {
			return cp, err
		}
		if len(uids) > 0 { // likewise
			sel.UIDNext = 0
			return cp, nil
		}
	}
	f.a.Log.Warn("UIDs mean other messages under the same UIDVALIDITY: reading again from there; already recorded messages are skipped",
		"folder", f.name, "uidvalidity", sel.UIDValidity, "uidnext", sel.UIDNext, "read_up_to", cp.High, "from", uint64(high)+1)
	clear(f.deaths)
	clear(f.withheld)
	f.known = nil
	if err := f.dropOwed(ctx, claim, high); err != nil {
		return cp, err
	}
	above := func(uid uint32) bool { return uid > high }
	return ledger.Checkpoint{
		High:    high,
		Pending: slices.DeleteFunc(cp.Pending, func(p ledger.Pending) bool { return above(p.UID) }),
		Gaps:    slices.DeleteFunc(cp.Gaps, func(g ledger.Gap) bool { return above(g.High) }),
		Known:   slices.DeleteFunc(cp.Known, func(k ledger.Known) bool { return above(k.UID) }),
	}, nil
}

// recall asks for known messages, and for each alone that came empty. A message that
// does not come, or comes without a header, says nothing.
func recall(ctx context.Context, c *imapclient.Client, known []ledger.Known) (other bool, same uint32, err error) {
	var uids []uint32
	for _, k := range known {
		uids = append(uids, k.UID)
	}
	other, same, empty, err := recallSome(ctx, c, known, uids)
	for _, uid := range empty {
		if err != nil || other {
			break
		}
		var last uint32
		other, last, _, err = recallSome(ctx, c, known, []uint32{uid})
		same = max(same, last)
	}
	return other, same, err
}

func recallSome(ctx context.Context, c *imapclient.Client, known []ledger.Known, uids []uint32) (other bool, same uint32, empty []uint32, err error) {
	marks := make(map[uint32]string)
	for _, k := range known {
		marks[k.UID] = k.Mark
	}
	for m, err := range c.FetchOnce(ctx, uids, recallOctets) {
		if isRefusal(err) {
			return false, 0, nil, nil
		}
		if err != nil {
			return false, 0, nil, err
		}
		if len(m.Body) == 0 {
			empty = append(empty, m.UID)
			continue
		}
		r := report.ParsePrefix(m.Body, max(m.Size, int64(len(m.Body))))
		got, want := markOf(r.Origin(), r.ID), marks[m.UID]
		part := r.Origin() == 0 && r.Need() != 0 // then the id is of the part
		m.Release()
		switch {
		case got == want:
			same = max(same, m.UID)
		case !part && (want[:1] == "i" || r.Origin() != 0):
			other = true
		}
	}
	return other, same, empty, nil
}

// dropOwed drops the after-actions of messages above high: they would be done to
// other messages.
func (f *folder) dropOwed(ctx context.Context, claim ledger.Claim, high uint32) error {
	todos, err := f.a.Ledger.Todos(ctx, claim, math.MaxInt32)
	if err == nil {
		todos = slices.DeleteFunc(todos, func(d ledger.Todo) bool { return d.UID <= high })
		if len(todos) > 0 {
			f.a.Log.Warn("dropping stale after-actions", "folder", f.name, "count", len(todos))
			err = f.a.Ledger.CompleteTodos(ctx, claim, todos)
		}
	}
	return ledgerError(ctx, err)
}
