package watch

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/backoff"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

const (
	backoffFirst = time.Second
	backoffMost  = 5 * time.Minute
	longLife     = 5 * time.Minute  // a session that lived so long was no failure
	healthy      = 10 * time.Second // nor was one that had read all and then waited so long
	refusedPause = 30 * time.Minute // between logins once the password is surely wrong
	loginTrials  = 3                // sessions refused in a row until it is
	sweepTrials  = 5                // sessions without progress until a sweep gives up

	sweepPatience = time.Minute      // the longest back-off of a server that a sweep waits for
	renewAt       = 80               // per cent of a token's life, after which a session is made anew
	shortLife     = 10 * time.Second // of a session whose token cannot have expired in it
)

// supervisor opens one session after the other for one purpose.
type supervisor struct {
	a    *Account
	name string // the folder, or "*" for all
	once bool

	giveUp func(error) bool // reports whether laneTrials logins that failed in a row are enough; nil: never

	up       bool        // a session was logged in
	live     atomic.Bool // one is now
	renewAt  time.Time   // when it is to be made anew, for its token; zero: never
	undialed int         // dials in a row that failed
	failures int         // sessions in a row that failed; each doubles the pause
	refused  int         // logins refused in a row
	last     string
	commits  int64     // number of them at the last failure
	watching time.Time // since when the session only waits; zero: it works
	now      ledger.Status
}

// renew reports whether the session's token expires soon.
func (s *supervisor) renew() bool { return !s.renewAt.IsZero() && time.Now().After(s.renewAt) }

// isUp reports whether a session is logged in.
func (s *supervisor) isUp() bool { return s.live.Load() }

// stateLimit bounds the writing of a state: what matters is in the commits.
const stateLimit = time.Second

// advanced is the error of a session that failed and brought something about all
// the same: it does not raise the backoff.
type advanced struct{ error }

func (p advanced) Unwrap() error { return p.error }

// run opens sessions until job returns nil, ctx ends, or an error is final.
func (s *supervisor) run(ctx context.Context, job func(context.Context, *imapclient.Client) error) error {
	for {
		s.state(ledger.StateDial, nil)
		born := time.Now()
		err := s.session(ctx, job)
		if ctx.Err() != nil {
			s.state(ledger.StateClosed, nil)
			return context.Cause(ctx)
		}
		if err == nil && !s.once && s.renew() { // in time for a new token
			_ = sleep(ctx, backoffFirst-time.Since(born)) // a token that lives for seconds must not make sessions without end
			continue
		}
		if err == nil {
			s.state(ledger.StateClosed, nil)
			return nil
		}
		if s.giveUp != nil && s.undialed >= laneTrials && s.giveUp(err) {
			s.state(ledger.StateClosed, err)
			return &noUse{err}
		}
		pause, fatal := s.judge(err, time.Since(born))
		if fatal {
			s.state(ledger.StateFailed, err)
			return err
		}
		state := ledger.StateBackoff
		switch {
		case imapclient.Backoff(err) > 0:
			state = ledger.StateThrottled
		case s.refused >= loginTrials:
			state = ledger.StateAuthFailed
		}
		s.state(state, err)
		if !errors.As(err, new(hungUp)) { // doze has logged it
			s.log(err, pause)
		}
		select {
		case <-s.a.pause(pause):
		case <-ctx.Done():
			s.state(ledger.StateClosed, nil)
			return context.Cause(ctx)
		}
	}
}

func (s *supervisor) session(ctx context.Context, job func(context.Context, *imapclient.Client) error) error {
	ctx, end := s.a.wakeDetector.session(ctx)
	defer end()
	opened := s.a.events.dial()
	c, err := imapclient.Dial(ctx, s.a.IMAP)
	opened(err)
	if err != nil {
		s.undialed++
		return err
	}
	if s.renewAt = (time.Time{}); !c.Expires().IsZero() {
		s.renewAt = time.Now().Add(time.Until(c.Expires()) / 100 * renewAt)
	}
	s.up, s.refused, s.undialed = true, 0, 0
	s.live.Store(true)
	defer s.live.Store(false)
	s.state(ledger.StateUp, nil)
	s.watching = time.Time{}
	if err := job(ctx, c); err != nil {
		c.Close()
		return err
	}
	c.Logout(ctx)
	return nil
}

// judge returns how long to wait after a failure, or that it is final.
func (s *supervisor) judge(err error, life time.Duration) (pause time.Duration, fatal bool) {
	var ledgerErr *LedgerError
	if errors.As(err, &ledgerErr) && s.abort(ledgerErr) {
		return 0, true
	}
	if wait := imapclient.Backoff(err); wait > 0 {
		s.failures++
		return wait + backoff.Full(wait/10), s.once && (wait > sweepPatience || s.failures >= sweepTrials)
	}
	if errors.Is(err, imapclient.ErrExpired) && life >= shortLife {
		return 0, false // at once, with a new token
	}
	if errors.As(err, new(*imapclient.AuthError)) && !errors.Is(err, imapclient.ErrTemporary) {
		s.refused++
		if s.once {
			return 0, true
		}
		if s.refused >= loginTrials {
			return refusedPause, false
		}
	}
	if errors.As(err, new(hungUp)) {
		return 0, false
	}
	if errors.As(err, new(advanced)) {
		s.failures = 0
		return backoff.Full(backoffFirst), false
	}
	if n := s.a.commits.Load(); s.once && n > s.commits {
		s.failures, s.commits = 0, n
	}
	if life >= longLife {
		s.failures = 0
		return backoff.Full(backoffFirst), false // a server that restarts ends many at once
	}
	waited := s.waited(err)
	if waited >= healthy {
		s.failures = 0
		return backoff.Full(backoffFirst), false
	}
	s.failures++
	if s.once && (s.failures >= sweepTrials || s.hopeless(err)) {
		return 0, true
	}
	longest := backoff.Range{First: backoffFirst, Most: backoffMost}.Longest(s.failures)
	if waited >= backoffFirst {
		longest = min(longest, healthy-waited+backoffFirst)
	}
	return backoff.Full(longest), false
}

// waited is how long a session had only waited when the server hung up, as some
// servers do early and often although all is well. 0: the session ended otherwise.
func (s *supervisor) waited(err error) time.Duration {
	switch {
	case s.watching.IsZero(), errors.As(err, new(*imapclient.TimeoutError)), errors.As(err, new(*imapclient.ResponseError)),
		errors.Is(err, imapclient.ErrProtocol), errors.As(err, new(*LedgerError)), errors.As(err, new(*FolderError)):
		return 0
	}
	return time.Since(s.watching)
}

// hopeless reports whether a sweep gives up at once, since somebody waits for it: a
// server was never reached, or refused.
func (s *supervisor) hopeless(err error) bool {
	var refused *imapclient.ResponseError
	return !s.up || errors.As(err, &refused)
}

func (s *supervisor) abort(err *LedgerError) bool {
	if s.a.DiskError == nil {
		return s.once
	}
	return s.a.DiskError(err, true)
}

// log logs an error once, and again when it changes.
func (s *supervisor) log(err error, pause time.Duration) {
	level := s.a.Log.Warn
	if s.refused >= loginTrials {
		level = s.a.Log.Error
	}
	if text := err.Error(); text != s.last || s.refused > 0 {
		s.last = text
		level("session ended", "folder", s.name, "err", err, "again_in", pause.Round(time.Millisecond))
	}
}

// state sets the state of the session.
func (s *supervisor) state(state ledger.State, err error) {
	if state == ledger.StateWatch && s.watching.IsZero() {
		s.watching = time.Now()
	}
	was, now := s.now, time.Now().UTC().Truncate(time.Second)
	s.now = ledger.Status{Name: ledger.SessionStatus + s.a.Name + "/" + s.name, State: state, Since: now}
	switch {
	case err != nil:
		s.now.Error, s.now.Failing = err.Error(), now
		if !was.Failing.IsZero() {
			s.now.Failing = was.Failing
		}
	case state != ledger.StateWatch && state != ledger.StateClosed: // nothing is proved before
		s.now.Error, s.now.Failing = was.Error, was.Failing
	}
	s.a.setState(s.now)
}

// setState writes a state to the ledger and tells the Observer. The board tries again
// what fails.
func (a *Account) setState(s ledger.Status) {
	if a.State != nil {
		a.State(s)
	}
	ctx, cancel := context.WithTimeout(context.Background(), stateLimit)
	defer cancel()
	_ = a.Board.Set(ctx, s)
}

// beat notes in the ledger that the account is read, until ctx ends.
func (a *Account) beat(ctx context.Context) {
	for sleep(ctx, ledger.BeatEvery) == nil {
		_ = a.Board.Beat(ctx)
	}
}
