// Package callbacks holds the events of one IMAP session, like the fifteen mm_*
// functions that every program with c-client had to define.
//
// Embed [Nop] in a type of your own, write the methods for the events that you
// need, and give it to a session as imapclient.Options.Handler. [Join] gives the
// events to several Handlers, [Slog] logs them.
package callbacks

import "fmt"

// Handler receives the events of one session.
//
// Unless a method says otherwise:
//   - The goroutine that owns the session calls it, one event at a time, in the
//     order of the server's lines, while a method of the session runs.
//   - It may block. That delays its own session and no other.
//   - It must not call a method of the Client that calls it: such a call returns
//     imapclient.ErrLocked.
//   - A method that does nothing loses nothing: the session keeps what it needs
//     itself. Nop does nothing.
//
// The Handler may keep the slices that it receives. A panic passes through the
// method of the session that runs.
type Handler interface {
	// Exists reports the number of messages in m, at every EXISTS line (RFC 9051
	// section 7.4.1), also during SELECT and EXAMINE. Use it as a doorbell only:
	// the number is not reliable enough to compute with. c-client: mm_exists.
	Exists(m Mailbox, n uint32)

	// Expunged reports that a message is gone: by EXPUNGE (RFC 9051 section
	// 7.5.1), by VANISHED (RFC 7162 section 3.2.10), or missing after a new
	// connection. seq is its sequence number, uid its UID. One of the two may be
	// 0: not known. c-client: mm_expunged.
	Expunged(m Mailbox, seq, uid uint32)

	// Flags reports all flags of a message, at any FETCH line that has them (RFC
	// 9051 section 7.5.2). uid is 0 if the line has none. c-client: mm_flags.
	Flags(m Mailbox, seq, uid uint32, flags []string)

	// Searched reports one UID of the answer to a SEARCH (RFC 3501 section
	// 7.2.5). c-client: mm_searched.
	Searched(m Mailbox, uid uint32)

	// List reports one LIST line (RFC 9051 section 7.3.1). delim is 0 if there
	// is no hierarchy. c-client: mm_list.
	List(mailbox string, delim rune, attrs []string)

	// LSub reports one LSUB line (RFC 3501 section 7.2.3). c-client: mm_lsub.
	LSub(mailbox string, delim rune, attrs []string)

	// Status reports one STATUS line (RFC 3501 section 7.2.4): an answer, or with
	// NOTIFY (RFC 5465) a change in another mailbox. c-client: mm_status.
	Status(m Mailbox, status Status)

	// Notify reports the text of an untagged OK, NO, BAD or BYE (RFC 9051 section
	// 7.1), such as an [ALERT], which people must see. code is the response code
	// with its arguments, without brackets, or empty. text has no control
	// characters and no secret. A server that says too much is cut short; the
	// number of omitted texts comes as a Log. c-client: mm_notify.
	Notify(m Mailbox, level Level, code, text string)

	// Log reports what the session itself says, and refused commands. text never
	// holds a secret. c-client: mm_log.
	Log(level Level, text string)

	// Debug reports one line of the protocol, after "C: " for the client or "S: "
	// for the server, without secrets and literals, at most 1,000 octets of it.
	// It is called only with imapclient.Options.Debug, by the goroutine that reads
	// or writes the line: calls may overlap with each other and with other events.
	// It must not block. c-client: mm_dlog.
	Debug(line string)

	// Critical and NoCritical come before and after a commit in the ledger. Do not
	// kill the process between them. imapclient never calls them; the program that
	// commits does, maybe on another goroutine, but never during another event.
	// c-client: mm_critical, mm_nocritical.
	Critical(m Mailbox)
	NoCritical(m Mailbox)

	nop() // so that a new event breaks no program: embed Nop
}

// Mailbox names the mailbox of an event.
type Mailbox struct {
	Account     string // imapclient.Options.Account
	Name        string // in UTF-8
	UIDValidity uint64 // RFC 9051 section 2.3.1.1; 0: not known yet. Some servers have more than 32 bits
}

func (m Mailbox) String() string {
	if m.Account == "" {
		return m.Name
	}
	return m.Account + "/" + m.Name
}

// Status holds the items of one STATUS line (RFC 3501 section 7.2.4). An item that
// the line does not have is nil.
type Status struct {
	Messages    *uint32 // number of messages
	UIDNext     *uint32 // the next message's UID is this or above
	UIDValidity *uint64
	Unseen      *uint32 // messages without \Seen
	Recent      *uint32 // messages with \Recent (RFC 3501)
	Size        *int64  // octets of all messages (RFC 8438)
}

// Level is the grade of a Notify or a Log, as c-client's NIL, PARSE, WARN, ERROR
// and BYE.
type Level int

const (
	Info  Level = iota // an untagged OK; progress of the session
	Parse              // the server sent a line that is ignored
	Warn               // an untagged NO; the session goes on otherwise than asked
	Error              // an untagged BAD; a refused command; a failed connection
	Bye                // the server ends the session
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

// Nop is a Handler that does nothing. Embed it.
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
