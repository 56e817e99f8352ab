package sink

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

type secret = imapclient.Secret

// commit puts n records into a ledger, from number first on, and returns their rows.
func commit(t *testing.T, l ledger.Ledger, first, n int) []ledger.Row {
	t.Helper()
	return commitTo(t, l, "INBOX", first, n)
}

// commitTo is commit into a folder.
func commitTo(t *testing.T, l ledger.Ledger, folder string, first, n int) []ledger.Row {
	t.Helper()
	claim, err := l.Claim(t.Context(), ledger.Folder{Account: "a", Name: folder})
	if err != nil {
		t.Fatal(err)
	}
	var batch ledger.Batch
	batch.Checkpoint = claim.Checkpoint
	batch.Checkpoint.UIDValidity = 1
	for i := first; i < first+n; i++ {
		report := fmt.Sprintf("%032x", i)
		record := ledger.Record{ID: report + ".1", Revision: 1, At: time.Now(), JSON: fmt.Appendf(nil, `{"id":"%s.1","revision":1}`, report)}
		batch.Messages = append(batch.Messages, ledger.Message{ReportID: report, UIDValidity: 1, UID: uint32(i), At: time.Now(), Records: []ledger.Record{record}})
	}
	done, err := l.Commit(t.Context(), claim, batch)
	if err != nil || len(done.Rows) != n {
		t.Fatal(len(done.Rows), err)
	}
	return done.Rows
}

// follow runs a Pump from a ledger to a sink while do runs.
func follow(t *testing.T, l ledger.Ledger, s Sink, do func(p *Pump)) {
	t.Helper()
	if err := l.Register(t.Context(), "test", false); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	p := NewPump(Config{Name: "test"}, l, s, discard)
	result := make(chan error, 1)
	go func() { result <- p.Run(ctx) }()
	synctest.Wait()
	do(p)
	stop()
	if err := <-result; err != nil {
		t.Error(err)
	}
}

// One record of 1,000 is refused in every batch that holds it. The batches get smaller,
// each under a key of its own, until it is alone. The others arrive, once and in order.
func TestHTTPPoison(t *testing.T) {
	for _, poison := range []int{1, 500, 501, 777, 1000} {
		synctest.Test(t, func(t *testing.T) {
			l := memory.New()
			var want []string
			for i, row := range commit(t, l, 1, 1000) {
				if i+1 != poison {
					want = append(want, row.ID)
				}
			}
			bad := fmt.Sprintf("%032x.1", poison)
			r := &otherEnd{answer: func(_ int, a arrival) (*http.Response, error) {
				if slices.Contains(a.ids(), bad) {
					return status(422), nil
				}
				return status(200), nil
			}}
			follow(t, l, openHTTPAt(t, r, l, lines{most: 100}), func(p *Pump) {
				pass(time.Second)
				expect(t, "counts", fmt.Sprint(p.Counts()), "map[dead:1 delivered:999]")
			})
			if !slices.Equal(r.taken, want) {
				t.Errorf("poison %d: %d records arrived, want 999 in order", poison, len(r.taken))
			}
			bodies := make(map[string]string)
			for _, a := range r.got {
				if body, again := bodies[a.key]; again && body != a.body {
					t.Errorf("the key %s is of two requests", a.key)
				}
				bodies[a.key] = a.body
			}
			var dead []string
			for d, err := range l.DeadLetters(t.Context(), "test") {
				if err != nil {
					t.Fatal(err)
				}
				dead = append(dead, d.ID+": "+d.Reason)
			}
			expect(t, "dead", fmt.Sprint(dead), "["+bad+": 422 Unprocessable Entity: because]")
			if batches, err := l.Batches(t.Context(), "test"); err != nil || len(batches) != 0 {
				t.Errorf("%d batches are left, %v", len(batches), err)
			}
		})
	}
}

// A wrong token for a day, in which records arrive: nothing is dead. Once the file is
// right, all of them arrive in order.
func TestHTTPWrongToken(t *testing.T) {
	file := fixture.File(t, filepath.Join(t.TempDir(), "token"), "wrong-token\n")
	synctest.Test(t, func(t *testing.T) {
		l := memory.New()
		r := &otherEnd{answer: func(_ int, a arrival) (*http.Response, error) {
			if a.header.Get("Authorization") != "Bearer right-token" {
				return status(401), nil
			}
			return status(200), nil
		}}
		s := openHTTPAt(t, r, l, lines{most: 100}, func(c *Config) { c.HTTP.TokenFile = file })
		follow(t, l, s, func(p *Pump) {
			n := 0
			for range 24 {
				p.Offer(commit(t, l, n+1, 50))
				n += 50
				pass(time.Hour)
			}
			expect(t, "taken meanwhile", len(r.taken), 0)
			if tries := len(r.got); tries < 24*60 || tries > 3*24*60 {
				t.Errorf("%d requests in a day", tries)
			}
			fixture.File(t, file, "right-token\n")
			pass(time.Minute)
			expect(t, "counts", fmt.Sprint(p.Counts()), "map[delivered:1200]")
		})
		var want []string
		for i := range 1200 {
			want = append(want, fmt.Sprintf("%032x.1", i+1))
		}
		if !slices.Equal(r.taken, want) {
			t.Errorf("%d records arrived, want 1200 in order", len(r.taken))
		}
	})
}
