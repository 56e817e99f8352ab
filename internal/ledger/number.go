package ledger

import (
	"fmt"
	"strings"
	"time"
)

// Check returns an error for a batch that no ledger may hold.
func (batch Batch) Check() error {
	for _, m := range batch.Messages {
		if m.ReportID == "" {
			return fmt.Errorf("ledger: message with UID %d has no report id", m.UID)
		}
		// A record is found through its message.
		for _, r := range m.Records {
			if report, _, _ := strings.Cut(r.ID, "."); report != m.ReportID {
				return fmt.Errorf("ledger: record %q is not of report %q", r.ID, m.ReportID)
			}
		}
	}
	last := uint32(0)
	for _, p := range batch.Checkpoint.Pending {
		if p.UID <= last || p.UID > batch.Checkpoint.High {
			return fmt.Errorf("ledger: pending UID %d is out of order or above %d", p.UID, batch.Checkpoint.High)
		}
		last = p.UID
	}
	last = 0
	for _, g := range batch.Checkpoint.Gaps {
		if g.Low <= last || g.High < g.Low || g.High > batch.Checkpoint.High {
			return fmt.Errorf("ledger: gap %d-%d is out of order or above %d", g.Low, g.High, batch.Checkpoint.High)
		}
		last = g.High
	}
	return nil
}

// Numbered is what a batch adds to a ledger.
type Numbered struct {
	Committed
	New    []NewMessage
	Counts map[Count]int64 // N is 0 in the key
	Next   int64           // the folder's next Seq
}

// NewMessage is a message that the ledger did not know.
type NewMessage struct {
	Index int   // in Batch.Messages
	Seq   int64 // of its first record
}

// Number numbers the records of the messages that are not known, from next on, and
// holds back those that are too many. An error is one of the brake.
func Number(claim Claim, messages []Message, known map[string]bool, next int64, brake *Brake) (Numbered, error) {
	p := Numbered{Counts: make(map[Count]int64), Committed: Committed{Kinds: make(map[string]int64)}, Next: next}
	p.New, p.Rows = make([]NewMessage, 0, len(messages)), make([]Row, 0, len(messages))
	seen := make(map[string]bool, len(messages))
	for i, m := range messages {
		if known[m.ReportID] || seen[m.ReportID] {
			p.Duplicates++
			continue
		}
		seen[m.ReportID] = true
		p.Messages++
		p.Kinds[m.Kind]++
		p.New = append(p.New, NewMessage{i, p.Next})
		for _, r := range m.Records {
			r.At = FromMilli(Milli(r.At))
			if err := brake.pass(&r); err != nil {
				return Numbered{}, err
			}
			p.Rows = append(p.Rows, Row{FolderID: claim.ID, Folder: claim.Folder, Seq: p.Next, Record: r})
			p.Next++
			p.Counts[r.counted()]++
		}
	}
	p.Over = brake.Over()
	return p, nil
}

// counted is where a record counts; N is 0.
func (r *Record) counted() Count {
	return Count{Hour: r.At.Truncate(time.Hour), Event: r.Event, Class: r.Class, Provider: r.Provider, Feed: r.Feed, Identity: r.Identity, Verdict: r.Verdict}
}

// Milli is a time in milliseconds since 1970, which is as exact as a ledger is.
func Milli(t time.Time) int64 { return t.UnixMilli() }

// FromMilli is the time in UTC of a number that Milli gave.
func FromMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
