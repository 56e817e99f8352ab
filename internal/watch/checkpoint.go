package watch

import (
	"cmp"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// advance moves the checkpoint to its state after the commit of b. Each message at or
// below High is done or pending. If the commit fails, the session ends and the
// checkpoint with it.
func (p *pipeline) advance(b *batch) {
	p.cp.High = max(p.cp.High, b.high)
	p.cp.Again = max(p.cp.Again, b.rereadTo)
	for _, uid := range b.found {
		p.suspend(uid)
	}
	slices.Sort(b.found)
	p.cp.Gaps = young(append(young(p.cp.Gaps, b.found), b.gaps...), nil)
	marks := make([]ledger.Known, len(b.known))
	for i, k := range b.known {
		marks[i] = k.marked()
	}
	p.cp.Known = remember(p.cp.Known, marks)
	for _, uid := range b.done {
		delete(p.more, uid)
	}
	p.cp.Pending = without(p.cp.Pending, b.done)
	for _, n := range b.needs {
		p.more[n.uid] = n.octets
	}
	for uid := range p.more {
		if uid <= p.cp.High { // above it no message is known
			p.suspend(uid)
		}
	}
	for _, uid := range b.withheld {
		if i, ok := p.find(uid); ok && p.cp.Pending[i].Withheld.IsZero() {
			p.cp.Pending[i].Withheld = time.Now()
		}
		delete(p.more, uid)
	}
	for _, uid := range b.died {
		if i, ok := p.find(uid); ok {
			p.cp.Pending[i].Tries++
		}
		delete(p.more, uid)
	}
	if p.cp.High >= p.cp.Again && len(p.cp.Pending) == 0 {
		p.cp.Again = 0
	}
}

// suspend makes a message pending.
func (p *pipeline) suspend(uid uint32) {
	if i, ok := p.find(uid); !ok {
		p.cp.Pending = slices.Insert(p.cp.Pending, i, ledger.Pending{UID: uid})
	}
}

func (p *pipeline) find(uid uint32) (int, bool) {
	if n := len(p.cp.Pending); n == 0 || p.cp.Pending[n-1].UID < uid { // nearly always
		return n, false
	}
	return slices.BinarySearchFunc(p.cp.Pending, uid, func(q ledger.Pending, uid uint32) int { return cmp.Compare(q.UID, uid) })
}

// without removes the UIDs of done from pending.
func without(pending []ledger.Pending, done []uint32) []ledger.Pending {
	slices.Sort(done)
	for len(pending) > 0 && len(done) > 0 && pending[0].UID == done[0] { // nearly always all of them
		pending, done = pending[1:], done[1:]
	}
	if len(done) == 0 {
		return pending
	}
	return slices.DeleteFunc(pending, func(q ledger.Pending) bool {
		for len(done) > 0 && done[0] < q.UID {
			done = done[1:]
		}
		return len(done) > 0 && done[0] == q.UID
	})
}

func (p *pipeline) mailboxName() callbacks.Mailbox {
	return callbacks.Mailbox{
		Account: p.claim.Folder.Account, Name: p.claim.Folder.Name,
		UIDValidity: p.claim.Checkpoint.UIDValidity,
	}
}
