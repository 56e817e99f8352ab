package ledger

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// Board writes the states of one process at their edges: one that says what its row
// says already is not written. Its methods are safe for concurrent use.
type Board struct {
	mu   sync.Mutex
	set  func(context.Context, ...Status) error
	said map[string]Status // the last word of each
	owed map[string]Status // not written yet
}

// NewBoard makes a board for the ledger whose SetStates is set.
func NewBoard(set func(context.Context, ...Status) error) *Board {
	return &Board{set: set, said: make(map[string]Status), owed: make(map[string]Status)}
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
	if len(b.owed) == 0 && !always {
		return nil
	}
	names := slices.Sorted(maps.Keys(b.owed))
	rows := make([]Status, len(names))
	for i, name := range names {
		rows[i] = b.owed[name]
	}
	if err := b.set(ctx, rows...); err != nil {
		return err
	}
	clear(b.owed)
	return nil
}
