package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/sink"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

// queues says of each sink what waits and what is dead. Neither is a failure: a sink that
// fails has a state that says so.
func (t *trial) queues(ctx context.Context, reader ledger.Reader, states []ledger.Status, now time.Time) error {
	dead, err := reader.DeadCounts(ctx)
	if err != nil {
		return err
	}
	for _, s := range states {
		name, isSink := strings.CutPrefix(s.Name, ledger.SinkStatus)
		if !isSink || name == sink.StdoutName { // its cursor stands still while nothing is printed
			continue
		}
		n, since, err := reader.Lag(ctx, name)
		if err != nil {
			return err
		}
		if n > 0 {
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
