package watch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// uidValidityChanged returns where to begin in a folder that has another UIDVALIDITY
// than at the last read (RFC 9051 section 2.3.1.1).
func (f *folder) uidValidityChanged(ctx context.Context, c *imapclient.Client, claim ledger.Claim, sel imapclient.Selected) (ledger.Checkpoint, error) {
	log := f.a.Log.With("folder", f.name, "was", claim.Checkpoint.UIDValidity, "is", sel.UIDValidity)
	switch {
	case f.a.OnUIDValidity == "stop":
		return ledger.Checkpoint{}, &FolderError{f.name, fmt.Errorf("UIDVALIDITY was %d and is %d: its messages are others, or have new numbers; "+
			"set on_uidvalidity to rescan or new-only, or run fblwatch sweep --all", claim.Checkpoint.UIDValidity, sel.UIDValidity)}
	case f.a.OnUIDValidity != "new-only":
	case claim.LastCommit.IsZero():
		log.Warn("UIDVALIDITY changed, and the time of the last commit is unknown")
	default:
		since := claim.LastCommit.Add(-24 * time.Hour)
		uids, ok, err := f.findSince(ctx, c, sel.UIDNext, since)
		if err != nil {
			return ledger.Checkpoint{}, err
		}
		if ok && len(uids) > 0 {
			ok, err = isTrue(ctx, c, uids, sel.UIDNext, claim.LastCommit)
			if err != nil {
				return ledger.Checkpoint{}, err
			}
		}
		if !ok {
			log.Warn("UIDVALIDITY changed, and the server does not list what came lately")
			break
		}
		log.Warn("UIDVALIDITY changed: reading what came lately", "since", since.UTC().Format(time.DateOnly), "messages", len(uids))
		cp := ledger.Checkpoint{High: max(sel.UIDNext, 1) - 1}
		for _, uid := range uids {
			cp.High = max(cp.High, uid)
			cp.Pending = append(cp.Pending, ledger.Pending{UID: uid})
		}
		return cp, nil
	}
	log.Warn("UIDVALIDITY changed: reading the folder again; already recorded messages are skipped")
	return ledger.Checkpoint{}, nil
}

// findSince lists what was received since then. next is the folder's UIDNEXT. ok:
// the server's answer can be used.
func (f *folder) findSince(ctx context.Context, c *imapclient.Client, next uint32, since time.Time) (uids []uint32, ok bool, err error) {
	if c.Empty() { // some servers refuse a SEARCH there
		return nil, true, nil
	}
	uids, err = f.nameable(c.SearchSince(ctx, since))
	if isRefusal(err) {
		return nil, false, nil
	}
	if err != nil || len(uids) > 0 {
		return uids, true, err
	}
	// None: or does the server find nothing at all by SEARCH?
	low := uint32(1)
	if next > searchWindow {
		low = next - searchWindow
	}
	all, err := f.nameable(c.Search(ctx, low, 0))
	if isRefusal(err) {
		err = nil
	}
	return nil, len(all) > 0, err
}

// lately is how many of the last messages show whether a SEARCH is right.
const lately = 8

// isTrue compares the last messages of a folder, whose UIDNEXT is next, with the last
// ones that a SEARCH found. Some servers answer such a SEARCH with other numbers:
// it finds messages that do not exist, or misses some that came after read.
func isTrue(ctx context.Context, c *imapclient.Client, found []uint32, next uint32, read time.Time) (bool, error) {
	if next != 0 && slices.Max(found) >= next {
		return false, nil
	}
	some := slices.Clone(found[max(0, len(found)-lately):])
	for uid := max(next, lately+1) - lately; uid < next; uid++ {
		some = append(some, uid)
	}
	slices.Sort(some)
	hit, left := false, false
	for m, err := range c.FetchOnce(ctx, slices.Compact(some), 1) {
		if isRefusal(err) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		uid, date := m.UID, m.InternalDate
		m.Release()
		if slices.Contains(found, uid) {
			hit = true
		} else if !date.IsZero() && !date.Before(read) {
			left = true
		}
	}
	return hit && !left, nil
}
