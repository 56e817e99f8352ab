package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/subprocess"
)

// ExecConfig are the keys of the type exec.
type ExecConfig struct {
	// Command is the program, with its arguments.
	Command subprocess.Command `yaml:"command"`
	// Each: it is run once for each record, see each.
	Each bool `yaml:"each"`
	// Env names variables of our own environment that it gets too.
	Env []string `yaml:"env"`
}

var execKind = kind{
	keys:     func(c *Config) []any { return []any{&c.Exec, &c.Acting} },
	validate: func(c Config) error { return c.Exec.validate() },
	open:     func(c Config, o Options) (Sink, error) { return openExec(c.Exec, o.Log) },
	probe:    func(ctx context.Context, c Config) (string, error) { return c.Exec.probe(ctx) },
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (c ExecConfig) validate() error {
	if c.Command == nil {
		return errors.New("command is missing; write a list of the program and its arguments")
	}
	for i, name := range c.Env {
		if !variableName.MatchString(name) {
			return fmt.Errorf("env[%d] is not the name of a variable; its value comes from the environment of fblwatch", i)
		}
	}
	if c.Each {
		_, err := patternsOf(c.Command)
		return err
	}
	return nil
}

// variables returns what the command gets of our environment, as NAME=value, and hides
// it in what the command says.
func (c ExecConfig) variables() (env []string, hide func(string) string, err error) {
	var pairs []string
	for _, name := range c.Env {
		value, set := os.LookupEnv(name)
		if !set {
			return nil, nil, fmt.Errorf("env: %s is not set in the environment of fblwatch", name)
		}
		env = append(env, name+"="+value)
		if len(value) >= leastSecret {
			pairs = append(pairs, value, "<"+name+">")
		}
	}
	return env, strings.NewReplacer(pairs...).Replace, nil
}

// leastSecret is how long a variable's value must be to be hidden: others, such as true,
// are part of many texts.
const leastSecret = 6

const (
	// answerLimit is how long a command may take for one record.
	answerLimit = time.Minute
	// graceLimit is how long a command may run on after the end of its input.
	graceLimit = 5 * time.Second
	// answerOctets is more than any id has, with a reason.
	answerOctets = 1000
	// probeLimit is how long a probe waits for a command's end.
	probeLimit = 2 * time.Second
)

const protocol = "it must write each record's id as a line on its stdout, flushed, once it has handled the record"

var (
	errAnswer = errors.New("answered something else than the record's id")
	errEnded  = errors.New("ended, or closed its stdout, while a record waited for its answer")
)

type exec struct {
	command subprocess.Command
	env     []string
	said    *said
	log     *slog.Logger
	answer  time.Duration
	grace   time.Duration
	life    *life // nil: the command does not run
	stale   bool  // it has records for which no Write waits any more
}

// openExec opens a sink of the type exec: a program that keeps running and gets each
// record as a line of JSON on stdin. Once it has handled a record it answers with a
// line on stdout, the record's id and nothing else; or with the words "dead", the id and
// a reason, if it will never take the record. Answers come in the order of the records.
// Any number of records may wait for their answers, so that the program may read ahead.
//
// A record without an answer comes again, and the later records of its folder wait.
// A program that ends, gives no answer for a minute while a record waits, or writes
// anything else is killed with its process group; the next Write starts it again.
// Its stderr is logged. At the end of its input it has five seconds to end by itself.
//
// With each, see each.
func openExec(c ExecConfig, log *slog.Logger) (Sink, error) {
	if err := c.Command.Find(); err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	env, hide, err := c.variables()
	if err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	said := newSaid(log, hide)
	if c.Each {
		return newEach(c.Command, env, said)
	}
	return &exec{command: c.Command, env: env, said: said, log: log, answer: answerLimit, grace: graceLimit}, nil
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
		if s.life, err = begin(s.command, s.said, append(s.env, "FBLWATCH_EVENT=record")...); err != nil {
			return 0, fmt.Errorf("sink: %w", err)
		}
	}
	done, refused, err := s.life.feed(ctx, items, s.answer)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		s.stale = true // Close gives it time to end
	case errors.Is(err, errEnded):
		err = fmt.Errorf("sink: %s: %w: %s", s.command[0], err, s.said.withLast(exitText(s.end(s.grace))))
	default:
		_ = s.end(0) // we killed it: how it ended says nothing
		err = fmt.Errorf("sink: %s: %w", s.command[0], err)
	}
	if len(refused) > 0 {
		return done, refused // what failed behind them fails again
	}
	return done, err
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
	defer s.said.log.End()
	if s.life == nil {
		return nil
	}
	if err := s.end(s.grace); err != nil {
		s.log.Warn("command ended", "err", err)
	}
	return nil
}

// probe finds out whether the program is there and gets its variables. One that keeps
// running is started with FBLWATCH_EVENT=check and without a record, and must not end
// with an error within two seconds.
func (c ExecConfig) probe(ctx context.Context) (said string, err error) {
	if err := c.Command.Find(); err != nil {
		return "", err
	}
	env, hide, err := c.variables()
	if err != nil {
		return "", err
	}
	if c.Each {
		return c.Command[0] + " is there", nil
	}
	words := newSaid(slog.New(slog.DiscardHandler), hide)
	l, err := begin(c.Command, words, append(env, "FBLWATCH_EVENT=check")...)
	if err != nil {
		return "", err
	}
	l.p.Stdin.Close()
	limit := time.NewTimer(probeLimit)
	defer limit.Stop()
	select {
	case <-l.p.Done():
		if err := l.end(0); err != nil {
			return "", fmt.Errorf("%s ends at once, without a record: %s", c.Command[0], words.withLast(err.Error()))
		}
	case <-limit.C:
		_ = l.end(0)
	case <-ctx.Done():
		_ = l.end(0)
		return "", ctx.Err()
	}
	return c.Command[0] + " runs", nil
}
