package main

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
	"sync"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/sink"
)

// outbox is a ledger as the sinks see it.
type outbox struct{ ledger.Ledger }

func (o outbox) Unsent(ctx context.Context, name string) iter.Seq2[sink.Row, error] {
	return func(yield func(sink.Row, error) bool) {
		for row, err := range o.Ledger.Unsent(ctx, name) {
			if !yield(sinkRow(row), err) {
				return
			}
		}
	}
}

func sinkRow(r ledger.Row) sink.Row {
	return sink.Row{FolderID: r.FolderID, Seq: r.Seq, ID: r.ID, Revision: r.Revision, JSON: r.JSON}
}

// sinks take the records out of the ledger while a command runs.
type sinks struct {
	pumps   []*sink.Pump
	opened  []sink.Sink
	stop    func()
	running sync.WaitGroup
	failed  chan error // of those that ended before their time
}

// startSinks starts the config's sinks, and stdout where it is wanted. The
// context it returns ends when a sink does: records that go nowhere must not
// pile up unseen.
func (p *program) startSinks(ctx context.Context, l ledger.Ledger, config *Config, stdout bool, log *slog.Logger) (context.Context, *sinks, error) {
	s := &sinks{}
	if config.Records.File != "" {
		file, err := sink.OpenFile(config.Records)
		if err != nil {
			return nil, nil, err
		}
		s.opened = append(s.opened, file)
		if err := l.Register(ctx, file.Name(), false); err != nil {
			return nil, nil, errors.Join(err, s.close())
		}
	}
	if config.Hooks.Record != nil {
		command, err := sink.OpenCommand(config.Hooks.Record, log)
		if err != nil {
			return nil, nil, errors.Join(err, s.close())
		}
		s.opened = append(s.opened, command)
		if err := l.Register(ctx, command.Name(), false); err != nil {
			return nil, nil, errors.Join(err, s.close())
		}
	}
	if stdout {
		out := sink.Stdout(p.stdout)
		s.opened = append(s.opened, out)
		// Who looks for the first time wants what is new, not what was.
		if err := l.Register(ctx, out.Name(), true); err != nil {
			return nil, nil, errors.Join(err, s.close())
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
	for _, opened := range s.opened {
		pump := sink.NewPump(outbox{l}, opened, log)
		s.pumps = append(s.pumps, pump)
		s.running.Go(func() {
			if err := pump.Run(pumping); err != nil {
				s.failed <- err
				fail(err)
			}
		})
	}
	return ctx, s, nil
}

// offer is for watch.Account.Committed.
func (s *sinks) offer(done ledger.Committed) {
	if len(s.pumps) == 0 || len(done.Rows) == 0 {
		return
	}
	rows := make([]sink.Row, len(done.Rows))
	for i, row := range done.Rows {
		rows[i] = sinkRow(row)
	}
	for _, pump := range s.pumps {
		pump.Offer(rows)
	}
}

// states writes a row a sink into the ledger: whether it works, and if not why.
func (s *sinks) states(ctx context.Context, l ledger.Ledger) error {
	var failures []error
	for _, pump := range s.pumps {
		row := struct {
			State string `json:"state"` // ok, failing
			Err   string `json:"err,omitempty"`
		}{"ok", pump.Failure()}
		if row.Err != "" {
			row.State = "failing"
		}
		b, err := json.Marshal(row)
		if err == nil {
			err = l.SetState(ctx, "sink/"+pump.Name(), string(b))
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// flush waits until every sink has every record, or one says why it cannot.
func (s *sinks) flush(ctx context.Context) error {
	var failures []error
	for _, pump := range s.pumps {
		failures = append(failures, pump.Flush(ctx))
	}
	return errors.Join(failures...)
}

// close ends the context of startSinks, and hands over what it can in a few
// seconds; the rest stays in the ledger for the next start. The error is that of a sink that had ended before.
func (s *sinks) close() error {
	if s.stop != nil {
		s.stop()
	}
	s.running.Wait()
	var failures []error
	for range len(s.failed) {
		failures = append(failures, <-s.failed)
	}
	for _, opened := range s.opened {
		failures = append(failures, opened.Close())
	}
	return errors.Join(failures...)
}
