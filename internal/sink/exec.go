package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/subprocess"
)

// ExecConfig are the keys of the type exec.
type ExecConfig struct {
	// Command is the program, with its arguments.
	Command subprocess.Command `yaml:"command"`
}

var execKind = kind{
	keys: func(c *Config) []any { return []any{&c.Exec} },
	validate: func(c Config) error {
		if c.Exec.Command == nil {
			return errors.New("command is missing; write a list of the program and its arguments")
		}
		return nil
	},
	open: func(c Config, o Options) (Sink, error) { return OpenExec(c.Exec.Command, o.Log) },
	probe: func(_ context.Context, c Config) (string, error) {
		return c.Exec.Command[0] + " is there", c.Exec.Command.Find()
	},
}

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
	return &exec{command: command, log: log, answer: answerLimit, grace: graceLimit}, nil
}

func (s *exec) Write(ctx context.Context, items []delivery.Item) (done int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	switch {
	case s.life == nil:
	case s.stale:
		_ = s.end(0)
	case s.life.over():
		s.log.Warn("command ended while no record waited; it is started again", "err", exitText(s.end(0)))
	}
	if s.life == nil {
		if s.life, err = begin(s.command, s.log); err != nil {
			return 0, fmt.Errorf("sink: %w", err)
		}
	}
	done, err = s.life.feed(ctx, items, s.answer)
	switch {
	case err == nil:
		return done, nil
	case ctx.Err() != nil:
		s.stale = true // Close gives it time to end
		return done, err
	case errors.Is(err, errEnded):
		err = fmt.Errorf("%w: %s", err, exitText(s.end(s.grace)))
	default:
		_ = s.end(0) // we killed it: how it ended says nothing
	}
	return done, fmt.Errorf("sink: %s: %w", s.command[0], err)
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

// feed writes items and waits for the answer to each. done are those answered; if the
// last answer's line was not read to its end, the item comes again.
func (l *life) feed(ctx context.Context, items []delivery.Item, limit time.Duration) (done int, err error) {
	fed := make(chan struct{})
	l.streams.Go(func() {
		defer close(fed)
		// If this fails, the command has ended or stays silent, which shows below.
		_, _ = l.p.Stdin.Write(ndjson(items))
	})
	silence := time.NewTimer(limit)
	defer silence.Stop()
	for done < len(items) {
		select {
		case answer, ok := <-l.answers:
			if !ok {
				return done, errEnded
			}
			if answer != items[done].ID {
				return done, fmt.Errorf("%w: %q; %s, and everything else on stderr", errAnswer, answer, protocol)
			}
			done++
			silence.Reset(limit)
		case <-silence.C:
			return done, fmt.Errorf("no answer within %v; %s", limit, protocol)
		case <-ctx.Done():
			return done, ctx.Err()
		}
	}
	// It may have answered the last record before the end of its line.
	select {
	case <-fed:
		return done, nil
	case <-silence.C:
		return done - 1, fmt.Errorf("does not read its stdin for %v", limit)
	case <-ctx.Done():
		return done - 1, ctx.Err()
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
