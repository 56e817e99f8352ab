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
	maxDeaths  = 3           // connections in a row that a message may end at the same octet, or refusals, after which the message is given up
	mostDeaths = 10          // connections that it may end anywhere: a bad link ends them too
	mostNoes   = 20          // messages refused in a row, after which the server itself is in doubt
	probes     = 4           // messages to ask for, to see whether the server gives any
	probeSize  = 1024        // octets to ask for of each of those
	provedFor  = time.Minute // for which a message that was read proves that the server gives any, if no other is left
)

// blame is whose fault it is if a message ends the connection or is refused. No
// message is given up because a server fails for a while.
type blame int

const (
	perhaps blame = iota // probably the message's: it is asked for last and alone from now on
	surely               // the message's: another one was read just before
	nobody               // cause unknown: there is no other message to compare with
)

// death is where a message ended the connection last, and how often in a row. A new
// process starts without it, at the cost of some more deaths.
type death struct {
	octets int64
	times  int
	sum    octetSum // of the last reply, if that was too short
}

const (
	deathRefused = -1 // not an octet: the server refused the message
	deathShort   = -2 // not an octet: the server gave too little of the message
)

// died notes that a message ended the connection, or was refused.
func (s *session) died(uid uint32, octets int64) {
	s.pipe.add(batch{died: []uint32{uid}})
	p := s.deaths[uid]
	if p.octets != octets {
		p = death{octets: octets}
	}
	p.times++
	s.deaths[uid] = p
}

// killer reports whether a pending message is to be given up. A message that ends
// each connection at the same octet does so by its content; one that died at any
// octet, as a large one does on a bad link, gets more trials. askWhole judges
// messages that come short.
func (s *session) killer(p ledger.Pending) bool {
	if s.deaths[p.UID].octets == deathShort {
		return false
	}
	return p.Tries >= mostDeaths || p.Tries >= maxDeaths && s.deaths[p.UID].times >= maxDeaths
}

// suspect narrows down which message ends the connection if none was seen on the
// wire: the next FETCH asks for fewer, and a single one is the culprit.
func (s *session) suspect(ctx context.Context, err error, asked []uint32, read int) error {
	if ctx.Err() != nil || errors.As(err, new(*imapclient.FetchError)) || read > 0 || !isDeath(err) || errors.Is(err, ErrShort) {
		return err
	}
	if len(asked) == 1 {
		return &imapclient.FetchError{UID: asked[0], Err: err}
	}
	s.chunk = max(1, min(s.chunk, len(asked))/8)
	if s.blame == surely {
		return advanced{err}
	}
	return err
}

// isRefusal reports whether the server refused a command, so that another one may
// work. A request to back off is none: it ends the session.
func isRefusal(err error) bool {
	return errors.As(err, new(*imapclient.ResponseError)) && imapclient.Backoff(err) == 0
}

// isDeath reports whether the connection ended, not the ledger.
func isDeath(err error) bool {
	return !errors.As(err, new(*imapclient.ResponseError)) && !errors.As(err, new(*LedgerError))
}

// refused notes that the server refused a message, unless the server is to blame.
func (s *session) refused(ctx context.Context, uid uint32, err error) error {
	if s.blame == nobody {
		return err
	}
	s.died(uid, deathRefused)
	if s.noes++; s.noes < mostNoes {
		return nil
	}
	s.noes = 0
	return s.prove(ctx)
}

// prove reads the start of any message that has done no harm. If that fails the
// server is to blame, and the error ends the session.
func (s *session) prove(ctx context.Context) error {
	s.blame = nobody
	_, err := s.pipe.flush()
	if err != nil {
		return err
	}
	_, deadly := s.left()
	var uids []uint32
	for hi, width := s.high, uint32(searchWindow); len(uids) == 0; width = min(2*width, s.widest()) {
		if hi == 0 { // perhaps all were read, and moved away
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
	if err == errWithheld { // says nothing about the others
		return nil
	}
	return err
}

// givenUp lists the messages among found (ascending) that were given up: they prove
// nothing.
func (s *session) givenUp(ctx context.Context, found []uint32) (uids []uint32, err error) {
	for len(found) > 0 {
		const atOnce = 1000
		places, err := s.a.Ledger.Places(ctx, s.pipe.claim.ID, s.sel.UIDValidity, found[0], atOnce)
		if err != nil {
			return nil, ledgerError(ctx, err)
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

// probe asks for the start of one message. A *imapclient.ResponseError, ErrShort or
// errWithheld: the server did not give it. Another error ended the session, with
// cause unknown.
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
