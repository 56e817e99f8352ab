package ledger

import "context"

// Editor changes a ledger whoever writes it: itself if nobody does, else by asking
// the writer and waiting for its answer.
type Editor interface {
	// Do carries out a change, or has it carried out: all or nothing, but for what
	// is stale.
	Do(ctx context.Context, c Change) (Changed, error)

	// Close ends the editing. What was asked for is done all the same.
	Close() error
}

// Change is what a command writes into a ledger that another process may be
// writing.
type Change struct {
	Revise []Revision
	Ack    []Acked
}

// Acked says that a sink has every record of a folder up to Seq.
type Acked struct {
	Sink          string
	FolderID, Seq int64
}

// Changed is what became of a Change.
type Changed struct {
	Records int      // new revisions
	Stale   []string // see Revised

	Over []FeedDay `json:",omitempty"` // the days on which records were held back
}
