package daemon

import (
	"context"
	"errors"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// box is a ledger as sinks see it. Until ledgers keep dead letters, a record that is
// refused for good waits like any other.
type box struct{ ledger.Ledger }

func (b box) Ack(ctx context.Context, sink string, _ int, folderID, seq int64) error {
	return b.Ledger.Ack(ctx, sink, folderID, seq)
}

func (box) Bury(_ context.Context, dead []ledger.DeadLetter) error { return errors.New(dead[0].Reason) }

func (box) Replays(context.Context, string) (int, error)               { return 0, nil }
func (box) Resends(context.Context, string, int) ([]ledger.Row, error) { return nil, nil }
func (box) Resent(context.Context, string, []ledger.Row) error         { return nil }
func (box) Waitings(context.Context, string) ([]ledger.Waiting, error) { return nil, nil }
func (box) SetWaiting(context.Context, string, ledger.Waiting) error   { return nil }
