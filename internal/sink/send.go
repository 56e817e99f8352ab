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

// choose makes items of those of the first n rows that the sink is to get. n is less
// than all only if the sink acts.
func (p *Pump) choose(ctx context.Context, rows []ledger.Row) (items []delivery.Item, others []leftOut, n int, err error) {
	acts, most := map[ledger.ActKey]bool(nil), len(rows)
	if p.config.Acts() {
		acts, most = make(map[ledger.ActKey]bool), min(len(rows), actRows+1)
	}
	items = make([]delivery.Item, 0, most)
	for i := range rows {
		items = append(items, delivery.Item{Row: rows[i]})
		before := len(items) - 1
		what, act, err := p.leaves(ctx, &items[before])
		switch {
		case err != nil:
			return nil, nil, 0, err
		case what != "":
			others = append(others, leftOut{rows[i].Seq, what})
			items = items[:before]
		case acts != nil && (acts[act.key] || before == actRows):
			return items[:before], others, i, nil // what becomes of the first ones decides
		case acts != nil:
			acts[act.key] = true
		}
	}
	return items, others, len(rows), nil
}

// leaves returns the count of an item that the sink does not get, or "" and what it is
// to do with the item.
func (p *Pump) leaves(ctx context.Context, item *delivery.Item) (what string, a act, err error) {
	if leaves, err := p.config.leaves(item); leaves || err != nil {
		return CountOther, act{}, err
	}
	skip := ""
	chooser, _ := p.sink.(Chooser)
	if p.config.Acts() {
		a, skip, err = chooseAct(ctx, p.Name(), chooser, item, p.out.Acted)
	} else if chooser != nil {
		skip = chooser.Takes(item)
	}
	if skip != "" {
		what = CountSkipped + skip
	}
	return what, a, err
}

// leaves reports whether the config leaves an item out.
func (c Config) leaves(item *delivery.Item) (bool, error) {
	ok, err := c.When.Match(item)
	return !ok || c.Revisions == "first" && item.Revision > 1, err
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
			if noted := p.took(ctx, rest[:n]); noted != nil {
				return done, errors.Join(err, noted)
			}
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
	others := n
	for _, r := range refused {
		others -= r.N
	}
	for _, r := range refused {
		part := items[r.First : r.First+r.N]
		if err := p.took(ctx, items[settled:r.First]); err != nil {
			return settled, err
		}
		settled = r.First
		if r.N == 1 {
			if p.refusesAll() && others == 0 {
				return settled, errRefusesAll(r.Reason)
			}
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
	if err := p.took(ctx, items[settled:n]); err != nil {
		return settled, err
	}
	if others > 0 { // the receiver takes something
		p.refused = 0
	}
	return n, nil
}

// bury makes a dead letter of an item.
func (p *Pump) bury(ctx context.Context, item *delivery.Item, tries int, reason string) error {
	err := p.out.Bury(ctx, []ledger.DeadLetter{{Row: item.Row, Sink: p.Name(), At: time.Now(), Tries: tries, Reason: reason}})
	if err != nil {
		return err
	}
	p.refused++
	p.count(CountDead, 1)
	p.log.Warn("the receiver refuses a record for good; it is a dead letter", "record", item.ID, "err", reason)
	return nil
}

// mostRefused is how many records in a row a receiver may refuse. After that the config
// is the likelier fault, and the records wait.
const mostRefused = 20

// refusesAll reports whether the receiver has refused too many records in a row. The
// records of the type unsubscribe each have a receiver of their own.
func (p *Pump) refusesAll() bool {
	return p.refused >= mostRefused && p.config.Type != TypeUnsubscribe
}

func errRefusesAll(reason string) error {
	return fmt.Errorf("the receiver refused %d records in a row, which are dead letters, and the next one with %q; see to the sink's config, then fblwatch replay --dead", mostRefused, reason)
}

// probes reports whether it is time to find out whether a record or the sink is at
// fault.
func (w waiting) probes() bool {
	return w.Tries%probeTries == 0 && time.Since(w.Since) >= probeAfter
}

// probe tries the first item alone, then the one behind it, and the first one again: the
// sink may have come back meanwhile. If it takes only the other one, the first is dead.
func (p *Pump) probe(ctx context.Context, items []delivery.Item, w waiting) (done int, err error) {
	var noted error
	alone := func(items []delivery.Item) error {
		n, err := p.sink.Write(ctx, items)
		if n == 1 && err == nil {
			noted = p.took(ctx, items)
		}
		return err
	}
	err = alone(items[:1])
	var refused delivery.Refusals
	switch {
	case noted != nil:
		return 0, noted
	case err == nil:
		return 1, nil
	case errors.As(err, &refused) && refused.Fit(1) && !p.refusesAll():
		return 1, p.bury(ctx, &items[0], w.Tries+1, refused.Error())
	case len(refused) > 0:
		err = errRefusesAll(refused.Error())
	}
	if ctx.Err() != nil || IsPermanent(err) || plannedPause(err) > 0 {
		return 0, err
	}
	done, next := 2, items[1:min(2, len(items))]
	if len(next) == 0 { // this Write ended before it, and it comes again
		var unread error
		done = 1
		if next, unread = p.following(ctx, &items[0]); unread != nil || len(next) == 0 {
			return 0, errors.Join(err, unread)
		}
	}
	if alone(next) != nil || noted != nil {
		return 0, errors.Join(err, noted)
	}
	switch err = alone(items[:1]); {
	case noted != nil:
		return 0, noted
	case err == nil:
		return done, nil
	case ctx.Err() != nil || IsPermanent(err) || plannedPause(err) > 0:
		return 0, err
	}
	reason := fmt.Sprintf("failed %d times since %s while the next record was taken: %v", w.Tries+1, w.Since.UTC().Format(time.RFC3339), err)
	if err := p.bury(ctx, &items[0], w.Tries+1, reason); err != nil {
		return 0, err
	}
	return done, nil
}

// following returns the first item that the sink is to get behind one of a folder, and
// independently of it; none: there is none.
func (p *Pump) following(ctx context.Context, item *delivery.Item) ([]delivery.Item, error) {
	for row, err := range p.out.Unsent(ctx, p.Name()) {
		if err != nil {
			return nil, err
		}
		if row.FolderID != item.FolderID || row.Seq <= item.Seq {
			continue
		}
		items, _, _, err := p.choose(ctx, []ledger.Row{item.Row, row})
		if err != nil || len(items) > 1 {
			return items[min(1, len(items)):], err
		}
	}
	return nil, nil
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
