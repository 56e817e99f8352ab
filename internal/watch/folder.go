package watch

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// folder is what is known of one folder. It outlives the sessions that read it.
type folder struct {
	a      *Account
	name   string
	prefix prefix
	state  func(ledger.State)   // called when the session does something else, for its row in the ledger
	slice  func() time.Duration // how long to wait for news at once; nil: the account's Slice
	due    func() bool          // reports after a slice whether the watch is to end; nil: never

	seen struct { // at the last read
		validity uint64
		told     uint32 // UIDNEXT
		next     uint32 // the same, or above the last UID that was read
		exists   uint32
	}

	gaps       bool      // the checkpoint has young gaps
	lookedLate time.Time // when the gaps were searched last
	recounted  time.Time

	since imapclient.Since // up to where the Handler got events
	known []uint32         // UIDs at the last session, ascending; nil: not kept

	firstRead atomic.Pointer[firstRead] // nil: not known yet

	unacted string // why after-actions were refused, as it was logged
	owed    error  // why after-actions are owed; nil: none is

	rescan  bool // Account.All is still to be done
	careful bool // the last session died: SEARCH first, so that deaths can be counted
	chunk   int  // UIDs that are fetched at once; few while a message that ends the connection is looked for
	deaths  map[uint32]death

	withheld map[uint32]withheldSince // messages that the server withholds

	unnamed error // the open folder has messages that no command can name; nil: none known
	list    lister
}

func newFolder(a *Account, name string) *folder {
	return &folder{a: a, name: name, state: func(ledger.State) {}, rescan: a.All, chunk: searchWindow, deaths: make(map[uint32]death), withheld: make(map[uint32]withheldSince)}
}

// open opens the folder and claims it. All UIDs of the session belong to the
// UIDVALIDITY that is compared here.
func (f *folder) open(ctx context.Context, c *imapclient.Client) (*session, error) {
	f.unnamed = nil
	sel, err := f.openMailbox(ctx, c)
	if err != nil {
		var no *imapclient.ResponseError
		if errors.As(err, &no) || errors.Is(err, imapclient.ErrUIDValidity) {
			return nil, &FolderError{f.name, err}
		}
		return nil, err
	}
	if sel.Exists > 0 && sel.UIDNext <= sel.Exists { // impossible
		sel.UIDNext = 0
	}
	if sel.UIDNext == 0 { // without it one answer would list the whole folder
		st, err := c.Status(ctx, f.name)
		if err != nil && !isRefusal(err) {
			return nil, err
		}
		if st.UIDNext != nil && *st.UIDNext > sel.Exists {
			sel.UIDNext = *st.UIDNext
		}
	}
	claim, err := f.a.Ledger.Claim(ctx, ledger.Folder{Account: f.a.Name, Name: f.name})
	if err != nil {
		return nil, ledgerError(ctx, err)
	}
	was := claim.Checkpoint
	had := was.UIDValidity
	switch {
	case f.rescan:
		claim.Checkpoint = ledger.Checkpoint{}
	case had != 0 && had != sel.UIDValidity:
		clear(f.deaths)
		clear(f.withheld)
		if claim.Checkpoint, err = f.uidValidityChanged(ctx, c, claim, sel); err != nil {
			return nil, err
		}
	case had != 0:
		if claim.Checkpoint, err = f.recognize(ctx, c, claim, &sel); err != nil {
			return nil, err
		}
	}
	f.noteFirst(claim, sel)
	claim.Checkpoint.UIDValidity = sel.UIDValidity
	claim.Checkpoint.Again = mayBeRead(was, claim.Checkpoint, sel)
	return &session{folder: f, c: c, sel: sel, high: claim.Checkpoint.High, pipe: newPipeline(ctx, f, claim)}, nil
}

// sweep reads what is new and returns.
func (f *folder) sweep(ctx context.Context, c *imapclient.Client) error {
	s, err := f.open(ctx, c)
	if err != nil {
		return err
	}
	return s.end(s.catchUp(ctx))
}

// watch reads what is new until ctx ends or the watch is due to end.
func (f *folder) watch(ctx context.Context, c *imapclient.Client) error {
	s, err := f.open(ctx, c)
	if err != nil {
		return err
	}
	return s.end(s.follow(ctx))
}
