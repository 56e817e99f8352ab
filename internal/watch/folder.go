package watch

import (
	"context"
	"errors"
	"slices"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

const (
	fewMails     = 1000    // as many are fetched without a SEARCH
	firstWindow  = 8192    // UIDs a SEARCH looks at
	widestWindow = 1 << 16 // its answer stays well under the client's longest line
	sparse       = 1000    // answers to a window below which the next is wider
	maxDeaths    = 3       // connections a mail may end
)

// folder reads one folder. It outlives the sessions that do it.
type folder struct {
	a      *Account
	name   string
	prefix prefix

	rescan  bool // --all is still to be obeyed
	careful bool // the last session died: SEARCH first, so that deaths can be counted
	chunk   int  // UIDs a FETCH may ask for; less while the one that kills is looked for
}

func newFolder(a *Account, name string) *folder {
	return &folder{a: a, name: name, rescan: a.All}
}

// session is a folder that is open.
type session struct {
	*folder
	c    *imapclient.Client
	sel  imapclient.Selected
	high uint32 // as the pipeline knows it, or will
	line *pipeline
}

// open opens the folder and claims it. Every UID below belongs to the
// UIDVALIDITY compared here.
func (f *folder) open(ctx context.Context, c *imapclient.Client) (*session, error) {
	sel, err := c.Examine(ctx, f.name)
	if err != nil {
		var no *imapclient.ResponseError
		if errors.As(err, &no) || errors.Is(err, imapclient.ErrUIDValidity) {
			return nil, &FolderError{f.name, err}
		}
		return nil, err
	}
	claim, err := f.a.Ledger.Claim(ctx, ledger.Folder{Account: f.a.Name, Name: f.name})
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &LedgerError{err}
	}
	had := claim.Checkpoint.UIDValidity
	switch {
	case had != 0 && had != sel.UIDValidity:
		f.a.Log.Warn("UIDVALIDITY changed: reading the folder again; known mails fall out",
			"folder", f.name, "was", had, "is", sel.UIDValidity)
		claim.Checkpoint = ledger.Checkpoint{}
	case f.rescan:
		claim.Checkpoint = ledger.Checkpoint{}
	}
	f.rescan = false
	claim.Checkpoint.UIDValidity = sel.UIDValidity
	return &session{folder: f, c: c, sel: sel, high: claim.Checkpoint.High, line: newPipeline(ctx, f, claim)}, nil
}

// sweep reads what is new and returns.
func (f *folder) sweep(ctx context.Context, c *imapclient.Client) error {
	s, err := f.open(ctx, c)
	if err != nil {
		return err
	}
	return s.end(s.catchUp(ctx))
}

// watch reads what is new, for ever.
func (f *folder) watch(ctx context.Context, c *imapclient.Client) error {
	s, err := f.open(ctx, c)
	if err != nil {
		return err
	}
	return s.end(s.follow(ctx))
}

// end stops the pipeline and makes a session's error complete: a failed commit
// comes first, and a death is written down before the next session.
func (s *session) end(err error) error {
	if err != nil {
		s.careful = true
		if s.chunk == 0 {
			s.chunk = fewMails
		}
	}
	var fetch *imapclient.FetchError
	if errors.As(err, &fetch) {
		s.line.add(batch{died: fetch.UID})
		if _, ferr := s.line.flush(); ferr == nil {
			err = progress{err}
		}
	}
	if lineErr := s.line.close(); lineErr != nil {
		return lineErr
	}
	return err
}

// follow catches up, then waits, then catches up...
func (s *session) follow(ctx context.Context) error {
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	w := waiter{c: s.c, a: s.a}
	for {
		rang, err := w.wait(ctx)
		if err != nil {
			return err
		}
		if rang {
			err = s.fetchNew(ctx)
		} else {
			err = s.search(ctx) // finds what no EXISTS told of, and a dead link
		}
		if err == nil {
			err = s.finish(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// catchUp reads everything from the checkpoint to the folder's end.
func (s *session) catchUp(ctx context.Context) error {
	s.line.begin(s.remaining())
	err := s.retryPending(ctx)
	if err == nil {
		switch last := s.sel.UIDNext; {
		case last != 0 && last-1 <= s.high:
		case !s.careful && last != 0 && last-1-s.high <= fewMails:
			err = s.fetchNew(ctx)
		default:
			err = s.search(ctx)
		}
	}
	if err == nil {
		err = s.finish(ctx)
	}
	if err == nil {
		s.careful, s.chunk = false, 0
		s.line.caughtUp()
	}
	return err
}

// remaining guesses how many mails there are to read, for the progress bar.
func (s *session) remaining() int {
	n := int(s.sel.Exists)
	if s.sel.UIDNext != 0 {
		n = min(n, int(int64(s.sel.UIDNext)-1-int64(s.high))+len(s.line.pending()))
	}
	return max(n, 0)
}

// fetchNew reads the few mails above high without asking which there are. high
// moves only when all of them are known: a gap is looked into.
func (s *session) fetchNew(ctx context.Context) error {
	if s.high == ^uint32(0) {
		return nil
	}
	var got []uint32
	asked := s.prefix.octets()
	for m, err := range s.c.FetchFrom(ctx, s.high+1, asked) {
		if errors.As(err, new(*imapclient.ResponseError)) {
			return s.search(ctx) // one of them is refused: find out which
		}
		if err != nil {
			return err
		}
		got = append(got, m.UID)
		if err := s.line.mail(m, asked); err != nil {
			return err
		}
	}
	if len(got) == 0 {
		return nil
	}
	slices.Sort(got)
	last := got[len(got)-1]
	if want := int(last - s.high); len(got) < want {
		uids, err := s.c.Search(ctx, s.high+1, last)
		if err != nil {
			return err
		}
		left := slices.DeleteFunc(uids, func(uid uint32) bool { _, ok := slices.BinarySearch(got, uid); return ok })
		s.line.add(batch{found: left, high: last})
		s.high = last
		return s.fetch(ctx, left)
	}
	s.high = last
	s.line.add(batch{high: last})
	return nil
}

// search reads everything above high, window by window, so that no answer is
// ever too long and a mailbox with few mails among many UIDs takes few trips.
func (s *session) search(ctx context.Context) error {
	width := uint32(firstWindow)
	for s.high < ^uint32(0) {
		lo, hi := s.high+1, uint32(0)
		if next := s.sel.UIDNext; next != 0 && next > lo && next-lo > width {
			hi = lo + width - 1
		}
		uids, err := s.c.Search(ctx, lo, hi)
		if err != nil {
			return err
		}
		if hi == 0 && len(uids) > 0 {
			s.high = uids[len(uids)-1]
		}
		if hi != 0 {
			s.high = hi
		}
		if len(uids) > 0 || hi != 0 {
			s.line.add(batch{found: uids, high: s.high})
		}
		if err := s.fetch(ctx, uids); err != nil {
			return err
		}
		if hi == 0 {
			return nil
		}
		if len(uids) < sparse && width < widestWindow {
			width *= 2
		}
	}
	return nil
}

// fetch reads mails that the checkpoint holds as pending.
func (s *session) fetch(ctx context.Context, uids []uint32) error {
	if len(uids) == 0 {
		return nil
	}
	if s.chunk == 0 {
		_, err := s.fetchSome(ctx, uids, s.prefix.octets())
		return err
	}
	for len(uids) > 0 {
		some := uids[:min(len(uids), s.chunk)]
		read, err := s.fetchSome(ctx, some, s.prefix.octets())
		if err != nil {
			return s.suspect(ctx, err, some, read)
		}
		s.chunk = min(2*s.chunk, fewMails)
		uids = uids[len(some):]
	}
	return nil
}

// suspect narrows down which mail ends the connection, where none was seen on
// the wire: fewer at once next time, and of one alone it is certain.
func (s *session) suspect(ctx context.Context, err error, asked []uint32, read int) error {
	if ctx.Err() != nil || errors.As(err, new(*imapclient.FetchError)) || read > 0 || !isDeath(err) {
		return err
	}
	if len(asked) == 1 {
		return &imapclient.FetchError{UID: asked[0], Err: err}
	}
	s.chunk = max(1, min(s.chunk, len(asked))/8)
	return progress{err}
}

// isDeath tells a connection that ended from a ledger that failed.
func isDeath(err error) bool {
	return !errors.As(err, new(*imapclient.ResponseError)) && !errors.As(err, new(*LedgerError))
}

// fetchSome reads mails and hands them to the pipeline, in the order of their
// UIDs. A refused FETCH leaves its mails pending.
func (s *session) fetchSome(ctx context.Context, uids []uint32, prefix int64) (read int, err error) {
	o := newOrder(uids, func(m *imapclient.Mail) error { return s.line.mail(m, prefix) })
	for m, err := range s.c.Fetch(ctx, uids, prefix) {
		if err == nil {
			read++
			if err = o.add(m); err != nil {
				return read, err
			}
			continue
		}
		if lineErr := o.flush(); lineErr != nil {
			return read, lineErr
		}
		var no *imapclient.ResponseError
		switch {
		case !errors.As(err, &no):
			return read, err
		case len(uids) > 1:
			return read, s.oneByOne(ctx, uids, prefix)
		}
		s.line.add(batch{died: uids[0]})
		return read, nil
	}
	return read, o.flush()
}

// oneByOne asks for each mail alone, after the server refused them together.
// Those it gave nevertheless are read twice and counted once.
func (s *session) oneByOne(ctx context.Context, uids []uint32, prefix int64) error {
	for _, uid := range uids {
		if _, err := s.fetchSome(ctx, []uint32{uid}, prefix); err != nil {
			return err
		}
	}
	return nil
}

// retryPending reads what earlier sessions left. What has ended a connection
// comes last and alone.
func (s *session) retryPending(ctx context.Context) error {
	var clean []uint32
	var deadly []ledger.Pending
	for _, p := range s.line.pending() {
		if p.Tries == 0 {
			clean = append(clean, p.UID)
		} else {
			deadly = append(deadly, p)
		}
	}
	if err := s.fetch(ctx, clean); err != nil {
		return err
	}
	slices.SortStableFunc(deadly, func(a, b ledger.Pending) int { return a.Tries - b.Tries })
	for _, p := range deadly {
		if p.Tries >= maxDeaths {
			s.line.add(batch{lost: []uint32{p.UID}})
			continue
		}
		if _, err := s.fetchSome(ctx, []uint32{p.UID}, s.prefix.octets()); err != nil {
			return s.suspect(ctx, err, []uint32{p.UID}, 0)
		}
		if err := s.settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

// finish settles everything. What the server refused gets its further trials,
// and is given up after the last.
func (s *session) finish(ctx context.Context) error {
	for range maxDeaths + 1 {
		if err := s.settle(ctx); err != nil {
			return err
		}
		if len(s.line.pending()) == 0 {
			return nil
		}
		if err := s.retryPending(ctx); err != nil {
			return err
		}
	}
	return s.settle(ctx)
}

// settle commits everything and reads on in the mails of which more is needed,
// until nothing is pending but what must wait for another session.
func (s *session) settle(ctx context.Context) error {
	for {
		more, err := s.line.flush()
		if err != nil || len(more) == 0 {
			return err
		}
		for _, n := range more {
			if _, err := s.fetchSome(ctx, []uint32{n.uid}, n.octets); err != nil {
				return s.suspect(ctx, err, []uint32{n.uid}, 0)
			}
		}
	}
}
