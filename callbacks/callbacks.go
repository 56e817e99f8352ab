// Package callbacks holds the events of one IMAP session, after the fifteen
// mm_* functions that every c-client program had to define.
//
// A program embeds [Nop], the Go form of c-client's file of empty mm_*
// functions, and writes the few methods it cares about.
package callbacks

import (
	"fmt"
)

// Mailbox names the mailbox an event belongs to. UIDValidity is 0 until the
// server has told it (RFC 9051 section 2.3.1.1). Some servers give more than the
// 32 bits of the RFC, so it has 64.
type Mailbox struct {
	Account     string
	Name        string
	UIDValidity uint64
}

func (m Mailbox) String() string { return m.Account + "/" + m.Name }

// Level grades a Notify or a Log, after c-client's NIL, PARSE, WARN, ERROR and
// BYE.
type Level int

const (
	Info Level = iota
	Parse
	Warn
	Error
	Bye
)

func (l Level) String() string {
	switch l {
	case Info:
		return "info"
	case Parse:
		return "parse"
	case Warn:
		return "warn"
	case Error:
		return "error"
	case Bye:
		return "bye"
	}
	return fmt.Sprintf("level(%d)", int(l))
}

// Status is what one STATUS line says (RFC 9051 section 7.3.4). A nil field
// was not in the line.
type Status struct {
	Messages    *uint32
	UIDNext     *uint32
	UIDValidity *uint64
	Unseen      *uint32
	Recent      *uint32
	Size        *int64 // octets, RFC 8438
}

// Handler receives the events of one session.
//
// Unless a method says otherwise: it is called by the goroutine that owns the
// session, one event at a time, in the order of the server's lines. It may
// block, which delays its own session and no other. It must not call back into
// the Client that feeds it: as in c-client the stream is locked, and such a
// call returns an error. Doing nothing is always correct; [Nop] does it.
//
// Slices are the Handler's to keep.
type Handler interface {
	// Exists reports the number of messages in m, at every EXISTS line, also the
	// one inside SELECT or EXAMINE. It is a doorbell and not a count to
	// compute with. c-client: mm_exists.
	Exists(m Mailbox, n uint32)

	// Expunged reports that a message is gone: EXPUNGE, VANISHED (RFC 7162), or
	// found missing after a reconnect. Of seq and uid 0 is unknown, and at
	// least one is set. c-client: mm_expunged.
	Expunged(m Mailbox, seq, uid uint32)

	// Flags reports the flags of a message, at any FETCH line that carries them;
	// uid is 0 where the line has none. c-client: mm_flags.
	Flags(m Mailbox, seq, uid uint32, flags []string)

	// Searched reports one number of a SEARCH answer. c-client: mm_searched.
	Searched(m Mailbox, uid uint32)

	// List reports one LIST line; delim is 0 where there is no hierarchy.
	// c-client: mm_list.
	List(mailbox string, delim rune, attrs []string)

	// LSub reports one LSUB line. c-client: mm_lsub.
	LSub(mailbox string, delim rune, attrs []string)

	// Status reports one STATUS line, asked for or not. c-client: mm_status.
	Status(m Mailbox, status Status)

	// Notify reports the text of an untagged OK, NO, BAD or BYE, for example
	// an [ALERT]. code is the response code without brackets, or empty.
	// c-client: mm_notify.
	Notify(m Mailbox, level Level, code, text string)

	// Log reports what the session itself has to say, and tagged failures. It
	// never holds a secret. c-client: mm_log.
	Log(level Level, text string)

	// Debug reports one protocol line, "C: " or "S: " before it, credentials
	// and literals blotted out. It is called only where it was asked for, and
	// unlike the others by whichever goroutine read or wrote the line; it must
	// not block. c-client: mm_dlog.
	Debug(line string)

	// Critical and NoCritical stand around the ledger's commit: the process
	// should not be killed between them. They may come from another goroutine
	// than the owner, but never at the same time as another event.
	// c-client: mm_critical, mm_nocritical.
	Critical(m Mailbox)
	NoCritical(m Mailbox)

	// nop keeps Handler open for new events: whoever embeds Nop has them.
	nop()
}

// Nop is a Handler that does nothing.
type Nop struct{}

var _ Handler = Nop{}

func (Nop) Exists(Mailbox, uint32)                  {}
func (Nop) Expunged(Mailbox, uint32, uint32)        {}
func (Nop) Flags(Mailbox, uint32, uint32, []string) {}
func (Nop) Searched(Mailbox, uint32)                {}
func (Nop) List(string, rune, []string)             {}
func (Nop) LSub(string, rune, []string)             {}
func (Nop) Status(Mailbox, Status)                  {}
func (Nop) Notify(Mailbox, Level, string, string)   {}
func (Nop) Log(Level, string)                       {}
func (Nop) Debug(string)                            {}
func (Nop) Critical(Mailbox)                        {}
func (Nop) NoCritical(Mailbox)                      {}
func (Nop) nop()                                    {}
