package ledger

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// Board writes the states of one process at their edges: one that says what its row
// says already is not written. Its methods are safe for concurrent use, and return
// when ctx ends.
type Board struct {
	set  func(context.Context, ...Status) error
	turn chan struct{} // holds a value while set runs

	mu   sync.Mutex
	said map[string]Status // the last word of each
	owed map[string]Status // not written yet
}

// NewBoard makes a board for the ledger whose SetStates is set.
func NewBoard(set func(context.Context, ...Status) error) *Board {
	return &Board{set: set, turn: make(chan struct{}, 1), said: make(map[string]Status), owed: make(map[string]Status)}
}

// Set writes those of the states that are new, and what could not be written before,
// in one transaction. A state that could not be written is tried again by the next
// Set or Beat. Without a Since a state began when it was set first.
func (b *Board) Set(ctx context.Context, states ...Status) error { return b.write(ctx, states, false) }

// Beat is Set, and writes also if nothing is new, so that readers know that the
// writer lives. It is to be called each BeatEvery.
func (b *Board) Beat(ctx context.Context, states ...Status) error { return b.write(ctx, states, true) }

// BeatEvery is how often a writer says that it lives.
const BeatEvery = 30 * time.Second

func (b *Board) write(ctx context.Context, states []Status, always bool) error {
	b.note(states)
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.turn }()
	rows := b.takeOwed()
	if len(rows) == 0 && !always {
		return nil
	}
	err := b.set(ctx, rows...)
	if err != nil {
		b.giveBack(rows)
	}
	return err
}

// note owes the ledger those of the states that are new.
func (b *Board) note(states []Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range states {
		last, known := b.said[s.Name]
		if s.Since.IsZero() && s.Data == nil {
			if s.Since = last.Since; !known || s.State != last.State {
				s.Since = time.Now().UTC().Truncate(time.Second)
			}
		}
		if !known || !s.says(last) {
			b.said[s.Name], b.owed[s.Name] = s, s
		}
	}
}

// takeOwed empties owed, and returns it by name.
func (b *Board) takeOwed() []Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	var rows []Status
	for _, name := range slices.Sorted(maps.Keys(b.owed)) {
		rows = append(rows, b.owed[name])
	}
	clear(b.owed)
	return rows
}

// giveBack owes rows again that were not written, but for those with a newer word.
func (b *Board) giveBack(rows []Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range rows {
		if _, newer := b.owed[s.Name]; !newer {
			b.owed[s.Name] = s
		}
	}
}
