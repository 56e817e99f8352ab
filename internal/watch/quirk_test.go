package watch

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// sweeps sweeps until nothing fails and returns what the ledger holds.
func sweeps(t *testing.T, s *imaptest.Server, l ledger.Ledger) []string {
	t.Helper()
	runOnce(t, account(s, l))
	return records(t, l)
}

func TestUIDValidityChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(30, 300)
		defer s.Close()
		l := memory.New()
		stop := whileWatching(t, account(s, l))
		synctest.Wait()
		s.SetUIDValidity("INBOX", 7)
		s.Append("INBOX", sample.Report(30, 300))
		time.Sleep(time.Minute)
		synctest.Wait()
		same(t, records(t, l), expected(31)) // the thirty fell out, and the new one has UID 31 again
		folders, err := l.Folders(t.Context())
		if err != nil || len(folders) != 1 || folders[0].Checkpoint.UIDValidity != 7 || folders[0].Checkpoint.High != 31 {
			t.Errorf("checkpoint %+v, %v; want UIDVALIDITY 7, high 31", folders, err)
		}
		stop()
	})
}

// TestGrowingPrefix: where the original's header lies behind what is fetched
// at first, more is fetched, and the next messages are asked for as much at once.
func TestGrowingPrefix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.New()
		defer s.Close()
		const many = 1200
		for i := range many {
			b := sample.Report(i, 0)
			long := []byte("\r\nThis is a long explanation." + strings.Repeat("\r\nof nothing at all", 1000))
			at := bytes.Index(b, []byte("\r\n\r\n--")) // end of the text part
			if at < 0 {
				t.Fatal("no text part")
			}
			head := bytes.Index(b, []byte("Content-Type: text/plain"))
			end := head + bytes.Index(b[head:], []byte("\r\n--"))
			s.Append("INBOX", append(append(append([]byte(nil), b[:end]...), long...), b[end:]...))
		}
		l := memory.New()
		same(t, sorted(sweeps(t, s, l)), expected(many))
		asked := map[string]int{}
		for _, line := range s.Transcript() {
			if _, partial, ok := strings.Cut(line, "BODY.PEEK[]<0."); ok {
				asked[partial[:strings.IndexByte(partial, '>')]]++
			}
		}
		if asked["8192"] != 1 || len(asked) < 2 { // only the first FETCH asks for too little
			t.Errorf("prefixes asked for: %v", asked)
		}
	})
}

func TestRefusedAndBodylessMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(10, 300)
		defer s.Close()
		s.Shape = func(conn int, uid uint32) imaptest.Shape {
			return imaptest.Shape{NilBody: uid == 3, Missing: uid == 5, UIDLast: uid == 6, NilDate: uid == 7, Literal8: uid == 8}
		}
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Part == imaptest.Data && step.UID == 9 {
				return imaptest.Action{Do: imaptest.Answer, Text: "NO [SERVERBUG] mail 9 is damaged"}
			}
			return imaptest.Action{}
		}
		want := expected(10)
		want[2] = "3 unparsed "
		want[8] = "9 unparsed "
		want = append(want[:4:4], want[5:]...) // the fifth is gone
		same(t, sorted(sweeps(t, s, memory.New())), want)
	})
}

func TestFolders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(3, 300)
		defer s.Close()
		for i, name := range []string{"FBL", "FBL/aol", "FBL/yahoo"} {
			s.AddMailbox(name)
			s.Append(name, sample.Report(100+i, 300))
		}
		s.AddMailbox("FBL/none", `\Noselect`)
		l := memory.New()
		a := account(s, l)
		a.Folders = []string{"INBOX", "FBL/*", "Missing", "Nothing/*"}
		err := a.Run(t.Context(), true)
		for _, name := range []string{"Missing", "Nothing/*"} {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("Run: %v, want a word about %s", err, name)
			}
		}
		if n := len(records(t, l)); n != 5 { // FBL itself matches no pattern
			t.Errorf("%d records, want 5", n)
		}
		if s.Conns() != 1 {
			t.Errorf("%d connections", s.Conns())
		}
	})
}

// failing is a ledger whose disk is full for a while.
type failing struct {
	ledger.Ledger
	times int
}

func (f *failing) Commit(ctx context.Context, c ledger.Claim, b ledger.Batch) (ledger.Committed, error) {
	if f.times > 0 {
		f.times--
		return ledger.Committed{}, ledger.ErrFull
	}
	return f.Ledger.Commit(ctx, c, b)
}

func TestDiskFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(10, 300)
		defer s.Close()
		l := &failing{memory.New(), 1}
		err := account(s, l).Run(t.Context(), true)
		if !errors.Is(err, ledger.ErrFull) || !errors.As(err, new(*LedgerError)) {
			t.Errorf("Run: %v, want ErrFull", err)
		}
		if n := len(records(t, l)); n != 0 {
			t.Errorf("%d records of a commit that failed", n)
		}
		same(t, sweeps(t, s, l), expected(10))

		l = &failing{memory.New(), 5} // a watch waits for room
		stop := whileWatching(t, account(s, l))
		time.Sleep(time.Hour)
		same(t, records(t, l), expected(10))
		stop()
	})
}

func TestWrongPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(1, 300)
		defer s.Close()
		s.Password = "another"
		a := account(s, memory.New())
		var auth *imapclient.AuthError
		if err := a.Run(t.Context(), true); !errors.As(err, &auth) || s.Conns() != 1 {
			t.Errorf("a sweep: %v after %d connections, want an AuthError after one", err, s.Conns())
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Hour)
		defer cancel()
		a.Run(ctx, false)
		// Three at first, then one in half an hour.
		if n := s.Conns() - 1; n < 20 || n > 25 {
			t.Errorf("%d logins in ten hours with a wrong password", n)
		}
	})
}

func TestWithoutIdle(t *testing.T) {
	for name, arrange := range map[string]func(*imaptest.Server){
		"not offered": func(s *imaptest.Server) { s.Caps = []string{"IMAP4rev1", "AUTH=PLAIN"} },
		"refused": func(s *imaptest.Server) {
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if step.Command == "IDLE" && step.Part == imaptest.Received {
					return imaptest.Action{Do: imaptest.Answer, Text: "NO not here"}
				}
				return imaptest.Action{}
			}
		},
		"ended at once": func(s *imaptest.Server) { s.IdleFor = time.Second },
		"lost pushes": func(s *imaptest.Server) {
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if step.Part == imaptest.Push {
					return imaptest.Action{Do: imaptest.Drop}
				}
				return imaptest.Action{}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := filled(2, 300)
				arrange(s)
				defer s.Close()
				l := memory.New()
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { done <- account(s, l).Run(ctx, false) }()
				for i := 2; i < 8; i++ {
					time.Sleep(10 * time.Minute)
					s.Append("INBOX", sample.Report(i, 300))
					time.Sleep(5 * time.Minute)
					same(t, records(t, l), expected(i+1))
				}
				if s.Conns() != 1 {
					t.Errorf("%d connections", s.Conns())
				}
				start := time.Now()
				cancel()
				<-done
				if d := time.Since(start); d > 100*time.Millisecond {
					t.Errorf("%v from cancel to the end", d)
				}
			})
		})
	}
}

// TestBackoff: a server that ends every session at once is not called often.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(1, 300)
		defer s.Close()
		s.Limit = func(int) int64 { return 0 }
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		account(s, memory.New()).Run(ctx, false)
		// Half of 5 minutes on average: 576 a day, and a few at first.
		if n := s.Conns(); n < 400 || n > 800 {
			t.Errorf("%d connections in a day", n)
		}
	})
}

func TestAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(5, 300)
		defer s.Close()
		l := memory.New()
		same(t, sweeps(t, s, l), expected(5))
		a := account(s, l)
		a.All = true
		read := 0
		a.Committed = func(c ledger.Committed) { read += c.Duplicates; read += 1000 * c.Messages }
		runOnce(t, a)
		if read != 5 {
			t.Errorf("%d messages read again, want 5 duplicates", read)
		}
		same(t, records(t, l), expected(5))
	})
}
