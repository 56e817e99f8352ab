package watch

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// heard notes what a Handler is told of single messages.
type heard struct {
	callbacks.Nop
	mu   sync.Mutex
	list []string
}

func (h *heard) Expunged(_ callbacks.Mailbox, seq, uid uint32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, fmt.Sprintf("expunged %d", uid))
}

func (h *heard) Flags(_ callbacks.Mailbox, _, uid uint32, flags []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(flags) > 0 {
		h.list = append(h.list, fmt.Sprintf("flags %d %s", uid, strings.Join(flags, " ")))
	}
}

func (h *heard) take() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.Sort(h.list)
	list := strings.Join(slices.Compact(h.list), ", ")
	h.list = nil
	return list
}

// TestResync: what happens to messages while no session is there is told when the
// next one is, and nothing else is told then.
func TestResync(t *testing.T) {
	for _, test := range []struct {
		name    string
		caps    []string
		folders []string
		want    string
	}{
		{"QRESYNC", []string{"ENABLE", "QRESYNC", "CONDSTORE"}, []string{"INBOX"}, `expunged 2, expunged 5, flags 3 \Seen`},
		{"by comparison", nil, []string{"INBOX"}, "expunged 2, expunged 5"},
		{"in a group", nil, []string{"INBOX", "other", "third"}, "expunged 2, expunged 5"},
		{"NOTIFY and QRESYNC", []string{"ENABLE", "QRESYNC", "CONDSTORE", "NOTIFY"}, []string{"INBOX", "other", "third"}, `expunged 2, expunged 5, flags 3 \Seen`},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := filled(4, 300)
				defer s.Close()
				s.AddMailbox("other")
				s.AddMailbox("third")
				s.Caps = append(s.Caps, test.caps...)
				hook := later(s)
				h := &heard{}
				l := memory.New()
				a := account(s, l)
				a.Folders, a.Handler, a.Resync, a.Connections = test.folders, h, true, 1
				stop := whileWatching(t, a)
				time.Sleep(2 * time.Minute)
				s.Append("INBOX", messageOf(4, 300)) // read in the first session
				time.Sleep(2 * time.Minute)
				h.take()
				// The server is away for a while.
				hook(func(at imaptest.Step) imaptest.Action {
					if at.Part == imaptest.Dial {
						return imaptest.Action{Do: imaptest.Cut}
					}
					return imaptest.Action{}
				})
				s.Disconnect()
				time.Sleep(10 * time.Second)
				s.Expunge("INBOX", 2)
				s.Expunge("INBOX", 5)
				s.SetFlags("INBOX", 3, `\Seen`)
				hook(func(imaptest.Step) imaptest.Action { return imaptest.Action{} })
				time.Sleep(15 * time.Minute)
				if got := h.take(); got != test.want {
					t.Errorf("told %s, want %s", got, test.want)
				}
				same(t, records(t, l), expected(5))
				s.Disconnect()
				time.Sleep(15 * time.Minute)
				if got := h.take(); got != "" {
					t.Errorf("told once more: %s", got)
				}
				stop()
			})
		})
	}
}

// TestResyncEmpty: a message that came into an empty folder and went while no
// session was there is told of too.
func TestResyncEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.New()
		defer s.Close()
		h := &heard{}
		a := account(s, memory.New())
		a.Handler, a.Resync = h, true
		hook := later(s)
		stop := whileWatching(t, a)
		time.Sleep(time.Minute)
		s.Append("INBOX", messageOf(1, 300))
		time.Sleep(time.Minute)
		hook(func(at imaptest.Step) imaptest.Action {
			if at.Part == imaptest.Dial {
				return imaptest.Action{Do: imaptest.Cut}
			}
			return imaptest.Action{}
		})
		s.Disconnect()
		time.Sleep(time.Second)
		s.Expunge("INBOX", 1)
		h.take()
		hook(func(imaptest.Step) imaptest.Action { return imaptest.Action{} })
		time.Sleep(10 * time.Minute)
		if got, want := h.take(), "expunged 1"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		stop()
	})
}
