package watch

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
)

// fetch reads messages that the checkpoint holds as pending.
func (s *session) fetch(ctx context.Context, uids []uint32) error {
	return s.fetchTo(ctx, uids, s.prefix.next)
}

// fetchTo is fetch of as many octets as octets returns at each FETCH.
func (s *session) fetchTo(ctx context.Context, uids []uint32, octets func(early bool) int64) error {
	if len(uids) > 0 && s.careful && s.blame == perhaps {
		if err := s.prove(ctx); err != nil {
			return err
		}
	}
	for len(uids) > 0 {
		some := uids[:min(len(uids), s.chunk)]
		read, err := s.fetchSome(ctx, some, octets)
		if err != nil {
			return s.suspect(ctx, err, some, read)
		}
		s.chunk = min(2*s.chunk, searchWindow)
		uids = uids[len(some):]
	}
	return nil
}

// fetchSome reads messages and hands them to the pipeline in the order of their
// UIDs. The messages of a refused FETCH stay pending.
func (s *session) fetchSome(ctx context.Context, uids []uint32, octets func(early bool) int64) (read int, err error) {
	if s.c.Empty() { // some servers refuse a FETCH there
		for _, uid := range uids {
			if err := s.pipe.message(&imapclient.Message{UID: uid, Size: -1, Gone: true}, 0); err != nil {
				return read, err
			}
		}
		return len(uids), nil
	}
	return s.take(ctx, s.c.FetchGrowing(ctx, uids, octets), &uids, octets)
}

// fetchListed reads the messages with UIDs from lo to hi that SEARCH lists, without
// waiting for its list. It returns false if it did nothing.
func (s *session) fetchListed(ctx context.Context, lo, hi uint32) (listed bool, err error) {
	var uids []uint32
	octets := s.prefix.next
	read, err := s.take(ctx, s.c.FetchListed(ctx, lo, hi, octets, func(found []uint32, err error) {
		listed = true
		uids, _ = s.nameable(found, err)
		s.listed(hi, uids)
	}), &uids, octets)
	switch {
	case !listed && (err == nil || isRefusal(err)):
		return false, nil
	case err != nil && listed:
		err = s.suspect(ctx, err, uids, read)
	}
	return true, err
}

// take hands the messages of a FETCH to the pipeline in the order of their UIDs. uids
// are those that are asked for, known when the first message comes.
func (s *session) take(ctx context.Context, messages iter.Seq2[*imapclient.Message, error], uids *[]uint32, octets func(early bool) int64) (read int, err error) {
	o := newOrder(uids, func(m *imapclient.Message) error { return s.pipe.message(m, m.Asked) })
	var came []uint32
	var short shorts
	var withheld []uint32
	for m, err := range messages {
		if err == nil {
			came = append(came, m.UID)
			if !m.Gone {
				s.know(m.UID)
			}
			if m.Withheld {
				withheld = append(withheld, m.UID)
				continue
			}
			delete(s.withheld, m.UID)
			if s.isShort(m, m.Asked) {
				short.add(m)
				continue
			}
			if read, s.noes = read+1, 0; !m.Gone {
				s.gave = time.Now()
			}
			if err = o.add(m); err != nil {
				return read, err
			}
			continue
		}
		if pipeErr := o.flush(); pipeErr != nil {
			return read, pipeErr
		}
		switch {
		case !isRefusal(err):
			return read, err
		case len(*uids) > 1:
			if err := s.apart(ctx, minus(*uids, came), octets); err != nil {
				return read, err
			}
			return read, s.askAgain(ctx, short)
		case len(*uids) == 0: // the SEARCH
			return read, err
		}
		return read, s.refused(ctx, (*uids)[0], err)
	}
	err = o.flush()
	s.withhold(withheld)
	if err == nil {
		err = s.askAgain(ctx, short)
	}
	return read, err
}

// minus is a without b.
func minus(a, b []uint32) []uint32 {
	slices.Sort(b)
	return slices.DeleteFunc(slices.Clone(a), func(uid uint32) bool {
		_, ok := slices.BinarySearch(b, uid)
		return ok
	})
}

// apart asks for an eighth at a time, after the server refused messages together.
func (s *session) apart(ctx context.Context, uids []uint32, octets func(early bool) int64) error {
	for some := range slices.Chunk(uids, max(1, len(uids)/8)) {
		if _, err := s.fetchSome(ctx, some, octets); err != nil {
			return err
		}
	}
	return nil
}
