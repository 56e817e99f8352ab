package ledger

import "context"

// Editor changes a ledger. If another process writes the ledger, it asks that process
// and waits for the answer.
type Editor interface {
	// Do carries out a change, or has the writer do so. It writes all but the stale
	// revisions, or nothing.
	Do(ctx context.Context, c Change) (Changed, error)

	// Close ends the editing. The writer still carries out what it was asked for.
	Close() error
}

// Change is a change of a ledger by a command other than sweep and watch.
type Change struct {
	Revise []Revision
	Ack    []Acked
	Replay []Replay `json:",omitempty"`
}

// Acked says that a sink has every record of a folder up to Seq.
type Acked struct {
	Sink          string
	FolderID, Seq int64
}

// Changed is the result of a Change.
type Changed struct {
	Records int      // new revisions
	Stale   []string // see Revised
	Resent  int64    `json:",omitempty"` // records that sinks get again, counted as by Lag

	Over []FeedDay `json:",omitempty"` // the days on which records were held back
}

// Ran is what RunRequests did.
type Ran struct {
	Rows     []Row    // the new records, in order of Seq within their folders
	Replayed []string // the sinks that have records to send again
}
