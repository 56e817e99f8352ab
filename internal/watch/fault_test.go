package watch

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// settles runs a watch until the ledger holds n records or limit is over, on
// the bubble's clock, and returns what it holds.
func settles(t *testing.T, s *imaptest.Server, n int, limit time.Duration) []string {
	t.Helper()
	l := memory.New()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	done := make(chan error)
	go func() { done <- account(s, l).Run(ctx, false) }()
	for ctx.Err() == nil && len(records(t, l)) < n {
		time.Sleep(time.Second)
	}
	time.Sleep(time.Minute) // for what must not come
	cancel()
	<-done
	s.Close()
	return sorted(records(t, l))
}

// cleanSteps is the dialogue of a watch that catches up, is woken by one more
// message and reads it.
func cleanSteps(t *testing.T) []imaptest.Step {
	var steps []imaptest.Step
	synctest.Test(t, func(t *testing.T) {
		s := filled(3, 300)
		l := memory.New()
		stop := whileWatching(t, account(s, l))
		synctest.Wait()
		s.Append("INBOX", sample.Report(3, 300))
		synctest.Wait()
		same(t, records(t, l), expected(4))
		steps = s.Steps()
		stop()
		s.Close()
	})
	return steps
}

// late delivers the fourth report a minute after the start.
func late(s *imaptest.Server) {
	time.Sleep(time.Minute)
	s.Append("INBOX", sample.Report(3, 300))
}

func TestSilentAtEveryStep(t *testing.T) {
	for _, verb := range []imaptest.Verb{imaptest.Silent, imaptest.Cut, imaptest.HalfClose, imaptest.Drop} {
		for _, at := range cleanSteps(t) {
			if verb == imaptest.Drop && at.Part == imaptest.Literal {
				continue // the next line's octets are the message's then: nobody could know
			}
			t.Run(fmt.Sprintf("%v/%v", verb, at), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := filled(3, 300)
					s.Hook = func(step imaptest.Step) imaptest.Action {
						if step.Conn == 1 && step.N == at.N {
							return imaptest.Action{Do: verb, After: step.Size / 2}
						}
						return imaptest.Action{}
					}
					go late(s)
					same(t, settles(t, s, 4, 2*time.Hour), expected(4))
				})
			})
		}
	}
}

func TestByeInEveryState(t *testing.T) {
	for _, at := range cleanSteps(t) {
		t.Run(at.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := filled(3, 300)
				s.Hook = func(step imaptest.Step) imaptest.Action {
					if step.Conn == 1 && step.N == at.N {
						return imaptest.Bye("going down")
					}
					return imaptest.Action{}
				}
				go late(s)
				same(t, settles(t, s, 4, 2*time.Hour), expected(4))
			})
		})
	}
}

// TestCutAtEveryByte cuts the first connection of a sweep after each of its octets. Six
// messages are a first, a last and some between, in one FETCH and one commit, as
// any number up to a batch is.
func TestCutAtEveryByte(t *testing.T) {
	const messages = 6
	length := int64(0)
	sweep := func(t *testing.T, cut int64) {
		synctest.Test(t, func(t *testing.T) {
			s := filled(messages, 300)
			defer s.Close()
			s.Limit = func(conn int) int64 {
				if conn == 1 {
					return cut
				}
				return -1
			}
			l := memory.New()
			a := account(s, l)
			err := a.Run(t.Context(), true)
			if err != nil && cut >= 0 { // it had not even logged in: whoever asked asks again
				err = a.Run(t.Context(), true)
			}
			if err != nil {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			same(t, sorted(records(t, l)), expected(messages))
			for _, step := range s.Steps() {
				if step.Conn == 1 && cut < 0 && step.Part != imaptest.Received {
					length += int64(step.Size)
				}
			}
		})
	}
	sweep(t, -1)
	if length < messages*300 {
		t.Fatalf("a session of %d octets", length)
	}
	t.Logf("%d octets", length)
	const shards = 8
	for shard := range int64(shards) {
		t.Run(fmt.Sprint(shard), func(t *testing.T) {
			t.Parallel()
			for cut := shard; cut < length; cut += shards {
				sweep(t, cut)
			}
		})
	}
}

// TestKillerMessage: one message ends the connection each time it is asked for, seen
// on the wire or before its first octet. The others arrive, and of the killer
// there is an unparsed record.
func TestKillerMessage(t *testing.T) {
	for name, action := range map[string]imaptest.Action{
		"in the literal": {Do: imaptest.Cut, After: 100},
		"unseen":         {Do: imaptest.Cut},
		"silent":         {Do: imaptest.Silent},
	} {
		for _, killer := range []uint32{1, 7, 40} {
			t.Run(fmt.Sprintf("%s/%d", name, killer), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := filled(40, 300)
					s.Hook = func(step imaptest.Step) imaptest.Action {
						if step.UID != killer {
							return imaptest.Action{}
						}
						if name == "in the literal" && step.Part != imaptest.Literal {
							return imaptest.Action{}
						}
						return action
					}
					want := expected(40)
					want[killer-1] = fmt.Sprintf("%d unparsed ", killer)
					start := time.Now()
					same(t, settles(t, s, 40, 3*time.Hour), want)
					if d := time.Since(start); d > 20*time.Minute {
						t.Errorf("it took %v", d)
					}
				})
			})
		}
	}
}
