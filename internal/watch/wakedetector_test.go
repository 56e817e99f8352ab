package watch

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// TestResume: when the machine wakes up, a session is made anew at once, and not
// when a timer that slept with it has run out.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(3, 300)
		defer s.Close()
		var slept atomic.Int64
		l := memory.New()
		a := account(s, l)
		a.wall = func() time.Time { return time.Now().Add(time.Duration(slept.Load())) }
		stop := whileWatching(t, a)
		time.Sleep(time.Minute)
		if s.Conns() != 1 {
			t.Fatalf("%d connections before", s.Conns())
		}
		// What is left of the old connection says nothing any more.
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Conn == 1 {
				return imaptest.Action{Do: imaptest.Silent}
			}
			return imaptest.Action{}
		}
		s.Append("INBOX", messageOf(3, 300))
		slept.Store(int64(8 * time.Hour))
		time.Sleep(clocksEvery + 2*time.Second)
		same(t, records(t, l), expected(4))
		if s.Conns() != 2 {
			t.Errorf("%d connections after", s.Conns())
		}
		slept.Add(int64(10 * time.Second)) // a clock that was set is no sleep
		time.Sleep(time.Minute)
		if s.Conns() != 2 {
			t.Errorf("%d connections after the clock was set", s.Conns())
		}
		stop()
	})
}
