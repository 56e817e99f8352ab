package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

type stdout struct {
	w    io.Writer
	busy chan error // result of the write under way; nil: none is
	rest []byte     // of a line that was written in part
	buf  []byte     // of put
}

// stdoutBytes is about how much a write takes: what a pipe holds.
const stdoutBytes = 64 << 10

// Stdout returns a sink that writes NDJSON to w. If w is a pipe without
// a reader, Write returns ErrClosed. Close does not close w.
func Stdout(w io.Writer) Sink { return &stdout{w: w} }

func (s *stdout) Write(ctx context.Context, items []delivery.Item) (done int, err error) {
	if s.busy != nil {
		if err := s.wait(ctx); err != nil {
			return 0, err
		}
	}
	// After any failure the next record starts on a line of its own.
	for len(s.rest) > 0 {
		if err := s.put(ctx, s.rest); err != nil {
			return 0, err
		}
	}
	for done < len(items) {
		b, n := s.buf[:0], 0
		for _, item := range items[done:] {
			if len(b) > 0 && len(b)+len(item.JSON) >= stdoutBytes {
				break
			}
			b = append(append(b, item.JSON...), '\n')
			n++
		}
		s.buf = b
		if err := s.put(ctx, b); err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// put writes b. A pipe may block for ever, so the write has a goroutine of its own.
// If ctx ends first, the next Write waits for that goroutine.
func (s *stdout) put(ctx context.Context, b []byte) error {
	s.busy = make(chan error, 1)
	go func(busy chan<- error) {
		n, err := s.w.Write(b)
		if n > 0 && b[n-1] == '\n' {
			s.rest = nil
		} else if n > 0 {
			s.rest = b[n : n+1+bytes.IndexByte(b[n:], '\n')]
		}
		busy <- err
	}(s.busy)
	return s.wait(ctx)
}

// wait returns the result of the write under way, whose goroutine owns rest until
// then.
func (s *stdout) wait(ctx context.Context) error {
	select {
	case err := <-s.busy:
		s.busy = nil
		if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, fs.ErrClosed) {
			return fmt.Errorf("%w: %w", ErrClosed, err)
		}
		if err != nil {
			return fmt.Errorf("sink: stdout: %w", err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *stdout) Close() error { return nil }
