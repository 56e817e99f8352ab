package daemon

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/internal/hook"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/watch"
)

// listen has log and hooks hear of the account's sessions, and of their protocol
// lines where a command is for those.
func listen(c *settings.Config, account *watch.Account, log callbacks.Handler, hooks *hook.Hooks) {
	account.Handler = callbacks.Join(log, hooks.Handler(account.Name))
	account.IMAP.Debug = c.Hooks.Debug != nil
	account.Resync = c.Hooks.Expunged != nil || c.Hooks.Flags != nil // nobody else wants to know
}

// hookState writes what became of the events into the ledger, once there were
// any. ended: the command is over.
func hookState(ctx context.Context, l ledger.Ledger, counts hook.Counts, trouble hook.Trouble, ended bool) error {
	if counts == (hook.Counts{}) {
		return nil
	}
	row := struct {
		stateRow
		hook.Counts
	}{stateRow{State: "ok", Ended: ended}, counts}
	if trouble.Err != "" {
		row.State, row.Failing, row.Err = "failing", trouble.Since.UTC(), trouble.Err
	}
	if trouble.Dropping {
		row.State = "dropping"
	}
	b, err := json.Marshal(row)
	if err != nil {
		return err
	}
	return l.SetState(ctx, hooksState, string(b))
}

// stopHooks returns what ends the hooks, once, and leaves what became of the last
// events in the ledger.
func stopHooks(ctx context.Context, l ledger.Ledger, hooks *hook.Hooks, log *slog.Logger) func() {
	return sync.OnceFunc(func() {
		hooks.Stop(ctx)
		if err := hookState(context.WithoutCancel(ctx), l, hooks.Counts(), hooks.Trouble(), true); err != nil {
			log.Warn(upkeepOf, "err", err)
		}
	})
}
