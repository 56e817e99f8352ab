// Package sink hands records from the ledger to their receivers: one file a type
// of sink, one retry loop for all. Every record reaches every sink at least once,
// in the order of its folder, always with the same id and revision.
package sink

import (
	"context"
	"errors"
	"iter"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// Sink takes records. One goroutine at a time uses it. The id and the revision of
// a row together are the key by which a receiver recognises a repeated record.
type Sink interface {
	// Write hands over consecutive records of one folder, at least one. Nil means
	// that all of them will survive a crash, as far as the sink can know. After
	// an error any of them may have arrived, and all come again.
	//
	// An error is retried for ever, unless Permanent made it: that one ends the
	// sink. Write returns soon after ctx has ended. It does not keep the rows.
	Write(ctx context.Context, rows []ledger.Row) error

	// Close releases what the sink holds. It is called once, after the last Write.
	Close() error
}

// Outbox is what a Pump needs of a ledger.
type Outbox interface {
	// Unsent yields the records that a sink has not acknowledged, by folder and
	// Seq, without those of some folders. It ends with what was committed when
	// it was called. Ack may be called while it runs.
	Unsent(ctx context.Context, sink string, without ...int64) iter.Seq2[ledger.Row, error]

	// Ack notes that a sink has every record of the folder up to seq.
	Ack(ctx context.Context, sink string, folderID, seq int64) error
}

// ErrClosed means that nobody reads what the sink writes. It is permanent.
var ErrClosed = Permanent(errors.New("sink: the reader of its output is gone"))

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error that no further try can cure.
func Permanent(err error) error { return permanent{err} }

// IsPermanent reports whether Permanent made err or an error that err wraps.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}

// refusal is the error about a record that the sink did not take. The later
// records of its folder wait.
type refusal struct {
	id     string
	folder int64
	err    error
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// ndjson returns the rows' JSON, one object a line.
func ndjson(rows []ledger.Row) []byte {
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
