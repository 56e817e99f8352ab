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
	eventBuffer = 1024        // events that may wait for the owner
	byeGrace    = time.Second // for a server to close after its BYE
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
	limits Timeouts
	quirks *Quirks
	bodies atomic.Int64 // most octets of a body that go-imap is to see
	naming atomic.Bool  // the owner wants the UIDs of FETCH lines without a body

	chatter chatter

	// Of the reading side:
	out  []byte     // octets for go-imap that come before anything else
	lit  int64      // octets of a body still to pass through
	drop int64      // octets of it beyond what was asked for
	line []byte     // the logical line so far, or since body; literals as quoted strings
	body *fetchLine // the FETCH whose body has passed, is held or was dropped
	held []byte     // that body, where its UID comes behind it

	reading bool // a body is read

	onWire uint32 // UID of the message that is being read
	wanted int64  // octets of its body that are passed through

	mu      sync.Mutex
	asked   asked
	own     map[string]chan<- status // tagged answers to our own commands
	theirs  map[string]bool          // tags of go-imap's commands that are not answered yet
	owes    string                   // what those wait for, and how long at most
	most    time.Duration
	idling  string        // tag of our IDLE until it is answered
	cont    chan struct{} // "+" for it, until it comes
	leaving bool          // DONE goes with the next command
	ending  bool          // DONE was sent
	tags    int
	behind  []behind // commands that the server may lose
	probing string   // tag of the NOOP that finds out
	doubt   *time.Timer
	resent  bool // they were sent once more

	writing sync.Mutex // held for each write
	midLine bool       // the command goes on
}

var _ net.Conn = (*tap)(nil)

func newTap(w *wire, limits Timeouts, quirks *Quirks) *tap {
	t := &tap{
		wire:   w,
		limits: limits,
		quirks: quirks,
		events: make(chan func(*Client), eventBuffer),
		out:    []byte("* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n"),
		own:    make(map[string]chan<- status),
		theirs: make(map[string]bool),
	}
	t.chatter.limit(mostLines, mostOctets)
	return t
}

func (t *tap) Read(p []byte) (int, error) {
	for {
		switch {
		case len(t.out) > 0:
			n := copy(p, t.out)
			t.out = t.out[n:]
			return n, nil
		case t.lit > 0:
			t.reads(true)
			n, err := t.r.Read(p[:min(int64(len(p)), t.lit)])
			t.lit -= int64(n)
			if n == 0 && err != nil {
				return 0, t.fail(err)
			}
			return n, nil
		case t.drop > 0:
			t.reads(true)
			n, err := io.CopyN(io.Discard, t.r, t.drop)
			t.drop -= n
			if err != nil {
				return 0, t.fail(err)
			}
		default:
			t.reads(false)
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

// fail ends the connection for what was read, or could not be.
func (t *tap) fail(err error) error {
	if t.onWire != 0 {
		err = &FetchError{UID: t.onWire, Octets: t.wanted - t.lit, Err: err}
	}
	t.end(err)
	return err
}

// segment takes one physical line: a whole response, or the part of one up to
// a literal or behind it.
func (t *tap) segment(b []byte) error {
	if t.debug != nil {
		t.log("S: ", string(b))
	}
	if err := t.chatter.add(1, len(b)); err != nil {
		return err
	}
	first := len(t.line) == 0 && t.body == nil
	if first {
		if len(b) > 0 && b[0] == '+' {
			t.continuation()
			return nil
		}
		tag, rest, _ := bytes.Cut(b, []byte(" "))
		if st, ok := t.readStatus(rest); ok {
			return t.status(string(tag), st) // its text may end in {12}: never a literal
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
			t.line = t.line[:0] // f holds it
			return t.bodyLiteral(f, size)
		}
	}
	if size > maxLine-int64(len(t.line)) {
		return fmt.Errorf("%w: a literal of %d octets in %s", ErrProtocol, size, clean(t.veil.overString(name)))
	}
	if err := t.chatter.add(0, int(size)); err != nil {
		return err
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(t.r, b); err != nil {
		return err
	}
	t.line = append(t.line, quote(b)...)
	return nil
}

// untagged splits "* 12 FETCH (...)" and "* SEARCH 1 2".
func untagged(line []byte) (num uint32, name string, rest []byte) {
	p := parser{line}
	if string(p.token()) != "*" {
		return 0, "", nil
	}
	word := p.token()
	if len(word) > 0 && word[0] >= '0' && word[0] <= '9' {
		q := parser{word}
		num, word = q.number(), p.token()
	}
	return num, upper(word), p.b
}

// response takes a whole untagged line; body is the FETCH whose body was in it,
// and line then is what came behind that.
func (t *tap) response(line []byte, body *fetchLine) error {
	if body != nil {
		f := *body
		f.items(line)
		f.hasBody = true
		return t.fetched(f, body)
	}
	if err := t.tardy(); err != nil {
		return err
	}
	num, name, rest := untagged(line)
	switch name {
	case "FETCH":
		return t.fetched(parseFetch(num, rest), nil)
	case "EXISTS":
		t.chatter.allow(num)
		t.emit(func(c *Client) { c.exists(num) })
	case "EXPUNGE":
		if num != 0 {
			t.emit(func(c *Client) { c.expunged(num, 0, false) })
		}
	case "VANISHED":
		t.vanished(rest)
	case "SEARCH":
		nums, beyond := parseNumbers(rest)
		t.emit(func(c *Client) {
			c.searched(nums)
			c.beyond(beyond)
		})
	case "LIST", "LSUB":
		mailbox, delim, attrs := parseList(rest)
		t.emit(func(c *Client) { c.listed(name, mailbox, delim, attrs) })
	case "STATUS":
		mailbox, st := parseStatusLine(rest)
		t.emit(func(c *Client) { c.statusLine(mailbox, st) })
	case "FLAGS":
		t.emit(func(c *Client) { c.enter() })
	case "ENABLED":
		words := strings.Fields(string(rest))
		t.emit(func(c *Client) { c.enabledLine(words) })
	case "NAMESPACE":
		prefix, delim := parseNamespace(rest)
		t.emit(func(c *Client) { c.personal = List{Mailbox: prefix, Delim: delim} })
	case "QUOTA":
		quotas := parseQuota(rest)
		t.emit(func(c *Client) { c.quotaLine(quotas) })
	case "RECENT":
		t.emit(func(c *Client) { c.recent(num) })
	case "CAPABILITY", "ID", "ESEARCH", "QUOTAROOT":
	default:
		line = t.veil.over(line)
		text := string(line[:min(len(line), 200)])
		t.emit(func(c *Client) { c.told(callbacks.Parse, "passed over: "+clean(text)) })
	}
	return nil
}

// status takes a status response.
func (t *tap) status(tag string, st status) error {
	if tag == "*" {
		if err := t.tardy(); err != nil {
			return err
		}
		t.emit(func(c *Client) { c.notified(st) })
		if st.kind == "BYE" { // some servers leave it to the client to close
			time.AfterFunc(byeGrace, func() { t.end(io.EOF) }) // as if it had
		}
		return nil
	}
	if st.kind != "OK" && st.kind != "NO" && st.kind != "BAD" {
		return fmt.Errorf("%w: a command was answered by %s", ErrProtocol, st.kind)
	}
	t.mu.Lock()
	answer, ours := t.own[tag]
	goIMAP := t.theirs[tag]
	delete(t.own, tag)
	delete(t.theirs, tag)
	t.settle(tag)
	var lost []byte
	switch {
	case tag == "":
	case tag == t.idling:
		t.idling, t.cont, t.leaving, t.ending = "", nil, false, false
		t.idleOver()
	case tag == t.probing:
		lost = t.probed()
	}
	t.due()
	t.mu.Unlock()
	if lost != nil {
		t.emit(func(c *Client) { c.sendAgain(lost) })
	}
	switch {
	case ours:
		answer <- st
	case goIMAP:
		t.emit(func(c *Client) { c.tagged(st) })
		t.out = fmt.Appendf(t.out, "%s %s done\r\n", tag, st.kind) // it dies of odd codes and texts
	default:
		t.emit(func(c *Client) {
			c.told(callbacks.Parse, "an answer nobody waits for: "+clean(t.veil.overString(tag))+" "+st.kind+" "+st.text)
		})
	}
	return nil
}

// owe says how long the server may be silent while commands are unanswered.
func (t *tap) owe(wait string, most time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.owes, t.most = wait, most
	t.anew()
	t.chatter.anew()
}

// reads says whether a body is read, or lines.
func (t *tap) reads(body bool) {
	if t.reading != body {
		t.reading = body
		t.inBody(body)
	}
}

// due arms the deadline of what the server owes now. It is called with mu held,
// as soon as that changes: whether the owner has noticed is not the server's
// affair.
func (t *tap) due() {
	switch {
	case t.cont != nil:
		t.arm(`"+" after IDLE`, t.limits.IdleCont)
	case t.ending:
		t.arm("answer to DONE", t.limits.Done)
	case len(t.theirs) > 0, len(t.own) > 1, len(t.own) == 1 && t.idling == "":
		t.arm(t.owes, t.most)
	default:
		t.disarm()
	}
}

// inject sends a command of our own. The answer comes on the channel; it has
// room, so that nobody need wait for it.
func (t *tap) inject(command string) (<-chan status, error) {
	t.writing.Lock()
	defer t.writing.Unlock()
	t.mu.Lock()
	tag, answer := t.tag()
	t.due()
	t.mu.Unlock()
	line := tag + " " + command
	done := t.done()
	t.log("C: ", line)
	t.follows(tag, []byte(line+"\r\n"), done != nil)
	_, err := t.put(append(done, line+"\r\n"...))
	return answer, err
}

// tag is called with mu held.
func (t *tap) tag() (string, <-chan status) {
	t.tags++
	tag, answer := fmt.Sprintf("W%d", t.tags), make(chan status, 1)
	t.own[tag] = answer
	return tag, answer
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
	t.writing.Lock()
	defer t.writing.Unlock()
	tag, _, ok := bytes.Cut(p, []byte(" "))
	if !ok || t.midLine {
		tag = nil
	} else {
		t.mu.Lock()
		t.theirs[string(tag)] = true
		t.due()
		t.mu.Unlock()
	}
	t.midLine = len(p) > 0 && p[len(p)-1] != '\n'
	done := t.done()
	t.follows(string(tag), p, done != nil)
	if t.debug != nil {
		t.log("C: ", strings.TrimRight(string(p), "\r\n"))
	}
	if done == nil {
		return t.put(p)
	}
	n, err := t.put(append(done, p...))
	return max(0, n-len(done)), err
}

// The deadlines are ours, not go-imap's.
func (t *tap) SetDeadline(time.Time) error      { return nil }
func (t *tap) SetReadDeadline(time.Time) error  { return nil }
func (t *tap) SetWriteDeadline(time.Time) error { return nil }

func (t *tap) Close() error         { t.end(ErrClosed); return nil }
func (t *tap) LocalAddr() net.Addr  { return t.conn.LocalAddr() }
func (t *tap) RemoteAddr() net.Addr { return t.conn.RemoteAddr() }
