package watch

import (
	"context"
	"errors"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/imapclient"
)

// group is a session that watches several folders: it looks at all of them now
// and again and opens those in which something is new.
type group struct {
	p       *plan
	c       *imapclient.Client
	folders []*folder
	news    map[*folder]bool
	failed  map[*folder]string // why a folder could not be read, as it was logged
}

// watch reads and waits for ever, or until the folders are to be divided again.
func (g *group) watch(ctx context.Context) error {
	g.news, g.failed = make(map[*folder]bool), make(map[*folder]string)
	for _, f := range g.folders {
		g.news[f] = true
	}
	for {
		for _, f := range g.folders {
			if !g.news[f] {
				continue
			}
			g.p.first.state("catchup", nil)
			if err := g.read(ctx, f); err != nil {
				return err
			}
			if g.p.due() { // else a first contact with many folders would hold others up
				break
			}
		}
		if g.p.due() {
			return nil
		}
		g.p.first.state("watch", nil)
		if err := sleep(ctx, min(g.p.a.Poll, g.p.slice())); err != nil {
			return err
		}
		for _, f := range g.folders {
			if err := g.look(ctx, f); err != nil {
				return err
			}
		}
	}
}

// read reads what is new in a folder. One that cannot be read stays news, and
// the others are read all the same.
func (g *group) read(ctx context.Context, f *folder) error {
	err := f.sweep(ctx, g.c)
	refused := (*imapclient.ResponseError)(nil)
	switch {
	case err == nil:
		delete(g.news, f)
		delete(g.failed, f)
		return nil
	case !errors.As(err, new(*FolderError)) && !errors.As(err, &refused):
		return err
	}
	if text := err.Error(); text != g.failed[f] {
		g.failed[f] = text
		g.p.a.Log.Warn("folder cannot be read", "folder", f.name, "err", err, "again_in", g.p.a.Poll)
	}
	return nil
}

// look asks whether something is new in a folder, without opening it.
func (g *group) look(ctx context.Context, f *folder) error {
	if g.news[f] {
		return nil
	}
	st, err := g.c.Status(ctx, f.name)
	if err != nil && !errors.As(err, new(*imapclient.ResponseError)) {
		return err
	}
	g.news[f] = err != nil || f.moved(st)
	return nil
}

// moved tells whether a folder has other mails than when it was read last. Where
// the server does not tell, it is assumed.
func (f *folder) moved(st callbacks.Status) bool {
	return st.UIDNext == nil || st.UIDValidity == nil || *st.UIDValidity != f.seen.validity || *st.UIDNext > f.seen.next
}
