package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// After so many failures over so long, the record behind the one that fails is tried
// once. If the sink takes it, the first one is at fault; if not, the sink is down.
const (
	probeTries = 20
	probeAfter = time.Hour
)

// leftOut is a row that the sink does not get.
type leftOut struct {
	seq  int64
	what string // the count
}

// choose makes items of those rows that the sink is to get.
func (p *Pump) choose(rows []ledger.Row) (items []delivery.Item, others []leftOut, err error) {
	all := delivery.Items(rows)
	items = all[:0]
	chooser, _ := p.sink.(Chooser)
	for i := range all {
		item := &all[i]
		what := ""
		if ok, err := p.config.When.Match(item); err != nil {
			return nil, nil, err
		} else if !ok || p.config.Revisions == "first" && item.Revision > 1 {
			what = CountOther
		} else if chooser != nil {
			if skip := chooser.Takes(item); skip != "" {
				what = CountSkipped + skip
			}
		}
		if what != "" {
			others = append(others, leftOut{item.Seq, what})
			continue
		}
		items = append(items, *item)
	}
	return items, others, nil
}

// send hands over items of one folder. It sends items in smaller parts if the receiver
// refuses them together, and buries those that are at fault. done are the first ones
// that need nothing more.
func (p *Pump) send(ctx context.Context, items []delivery.Item) (done int, err error) {
	for done < len(items) {
		rest := items[done:]
		if w, waits := p.waiting[rest[0].FolderID]; waits && w.Seq == rest[0].Seq && w.probes() {
			n, err := p.probe(ctx, rest, w)
			if done += n; err != nil {
				return done, err
			}
			continue
		}
		n, err := p.sink.Write(ctx, rest)
		var refused delivery.Refusals
		refuses := errors.As(err, &refused) && !IsPermanent(err)
		if n < 0 || n > len(rest) || n < len(rest) && err == nil || refuses && !refused.Fit(n) {
			return done, fmt.Errorf("sink: %s answered nonsense for %d items: %d are done, %v", p.Name(), len(rest), n, err)
		}
		if !refuses {
			p.count(CountDelivered, n)
			if done += n; err != nil {
				return done, err
			}
			continue
		}
		settled, err := p.settle(ctx, rest, n, refused)
		if done += settled; err != nil {
			return done, err
		}
	}
	return done, nil
}

// settle deals with the refusals among the first n of items. settled are the first
// ones that need nothing more.
func (p *Pump) settle(ctx context.Context, items []delivery.Item, n int, refused delivery.Refusals) (settled int, err error) {
	for _, r := range refused {
		part := items[r.First : r.First+r.N]
		p.count(CountDelivered, r.First-settled)
		settled = r.First
		if r.N == 1 {
			if err := p.bury(ctx, &part[0], 1, r.Reason); err != nil {
				return settled, err
			}
			settled++
			continue
		}
		for _, half := range [][]delivery.Item{part[:r.N/2], part[r.N/2:]} {
			done, err := p.send(ctx, half)
			if settled += done; err != nil {
				return settled, err
			}
		}
	}
	p.count(CountDelivered, n-settled)
	return n, nil
}

// bury makes a dead letter of an item.
func (p *Pump) bury(ctx context.Context, item *delivery.Item, tries int, reason string) error {
	err := p.out.Bury(ctx, []ledger.DeadLetter{{Row: item.Row, Sink: p.Name(), At: time.Now(), Tries: tries, Reason: reason}})
	if err != nil {
		return err
	}
	p.count(CountDead, 1)
	p.log.Warn("the receiver refuses a record for good; it is a dead letter", "record", item.ID, "err", reason)
	return nil
}

// probes reports whether it is time to find out whether a record or the sink is at
// fault.
func (w waiting) probes() bool {
	return w.Tries%probeTries == 0 && time.Since(w.Since) >= probeAfter
}

// probe tries the first item alone, and then the one behind it. If the sink takes only
// that one, the first is dead.
func (p *Pump) probe(ctx context.Context, items []delivery.Item, w waiting) (done int, err error) {
	alone := func(i int) error {
		n, err := p.sink.Write(ctx, items[i:i+1])
		if n == 1 && err == nil {
			p.count(CountDelivered, 1)
		}
		return err
	}
	err = alone(0)
	var refused delivery.Refusals
	switch {
	case err == nil:
		return 1, nil
	case errors.As(err, &refused) && refused.Fit(1):
		return 1, p.bury(ctx, &items[0], w.Tries+1, refused.Error())
	case len(items) == 1 || ctx.Err() != nil || IsPermanent(err):
		return 0, err
	}
	if alone(1) != nil {
		return 0, err
	}
	reason := fmt.Sprintf("failed %d times since %s while the next record was taken: %v", w.Tries+1, w.Since.UTC().Format(time.RFC3339), err)
	if err := p.bury(ctx, &items[0], w.Tries+1, reason); err != nil {
		return 0, err
	}
	return 2, nil
}

// block notes that an item waits after a try that failed with err, unless our own time
// was up.
func (p *Pump) block(ctx context.Context, item *delivery.Item, err error) error {
	if ctx.Err() != nil {
		return err
	}
	w := p.waiting[item.FolderID]
	if w.Seq != item.Seq {
		w = waiting{FolderID: item.FolderID, Seq: item.Seq, ID: item.ID, Since: time.Now()}
	}
	w.Tries++
	w.Error = err.Error()
	p.waiting[item.FolderID] = w
	if noted := p.out.SetWaiting(ctx, p.Name(), ledger.Waiting(w)); noted != nil {
		err = errors.Join(err, noted)
	}
	return &blocked{item.FolderID, item.Seq, item.ID, err}
}

// waiting is the first record of a folder that the sink does not take.
type waiting ledger.Waiting
