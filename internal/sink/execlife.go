package sink

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/subprocess"
)

// said logs what a command's processes say, and keeps the first and the last line of
// the present one's stderr. A command may say what it likes while it works, so that is
// no warning.
type said struct {
	log  subprocess.LineLog
	hide func(string) string

	mu          sync.Mutex
	first, last string
}

func newSaid(log *slog.Logger, hide func(string) string) *said {
	return &said{log: subprocess.LineLog{Log: log, Level: slog.LevelInfo}, hide: hide}
}

// begin forgets the lines of the process before.
func (s *said) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first, s.last = "", ""
}

// listen takes the lines of a process until stderr ends.
func (s *said) listen(stderr io.Reader) {
	for line := range subprocess.Lines(stderr, subprocess.LineOctets) {
		line = s.hide(line)
		s.log.Add(line)
		if line = s.shown(line); line == "" {
			continue
		}
		s.mu.Lock()
		if s.first == "" {
			s.first = line
		}
		s.last = line
		s.mu.Unlock()
	}
}

const shownOctets = 200 // of a line in an error or a reason

// shown is a line's start without control characters. The command's secrets are not in
// it.
func (s *said) shown(line string) string {
	line = subprocess.Printable(strings.TrimSpace(s.hide(line)))
	if len(line) > shownOctets {
		line = strings.ToValidUTF8(line[:shownOctets], "") + "..."
	}
	return line
}

// withLast adds the last line of stderr to how the process ended.
func (s *said) withLast(exit string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == "" {
		return exit
	}
	return exit + ": " + s.last
}

// withFirst adds the first line of stderr to how the process ended: it says what the
// program found wrong.
func (s *said) withFirst(exit string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == "" {
		return exit
	}
	return exit + ": " + s.first
}

// life is one process of the command.
type life struct {
	p       *subprocess.Process
	said    *said
	answers chan string   // lines of stdout; closed at its end
	quit    chan struct{} // closed: answers are no longer taken
	streams sync.WaitGroup
	input   []byte // of the last feed, which may still be written
}

// answersAhead is how many answers are read ahead: each wait for one costs more than it.
const answersAhead = 64

func begin(command subprocess.Command, said *said, env ...string) (*life, error) {
	p, err := command.Start(env...)
	if err != nil {
		return nil, err
	}
	said.begin()
	l := &life{p: p, said: said, answers: make(chan string, answersAhead), quit: make(chan struct{})}
	l.streams.Go(func() {
		defer close(l.answers)
		for line := range subprocess.Lines(p.Stdout, answerOctets) {
			select {
			case l.answers <- line:
			case <-l.quit: // read on, so that it can end
			}
		}
	})
	l.streams.Go(func() { said.listen(p.Stderr) })
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

// feed writes items and waits for the answer to each. done are those answered, refused
// those of them that the command will never take. If the last answer's line was not read
// to its end, the item comes again. After an error there is no other feed.
func (l *life) feed(ctx context.Context, items []delivery.Item, limit time.Duration) (done int, refused delivery.Refusals, err error) {
	fed := make(chan struct{})
	l.input = ndjson(l.input[:0], items)
	l.streams.Go(func() {
		defer close(fed)
		// If this fails, the command has ended or stays silent, which shows below.
		_, _ = l.p.Stdin.Write(l.input)
	})
	silence := time.NewTimer(limit)
	defer silence.Stop()
	for done < len(items) {
		select {
		case answer, ok := <-l.answers:
			if !ok {
				return done, refused, errEnded
			}
			reason, ok := l.judge(answer, items[done].ID)
			if !ok {
				return done, refused, fmt.Errorf("%w: %q; %s, and everything else on stderr", errAnswer, l.said.hide(answer), protocol)
			}
			if reason != "" {
				refused = append(refused, delivery.Refusal{First: done, N: 1, Reason: reason})
			}
			done++
			silence.Reset(limit)
		case <-silence.C:
			return done, refused, fmt.Errorf("no answer within %v; %s", limit, protocol)
		case <-ctx.Done():
			return done, refused, ctx.Err()
		}
	}
	// It may have answered the last record before the end of its line.
	select {
	case <-fed:
		return done, refused, nil
	case <-silence.C:
		err = fmt.Errorf("does not read its stdin for %v", limit)
	case <-ctx.Done():
		err = ctx.Err()
	}
	done--
	if n := len(refused); n > 0 && refused[n-1].First == done {
		refused = refused[:n-1]
	}
	return done, refused, err
}

// judge reads the answer to the record id: why the command will never take it, "" if it
// has handled it. ok: it is an answer to that record.
func (l *life) judge(answer, id string) (reason string, ok bool) {
	if answer == id {
		return "", true
	}
	words, isDead := strings.CutPrefix(answer, "dead ")
	dead, reason, _ := strings.Cut(words, " ")
	if !isDead || dead != id {
		return "", false
	}
	if reason = l.said.shown(reason); reason == "" {
		reason = "the command refuses it without a reason"
	}
	return reason, true
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
