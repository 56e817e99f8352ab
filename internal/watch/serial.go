package watch

import (
	"sync"

	"github.com/fblwatch/fblwatch/callbacks"
)

// serial passes on the events of one session one at a time: those around a commit come
// from another goroutine than the rest. Debug may come at any time.
type serial struct {
	callbacks.Nop
	mu sync.Mutex
	h  callbacks.Handler
}

func (s *serial) Exists(m callbacks.Mailbox, n uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h.Exists(m, n)
}

func (s *serial) Expunged(m callbacks.Mailbox, seq, uid uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h.Expunged(m, seq, uid)
}

func (s *serial) Flags(m callbacks.Mailbox, seq, uid uint32, flags []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h.Flags(m, seq, uid, flags)
}

func (s *serial) Searched(m callbacks.Mailbox, uid uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h.Searched(m, uid)
}

func (s *serial) List(mailbox string, delim rune, attrs []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h.List(mailbox, delim, attrs)
}

func (s *serial) LSub(mailbox string, delim rune, attrs []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h.LSub(mailbox, delim, attrs)
}

func (s *serial) Status(m callbacks.Mailbox, st callbacks.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h.Status(m, st)
}

func (s *serial) Notify(m callbacks.Mailbox, l callbacks.Level, code, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h.Notify(m, l, code, text)
}

func (s *serial) Log(l callbacks.Level, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h.Log(l, text)
}

func (s *serial) Debug(line string) { s.h.Debug(line) }

func (s *serial) Critical(m callbacks.Mailbox) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h.Critical(m)
}

func (s *serial) NoCritical(m callbacks.Mailbox) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h.NoCritical(m)
}
