package watch

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/sqlite"
)

// TestCutsOfLargeMessages cuts a sweep of large messages into SQLite at random octets,
// others in each run, on one to three of its connections. The messages are read in
// several steps, each further than the last.
func TestCutsOfLargeMessages(t *testing.T) {
	const messages, cuts = 8, 80
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	large := make([][]byte, messages)
	for i := range large {
		large[i] = deepReport(i, 20_000+100_000*i/(messages-1))
	}
	var length int64
	var between int // ledgers that held something, and not all, at a cut
	sweep := func(t *testing.T, limits []int64) {
		path := filepath.Join(t.TempDir(), "fblwatch.db")
		synctest.Test(t, func(t *testing.T) {
			s := imaptest.New()
			defer s.Close()
			for _, b := range large {
				s.Append("INBOX", b)
			}
			s.Limit = func(conn int) int64 {
				if conn <= len(limits) {
					return limits[conn-1]
				}
				return -1
			}
			l, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			a := account(s, l)
			held, conn, torn := 0, 1, false
			a.Committed = func(c ledger.Committed) {
				if n := s.Conns(); n > conn {
					conn, torn = n, torn || held > 0 && held < messages
				}
				held += c.Messages
			}
			err = a.Run(t.Context(), true)
			for trial := 0; err != nil && trial < len(limits); trial++ { // not even logged in: whoever asked asks again
				err = a.Run(t.Context(), true)
			}
			if err != nil {
				t.Fatalf("cut at %d: %v", limits, err)
			}
			same(t, sorted(records(t, l)), expected(messages))
			folders, err := l.Folders(t.Context())
			if err != nil || len(folders) != 1 || folders[0].Checkpoint.High != messages || len(folders[0].Checkpoint.Pending) != 0 {
				t.Errorf("cut at %d: checkpoint %+v, %v; want high %d and nothing pending", limits, folders, err, messages)
			}
			if torn {
				between++
			}
			for _, step := range s.Steps() {
				if len(limits) == 0 && step.Part != imaptest.Received {
					length += int64(step.Size)
				}
			}
		})
	}
	sweep(t, nil)
	if length < 1<<19 {
		t.Fatalf("a session of %d octets", length)
	}
	for range cuts {
		limits := make([]int64, 1+random.IntN(3))
		for i := range limits {
			limits[i] = random.Int64N(length)
		}
		sweep(t, limits)
		if t.Failed() {
			break
		}
	}
	t.Logf("%d octets; %d of %d sweeps went on from a ledger that held some of the messages", length, between, cuts)
}
