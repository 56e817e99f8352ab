package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/fixture"
)

// picky takes every record but one.
type picky struct {
	recorder
	never string
}

var errPicky = errors.New("no answer")

func (p *picky) Write(ctx context.Context, items []delivery.Item) (done int, err error) {
	p.mu.Lock()
	never := p.never
	p.mu.Unlock()
	for i, item := range items {
		if item.ID == never {
			return i, errPicky
		}
		if _, err := p.recorder.Write(ctx, items[i:i+1]); err != nil {
			return i, err
		}
	}
	return len(items), nil
}

func (p *picky) refuse(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.never = id
}

// A record that the sink never takes stops its folder and no other. The trouble
// and one log line an hour say which id waits, and since when.
func TestPumpStuckRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newOutbox(append(rows(1, 1, 2), rows(2, 1, 2)...)...)
		var log fixture.Log
		s := &picky{never: "1-2"}
		p := NewPump(Config{Name: "test"}, out, s, log.Logger())
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		start := time.Now()
		go func() { ended <- p.Run(ctx) }()
		synctest.Wait()
		expect(t, "the other folder", out.acked(2), 2)
		p.Offer(out.commit(rows(2, 3, 1)...))
		synctest.Wait()
		expect(t, "new in the other folder, at once", out.acked(2), 3)
		pass(10 * time.Minute)
		for seq := int64(4); seq < 40; seq++ { // they put off no retry
			p.Offer(out.commit(rows(2, seq, 1)...))
			synctest.Wait()
			expect(t, "later in the other folder", out.acked(2), int(seq))
			pass(10 * time.Second)
		}
		p.Offer(out.commit(rows(3, 1, 1)...))
		synctest.Wait()
		expect(t, "a folder that is new", out.acked(3), 1)
		expect(t, "its own folder", out.acked(1), 1)
		tries := out.tries(1)
		if tries < 10 || tries > 80 {
			t.Errorf("%d tries in 16 minutes", tries)
		}
		pass(5*time.Hour - 16*time.Minute)
		expect(t, "trouble", p.Trouble(), Trouble{Record: "1-2", Waits: start, Since: start, Err: "no answer", Tries: out.tries(1)})
		line := "record=1-2 since=" + strings.TrimSuffix(start.UTC().Format(time.RFC3339), "Z")
		if n := strings.Count(log.String(), line); n < 5 || n > 6 || strings.Count(log.String(), "\n") != n {
			t.Errorf("%d lines with %q in five hours:\n%s", n, line, &log)
		}
		s.refuse("1-3") // that one passes; another waits
		p.Offer(out.commit(rows(1, 3, 1)...))
		pass(2 * pauses.Most)
		if got := p.Trouble(); got.Record != "1-3" || got.Since != start || !got.Waits.After(start.Add(5*time.Hour)) {
			t.Errorf("another record waits: %+v", got)
		}
		s.refuse("")
		pass(2 * pauses.Most)
		expect(t, "trouble in the end", p.Trouble(), Trouble{})
		expect(t, "acknowledged", out.acked(1), 3)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A pump knows the trouble of an earlier run again, if the same record waits.
func TestPumpRecall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, id := range []string{"1-1", "1-0"} {
			p := NewPump(Config{Name: "test"}, newOutbox(rows(1, 1, 1)...), &picky{never: "1-1"}, slog.New(slog.DiscardHandler))
			before := Trouble{Record: id, Waits: time.Now().Add(-time.Hour), Since: time.Now().Add(-2 * time.Hour), Err: "no answer", Tries: 1}
			counts := map[string]int64{CountDelivered: 7, CountSkipped + "no address": 2}
			p.Recall(before, counts)
			expect(t, "counts", fmt.Sprint(p.Counts()), fmt.Sprint(counts))
			want := before
			if id != "1-1" {
				want = Trouble{Record: "1-1", Waits: time.Now(), Since: time.Now(), Err: "no answer", Tries: 1}
			}
			ctx, stop := context.WithCancel(t.Context())
			stop()
			if err := p.Run(ctx); err != nil {
				t.Error(err)
			}
			expect(t, "trouble", p.Trouble(), want)
		}
	})
}

// The command has done what it answered.
func TestExecDone(t *testing.T) {
	s, _ := startExec(t, "three", t.TempDir()+"/out")
	if done, err := s.Write(t.Context(), delivery.Items(rows(1, 1, 10))); err == nil || done != 3 {
		t.Errorf("%d done, %v", done, err)
	}
}
