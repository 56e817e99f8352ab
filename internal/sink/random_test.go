package sink

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// fickle answers at random, but for poison, which it never takes.
type fickle struct {
	t      *testing.T
	mu     sync.Mutex
	random *rand.Rand
	calm   bool
	next   map[string]int64 // by folder: the last Seq that came without a replay
	taken  map[string]int   // by id: how often
	refuse map[string]bool  // ids of poison
}

func (f *fickle) count(id string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.taken[id]
}

func (f *fickle) Close() error { return nil }

func (f *fickle) Write(ctx context.Context, items []delivery.Item) (done int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	take := func(n int) {
		for _, item := range items[:n] {
			f.taken[item.ID]++
			if item.Replay == 0 {
				folder := item.Folder.Name
				if f.taken[item.ID] == 1 && item.Seq < f.next[folder] {
					f.t.Errorf("%s %d after %d", folder, item.Seq, f.next[folder])
				}
				f.next[folder] = max(f.next[folder], item.Seq)
			}
		}
	}
	for i, item := range items {
		if f.refuse[item.ID] {
			if len(items) > 1 && f.random.IntN(2) == 0 {
				return len(items), delivery.Refusals{{N: len(items), Reason: "422"}}
			}
			take(i)
			return i + 1, delivery.Refusals{{First: i, N: 1, Reason: "422"}}
		}
	}
	if f.calm {
		take(len(items))
		return len(items), nil
	}
	n := f.random.IntN(len(items) + 1)
	switch f.random.IntN(8) {
	case 0:
		take(n)
		return n, errors.New("500")
	case 1:
		return 0, &delivery.Later{After: time.Duration(f.random.IntN(100)) * time.Second, Err: errors.New("429")}
	case 2:
		take(n)
		return n, &delivery.Later{After: time.Duration(f.random.IntN(100)) * time.Second, Err: errors.New("rate"), Planned: n < len(items)}
	}
	take(len(items))
	return len(items), nil
}

// Whatever a receiver answers, and whenever the program ends or a person wants records
// sent again: each record arrives, in the order of its folder, and again if it is to; what
// the receiver refuses is dead, and nothing else.
func TestPumpRandom(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			l := memory.New()
			if err := l.Register(t.Context(), "test", false); err != nil {
				t.Fatal(err)
			}
			f := &fickle{t: t, random: rand.New(rand.NewPCG(seed, 2)), taken: map[string]int{}, next: map[string]int64{}, refuse: map[string]bool{}}
			var all []ledger.Row
			var p *Pump
			var end func()
			begin := func() {
				ctx, stop := context.WithCancel(t.Context())
				p = NewPump(Config{Name: "test"}, l, f, discard)
				result := make(chan error, 1)
				go func(p *Pump) { result <- p.Run(ctx) }(p)
				end = func() {
					stop()
					if err := <-result; err != nil {
						t.Error(err)
					}
				}
			}
			begin()
			must := map[string]int{} // by id: it is to be taken more often than so
			for step := range 300 {
				switch random.IntN(12) {
				case 0, 1, 2, 3, 4:
					first, n := len(all)+1, 1+random.IntN(4)
					if random.IntN(20) == 0 {
						f.mu.Lock()
						f.refuse[fmt.Sprintf("%032x.1", first)] = true
						f.mu.Unlock()
					}
					rows := commitTo(t, l, fmt.Sprint("F", random.IntN(15)), first, n)
					all = append(all, rows...)
					p.Offer(rows)
				case 5, 6, 7, 8:
					time.Sleep(time.Duration(random.IntN(60)) * time.Second)
				case 9:
					end()
					begin()
				case 10:
					if len(all) > 0 {
						one := ledger.Replay{Sink: "test", ID: all[random.IntN(len(all))].ID}
						if random.IntN(2) == 0 {
							one = ledger.Replay{Sink: "test", Dead: true}
						}
						before := f.count(one.ID)
						done, err := l.Do(t.Context(), ledger.Change{Replay: []ledger.Replay{one}})
						if err != nil {
							t.Fatal(err)
						}
						if done.Resent > 0 && one.ID != "" {
							must[one.ID] = before
						}
						if random.IntN(2) == 0 {
							synctest.Wait()
						}
						p.Replay()
					}
				case 11:
					if step%5 == 0 {
						for _, r := range all {
							must[r.ID] = f.count(r.ID)
						}
						if _, err := l.Do(t.Context(), ledger.Change{Replay: []ledger.Replay{{Sink: "test"}}}); err != nil {
							t.Fatal(err)
						}
						if random.IntN(2) == 0 {
							time.Sleep(time.Duration(random.IntN(2000)) * time.Millisecond)
						}
						p.Replay()
					}
				}
			}
			f.mu.Lock()
			f.calm = true
			f.mu.Unlock()
			time.Sleep(3 * time.Hour)
			synctest.Wait()
			n, _, err := l.Lag(t.Context(), "test")
			if err != nil || n != 0 {
				t.Errorf("seed %d: %d wait, %v, %+v", seed, n, err, p.Trouble())
			}
			dead := map[string]bool{}
			for d, err := range l.DeadLetters(t.Context(), "test") {
				if err != nil {
					t.Fatal(err)
				}
				dead[d.ID] = true
				if !f.refuse[d.ID] {
					t.Errorf("seed %d: %s is dead: %s", seed, d.ID, d.Reason)
				}
			}
			for _, r := range all {
				got := f.count(r.ID)
				if n, is := must[r.ID]; is && got <= n && !f.refuse[r.ID] {
					t.Errorf("seed %d: %s was not sent again", seed, r.ID)
				}
				if f.refuse[r.ID] != dead[r.ID] || got == 0 == !f.refuse[r.ID] {
					t.Errorf("seed %d: %s taken %d times, dead %v, refused %v", seed, r.ID, got, dead[r.ID], f.refuse[r.ID])
				}
			}
			end()
		})
	}
}
