package watch

import (
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// quietFacts are of servers that hang up on silent connections.
var quietFacts = []fact{
	{name: "GreenMail: silence of 30 s is cut, one folder polled", goimap: byNature, dial: hangsUp(30 * time.Second), ours: polls(2, time.Minute)},
	{name: "GreenMail: silence of 30 s is cut, folders polled", goimap: byNature, dial: hangsUp(30 * time.Second), ours: polls(2, time.Minute, "A", "B")},
	{name: "silence of 12 s is cut", goimap: byNature, dial: hangsUp(12 * time.Second), ours: polls(2, time.Minute)},
	{name: "silence is borne", goimap: byNature, ours: polls(1, time.Minute)},
}

// polls watches for three hours by polling, over so many connections. A message
// is read within the time given, and the log tells of the cut once, and of
// nothing else.
func polls(conns int, within time.Duration, more ...string) func(*testing.T, *imaptest.Server, dialed) {
	return func(t *testing.T, s *imaptest.Server, dial dialed) {
		l := memory.New()
		a := account(s, l)
		a.IMAP.Dial, a.Watch = dial, "poll"
		book := logged(a)
		for _, name := range more {
			s.AddMailbox(name)
			a.Folders = append(a.Folders, name)
		}
		stop := whileWatching(t, a)
		for n := 3; n < 12; n++ {
			time.Sleep(20 * time.Minute)
			s.Append("INBOX", messageOf(n, 300))
			time.Sleep(within + time.Second)
			same(t, records(t, l), expected(n+1))
		}
		stop()
		if got := s.Conns(); got != conns {
			t.Errorf("%d connections, want %d", got, conns)
		}
		if lines := book.count("\n"); lines != conns-1 || lines > 0 && book.count("level=INFO") == 0 {
			t.Errorf("log:\n%s", book)
		}
	}
}
