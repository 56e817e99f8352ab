package sink

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/digest"
	"github.com/fblwatch/fblwatch/internal/fixture"
)

// daily gathers ids, and sends them at midnight. synctest's time begins at one.
type daily struct {
	mu    sync.Mutex
	now   []string
	sent  []string
	at    []time.Time
	tries int
	fails error
	every digest.Every
}

func (d *daily) Due(sent, now time.Time) time.Time {
	d.now = nil
	return d.every.Due(sent, now)
}

func (d *daily) Write(_ context.Context, items []delivery.Item) (done int, err error) {
	for i := range items {
		d.now = append(d.now, items[i].ID)
	}
	return len(items), nil
}

func (d *daily) Send(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tries++
	if d.fails != nil {
		return d.fails
	}
	d.sent, d.at = append(d.sent, strings.Join(d.now, " ")), append(d.at, time.Now())
	return nil
}

func (d *daily) Close() error { return nil }

// messages are those that were sent, and when the last one was.
func (d *daily) messages() (sent []string, last time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.sent), d.at[len(d.at)-1]
}

// failing makes Send fail, and returns how often it was tried.
func (d *daily) failing(err error) (tries int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fails = err
	return d.tries
}

func joined(d *daily) string {
	sent, _ := d.messages()
	return strings.Join(sent, "|")
}

func count(d *daily) int {
	sent, _ := d.messages()
	return len(sent)
}

func startDaily(t *testing.T, out *outbox, d *daily) (p *Pump, log *fixture.Log, end func()) {
	t.Helper()
	d.every = digest.Every{Span: 24 * time.Hour}
	ctx, stop := context.WithCancel(t.Context())
	log = &fixture.Log{}
	p = NewPump(Config{Name: "test"}, out, d, log.Logger())
	result := make(chan error, 1)
	go func() { result <- p.Run(ctx) }()
	return p, log, func() {
		t.Helper()
		stop()
		if err := <-result; err != nil {
			t.Error(err)
		}
	}
}

// What a gatherer gets is acknowledged after its message only, and no record that comes
// before it is due wakes it, or stays in memory.
func TestPumpGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, d := newOutbox(append(rows(1, 1, 2), rows(2, 1, 1)...)...), &daily{}
		p, log, end := startDaily(t, out, d)
		synctest.Wait()
		expect(t, "the first one goes at once", joined(d), "1-1 1-2 2-1")
		expect(t, "acknowledged", fmt.Sprint(out.acked(1), out.acked(2)), "2 1")
		pass(time.Hour)
		for seq := int64(3); seq < 1003; seq++ {
			p.Offer(out.commit(rows(1, seq, 1)...))
			pass(time.Second)
		}
		out.mu.Lock()
		expect(t, "reads of the ledger", out.reads, 1)
		out.mu.Unlock()
		p.mu.Lock()
		expect(t, "records in memory", len(p.queue), 0)
		p.mu.Unlock()
		expect(t, "acknowledged before it is due", out.acked(1), 2)
		expect(t, "trouble", p.Trouble(), Trouble{})
		if err := p.Flush(t.Context()); err != nil {
			t.Errorf("Flush of what is not due: %v", err)
		}
		before := d.failing(errors.New("451 later"))
		_, first := d.messages()
		pass(24*time.Hour - time.Since(first) + 30*time.Minute)
		expect(t, "acknowledged after a failure", out.acked(1), 2)
		expect(t, "trouble", p.Trouble().Err, "451 later")
		expect(t, "record in trouble", p.Trouble().Record, "")
		if err := p.Flush(t.Context()); err == nil {
			t.Error("Flush tells no failure")
		}
		if tries := d.failing(nil) - before; tries < 10 || tries > 120 {
			t.Errorf("%d tries in half an hour", tries)
		}
		pass(2 * pauses.Most)
		expect(t, "messages", count(d), 2)
		expect(t, "records in the second", len(strings.Fields(strings.Split(joined(d), "|")[1])), 1000)
		expect(t, "acknowledged in the end", out.acked(1), 1002)
		expect(t, "delivered", p.Counts()[CountDelivered], int64(1003))
		pass(72 * time.Hour)
		expect(t, "messages of three days without a record", count(d), 5)
		_, last := d.messages()
		expect(t, "one at midnight", last.UTC().Format("15:04"), "00:00")
		end()
		expect(t, "notes about a record", len(out.waitings), 0)
		if n := strings.Count(log.String(), "level=WARN"); n != 1 {
			t.Errorf("%d warnings:\n%s", n, log)
		}
	})
}

// If the ledger is stuck after a message went out, it does not go out again and again.
func TestPumpGathersOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, d := newOutbox(rows(1, 1, 2)...), &daily{}
		out.fails = errors.New("disk full")
		p, _, end := startDaily(t, out, d)
		pass(time.Hour)
		expect(t, "messages", count(d), 1)
		expect(t, "acknowledged", out.acked(1), 0)
		out.mu.Lock()
		out.fails = nil
		out.mu.Unlock()
		pass(2 * time.Hour)
		expect(t, "acknowledged then", out.acked(1), 2)
		expect(t, "messages", count(d), 1)
		expect(t, "trouble", p.Trouble(), Trouble{})
		end()
	})
}

// A restart keeps to the plan; what a person wants sent again is in the next message.
func TestPumpGathersAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, d := newOutbox(rows(1, 1, 2)...), &daily{}
		_, _, end := startDaily(t, out, d)
		pass(time.Hour)
		end()
		out.resends = rows(7, 1, 1)
		out.commit(rows(1, 3, 1)...)
		_, _, end = startDaily(t, out, d)
		pass(time.Hour)
		expect(t, "messages after a restart", count(d), 1)
		pass(24 * time.Hour)
		expect(t, "messages", joined(d), "1-1 1-2|7-1 1-3")
		end()
		expect(t, "still to send again", len(out.resends), 0)
	})
}

// paced takes three records an hour.
type paced struct {
	recorder
	quota quota
}

func (p *paced) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.got)
}

func (p *paced) Write(ctx context.Context, items []delivery.Item) (done int, err error) {
	for i := range items {
		if wait := p.quota.wait(time.Now()); wait > 0 {
			return i, &delivery.Later{After: wait, Err: errors.New("the rate is reached"), Planned: true}
		}
		if _, err := p.recorder.Write(ctx, items[i:i+1]); err != nil {
			return i, err
		}
		p.quota.spend(time.Now())
	}
	return len(items), nil
}

// A sink that keeps to a rate is not in trouble, and no try counts.
func TestPumpPlanned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, s := newOutbox(rows(1, 1, 10)...), &paced{quota: quota{rate: Rate{3, time.Hour}}}
		var log fixture.Log
		p := NewPump(Config{Name: "test"}, out, s, log.Logger())
		ctx, stop := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- p.Run(ctx) }()
		synctest.Wait()
		expect(t, "at once", s.ids(), "1-1 1-2 1-3")
		expect(t, "acknowledged", out.acked(1), 3)
		pass(19 * time.Minute)
		expect(t, "before the next is due", s.count(), 3)
		if err := p.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "rate is reached") {
			t.Errorf("Flush: %v; records wait", err)
		}
		pass(2 * time.Minute)
		expect(t, "one in twenty minutes", s.count(), 4)
		pass(3 * time.Hour)
		expect(t, "in the end", out.acked(1), 10)
		expect(t, "trouble", p.Trouble(), Trouble{})
		expect(t, "log", log.String(), "")
		stop()
		if err := <-result; err != nil {
			t.Error(err)
		}
		expect(t, "tries", len(out.waitings), 0)
	})
}

// The memory of a digest does not grow with the records that wait.
func TestDigestMemory(t *testing.T) {
	g := &gathered{config: DigestConfig{Mode: ModeDigest}}
	g.Due(time.Time{}, time.Now())
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	fill := func(from, n int) {
		for i := range n {
			items := delivery.Items(rows(1, int64(from+i), 1))
			items[0].Event, items[0].Provider, items[0].Campaign = "complaint", fmt.Sprintf("p%d.example.com", from+i), fmt.Sprint("c", from+i)
			items[0].Verdict = "review"
			if _, err := g.Write(t.Context(), items); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill(0, 20000)
	before := heap()
	fill(20000, 100000)
	if after := heap(); after > before+1<<20 {
		t.Errorf("100,000 records took %d octets", after-before)
	}
	expect(t, "records", g.sum.Records, 120000)
	expect(t, "to review", g.sum.Review.Total, 120000)
	top, others := g.sum.Providers.Top(5)
	expect(t, "providers", len(top), 5)
	expect(t, "other complaints", others, 120000-5)
}
