package sink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

var errDead = errors.New("the program is dead")

// mortal is a ledger as a program sees it that dies: after so many steps, nothing that
// the program does has an effect.
type mortal struct {
	ledger.Ledger
	left *int
}

// dies counts a step.
func (m mortal) dies() bool {
	*m.left--
	return *m.left < 0
}

func (m mortal) SetBatch(ctx context.Context, sink string, b ledger.StoredBatch) error {
	if m.dies() {
		return errDead
	}
	return m.Ledger.SetBatch(ctx, sink, b)
}

func (m mortal) Ack(ctx context.Context, sink string, replays int, folder, seq int64) error {
	if m.dies() {
		return errDead
	}
	return m.Ledger.Ack(ctx, sink, replays, folder, seq)
}

func (m mortal) SetActed(ctx context.Context, sink string, keys []ledger.ActKey, at time.Time) error {
	if m.dies() {
		return errDead
	}
	return m.Ledger.SetActed(ctx, sink, keys, at)
}

func (m mortal) Bury(ctx context.Context, dead []ledger.DeadLetter) error {
	if m.dies() {
		return errDead
	}
	return m.Ledger.Bury(ctx, dead)
}

// Wherever the program dies, and however records come, each arrives, always in a request
// with the same octets under the same key, unless it dies while a refused batch is split.
func TestHTTPCrash(t *testing.T) {
	for steps := range 60 {
		crash(t, steps, false)
		crash(t, steps, true)
		if t.Failed() {
			return
		}
	}
}

func crash(t *testing.T, steps int, poison bool) {
	synctest.Test(t, func(t *testing.T) {
		l, left := memory.New(), steps
		m := mortal{l, &left}
		bad := fmt.Sprintf("%032x.1", 12) // refused: its batch is split
		r := &otherEnd{answer: func(_ int, a arrival) (*http.Response, error) {
			if poison && slices.Contains(a.ids(), bad) {
				return status(400), nil
			}
			return status(200), nil
		}}
		dying := roundTrip(func(request *http.Request) (*http.Response, error) {
			if m.dies() {
				return nil, errDead
			}
			response, err := r.RoundTrip(request)
			if m.dies() { // it has arrived, and the program does not know
				return nil, errDead
			}
			return response, err
		})
		ids := func(rows []ledger.Row) (ids []string) {
			for _, row := range rows {
				ids = append(ids, row.ID)
			}
			return ids
		}
		var want []string
		follow(t, m, openHTTPAt(t, dying, m, lines{most: 4}), func(p *Pump) {
			for _, c := range [][2]int{{1, 1}, {10, 5}, {201, 10}, {301, 2}, {401, 5}} {
				committed := commit(t, l, c[0], c[1])
				want = append(want, ids(committed)...)
				p.Offer(committed)
				pass(10 * time.Millisecond)
			}
		})
		follow(t, l, openHTTPAt(t, r, l, lines{most: 4}), func(p *Pump) { pass(time.Minute) })
		in := make(map[string]arrival) // by id, the request that it was in
		for _, a := range r.got {
			if poison && slices.Contains(a.ids(), bad) {
				continue // refused
			}
			for _, id := range a.ids() {
				before, again := in[id]
				if again && !poison && (before.key != a.key || before.body != a.body) {
					t.Errorf("death after %d steps: %s came as %s %q and as %s %q", steps, id, before.key, before.body, a.key, a.body)
				}
				in[id] = a
			}
		}
		dead := 0
		for d, err := range l.DeadLetters(t.Context(), "test") {
			if err != nil || d.ID != bad {
				t.Error(d.ID, err)
			}
			dead++
		}
		expect(t, "one is dead", dead == 1, poison)
		for _, id := range want {
			if _, arrived := in[id]; arrived == (poison && id == bad) {
				t.Errorf("death after %d steps: %s came: %v", steps, id, arrived)
			}
		}
	})
}
