package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/sink"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

// queues says of each sink what it got so far, what waits and what is dead. Neither is a failure: a sink that
// fails has a state that says so.
func (t *trial) queues(ctx context.Context, reader ledger.Reader, states []ledger.Status, sinks sink.List, now time.Time) error {
	dead, err := reader.DeadCounts(ctx)
	if err != nil {
		return err
	}
	for _, s := range states {
		name, isSink := strings.CutPrefix(s.Name, ledger.SinkStatus)
		if !isSink || name == sink.StdoutName { // its cursor stands still while nothing is printed
			continue
		}
		if text := countsText(s.Counts); text != "" {
			t.say("sent", s.Name, text)
		}
		n, since, err := reader.Lag(ctx, name)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(sinks, func(c sink.Config) bool { return c.Name == name }); n > 0 && s.Error == "" && i >= 0 && sinks[i].Digest.Mode == sink.ModeDigest {
			t.say("waits", s.Name, fmt.Sprintf("%s for the next digest: fblwatch digest --sink %s", terminal.Plural(int(n), "record"), name))
		} else if n > 0 {
			verb := "wait"
			if n == 1 {
				verb = "waits"
			}
			t.say("waits", s.Name, fmt.Sprintf("%s %s, the first received %s ago", terminal.Plural(int(n), "record"), verb, terminal.Duration(now.Sub(since))))
		}
		if i := slices.IndexFunc(dead, func(d ledger.DeadCount) bool { return d.Sink == name }); i >= 0 {
			t.say("dead", s.Name, fmt.Sprintf("%s: fblwatch records --dead --sink %s", terminal.Plural(int(dead[i].N), "dead letter"), name))
		}
	}
	return nil
}

// countsText says what became of a sink's records, in all runs; "" if there were none.
func countsText(counts map[string]int64) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		switch n := counts[what]; {
		case n == 0:
		case what == sink.CountTries:
			tries := "tries"
			if n == 1 {
				tries = "try"
			}
			parts = append(parts, fmt.Sprintf("%d %s of the record that waits", n, tries))
		case what == sink.CountOther:
			parts = append(parts, fmt.Sprintf("%d left out by when or revisions", n))
		case what == sink.CountDead:
			parts = append(parts, fmt.Sprintf("%d refused for good", n))
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	return strings.Join(parts, ", ")
}
