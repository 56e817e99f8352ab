package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// failing fails at each of ids with err.
func failing(err error, ids ...string) func([]delivery.Item) (int, error) {
	return until(new(atomic.Bool), err, ids...)
}

// until is failing until the sink is up.
func until(up *atomic.Bool, err error, ids ...string) func([]delivery.Item) (int, error) {
	return func(items []delivery.Item) (int, error) {
		if up.Load() {
			return len(items), nil
		}
		for i, item := range items {
			if slices.Contains(ids, item.ID) {
				return i, err
			}
		}
		return len(items), nil
	}
}

var err500 = errors.New("500 Internal Server Error")

// deadOf lists the ids of the dead letters.
func deadOf(out *outbox) string {
	out.mu.Lock()
	defer out.mu.Unlock()
	var dead []string
	for _, d := range out.dead {
		dead = append(dead, d.ID)
	}
	return strings.Join(dead, " ")
}

// The record behind one that fails may be in another Write, if the config leaves out
// hundreds between them. It shows all the same that the first is at fault.
func TestPumpProbesFar(t *testing.T) {
	all := rows(1, 1, 1200)
	for _, i := range []int{1, 1100, 1150} {
		all[i].Event = "complaint"
	}
	out, j := newOutbox(all...), &judge{say: failing(err500, "1-2")}
	judged(t, out, j, configOf(t, "{when: {event: complaint}}"), func(*Pump) { time.Sleep(3 * time.Hour) })
	if deadOf(out) != "1-2" || out.acked(1) != 1200 || !slices.Contains(j.taken, "1-1151.1") {
		t.Errorf("dead %s, %d acknowledged, taken %v", deadOf(out), out.acked(1), j.taken)
	}
}

// So it is if the same person complains twice: a sink that acts gets the second
// complaint in another Write.
func TestActsBehindPoison(t *testing.T) {
	out := newOutbox(complaint(1, by("poison@example.com")), complaint(2, by("poison@example.com")), complaint(3, by("b@example.com")))
	j := &judge{say: failing(err500, "r1.1", "r2.1")}
	judged(t, out, j, acting, func(*Pump) { time.Sleep(12 * time.Hour) })
	if !slices.Contains(j.taken, "r3.1.1") || !strings.HasPrefix(deadOf(out), "r1.1") {
		t.Errorf("dead %s, taken %v", deadOf(out), j.taken)
	}
}

// A sink that comes back while the next record is tried is no sign that the first one is
// at fault.
func TestPumpProbesAtEnd(t *testing.T) {
	for _, resends := range []bool{false, true} {
		out, j := newOutbox(rows(1, 1, 3)...), &judge{}
		want := "[1-2.1 1-1.1 1-3.1]"
		if resends {
			out.cursor[1] = 3
			for _, r := range rows(1, 1, 3) {
				r.Replay = 1
				out.resends = append(out.resends, r)
			}
			want = "[1-2.1#1 1-1.1#1 1-3.1#1]"
		}
		up := false
		j.say = func(items []delivery.Item) (int, error) {
			if up = up || items[0].ID == "1-2"; !up {
				return 0, errors.New("no whole answer within 30s")
			}
			return len(items), nil
		}
		judged(t, out, j, Config{}, func(*Pump) { time.Sleep(3 * time.Hour) })
		expect(t, "dead", deadOf(out), "")
		expect(t, "taken", fmt.Sprint(j.taken), want)
	}
}

// A record that waits for the rate of its sink has not failed.
func TestPumpProbesRate(t *testing.T) {
	out, j := newOutbox(rows(1, 1, 3)...), &judge{}
	j.say = func(items []delivery.Item) (int, error) {
		switch n := len(j.times); {
		case n < probeTries:
			return 0, err500
		case n == probeTries:
			time.Sleep(time.Hour)
			return 0, err500
		case items[0].ID == "1-1" && n < probeTries+10:
			return 0, &delivery.Later{After: time.Minute, Err: errors.New("the rate is reached"), Planned: true}
		}
		return len(items), nil
	}
	judged(t, out, j, Config{}, func(*Pump) { time.Sleep(6 * time.Hour) })
	expect(t, "dead", deadOf(out), "")
	expect(t, "taken", fmt.Sprint(j.taken), "[1-1.1 1-2.1 1-3.1]")
}

// Many folders whose first record the sink does not take keep the others from nothing.
func TestPumpManyStuck(t *testing.T) {
	var all []ledger.Row
	var bad []string
	for folder := int64(1); folder <= 30; folder++ {
		all = append(all, rows(folder, 1, 1)...)
		if folder <= 20 {
			bad = append(bad, all[len(all)-1].ID)
		}
	}
	for _, err := range []error{err500, &delivery.Later{After: time.Minute, Err: err500}} {
		var up atomic.Bool
		out, j := newOutbox(all...), &judge{say: until(&up, err, bad...)}
		judged(t, out, j, Config{}, func(p *Pump) {
			pass(time.Hour)
			expect(t, "taken", len(j.taken), 10)
			if trouble := p.Trouble(); trouble.Err == "" || time.Since(trouble.Waits) < 50*time.Minute {
				t.Errorf("trouble %+v", trouble)
			}
			p.Offer(out.commit(rows(25, 2, 1)...))
			pass(time.Hour)
			expect(t, "taken later", fmt.Sprint(j.taken[10:]), "[25-2.1]")
			up.Store(true)
			pass(2 * time.Hour)
			expect(t, "trouble", p.Trouble(), Trouble{})
		})
		expect(t, "all taken", len(j.taken), 31)
	}
}

// A receiver that names a time is not asked before it, for any folder.
func TestPumpLaterForAll(t *testing.T) {
	var all []ledger.Row
	for folder := int64(1); folder <= 20; folder++ {
		all = append(all, rows(folder, 1, 1)...)
	}
	var up atomic.Bool
	var requests atomic.Int64
	out, j := newOutbox(all...), &judge{}
	j.say = func(items []delivery.Item) (int, error) {
		requests.Add(1)
		if up.Load() {
			return len(items), nil
		}
		return 0, &delivery.Later{After: 10 * time.Minute, Err: errors.New("429 Too Many Requests")}
	}
	judged(t, out, j, Config{}, func(p *Pump) {
		for i := range int64(35) {
			pass(time.Minute)
			p.Offer(out.commit(rows(100+i, 1, 1)...))
		}
		synctest.Wait()
		expect(t, "requests in 35 minutes", requests.Load(), int64(4))
		up.Store(true)
		pass(20 * time.Minute)
	})
	expect(t, "taken", len(j.taken), 55)
}

// A folder that is stuck does not make the sink ask sooner than another one's Later says.
func TestPumpLaterBesideStuck(t *testing.T) {
	out, j := newOutbox(rows(1, 1, 1)...), &judge{}
	var requests atomic.Int64
	j.say = func(items []delivery.Item) (int, error) {
		requests.Add(1)
		if items[0].FolderID == 1 {
			return 0, err500
		}
		return 0, &delivery.Later{After: time.Hour, Err: errors.New("429 Too Many Requests")}
	}
	judged(t, out, j, Config{}, func(p *Pump) {
		p.Offer(out.commit(rows(2, 1, 1)...))
		synctest.Wait()
		before := requests.Load()
		for i := range int64(50) {
			pass(time.Minute)
			p.Offer(out.commit(rows(2, 2+i, 1)...))
		}
		synctest.Wait()
		expect(t, "more requests within the hour", requests.Load()-before, int64(0))
	})
}

// A record that is sent again and fails keeps the others from it for an hour, not for
// ever.
func TestPumpResendsPoison(t *testing.T) {
	out := newOutbox(rows(1, 1, 5)...)
	out.cursor[1] = 5
	for _, r := range rows(1, 1, 3) {
		r.Replay = 1
		out.resends = append(out.resends, r)
	}
	j := &judge{say: failing(err500, "1-1")}
	judged(t, out, j, Config{}, func(p *Pump) {
		pass(59 * time.Minute)
		expect(t, "dead before an hour", deadOf(out), "")
		pass(2 * time.Hour)
		expect(t, "trouble", p.Trouble(), Trouble{})
	})
	expect(t, "dead", deadOf(out), "1-1")
	expect(t, "taken", fmt.Sprint(j.taken), "[1-2.1#1 1-3.1#1]")
}

// No record that is sent again is lost while the sink is down, or without another one.
func TestPumpResendsDown(t *testing.T) {
	for n := 1; n <= 3; n++ {
		out := newOutbox(rows(1, 1, 5)...)
		out.cursor[1] = 5
		for _, r := range rows(1, 1, n) {
			r.Replay = 1
			out.resends = append(out.resends, r)
		}
		var up atomic.Bool
		j := &judge{say: until(&up, err500, "1-1", "1-2", "1-3")}
		judged(t, out, j, Config{}, func(p *Pump) {
			pass(48 * time.Hour)
			expect(t, "dead", deadOf(out), "")
			up.Store(true)
			pass(time.Hour)
		})
		expect(t, "taken", len(j.taken), n)
	}
}

// A wish to send single records again does not make the Pump send what it has sent.
func TestPumpResendsNoOther(t *testing.T) {
	out, j := newOutbox(rows(1, 1, 1)...), &judge{}
	judged(t, out, j, Config{}, func(p *Pump) {
		p.Offer(out.commit(rows(1, 2, 1)...))
		synctest.Wait() // its acknowledgement waits
		out.mu.Lock()
		again := rows(1, 1, 1)[0]
		again.Replay = 1
		out.resends = []ledger.Row{again}
		out.mu.Unlock()
		p.Replay()
		synctest.Wait()
	})
	expect(t, "taken", fmt.Sprint(j.taken), "[1-1.1 1-2.1 1-1.1#1]")
	expect(t, "acknowledged", out.acked(1), 2)
}

func configOf(t *testing.T, text string) (c Config) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// If the time is up while a try is under way, Drain returns the error of the one before.
func TestPumpDrainHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		sink := &recorder{do: func(ctx context.Context) error {
			if tries++; tries == 1 {
				return errPicky
			}
			<-ctx.Done()
			return ctx.Err()
		}}
		p := start(t, newOutbox(rows(1, 1, 1)...), sink)
		synctest.Wait()
		limited, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if err := p.Drain(limited); err == nil || err.Error() != errPicky.Error() {
			t.Errorf("%v", err)
		}
		p.end(t)
	})
}
