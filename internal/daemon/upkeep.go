package daemon

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/settings"
)

const (
	requestEvery = time.Second / 2
	pruneEvery   = time.Hour
	changeEvery  = time.Second // for a sink or the hooks that fail, or work again
	lookEvery    = time.Minute
)

const upkeepOf = "upkeep of the ledger" // a failure's message in the log

// upkeep does what a watch does beside its sessions, until stop is called.
func (r *running) upkeep(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	keep := func(pause time.Duration, what string, do func() error) {
		running.Go(func() { every(ctx, pause, do, what, r.Log) })
	}
	states := func() []ledger.Status {
		return append(r.sinks.states(false), hookStates(r.hooks.Counts(), r.hooks.Trouble(), false)...)
	}
	last := make(edges)
	keep(requestEvery, upkeepOf, func() error { return r.requests(ctx) })
	keep(pruneEvery, upkeepOf, func() error { return prune(ctx, r.ledger, &r.config) })
	keep(ledger.BeatEvery, upkeepOf, func() error { return r.board.Beat(ctx, states()...) })
	keep(changeEvery, upkeepOf, func() error { return r.board.Set(ctx, last.of(states())...) })
	if r.rules.Enrich != nil {
		keep(lookEvery, "looking up addresses", r.rules.Enrich.Refresh)
	}
	return func() {
		cancel()
		running.Wait()
	}
}

// edges are the states by name, as they were last. Counts change all the time: they wait
// for the beat. So does the error of hooks, which may be another one at each event.
type edges map[string]ledger.Status

// of returns those of the states that are others than last time.
func (e edges) of(states []ledger.Status) (changed []ledger.Status) {
	for _, s := range states {
		edge := s
		if edge.Counts = nil; s.Name == ledger.HooksStatus {
			edge = ledger.Status{State: s.State}
		}
		if was, known := e[s.Name]; !known || !reflect.DeepEqual(edge, was) {
			e[s.Name] = edge
			changed = append(changed, s)
		}
	}
	return changed
}

// requests carries out what other commands ask of the ledger's writer.
func (r *running) requests(ctx context.Context) error {
	ran, err := r.ledger.RunRequests(ctx)
	r.sinks.offer(ledger.Committed{Rows: ran.Rows})
	r.sinks.replay(ran.Replayed)
	return err
}

// prune drops what is older than keep and retention in the config.
func prune(ctx context.Context, l ledger.Ledger, config *settings.Config) error {
	var heads, records time.Time // zero: for ever
	switch now := time.Now(); {
	case config.Keep == settings.KeepNone:
		heads = now // also those that were kept before the config said none
	case config.Keep != 0:
		heads = now.Add(-time.Duration(config.Keep))
	}
	if config.Retention != 0 {
		records = time.Now().Add(-time.Duration(config.Retention))
	}
	return l.Prune(ctx, heads, records)
}

// every does what is to be done now and again, until ctx ends. It logs a failure when
// it differs from the one before, and when it is over.
func every(ctx context.Context, pause time.Duration, do func() error, what string, log *slog.Logger) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	last := ""
	for {
		now := ""
		if err := do(); err != nil {
			now = err.Error()
		}
		switch {
		case now == last || ctx.Err() != nil:
		case now != "":
			log.Warn(what, "err", now)
		default:
			log.Info(what + ": works again")
		}
		last = now
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
