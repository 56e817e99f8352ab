package sink

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// Gatherer is a Sink that makes one message of many items, such as the mail of a day.
// When that is due, the Pump hands over by Write all that waits, of every folder, and
// what a person wants sent again. It acknowledges all of it once Send has returned nil.
// Until then nothing is delivered, whatever Write returned. Write keeps sums, not items.
type Gatherer interface {
	// Due returns when the next message is due, if the last one was sent then; zero:
	// none was. It forgets what was written and not sent.
	Due(sent, now time.Time) time.Time

	// Send sends what was written since Due. No error is about an item: all of them
	// wait.
	Send(ctx context.Context) error
}

// sentKey notes in the ledger when a Gatherer sent its last message.
var sentKey = ledger.ActKey{'s', 'e', 'n', 't'}

var errNotDue = errors.New("sink: not due")

// plannedPause returns how long the sink's plan makes it wait; 0: err is something else.
func plannedPause(err error) time.Duration {
	later := (*delivery.Later)(nil)
	if !errors.As(err, &later) || !later.Planned {
		return 0
	}
	return min(max(later.After, time.Millisecond), mostLater)
}

// isLater reports whether err names a time before which nothing is to be sent.
func isLater(err error) bool { return errors.As(err, new(*delivery.Later)) }

// gather is deliver for a Gatherer.
func (p *Pump) gather(ctx context.Context, g Gatherer) error {
	p.readLedger() // records stay there until then
	sent, err := p.out.Acted(ctx, p.Name(), sentKey)
	if err != nil {
		return err
	}
	if sent.Before(p.sent) { // it could not be noted
		sent = p.sent
	}
	now := time.Now()
	if due := g.Due(sent, now); due.After(now) {
		return &delivery.Later{After: due.Sub(now), Err: errNotDue, Planned: true}
	}
	resends, err := p.out.Resends(ctx, p.Name(), writeRows)
	if err != nil {
		return err
	}
	upTo, delivered, left := make(map[int64]int64), 0, make(map[string]int)
	take := func(run []ledger.Row) error {
		items, others, _, err := p.choose(ctx, run)
		if err != nil {
			return err
		}
		for _, other := range others {
			left[other.what]++
		}
		if delivered += len(items); len(items) == 0 {
			return nil
		}
		_, err = p.sink.Write(ctx, items)
		return err
	}
	if len(resends) > 0 {
		err = take(resends)
	}
	if err == nil {
		err = eachRun(p.out.Unsent(ctx, p.Name()), func(run []ledger.Row) error {
			last := &run[len(run)-1]
			upTo[last.FolderID] = last.Seq
			return take(run)
		})
	}
	if err == nil {
		err = g.Send(ctx)
	}
	if err != nil {
		return err
	}
	p.sent = now
	maps.Copy(p.owed, upTo)
	p.count(CountDelivered, delivered)
	for what, n := range left {
		p.count(what, n)
	}
	if err := p.out.SetActed(ctx, p.Name(), []ledger.ActKey{sentKey}, now); err != nil {
		return err
	}
	if len(resends) > 0 {
		if err := p.out.Resent(ctx, p.Name(), resends); err != nil {
			return err
		}
	}
	if err := p.acknowledge(ctx); err != nil {
		return err
	}
	return &delivery.Later{After: max(g.Due(now, now).Sub(now), time.Second), Err: errNotDue, Planned: true}
}
