package imapclient

import (
	"fmt"
	"net"
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
	events chan func(listener) // run by the owner
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

// listener receives what the server says. The owner of the session calls it.
type listener interface {
	exists(n uint32)
	expunged(seq, uid uint32, earlier bool)
	recent(n uint32)
	flags(seq, uid uint32, flags []string)
	named(uid uint32)  // a FETCH of a UID and no body
	beyond(uid uint64) // a UID over 32 bits
	searched(nums []uint32)
	listed(name, octets string, delim rune, attrs []string)
	statusLine(octets string, st callbacks.Status)
	namespaceLine(prefix string, delim rune)
	quotaLine(quotas []Quota)
	enabledLine(words []string)
	enter()             // the events that follow are of the mailbox that is being opened
	notified(st status) // an untagged status response
	tagged(st status)   // the answer to a command
	told(level callbacks.Level, text string)
	warn(text string)
}

func newTap(w *wire, limits Timeouts, quirks *Quirks) *tap {
	t := &tap{
		wire:   w,
		limits: limits,
		quirks: quirks,
		events: make(chan func(listener), eventBuffer),
		out:    []byte("* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n"),
		own:    make(map[string]chan<- status),
		theirs: make(map[string]bool),
	}
	t.chatter.limit(mostLines, mostOctets)
	return t
}

// emit hands an event to the owner. Where the owner is slow the tap waits, and
// so does this server, and no other.
func (t *tap) emit(ev func(listener)) {
	select {
	case t.events <- ev:
	case <-t.quit:
	}
}

// The deadlines are ours, not go-imap's.
func (t *tap) SetDeadline(time.Time) error      { return nil }
func (t *tap) SetReadDeadline(time.Time) error  { return nil }
func (t *tap) SetWriteDeadline(time.Time) error { return nil }

func (t *tap) Close() error         { t.end(ErrClosed); return nil }
func (t *tap) LocalAddr() net.Addr  { return t.conn.LocalAddr() }
func (t *tap) RemoteAddr() net.Addr { return t.conn.RemoteAddr() }

// owe says how long the server may be silent while commands are unanswered.
func (t *tap) owe(wait string, most time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.owes, t.most = wait, most
	t.anew()
	t.chatter.anew()
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

// tag is called with mu held.
func (t *tap) tag() (string, <-chan status) {
	t.tags++
	tag, answer := fmt.Sprintf("W%d", t.tags), make(chan status, 1)
	t.own[tag] = answer
	return tag, answer
}
