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
	eventBuffer  = 1024        // events that may wait for the owner
	messageQueue = 64          // messages that may wait for the owner
	byeGrace     = time.Second // until a server should have closed after its BYE
)

// tap is the net.Conn of go-imap. It splits what the server sends into lines, and
// turns them into events and messages in wire order. go-imap sees only the answers to
// its own commands.
//
// go-imap calls Read from one goroutine at a time. Write and inject are called while
// the owner runs a command.
type tap struct {
	*wire
	events   chan func(listener) // run by the owner
	messages chan *Message       // of the running FETCHes, in the server's order
	limits   Timeouts
	quirks   *Quirks
	naming   atomic.Bool // report the UIDs of FETCH lines without a body

	chatter chatter

	// The reading side:
	out     []byte     // octets that go-imap reads next
	line    []byte     // the logical line so far, or its part after body; with literals as quoted strings
	body    *fetchLine // the FETCH whose body has been read or dropped
	message *Message   // that body; nil: it was dropped

	reading bool // a body, not lines

	onWire uint32 // UID of the message that is being read; 0: none
	came   int64  // octets of its body so far

	mu        sync.Mutex
	asked     asked
	own       map[string]chan<- status // for the tagged answers to our own commands
	theirs    map[string]bool          // tags of go-imap's unanswered commands
	owes      string                   // what they wait for
	most      time.Duration            // the server's longest silence meanwhile
	idling    string                   // tag of our unanswered IDLE
	cont      chan struct{}            // closed by its "+"; nil: not due
	leaving   bool                     // send DONE with the next command
	ending    bool                     // DONE was sent
	tags      int
	followers []follower // commands that the server may lose
	probing   string     // tag of the NOOP that finds out
	doubt     *time.Timer
	resent    bool // the followers were sent once more

	writing sync.Mutex // held for each write
	midLine bool       // go-imap's last write did not end its command
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

		messages: make(chan *Message, messageQueue),

		out:    []byte("* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n"),
		own:    make(map[string]chan<- status),
		theirs: make(map[string]bool),
	}
	t.chatter.limit(mostLines, mostOctets)
	return t
}

// emit passes an event to the owner. If the owner is slow the tap waits, which slows
// this server only.
func (t *tap) emit(ev func(listener)) {
	select {
	case t.events <- ev:
	case <-t.quit:
	}
}

// The deadlines of go-imap are ignored; the wire has its own.
func (t *tap) SetDeadline(time.Time) error      { return nil }
func (t *tap) SetReadDeadline(time.Time) error  { return nil }
func (t *tap) SetWriteDeadline(time.Time) error { return nil }

func (t *tap) Close() error         { t.end(ErrClosed); return nil }
func (t *tap) LocalAddr() net.Addr  { return t.conn.LocalAddr() }
func (t *tap) RemoteAddr() net.Addr { return t.conn.RemoteAddr() }

// owe sets how long the server may be silent while a command is unanswered.
func (t *tap) owe(wait string, most time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.owes, t.most = wait, most
	t.anew()
	t.chatter.anew()
}

// due arms the deadline of what the server owes now. Call it with mu held as soon as
// that changes, even if the owner has not noticed it yet.
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

// tag registers a command of our own. Call it with mu held.
func (t *tap) tag() (string, <-chan status) {
	t.tags++
	tag, answer := fmt.Sprintf("W%d", t.tags), make(chan status, 1)
	t.own[tag] = answer
	return tag, answer
}
