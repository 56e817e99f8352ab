package watch

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// outages are the ways in which a server that lists its messages fails to give
// any of them.
var outages = map[string]imaptest.Action{
	"cut":     {Do: imaptest.Cut},
	"silent":  {Do: imaptest.Silent},
	"refused": {Do: imaptest.Answer, Text: "NO [UNAVAILABLE] storage is down"},
	"bye":     imaptest.Bye("storage is down"),
}

// TestOutage: a server that gives no message at all for hours has no message given
// up for it, and is not called often.
func TestOutage(t *testing.T) {
	for name, action := range outages {
		for _, had := range []int{0, 5} { // messages that were read before
			for _, many := range []int{1, 40} {
				t.Run(fmt.Sprintf("%s/%d and %d", name, had, many), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { outage(t, action, had, many) })
				})
			}
		}
	}
}

func outage(t *testing.T, action imaptest.Action, had, many int) {
	s := filled(had, 300)
	defer s.Close()
	var down atomic.Bool
	s.Hook = func(step imaptest.Step) imaptest.Action {
		if down.Load() && step.Command == "UID FETCH" && step.UID != 0 {
			return action
		}
		return imaptest.Action{}
	}
	l := memory.New()
	stop := whileWatching(t, account(s, l))
	defer stop()
	time.Sleep(time.Minute)
	same(t, records(t, l), expected(had))
	down.Store(true)
	for i := had; i < had+many; i++ {
		s.Append("INBOX", sample.Report(i, 300))
	}
	time.Sleep(6 * time.Hour)
	if n := s.Conns(); n > 250 { // half of five minutes on average: 144, and a few at first
		t.Errorf("%d connections in six hours", n)
	}
	same(t, records(t, l), expected(had))
	down.Store(false)
	time.Sleep(10 * time.Minute)
	same(t, sorted(records(t, l)), expected(had+many))
}

// TestBodylessMessages: the server names them and gives no body, in the first
// sweep and while a watch idles.
func TestBodylessMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(10, 300)
		s.Shape = func(conn int, uid uint32) imaptest.Shape {
			return imaptest.Shape{NilBody: uid == 3 || uid == 5 || uid == 10 || uid == 12 || uid == 13}
		}
		late := func() {
			time.Sleep(time.Hour)
			for i := 10; i < 15; i++ {
				s.Append("INBOX", sample.Report(i, 300))
			}
		}
		go late()
		want := expected(15)
		for _, uid := range []int{3, 5, 10, 12, 13} {
			want[uid-1] = fmt.Sprintf("%d unparsed ", uid)
		}
		same(t, settles(t, s, 15, 2*time.Hour), want)
	})
}

// TestKillerBehindThePrefix: a message whose start can be had and whose rest ends
// the connection is given up as any other.
func TestKillerBehindThePrefix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.New()
		for i := range 5 {
			s.Append("INBOX", deepReport(i, 20_000))
		}
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.UID == 3 && step.Part == imaptest.Literal && step.Size > 8192 {
				return imaptest.Action{Do: imaptest.Cut, After: 9000}
			}
			return imaptest.Action{}
		}
		want := expected(5)
		want[2] = "3 unparsed "
		same(t, settles(t, s, 5, 3*time.Hour), want)
		if n := s.Conns(); n > 10 {
			t.Errorf("%d connections", n)
		}
	})
}

// TestManyKillers: several messages end each connection on which they are asked
// for, also the first and the last; the number of connections is bounded.
func TestManyKillers(t *testing.T) {
	for _, c := range []struct {
		name     string
		messages int
		killers  []uint32
		most     int // connections
	}{
		{"first and last", 40, []uint32{1, 40}, 20},
		{"the first ten", 40, []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 80},
		{"every fourth", 40, []uint32{4, 8, 12, 16, 20, 24, 28, 32, 36, 40}, 80},
		{"among 5,000", 5000, []uint32{1, 2, 999, 1000, 1001, 2500, 4999, 5000}, 90},
	} {
		for how, action := range map[string]imaptest.Action{
			"in the literal": {Do: imaptest.Cut, After: 100},
			"unseen":         {Do: imaptest.Cut},
			"refused":        {Do: imaptest.Answer, Text: "NO [SERVERBUG] damaged"},
		} {
			t.Run(c.name+"/"+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := filled(c.messages, 300)
					want := expected(c.messages)
					kills := make(map[uint32]bool)
					for _, uid := range c.killers {
						kills[uid] = true
						want[uid-1] = fmt.Sprintf("%d unparsed ", uid)
					}
					s.Hook = func(step imaptest.Step) imaptest.Action {
						if !kills[step.UID] || how == "in the literal" && step.Part != imaptest.Literal {
							return imaptest.Action{}
						}
						return action
					}
					l := memory.New()
					for run := 0; account(s, l).Run(t.Context(), true) != nil; run++ {
						if run == 3 {
							t.Fatal("sweeps fail")
						}
					}
					same(t, sorted(records(t, l)), want)
					t.Logf("%d connections", s.Conns())
					if n := s.Conns(); n > c.most {
						t.Errorf("%d connections, want at most %d", n, c.most)
					}
					s.Close()
				})
			})
		}
	}
}

// TestHalfOpenIdle: the peer vanishes in mid-IDLE without a word, and takes
// neither DONE nor anything else. The message that comes meanwhile is read by the
// next session, within a slice and the deadline for the answer to DONE.
func TestHalfOpenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(3, 300)
		defer s.Close()
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Conn == 1 && step.Part == imaptest.Idling {
				return imaptest.Action{Do: imaptest.Silent}
			}
			return imaptest.Action{}
		}
		l := memory.New()
		stop := whileWatching(t, account(s, l))
		time.Sleep(time.Minute)
		s.Append("INBOX", sample.Report(3, 300))
		time.Sleep(4 * time.Minute) // a slice of 4 min, 15 s for DONE, under a second's pause
		same(t, records(t, l), expected(4))
		if n := s.Conns(); n != 2 {
			t.Errorf("%d connections, want 2", n)
		}
		stop()
	})
}

// TestBadLink: a large message dies with the link, each time at another octet. It
// is not given up for that as a message is that ends each connection at the same.
func TestBadLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.New()
		for i := range 5 {
			s.Append("INBOX", deepReport(i, 20_000))
		}
		const deaths = 8
		died := 0
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.UID == 3 && step.Part == imaptest.Literal && died < deaths {
				died++
				return imaptest.Action{Do: imaptest.Cut, After: 100 * (1 + died%3)}
			}
			return imaptest.Action{}
		}
		same(t, settles(t, s, 5, 3*time.Hour), expected(5))
		if died != deaths {
			t.Errorf("%d deaths, want %d", died, deaths)
		}
	})
}
