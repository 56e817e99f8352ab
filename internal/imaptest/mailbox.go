package imaptest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Message is one message of a mailbox. The server does not write to Body.
type Message struct {
	UID   uint32    // 0: the next one; otherwise UIDNEXT or above
	Date  time.Time // INTERNALDATE; by default UID minutes after the start of 2026
	Flags []string
	Body  []byte
	Size  int64 // value of RFC822.SIZE; 0: the true size

	modSeq uint64 // RFC 7162
}

type mailbox struct {
	name        string
	attrs       []string
	subscribed  bool
	uidValidity uint64
	uidNext     uint32
	messages    []Message // ascending by UID
	modSeq      uint64    // of the last change
	expunged    []Message // in order of modSeq; UIDs only
}

// touch numbers a change.
func (b *mailbox) touch() uint64 {
	b.modSeq++
	return b.modSeq
}

func (b *mailbox) expunge(i int) {
	b.expunged = append(b.expunged, Message{UID: b.messages[i].UID, modSeq: b.touch()})
	b.messages = slices.Delete(b.messages, i, i+1)
}

func (b *mailbox) index(uid uint32) (int, bool) {
	return slices.BinarySearchFunc(b.messages, uid, func(m Message, uid uint32) int { return cmp.Compare(m.UID, uid) })
}

// AddMailbox makes an empty mailbox with UIDVALIDITY 1. The delimiter is "/". The
// name is sent unchanged, so write it in modified UTF-7. \Noselect makes a mailbox
// that cannot be opened. \Subscribed adds it to LSUB, and is not shown in LIST.
func (s *Server) AddMailbox(name string, attrs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &mailbox{name: name, uidValidity: 1, uidNext: 1, modSeq: 1}
	for _, attr := range attrs {
		if attr == `\Subscribed` {
			b.subscribed = true
		} else {
			b.attrs = append(b.attrs, attr)
		}
	}
	s.boxes = append(s.boxes, b)
}

// find needs s.mu. The case of INBOX does not matter (RFC 3501 section 5.1).
func (s *Server) find(name string) *mailbox {
	for _, b := range s.boxes {
		if b.name == name || strings.EqualFold(name, "INBOX") && b.name == "INBOX" {
			return b
		}
	}
	return nil
}

// edit runs f on a mailbox, which must exist, and wakes its sessions.
func (s *Server) edit(folder string, f func(*mailbox)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.find(folder)
	if b == nil {
		panic("imaptest: no mailbox " + folder)
	}
	f(b)
	for c := range s.sessions {
		if c.box == b {
			c.ring()
		} else if c.notify[b.name] {
			c.stirred = append(c.stirred, b)
			c.ring()
		}
	}
}

// Append adds a message and returns its UID. Clients in IDLE get the news at once,
// others with their next command.
func (s *Server) Append(folder string, body []byte) uint32 {
	return s.AppendMessage(folder, Message{Body: body})
}

// AppendMessage is Append for a message with a given UID, date or flags.
func (s *Server) AppendMessage(folder string, m Message) uint32 {
	s.edit(folder, func(b *mailbox) {
		if m.UID == 0 {
			m.UID = b.uidNext
		}
		if m.UID < b.uidNext {
			panic(fmt.Sprintf("imaptest: UID %d is below UIDNEXT %d", m.UID, b.uidNext))
		}
		if m.Date.IsZero() {
			m.Date = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(m.UID) * time.Minute)
		}
		if m.Size == 0 {
			m.Size = int64(len(m.Body))
		}
		b.uidNext = m.UID + 1
		m.modSeq = b.touch()
		b.messages = append(b.messages, m)
	})
	return m.UID
}

// Expunge removes a message, if it exists.
func (s *Server) Expunge(folder string, uid uint32) {
	s.edit(folder, func(b *mailbox) {
		if i, ok := b.index(uid); ok {
			b.expunge(i)
		}
	})
}

// SetFlags replaces the flags of a message, if it exists, and reports them to all
// clients that have the mailbox open.
func (s *Server) SetFlags(folder string, uid uint32, flags ...string) {
	s.edit(folder, func(b *mailbox) {
		i, ok := b.index(uid)
		if !ok {
			return
		}
		b.messages[i].Flags = flags
		b.messages[i].modSeq = b.touch()
		for c := range s.sessions {
			if c.box == b {
				c.changed = append(c.changed, uid)
			}
		}
	})
}

// Flags returns the flags of a message.
func (s *Server) Flags(folder string, uid uint32) []string {
	var flags []string
	s.edit(folder, func(b *mailbox) {
		if i, ok := b.index(uid); ok {
			flags = slices.Clone(b.messages[i].Flags)
		}
	})
	return flags
}

// Messages returns the messages of a mailbox, ascending by UID. Do not change the
// bodies.
func (s *Server) Messages(folder string) []Message {
	var messages []Message
	s.edit(folder, func(b *mailbox) { messages = slices.Clone(b.messages) })
	return messages
}

// UIDs returns the UIDs of a mailbox, ascending. It is empty if there is no such
// mailbox.
func (s *Server) UIDs(folder string) (uids []uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if box := s.find(folder); box != nil {
		for _, m := range box.messages {
			uids = append(uids, m.UID)
		}
	}
	return uids
}

// SetUIDValidity gives a mailbox another UIDVALIDITY, and its messages new UIDs from
// 1. Clients that have it open get BYE.
func (s *Server) SetUIDValidity(folder string, validity uint64) {
	s.edit(folder, func(b *mailbox) {
		b.uidValidity = validity
		for i := range b.messages {
			b.messages[i].UID = uint32(i + 1)
		}
		b.uidNext = uint32(len(b.messages) + 1)
		b.expunged = nil
	})
}

// Remake empties a mailbox, keeps its UIDVALIDITY and sets its UIDNEXT to 1. Clients
// that have it open get BYE.
func (s *Server) Remake(folder string) {
	s.edit(folder, func(b *mailbox) {
		b.messages, b.expunged, b.uidNext = nil, nil, 1
		for c := range s.sessions {
			if c.box == b {
				c.raw.Close()
			}
		}
	})
}

// Insert adds a message with a UID below UIDNEXT.
func (s *Server) Insert(folder string, uid uint32, body []byte) {
	s.edit(folder, func(b *mailbox) {
		i, _ := b.index(uid)
		date := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(uid) * time.Minute)
		b.messages = slices.Insert(b.messages, i, Message{UID: uid, Date: date, Size: int64(len(body)), Body: body, modSeq: b.touch()})
	})
}

// SetUIDNext sets the next UID, which may be below the last one.
func (s *Server) SetUIDNext(folder string, next uint32) {
	s.edit(folder, func(b *mailbox) { b.uidNext = next })
}
