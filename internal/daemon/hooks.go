package daemon

import (
	"context"
	"log/slog"
	"sync"

	"github.com/fblwatch/fblwatch/internal/hook"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/watch"
)

// listen hands the events of the account's sessions to the hooks, and its protocol
// lines if a command is for those.
func listen(c *settings.Config, account *watch.Account, hooks *hook.Hooks) {
	account.Handler = hooks.Handler(account.Name)
	account.IMAP.Debug = c.Hooks.Debug != nil
	account.Resync = c.Hooks.Expunged != nil || c.Hooks.Flags != nil // only they need it
}

// hookStates is what became of the events, once there were any. ended: the Daemon
// stops.
func hookStates(counts hook.Counts, trouble hook.Trouble, ended bool) []ledger.Status {
	if counts == (hook.Counts{}) {
		return nil
	}
	s := ledger.Status{Name: ledger.HooksStatus, State: ledger.StateOK, Ended: ended, Counts: map[string]int64{
		"done": counts.Done, "failed": counts.Failed, "dropped": counts.Dropped,
	}}
	if trouble.Err != "" {
		s.State, s.Failing, s.Error = ledger.StateFailing, trouble.Since.UTC(), trouble.Err
	}
	if trouble.Dropping {
		s.State = ledger.StateDropping
	}
	return []ledger.Status{s}
}

// stopHooks returns a func that ends the hooks, once, and notes in the ledger what
// became of the last events.
func stopHooks(ctx context.Context, board *ledger.Board, hooks *hook.Hooks, log *slog.Logger) func() {
	return sync.OnceFunc(func() {
		hooks.Stop(ctx)
		if err := board.Set(context.WithoutCancel(ctx), hookStates(hooks.Counts(), hooks.Trouble(), true)...); err != nil {
			log.Warn(upkeepOf, "err", err)
		}
	})
}
