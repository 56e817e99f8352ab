package imapclient

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

func constant(prefix int64) func(bool) int64 {
	return func(bool) int64 { return prefix }
}

// request is the messages that are fetched.
type request struct {
	uids   []uint32                       // ascending; those that no FETCH has asked for
	from   uint32                         // not 0: this UID and all above, instead of uids
	listed func(uids []uint32, err error) // not nil: those from from to hi that a SEARCH finds
	hi     uint32                         // 0: any
	asked  uint32                         // up to which UID the first FETCH asks
	found  []uint32                       // by the SEARCH
	prefix func(early bool) int64         // octets of a body; called before each FETCH
	whole  bool                           // ask for the whole body instead of its start
}

// existing are the UIDs that the SEARCH found, if there was one.
func (r *request) existing(uids []uint32) []uint32 {
	if r.listed == nil {
		return uids
	}
	return slices.DeleteFunc(uids, func(uid uint32) bool {
		_, is := slices.BinarySearch(r.found, uid)
		return !is
	})
}

// Several FETCHes get the messages. The next is sent when it will reach the server right
// behind the end of the last, so that no round trip is lost. Not before that: Dovecot
// then answers the new one first, and the messages of the last come late.
const (
	setFirst = 1 << 10 // messages of the first: what it shows of them helps the next
	setMost  = 1 << 14
	heldMost = 8 << 20 // octets of messages that may come before the answer to the SEARCH

	// A FETCH that comes together with the SEARCH is answered first by Dovecot. A near
	// server has answered the SEARCH by then.
	searchLead = 10 * time.Millisecond
)

// fetching is the state of one fetch.
type fetching struct {
	c *Client
	*request
	answers [2]<-chan status // of the FETCHes that run; nil: none
	search  <-chan status    // of the SEARCH; nil: none is due
	lead    <-chan time.Time // when it is time for the first FETCH even so
	held    []*Message       // that came before the answer to it
	set     int              // UIDs of the next FETCH
	octets  int64            // prefix of the last FETCH
	turn    int              // of its messages
	due     int              // messages that were asked for and have not come
	came    int              // messages that have come, with
	size    int64            // so many octets, from
	since   time.Time
}

// fetch runs the FETCHes of a request. It returns false after it has yielded an error,
// or if yield returned false.
func (c *Client) fetch(ctx context.Context, r *request, yield func(*Message, error) bool) bool {
	end, err := c.begin(ctx)
	if err != nil {
		yield(nil, err)
		return false
	}
	defer end()
	if err := c.leaveIdle(true); err != nil {
		yield(nil, err)
		return false
	}
	f := &fetching{c: c, request: r, set: setFirst}
	f.turn = c.tap.expect(0, 0)
	c.owed("UID FETCH", c.limits.Command)
	if r.listed != nil {
		f.list()
	}
	for {
		if c.refusal.kind == "" {
			f.start()
		}
		if f.running() == 0 && f.search == nil {
			break
		}
		select {
		case ev := <-c.tap.events:
			c.serve(ev)
		case m := <-c.tap.messages:
			if !f.give(m, yield) {
				return f.abort(errBroken, yield)
			}
		case st := <-f.answers[0]:
			f.answered(0, st)
		case st := <-f.answers[1]:
			f.answered(1, st)
		case <-f.lead:
			f.lead = nil
			f.ahead()
		case st := <-f.search:
			c.drain()
			c.serve(func(listener) { c.tagged(st) })
			if f.search, f.lead = nil, nil; !f.searched(yield) {
				return f.abort(errBroken, yield)
			}
		case <-c.tap.quit:
			return f.abort(nil, yield)
		}
	}
	c.tap.answered()
	for len(c.tap.messages) > 0 {
		if !f.give(<-c.tap.messages, yield) {
			return f.abort(errBroken, yield)
		}
	}
	if err := c.finish("UID FETCH", nil); err != nil {
		yield(nil, err)
		return false
	}
	return true
}

func (f *fetching) running() (n int) {
	for _, answer := range f.answers {
		if answer != nil {
			n++
		}
	}
	return n
}

// start sends the next FETCH, if it is time.
func (f *fetching) start() {
	running := f.running()
	if len(f.uids) == 0 && (f.from == 0 || f.listed != nil) || running > 1 || running == 1 && !f.ends() {
		return
	}
	if f.octets = f.prefix(running > 0); f.octets == 0 && running > 0 {
		return
	}
	if f.from != 0 && f.listed == nil {
		f.turn = f.c.tap.expect(f.from, f.octets)
		f.send(fmt.Sprintf("%d:*", f.from))
		f.from = 0
		return
	}
	set, n := appendSet(nil, f.uids[:min(len(f.uids), f.set)], maxCommand)
	f.ask(f.uids[:n])
	f.uids = f.uids[n:]
	f.send(string(set))
}

// list sends the SEARCH. An error ends the session, as the loop sees.
func (f *fetching) list() {
	last := "*"
	if f.hi != 0 {
		last = strconv.FormatUint(uint64(f.hi), 10)
	}
	f.c.found, f.c.far = nil, 0
	f.search, _ = f.c.tap.inject(fmt.Sprintf("UID SEARCH UID %d:%s", f.from, last))
	f.lead = time.After(searchLead)
}

// ahead sends the first FETCH before it is known which messages there are.
func (f *fetching) ahead() {
	f.octets = f.prefix(false)
	n := max(1, min(setFirst, heldMost/uint64(max(f.octets, 1))))
	last := min(uint64(f.from)+n-1, math.MaxUint32)
	if f.hi != 0 {
		last = min(last, uint64(f.hi))
	}
	var all []uint32
	for uid := uint64(f.from); uid <= last; uid++ {
		all = append(all, uint32(uid))
	}
	if len(all) == 0 { // hi is below from
		return
	}
	f.asked = uint32(last)
	f.ask(all)
	f.send(fmt.Sprintf("%d:%d", f.from, last))
}

func (f *fetching) ask(uids []uint32) {
	f.c.tap.ask(uids, f.octets)
	f.due, f.set = f.due+len(uids), setMost
}

// send sends a FETCH. An error ends the session, as the loop sees.
func (f *fetching) send(set string) {
	part := ""
	if !f.whole {
		part = fmt.Sprintf("<0.%d>", f.octets)
	}
	answer, _ := f.c.tap.inject(fmt.Sprintf("UID FETCH %s (UID INTERNALDATE RFC822.SIZE BODY.PEEK[]%s)", set, part))
	if f.answers[0] == nil {
		f.answers[0] = answer
	} else {
		f.answers[1] = answer
	}
}

// ends reports whether the FETCH that runs ends before another one can reach the
// server.
func (f *fetching) ends() bool {
	if f.search != nil || f.came == 0 {
		return false
	}
	took := max(time.Since(f.since), time.Microsecond)
	ahead := float64(f.size) * float64(f.c.roundTrip) / float64(took) // octets on the way
	return float64(f.due)*float64(f.size)/float64(f.came) < ahead
}

// answered takes the tagged answer to a FETCH.
func (f *fetching) answered(i int, st status) {
	f.c.drain()
	f.c.serve(func(listener) { f.c.tagged(st) })
	if f.answers[i] = nil; f.running() == 0 {
		f.due = len(f.c.tap.messages) // the others do not come any more
	}
}

// searched takes the answer to the SEARCH, and gives the messages that wait for it.
func (f *fetching) searched(yield func(*Message, error) bool) bool {
	c := f.c
	slices.Sort(c.found)
	f.found, c.found = slices.Compact(c.found), nil
	f.found = slices.DeleteFunc(f.found, func(uid uint32) bool { return uid < f.from || f.hi != 0 && uid > f.hi })
	c.searches = c.searches || len(f.found) > 0
	held := f.held
	f.held = nil
	if c.refusal.kind != "" || len(f.found) == 0 {
		f.found = nil
		for _, m := range held {
			m.Release()
		}
		return true
	}
	c.serve(func(listener) { f.listed(f.found, c.unnamed()) })
	n, there := slices.BinarySearch(f.found, f.asked)
	if there {
		n++
	}
	f.uids, f.due = f.found[n:], n
	for _, m := range held {
		if !f.give(m, yield) {
			return false
		}
		f.start()
	}
	return true
}

// give yields a message: only what the SEARCH lists, and later if it is not answered yet.
// One that came behind the answer to an earlier fetch may be of another mailbox.
func (f *fetching) give(m *Message, yield func(*Message, error) bool) bool {
	if m.turn != f.turn {
		m.Release()
		return true
	}
	if f.listed != nil {
		if f.search != nil {
			f.held = append(f.held, m)
			return true
		}
		if _, is := slices.BinarySearch(f.found, m.UID); !is {
			m.Release()
			return true
		}
	}
	if f.came == 0 {
		f.since = time.Now()
	}
	f.due, f.came, f.size = f.due-1, f.came+1, f.size+int64(len(m.Body))
	return f.c.give(m, yield)
}

var errBroken = fmt.Errorf("%w: the loop over Fetch was left", ErrClosed)

func (c *Client) give(m *Message, yield func(*Message, error) bool) bool {
	c.locked = true
	defer func() { c.locked = false }()
	return yield(m, nil)
}

// abort ends the session during a FETCH. Unless yield has returned false (errBroken),
// it gives the messages that have been read whole, and then yields the error.
func (f *fetching) abort(err error, yield func(*Message, error) bool) bool {
	c := f.c
	c.tap.end(err)
	for open := err != errBroken; open; {
		select {
		case ev := <-c.tap.events:
			c.serve(ev)
		case <-c.gi.Closed():
			c.drain()
			open = false
		}
	}
	c.shut(err)
	for len(c.tap.messages) > 0 {
		m := <-c.tap.messages
		if err == errBroken {
			m.Release()
		} else if !f.give(m, yield) {
			err = errBroken
		}
	}
	if err != errBroken {
		yield(nil, c.over(c.tap.ended()))
	}
	return false
}
