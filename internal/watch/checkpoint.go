package watch

import (
	"maps"
	"slices"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// advance is the checkpoint, and the mails of which more is needed, once b is
// committed. Of a mail at or below High nothing is ever forgotten: it is done,
// or pending.
func (p *pipeline) advance(b *batch) (ledger.Checkpoint, map[uint32]int64) {
	pending := make(map[uint32]int, len(p.cp.Pending)+len(b.found))
	for _, q := range p.cp.Pending {
		pending[q.UID] = q.Tries
	}
	for _, uid := range b.found {
		pending[uid] += 0
	}
	more := maps.Clone(p.more)
	for _, uid := range b.done {
		delete(pending, uid)
		delete(more, uid)
	}
	for _, n := range b.needs {
		more[n.uid] = n.octets
	}
	high := max(p.cp.High, b.high)
	for uid := range more {
		if uid <= high {
			pending[uid] += 0
		}
	}
	if b.died != 0 && b.died <= high {
		pending[b.died]++
		delete(more, b.died)
	}
	cp := ledger.Checkpoint{UIDValidity: p.cp.UIDValidity, High: high}
	for uid, tries := range pending {
		cp.Pending = append(cp.Pending, ledger.Pending{UID: uid, Tries: tries})
	}
	slices.SortFunc(cp.Pending, func(a, b ledger.Pending) int { return int(int64(a.UID) - int64(b.UID)) })
	return cp, more
}

func (p *pipeline) mailboxName() callbacks.Mailbox {
	return callbacks.Mailbox{
		Account: p.claim.Folder.Account, Name: p.claim.Folder.Name,
		UIDValidity: p.claim.Checkpoint.UIDValidity,
	}
}
