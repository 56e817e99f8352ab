// Package sink is where records go from the ledger: one file a sink, one retry
// loop for all. Every record reaches every sink at least once, in the order of
// its folder, always with the same id and revision.
package sink

import (
	"context"
	"errors"
	"iter"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// Sink takes records. It is used by one goroutine at a time. ID and Revision of a
// row together are the key by which a receiver knows a record that comes again.
type Sink interface {
	// Name is the key of the sink's cursors in the ledger. It never changes
	// for a sink of the same purpose.
	Name() string

	// Write hands over consecutive records of one folder, at least one. Nil
	// means that all of them will outlive a crash, as far as the sink can say;
	// after an error any of them may have got through, and all come again.
	//
	// An error is tried again, for ever, unless it is made by Permanent, which
	// ends the sink. Write returns soon after ctx has ended. It does not keep
	// the rows.
	Write(ctx context.Context, rows []ledger.Row) error

	// Close frees what the sink holds. It is called once, after the last Write.
	Close() error
}

// Outbox is what a sink needs of a ledger.
type Outbox interface {
	// Unsent yields the records that sink has not acknowledged, by folder and
	// Seq, up to what was committed when it was called, without those of some
	// folders. Ack may be called while it runs.
	Unsent(ctx context.Context, sink string, without ...int64) iter.Seq2[ledger.Row, error]

	// Ack says that sink has every record of the folder up to seq.
	Ack(ctx context.Context, sink string, folderID, seq int64) error
}

// ErrClosed means that nobody reads what the sink writes; it is permanent.
var ErrClosed = Permanent(errors.New("sink: its reader has gone away"))

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error that no further try will mend.
func Permanent(err error) error { return permanent{err} }

// IsPermanent tells whether Permanent made err or something it wraps.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}

// lines writes rows as NDJSON.
func lines(rows []ledger.Row) []byte {
	size := 0
	for _, r := range rows {
		size += len(r.JSON) + 1
	}
	b := make([]byte, 0, size)
	for _, r := range rows {
		b = append(append(b, r.JSON...), '\n')
	}
	return b
}
