package watch

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

const (
	fewMessages  = 1000    // as many are fetched without a SEARCH
	firstWindow  = 8192    // UIDs a SEARCH looks at
	widestWindow = 1 << 16 // its answer stays well under the client's longest line
	sparse       = 1000    // answers to a window below which the next is wider
)

// folder reads one folder. It outlives the sessions that do it.
type folder struct {
	a      *Account
	name   string
	prefix prefix
	state  func(string)         // told what the session does, for its row in the ledger
	slice  func() time.Duration // how long to wait for news at once; nil: the account's Slice
	due    func() bool          // whether the watch is to end, behind a slice; nil: never

	seen struct { // when it was read last
		validity uint64
		told     uint32 // UIDNEXT
		next     uint32 // the same, or above the last UID that was read
		exists   uint32
	}

	gaps       bool      // there are young ones
	lookedLate time.Time // when they were looked into
	recounted  time.Time

	since imapclient.Since // what the Handler has heard of
	known []uint32         // the messages there were, ascending; nil: it is not to be known

	firstRead atomic.Pointer[firstRead] // nil: not known yet

	unacted string // why after-actions were refused, as it was logged
	owed    error  // why they are owed still; nil: they are not

	rescan  bool // --all is still to be obeyed
	careful bool // the last session died: SEARCH first, so that deaths can be counted
	chunk   int  // UIDs to ask for at once; few while the one that kills is looked for
	deaths  map[uint32]death

	withheld map[uint32]withheldSince // messages that the server withholds

	unnamed error // the open folder has messages that no command can name; nil: none is known of
	list    lister
}

func newFolder(a *Account, name string) *folder {
	return &folder{a: a, name: name, state: func(string) {}, rescan: a.All, chunk: fewMessages, deaths: make(map[uint32]death), withheld: make(map[uint32]withheldSince)}
}

// session is a folder that is open.
type session struct {
	*folder
	c    *imapclient.Client
	sel  imapclient.Selected
	high uint32 // as the pipeline knows it, or will
	pipe *pipeline

	blame     blame     // for a death now
	noes      int       // messages refused in a row
	gave      time.Time // when the server gave a message last
	lacks     bool      // a message came short, and nothing shows that the server gives any
	caught    bool      // all that there was has been read
	idleHands bool      // after-actions were refused
	found     uint64    // messages that were found since the folder was caught up, or are accounted for
}

// open opens the folder and claims it. Every UID below belongs to the
// UIDVALIDITY compared here.
func (f *folder) open(ctx context.Context, c *imapclient.Client) (*session, error) {
	f.unnamed = nil
	sel, err := f.openMailbox(ctx, c)
	if err != nil {
		var no *imapclient.ResponseError
		if errors.As(err, &no) || errors.Is(err, imapclient.ErrUIDValidity) {
			return nil, &FolderError{f.name, err}
		}
		return nil, err
	}
	if sel.Exists > 0 && sel.UIDNext <= sel.Exists { // it cannot be
		sel.UIDNext = 0
	}
	if sel.UIDNext == 0 { // else one answer would have to list the whole folder
		st, err := c.Status(ctx, f.name)
		if err != nil && !isRefusal(err) {
			return nil, err
		}
		if st.UIDNext != nil && *st.UIDNext > sel.Exists {
			sel.UIDNext = *st.UIDNext
		}
	}
	claim, err := f.a.Ledger.Claim(ctx, ledger.Folder{Account: f.a.Name, Name: f.name})
	if err != nil {
		return nil, ledgerError(ctx, err)
	}
	was := claim.Checkpoint
	had := was.UIDValidity
	switch {
	case f.rescan:
		claim.Checkpoint = ledger.Checkpoint{}
	case had != 0 && had != sel.UIDValidity:
		clear(f.deaths)
		clear(f.withheld)
		if claim.Checkpoint, err = f.uidValidityChanged(ctx, c, claim, sel); err != nil {
			return nil, err
		}
	case had != 0:
		if claim.Checkpoint, err = f.recognize(ctx, c, claim, &sel); err != nil {
			return nil, err
		}
	}
	f.noteFirst(claim, sel)
	claim.Checkpoint.UIDValidity = sel.UIDValidity
	claim.Checkpoint.Again = mayBeRead(was, claim.Checkpoint, sel)
	return &session{folder: f, c: c, sel: sel, high: claim.Checkpoint.High, pipe: newPipeline(ctx, f, claim)}, nil
}

// sweep reads what is new and returns.
func (f *folder) sweep(ctx context.Context, c *imapclient.Client) error {
	s, err := f.open(ctx, c)
	if err != nil {
		return err
	}
	return s.end(s.catchUp(ctx))
}

// watch reads what is new, for ever, or until it is due to end.
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
	if err != nil && !errors.Is(err, imapclient.ErrUID) {
		s.careful = true
		s.chunk = min(s.chunk, fewMessages)
	}
	s.part()
	var fetch *imapclient.FetchError
	if errors.As(err, &fetch) && s.blame != nobody {
		s.died(fetch.UID, fetch.Octets)
		if _, ferr := s.pipe.flush(); ferr == nil && s.blame == surely {
			err = advanced{err}
		}
	}
	pipeErr := s.pipe.close()
	if s.pipe.kept {
		s.rescan = false
	}
	if pipeErr != nil {
		return pipeErr
	}
	s.forget()
	if s.caught {
		s.seen.validity, s.seen.told = s.sel.UIDValidity, s.sel.UIDNext
		s.seen.next = max(s.sel.UIDNext, s.high+1)
		unfound := max(s.c.Arrived(), s.found) - s.found
		s.seen.exists = uint32(max(uint64(s.c.Exists()), unfound) - unfound)
		s.gaps = len(young(s.pipe.gaps(), nil)) > 0
	}
	return err
}

// forget drops what is known of messages that are pending no more.
func (s *session) forget() {
	pending := make(map[uint32]bool)
	for _, p := range s.pipe.pending() {
		pending[p.UID] = true
	}
	maps.DeleteFunc(s.deaths, func(uid uint32, _ death) bool { return !pending[uid] })
	maps.DeleteFunc(s.withheld, func(uid uint32, _ withheldSince) bool { return !pending[uid] })
}

// follow catches up, then waits, then catches up...
func (s *session) follow(ctx context.Context) error {
	s.state("catchup")
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	s.state("watch")
	w := newWaiter(s.a, s.c)
	for {
		s.blame = perhaps // what was proved is long ago
		slice := s.a.Slice
		if s.slice != nil {
			slice = s.slice()
		}
		rang, err := w.wait(ctx, slice)
		if err != nil {
			return err
		}
		high := s.high
		if rang {
			err = s.fetchNew(ctx)
		} else if s.c.Empty() {
			err = s.c.Noop(ctx) // some servers refuse a SEARCH there
		} else {
			err = s.search(ctx) // finds what no EXISTS told of, and a dead link
		}
		w.looked(s.high != high)
		if err == nil && rang && s.c.Arrived() > s.found {
			err = s.account(ctx)
		} else if err == nil && s.gaps && time.Since(s.lookedLate) >= lateEvery {
			err = s.late(ctx)
		}
		owed := s.owed
		if err == nil {
			err = s.finish(ctx)
		}
		if err == nil && s.owed != owed {
			s.state("watch")
		}
		if err != nil || s.due != nil && s.due() {
			return err
		}
	}
}

// catchUp reads everything from the checkpoint to the folder's end.
func (s *session) catchUp(ctx context.Context) error {
	s.pipe.begin(s.remaining())
	clean, _ := s.left()
	err := s.fetch(ctx, clean)
	if err == nil {
		switch last := s.sel.UIDNext; {
		case s.c.Empty():
		case last != 0 && last-1 <= s.high:
		case !s.careful && last != 0 && last-1-s.high <= fewMessages:
			err = s.fetchNew(ctx)
			if err == nil && last-1 > s.high {
				err = s.search(ctx) // are they gone, or not given?
			}
		default:
			err = s.search(ctx)
		}
	}
	if err == nil {
		err = s.late(ctx)
	}
	if err == nil {
		err = s.grown(ctx)
	}
	if err == nil {
		err = s.finish(ctx)
	}
	if err == nil {
		s.found, s.caught = s.c.Arrived(), true
		s.endFirst(ctx)
		s.careful = false
		s.pipe.caughtUp()
	}
	return err
}

// remaining guesses how many messages there are to read, for the progress bar.
func (s *session) remaining() int {
	n := int(s.sel.Exists)
	if s.sel.UIDNext != 0 {
		n = min(n, int(int64(s.sel.UIDNext)-1-int64(s.high))+len(s.pipe.pending()))
	}
	return max(n, 0)
}

// fetchNew reads the few messages above high without asking which there are. high
// moves only when all of them are known: a gap is looked into.
func (s *session) fetchNew(ctx context.Context) error {
	if s.high == ^uint32(0) || s.c.Empty() {
		return nil
	}
	var seen []uint32
	var bodyless bool
	var short shorts
	asked := s.prefix.octets()
	for m, err := range s.c.FetchFrom(ctx, s.high+1, asked) {
		if isRefusal(err) {
			return s.search(ctx) // one of them is refused: find out which
		}
		if errors.Is(err, imapclient.ErrUID) { // behind the others
			s.unnamed = err
			break
		}
		if err != nil {
			return err
		}
		if m.Bodyless {
			bodyless = true
			continue
		}
		s.know(m.UID)
		seen = append(seen, m.UID)
		if s.isShort(m, asked) {
			short.add(m)
			continue
		}
		s.gave = time.Now()
		if err := s.pipe.message(m, asked); err != nil {
			return err
		}
	}
	if len(seen) == 0 && !bodyless {
		return nil
	}
	if bodyless { // they must be pending to be counted as refused
		return s.search(ctx)
	}
	slices.Sort(seen)
	last := seen[len(seen)-1]
	var left []uint32 // not named
	if want := int(last - s.high); len(seen) < want {
		uids, err := s.find(ctx, s.high+1, last)
		if err != nil {
			return err
		}
		left = minus(uids, seen)
	}
	s.found += uint64(len(seen) + len(left))
	s.extend(last, slices.Concat(left, short.uids()), slices.Concat(seen, left))
	if err := s.askAgain(ctx, short); err != nil {
		return err
	}
	return s.fetch(ctx, left)
}

// extend moves high to a UID up to which the folder is known now: which messages are
// there, and which of them are to be read.
func (s *session) extend(to uint32, unread, there []uint32) {
	gaps := gapsOf(s.high+1, to, there)
	s.gaps = s.gaps || len(gaps) > 0
	s.pipe.add(batch{found: unread, high: to, gaps: gaps})
	s.high = to
}

// widest is how many UIDs a SEARCH may look at: all where there are so few messages
// that no answer can be too long.
func (s *session) widest() uint32 {
	if s.sel.Exists <= widestWindow {
		return 1 << 31
	}
	return widestWindow
}

// search reads everything above high, window by window, so that no answer is
// ever too long and a mailbox with few messages among many UIDs takes few trips.
func (s *session) search(ctx context.Context) error {
	width, widest := uint32(firstWindow), s.widest()
	for s.high < ^uint32(0) {
		lo, hi := s.high+1, uint32(0)
		if next := s.sel.UIDNext; next != 0 && next > lo && next-lo > width {
			hi = lo + width - 1
		}
		uids, err := s.find(ctx, lo, hi)
		if err != nil {
			return err
		}
		to := hi
		if hi == 0 && len(uids) > 0 {
			to = uids[len(uids)-1]
		}
		if to != 0 {
			s.found += uint64(len(uids))
			s.extend(to, uids, uids)
		}
		if err := s.fetch(ctx, uids); err != nil {
			return err
		}
		if hi == 0 {
			return nil
		}
		if err := s.settle(ctx); err != nil { // what more is needed of must not pile up
			return err
		}
		if len(uids) < sparse && width < widest {
			width *= 2
		}
	}
	return nil
}
