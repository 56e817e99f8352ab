package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/sink"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

// sinks take the records out of the ledger while a Daemon runs.
type sinks struct {
	pumps   []*sink.Pump
	opened  []sink.Sink
	stop    func()
	running sync.WaitGroup
	failed  chan error // of those that ended before their time
	printed *printed
}

// startSinks starts the config's sinks, and Stdout. The context that it returns ends
// when a sink does.
func (d *Daemon) startSinks(ctx context.Context, l ledger.Ledger) (context.Context, *sinks, error) {
	s := &sinks{}
	ctx, err := s.start(ctx, d, l)
	if err != nil {
		return nil, nil, errors.Join(err, s.close())
	}
	return ctx, s, nil
}

func (s *sinks) start(ctx context.Context, d *Daemon, l ledger.Ledger) (context.Context, error) {
	add := func(c sink.Config, opened sink.Sink, out sink.Outbox) error {
		s.opened = append(s.opened, opened)
		s.pumps = append(s.pumps, sink.NewPump(c, out, opened, d.Log))
		return l.Register(ctx, c.Name, c.From != sink.FromStart)
	}
	for _, hint := range d.config.Superseded() {
		d.Log.Info(hint)
	}
	for _, c := range d.config.AllSinks() {
		opened, err := sink.Open(c, sink.Options{Log: d.Log, Stored: l, Acts: l, Dead: l, Watched: d.config.Watched()})
		if err == nil {
			err = add(c, opened, l)
		}
		if err != nil {
			return nil, err
		}
	}
	var err error
	if s.printed, err = beginPrinted(ctx, l, d.Stdout != nil); err != nil {
		return nil, err
	}
	if d.Stdout != nil {
		if err := add(sink.Config{Name: sink.StdoutName}, sink.Stdout(d.Stdout), owed{l, s.printed}); err != nil {
			return nil, err
		}
	}
	ctx, fail := context.WithCancelCause(ctx)
	// The pumps outlive ctx, to hand over what was committed last.
	pumping, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = func() {
		stop()
		fail(nil)
	}
	s.failed = make(chan error, len(s.opened))
	if err := s.recall(ctx, l); err != nil {
		return nil, err
	}
	for _, pump := range s.pumps {
		s.running.Go(func() {
			if err := pump.Run(pumping); err != nil {
				s.failed <- err
				fail(err)
			}
		})
	}
	return ctx, nil
}

// offer is for watch.Observer.Committed.
func (s *sinks) offer(done ledger.Committed) {
	if len(done.Rows) == 0 {
		return
	}
	for _, pump := range s.pumps {
		pump.Offer(done.Rows)
	}
}

// replay tells the pumps of those sinks that they have records to send again.
func (s *sinks) replay(names []string) {
	for _, pump := range s.pumps {
		if slices.Contains(names, pump.Name()) {
			pump.Replay()
		}
	}
}

// states are the states of the sinks: why one does not work, and which record waits
// since when. ended: the Daemon stops.
func (s *sinks) states(ended bool) []ledger.Status {
	states := make([]ledger.Status, len(s.pumps))
	for i, pump := range s.pumps {
		states[i] = stateOf(pump.Name(), pump.Trouble(), pump.Counts(), ended)
	}
	return states
}

func stateOf(name string, t sink.Trouble, counts map[string]int64, ended bool) ledger.Status {
	if t.Err == "" {
		return ledger.Status{Name: ledger.SinkStatus + name, State: ledger.StateOK, Ended: ended, Counts: counts}
	}
	if t.Tries > 0 {
		counts[sink.CountTries] = int64(t.Tries)
	}
	return ledger.Status{
		Name: ledger.SinkStatus + name, State: ledger.StateFailing, Counts: counts,
		Failing: t.Since.UTC(), Error: t.Err, Record: t.Record, Waits: t.Waits.UTC(),
	}
}

// recall hands the pumps the states of an earlier run, so that a restart does not make
// a waiting record younger, and counts go on.
func (s *sinks) recall(ctx context.Context, l ledger.Reader) error {
	states, err := l.States(ctx)
	for _, state := range states {
		for _, pump := range s.pumps {
			if state.Name != ledger.SinkStatus+pump.Name() {
				continue
			}
			trouble := sink.Trouble{}
			if state.State == ledger.StateFailing && state.Record != "" {
				trouble = sink.Trouble{Record: state.Record, Waits: state.Waits, Since: state.Failing, Err: state.Error}
			}
			delete(state.Counts, sink.CountTries)
			if state.Run.IsZero() { // an older version counted something else
				state.Counts = nil
			}
			pump.Recall(trouble, state.Counts)
		}
	}
	return err
}

// drain waits until every sink has every record. After limit it gives up those that
// fail: the error says of each what still waits.
func (s *sinks) drain(ctx context.Context, l ledger.Reader, limit time.Duration) error {
	limited, stop := context.WithTimeout(ctx, limit)
	defer stop()
	failures := make([]error, len(s.pumps))
	var draining sync.WaitGroup
	for i, pump := range s.pumps {
		draining.Go(func() {
			if err := pump.Drain(limited); err != nil && ctx.Err() == nil {
				failures[i] = fmt.Errorf("%w; %s", err, left(ctx, l, pump.Name()))
			} else {
				failures[i] = err
			}
		})
	}
	draining.Wait()
	return errors.Join(failures...)
}

// left says how many records of a sink wait.
func left(ctx context.Context, l ledger.Reader, name string) string {
	n, _, err := l.Lag(ctx, name)
	if err != nil {
		return "its records wait in the ledger for the next run"
	}
	verb := "wait"
	if n == 1 {
		verb = "waits"
	}
	return fmt.Sprintf("%s for the sink %s %s in the ledger for the next run", terminal.Plural(int(n), "record"), name, verb)
}

// settle follows close: it notes in the ledger how the sinks ended.
func (s *sinks) settle(ctx context.Context, l ledger.Ledger, board *ledger.Board) error {
	ctx = context.WithoutCancel(ctx)
	return errors.Join(s.printed.settle(ctx, l), board.Set(ctx, s.states(true)...))
}

// close ends the context of startSinks, and hands over what it can in a few seconds;
// the rest stays in the ledger for the next start. The error is that of a sink that
// had ended before.
func (s *sinks) close() error {
	if s.stop != nil {
		s.stop()
	}
	s.running.Wait()
	var failures []error
	for range len(s.failed) {
		failures = append(failures, <-s.failed)
	}
	closed := make([]error, len(s.opened))
	for i, opened := range s.opened { // at once: each may take seconds
		s.running.Go(func() { closed[i] = opened.Close() })
	}
	s.running.Wait()
	return errors.Join(append(failures, closed...)...)
}
