package imapclient

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/fblwatch/fblwatch/callbacks"
)

const (
	maxHeld = 64 << 20 // octets of a body that is held until its UID is known
	maxBody = 1 << 30  // octets of a body, even if fewer were asked for
)

// expect prepares for FETCHes. If from is not 0, the first prefix octets of all UIDs
// from there on are wanted. Messages that come for these FETCHes have the turn.
func (t *tap) expect(from uint32, prefix int64) (turn int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = asked{open: true, turn: t.asked.turn + 1, from: from, beside: make(map[uint32]fetchLine)}
	if from != 0 {
		t.asked.sets, t.asked.given = []askedSet{{prefix: prefix}}, make(map[uint32]bool)
	}
	return t.asked.turn
}

// ask notes UIDs of which the next FETCH asks for the first prefix octets.
func (t *tap) ask(uids []uint32, prefix int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked.sets = append(t.asked.sets, askedSet{uids: uids, given: make([]bool, len(uids)), prefix: prefix})
}

// answered ends the wait for bodies, and lists the UIDs of which none came.
func (t *tap) answered() (missing []uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked.open = false
	return t.asked.missing()
}

// left returns the messages without a body that the server mentioned, ascending, and
// whether a body came without a UID.
func (t *tap) left() (bodyless []*Message, nameless bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.asked.beside {
		bodyless = append(bodyless, &Message{UID: f.uid, InternalDate: f.date, Size: f.size, Asked: t.asked.most(), Bodyless: true})
	}
	slices.SortFunc(bodyless, func(a, b *Message) int { return cmp.Compare(a.UID, b.UID) })
	return bodyless, t.asked.nameless
}

// bodyLiteral reads a body of size octets. Those after the prefix are dropped, and so
// is a body that is not due.
func (t *tap) bodyLiteral(f fetchLine, size int64) error {
	if size > maxBody {
		return fmt.Errorf("%w: a body of %d octets", ErrProtocol, size)
	}
	f.body, f.hasBody = nil, false // of a second item before it
	t.body = &f
	t.mu.Lock()
	asked, due, turn := int64(0), false, t.asked.turn
	switch {
	case f.uid != 0:
		asked, due = t.asked.take(f.uid)
	case f.beyond == 0: // the UID may follow
		asked = t.asked.most()
	}
	if due && len(t.followers) > 0 { // none was lost
		t.settle(t.followers[0].tag)
	}
	t.mu.Unlock()
	pass := min(size, asked)
	if !due && pass > maxHeld {
		return fmt.Errorf("%w: a body of %d octets before its UID", ErrProtocol, pass)
	}
	if due {
		t.onWire, t.came, f.hasBody = f.uid, 0, true
		t.paid += pass
		t.anew()
		t.chatter.anew()
	}
	t.reads(true)
	if due || f.uid == 0 && f.beyond == 0 {
		t.message = newMessage(int(pass))
		t.message.Asked, t.message.turn = asked, turn
		n, err := io.ReadFull(t.r, t.message.Body)
		t.came = int64(n)
		if err == io.ErrUnexpectedEOF {
			err = io.EOF
		}
		if err != nil {
			return err
		}
	}
	_, err := t.r.Discard(int(size - pass))
	return err
}

// fetched takes a whole FETCH line. If it had a literal as body, before is the part
// up to it. Flags become an event, a body becomes a message.
func (t *tap) fetched(f fetchLine, before *fetchLine) error {
	m := t.message
	t.message = nil
	if before != nil && before.uid != 0 && f.uid != before.uid {
		return fmt.Errorf("%w: a FETCH with two UIDs, %d and %d", ErrProtocol, before.uid, f.uid)
	}
	if f.hasFlags {
		flags := f.flags
		t.emit(func(l listener) { l.flags(f.seq, f.uid, flags) })
	}
	if f.beyond != 0 {
		t.emit(func(l listener) { l.beyond(f.beyond) })
		return nil
	}
	if f.uid == 0 {
		if f.hasBody {
			t.mu.Lock()
			t.asked.nameless = true
			t.mu.Unlock()
			t.emit(func(l listener) { l.told(callbacks.Warn, "ignored: a message without a UID") })
		}
		return nil
	}
	if uid := f.uid; t.naming.Load() && !f.hasBody {
		t.emit(func(l listener) { l.named(uid) })
		return nil
	}
	taken := before != nil && before.hasBody
	if before != nil && before.uid != 0 && !taken {
		return nil // dropped
	}
	body, hasBody := f.body, f.hasBody
	t.mu.Lock()
	prefix, due := t.asked.due(f.uid)
	turn := t.asked.turn
	switch {
	case taken, due && hasBody:
		if !taken {
			t.asked.take(f.uid)
		}
		f, due = t.asked.whole(f), true
	case due:
		t.asked.note(f)
	}
	t.mu.Unlock()
	if !due || !hasBody {
		return nil
	}
	if m == nil {
		m = &Message{Body: body, turn: turn}
	}
	if !taken { // it was not known how much of it was asked for
		m.Body, m.Asked = m.Body[:min(int64(len(m.Body)), prefix)], prefix
	}
	m.UID, m.InternalDate, m.Size = f.uid, f.date, f.size
	t.onWire = 0
	select {
	case t.messages <- m: // if the owner is slow the tap waits, as in emit
	case <-t.quit:
	}
	return nil
}
