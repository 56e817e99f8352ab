package watch

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

const (
	maxDeaths   = 3           // connections in a row that a message may end at the same octet, or refusals, before it is given up
	mostDeaths  = 10          // connections that it may end anywhere: a bad link ends them too
	mostNoes    = 20          // messages refused in a row, behind which the server itself is in question
	probes      = 4           // messages to try whether the server can give any
	probeSize   = 1024        // octets to ask for of each of those
	provedFor   = time.Minute // for which a message that was read proves that the server gives any, where no other is left
	refusedWait = time.Second // before a refused message is asked for again; doubles
)

// blame says whose fault it is when a message ends the connection or is refused. A
// server that fails for a while must not have messages given up.
type blame int

const (
	perhaps blame = iota // the message's, as far as one can tell: it is asked for last and alone from now on
	surely               // the message's: another one was read just before
	nobody               // unknown: no other message is there to tell by
)

// place is where a message died last, and how often in a row. It is forgotten with
// the process; that costs some more deaths.
type place struct {
	octets int64
	times  int
	sum    octetSum // of what came last, where that was too little
}

const (
	placeRefused = -1 // not an octet: the server refused the message
	placeShort   = -2 // not an octet: the server gave too little of the message
)

// died notes that a message ended the connection, or was refused.
func (s *session) died(uid uint32, octets int64) {
	s.line.add(batch{died: []uint32{uid}})
	p := s.places[uid]
	if p.octets != octets {
		p = place{octets: octets}
	}
	p.times++
	s.places[uid] = p
}

// killer tells whether a pending message is to be given up. One that ends each
// connection at the same octet does so by what is in it; one that died wherever
// the link did, large as it may be, has many trials. What comes short is judged by
// askWhole.
func (s *session) killer(p ledger.Pending) bool {
	if s.places[p.UID].octets == placeShort {
		return false
	}
	return p.Tries >= mostDeaths || p.Tries >= maxDeaths && s.places[p.UID].times >= maxDeaths
}

// fetch reads messages that the checkpoint holds as pending.
func (s *session) fetch(ctx context.Context, uids []uint32) error {
	return s.fetchTo(ctx, uids, s.prefix.octets)
}

// fetchTo is fetch of as many octets as octets says now.
func (s *session) fetchTo(ctx context.Context, uids []uint32, octets func() int64) error {
	if len(uids) > 0 && s.careful && s.blame == perhaps {
		if err := s.prove(ctx); err != nil {
			return err
		}
	}
	for len(uids) > 0 {
		some := uids[:min(len(uids), s.chunk)]
		read, err := s.fetchSome(ctx, some, octets())
		if err != nil {
			return s.suspect(ctx, err, some, read)
		}
		s.chunk = min(2*s.chunk, firstWindow)
		uids = uids[len(some):]
	}
	return nil
}

// suspect narrows down which message ends the connection, where none was seen on
// the wire: fewer at once next time, and of one alone it is certain.
func (s *session) suspect(ctx context.Context, err error, asked []uint32, read int) error {
	if ctx.Err() != nil || errors.As(err, new(*imapclient.FetchError)) || read > 0 || !isDeath(err) || errors.Is(err, ErrShort) {
		return err
	}
	if len(asked) == 1 {
		return &imapclient.FetchError{UID: asked[0], Err: err}
	}
	s.chunk = max(1, min(s.chunk, len(asked))/8)
	if s.blame == surely {
		return progress{err}
	}
	return err
}

// isRefusal tells a command that the server refused, so that another may do: not
// one by which it asked to be left alone, which ends the session.
func isRefusal(err error) bool {
	return errors.As(err, new(*imapclient.ResponseError)) && imapclient.Backoff(err) == 0
}

// isDeath tells a connection that ended from a ledger that failed.
func isDeath(err error) bool {
	return !errors.As(err, new(*imapclient.ResponseError)) && !errors.As(err, new(*LedgerError))
}

// prove reads the start of any message that has done no harm. Where that fails the
// server is to blame, and the error ends the session.
func (s *session) prove(ctx context.Context) error {
	s.blame = nobody
	_, err := s.line.flush()
	if err != nil {
		return err
	}
	_, deadly := s.left()
	var uids []uint32
	for hi, width := s.high, uint32(firstWindow); len(uids) == 0; width = min(2*width, s.widest()) {
		if hi == 0 { // perhaps they were read, and moved away
			if !s.gave.IsZero() && time.Since(s.gave) < provedFor {
				s.blame = surely
			}
			return nil
		}
		lo := hi - min(hi, width) + 1
		found, err := s.find(ctx, lo, hi)
		if err != nil {
			return err
		}
		unread, err := s.givenUp(ctx, found)
		if err != nil {
			return err
		}
		uids = slices.DeleteFunc(minus(found, unread), func(uid uint32) bool {
			return slices.ContainsFunc(deadly, func(p ledger.Pending) bool { return p.UID == uid })
		})
		hi = lo - 1
	}
	rand.Shuffle(len(uids), func(i, j int) { uids[i], uids[j] = uids[j], uids[i] })
	for _, uid := range uids[:min(len(uids), probes)] {
		if err = s.probe(ctx, uid); err == nil || err != ErrShort && err != errWithheld && !isRefusal(err) {
			break
		}
	}
	if err == errWithheld { // that tells nothing of the others
		return nil
	}
	return err
}

// givenUp lists those of these messages (ascending) that could not be read, for all
// that was tried: they are no proof of anything.
func (s *session) givenUp(ctx context.Context, found []uint32) (uids []uint32, err error) {
	for len(found) > 0 {
		const atOnce = 1000
		places, err := s.a.Ledger.Places(ctx, s.line.claim.ID, s.sel.UIDValidity, found[0], atOnce)
		if err != nil {
			return nil, s.ledgerError(ctx, err)
		}
		last := found[len(found)-1]
		for _, p := range places {
			if p.UID <= last && strings.HasPrefix(p.ReportID, "u") { // of report.Unfetched
				uids = append(uids, p.UID)
			}
		}
		if len(places) < atOnce {
			break
		}
		n, _ := slices.BinarySearch(found, max(places[atOnce-1].UID, found[0]+1))
		found = found[n:]
	}
	return uids, nil
}

// probe asks for the start of one message. A *imapclient.ResponseError or
// ErrShort or errWithheld means that it could not be had; another error ended the session,
// which is laid on nobody.
func (s *session) probe(ctx context.Context, uid uint32) error {
	for m, err := range s.c.Fetch(ctx, []uint32{uid}, probeSize) {
		var fetch *imapclient.FetchError
		switch {
		case errors.As(err, &fetch):
			return fetch.Err
		case err != nil:
			return err
		case m.Withheld:
			return errWithheld
		case m.Bodyless || m.Gone || len(m.Body) == 0:
			return ErrShort
		}
		m.Release()
	}
	s.blame = surely
	return nil
}

// fetchSome reads messages and hands them to the pipeline, in the order of their
// UIDs. A refused FETCH leaves its messages pending.
func (s *session) fetchSome(ctx context.Context, uids []uint32, prefix int64) (read int, err error) {
	if s.c.Empty() { // some servers refuse a FETCH there
		for _, uid := range uids {
			if err := s.line.message(&imapclient.Message{UID: uid, Size: -1, Gone: true}, prefix); err != nil {
				return read, err
			}
		}
		return len(uids), nil
	}
	o := newOrder(uids, func(m *imapclient.Message) error { return s.line.message(m, prefix) })
	came := make([]uint32, 0, len(uids))
	var short shorts
	var withheld []uint32
	for m, err := range s.c.Fetch(ctx, uids, prefix) {
		if err == nil {
			came = append(came, m.UID)
			if !m.Gone {
				s.know(m.UID)
			}
			if m.Withheld {
				withheld = append(withheld, m.UID)
				continue
			}
			delete(s.again, m.UID)
			if s.isShort(m, prefix) {
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
		if lineErr := o.flush(); lineErr != nil {
			return read, lineErr
		}
		switch {
		case !isRefusal(err):
			return read, err
		case len(uids) > 1:
			if err := s.apart(ctx, minus(uids, came), prefix); err != nil {
				return read, err
			}
			return read, s.askAgain(ctx, short)
		}
		return read, s.refused(ctx, uids[0], err)
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

// refused notes that the server would not give a message, unless that is the
// server's own fault.
func (s *session) refused(ctx context.Context, uid uint32, err error) error {
	if s.blame == nobody {
		return err
	}
	s.died(uid, placeRefused)
	if s.noes++; s.noes < mostNoes {
		return nil
	}
	s.noes = 0
	return s.prove(ctx)
}

// apart asks for an eighth at a time, after the server refused messages together.
func (s *session) apart(ctx context.Context, uids []uint32, prefix int64) error {
	for some := range slices.Chunk(uids, max(1, len(uids)/8)) {
		if _, err := s.fetchSome(ctx, some, prefix); err != nil {
			return err
		}
	}
	return nil
}

// left lists what is pending: the messages that only were not read yet, and those
// that ended a connection or were refused, the most harmless first. Those that the
// server withholds are left out until it is their time.
func (s *session) left() (clean []uint32, deadly []ledger.Pending) {
	for _, p := range s.line.pending() {
		if s.waits(p) {
			continue
		}
		if p.Tries == 0 {
			clean = append(clean, p.UID)
		} else {
			deadly = append(deadly, p)
		}
	}
	slices.SortStableFunc(deadly, func(a, b ledger.Pending) int { return a.Tries - b.Tries })
	return clean, deadly
}

// finish settles everything. What has ended a connection comes last and alone;
// what was refused gets its further trials after a pause; and what fails once
// too often is given up.
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
	if lacks && len(s.line.pending()) > 0 {
		return &FolderError{s.name, ErrShort}
	}
	return s.complete()
}

// complete is why not all messages of the folder can be read although nothing is
// pending any more; nil: they can.
func (s *session) complete() error {
	if s.unnamed != nil {
		return &FolderError{s.name, s.unnamed}
	}
	return nil
}

// dare asks for one message that has failed before, or gives it up.
func (s *session) dare(ctx context.Context, p ledger.Pending) error {
	if s.killer(p) {
		s.line.add(batch{lost: []lost{{p.UID, "the mail ended the connection, or was refused, each time it was asked for"}}})
		delete(s.places, p.UID)
		return nil
	}
	if err := s.prove(ctx); err != nil {
		return err
	}
	if s.places[p.UID].octets == placeShort {
		if err := s.askWhole(ctx, p.UID, p.Tries); err != nil {
			return err
		}
		return s.settle(ctx)
	}
	if _, err := s.fetchSome(ctx, []uint32{p.UID}, s.prefix.octets()); err != nil {
		return s.suspect(ctx, err, []uint32{p.UID}, 0)
	}
	return s.settle(ctx)
}

// settle commits everything and reads on in the messages of which more is needed,
// until nothing is pending but what must wait for another session.
func (s *session) settle(ctx context.Context) error {
	for {
		more, err := s.line.flush()
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
			if err := s.fetchTo(ctx, uids, func() int64 { return octets }); err != nil {
				return err
			}
		}
	}
}
