package sink

import (
	"context"
	"errors"
	"fmt"
	osexec "os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/subprocess"
)

// each runs a program once for each record, with the record's values as arguments and
// its JSON as a line on stdin. Exit status 0 means that the program has handled the
// record, 65 that it never will: then the first line of its stderr is the reason.
// Anything else is the program's fault, and the record waits.
type each struct {
	command []pattern
	env     []string
	said    *said
	limit   time.Duration
}

// exitDataErr is EX_DATAERR of sysexits.h: the input was at fault.
const exitDataErr = 65

// argumentOctets bounds the arguments of one process. Linux takes 128 KiB for one.
const argumentOctets = 30_000

func newEach(command subprocess.Command, env []string, said *said) (*each, error) {
	patterns, err := patternsOf(command)
	if err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	return &each{patterns, env, said, answerLimit}, nil
}

// patternsOf reads a command with placeholders.
func patternsOf(command subprocess.Command) ([]pattern, error) {
	patterns := make([]pattern, len(command))
	for i, arg := range command {
		var err error
		if patterns[i], err = parsePattern(arg); err != nil {
			return nil, fmt.Errorf("command[%d]: %w", i, err)
		}
	}
	if len(patterns[0].keys) > 0 {
		return nil, errors.New("command[0] holds a placeholder; a record must not choose the program")
	}
	return patterns, nil
}

// Takes returns why the command cannot be run for an item.
func (s *each) Takes(item *delivery.Item) (skip string) {
	for _, p := range s.command {
		if name := p.missing(item); name != "" {
			return "no " + name
		}
	}
	return ""
}

func (s *each) Write(ctx context.Context, items []delivery.Item) (done int, err error) {
	var refused delivery.Refusals
	for ; done < len(items) && err == nil; done++ {
		var reason string
		if reason, err = s.run(ctx, &items[done]); err != nil {
			break
		}
		if reason != "" {
			refused = append(refused, delivery.Refusal{First: done, N: 1, Reason: reason})
		}
	}
	if len(refused) > 0 {
		return done, refused // what failed behind them fails again
	}
	return done, err
}

// arguments are the command for an item, or why there cannot be one. A value must not
// become an option: it begins with a dash only behind the argument "--", which ends the
// options.
func (s *each) arguments(item *delivery.Item) (command subprocess.Command, reason string, err error) {
	octets := 0
	for _, p := range s.command {
		arg, err := p.text(item)
		if err != nil {
			return nil, "", err
		}
		if octets += len(arg); octets > argumentOctets {
			return nil, fmt.Sprintf("its values have more than %d octets, too many for arguments", argumentOctets), nil
		}
		if strings.HasPrefix(arg, "-") && p.literal[0] == "" && !slices.Contains(command, "--") {
			return nil, p.names[0] + " begins with a dash; put -- before it in the command, if the program knows that", nil
		}
		command = append(command, arg)
	}
	return command, "", nil
}

// run runs the command for an item. reason: it will never take it.
func (s *each) run(ctx context.Context, item *delivery.Item) (reason string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	command, reason, err := s.arguments(item)
	if reason != "" || err != nil {
		return reason, err
	}
	p, err := command.Start(append(s.env, "FBLWATCH_EVENT=record", "FBLWATCH_KEY="+item.Key())...)
	if err != nil {
		return "", fmt.Errorf("sink: %w", err)
	}
	defer p.Close()
	s.said.begin()
	var streams sync.WaitGroup
	streams.Go(func() {
		_, _ = p.Stdin.Write(append(slices.Clip(item.JSON), '\n')) // a command need not read it
		p.Stdin.Close()
	})
	streams.Go(func() {
		for line := range subprocess.Lines(p.Stdout, subprocess.LineOctets) {
			s.said.log.Add(s.said.hide(line))
		}
	})
	streams.Go(func() { s.said.listen(p.Stderr) })
	limit := time.NewTimer(s.limit)
	defer limit.Stop()
	var killed error
	select {
	case <-p.Done():
	case <-limit.C:
		killed = fmt.Errorf("sink: %s: killed: it ran longer than %v", command[0], s.limit)
	case <-ctx.Done():
		killed = ctx.Err()
	}
	if killed != nil {
		p.Kill()
	}
	err = p.Err()
	streams.Wait()
	var exit *osexec.ExitError
	switch {
	case killed != nil:
		return "", killed
	case err == nil:
		return "", nil
	case errors.As(err, &exit) && exit.ExitCode() == exitDataErr:
		return s.said.withFirst("exit status 65"), nil
	}
	return "", fmt.Errorf("sink: %s: %s", command[0], s.said.withLast(err.Error()))
}

func (s *each) Close() error {
	s.said.log.End()
	return nil
}
