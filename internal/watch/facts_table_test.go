package watch

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2/imapclient"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

const throttledText = "Request is throttled. Suggested Backoff Time: 299910 milliseconds"

var facts = []fact{
	{
		name: "item 4: lines that go-imap dies of, in mid-IDLE", goimap: "dies behind 1m0s",
		server: func() *imaptest.Server {
			s := filled(3, 300)
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if step.Part == imaptest.Idling {
					return imaptest.Action{Before: "* OK still here\r\n"}
				}
				if step.Part == imaptest.Push {
					return imaptest.Action{Before: "* VANISHED 900\r\n* XYZZY\r\n\r\n* 1 FETCH (FLAGS ($a]b))\r\n"}
				}
				return imaptest.Action{}
			}
			return s
		},
		bare: func(t *testing.T, s *imaptest.Server, dial dialed) string {
			time.AfterFunc(time.Minute, func() { s.Append("INBOX", messageOf(3, 300)) })
			return bareIdle(t, s, dial)
		},
		ours: arrivals(time.Hour, 3*time.Minute, time.Second, 1),
	},
	{
		name: "item 5: a literal cut by a close", goimap: "100 octets of 336, <nil>",
		server: func() *imaptest.Server {
			s := filled(3, 300)
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if step.Conn == 1 && step.UID == 3 && step.Part == imaptest.Literal {
					return imaptest.Action{Do: imaptest.Cut, After: 100}
				}
				return imaptest.Action{}
			}
			return s
		},
		bare: func(t *testing.T, s *imaptest.Server, dial dialed) string {
			c, err := bare(t, dial)
			if err != nil {
				t.Fatal(err)
			}
			msg := c.Fetch(uids(3, 3), whole).Next()
			for item := msg.Next(); item != nil; item = msg.Next() {
				if body, ok := item.(goimap.FetchItemDataBodySection); ok { // Collect would read once more: a data race
					octets, err := io.ReadAll(body.Literal)
					<-c.Closed()
					return fmt.Sprintf("%d octets of %d, %v", len(octets), body.Literal.Size(), err)
				}
			}
			return "no body"
		},
		ours: arrivals(time.Minute, time.Minute, time.Second, 2),
	},
	{
		name: "item 10: MOVE by COPY that was refused", goimap: "the message is lost",
		server: func() *imaptest.Server {
			s := filled(1, 300)
			s.Caps = append(s.Caps, "UIDPLUS")
			s.AddMailbox("Archive")
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if step.Part == imaptest.Received && step.Command == "UID COPY" {
					return imaptest.Action{Do: imaptest.Answer, Text: "NO [OVERQUOTA] full"}
				}
				return imaptest.Action{}
			}
			return s
		},
		bare: func(t *testing.T, s *imaptest.Server, dial dialed) string {
			c, err := bare(t, dial)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Move(uids(1, 1), "Archive").Wait(); err == nil {
				t.Error("no error")
			}
			c.Noop().Wait()
			if s.UIDs("INBOX") == nil && s.UIDs("Archive") == nil {
				return "the message is lost"
			}
			return "the message is there"
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			l := memory.New()
			a := account(s, l)
			a.After.Report = Action{"move", "Archive"}
			if err := a.Run(t.Context(), true); !errors.As(err, new(*ActionError)) || !strings.Contains(err.Error(), "OVERQUOTA") {
				t.Error(err)
			}
			same(t, records(t, l), expected(1))
			if got := contents(s, "INBOX"); got != "1" || len(commands(s, "UID STORE"))+len(commands(s, "UID EXPUNGE")) != 0 {
				t.Errorf("INBOX has %s", got)
			}
			s.Hook = nil // there is room again: it was still owed
			if err := a.Run(t.Context(), true); err != nil {
				t.Error(err)
			}
			if in, out := contents(s, "INBOX"), contents(s, "Archive"); in != "" || out != "1" {
				t.Errorf("INBOX has %s, Archive has %s", in, out)
			}
		},
	},
	allowing("Gmail: 15 connections", 15),
	allowing("Dovecot: 10 connections", 10),
	{
		name: "Gmail: too many connections, said to a login", goimap: "imap: NO [ALERT] Too many simultaneous connections. (Failure)",
		server: func() *imaptest.Server {
			s := fblServer(20)()
			s.Hook = func(step imaptest.Step) imaptest.Action {
				login := step.Command == "LOGIN" || step.Command == "AUTHENTICATE"
				if login && step.Part == imaptest.Received && s.Open() > 4 {
					return imaptest.Action{Do: imaptest.Answer, Text: "NO [ALERT] Too many simultaneous connections. (Failure)"}
				}
				return imaptest.Action{}
			}
			return s
		},
		bare: func(t *testing.T, s *imaptest.Server, dial dialed) string {
			for {
				if _, err := bare(t, dial); err != nil {
					return err.Error()
				}
			}
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			watchFolders(t, &doors{s: s}, 2, polled)
			if n := s.Conns(); n > 20 {
				t.Errorf("%d connections", n)
			}
		},
	},
	{
		name: "Gmail: 2.5 GB a day", goimap: "all octets", server: func() *imaptest.Server { return filled(60, 100_000) },
		bare: func(t *testing.T, s *imaptest.Server, dial dialed) string {
			var in atomic.Int64
			c, err := bare(t, counting(dial, &in))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Fetch(uids(1, 0), whole).Close(); err != nil {
				t.Fatal(err)
			}
			if in.Load() < 60*100_000 {
				return "few octets"
			}
			return "all octets"
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			var in atomic.Int64
			l := memory.New()
			a := account(s, l)
			a.IMAP.Dial = counting(dial, &in)
			if err := a.Run(t.Context(), true); err != nil {
				t.Error(err)
			}
			same(t, records(t, l), expected(60))
			if n := in.Load(); n > 60*25_000 { // 8 KiB of each, and then a little more
				t.Errorf("%d octets read of %d", n, 60*100_000)
			}
		},
	},
	{
		name: "Gmail: no QRESYNC, no NOTIFY: a connection a folder", goimap: byNature,
		server: fblServer(5, "CONDSTORE", "ENABLE", "ESEARCH", "COMPRESS=DEFLATE", "UIDPLUS", "MOVE"),
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			d, l := &doors{s: s}, memory.New()
			watching(t, d, l, nil, func() {
				time.Sleep(time.Minute)
				for i, name := range fblFolders(5) {
					s.Append(name, messageOf(100+i, 0))
				}
				time.Sleep(2 * time.Second) // told to each
			})
			if n := len(inFolders(t, l)); n != 6 || d.peak != 5 || commands(s, "NOTIFY") != nil || commands(s, "ENABLE") != nil {
				t.Errorf("%d records by %d connections", n, d.peak)
			}
		},
	},
	{
		name: "Dovecot: everything, so NOTIFY: one connection for all", goimap: byNature,
		server: fblServer(200, "NOTIFY", "CONDSTORE", "QRESYNC", "ENABLE", "ESEARCH", "COMPRESS=DEFLATE", "UIDPLUS", "MOVE"),
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			d := &doors{s: s, most: 10}
			watchFolders(t, d, 20, 2*time.Second)
			if d.peak != 1 || len(commands(s, "NOTIFY SET")) == 0 {
				t.Errorf("%d connections", d.peak)
			}
		},
	},
	{
		name: "Yahoo: IDLE dropped before 5 minutes", dial: hangsUp(290 * time.Second), goimap: "dies behind 4m50s",
		bare: bareIdle, ours: arrivals(3*time.Hour, 17*time.Minute, time.Second, 1),
	},
	{
		name: "AOL: IDLE dropped at 300 seconds", dial: hangsUp(300 * time.Second), goimap: "dies behind 5m0s",
		bare: bareIdle, ours: arrivals(3*time.Hour, 17*time.Minute, time.Second, 1),
	},
	{
		name: "NAT: a silent link forgotten in 5 minutes", dial: forgets(5 * time.Minute), goimap: "hangs",
		bare: bareIdle, ours: arrivals(3*time.Hour, 17*time.Minute, time.Second, 1),
	},
	{
		name: "Yahoo: a session lasts an hour", dial: mortal(time.Hour), goimap: "dies behind 1h0m0s",
		bare: bareIdle, ours: arrivals(5*time.Hour+30*time.Minute, 7*time.Minute, 2*time.Second, 6),
	},
	throttledAt("UID FETCH", func(*Account) {}),
	throttledAt("UID STORE", func(a *Account) { a.After.Report = Action{Do: "seen"} }),
	throttledAt("STATUS", func(a *Account) { a.Folders = []string{"INBOX", "other"}; a.Watch = "poll" }),
	throttledAt("IDLE", func(*Account) {}),
	throttledAt("NOTIFY", func(a *Account) { a.Folders = []string{"INBOX", "other"} }),
	throttledAt("UID SEARCH", func(a *Account) { a.Slice = time.Minute }),
}

// throttledAt is a server that wants to be left alone, and says so by NO to the
// first two such commands. go-imap hands the text on, and sends what it is told to.
func throttledAt(command string, set func(*Account)) fact {
	const wait = 299910 * time.Millisecond
	var mu sync.Mutex
	var said []time.Time
	var early []string // what was sent nevertheless
	return fact{
		name: "Microsoft 365: Suggested Backoff Time in a NO to " + command, goimap: byNature,
		server: func() *imaptest.Server {
			s := filled(3, 300)
			said, early = nil, nil
			s.AddMailbox("other")
			s.Caps = append(s.Caps, "NOTIFY")
			s.Hook = func(step imaptest.Step) imaptest.Action {
				mu.Lock()
				defer mu.Unlock()
				if step.Part != imaptest.Received {
					return imaptest.Action{}
				}
				if n := len(said); n > 0 && time.Since(said[n-1]) < wait {
					early = append(early, step.Text)
				}
				if step.Command == command && len(said) < 2 {
					said = append(said, time.Now())
					return imaptest.Action{Do: imaptest.Answer, Text: "NO " + throttledText}
				}
				return imaptest.Action{}
			}
			return s
		},
		ours: func(t *testing.T, s *imaptest.Server, dial dialed) {
			l := memory.New()
			a := account(s, l)
			set(a)
			stop := whileWatching(t, a)
			time.Sleep(20 * time.Minute)
			stop()
			same(t, sorted(records(t, l)), expected(3))
			if len(said) != 2 || len(early) > 0 {
				t.Errorf("said %v, sent meanwhile %q", said, early)
			}
		},
	}
}
