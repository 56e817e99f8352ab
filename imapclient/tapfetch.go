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

// expect prepares for FETCHes of at most prefix octets a body. If from is not 0, all
// UIDs from there on are wanted.
func (t *tap) expect(prefix int64, from uint32) {
	t.bodies.Store(prefix)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = asked{uids: make(map[uint32]bool), from: from, beside: make(map[uint32]fetchLine)}
}

// ask notes UIDs that the next FETCH asks for.
func (t *tap) ask(uids []uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, uid := range uids {
		t.asked.uids[uid] = true
	}
}

// take reports whether a body of uid is due, the first time only.
func (t *tap) take(uid uint32) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	due := t.asked.due(uid)
	switch {
	case due && t.asked.from != 0:
		t.asked.uids[uid] = false
	case due:
		delete(t.asked.uids, uid)
	}
	return due
}

// beside returns the other items that came with the body of uid.
func (t *tap) beside(uid uint32) (f fetchLine, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f, ok = t.asked.beside[uid]
	delete(t.asked.beside, uid)
	return f, ok
}

// left returns the messages without a body that the server mentioned, ascending, and
// whether a body came without a UID.
func (t *tap) left() (lines []fetchLine, nameless bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.asked.beside {
		lines = append(lines, f)
	}
	slices.SortFunc(lines, func(a, b fetchLine) int { return cmp.Compare(a.uid, b.uid) })
	return lines, t.asked.nameless
}

func fetchHead(seq, uid uint32, size int64) []byte {
	return fmt.Appendf(nil, "* %d FETCH (UID %d BODY[]<0> {%d}\r\n", max(seq, 1), uid, size)
}

// bodyLiteral takes the size of a body that follows. Octets after the prefix are
// dropped, and so is a body that is not due.
func (t *tap) bodyLiteral(f fetchLine, size int64) error {
	pass := min(size, t.bodies.Load())
	if size > maxBody {
		return fmt.Errorf("%w: a body of %d octets, of which %d were asked for", ErrProtocol, size, pass)
	}
	t.body, t.drop = &f, size-pass
	switch {
	case f.uid == 0 && f.beyond == 0:
		if pass > maxHeld {
			return fmt.Errorf("%w: a body of %d octets before its UID", ErrProtocol, pass)
		}
		t.held = make([]byte, pass)
		_, err := io.ReadFull(t.r, t.held)
		return err
	case t.take(f.uid):
		t.onWire, t.wanted = f.uid, pass
		t.answering()
		t.paid += pass
		t.anew()
		t.chatter.anew()
		t.lit, f.hasBody = pass, true
		t.out = fetchHead(f.seq, f.uid, pass)
	default:
		t.drop = size
	}
	return nil
}

// fetched takes a whole FETCH line. If it had a literal as body, before is the part
// up to it. Flags become an event. Other items are kept for fetching.read. A line
// without a body is kept from go-imap, which would take it for the whole answer.
func (t *tap) fetched(f fetchLine, before *fetchLine) error {
	if before != nil && before.uid != 0 && f.uid != before.uid {
		return fmt.Errorf("%w: a FETCH with two UIDs, %d and %d", ErrProtocol, before.uid, f.uid)
	}
	if f.hasFlags {
		flags := f.flags
		t.emit(func(l listener) { l.flags(f.seq, f.uid, flags) })
	}
	body := f.body
	if t.held != nil {
		body, t.held = t.held, nil
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
	passed := before != nil && before.hasBody // go-imap has its octets
	if before != nil && before.uid != 0 && !passed {
		return nil // dropped
	}
	t.mu.Lock()
	due := passed || t.asked.due(f.uid)
	if due {
		t.asked.note(f)
	}
	t.mu.Unlock()
	switch {
	case passed:
		t.out = append(t.out, ")\r\n"...)
		t.onWire = 0
	case due && f.hasBody:
		t.take(f.uid)
		body = body[:min(int64(len(body)), t.bodies.Load())]
		t.out = append(append(fetchHead(f.seq, f.uid, int64(len(body))), body...), ")\r\n"...)
	}
	return nil
}
