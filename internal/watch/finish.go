package watch

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

const refusedWait = time.Second // before a refused message is asked for again; doubles each time

// left lists what is pending: the messages that were not asked for yet, and those
// that ended a connection or were refused, fewest tries first. Messages that the
// server withholds are left out until they are due.
func (s *session) left() (clean []uint32, deadly []ledger.Pending) {
	for _, p := range s.pipe.pending() {
		if s.waits(p) {
			continue
		}
		if p.Tries == 0 {
			clean = append(clean, p.UID)
		} else {
			deadly = append(deadly, p)
		}
	}
	slices.SortStableFunc(deadly, func(a, b ledger.Pending) int { return cmp.Compare(a.Tries, b.Tries) })
	return clean, deadly
}

// finish settles everything. A message that ended a connection comes last and alone,
// a refused one is tried again after a pause, and one that fails too often is given
// up.
func (s *session) finish(ctx context.Context) error {
	for round := range maxDeaths + 1 {
		if err := s.settle(ctx); err != nil {
			return err
		}
		if s.abandon() {
			if err := s.settle(ctx); err != nil {
				return err
			}
		}
		s.blame = perhaps
		clean, deadly := s.left()
		if len(clean)+len(deadly) == 0 {
			s.lacks = false
			return s.complete()
		}
		if round > 0 {
			if err := sleep(ctx, refusedWait<<(round-1)); err != nil {
				return err
			}
		}
		if err := s.fetch(ctx, clean); err != nil {
			return err
		}
		for _, p := range deadly {
			if err := s.dare(ctx, p); err != nil {
				return err
			}
		}
	}
	lacks := s.lacks
	s.lacks = false
	if err := s.settle(ctx); err != nil {
		return err
	}
	if lacks && len(s.pipe.pending()) > 0 {
		return &FolderError{s.name, ErrShort}
	}
	return s.complete()
}

// complete returns why some messages of the folder cannot be read although nothing
// is pending; nil: all can be read.
func (s *session) complete() error {
	if s.unnamed != nil {
		return &FolderError{s.name, s.unnamed}
	}
	return nil
}

// dare asks for one message that has failed before, or gives it up.
func (s *session) dare(ctx context.Context, p ledger.Pending) error {
	if s.killer(p) {
		s.pipe.add(batch{lost: []lost{{p.UID, "the message ended the connection, or was refused, each time it was asked for"}}})
		delete(s.deaths, p.UID)
		return nil
	}
	if err := s.prove(ctx); err != nil {
		return err
	}
	if s.deaths[p.UID].octets == deathShort {
		if err := s.askWhole(ctx, p.UID, p.Tries); err != nil {
			return err
		}
		return s.settle(ctx)
	}
	if _, err := s.fetchSome(ctx, []uint32{p.UID}, s.prefix.next); err != nil {
		return s.suspect(ctx, err, []uint32{p.UID}, 0)
	}
	return s.settle(ctx)
}

// settle commits everything and reads on in the messages that need more octets,
// until nothing is pending but messages that wait for another session.
func (s *session) settle(ctx context.Context) error {
	for {
		more, err := s.pipe.flush()
		if err != nil {
			return err
		}
		if len(more) == 0 {
			return s.act(ctx)
		}
		for len(more) > 0 {
			var uids []uint32
			octets := more[0].octets
			more = slices.DeleteFunc(more, func(n need) bool {
				if n.octets == octets {
					uids = append(uids, n.uid)
				}
				return n.octets == octets
			})
			if err := s.fetchTo(ctx, uids, func(bool) int64 { return octets }); err != nil {
				return err
			}
		}
	}
}
