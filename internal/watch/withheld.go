package watch

import (
	"errors"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// A message that SEARCH lists and FETCH does not give may come later: some servers list
// before they can give. The message stays pending and is asked for again.
const (
	withheldFor   = 6 * time.Hour // after which it is given up
	withheldFirst = time.Minute   // before it is asked for again; later a quarter of its age
)

var errWithheld = errors.New("the server lists a message and gives nothing for it")

// withheldSince is when a message that the server withholds was asked for first and
// last.
type withheldSince struct{ first, last time.Time }

// due reports whether it is time to ask for it again.
func (w withheldSince) due() bool {
	return time.Since(w.last) >= max(withheldFirst, w.last.Sub(w.first)/4)
}

// withhold notes messages that the server withholds.
func (s *session) withhold(uids []uint32) {
	if len(uids) == 0 {
		return
	}
	var news []uint32
	now := time.Now()
	for _, uid := range uids {
		w, known := s.withheld[uid]
		if !known {
			w.first = now
			news = append(news, uid)
		}
		w.last = now
		s.withheld[uid] = w
	}
	if len(news) > 0 {
		s.a.Log.Warn("the server lists messages and gives nothing for them: asking again for hours",
			"folder", s.name, "uids", news[:min(len(news), 10)], "count", len(news), "give_up_after", withheldFor)
	}
	s.pipe.add(batch{withheld: uids})
}

// waits reports whether a pending message is withheld and not due yet. Each process
// asks at least once.
func (s *session) waits(p ledger.Pending) bool {
	w, asked := s.withheld[p.UID]
	return asked && !p.Withheld.IsZero() && !w.due()
}

// abandon gives up messages that were withheld for too long, and reports whether there
// were any. Call it after a flush.
func (s *session) abandon() (any bool) {
	for _, p := range s.pipe.pending() {
		w, asked := s.withheld[p.UID]
		if !asked || p.Withheld.IsZero() {
			continue
		}
		w.first = p.Withheld // by an earlier process
		s.withheld[p.UID] = w
		if w.last.Sub(w.first) >= withheldFor {
			s.pipe.add(batch{lost: []lost{{p.UID, "the server listed the message and gave nothing for it, for hours"}}})
			delete(s.withheld, p.UID)
			any = true
		}
	}
	return any
}

// restless reports whether something is to be asked for again although the server
// announces nothing new.
func (f *folder) restless() bool {
	if f.gaps && time.Since(f.lookedLate) >= lateEvery {
		return true
	}
	for _, w := range f.withheld {
		if w.due() {
			return true
		}
	}
	return false
}
