package watch

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/imapclient"
)

// group is a session that watches several folders: the server tells of them all
// (NOTIFY, RFC 5465), or they are looked at every Poll. It opens those in which
// something is new.
type group struct {
	p       *plan
	c       *imapclient.Client
	folders []*folder
	notify  bool             // the server tells of these folders
	open    *folder          // whose EXISTS the server tells
	opened  time.Time        // when that was opened
	left    map[*folder]bool // to be asked for before the next wait: the server may not tell what came last
	news    map[*folder]bool
	failed  map[*folder]string // why a folder could not be read, as it was logged
	ends    ends
	pace    pace
	full    bool // the last wait was a whole slice
	looked  int  // folder that is looked at next although nothing was told of it
}

// lookAt is how many folders are looked at behind each slice, should the server
// have told too little.
const lookAt = 10

func newGroup(p *plan, c *imapclient.Client) *group {
	return &group{p: p, c: c, pace: pace{a: p.a, most: wakesAll}, news: make(map[*folder]bool), left: make(map[*folder]bool), failed: make(map[*folder]string)}
}

// watch reads and waits for ever, or until the folders are to be divided again.
func (g *group) watch(ctx context.Context, folders []*folder) error {
	rung, err := g.take(ctx, folders)
	if err != nil || rung && g.p.mute {
		return err
	}
	for {
		read, found := false, false
		// Each has its turn, also where one ends the session or all together take
		// longer than until they are divided again.
		for range g.folders {
			f := g.folders[g.p.turn%len(g.folders)]
			g.p.turn++
			if !g.news[f] {
				continue
			}
			g.p.first.state("catchup", nil)
			had := f.seen
			if err := g.read(ctx, f); err != nil {
				return err
			}
			read, found = true, found || f.seen != had
			if g.p.due() { // else a first contact with many folders would hold others up
				return nil
			}
		}
		if g.p.due() {
			return nil
		}
		g.worth(read, found)
		if rung && g.notify {
			// Once more: Dovecot watches a file that it may have put another in the
			// place of while many folders were read, and then tells 30 s late. What
			// it had not told yet it forgets, so all are asked for.
			if err := g.ring(ctx); err != nil || g.p.mute {
				return err
			}
			for _, f := range g.folders {
				g.left[f] = true
			}
		}
		rung = false
		if again, err := g.lookBack(ctx); err != nil {
			return err
		} else if again {
			if err := g.pace.rest(ctx); err != nil {
				return err
			}
			continue
		}
		g.p.first.state("watch", g.trouble())
		if err := g.wait(ctx); err != nil {
			return err
		}
	}
}

// worth notes what the last look at the folders has brought.
func (g *group) worth(read, found bool) {
	switch {
	case found:
		g.pace.empty = 0
		if g.full {
			g.p.a.unannounced()
		}
	case read:
		g.pace.nothing()
	}
	g.full = false
}

// take makes the group one of these folders. Of those that it had already, what
// it knows stands. It tells whether the server was asked to tell of them.
func (g *group) take(ctx context.Context, folders []*folder) (rung bool, err error) {
	same := slices.Equal(g.folders, folders)
	for _, f := range folders {
		if !slices.Contains(g.folders, f) {
			g.news[f] = true
		}
	}
	gone := func(f *folder, _ bool) bool { return !slices.Contains(folders, f) }
	maps.DeleteFunc(g.news, gone)
	maps.DeleteFunc(g.left, gone)
	g.folders = folders
	if g.notify && same {
		return false, nil
	}
	if g.notify = g.p.notifies(g.c); !g.notify {
		return false, nil
	}
	return true, g.ring(ctx) // before they are read: what comes meanwhile is told
}

// ring has the server tell of the folders; where it refuses, the account does
// without from now on.
func (g *group) ring(ctx context.Context) error {
	err := g.c.Notify(ctx, names(g.folders)...)
	if errors.Is(err, imapclient.ErrNoNotify) {
		g.p.a.Log.Warn("no NOTIFY", "err", err)
		g.notify, g.p.mute = false, true
		return nil
	}
	return err
}

func names(folders []*folder) (names []string) {
	for _, f := range folders {
		names = append(names, f.name)
	}
	return names
}

// wait returns when something may be new, or when it is time to see whether the
// folders are to be divided again.
func (g *group) wait(ctx context.Context) error {
	if !g.notify {
		rang, err := g.p.a.doze(ctx, g.c, min(g.p.a.Poll, g.p.slice()))
		if err != nil {
			return err
		}
		if rang && slices.Contains(g.folders, g.open) {
			g.news[g.open] = true
		}
		return g.look(ctx, len(g.folders))
	}
	slice := g.p.a.Slice
	for _, f := range g.folders {
		if g.news[f] { // it could not be read
			slice = min(slice, g.p.a.Poll)
		}
	}
	if err := g.pace.rest(ctx); err != nil {
		return err
	}
	start := time.Now()
	wake, err := g.c.Idle(ctx, g.p.a.slice(slice))
	if errors.Is(err, imapclient.ErrNoIdle) || errors.Is(err, imapclient.ErrNoNotify) {
		g.p.a.Log.Warn("the server tells no more: polling", "err", err, "every", g.p.a.Poll)
		g.notify, g.p.mute = false, true
		return g.look(ctx, len(g.folders))
	}
	if err != nil {
		return err
	}
	for _, name := range g.c.Changed() {
		for _, f := range g.folders {
			g.news[f] = g.news[f] || f.name == name || strings.EqualFold(name, "INBOX") && strings.EqualFold(f.name, name)
		}
	}
	switch wake {
	case imapclient.WakeExists:
		if slices.Contains(g.folders, g.open) {
			g.news[g.open] = true
		}
	case imapclient.WakeEnded:
		if g.ends.often(start) {
			g.p.a.Log.Warn("the server keeps ending IDLE: polling", "every", g.p.a.Poll)
			g.notify, g.p.mute = false, true
		}
		if err := sleep(ctx, idleAgain); err != nil {
			return err
		}
		return g.look(ctx, lookAt)
	case imapclient.WakeTimeout:
		g.full = true
		return g.look(ctx, lookAt)
	}
	return nil
}

// read reads what is new in a folder. One that cannot be read stays news, and
// the others are read all the same.
func (g *group) read(ctx context.Context, f *folder) error {
	if g.notify && g.open != nil && g.open != f {
		g.left[g.open] = true
	}
	if g.notify && len(g.folders) <= lookAt {
		// What comes just before an IDLE ends Dovecot tells 30 s late.
		for _, other := range g.folders {
			g.left[other] = true
		}
	}
	delete(g.left, f)
	g.open, g.opened = f, time.Now()
	err := f.sweep(ctx, g.c)
	switch {
	case err == nil:
		delete(g.news, f)
		delete(g.failed, f)
		return nil
	case !errors.As(err, new(*FolderError)) && !errors.As(err, new(*imapclient.ResponseError)), imapclient.Backoff(err) > 0:
		return err
	}
	if text := err.Error(); text != g.failed[f] {
		g.failed[f] = text
		g.p.a.Log.Warn("folder cannot be read", "folder", f.name, "err", err, "again_in", g.p.a.Poll)
	}
	return nil
}

// trouble is why a folder cannot be read, else why after-actions are owed, for
// the session's row; nil: all is done.
func (g *group) trouble() (owed error) {
	for _, f := range g.folders {
		if text := g.failed[f]; text != "" {
			return errors.New(text)
		}
		if owed == nil {
			owed = f.owed
		}
	}
	return owed
}

// lookBack asks whether something came of which the server had not told yet and
// will not, or late. Of what comes from now on it tells.
func (g *group) lookBack(ctx context.Context) (again bool, err error) {
	for f := range g.left {
		delete(g.left, f)
		if f == g.open || g.news[f] { // that could not be read: later
			continue
		}
		if err := g.ask(ctx, f); err != nil {
			return false, err
		}
		again = again || g.news[f]
	}
	return again, nil
}

// look asks whether something is new in the next n folders, without opening
// them.
func (g *group) look(ctx context.Context, n int) error {
	for range min(n, len(g.folders)) {
		f := g.folders[g.looked%len(g.folders)]
		g.looked++
		if g.news[f] {
			continue
		}
		if err := g.ask(ctx, f); err != nil {
			return err
		}
	}
	g.heed()
	return nil
}

// heed takes an EXISTS of the open folder that came along with another answer.
func (g *group) heed() {
	if slices.Contains(g.folders, g.open) && g.c.Rang() {
		g.news[g.open] = true
	}
}

// ask asks whether something is new in a folder, without opening it. Of the open
// one many servers' STATUS tells no more than the session knows (Dovecot, Courier,
// Exchange), so there it is NOOP; and behind a slice it is opened anew, should the
// server announce nothing.
func (g *group) ask(ctx context.Context, f *folder) error {
	if f == g.open {
		err := g.c.Noop(ctx)
		if err != nil && !isRefusal(err) {
			return err
		}
		g.news[f] = g.c.Rang() || err != nil || f.restless() || time.Since(g.opened) >= g.p.a.Slice
		return nil
	}
	st, err := g.c.Status(ctx, f.name)
	if err != nil && !isRefusal(err) {
		return err
	}
	g.news[f] = err != nil || f.moved(st) || f.restless()
	return nil
}

// moved reports whether a folder has other messages than when it was read last:
// also where UIDNEXT goes back, or there are more under the same one. Where the
// server does not tell, it is assumed.
func (f *folder) moved(st callbacks.Status) bool {
	if st.UIDNext == nil || st.UIDValidity == nil || *st.UIDValidity != f.seen.validity {
		return true
	}
	more := st.Messages != nil && *st.Messages > f.seen.exists
	if st.Messages != nil {
		f.seen.exists = min(f.seen.exists, *st.Messages)
	}
	return more || *st.UIDNext > f.seen.next || *st.UIDNext < f.seen.told
}
