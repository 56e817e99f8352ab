package imapclient

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
)

const (
	maxHeld     = 64 << 20 // octets of a body held back until its UID is known
	eventBuffer = 1024     // events that may wait for the owner
)

// tap is the net.Conn that go-imap reads. It frames the server's lines, turns
// them into events in wire order, and lets go-imap see only what it needs:
// the answers to its own commands, and of a FETCH the UID and the body.
//
// go-imap calls Read, from one goroutine at a time. Write and inject are
// called while the owner runs a command, never at once.
type tap struct {
	*wire
	events chan func(*Client) // run by the owner
	bodies atomic.Int64       // most octets of a body that go-imap is to see

	// Of the reading side:
	out  []byte     // octets for go-imap that come before anything else
	lit  int64      // octets of a body still to pass through
	drop int64      // octets of it beyond what was asked for
	line []byte     // the logical line so far, literals as quoted strings
	body *fetchLine // the FETCH whose body has passed or is held
	held []byte     // that body, where its UID comes behind it

	onWire atomic.Uint32 // UID of the mail that is being read

	mu     sync.Mutex
	done   map[uint32]fetchLine   // by UID: what came beside a body
	own    map[string]chan status // tagged answers to our own commands
	theirs map[string]bool        // tags of go-imap's commands that are not answered yet
	cont   chan struct{}          // "+" for our IDLE
	tags   int

	midLine bool // of the writing side: the command goes on
}

var _ net.Conn = (*tap)(nil)

func newTap(w *wire) *tap {
	return &tap{
		wire:   w,
		events: make(chan func(*Client), eventBuffer),
		out:    []byte("* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n"),
		done:   make(map[uint32]fetchLine),
		own:    make(map[string]chan status),
		theirs: make(map[string]bool),
	}
}

func (t *tap) Read(p []byte) (int, error) {
	for {
		switch {
		case len(t.out) > 0:
			n := copy(p, t.out)
			t.out = t.out[n:]
			return n, nil
		case t.lit > 0:
			n, err := t.r.Read(p[:min(int64(len(p)), t.lit)])
			t.lit -= int64(n)
			if n == 0 && err != nil {
				return 0, t.fail(err)
			}
			return n, nil
		case t.drop > 0:
			n, err := io.CopyN(io.Discard, t.r, t.drop)
			t.drop -= n
			if err != nil {
				return 0, t.fail(err)
			}
		default:
			line, err := t.readLine()
			if err == nil {
				err = t.segment(line)
			}
			if err != nil {
				return 0, t.fail(err)
			}
		}
	}
}

func (t *tap) fail(err error) error {
	t.end(err)
	return err
}

// segment takes one physical line: a whole response, or the part of one up to
// a literal or behind it.
func (t *tap) segment(b []byte) error {
	t.log("S: ", string(b))
	first := len(t.line) == 0 && t.body == nil
	if first {
		if len(b) > 0 && b[0] == '+' {
			t.continuation(b)
			return nil
		}
		tag, rest, _ := bytes.Cut(b, []byte(" "))
		if st, ok := parseStatus(rest); ok {
			t.status(string(tag), st) // its text may end in {12}: never a literal
			return nil
		}
	}
	if len(t.line)+len(b) > maxLine {
		return fmt.Errorf("%w: a response of over %d octets", ErrProtocol, maxLine)
	}
	t.line = append(t.line, b...)
	if head, size, ok := literalSize(t.line); ok {
		t.line = head
		return t.literal(size)
	}
	line, body := t.line, t.body
	t.line, t.body = t.line[:0], nil
	return t.response(line, body)
}

// literal takes the size of a literal that follows the line so far.
func (t *tap) literal(size int64) error {
	seq, name, rest := untagged(t.line)
	if name == "FETCH" && t.body == nil {
		if f := parseFetch(seq, rest); f.open {
			pass := min(size, t.bodies.Load())
			t.body, t.drop = &f, size-pass
			t.line = append(t.line, `""`...)
			if f.uid != 0 {
				t.onWire.Store(f.uid)
				t.out = fetchHead(seq, f.uid, pass)
				t.lit = pass
				return nil
			}
			if pass > maxHeld {
				return fmt.Errorf("%w: a body of %d octets before its UID", ErrProtocol, pass)
			}
			t.held = make([]byte, pass)
			_, err := io.ReadFull(t.r, t.held)
			return err
		}
	}
	if size > maxLine-int64(len(t.line)) {
		return fmt.Errorf("%w: a literal of %d octets in %s", ErrProtocol, size, name)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(t.r, b); err != nil {
		return err
	}
	t.line = append(t.line, quote(b)...)
	return nil
}

func fetchHead(seq, uid uint32, size int64) []byte {
	return fmt.Appendf(nil, "* %d FETCH (UID %d BODY[]<0> {%d}\r\n", max(seq, 1), uid, size)
}

// untagged splits "* 12 FETCH (...)" and "* SEARCH 1 2".
func untagged(line []byte) (num uint32, name string, rest []byte) {
	p := parser{line}
	if p.word() != "*" {
		return 0, "", nil
	}
	name = p.word()
	if name != "" && name[0] >= '0' && name[0] <= '9' {
		q := parser{[]byte(name)}
		num, name = q.number(), p.word()
	}
	return num, strings.ToUpper(name), p.b
}

// response takes a whole untagged line; body is the FETCH whose body was in it.
func (t *tap) response(line []byte, body *fetchLine) error {
	num, name, rest := untagged(line)
	if body != nil {
		return t.fetched(parseFetch(num, rest), body)
	}
	switch name {
	case "FETCH":
		return t.fetched(parseFetch(num, rest), nil)
	case "EXISTS":
		t.emit(func(c *Client) { c.exists(num) })
	case "EXPUNGE":
		t.emit(func(c *Client) { c.h.Expunged(c.mailbox, num, 0) })
	case "VANISHED":
		t.vanished(rest)
	case "SEARCH":
		nums := parseNumbers(rest)
		t.emit(func(c *Client) { c.searched(nums) })
	case "LIST", "LSUB":
		mailbox, delim, attrs := parseList(rest)
		t.emit(func(c *Client) { c.listed(name, mailbox, delim, attrs) })
	case "STATUS":
		mailbox, st := parseStatusLine(rest)
		t.emit(func(c *Client) { c.statusLine(mailbox, st) })
	case "CAPABILITY", "RECENT", "FLAGS", "ENABLED", "ID", "NAMESPACE", "ESEARCH":
	default:
		text := string(line[:min(len(line), 200)])
		t.emit(func(c *Client) { c.h.Log(callbacks.Parse, "passed over: "+clean(text)) })
	}
	return nil
}

// fetched takes a whole FETCH line. Its flags become an event; what else came
// beside a body waits in done for whoever reads the body.
func (t *tap) fetched(f fetchLine, passed *fetchLine) error {
	if f.hasFlags {
		t.emit(func(c *Client) { c.h.Flags(c.mailbox, f.seq, f.uid, f.flags) })
	}
	held := t.held
	t.held = nil
	if passed == nil && !f.asked || f.uid == 0 {
		if passed != nil { // go-imap was never told, and the body is nobody's
			t.emit(func(c *Client) { c.h.Log(callbacks.Parse, "passed over a FETCH without a UID") })
		}
		return nil // go-imap would take it for the answer to a FETCH
	}
	f.hasBody = f.hasBody || passed != nil
	t.mu.Lock()
	t.done[f.uid] = f
	t.mu.Unlock()
	switch {
	case passed != nil && passed.uid != 0:
		t.out = append(t.out, ")\r\n"...)
		t.onWire.Store(0)
	case passed != nil:
		t.out = append(append(fetchHead(f.seq, f.uid, int64(len(held))), held...), ")\r\n"...)
	default: // a quoted body, NIL, or none at all
		b := f.body[:min(int64(len(f.body)), t.bodies.Load())]
		t.out = append(append(fetchHead(f.seq, f.uid, int64(len(b))), b...), ")\r\n"...)
	}
	return nil
}

// expect readies the tap for FETCHes of at most prefix octets a body.
func (t *tap) expect(prefix int64) {
	t.bodies.Store(prefix)
	t.onWire.Store(0)
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.done)
}

// beside returns what came beside the body of uid.
func (t *tap) beside(uid uint32) fetchLine {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.done[uid]
	delete(t.done, uid)
	return f
}

// vanished turns "VANISHED (EARLIER) 41,43:116" (RFC 7162) into events.
func (t *tap) vanished(rest []byte) {
	p := parser{rest}
	p.list()
	const most = 100_000 // of one line; a rescan finds the rest
	left := most
	for _, part := range strings.Split(p.word(), ",") {
		from, to, isRange := strings.Cut(part, ":")
		a, b := parser{[]byte(from)}, parser{[]byte(to)}
		lo := a.number()
		hi := lo
		if isRange {
			hi = b.number()
		}
		if lo > hi {
			lo, hi = hi, lo
		}
		for uid := uint64(lo); uid <= uint64(hi) && uid != 0 && left > 0; uid++ {
			gone := uint32(uid)
			t.emit(func(c *Client) { c.h.Expunged(c.mailbox, 0, gone) })
			left--
		}
	}
}

// status takes a status response.
func (t *tap) status(tag string, st status) {
	if tag == "*" {
		t.emit(func(c *Client) { c.notified(st) })
		return
	}
	t.mu.Lock()
	answer, ours := t.own[tag]
	goIMAP := t.theirs[tag]
	delete(t.own, tag)
	delete(t.theirs, tag)
	t.mu.Unlock()
	switch {
	case ours:
		answer <- st
	case goIMAP:
		t.emit(func(c *Client) { c.tagged(st) })
		t.out = fmt.Appendf(t.out, "%s %s done\r\n", tag, st.kind) // it dies of odd codes and texts
	default: // for instance the answer to a DONE that crossed the end of IDLE
		t.emit(func(c *Client) { c.h.Log(callbacks.Parse, "an answer nobody waits for: "+tag+" "+st.kind+" "+st.text) })
	}
}

func (t *tap) continuation(b []byte) {
	t.mu.Lock()
	cont := t.cont
	t.cont = nil
	t.mu.Unlock()
	if cont != nil {
		close(cont)
		return
	}
	t.emit(func(c *Client) { c.h.Log(callbacks.Parse, "passed over a stray +") })
}

// inject sends a command of our own. The answer comes on the channel; it has
// room, so that nobody need wait for it.
func (t *tap) inject(command string, cont chan struct{}) (<-chan status, error) {
	answer := make(chan status, 1)
	t.mu.Lock()
	t.tags++
	tag := fmt.Sprintf("W%d", t.tags)
	t.own[tag] = answer
	t.cont = cont
	t.mu.Unlock()
	return answer, t.send(tag+" "+command, tag+" "+command)
}

// emit hands an event to the owner. Where the owner is slow the tap waits, and
// so does this server, and no other.
func (t *tap) emit(ev func(*Client)) {
	select {
	case t.events <- ev:
	case <-t.quit:
	}
}

// Write passes go-imap's commands on, and notes their tags.
func (t *tap) Write(p []byte) (int, error) {
	if tag, _, ok := bytes.Cut(p, []byte(" ")); ok && !t.midLine {
		t.mu.Lock()
		t.theirs[string(tag)] = true
		t.mu.Unlock()
	}
	t.midLine = len(p) > 0 && p[len(p)-1] != '\n'
	if t.debug != nil {
		t.log("C: ", strings.TrimRight(string(p), "\r\n"))
	}
	n, err := t.conn.Write(p)
	if err != nil {
		t.end(err)
	}
	return n, err
}

func (t *tap) Close() error                       { t.end(ErrClosed); return nil }
func (t *tap) LocalAddr() net.Addr                { return t.conn.LocalAddr() }
func (t *tap) RemoteAddr() net.Addr               { return t.conn.RemoteAddr() }
func (t *tap) SetDeadline(time.Time) error        { return nil } // ours count, not go-imap's
func (t *tap) SetReadDeadline(time.Time) error    { return nil }
func (t *tap) SetWriteDeadline(d time.Time) error { return t.conn.SetWriteDeadline(d) }
