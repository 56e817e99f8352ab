package watch

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// deepReport is a sample report whose report part begins behind text octets of
// explanation.
func deepReport(n, text int) []byte {
	b := sample.Report(n, 0)
	head := bytes.Index(b, []byte("Content-Type: text/plain"))
	end := head + bytes.Index(b[head:], []byte("\r\n--"))
	const line = "\r\nof nothing at all"
	long := "\r\nThis is a long explanation." + strings.Repeat(line, text/len(line))
	return append(append(bytes.Clone(b[:end]), long...), b[end:]...)
}

// TestAllSurvivesADeath: a connection that ends before anything of --all is
// committed does not make it forgotten.
func TestAllSurvivesADeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(5, 300)
		defer s.Close()
		l := memory.New()
		same(t, sweeps(t, s, l), expected(5))
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Conn == 2 && step.Command == "UID FETCH" {
				return imaptest.Action{Do: imaptest.Cut}
			}
			return imaptest.Action{}
		}
		a := account(s, l)
		a.All = true
		read := 0
		a.Committed = func(c ledger.Committed) { read += c.Duplicates }
		runOnce(t, a)
		if read != 5 {
			t.Errorf("%d messages read again, want 5", read)
		}
	})
}

// measuring notes how much of the messages comes to each commit.
type measuring struct {
	ledger.Ledger
	most    int // messages in one commit
	pending int // UIDs in one checkpoint
}

func (m *measuring) Commit(ctx context.Context, c ledger.Claim, b ledger.Batch) (ledger.Committed, error) {
	m.most = max(m.most, len(b.Messages))
	m.pending = max(m.pending, len(b.Checkpoint.Pending))
	return m.Ledger.Commit(ctx, c, b)
}

// TestLargeMessages: of messages of a megabyte only a few wait for a commit at once.
func TestLargeMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.New()
		defer s.Close()
		const many = 12
		for i := range many {
			s.Append("INBOX", deepReport(i, 1<<20))
		}
		l := &measuring{Ledger: memory.New()}
		same(t, sorted(sweeps(t, s, l)), expected(many))
		if l.most > batchOctets>>20 {
			t.Errorf("%d messages of over 1 MiB in one commit", l.most)
		}
	})
}

// TestMoreDoesNotPileUp: messages of which more is needed are read on between the
// windows of a search, and not at the folder's end.
func TestMoreDoesNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.New()
		defer s.Close()
		const step = searchWindow / 16
		deep := 0
		for i := range 100 {
			b := messageOf(i, 300)
			if i%2 == 0 {
				b = deepReport(i, 70_000) // more than the longest prefix
				deep++
			}
			s.AppendMessage("INBOX", imaptest.Message{UID: uint32(i*step + 1), Body: b})
		}
		l := &measuring{Ledger: memory.New()}
		if n := len(sweeps(t, s, l)); n != 100 {
			t.Errorf("%d records, want 100", n)
		}
		if l.pending >= deep {
			t.Errorf("%d of %d messages were pending at once", l.pending, deep)
		}
	})
}

// TestSparseUIDs: few messages with UIDs in the billions take few searches.
func TestSparseUIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.New()
		defer s.Close()
		for i := range 10 {
			s.AppendMessage("INBOX", imaptest.Message{UID: uint32(i+1) * 400_000_000, Body: messageOf(i, 300)})
		}
		s.AppendMessage("INBOX", imaptest.Message{UID: ^uint32(0) - 1, Body: messageOf(10, 300)}) // UIDNEXT is the last number
		if n := len(sweeps(t, s, memory.New())); n != 11 {
			t.Errorf("%d records, want 11", n)
		}
		searches := 0
		for _, line := range s.Transcript() {
			if strings.Contains(line, "UID SEARCH") && strings.Contains(line, " C: ") {
				searches++
			}
		}
		if searches > 32 {
			t.Errorf("%d searches", searches)
		}
	})
}

// TestLyingSize: RFC822.SIZE is no reason to read less of a message, or for ever.
func TestLyingSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.New()
		defer s.Close()
		for i, size := range []int64{1, 100, 8192, 8193, 30_000, 1 << 40} {
			s.AppendMessage("INBOX", imaptest.Message{Body: deepReport(i, 20_000), Size: size})
		}
		same(t, sorted(sweeps(t, s, memory.New())), expected(6))
	})
}

// TestSweepGoesOn: a folder that cannot be read keeps no other from being read.
func TestSweepGoesOn(t *testing.T) {
	for name, action := range outages {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := filled(3, 300)
				defer s.Close()
				s.AddMailbox("Other")
				s.Append("Other", sample.Report(3, 300))
				s.Append("Other", sample.Report(4, 300))
				folder := ""
				s.Hook = func(step imaptest.Step) imaptest.Action {
					if step.Command == "EXAMINE" && step.Part == imaptest.Received {
						folder = step.Text
					}
					if step.Command == "UID FETCH" && strings.Contains(folder, "INBOX") {
						return action
					}
					return imaptest.Action{}
				}
				l := memory.New()
				a := account(s, l)
				a.Folders = []string{"INBOX", "Other"}
				if err := a.Run(t.Context(), true); err == nil {
					t.Error("no error about INBOX")
				}
				if n := len(records(t, l)); n != 2 {
					t.Errorf("%d records, want the 2 of the other folder", n)
				}
			})
		})
	}
}

// blocking blocks at the first EXISTS of INBOX.
type blocking struct {
	callbacks.Nop
	hold chan struct{}
}

func (b blocking) Exists(m callbacks.Mailbox, _ uint32) {
	if m.Name == "INBOX" {
		<-b.hold
	}
}

// TestBlockingHandler: a Handler that blocks delays its own session only.
func TestBlockingHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(3, 300)
		defer s.Close()
		s.AddMailbox("Other")
		s.Append("Other", sample.Report(3, 300))
		l := memory.New()
		a := account(s, l)
		h := blocking{hold: make(chan struct{})}
		a.Handler, a.Folders = h, []string{"INBOX", "Other"}
		stop := whileWatching(t, a)
		time.Sleep(time.Minute)
		if n := len(records(t, l)); n != 1 {
			t.Errorf("%d records while INBOX is held, want 1", n)
		}
		close(h.hold)
		time.Sleep(time.Minute)
		if n := len(records(t, l)); n != 4 {
			t.Errorf("%d records, want 4", n)
		}
		stop()
	})
}

// pairs counts what is critical.
type pairs struct {
	callbacks.Nop
	open, begun int
}

func (p *pairs) Critical(callbacks.Mailbox)   { p.open++; p.begun++ }
func (p *pairs) NoCritical(callbacks.Mailbox) { p.open-- }

// TestCriticalEnds also where the commit fails.
func TestCriticalEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(3, 300)
		defer s.Close()
		a := account(s, &failing{memory.New(), 1})
		var p pairs
		a.Handler = &p
		if err := a.Run(t.Context(), true); !errors.Is(err, ledger.ErrFull) {
			t.Errorf("Run: %v, want ErrFull", err)
		}
		if p.open != 0 || p.begun == 0 {
			t.Errorf("%d of %d critical sections are open", p.open, p.begun)
		}
	})
}

// TestLoginNotNow: what is no word about the password does not make a watch
// wait for half an hour.
func TestLoginNotNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(3, 300)
		defer s.Close()
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Command == "AUTHENTICATE" && step.Part == imaptest.Received && step.Conn <= 6 {
				return imaptest.Action{Do: imaptest.Answer, Text: "NO [UNAVAILABLE] try again later"}
			}
			return imaptest.Action{}
		}
		same(t, settles(t, s, 3, 10*time.Minute), expected(3))
	})
}

// TestCancel ends a watch at once, wherever it is.
func TestCancel(t *testing.T) {
	for name, hook := range map[string]func(imaptest.Step) imaptest.Action{
		"dial":     func(s imaptest.Step) imaptest.Action { return silentAt(s.Part == imaptest.Dial) },
		"greeting": func(s imaptest.Step) imaptest.Action { return silentAt(s.Part == imaptest.Greeting) },
		"examine":  func(s imaptest.Step) imaptest.Action { return silentAt(s.Command == "EXAMINE") },
		"fetch":    func(s imaptest.Step) imaptest.Action { return silentAt(s.Command == "UID FETCH" && s.UID == 2) },
		"idle":     func(s imaptest.Step) imaptest.Action { return silentAt(s.Command == "IDLE") },
		"backoff":  func(imaptest.Step) imaptest.Action { return imaptest.Action{Do: imaptest.Cut} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := filled(3, 300)
				defer s.Close()
				s.Hook = hook
				l := memory.New()
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { done <- account(s, l).Run(ctx, false) }()
				time.Sleep(10 * time.Second)
				start := time.Now()
				cancel()
				if err := <-done; !errors.Is(err, context.Canceled) {
					t.Errorf("Run: %v", err)
				}
				if d := time.Since(start); d > 100*time.Millisecond {
					t.Errorf("%v from cancel to the end", d)
				}
				states, err := l.States(t.Context())
				if err != nil || len(states) != 1 || states[0].State != ledger.StateClosed {
					t.Errorf("the last state is %v, %v; want closed", states, err)
				}
			})
		})
	}
}

func silentAt(here bool) imaptest.Action {
	if here {
		return imaptest.Action{Do: imaptest.Silent}
	}
	return imaptest.Action{}
}
