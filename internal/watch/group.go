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
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// group is a session that watches several folders: the server announces changes of
// all (NOTIFY, RFC 5465), or the session looks at them every Poll. It opens the
// folders in which something is new.
type group struct {
	p       *plan
	c       *imapclient.Client
	folders []*folder
	notify  bool             // the server announces changes of these folders
	open    *folder          // whose EXISTS the server announces
	opened  time.Time        // when that was opened
	left    map[*folder]bool // to be asked for before the next wait: the server may not announce what came last
	news    map[*folder]bool
	failed  map[*folder]string // error of a folder that could not be read, as it was logged
	ends    ends
	pace    pace
	full    bool // the last wait was a whole slice
	looked  int  // index of the folder that is looked at next without an announcement
}

// lookAt is how many folders are looked at after each slice, should the server
// announce too little.
const lookAt = 10

func newGroup(p *plan, c *imapclient.Client) *group {
	return &group{p: p, c: c, pace: pace{a: p.a, most: wakesAll}, news: make(map[*folder]bool), left: make(map[*folder]bool), failed: make(map[*folder]string)}
}

// watch reads and waits for ever, or until the folders are to be divided again.
func (g *group) watch(ctx context.Context, folders []*folder) error {
	rung, err := g.take(ctx, folders)
	if err != nil || rung && g.p.noNotify {
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
			g.p.first.state(ledger.StateCatchUp, nil)
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
		g.noteLook(read, found)
		if rung && g.notify {
			// Once more: Dovecot watches a file that it may have replaced while many
			// folders were read, and then announces 30 s late. It forgets what it had
			// not announced yet, so all folders are asked for.
			if err := g.ring(ctx); err != nil || g.p.noNotify {
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
		g.p.first.state(ledger.StateWatch, g.trouble())
		if err := g.wait(ctx); err != nil {
			return err
		}
	}
}

// noteLook notes what the last look at the folders has brought.
func (g *group) noteLook(read, found bool) {
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

// take makes the group one of these folders. It keeps what it knows of folders that
// it had already. rung reports whether NOTIFY was sent.
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
	return true, g.ring(ctx) // before the folders are read: what comes meanwhile is announced
}

// ring sends NOTIFY for the folders. If the server refuses, the account does without
// from now on.
func (g *group) ring(ctx context.Context) error {
	err := g.c.Notify(ctx, names(g.folders)...)
	if errors.Is(err, imapclient.ErrNoNotify) {
		g.p.a.Log.Warn("no NOTIFY", "err", err)
		g.notify, g.p.noNotify = false, true
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
		g.p.a.Log.Warn("the server refuses to announce changes: polling", "err", err, "every", g.p.a.Poll)
		g.notify, g.p.noNotify = false, true
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
			g.notify, g.p.noNotify = false, true
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

// read reads what is new in a folder. A folder that cannot be read stays news, and
// the others are read all the same.
func (g *group) read(ctx context.Context, f *folder) error {
	if g.notify && g.open != nil && g.open != f {
		g.left[g.open] = true
	}
	if g.notify && len(g.folders) <= lookAt {
		// Dovecot announces 30 s late what comes just before an IDLE ends.
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

// trouble is why a folder cannot be read, else why after-actions are owed, for the
// session's row; nil: neither.
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

// lookBack asks whether something came that the server has not announced and may
// never announce. What comes from now on is announced.
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

// heed notes an EXISTS of the open folder that came along with another answer.
func (g *group) heed() {
	if slices.Contains(g.folders, g.open) && g.c.Rang() {
		g.news[g.open] = true
	}
}

// ask asks whether something is new in a folder, without opening it. For the open
// folder it sends NOOP: the STATUS of many servers says no more than the session
// knows (Dovecot, Courier, Exchange). After a slice that folder is opened anew,
// should the server announce nothing.
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

// moved reports whether a folder has other messages than at the last read. UIDNEXT
// may also go back, or more messages be under the same one. Without UIDNEXT or
// UIDVALIDITY it returns true.
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
