package ledger

import (
	"fmt"
	"strings"
	"time"
)

// check refuses a batch that no ledger may hold.
func check(batch Batch) error {
	for _, m := range batch.Messages {
		if m.ReportID == "" {
			return fmt.Errorf("ledger: mail with UID %d has no report id", m.UID)
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

// placed is what a batch adds to a ledger.
type placed struct {
	Committed
	messages []placedMessage
	counts   map[Count]int64 // N is 0 in the key
	next     int64           // the folder's next seq
}

type placedMessage struct {
	index int // in Batch.Mails
	seq   int64
}

// place numbers the records of the messages that are not known, from next on.
func place(claim Claim, messages []Message, known map[string]bool, next int64) placed {
	p := placed{counts: make(map[Count]int64), Committed: Committed{Kinds: make(map[string]int64)}, next: next}
	seen := make(map[string]bool, len(messages))
	for i, m := range messages {
		if known[m.ReportID] || seen[m.ReportID] {
			p.Duplicates++
			continue
		}
		seen[m.ReportID] = true
		p.Messages++
		p.Kinds[m.Kind]++
		p.messages = append(p.messages, placedMessage{i, p.next})
		for _, r := range m.Records {
			r.At = fromMilli(milli(r.At))
			p.Rows = append(p.Rows, Row{FolderID: claim.ID, Folder: claim.Folder, Seq: p.next, Record: r})
			p.next++
			p.counts[r.counted()]++
		}
	}
	return p
}

// counted is where a record counts; N is 0.
func (r *Record) counted() Count {
	return Count{Hour: r.At.Truncate(time.Hour), Event: r.Event, Class: r.Class, Provider: r.Provider, Feed: r.Feed, Identity: r.Identity, Verdict: r.Verdict}
}

// bits reads a number of 64 bits, which SQLite keeps as a signed one.
type bits uint64

func (b *bits) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("ledger: %v is no integer", v)
	}
	*b = bits(n)
	return nil
}

func milli(t time.Time) int64      { return t.UnixMilli() }
func fromMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// fromNoted reads a time that was not always noted.
func fromNoted(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return fromMilli(ms)
}
