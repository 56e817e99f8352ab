package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

const (
	defaultConnections = 8                      // of an account; Dovecot allows 10 a user and address, Gmail 15
	listEvery          = 4 * time.Minute        // how often folders made since are looked for
	laneSpread         = 200 * time.Millisecond // between the first logins of an account's lanes
	laneTrials         = 3                      // logins of a lane that fail in a row, while the first lane is up, until the lane is given up
	crowded            = 30 * time.Minute       // before a server that let in no more connections is tried again
	settling           = 15 * time.Second       // how soon the first lane looks after the others, until all are up
)

// plan divides the folders of an account over its sessions. The first lane lists
// the folders, gives as many as there may be connections a lane of their own, and
// watches the others itself: one by IDLE, several by NOTIFY or by looking. With
// NOTIFY the first lane watches all folders.
type plan struct {
	a   *Account // of the first lane
	all *Account
	wg  sync.WaitGroup

	// Of the first lane.
	first    *supervisor
	lanes    map[string]*lane // by folder
	rest     []*folder
	listed   time.Time
	missing  string
	noNotify bool // the server has NOTIFY and refused it
	turn     int  // whose of the rest it is to be read

	mu    sync.Mutex // what the other lanes report to the first
	fewer int        // connections that the server did not let in
	until time.Time  // for how long that counts
}

// lane is a folder's own sequence of sessions.
type lane struct {
	cancel context.CancelFunc
	s      *supervisor
	gone   bool // it gave up; under plan.mu
}

func newPlan(a *Account) *plan {
	p := &plan{all: a, a: a.session(), lanes: make(map[string]*lane)}
	p.first = &supervisor{a: p.a, name: "*"}
	if len(a.Folders) == 1 && !isPattern(a.Folders[0]) {
		p.first.name = a.Folders[0]
	}
	p.first.giveUp = p.giveWay
	return p
}

// run watches until ctx ends or the ledger gives up.
func (p *plan) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer p.wg.Wait()
	defer cancel(nil)
	err := p.first.run(ctx, func(session context.Context, c *imapclient.Client) error {
		p.listed = time.Time{}
		if err := p.quota(session, c); err != nil {
			return err
		}
		g := newGroup(p, c)
		for {
			if err := p.divide(ctx, session, c, cancel); err != nil {
				return err
			}
			if err := p.watchRest(session, c, g); err != nil || p.first.renew() {
				return err
			}
		}
	})
	if err == nil {
		err = context.Cause(ctx)
	}
	return err
}

// watchRest watches the folders without a lane of their own; nil: they are to
// be divided again.
func (p *plan) watchRest(ctx context.Context, c *imapclient.Client, g *group) error {
	if len(p.rest) == 1 {
		*g = *newGroup(p, c) // knows nothing of what comes meanwhile
		return p.rest[0].watch(ctx, c)
	}
	return g.watch(ctx, p.rest)
}

// due reports whether the folders are to be listed again, or divided otherwise, or
// the session is to be made anew.
func (p *plan) due() bool {
	if p.first.renew() {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lanes {
		if l.gone {
			return true
		}
	}
	if p.fewer > 0 && time.Now().After(p.until) {
		p.fewer = 0
		return true
	}
	return slices.ContainsFunc(p.all.Folders, isPattern) && time.Since(p.listed) >= listEvery
}

// slice is how long the first lane waits before it looks whether it is due.
func (p *plan) slice() time.Duration {
	for _, l := range p.lanes {
		if !l.s.isUp() {
			return min(settling, p.a.Slice)
		}
	}
	return p.a.Slice
}

// divide lists the folders and has each watched. The lanes' contexts derive from
// own.
func (p *plan) divide(own, session context.Context, c *imapclient.Client, fail context.CancelCauseFunc) error {
	names, missing, err := p.a.names(session, c)
	if err != nil {
		return err
	}
	p.listed = time.Now()
	p.tell(missing)
	if len(names) == 0 {
		return fmt.Errorf("no folder matches %s", strings.Join(p.a.Folders, ", "))
	}
	lined := p.choose(names, c)
	for name, l := range p.lanes {
		if p.isGone(l) || !slices.Contains(lined, name) {
			l.cancel()
			delete(p.lanes, name)
		}
	}
	for i, name := range lined {
		if p.lanes[name] == nil {
			p.start(own, name, time.Duration(i)*laneSpread, fail)
		}
	}
	had := p.rest
	p.rest = nil
	for _, name := range names {
		if slices.Contains(lined, name) {
			continue
		}
		i := slices.IndexFunc(had, func(f *folder) bool { return f.name == name })
		f := newFolder(p.a, name)
		if i >= 0 {
			f = had[i]
		}
		f.state = func(state ledger.State) { p.first.state(state, f.owed) }
		f.slice, f.due = p.slice, p.due
		p.rest = append(p.rest, f)
	}
	return nil
}

// choose says which folders get a lane of their own.
func (p *plan) choose(names []string, c *imapclient.Client) []string {
	switch {
	case len(names) == 1, p.a.Watch == "poll", p.notifies(c):
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	most := max(1, p.a.Connections-p.fewer)
	if len(names) <= most {
		return names[1:]
	}
	return names[:most-1]
}

// notifies reports whether the server announces changes of all folders on one connection.
func (p *plan) notifies(c *imapclient.Client) bool {
	return c.Has("NOTIFY") && c.Has("IDLE") && !p.noNotify && p.a.Watch != "idle" && p.a.Watch != "poll"
}

// tell logs the patterns without a folder when they change.
func (p *plan) tell(missing []error) {
	text := fmt.Sprint(missing)
	if text != p.missing {
		for _, m := range missing {
			p.a.Log.Error("pattern without a folder", "err", m)
		}
	}
	p.missing = text
}

func (p *plan) isGone(l *lane) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return l.gone
}

// giveWay ends a lane that is up, after each laneTrials logins of the first lane that
// failed: the server may let in fewer connections than before, and without the
// first lane the rest goes unread. The first lane never gives up.
func (p *plan) giveWay(err error) bool {
	if errors.As(err, new(*imapclient.AuthError)) && !errors.Is(err, imapclient.ErrTemporary) || p.first.undialed%laneTrials != 0 {
		return false
	}
	for name, l := range p.lanes {
		if l.s.isUp() {
			p.a.Log.Warn("a connection gives way to the account's first one", "folder", name, "err", err)
			l.cancel()
			delete(p.lanes, name)
			p.mu.Lock()
			defer p.mu.Unlock()
			p.fewer++
			p.until = time.Now().Add(crowded)
			break
		}
	}
	return false
}

// start gives a folder its own lane.
func (p *plan) start(ctx context.Context, name string, pause time.Duration, fail context.CancelCauseFunc) {
	one := p.all.session()
	ctx, cancel := context.WithCancel(ctx)
	l := &lane{cancel: cancel, s: &supervisor{a: one, name: name}}
	l.s.giveUp = func(error) bool { return p.first.isUp() }
	p.lanes[name] = l
	f := newFolder(one, name)
	f.state = func(state ledger.State) { l.s.state(state, f.owed) }
	f.due = l.s.renew
	p.wg.Go(func() {
		defer cancel()
		if sleep(ctx, pause) != nil {
			return
		}
		err := l.s.run(ctx, f.watch)
		switch {
		case err == nil, ctx.Err() != nil:
		case errors.As(err, new(*noUse)):
			p.a.Log.Warn("the server lets in no more connections: watching by another one", "folder", name, "err", err)
			p.mu.Lock()
			defer p.mu.Unlock()
			l.gone = true
			p.fewer++
			p.until = time.Now().Add(crowded)
		default:
			fail(err)
		}
	})
}

// noUse is a lane that does not come up although the account's first one is.
type noUse struct{ error }

func (e *noUse) Unwrap() error { return e.error }
