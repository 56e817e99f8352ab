package hook

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/subprocess"
)

var errOver = errors.New("killed, because fblwatch ends")

// run runs an event's command to its end.
func (h *Hooks) run(w waiting) error {
	command := h.commands[w.event]
	p, err := command.Start(
		"FBLWATCH_EVENT="+w.event,
		"FBLWATCH_ACCOUNT="+subprocess.Printable(w.account),
		"FBLWATCH_MAILBOX="+subprocess.Printable(w.mailbox),
	)
	if err != nil {
		return err
	}
	defer p.Close()
	log := h.log.With("hook", w.event)
	var streams sync.WaitGroup
	streams.Go(func() {
		_, _ = p.Stdin.Write(w.line) // a command need not read it
		p.Stdin.Close()
	})
	streams.Go(func() { subprocess.Log(p.Stdout, log, slog.LevelInfo) })
	streams.Go(func() { subprocess.Log(p.Stderr, log, slog.LevelWarn) })
	limit := time.NewTimer(h.runLimit)
	defer limit.Stop()
	killed := error(nil)
	select {
	case <-p.Done():
	case <-limit.C:
		killed = fmt.Errorf("killed: it ran longer than %v", h.runLimit)
	case <-h.over:
		killed = errOver
	}
	if killed != nil {
		p.Kill()
	}
	err = p.Err()
	streams.Wait()
	if killed != nil {
		err = killed
	}
	if err != nil {
		return fmt.Errorf("%s: %w", command[0], err)
	}
	return nil
}
