package process

import (
	"context"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// Message is a message as far as it was fetched.
type Message struct {
	Body         []byte         // its first octets
	Size         int64          // octets of the whole message
	Most         int64          // octets that can be had of it
	InternalDate time.Time      // zero: unknown
	Mailbox      report.Mailbox // where it is, without its MessageID
	Head         int            // octets of it that may be kept; 0: none

	// ToEnd reports whether messages of a kind must be read to Most. nil: none.
	ToEnd func(report.Kind) bool

	// Memory is used again: the next message that is read with it voids the Records. nil: a
	// new one.
	Memory *Memory
}

// Memory is what reading needs. The zero value is ready. It is not for concurrent use.
type Memory struct {
	parser  report.Parser
	records []report.Record
}

const mostKept = 64 // records in a Memory

// Result is what a message gave.
type Result struct {
	ID      string // its report_id
	Kind    report.Kind
	Origin  uint64    // see report.Report.Origin
	At      time.Time // of receipt, for the ledger
	Need    int64     // octets that the reading needed
	Records []report.Record
	Head    []byte // as it may be kept
	Size    int64  // octets of the message that Head is the start of
	Want    int64  // octets to read first; above 0 there is nothing else
}

// Read makes the records of a message. Their texts are void when its Body changes. An error is the cause of ctx, which has
// ended.
func (g Rules) Read(ctx context.Context, m Message, f Folder) (Result, error) {
	got, most := int64(len(m.Body)), min(m.Most, m.Size)
	memory := m.Memory
	if memory == nil {
		memory = new(Memory)
	}
	r, err := memory.parser.Parse(ctx, m.Body, m.Size)
	if err != nil {
		return Result{}, context.Cause(ctx)
	}
	if want := min(r.Need(), most); want > got {
		return Result{Want: want}, nil
	}
	g.disown(r)
	if got > 0 && got < most && m.ToEnd != nil && m.ToEnd(r.Kind) {
		return Result{Want: most}, nil
	}
	result := Result{ID: r.ID, Kind: r.Kind, Origin: r.Origin(), Need: r.Need(), Size: m.Size}
	envelope, doubts := m.envelope(r, f, &result)
	var tokens []string
	needsWhole := false
	if result.Records, tokens, needsWhole = g.records(ctx, memory.records[:0], r, m.Body, got >= most, envelope, doubts...); needsWhole {
		return Result{Want: most}, nil
	}
	if cap(result.Records) <= mostKept {
		memory.records = result.Records
	}
	if m.Head > 0 {
		plain := m.Body[:min(got, int64(m.Head))]
		result.Head = g.Privacy.Head(plain, r, tokens...)
		result.Size += int64(len(result.Head) - len(plain))
	}
	return result, nil
}

// ReadStart makes the records of a message of which only the start can be had.
// reason says why. No head is kept: a later reading has the whole message.
func (g Rules) ReadStart(ctx context.Context, m Message, f Folder, reason string) (Result, error) {
	r, err := report.ParsePrefixContext(ctx, m.Body, max(m.Size, int64(len(m.Body))+1))
	if err != nil {
		return Result{}, context.Cause(ctx)
	}
	own := g.disown(r)
	result := Result{ID: r.ID, Kind: r.Kind}
	envelope, doubts := m.envelope(r, f, &result)
	if own {
		return result, nil
	}
	switch r.Kind {
	case report.KindReport, report.KindUnparsed:
		result.Records, _ = g.Records(ctx, r, m.Body, true, envelope, doubts...)
		for i := range result.Records {
			parse := &result.Records[i].Parse
			if parse.Status == "ok" {
				parse.Status = report.ParsePartial
			}
			parse.Warnings = append(parse.Warnings, reason)
		}
	case report.KindDSN, report.KindMDN, report.KindDMARCAggregate, report.KindTLSRPT: // the start says so
	default:
		one := report.Unfetched(envelope, reason)
		result.ID, result.Kind, result.Records = one.ReportID, report.KindUnparsed, []report.Record{one}
	}
	return result, nil
}

func (m Message) envelope(r *report.Report, f Folder, result *Result) (report.Envelope, []report.Reason) {
	at, noted, doubts := f.dated(m.InternalDate, r)
	result.At = noted
	m.Mailbox.MessageID = r.Outer.MessageID
	return report.Envelope{ReceivedAt: at, ProcessedAt: time.Now(), Mailbox: &m.Mailbox}, doubts
}
