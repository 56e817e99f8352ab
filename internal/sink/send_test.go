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

// judge is a sink that answers as the test says. It keeps what it took.
type judge struct {
	taken []string
	sizes []int // of every Write
	times []time.Time
	say   func(items []delivery.Item) (done int, err error) // nil: all is taken
}

func (j *judge) Close() error { return nil }

func (j *judge) Write(_ context.Context, items []delivery.Item) (done int, err error) {
	j.sizes, j.times = append(j.sizes, len(items)), append(j.times, time.Now())
	done = len(items)
	if j.say != nil {
		done, err = j.say(items)
	}
	var refused delivery.Refusals
	errors.As(err, &refused)
	for i, item := range items[:done] {
		if !slices.ContainsFunc(refused, func(r delivery.Refusal) bool { return i >= r.First && i < r.First+r.N }) {
			j.taken = append(j.taken, item.Key())
		}
	}
	return done, err
}

// together refuses every batch that holds one of ids.
func together(ids ...string) func([]delivery.Item) (int, error) {
	return func(items []delivery.Item) (int, error) {
		if slices.ContainsFunc(items, func(i delivery.Item) bool { return slices.Contains(ids, i.ID) }) {
			return len(items), delivery.Refusals{{N: len(items), Reason: "400 Bad Request"}}
		}
		return len(items), nil
	}
}

// judged runs a Pump on a judge in a bubble for a while, and returns it.
func judged(t *testing.T, out *outbox, j *judge, c Config, then func(p *Pump)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.Name = "test"
		p := &pumping{out: out, result: make(chan error, 1)}
		var ctx context.Context
		ctx, p.stop = context.WithCancel(t.Context())
		p.Pump = NewPump(c, out, j, discard)
		go func() { p.result <- p.Run(ctx) }()
		synctest.Wait()
		then(p.Pump)
		synctest.Wait()
		p.end(t)
	})
}

// What a receiver refuses together is sent in smaller parts, until only the records at
// fault are left. Those are dead letters, and the others arrive in their order.
func TestPumpPoison(t *testing.T) {
	for _, poison := range [][]string{{"1-1"}, {"1-500"}, {"1-501"}, {"1-1000"}, {"1-3", "1-4"}, {"1-1", "1-250", "1-999"}} {
		out, j := newOutbox(rows(1, 1, 1000)...), &judge{say: together(poison...)}
		judged(t, out, j, Config{}, func(p *Pump) {
			if n := len(poison); p.Counts()[CountDead] != int64(n) || p.Counts()[CountDelivered] != int64(1000-n) {
				t.Errorf("%v: counts %v", poison, p.Counts())
			}
			expect(t, "trouble", p.Trouble(), Trouble{})
		})
		var want []string
		for _, r := range rows(1, 1, 1000) {
			if !slices.Contains(poison, r.ID) {
				want = append(want, r.ID+".1")
			}
		}
		if !slices.Equal(j.taken, want) {
			t.Errorf("%v: %d records arrived, want %d in order", poison, len(j.taken), len(want))
		}
		var dead []string
		for _, d := range out.dead {
			dead = append(dead, d.ID)
			if d.Reason != "400 Bad Request" || d.Sink != "test" || d.Tries != 1 || d.At.IsZero() {
				t.Errorf("dead letter %+v", d)
			}
		}
		if !slices.Equal(dead, poison) {
			t.Errorf("dead are %v, want %v", dead, poison)
		}
		if most := 2 + 20*len(poison); len(j.sizes) > most { // a record among 500 is alone after 9 halvings
			t.Errorf("%v: %d Writes, want %d at most", poison, len(j.sizes), most)
		}
		expect(t, "acknowledged", out.acked(1), 1000)
	}
}

// A receiver that refuses everything is not set up right: after the first records the
// others wait, also if they are sent again and again, and all arrive once it is.
func TestPumpRefusesAll(t *testing.T) {
	out, j := newOutbox(rows(1, 1, 1000)...), &judge{}
	var mended atomic.Bool
	j.say = func(items []delivery.Item) (int, error) {
		if !mended.Load() {
			return len(items), delivery.Refusals{{N: len(items), Reason: "400 Bad Request"}}
		}
		return len(items), nil
	}
	judged(t, out, j, Config{}, func(p *Pump) {
		pass(6 * time.Hour)
		expect(t, "dead", len(out.dead), mostRefused)
		expect(t, "acknowledged", out.acked(1), mostRefused)
		if got := p.Trouble(); got.Record != "1-21" || !strings.Contains(got.Err, `in a row, which are dead letters, and the next one with "400 Bad Request"`) {
			t.Errorf("trouble %+v", got)
		}
		p.Replay() // a person has looked, and sends something again
		pass(2 * pauses.Most)
		expect(t, "dead after a replay", len(out.dead), 2*mostRefused)
		mended.Store(true)
		pass(2 * pauses.Most)
		expect(t, "dead", len(out.dead), 2*mostRefused)
		expect(t, "taken", len(j.taken), 1000-2*mostRefused)
	})
	expect(t, "acknowledged", out.acked(1), 1000)

	// A receiver that takes some of a batch is set up right, whatever it refuses.
	out, j = newOutbox(rows(1, 1, 1000)...), &judge{}
	j.say = func(items []delivery.Item) (int, error) {
		refused := delivery.Refusals{}
		for i := range items[1:] {
			refused = append(refused, delivery.Refusal{First: i + 1, N: 1, Reason: "no"})
		}
		return len(items), refused
	}
	judged(t, out, j, Config{}, func(*Pump) {})
	expect(t, "acknowledged", out.acked(1), 1000)
	expect(t, "taken", len(j.taken), 2)
}

// Each URL of the type unsubscribe is a receiver of its own: any number may be gone.
func TestPumpUnsubscribeRefused(t *testing.T) {
	var all []ledger.Row
	for i := range int64(50) {
		all = append(all, complaint(i+1, by(fmt.Sprintf("user%d@example.com", i))))
	}
	out, j := newOutbox(all...), &judge{say: func(items []delivery.Item) (int, error) {
		return 1, delivery.Refusals{{N: 1, Reason: "410 Gone"}}
	}}
	judged(t, out, j, Config{Type: TypeUnsubscribe}, func(p *Pump) { expect(t, "trouble", p.Trouble(), Trouble{}) })
	expect(t, "dead", len(out.dead), 50)
	expect(t, "acknowledged", out.acked(1), 50)
}

// A receiver may take a batch but for some items, and only a part of what it was given.
func TestPumpRefusesItems(t *testing.T) {
	out := newOutbox(rows(1, 1, 10)...)
	j := &judge{say: func(items []delivery.Item) (int, error) {
		n := min(4, len(items))
		return n, delivery.Refusals{{First: 0, N: 1, Reason: "no"}, {First: n - 1, N: 1, Reason: "no"}}
	}}
	judged(t, out, j, Config{}, func(p *Pump) {
		expect(t, "counts", fmt.Sprint(p.Counts()), "map[dead:6 delivered:4]")
	})
	expect(t, "taken", fmt.Sprint(j.taken), "[1-2.1 1-3.1 1-6.1 1-7.1]")
	expect(t, "acknowledged", out.acked(1), 10)
}

// An answer that cannot be is the sink's fault, and costs no record.
func TestPumpNonsense(t *testing.T) {
	var answers []nonsense
	for _, refusals := range []delivery.Refusals{
		{}, {{First: -1, N: 1}}, {{First: 2, N: 1}}, {{First: 0, N: 0}}, {{First: 0, N: 3}}, {{First: 0, N: 2}, {First: 1, N: 1}}, {{First: 1, N: 1}, {First: 0, N: 1}},
	} {
		answers = append(answers, nonsense{2, refusals})
	}
	for _, done := range []int{-1, 2, 4} {
		answers = append(answers, nonsense{done, nil})
	}
	for _, answer := range answers {
		out := newOutbox()
		p := NewPump(Config{Name: "test"}, out, answer, discard)
		if n, err := p.send(t.Context(), delivery.Items(rows(1, 1, 3))); err == nil || n != 0 || len(out.dead) > 0 {
			t.Errorf("%v: %d done, %d dead, %v", answer, n, len(out.dead), err)
		}
	}
}

type nonsense struct {
	done int
	err  error
}

func (n nonsense) Write(context.Context, []delivery.Item) (int, error) { return n.done, n.err }
func (n nonsense) Close() error                                        { return nil }

// If the ledger cannot keep the dead letter, the record is not given up.
func TestPumpBuryFails(t *testing.T) {
	out, j := newOutbox(rows(1, 1, 2)...), &judge{say: together("1-1")}
	out.fails = errors.New("disk full")
	judged(t, out, j, Config{}, func(p *Pump) {
		if !strings.Contains(p.Trouble().Err, "disk full") {
			t.Errorf("trouble %+v", p.Trouble())
		}
		expect(t, "acknowledged", out.acked(1), 0)
		out.mu.Lock()
		out.fails = nil
		out.mu.Unlock()
		time.Sleep(2 * pauses.Most)
	})
	if len(out.dead) != 1 || out.acked(1) != 2 {
		t.Errorf("%d dead, %d acknowledged", len(out.dead), out.acked(1))
	}
}

// A record that fails for an hour while the next one is taken is at fault. Without a
// next one, or if that fails too, the sink is down, and nothing is dead however long.
func TestPumpProbes(t *testing.T) {
	fails := func(ids ...string) func([]delivery.Item) (int, error) {
		return func(items []delivery.Item) (int, error) {
			for i, item := range items {
				if slices.Contains(ids, item.ID) {
					return i, errors.New("500 Internal Server Error")
				}
			}
			return len(items), nil
		}
	}
	var all []string
	for _, r := range rows(1, 1, 5) {
		all = append(all, r.ID)
	}
	for _, test := range []struct {
		name  string
		rows  int
		fails []string
		after time.Duration
		dead  string
		acked int
	}{
		{"one record", 5, []string{"1-2"}, 3 * time.Hour, "[1-2]", 5},
		{"not before an hour", 5, []string{"1-2"}, 59 * time.Minute, "[]", 1},
		{"the only record", 2, []string{"1-2"}, 30 * time.Hour, "[]", 1},
		{"the sink", 5, all, 30 * 24 * time.Hour, "[]", 0},
		{"two in a row", 5, []string{"1-2", "1-3"}, 30 * time.Hour, "[]", 1},
		{"two apart", 5, []string{"1-2", "1-4"}, 6 * time.Hour, "[1-2 1-4]", 5},
	} {
		out, j := newOutbox(rows(1, 1, test.rows)...), &judge{say: fails(test.fails...)}
		judged(t, out, j, Config{}, func(*Pump) { time.Sleep(test.after) })
		var dead []string
		for _, d := range out.dead {
			dead = append(dead, d.ID)
			if d.Tries < probeTries || !strings.Contains(d.Reason, "500 Internal Server Error") {
				t.Errorf("%s: %+v", test.name, d)
			}
		}
		if fmt.Sprint(dead) != test.dead || out.acked(1) != test.acked {
			t.Errorf("%s: dead %v, %d acknowledged; want %s, %d", test.name, dead, out.acked(1), test.dead, test.acked)
		}
		if seen := slices.Compact(slices.Sorted(slices.Values(j.taken))); len(seen) != len(j.taken) {
			t.Errorf("%s: some came twice: %v", test.name, j.taken)
		}
	}
}

// A restart does not start the hour again.
func TestPumpProbesAfterRestart(t *testing.T) {
	out := newOutbox(rows(1, 1, 2)...)
	synctest.Test(t, func(t *testing.T) {
		out.waitings[1] = ledger.Waiting{FolderID: 1, Seq: 1, ID: "1-1", Tries: 2*probeTries - 1, Since: time.Now().Add(-2 * time.Hour)}
		p := NewPump(Config{Name: "test"}, out, &judge{say: func(items []delivery.Item) (int, error) {
			if items[0].ID == "1-1" {
				return 0, errPicky
			}
			return len(items), nil
		}}, discard)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx) }()
		pass(2 * pauses.Most)
		stop()
		<-ended
	})
	if len(out.dead) != 1 || out.acked(1) != 2 {
		t.Errorf("%d dead, %d acknowledged", len(out.dead), out.acked(1))
	}
}

// A receiver that names a time is not asked before it, by new records neither, but after
// an hour at most.
func TestPumpLater(t *testing.T) {
	for after, most := range map[time.Duration]time.Duration{10 * time.Minute: 10 * time.Minute, 1000 * time.Hour: time.Hour} {
		out, j := newOutbox(rows(1, 1, 1)...), &judge{}
		j.say = func(items []delivery.Item) (int, error) {
			if len(j.times) == 1 {
				return 0, &delivery.Later{After: after, Err: errors.New("429 Too Many Requests")}
			}
			return len(items), nil
		}
		judged(t, out, j, Config{}, func(p *Pump) {
			for range 3 * 60 {
				time.Sleep(time.Minute)
				p.Offer(out.commit(rows(1, int64(len(out.rows))+1, 1)...))
			}
		})
		if wait := j.times[1].Sub(j.times[0]); wait != most {
			t.Errorf("waited %v, want %v", wait, most)
		}
	}
}

// What the config leaves out is counted, and the cursor goes past it.
func TestPumpChooses(t *testing.T) {
	all := rows(1, 1, 6)
	for i, r := range all {
		all[i].Event, all[i].Revision = "complaint", 1+i%2
		all[i].JSON = fmt.Appendf(nil, `{"id":%q,"event":"complaint","original":{"subject":"Sale %d","to":["a@example.com","B@example.com"]},"recipients":2}`, r.ID, i)
	}
	for _, test := range []struct {
		config, want string
	}{
		{"{}", "[1-1.1 1-2.2 1-3.1 1-4.2 1-5.1 1-6.2]"},
		{"{revisions: first}", "[1-1.1 1-3.1 1-5.1]"},
		{"{when: {event: complaint, original.subject: sale 3}}", "[1-4.2]"},
		{"{when: {original.to: b@EXAMPLE.com, recipients: 2, revision: 2}}", "[1-2.2 1-4.2 1-6.2]"},
		{"{when: {identity.tenant: '*'}}", "[]"},
		{"{when: {event: opt_out}}", "[]"},
	} {
		out, j := newOutbox(all...), &judge{}
		var c Config
		if err := yaml.Unmarshal([]byte(test.config), &c); err != nil {
			t.Fatal(err)
		}
		judged(t, out, j, c, func(p *Pump) {
			if got := p.Counts(); got[CountDelivered]+got[CountOther] != 6 || int(got[CountDelivered]) != len(j.taken) {
				t.Errorf("%s: counts %v", test.config, got)
			}
		})
		expect(t, test.config, fmt.Sprint(j.taken), test.want)
		expect(t, "acknowledged", out.acked(1), 6)
	}
}

// A sink says itself what it has no use for.
func TestPumpSkips(t *testing.T) {
	out, j := newOutbox(rows(1, 1, 5)...), &choosy{}
	synctest.Test(t, func(t *testing.T) {
		p := NewPump(Config{Name: "test"}, out, j, discard)
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := p.Run(ctx); err != nil {
			t.Error(err)
		}
		expect(t, "counts", fmt.Sprint(p.Counts()), "map[delivered:3 skipped: no address:2]")
	})
	expect(t, "taken", fmt.Sprint(j.taken), "[1-1.1 1-3.1 1-5.1]")
	expect(t, "acknowledged", out.acked(1), 5)
}

type choosy struct{ judge }

func (*choosy) Takes(item *delivery.Item) string {
	if item.Seq%2 == 0 {
		return "no address"
	}
	return ""
}

// A replay sends again from where the cursor is, also while the Pump delivers, and an
// acknowledgement of before does not undo it.
func TestPumpReplay(t *testing.T) {
	out, j := newOutbox(rows(1, 1, 3)...), &judge{}
	judged(t, out, j, Config{}, func(p *Pump) {
		out.replay()
		p.Offer(out.commit(rows(1, 4, 1)...)) // before the Pump hears of the replay
		time.Sleep(time.Second)
		expect(t, "acknowledged of before", out.acked(1), 0)
		p.Replay()
		synctest.Wait()
		p.Offer(out.commit(rows(1, 5, 1)...))
	})
	expect(t, "taken", fmt.Sprint(j.taken), "[1-1.1 1-2.1 1-3.1 1-4.1 1-1.1 1-2.1 1-3.1 1-4.1 1-5.1]")
	expect(t, "acknowledged", out.acked(1), 5)
}

// Single records that a person wants sent again come before the others, with a key of
// their own. One that fails keeps no other record from its way.
func TestPumpResends(t *testing.T) {
	out, j := newOutbox(rows(1, 1, 5)...), &judge{}
	out.cursor[1] = 4
	for _, r := range []ledger.Row{rows(1, 3, 1)[0], rows(1, 2, 1)[0]} {
		r.Replay = 1
		out.resends = append(out.resends, r)
	}
	var up atomic.Bool
	j.say = func(items []delivery.Item) (int, error) {
		if !up.Load() && items[0].ID == "1-2" {
			return 0, errPicky
		}
		return len(items), nil
	}
	judged(t, out, j, Config{}, func(p *Pump) {
		expect(t, "taken", fmt.Sprint(j.taken), "[1-3.1#1 1-5.1]")
		p.Offer(out.commit(rows(1, 6, 1)...))
		synctest.Wait()
		expect(t, "taken", fmt.Sprint(j.taken), "[1-3.1#1 1-5.1 1-6.1]")
		if p.Trouble().Err == "" {
			t.Error("no trouble")
		}
		up.Store(true)
		time.Sleep(2 * pauses.Most)
		expect(t, "trouble", p.Trouble(), Trouble{})
	})
	expect(t, "taken", fmt.Sprint(j.taken), "[1-3.1#1 1-5.1 1-6.1 1-2.1#1]")
	if len(out.resends) != 0 {
		t.Errorf("%d are left to send again", len(out.resends))
	}
}

// Drain goes on until the sink works, or its own time is up.
func TestPumpDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var works atomic.Bool
		j := &judge{say: func(items []delivery.Item) (int, error) {
			if works.Load() {
				return len(items), nil
			}
			return 0, errPicky
		}}
		p := NewPump(Config{Name: "test"}, newOutbox(rows(1, 1, 1)...), j, discard)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx) }()
		limited, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := p.Drain(limited); !errors.Is(err, errPicky) || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		time.AfterFunc(10*time.Second, func() { works.Store(true) })
		if err := p.Drain(t.Context()); err != nil || time.Since(start) < 70*time.Second || time.Since(start) > 3*time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		stop()
		<-ended
	})
}
