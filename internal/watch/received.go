package watch

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/report"
)

const (
	clockSlack = 24 * time.Hour     // by which a header's clock may be ahead of ours
	maxDelay   = 7 * 24 * time.Hour // between the date in a header and the commit
	noUIDNext  = 1<<64 - 1          // of a firstRead: not told yet
	firstState = "first/"           // begins the name of a firstRead's state row; account and folder follow
)

// received is when a message was received: INTERNALDATE, else the date of its
// topmost Received, else its Date. The zero time: none of them says so. live:
// the message came after the folder was first read.
//
// The topmost Received is the receiving server's own on nearly all servers. A
// Date, and a Received where the server writes none, may be anything: the sender
// writes them. So this is what a wrong date can do:
//   - In the future it counts for nothing, so that no record outlives its time.
//   - A live message never becomes history by it. There it counts only from a week
//     before the folder's last commit, so that complaints cannot be spread over
//     the past to stay below the brake of each day.
//   - A message of the first contact's backlog becomes young by it, which its
//     sender has as well by sending it today; or old, and then a person decides.
//   - No expired signature becomes valid by it: that is compared with today.
func (p *pipeline) received(m *imapclient.Message, r *report.Report, live bool) time.Time {
	if !m.InternalDate.IsZero() {
		return m.InternalDate
	}
	now := time.Now()
	for _, at := range []time.Time{r.Outer.Received, r.Outer.Date} {
		switch {
		case at.IsZero(), at.After(now.Add(clockSlack)):
		case live && at.Before(p.claim.FirstSeen.Add(-maxDelay)), live && at.Before(p.claim.LastCommit.Add(-maxDelay)):
		case at.After(now):
			return now
		default:
			return at
		}
	}
	return time.Time{}
}

// dated finds out when a message was received, what the ledger notes for that, and what speaks against acting on it.
func (p *pipeline) dated(ctx context.Context, m *imapclient.Message, r *report.Report) (at, noted time.Time, doubts []report.Reason) {
	if !m.InternalDate.IsZero() {
		return m.InternalDate, m.InternalDate, process.Doubts(m.InternalDate, p.claim.FirstSeen, p.f.a.Since)
	}
	live := uint64(m.UID) > p.f.first(ctx, p.claim).UID
	at = p.received(m, r, live)
	switch {
	case !at.IsZero() && !live:
		return at, at, process.Doubts(at, p.claim.FirstSeen, p.f.a.Since)
	case !at.IsZero():
		return at, at, nil
	case live: // it came since the folder was looked at last
		return at, time.Now(), nil
	}
	return at, at, process.Doubts(at, p.claim.FirstSeen, p.f.a.Since)
}

// firstRead says which messages were there when a folder was read from its
// start: at the first contact, by --all, or under a new UIDVALIDITY.
type firstRead struct {
	UIDValidity uint64 `json:"uidvalidity"`
	UID         uint64 `json:"uid"` // the highest of them; 0: none

	known atomic.Bool // to the ledger
}

// noteFirst notes the first read of a folder, for the sessions that go on with it.
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

// endFirst ends the first read where the server did not tell how far it goes.
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

// keepFirst writes it to the ledger. Where that fails no message is committed
// either.
func (f *folder) keepFirst(ctx context.Context, first *firstRead) {
	text, _ := json.Marshal(first)
	_ = f.a.Ledger.SetState(ctx, firstState+f.a.Name+"/"+f.name, string(text))
}

// first is the folder's first read, as this process or one before noted it. Only
// messages without a date need it, so only theirs is kept in the ledger.
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
		if s.Name == firstState+f.a.Name+"/"+f.name {
			_ = json.Unmarshal([]byte(s.Value), earlier)
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
