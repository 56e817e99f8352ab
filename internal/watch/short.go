package watch

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/report"
)

// Some servers give fewer octets of a message than it has: an empty literal, NIL, or a
// part. Such a reply is not read. The message is asked for alone and to its end, and
// again later. If two replies are equal and do not look cut, RFC822.SIZE is wrong and
// these octets are the message.

// shortTrials is how often a message is asked for alone, while the server gives others
// whole, until its reply is taken for all that can be had.
const shortTrials = 5

// ErrShort means that messages of a folder stay pending, since the server gives too few
// of their octets.
var ErrShort = errors.New("the server gives messages without their octets, or without all of them")

type octetSum [sha256.Size]byte

// shorts are the short replies of one FETCH. The octets of the first few are kept: if
// the sizes prove wrong those need not be asked for again.
type shorts struct {
	messages []*imapclient.Message
	octets   int
}

func (l *shorts) add(m *imapclient.Message) {
	if l.octets += len(m.Body); l.octets > heldMost {
		m.Release()
	}
	l.messages = append(l.messages, m)
}

func (l *shorts) uids() (uids []uint32) {
	for _, m := range l.messages {
		uids = append(uids, m.UID)
	}
	return uids
}

// isShort reports whether a reply to a request for so many octets may hold less
// than the message has.
func (s *session) isShort(m *imapclient.Message, asked int64) bool {
	got := int64(len(m.Body))
	if m.Gone || got >= asked || m.Size >= 0 && got >= m.Size {
		return false
	}
	if got == 0 {
		return true
	}
	closed, multipart := report.Closed(m.Body)
	switch {
	case !closed:
		return true
	case m.Size < 0:
		return false
	case !s.a.sizes.Load():
		return true
	}
	return !multipart && s.a.After.any() // a text does not show where it ends, and a deleted message is gone
}

// askAgain asks for the messages that came short, each alone.
func (s *session) askAgain(ctx context.Context, short shorts) error {
	for i, m := range short.messages {
		short.messages[i] = nil
		if len(m.Body) > 0 && !s.isShort(m, s.a.MaxMessage) { // by now the sizes are known to be wrong
			if err := s.pipe.message(m, s.a.MaxMessage); err != nil {
				return err
			}
			continue
		}
		uid := m.UID
		s.deaths[uid] = death{octets: deathShort, sum: sha256.Sum256(m.Body)}
		m.Release()
		if err := s.askWhole(ctx, uid, 0); err != nil {
			return err
		}
	}
	return nil
}

// askWhole asks for one message to its end. tries is how often that failed.
func (s *session) askWhole(ctx context.Context, uid uint32, tries int) error {
	var m *imapclient.Message
	for one, err := range s.c.FetchWhole(ctx, []uint32{uid}, s.a.MaxMessage) {
		switch {
		case isRefusal(err):
			return s.refused(ctx, uid, err)
		case err != nil:
			return s.suspect(ctx, err, []uint32{uid}, 0)
		}
		m = one
	}
	if m == nil {
		return nil
	}
	if m.Withheld {
		s.withhold([]uint32{uid})
		return nil
	}
	if s.isShort(m, s.a.MaxMessage) && !s.isSame(m) {
		return s.stillShort(ctx, m, tries)
	}
	if s.noes = 0; !m.Gone {
		s.gave = time.Now()
	}
	delete(s.deaths, uid)
	return s.pipe.message(m, s.a.MaxMessage)
}

// isSame reports whether a short reply equals the one before it and does not look cut.
func (s *session) isSame(m *imapclient.Message) bool {
	p, sum := s.deaths[m.UID], octetSum(sha256.Sum256(m.Body))
	if p.octets != deathShort {
		p = death{octets: deathShort}
	}
	same := p.sum == sum
	p.sum = sum
	s.deaths[m.UID] = p
	if closed, _ := report.Closed(m.Body); !same || !closed || len(m.Body) == 0 {
		return false
	}
	if s.a.sizes.CompareAndSwap(false, true) {
		s.a.Log.Info("the server's sizes are not those of the messages that it gives", "folder", s.name, "uid", m.UID, "size", m.Size, "octets", len(m.Body))
	}
	return true
}

// stillShort notes one more short reply, or takes it for all that can be had.
func (s *session) stillShort(ctx context.Context, m *imapclient.Message, tries int) error {
	uid, some := m.UID, len(m.Body) > 0
	if (some || s.blame == surely) && s.deaths[uid].times+1 >= shortTrials || tries+1 >= mostDeaths {
		delete(s.deaths, uid)
		return s.pipe.append(arrived{Message: m, size: m.Size, short: shortReason(m)})
	}
	m.Release()
	s.died(uid, deathShort)
	switch {
	case some:
		return nil
	case s.blame == nobody:
		s.lacks = true
		return nil
	}
	if s.noes++; s.noes < mostNoes {
		return nil
	}
	s.noes = 0
	return s.prove(ctx)
}

func shortReason(m *imapclient.Message) string {
	of := ""
	if m.Size >= 0 {
		of = fmt.Sprintf(" of %d", m.Size)
	}
	return fmt.Sprintf("the server gave %d%s octets, each time it was asked for the message", len(m.Body), of)
}
