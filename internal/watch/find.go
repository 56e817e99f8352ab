package watch

import (
	"context"
	"errors"
	"slices"

	"github.com/fblwatch/fblwatch/imapclient"
)

// lister is how the messages of a folder are listed: by SEARCH, or by FETCH if the
// server refuses SEARCH or finds nothing by it. empty is a SEARCH that found nothing,
// as FETCH confirmed.
type lister struct {
	blind bool // SEARCH fails
	empty searched
}

// searched is a SEARCH of a folder with so many messages.
type searched struct{ lo, hi, exists uint32 }

// find lists the messages from UID lo to hi; 0: to the last. Messages that no command
// can name are left out: they end the session once all others are read.
func (s *session) find(ctx context.Context, lo, hi uint32) ([]uint32, error) {
	return s.folder.find(ctx, s.c, lo, hi)
}

func (f *folder) find(ctx context.Context, c *imapclient.Client, lo, hi uint32) ([]uint32, error) {
	if c.Empty() { // some servers refuse a SEARCH there
		return nil, nil
	}
	l, now := &f.list, searched{lo, hi, c.Exists()}
	var refusal error
	if !l.blind {
		uids, err := f.nameable(c.Search(ctx, lo, hi))
		switch {
		case isRefusal(err):
			refusal = err
		case err != nil || len(uids) > 0:
			return uids, err
		case c.SearchWorks() || l.empty == now:
			return nil, nil
		}
	}
	// By FETCH, also after a SEARCH without a hit if no SEARCH has had a hit yet.
	uids, err := f.nameable(c.UIDs(ctx, lo, hi))
	if isRefusal(err) && hi != 0 { // imap4d refuses a range with an end that is no message's
		uids, err = f.nameable(c.UIDs(ctx, lo, 0))
		uids = slices.DeleteFunc(uids, func(uid uint32) bool { return uid > hi })
	}
	switch {
	case isRefusal(err) && !l.blind:
		return nil, refusal
	case err != nil:
		return nil, err
	case refusal != nil:
		l.blind = true
		f.a.Log.Warn("the server refuses SEARCH: messages are listed by FETCH", "folder", f.name, "err", refusal)
	case len(uids) > 0 && !l.blind:
		l.blind = true
		f.a.Log.Warn("the server finds nothing by SEARCH: messages are listed by FETCH", "folder", f.name)
	}
	l.empty = now
	return uids, nil
}

// nameable notes that the folder has messages that no command can name.
func (f *folder) nameable(uids []uint32, err error) ([]uint32, error) {
	if errors.Is(err, imapclient.ErrUID) {
		f.unnamed, err = err, nil
	}
	return uids, err
}
