package watch

import (
	"context"
	"slices"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/imapclient"
)

// openMailbox opens the folder, for changes if there are after-actions. With
// Account.Resync the Handler gets what happened there since the last session: all of
// it if the server has QRESYNC (RFC 7162), else which messages are gone.
func (f *folder) openMailbox(ctx context.Context, c *imapclient.Client) (imapclient.Selected, error) {
	plain, since := c.Examine, c.ExamineSince
	if f.a.After.any() {
		plain, since = c.Select, c.SelectSince
	}
	if !f.a.Resync {
		return plain(ctx, f.name)
	}
	sel, err := since(ctx, f.name, f.since)
	if err != nil || c.Has("QRESYNC") && sel.HighestModSeq != 0 {
		return sel, err
	}
	uids, err := f.uids(ctx, c, sel)
	if err != nil {
		return sel, err
	}
	if sel.UIDValidity == f.since.UIDValidity {
		m := callbacks.Mailbox{Account: f.a.Name, Name: f.name, UIDValidity: sel.UIDValidity}
		for _, uid := range f.known {
			if _, there := slices.BinarySearch(uids, uid); !there {
				f.a.Handler.Expunged(m, 0, uid)
			}
		}
	}
	f.known = uids
	return sel, nil
}

// uids lists all messages of the open folder.
func (f *folder) uids(ctx context.Context, c *imapclient.Client, sel imapclient.Selected) (all []uint32, err error) {
	all = []uint32{} // not nil: an empty folder is known to be empty
	for lo := uint32(1); ; lo += searchWindow {
		hi := lo + searchWindow - 1
		if sel.Exists <= searchWindow || sel.UIDNext == 0 || hi >= sel.UIDNext || hi < lo {
			hi = 0
		}
		uids, err := f.find(ctx, c, lo, hi)
		if all = append(all, uids...); err != nil || hi == 0 {
			return all, err
		}
	}
}

// know notes that a message exists, for the comparison at the next session.
func (f *folder) know(uid uint32) {
	if f.known == nil {
		return
	}
	if i, there := slices.BinarySearch(f.known, uid); !there {
		f.known = slices.Insert(f.known, i, uid)
	}
}

// part notes up to where the Handler got events.
func (s *session) part() {
	s.since = imapclient.Since{UIDValidity: s.sel.UIDValidity, ModSeq: s.c.HighestModSeq(), UID: s.high}
}
