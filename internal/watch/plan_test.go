package watch

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// doors counts the connections to a server, and lets in so many at once.
type doors struct {
	s    *imaptest.Server
	most int // 0: any number

	mu         sync.Mutex
	open, peak int
	refused    int
}

func (d *doors) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.most > 0 && d.open >= d.most {
		d.refused++
		ours, theirs := net.Pipe()
		go func() {
			io.WriteString(theirs, "* BYE [LIMIT] too many connections\r\n")
			theirs.Close()
		}()
		return ours, nil
	}
	c, err := d.s.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.open++
	d.peak = max(d.peak, d.open)
	return &door{Conn: c, d: d}, nil
}

type door struct {
	net.Conn
	d    *doors
	once sync.Once
}

func (c *door) Close() error {
	c.once.Do(func() {
		c.d.mu.Lock()
		defer c.d.mu.Unlock()
		c.d.open--
	})
	return c.Conn.Close()
}

// watching runs a watch of all folders below FBL while do runs.
func watching(t *testing.T, d *doors, l ledger.Ledger, set func(*Account), do func()) {
	t.Helper()
	a := account(d.s, l)
	a.Folders, a.IMAP.Dial = []string{"FBL/*"}, d.dial
	if set != nil {
		set(a)
	}
	stop := whileWatching(t, a)
	do()
	stop()
	synctest.Wait()
	if d.open != 0 {
		t.Errorf("%d connections are left open", d.open)
	}
}

// withFolders is a server with these folders and capabilities.
func withFolders(names []string, caps ...string) *imaptest.Server {
	s := imaptest.New()
	s.Caps = append(s.Caps, caps...)
	for _, name := range names {
		s.AddMailbox(name)
	}
	return s
}

func fblFolders(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("FBL/%03d", i))
	}
	return names
}

// inFolders lists "folder recipient" of what the ledger holds, sorted.
func inFolders(t *testing.T, l ledger.Reader) (got []string) {
	t.Helper()
	for row, err := range l.Records(t.Context(), ledger.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, row.Folder.Name+summary(t, row.JSON)[1:])
	}
	slices.Sort(got)
	return got
}

const polled = defaultPoll + 5*time.Second

// TestManyFolders: two hundred folders are watched by eight connections, or by
// as many as the server lets in, and what comes is read wherever it comes.
func TestManyFolders(t *testing.T) {
	for _, test := range []struct {
		name       string
		doors, set int
		mode       string
		peak       int
		caps       []string
		wait       time.Duration // until what is new has been read
	}{
		{"eight", 0, 0, "", 8, nil, polled}, {"three", 0, 3, "", 3, nil, polled}, {"one", 0, 1, "", 1, nil, polled},
		{"polled", 0, 0, "poll", 1, nil, polled}, {"four let in", 4, 0, "", 4, nil, polled}, {"one let in", 1, 0, "", 1, nil, polled},
		{"told", 0, 0, "", 1, []string{"NOTIFY"}, 2 * time.Second}, {"told with QRESYNC", 0, 0, "", 1, []string{"NOTIFY", "QRESYNC", "ENABLE"}, 2 * time.Second},
		{"not to be told", 0, 0, "idle", 8, []string{"NOTIFY"}, polled},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := imaptest.New()
				defer s.Close()
				s.Caps = append(s.Caps, test.caps...)
				names := fblFolders(200)
				var want []string
				add := func(name string, n int) {
					s.Append(name, messageOf(n, 0))
					want = append(want, fmt.Sprintf("%s complaint user%d@example.com", name, n))
				}
				for i, name := range names {
					s.AddMailbox(name)
					if i%10 == 0 {
						add(name, i)
					}
				}
				d, l := &doors{s: s, most: test.doors}, memory.New()
				watching(t, d, l, func(a *Account) { a.Connections, a.Watch = test.set, test.mode }, func() {
					time.Sleep(2 * time.Minute)
					slices.Sort(want)
					same(t, inFolders(t, l), want)
					for i, name := range names {
						if i%7 == 0 {
							add(name, 1000+i)
						}
					}
					time.Sleep(test.wait)
					slices.Sort(want)
					same(t, inFolders(t, l), want)
				})
				if d.peak != test.peak {
					t.Errorf("%d connections at once, want %d", d.peak, test.peak)
				}
				if d.refused > 40 {
					t.Errorf("%d logins were refused in three minutes", d.refused)
				}
			})
		})
	}
}

// TestNotifyLeaving: a message that comes into the open folder and is not told of
// before another one is opened is found, as Dovecot has it: it tells of the open
// folder half a second later.
func TestNotifyLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := withFolders([]string{"FBL/a", "FBL/b"}, "NOTIFY")
		defer s.Close()
		s.Append("FBL/a", messageOf(0, 0))
		s.Append("FBL/b", messageOf(1, 0))
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Part == imaptest.Push && strings.HasSuffix(step.Text, " EXISTS") {
				return imaptest.Action{Do: imaptest.Drop}
			}
			return imaptest.Action{}
		}
		l := memory.New()
		watching(t, &doors{s: s}, l, nil, func() {
			time.Sleep(time.Minute)
			s.Append("FBL/b", messageOf(2, 0)) // it was opened last
			s.Append("FBL/a", messageOf(3, 0))
			time.Sleep(2 * time.Second)
			same(t, inFolders(t, l), []string{
				"FBL/a complaint user0@example.com", "FBL/a complaint user3@example.com",
				"FBL/b complaint user1@example.com", "FBL/b complaint user2@example.com",
			})
		})
	})
}

// TestNotifyAgain: what comes while the server is asked a second time to tell of
// the folders is told by nobody, and found all the same.
func TestNotifyAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := withFolders([]string{"FBL/a", "FBL/b"}, "NOTIFY")
		defer s.Close()
		s.Append("FBL/a", messageOf(0, 0))
		s.Append("FBL/b", messageOf(1, 0))
		times := 0
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Command == "NOTIFY" && step.Part == imaptest.Received {
				if times++; times == 2 {
					s.Append("FBL/a", messageOf(2, 0))
					s.Append("FBL/b", messageOf(3, 0))
				}
			}
			return imaptest.Action{}
		}
		l := memory.New()
		watching(t, &doors{s: s}, l, nil, func() {
			time.Sleep(5 * time.Second)
			if n := len(inFolders(t, l)); n != 4 || times < 2 {
				t.Errorf("%d records, want 4; asked %d times", n, times)
			}
		})
	})
}

// TestFoldersChange: a folder that is made later is found, and one that goes or
// cannot be opened is nobody else's harm.
func TestFoldersChange(t *testing.T) {
	for _, connections := range []int{1, 2, 8, 9} {
		synctest.Test(t, func(t *testing.T) {
			s := imaptest.New()
			defer s.Close()
			if connections == 9 {
				s.Caps = append(s.Caps, "NOTIFY")
			}
			s.AddMailbox("FBL/a")
			s.Append("FBL/a", messageOf(1, 0))
			locked := "FBL/locked"
			s.AddMailbox(locked)
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if step.Command == "EXAMINE" && strings.Contains(step.Text, locked) {
					return imaptest.Action{Do: imaptest.Answer, Text: "NO [NOPERM] not yours"}
				}
				return imaptest.Action{}
			}
			l := memory.New()
			watching(t, &doors{s: s}, l, func(a *Account) { a.Connections = connections }, func() {
				time.Sleep(time.Minute)
				s.AddMailbox("FBL/z")
				s.Append("FBL/z", messageOf(2, 0))
				s.Append("FBL/a", messageOf(3, 0))
				time.Sleep(listEvery + defaultPoll)
				same(t, inFolders(t, l), []string{
					"FBL/a complaint user1@example.com", "FBL/a complaint user3@example.com", "FBL/z complaint user2@example.com",
				})
				s.Append("FBL/z", messageOf(4, 0))
				time.Sleep(defaultPoll + 5*time.Second)
				if n := len(inFolders(t, l)); n != 4 {
					t.Errorf("%d connections: %d records", connections, n)
				}
				states, err := l.States(t.Context())
				if err != nil || !slices.ContainsFunc(states, func(s ledger.Status) bool { return strings.Contains(s.Error, "not yours") }) {
					t.Errorf("%d connections: no state tells of the locked folder: %+v, %v", connections, states, err)
				}
			})
		})
	}
}

// TestDeadlyFolder: a folder that ends each session is no harm to those behind
// it, however they are watched.
func TestDeadlyFolder(t *testing.T) {
	for _, caps := range [][]string{nil, {"NOTIFY"}} {
		synctest.Test(t, func(t *testing.T) {
			names := fblFolders(5)
			s := withFolders(names, caps...)
			defer s.Close()
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if step.Part == imaptest.Received && step.Command == "EXAMINE" && strings.Contains(step.Text, names[1]) {
					return imaptest.Bye("[UNAVAILABLE] internal error")
				}
				return imaptest.Action{}
			}
			l := memory.New()
			watching(t, &doors{s: s}, l, func(a *Account) { a.Connections = 1 }, func() {
				for i, name := range names {
					s.Append(name, messageOf(i, 0))
				}
				time.Sleep(10 * time.Minute)
				if got := inFolders(t, l); len(got) != 4 {
					t.Errorf("%v: read %q", caps, got)
				}
			})
		})
	}
}

// TestSlowFolders: where it takes longer to open all folders than until they are
// listed again, the last ones are read all the same.
func TestSlowFolders(t *testing.T) {
	for _, caps := range [][]string{nil, {"NOTIFY"}} {
		synctest.Test(t, func(t *testing.T) {
			names := fblFolders(100)
			s := withFolders(names, caps...)
			defer s.Close()
			for i, name := range names {
				s.Append(name, messageOf(i, 0))
			}
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if step.Part == imaptest.Received && step.Command == "EXAMINE" {
					time.Sleep(5 * time.Second)
				}
				return imaptest.Action{}
			}
			l := memory.New()
			watching(t, &doors{s: s}, l, func(a *Account) { a.Connections = 1 }, func() {
				time.Sleep(15 * time.Minute)
				if got := inFolders(t, l); len(got) != len(names) {
					t.Errorf("%v: %d folders of %d were read", caps, len(got), len(names))
				}
			})
		})
	}
}

// TestToldNoMore: where a server has NOTIFY and then refuses IDLE, or gives up
// telling, what comes is found by looking, in the same session.
func TestToldNoMore(t *testing.T) {
	notified := 0
	for name, hook := range map[string]func(imaptest.Step) imaptest.Action{
		"no IDLE": func(step imaptest.Step) imaptest.Action {
			if step.Part == imaptest.Received && step.Command == "IDLE" {
				return imaptest.Action{Do: imaptest.Answer, Text: "NO not today"}
			}
			return imaptest.Action{}
		},
		"overflow": func(step imaptest.Step) imaptest.Action {
			switch {
			case step.Part == imaptest.Received && step.Command == "NOTIFY":
				if notified++; notified > 2 { // the group asks twice
					return imaptest.Action{Do: imaptest.Answer, Text: "NO not any more"}
				}
			case step.Part == imaptest.Continue && notified == 2:
				return imaptest.Action{Before: "* OK [NOTIFICATIONOVERFLOW] too much\r\n"}
			}
			return imaptest.Action{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := withFolders([]string{"FBL/a", "FBL/b"}, "NOTIFY")
				defer s.Close()
				s.Hook = hook
				l := memory.New()
				watching(t, &doors{s: s}, l, func(a *Account) { a.Folders = []string{"FBL/a", "FBL/b"} }, func() {
					time.Sleep(time.Minute)
					s.Append("FBL/a", messageOf(1, 0))
					s.Append("FBL/b", messageOf(2, 0))
					time.Sleep(2 * polled)
					if got := inFolders(t, l); len(got) != 2 || s.Conns() != 1 {
						t.Errorf("read %q by %d connections", got, s.Conns())
					}
				})
			})
		})
	}
}

// TestFirstLineComesBack: where the server lets in one connection fewer than
// before, and it is the first line's that is lost, another one gives way.
func TestFirstLineComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := fblFolders(20)
		s := withFolders(names)
		defer s.Close()
		hook := later(s)
		d, l := &doors{s: s}, memory.New()
		watching(t, d, l, func(a *Account) { a.Connections = 4 }, func() {
			time.Sleep(10 * time.Minute)
			hook(func(at imaptest.Step) imaptest.Action {
				if at.Conn == 1 {
					return imaptest.Action{Do: imaptest.Cut}
				}
				return imaptest.Action{}
			})
			d.mu.Lock()
			d.most = 3
			d.mu.Unlock()
			time.Sleep(2 * time.Minute)
			for i, name := range names {
				s.Append(name, messageOf(i, 0))
			}
			time.Sleep(15 * time.Minute)
			if got := inFolders(t, l); len(got) != len(names) {
				t.Errorf("%d folders of %d were read", len(got), len(names))
			}
		})
	})
}

// TestPollAsksNothing: who wants folders to be looked at gets that, although the
// server would tell.
func TestPollAsksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := withFolders([]string{"FBL/a", "FBL/b"}, "NOTIFY")
		defer s.Close()
		l := memory.New()
		watching(t, &doors{s: s}, l, func(a *Account) { a.Watch = "poll" }, func() {
			time.Sleep(time.Minute)
			s.Append("FBL/b", messageOf(1, 0))
			time.Sleep(polled)
			if got := inFolders(t, l); len(got) != 1 {
				t.Errorf("read %q", got)
			}
		})
		if text := strings.Join(s.Transcript(), "\n"); strings.Contains(text, " NOTIFY ") {
			t.Errorf("it was asked to tell:\n%s", text)
		}
	})
}
