// Package sink hands records from the ledger to their receivers: one file a type
// of sink, one retry loop for all. Every record reaches every sink at least once,
// in the order of its folder, always with the same id and revision.
package sink

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// Sink takes items. One goroutine at a time uses it. The Key of an item is what a
// receiver recognises a repeated one by.
type Sink interface {
	// Write hands over items of one folder in its order, at least one. done is how
	// many of them, from the first on, are delivered: they will survive a crash, as far
	// as the sink can know. After an error any of the others may have arrived, and they
	// come again.
	//
	// A delivery.Refusals makes items dead letters: only an item that is at fault is
	// one. Any other error is the sink's own fault, and it is tried again for ever; a
	// delivery.Later says when. Permanent ends the sink. Without an error, done is all.
	// Write returns soon after ctx has ended. It does not keep the items.
	Write(ctx context.Context, items []delivery.Item) (done int, err error)

	// Close releases what the sink holds. It is called once, after the last Write.
	Close() error
}

// Chooser is a Sink that has no use for some items.
type Chooser interface {
	// Takes returns why it has none, in a few words that are the same for all such
	// items, or "". Items that it does not take are counted and left out.
	Takes(item *delivery.Item) (skip string)
}

// Resender is a Sink that may store what it sends, to send the same in the same parts
// after a crash. It knows its last Write in a folder: if Resends, the ledger is told of
// each Write before the next one.
type Resender interface{ Resends() bool }

// Outbox is what a Pump needs of a ledger.
type Outbox interface {
	// Unsent yields the records that a sink has not acknowledged, by folder and
	// Seq, without those of some folders. It ends with what was committed when
	// it was called. Ack may be called while it runs.
	Unsent(ctx context.Context, sink string, without ...int64) iter.Seq2[ledger.Row, error]

	// Ack notes that a sink has every record of the folder up to seq. It does nothing
	// if the sink has been replayed more often than replays says.
	Ack(ctx context.Context, sink string, replays int, folderID, seq int64) error

	// What the rest does, ledger.Deliveries says.
	Replays(ctx context.Context, sink string) (int, error)
	Bury(ctx context.Context, dead []ledger.DeadLetter) error
	Resends(ctx context.Context, sink string, limit int) ([]ledger.Row, error)
	Resent(ctx context.Context, sink string, rows []ledger.Row) error
	Waitings(ctx context.Context, sink string) ([]ledger.Waiting, error)
	SetWaiting(ctx context.Context, sink string, w ledger.Waiting) error
	Acted(ctx context.Context, sink string, key ledger.ActKey) (time.Time, error)
	SetActed(ctx context.Context, sink string, keys []ledger.ActKey, at time.Time) error
}

// Stored is where a sink keeps what it is about to send, so that it can send the same
// again after a crash. What the methods do, ledger.Deliveries says.
type Stored interface {
	Batches(ctx context.Context, sink string) ([]ledger.StoredBatch, error)
	SetBatch(ctx context.Context, sink string, b ledger.StoredBatch) error
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

// blocked is the error about a record that the sink did not take. The later records
// of its folder wait.
type blocked struct {
	folder, seq int64
	id          string
	err         error
}

func (b *blocked) Error() string { return b.err.Error() }
func (b *blocked) Unwrap() error { return b.err }

// ndjson appends the items' JSON, one object a line.
func ndjson(b []byte, items []delivery.Item) []byte {
	size := 0
	for i := range items {
		size += len(items[i].JSON) + 1
	}
	b = slices.Grow(b, size)
	for i := range items {
		b = append(append(b, items[i].JSON...), '\n')
	}
	return b
}
