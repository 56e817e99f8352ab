package watch

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// pollFacts are of several folders that are looked at by one connection.
var pollFacts = []fact{
	deaf("Dovecot, Courier, Exchange, Office 365, imap4d: STATUS of the open folder is stale", staleStatus, func(a *Account) { a.Watch = "poll" }),
	deaf("stale STATUS, more folders than connections", staleStatus, func(a *Account) { a.Connections = 2 }),
	deaf("stale STATUS, one connection", staleStatus, func(a *Account) { a.Connections = 1 }),
	deaf("EXISTS beside STATUS of another folder", func(s *imaptest.Server) {
		staleStatus(s)
		stale := s.Hook
		s.Hook = func(step imaptest.Step) imaptest.Action {
			switch action := stale(step); {
			case step.Command == "NOOP" && step.Part == imaptest.Received:
				return imaptest.Action{Do: imaptest.Answer, Text: "OK nothing"}
			case step.Command == "STATUS" && step.Part == imaptest.Tagged:
				action.Before = fmt.Sprintf("* %d EXISTS\r\n", len(s.UIDs(open(s))))
				return action
			default:
				return action
			}
		}
	}, func(a *Account) { a.Watch = "poll" }),
	deaf("neither NOOP nor STATUS tell of the open folder", func(s *imaptest.Server) {
		staleStatus(s)
		stale := s.Hook
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Part == imaptest.Push {
				return imaptest.Action{Do: imaptest.Drop}
			}
			return stale(step)
		}
	}, func(a *Account) { a.Watch, a.Poll, a.Slice = "poll", 10*time.Second, 40*time.Second }),
}

// deaf is a server whose STATUS of the open folder tells nothing: what comes into
// any folder is read at the next poll all the same.
func deaf(name string, bend func(*imaptest.Server), set func(*Account)) fact {
	folders := []string{"INBOX", "One", "Two", "Three"}
	return fact{
		name: name, goimap: byNature,
		server: func() *imaptest.Server {
			s := imaptest.New()
			for _, name := range folders[1:] {
				s.AddMailbox(name)
			}
			bend(s)
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			l := memory.New()
			a := account(s, l)
			a.Folders = folders
			set(a)
			stop := whileWatching(t, a)
			time.Sleep(time.Minute)
			n := 0
			for range 3 {
				for _, name := range folders {
					for range 3 { // the second and third into the one that is open
						s.Append(name, messageOf(n, 300))
						n++
						time.Sleep(polled)
						if got := len(records(t, l)); got != n {
							t.Fatalf("%d records, want %d: deaf in %s", got, n, name)
						}
					}
				}
			}
			stop()
		},
	}
}

// open is the folder that was opened last.
func open(s *imaptest.Server) string {
	list := commands(s, "EXAMINE")
	if len(list) == 0 {
		return "INBOX"
	}
	_, name, _ := strings.Cut(list[len(list)-1], " ")
	return strings.Trim(name, `"`)
}

// staleStatus makes STATUS of the open folder tell what there was when it was
// opened.
func staleStatus(s *imaptest.Server) {
	var mu sync.Mutex
	type view struct {
		name     string
		messages int
	}
	views := make(map[int]view) // by connection
	s.Hook = func(step imaptest.Step) imaptest.Action {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case step.Part == imaptest.Received && (step.Command == "EXAMINE" || step.Command == "SELECT"):
			name := strings.Trim(step.Text[strings.LastIndexByte(step.Text, ' ')+1:], `"`)
			views[step.Conn] = view{name, len(s.UIDs(name))}
		case step.Part == imaptest.Data && strings.HasPrefix(step.Text, "* STATUS "):
			v := views[step.Conn]
			if strings.Contains(step.Text, `STATUS "`+v.name+`" `) {
				line := fmt.Sprintf("* STATUS %q (MESSAGES %d UIDNEXT %d UIDVALIDITY 1 UNSEEN 0)\r\n", v.name, v.messages, v.messages+1)
				return imaptest.Action{Do: imaptest.Drop, Before: line}
			}
		}
		return imaptest.Action{}
	}
}
