package watch

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// session is a folder that is open.
type session struct {
	*folder
	c    *imapclient.Client
	sel  imapclient.Selected
	high uint32 // as the pipeline knows it, or will
	pipe *pipeline

	blame     blame     // for a death now
	noes      int       // messages refused in a row
	gave      time.Time // when the server gave a message last
	lacks     bool      // a message came short, and no message came whole
	caught    bool      // caught up: all messages that were there are read
	idleHands bool      // after-actions were refused
	found     uint64    // messages that were found since the session caught up, or are accounted for
}

// end stops the pipeline and completes a session's error: a failed commit comes
// first, and a death is committed before the next session.
func (s *session) end(err error) error {
	if err != nil && !errors.Is(err, imapclient.ErrUID) {
		s.careful = true
		s.chunk = min(s.chunk, fewMessages)
	}
	s.part()
	var fetch *imapclient.FetchError
	if errors.As(err, &fetch) && s.blame != nobody {
		s.died(fetch.UID, fetch.Octets)
		if _, ferr := s.pipe.flush(); ferr == nil && s.blame == surely {
			err = advanced{err}
		}
	}
	pipeErr := s.pipe.close()
	if s.pipe.kept {
		s.rescan = false
	}
	if pipeErr != nil {
		return pipeErr
	}
	s.forget()
	if s.caught {
		s.seen.validity, s.seen.told = s.sel.UIDValidity, s.sel.UIDNext
		s.seen.next = max(s.sel.UIDNext, s.high+1)
		unfound := max(s.c.Arrived(), s.found) - s.found
		s.seen.exists = uint32(max(uint64(s.c.Exists()), unfound) - unfound)
		s.gaps = len(young(s.pipe.gaps(), nil)) > 0
	}
	return err
}

// forget drops what is known of messages that are no longer pending.
func (s *session) forget() {
	pending := make(map[uint32]bool)
	for _, p := range s.pipe.pending() {
		pending[p.UID] = true
	}
	maps.DeleteFunc(s.deaths, func(uid uint32, _ death) bool { return !pending[uid] })
	maps.DeleteFunc(s.withheld, func(uid uint32, _ withheldSince) bool { return !pending[uid] })
}

// follow catches up, then waits and reads what is new, again and again.
func (s *session) follow(ctx context.Context) error {
	s.state(ledger.StateCatchUp)
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	s.state(ledger.StateWatch)
	w := newWaiter(s.a, s.c)
	for {
		s.blame = perhaps // the proof is old
		slice := s.a.Slice
		if s.slice != nil {
			slice = s.slice()
		}
		rang, err := w.wait(ctx, slice)
		if err != nil {
			return err
		}
		high := s.high
		if rang {
			err = s.fetchNew(ctx)
		} else if s.c.Empty() {
			err = s.c.Noop(ctx) // some servers refuse a SEARCH there
		} else {
			err = s.search(ctx) // finds what no EXISTS announced, and a dead link
		}
		w.looked(s.high != high)
		if err == nil && rang && s.c.Arrived() > s.found {
			err = s.account(ctx)
		} else if err == nil && s.gaps && time.Since(s.lookedLate) >= lateEvery {
			err = s.late(ctx)
		}
		owed := s.owed
		if err == nil {
			err = s.finish(ctx)
		}
		if err == nil && s.owed != owed {
			s.state(ledger.StateWatch)
		}
		if err != nil || s.due != nil && s.due() {
			return err
		}
	}
}

// catchUp reads everything from the checkpoint to the folder's end.
func (s *session) catchUp(ctx context.Context) error {
	s.pipe.begin(s.remaining())
	clean, _ := s.left()
	err := s.fetch(ctx, clean)
	if err == nil {
		switch last := s.sel.UIDNext; {
		case s.c.Empty():
		case last != 0 && last-1 <= s.high:
		case !s.careful && last != 0 && last-1-s.high <= fewMessages:
			err = s.fetchNew(ctx)
			if err == nil && last-1 > s.high {
				err = s.search(ctx) // shows whether the others are gone or were not given
			}
		default:
			err = s.search(ctx)
		}
	}
	if err == nil {
		err = s.late(ctx)
	}
	if err == nil {
		err = s.grown(ctx)
	}
	if err == nil {
		err = s.finish(ctx)
	}
	if err == nil {
		s.found, s.caught = s.c.Arrived(), true
		s.endFirst(ctx)
		s.careful = false
		s.pipe.caughtUp()
	}
	return err
}

// remaining estimates how many messages are to be read, for the progress bar.
func (s *session) remaining() int {
	n := int(s.sel.Exists)
	if s.sel.UIDNext != 0 {
		n = min(n, int(int64(s.sel.UIDNext)-1-int64(s.high))+len(s.pipe.pending()))
	}
	return max(n, 0)
}
