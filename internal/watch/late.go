package watch

import (
	"context"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// A message may show up late, with a UID below others that were read. Therefore UIDs
// that were missing when the checkpoint passed them are looked for again, for a while.
const (
	gapFor    = 24 * time.Hour   // for which a gap is young
	gapsMost  = 32               // gaps of a folder that are kept: the last ones
	lateEvery = 10 * time.Minute // between two looks without an EXISTS
)

// gapsOf lists the ranges from lo to hi without any of these UIDs.
func gapsOf(lo, hi uint32, uids []uint32) (gaps []ledger.Gap) {
	now := time.Now().Truncate(time.Millisecond)
	next := uint64(lo)
	for _, uid := range slices.Sorted(slices.Values(uids)) {
		if uid < lo || uid > hi {
			continue
		}
		if uint64(uid) > next {
			gaps = append(gaps, ledger.Gap{Low: uint32(next), High: uid - 1, Since: now})
		}
		next = uint64(uid) + 1
	}
	if next <= uint64(hi) {
		gaps = append(gaps, ledger.Gap{Low: uint32(next), High: hi, Since: now})
	}
	return gaps[max(0, len(gaps)-gapsMost):]
}

// young keeps the gaps that are still to be looked at, without the UIDs of there.
func young(gaps []ledger.Gap, there []uint32) []ledger.Gap {
	if len(gaps) == 0 {
		return gaps
	}
	var left []ledger.Gap
	for _, g := range gaps {
		if time.Since(g.Since) >= gapFor {
			continue
		}
		for _, uid := range there { // ascending
			if uid < g.Low || uid > g.High {
				continue
			}
			if uid > g.Low {
				left = append(left, ledger.Gap{Low: g.Low, High: uid - 1, Since: g.Since})
			}
			if g.Low = uid + 1; uid == g.High {
				break
			}
		}
		if g.Low <= g.High && g.Low != 0 {
			left = append(left, g)
		}
	}
	return left[max(0, len(left)-gapsMost):]
}

// late looks for messages in young gaps, and reads them.
func (s *session) late(ctx context.Context) error {
	if _, err := s.pipe.flush(); err != nil {
		return err
	}
	gaps := young(s.pipe.gaps(), nil)
	if s.gaps = len(gaps) > 0; !s.gaps || s.c.Empty() {
		return nil
	}
	s.lookedLate = time.Now()
	var uids []uint32
	if !s.list.blind {
		var ranges []imapclient.Range
		for _, g := range gaps {
			ranges = append(ranges, imapclient.Range{Low: g.Low, High: g.High})
		}
		var err error
		if uids, err = s.nameable(s.c.SearchRanges(ctx, ranges)); err != nil && !isRefusal(err) {
			return err
		}
	} else {
		for _, g := range gaps {
			some, err := s.find(ctx, g.Low, g.High)
			if err != nil {
				return err
			}
			uids = append(uids, some...)
		}
	}
	return s.belated(ctx, uids, 0)
}

// belated reads messages that showed up below others. rereadTo is the highest UID that
// may have been read before.
func (s *session) belated(ctx context.Context, uids []uint32, rereadTo uint32) error {
	if len(uids) == 0 {
		return nil
	}
	s.a.Log.Warn("messages show up late, below others that were read", "folder", s.name, "uids", uids[:min(len(uids), 10)], "count", len(uids))
	s.found += uint64(len(uids))
	s.pipe.add(batch{found: uids, rereadTo: rereadTo})
	return s.fetch(ctx, uids)
}

// account compares what was announced since the last time with what was found. If
// more was announced, messages may be below the checkpoint.
func (s *session) account(ctx context.Context) error {
	if s.c.Arrived() > s.found {
		if err := s.late(ctx); err != nil {
			return err
		}
	}
	if s.c.Arrived() > s.found {
		if err := s.recount(ctx); err != nil {
			return err
		}
	}
	s.found = max(s.found, s.c.Arrived())
	return nil
}

// grown recounts a folder that has more messages than at this process' last read and
// found since.
func (s *session) grown(ctx context.Context) error {
	was := s.seen
	if was.validity != s.sel.UIDValidity || uint64(s.sel.Exists) <= uint64(was.exists)+s.found {
		return nil
	}
	return s.recount(ctx)
}

// recount compares what is below the checkpoint with the ledger, window by window, and
// reads what the ledger does not have. It is for an EXISTS that nothing else explains.
func (s *session) recount(ctx context.Context) error {
	if s.high == 0 || s.c.Empty() || !s.recounted.IsZero() && time.Since(s.recounted) < lateEvery {
		return nil
	}
	s.recounted = time.Now()
	if _, err := s.pipe.flush(); err != nil {
		return err
	}
	pending := s.pipe.pending()
	var few, unread []uint32
	count := 0
	for lo, width := uint64(1), uint64(s.widest()); lo <= uint64(s.high); lo += width {
		hi := min(lo+width-1, uint64(s.high))
		uids, err := s.find(ctx, uint32(lo), uint32(hi))
		if err != nil {
			return err
		}
		if len(uids) == 0 {
			continue
		}
		read, err := s.recordedIn(ctx, uint32(lo), uint32(hi))
		if err != nil {
			return err
		}
		for _, p := range pending {
			read = append(read, p.UID)
		}
		unread = append(unread, minus(uids, read)...)
		if count += len(uids); count <= fewMessages {
			few = append(few, uids...)
		}
	}
	if len(unread) > 0 {
		return s.belated(ctx, unread, 0)
	}
	if count <= fewMessages && count == int(s.c.Exists()) {
		return s.belated(ctx, few, s.high) // a UID was given again: EXISTS counts no other message
	}
	return nil
}

// recordedIn lists the UIDs from lo to hi that the ledger has.
func (s *session) recordedIn(ctx context.Context, lo, hi uint32) (uids []uint32, err error) {
	for {
		places, err := s.a.Ledger.Places(ctx, s.pipe.claim.ID, s.sel.UIDValidity, lo, placesAtOnce)
		if err != nil {
			return nil, ledgerError(ctx, err)
		}
		for _, p := range places {
			if p.UID <= hi {
				uids = append(uids, p.UID)
			}
		}
		if len(places) < placesAtOnce || places[len(places)-1].UID >= hi {
			return uids, nil
		}
		lo = places[len(places)-1].UID + 1
	}
}
