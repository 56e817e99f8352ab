package watch

import (
	"context"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// Store is what reading an account needs of a ledger; see ledger.Ledger for what each
// method promises.
type Store interface {
	Claim(ctx context.Context, folder ledger.Folder) (ledger.Claim, error)
	Commit(ctx context.Context, claim ledger.Claim, batch ledger.Batch) (ledger.Committed, error)
	Todos(ctx context.Context, claim ledger.Claim, limit int) ([]ledger.Todo, error)
	CompleteTodos(ctx context.Context, claim ledger.Claim, todos []ledger.Todo) error
	Places(ctx context.Context, folderID int64, uidValidity uint64, from uint32, limit int) ([]ledger.Place, error)
	Head(ctx context.Context, reportID string) ([]byte, error)
	States(ctx context.Context) ([]ledger.Status, error)
	SetStates(ctx context.Context, states ...ledger.Status) error
}
