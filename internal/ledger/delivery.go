package ledger

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// Deliveries is what a ledger keeps about the way of its records to the sinks.
type Deliveries interface {
	// Bury keeps dead letters. One of the same sink, folder and Seq takes the place of
	// the one before. The sink's cursor stays.
	Bury(ctx context.Context, dead []DeadLetter) error

	// Resends lists at most limit records that a person wants sent to a sink again,
	// beside its cursor, in the order of the requests. It leaves out those that a later
	// revision replaced. Resent takes some out, unless they were asked for again since.
	Resends(ctx context.Context, sink string, limit int) ([]Row, error)
	Resent(ctx context.Context, sink string, rows []Row) error

	// Batches lists what SetBatch stored for a sink, by folder. SetBatch takes the
	// place of the folder's batch before. Ack of its Last or a later Seq removes it, and
	// so do Replay with a Since, and Data of no octets.
	Batches(ctx context.Context, sink string) ([]StoredBatch, error)
	SetBatch(ctx context.Context, sink string, b StoredBatch) error

	// Waitings lists what SetWaiting noted for a sink, by folder. SetWaiting takes the
	// place of the folder's entry before. Ack of its Seq or a later one removes it.
	Waitings(ctx context.Context, sink string) ([]Waiting, error)
	SetWaiting(ctx context.Context, sink string, w Waiting) error

	// SetActed notes keys for a sink, in one transaction. The entries outlive Prune.
	SetActed(ctx context.Context, sink string, keys []ActKey, at time.Time) error
	ActReader
}

// ActReader is the reader's side of what sinks did. Both a writer and a reader of a
// ledger have it.
type ActReader interface {
	// Acted returns when SetActed last noted a key for a sink, exact to a millisecond;
	// zero: never.
	Acted(ctx context.Context, sink string, key ActKey) (time.Time, error)
}

// DeliveryReader is the reader's side of it.
type DeliveryReader interface {
	ActReader

	// Replays returns how often the sink's cursors were set back by a Replay.
	Replays(ctx context.Context, sink string) (int, error)

	// Lag returns how many records a sink has not acknowledged or is to get again, and
	// when the first one of a folder was received, the earliest of all folders; zero: none.
	// It is cheap: it counts numbers, also of records that were pruned in between.
	Lag(ctx context.Context, sink string) (records int64, since time.Time, err error)

	// DeadCounts lists how many dead letters there are, by sink.
	DeadCounts(ctx context.Context) ([]DeadCount, error)

	// DeadLetters yields the dead letters of a sink, or of all sinks if it is empty, by
	// sink, folder and Seq. It holds no transaction open between yields.
	DeadLetters(ctx context.Context, sink string) iter.Seq2[DeadLetter, error]
}

// DeadLetter is a record that a sink will never take. Prune drops it with its record.
type DeadLetter struct {
	Row
	Sink   string
	At     time.Time // when it was given up, exact to a millisecond
	Tries  int       // that failed, at least 1
	Reason string    // for people
}

// DeadCount is the number of a sink's dead letters.
type DeadCount struct {
	Sink string
	N    int64
}

// StoredBatch is what is sent to a sink for records of a folder up to Last. It is sent
// again unchanged.
type StoredBatch struct {
	FolderID, Last int64
	Data           []byte // the sink's own form
}

// Waiting is the first record of a folder that a sink does not take.
type Waiting struct {
	FolderID, Seq int64
	ID            string    // of the record
	Tries         int       // that failed, at least 1
	Since         time.Time // of the first of them, exact to a millisecond
	Error         string    // of the last, for people
}

// ActKey stands for what a sink did once: 16 octets of a hash.
type ActKey [16]byte

// Replay is the wish to send records to a sink again. It does not concern records that
// the sink has not acknowledged yet, unless they are dead: they are on their way.
type Replay struct {
	Sink string
	// Since sets the cursor back in every folder, to before its first record received
	// at or after Since. The dead letters and resends behind the cursor are none any
	// more: they come with the others. All of the sink's stored batches and waitings are
	// dropped. Since is used if Dead and ID are zero; then zero means all records.
	Since time.Time
	Dead  bool   // its dead letters, which are dead no more. Of a record that was replaced, only a later revision is sent
	ID    string // the current records of that id, or of that report id; with Dead: only if they are dead
}

// NoSink is the error for a Replay of a sink that there is not. A name with a blank is
// none of a sink's.
func NoSink(name string, known []string) error {
	known = slices.DeleteFunc(slices.Sorted(slices.Values(known)), func(s string) bool { return strings.Contains(s, " ") })
	if len(known) == 0 {
		return fmt.Errorf("ledger: there is no sink %q, nor any other", name)
	}
	return fmt.Errorf("ledger: there is no sink %q; there is %s", name, strings.Join(known, ", "))
}
