package watch

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
)

const (
	fewMessages  = 1000    // new messages that are fetched without a SEARCH
	searchWindow = 1 << 16 // UIDs a SEARCH looks at: its answer stays well under the client's longest line
	sparse       = 1000    // answers to a window below which the next is wider
)

// fetchNew reads the few messages above high without a SEARCH. high moves only when
// all of them are known: the UIDs that do not come are listed.
func (s *session) fetchNew(ctx context.Context) error {
	if s.high == ^uint32(0) || s.c.Empty() {
		return nil
	}
	var seen []uint32
	var bodyless bool
	var short shorts
	asked := s.prefix.octets()
	for m, err := range s.c.FetchFrom(ctx, s.high+1, asked) {
		if isRefusal(err) {
			return s.search(ctx) // to find out which one is refused
		}
		if errors.Is(err, imapclient.ErrUID) { // comes after the others
			s.unnamed = err
			break
		}
		if err != nil {
			return err
		}
		if m.Bodyless {
			bodyless = true
			continue
		}
		s.know(m.UID)
		seen = append(seen, m.UID)
		if s.isShort(m, asked) {
			short.add(m)
			continue
		}
		s.gave = time.Now()
		if err := s.pipe.message(m, asked); err != nil {
			return err
		}
	}
	if len(seen) == 0 && !bodyless {
		return nil
	}
	if bodyless { // those must be pending to count as refused
		return s.search(ctx)
	}
	slices.Sort(seen)
	last := seen[len(seen)-1]
	var left []uint32 // listed, not given
	if want := int(last - s.high); len(seen) < want {
		uids, err := s.find(ctx, s.high+1, last)
		if err != nil {
			return err
		}
		left = minus(uids, seen)
	}
	s.found += uint64(len(seen) + len(left))
	s.extend(last, slices.Concat(left, short.uids()), slices.Concat(seen, left))
	if err := s.askAgain(ctx, short); err != nil {
		return err
	}
	return s.fetch(ctx, left)
}

// extend moves high to a UID up to which the folder is now known. there are its
// messages above the old high, unread those that are still to be read.
func (s *session) extend(to uint32, unread, there []uint32) {
	gaps := gapsOf(s.high+1, to, there)
	s.gaps = s.gaps || len(gaps) > 0
	s.pipe.add(batch{found: unread, high: to, gaps: gaps})
	s.high = to
}

// widest is how many UIDs a SEARCH may look at: all if the folder has so few messages
// that no answer can be too long.
func (s *session) widest() uint32 {
	if s.sel.Exists <= searchWindow {
		return 1 << 31
	}
	return searchWindow
}

// listed notes the messages above high up to UID hi; 0: to the last.
func (s *session) listed(hi uint32, uids []uint32) {
	if hi == 0 && len(uids) > 0 {
		hi = uids[len(uids)-1]
	}
	if hi != 0 {
		s.found += uint64(len(uids))
		s.extend(hi, uids, uids)
	}
}

// search reads everything above high, window by window: no answer is too long, and
// a folder with few messages among many UIDs takes few round trips.
func (s *session) search(ctx context.Context) error {
	width, widest := uint32(searchWindow), s.widest()
	for s.high < ^uint32(0) {
		lo, hi := s.high+1, uint32(0)
		next := s.sel.UIDNext
		if next != 0 && next > lo && next-lo > width {
			hi = lo + width - 1
		}
		found := s.found
		done := false
		if next > lo && !s.careful && s.chunk == searchWindow && !s.list.blind && !s.c.Empty() {
			var err error
			if done, err = s.fetchListed(ctx, lo, hi); err != nil {
				return err
			}
		}
		if !done {
			uids, err := s.find(ctx, lo, hi)
			if err != nil {
				return err
			}
			s.listed(hi, uids)
			if err := s.fetch(ctx, uids); err != nil {
				return err
			}
		}
		if hi == 0 {
			return nil
		}
		if err := s.settle(ctx); err != nil { // messages that need more octets must not pile up
			return err
		}
		if s.found-found < sparse && width < widest {
			width *= 2
		}
	}
	return nil
}
