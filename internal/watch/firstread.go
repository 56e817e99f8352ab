package watch

import (
	"context"
	"sync/atomic"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

const noUIDNext = 1<<64 - 1 // of a firstRead: the server has not given UIDNEXT yet

// firstRead is which messages a folder had when it was read from its start: at the
// first contact, by Account.All, or under a new UIDVALIDITY.
type firstRead struct {
	UIDValidity uint64
	UID         uint64 // the highest of them; 0: none

	known atomic.Bool // the ledger has it
}

// noteFirst notes the first read of a folder, for the sessions that continue it.
func (f *folder) noteFirst(claim ledger.Claim, sel imapclient.Selected) {
	if claim.Checkpoint.High != 0 || len(claim.Checkpoint.Pending) > 0 {
		return
	}
	first := &firstRead{UIDValidity: uint64(sel.UIDValidity)}
	switch {
	case sel.Exists == 0:
	case sel.UIDNext == 0:
		first.UID = noUIDNext
	default:
		first.UID = uint64(sel.UIDNext) - 1
	}
	f.firstRead.Store(first)
}

// endFirst ends a first read that began without UIDNEXT.
func (s *session) endFirst(ctx context.Context) {
	first := s.firstRead.Load()
	if first == nil || first.UID != noUIDNext {
		return
	}
	ended := &firstRead{UIDValidity: first.UIDValidity, UID: uint64(s.high)}
	if first.known.Load() {
		s.keepFirst(ctx, ended)
		ended.known.Store(true)
	}
	s.firstRead.Store(ended)
}

// keepFirst writes a first read to the ledger. If that fails, a message is hardly
// committed either; else the next write of states has it.
func (f *folder) keepFirst(ctx context.Context, first *firstRead) {
	_ = f.a.Board.Set(ctx, ledger.Status{Name: ledger.FirstStatus + f.a.Name + "/" + f.name, Counts: map[string]int64{
		"uidvalidity": int64(first.UIDValidity), "uid": int64(first.UID), // as signed numbers of 64 bits
	}})
}

// first is the folder's first read, as this process or an earlier one noted it. Only
// messages without a date need it: it is written to the ledger for them only.
func (f *folder) first(ctx context.Context, claim ledger.Claim) *firstRead {
	first := f.firstRead.Load()
	if first == nil || first.UIDValidity != uint64(claim.Checkpoint.UIDValidity) {
		first = &firstRead{UIDValidity: uint64(claim.Checkpoint.UIDValidity)}
	}
	if first.known.Load() {
		return first
	}
	states, err := f.a.Ledger.States(ctx)
	if err != nil {
		return first // nor is the message committed
	}
	earlier := &firstRead{}
	for _, s := range states {
		if s.Name == ledger.FirstStatus+f.a.Name+"/"+f.name {
			earlier.UIDValidity, earlier.UID = uint64(s.Counts["uidvalidity"]), uint64(s.Counts["uid"])
		}
	}
	switch {
	case earlier.UIDValidity == first.UIDValidity: // it was interrupted
		first = earlier
	case first.UID > 0:
		f.keepFirst(ctx, first)
	}
	first.known.Store(true)
	f.firstRead.Store(first)
	return first
}
