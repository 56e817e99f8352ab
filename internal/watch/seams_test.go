package watch

import (
	"context"
	"regexp"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// TestGapOfAWatch: a gap that arises while a folder is watched is looked into,
// also where no EXISTS tells that it is filled.
func TestGapOfAWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(3, 300)
		defer s.Close()
		var silent atomic.Bool
		exists := regexp.MustCompile(`^\* \d+ EXISTS`)
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if silent.Load() && step.Part == imaptest.Push && exists.MatchString(step.Text) {
				return imaptest.Action{Do: imaptest.Drop}
			}
			return imaptest.Action{}
		}
		l := memory.New()
		defer whileWatching(t, account(s, l))()
		time.Sleep(time.Hour)
		s.AppendMessage("INBOX", imaptest.Message{UID: 5, Body: messageOf(4, 300)})
		time.Sleep(time.Hour)
		silent.Store(true)
		s.Insert("INBOX", 4, messageOf(3, 300))
		time.Sleep(time.Hour)
		same(t, sorted(records(t, l)), expected(5))
	})
}

// TestNoRecountAfterNews: messages that a lost session has read are accounted for
// in the next one.
func TestNoRecountAfterNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(5, 300)
		defer s.Close()
		l := &asking{Ledger: memory.New()}
		a := account(s, l)
		a.Folders = []string{"INB*"} // opened anew as often as folders are listed
		defer whileWatching(t, a)()
		time.Sleep(listEvery + time.Minute)
		for n := 5; n < 8; n++ {
			s.Append("INBOX", messageOf(n, 300))
		}
		time.Sleep(10 * time.Second)
		same(t, records(t, l), expected(8))
		s.Disconnect()
		time.Sleep(10 * time.Second)
		if n := s.Conns(); n != 2 || l.places != 0 {
			t.Errorf("%d connections, %d queries for places", n, l.places)
		}
	})
}

// TestWithheldIsForgotten: a message that the server withheld and that is gone
// opens its folder no more.
func TestWithheldIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(1, 300)
		defer s.Close()
		s.AddMailbox("Other")
		withheldUntil(s, time.Now().Add(1000*time.Hour), 1)
		l := memory.New()
		a := account(s, l)
		a.Folders, a.Watch = []string{"INBOX", "Other"}, "poll"
		defer whileWatching(t, a)()
		time.Sleep(10 * time.Minute)
		s.Expunge("INBOX", 1)
		time.Sleep(10 * time.Hour)
		if p := checkpoint(t, l).Pending; len(p) != 0 {
			t.Errorf("pending %v", p)
		}
		opened := len(commands(s, "EXAMINE INBOX"))
		time.Sleep(24 * time.Hour)
		// The folder that is open is opened anew behind each slice; this one once a
		// minute else.
		if n := len(commands(s, "EXAMINE INBOX")) - opened; n > int(24*time.Hour/defaultSlice) {
			t.Errorf("INBOX was opened %d times in a day although nothing is in it", n)
		}
	})
}

// TestRewrittenRecount: what the server writes anew at each fetch makes one set of
// records also where a UID that is given again has all of it read again.
func TestRewrittenRecount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(5, 0)
		defer s.Close()
		rewritten(s)
		l := memory.New()
		defer whileWatching(t, account(s, l))()
		time.Sleep(time.Minute)
		s.Append("INBOX", messageOf(5, 0))
		s.Expunge("INBOX", 2)
		time.Sleep(time.Hour)
		s.Insert("INBOX", 2, messageOf(6, 0))
		time.Sleep(time.Hour)
		same(t, records(t, l), append(expected(6), "2 complaint user6@example.com"))
		if again := checkpoint(t, l).Again; again != 0 {
			t.Errorf("up to UID %d messages may have been read before, says the checkpoint", again)
		}
	})
}

// TestRewrittenBrake: what was read before takes no place under the brake.
func TestRewrittenBrake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.New()
		defer s.Close()
		rewritten(s)
		s.Append("INBOX", sample.Signed(0))
		s.Append("INBOX", sample.Signed(1))
		l := memory.New()
		a := account(s, l)
		a.Rules = believed(t)
		a.Rules.Brake = process.NewBrake(3, nil)
		for range 3 {
			runOnce(t, a)
			a.All = true
		}
		s.Append("INBOX", sample.Signed(2))
		a.All = false
		runOnce(t, a)
		same(t, verdicts(t, l), []string{"1 yes", "2 yes", "3 yes"})
	})
}

// unpacking counts the heads that are asked for.
type unpacking struct {
	originless
	heads atomic.Int64
}

func (u *unpacking) Head(ctx context.Context, id string) ([]byte, error) {
	u.heads.Add(1)
	return u.originless.Head(ctx, id)
}

// TestOlderLedgerReadAgain: an older ledger's heads are not unpacked for messages
// that come as they were.
func TestOlderLedgerReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(5, 0)
		defer s.Close()
		l := &unpacking{originless: originless{memory.New()}}
		same(t, sweeps(t, s, l), expected(5))
		if known := readAgain(t, s, l); known != 5 || l.heads.Load() != 0 {
			t.Errorf("%d messages were known, %d heads unpacked", known, l.heads.Load())
		}
	})
}
