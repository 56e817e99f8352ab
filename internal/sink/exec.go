package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/subprocess"
)

const (
	// answerLimit is how long a command may take for one record.
	answerLimit = time.Minute
	// graceLimit is how long a command may run on after the end of its input.
	graceLimit = 5 * time.Second
	// answerOctets is more than any id has.
	answerOctets = 200
)

const protocol = "it must write each record's id as a line on its stdout, flushed, once it has handled the record"

var (
	errAnswer = errors.New("answered something else than the record's id")
	errEnded  = errors.New("ended, or closed its stdout, while a record waited for its answer")
)

type exec struct {
	command subprocess.Command
	log     *slog.Logger
	answer  time.Duration
	grace   time.Duration
	life    *life // nil: the command does not run
	stale   bool  // it has records for which no Write waits any more

	// handled is, by folder, how far a Write got that failed.
	handled map[int64]int64
}

// OpenExec opens a sink of the type exec: a program that keeps running and gets each
// record as a line of JSON on stdin. Once it has handled a record it answers with a
// line on stdout, the record's id and nothing else. Answers come in the order of the
// records. Any number of records may wait for their answers, so that the program may
// read ahead.
//
// A record without an answer comes again, and the later records of its folder wait.
// A program that ends, gives no answer for a minute while a record waits, or writes
// anything else is killed with its process group; the next Write starts it again.
// Its stderr is logged. At the end of its input it has five seconds to end by itself.
func OpenExec(command subprocess.Command, log *slog.Logger) (Sink, error) {
	if err := command.Find(); err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	return &exec{command: command, log: log, answer: answerLimit, grace: graceLimit, handled: make(map[int64]int64)}, nil
}

func (s *exec) Write(ctx context.Context, rows []ledger.Row) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	folder := rows[0].FolderID
	for len(rows) > 0 && rows[0].Seq <= s.handled[folder] {
		rows = rows[1:]
	}
	if len(rows) > 0 {
		if err := s.feed(ctx, rows); err != nil {
			waits := slices.IndexFunc(rows, func(r ledger.Row) bool { return r.Seq > s.handled[folder] })
			if waits < 0 { // all are answered, but the last line was not read to its end
				waits = len(rows) - 1
			}
			return &refusal{rows[waits].ID, folder, err}
		}
	}
	delete(s.handled, folder)
	return nil
}

// feed gives rows to the command, and starts it first if it does not run.
func (s *exec) feed(ctx context.Context, rows []ledger.Row) error {
	switch {
	case s.life == nil:
	case s.stale:
		_ = s.end(0)
	case s.life.over():
		s.log.Warn("command ended while no record waited; it is started again", "err", exitText(s.end(0)))
	}
	if s.life == nil {
		var err error
		if s.life, err = begin(s.command, s.log); err != nil {
			return fmt.Errorf("sink: %w", err)
		}
	}
	err := s.life.feed(ctx, rows, s.answer, func(r ledger.Row) { s.handled[r.FolderID] = r.Seq })
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		s.stale = true // Close gives it time to end
		return err
	case errors.Is(err, errEnded):
		err = fmt.Errorf("%w: %s", err, exitText(s.end(s.grace)))
	default:
		_ = s.end(0) // we killed it: how it ended says nothing
	}
	return fmt.Errorf("sink: %s: %w", s.command[0], err)
}

// exitText says how a command ended.
func exitText(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

func (s *exec) end(grace time.Duration) error {
	l := s.life
	s.life, s.stale = nil, false
	return l.end(grace)
}

func (s *exec) Close() error {
	if s.life == nil {
		return nil
	}
	if err := s.end(s.grace); err != nil {
		s.log.Warn("command ended", "err", err)
	}
	return nil
}

// life is one process of the command.
type life struct {
	p       *subprocess.Process
	answers chan string   // lines of stdout; closed at its end
	quit    chan struct{} // closed: answers are no longer taken
	streams sync.WaitGroup
}

func begin(command subprocess.Command, log *slog.Logger) (*life, error) {
	p, err := command.Start("FBLWATCH_EVENT=record")
	if err != nil {
		return nil, err
	}
	l := &life{p: p, answers: make(chan string), quit: make(chan struct{})}
	l.streams.Go(func() {
		defer close(l.answers)
		for line := range subprocess.Lines(p.Stdout, answerOctets) {
			select {
			case l.answers <- line:
			case <-l.quit: // read on, so that it can end
			}
		}
	})
	l.streams.Go(func() { subprocess.Log(p.Stderr, log, slog.LevelWarn) })
	return l, nil
}

// over reports whether the process has ended.
func (l *life) over() bool {
	select {
	case <-l.p.Done():
		return true
	default:
		return false
	}
}

// feed writes rows, waits for the answer to each, and calls handled for it.
func (l *life) feed(ctx context.Context, rows []ledger.Row, limit time.Duration, handled func(ledger.Row)) error {
	fed := make(chan struct{})
	l.streams.Go(func() {
		defer close(fed)
		// If this fails, the command has ended or stays silent, which shows below.
		_, _ = l.p.Stdin.Write(ndjson(rows))
	})
	silence := time.NewTimer(limit)
	defer silence.Stop()
	for _, row := range rows {
		select {
		case answer, ok := <-l.answers:
			if !ok {
				return errEnded
			}
			if answer != row.ID {
				return fmt.Errorf("%w: %q; %s, and everything else on stderr", errAnswer, answer, protocol)
			}
			handled(row)
			silence.Reset(limit)
		case <-silence.C:
			return fmt.Errorf("no answer within %v; %s", limit, protocol)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	// It may have answered the last record before the end of its line.
	select {
	case <-fed:
		return nil
	case <-silence.C:
		return fmt.Errorf("does not read its stdin for %v", limit)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end closes the command's stdin, kills it after grace, and returns how it ended.
func (l *life) end(grace time.Duration) error {
	l.p.Stdin.Close()
	close(l.quit)
	limit := time.NewTimer(grace)
	defer limit.Stop()
	select {
	case <-l.p.Done():
	case <-limit.C:
		l.p.Kill()
	}
	err := l.p.Err()
	l.streams.Wait()
	l.p.Close()
	return err
}
