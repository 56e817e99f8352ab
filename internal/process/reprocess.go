package process

import (
	"context"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

// Outcome is the result of reading a kept message again.
type Outcome string

const (
	Same    Outcome = "same"    // nothing differs
	Revises Outcome = "revised" // the Revision is to be written
	Short   Outcome = "short"   // the reading needs more octets than are kept
	Pruned  Outcome = "pruned"  // the ledger has deleted the message's records
	Worse   Outcome = "worse"   // the reading gives no record, or an unparsed one, and the ledger has a better one: nothing is written
)

// Reprocess reads a kept message again by the rules of today. rows are all records
// that the ledger has of the message, replaced ones too.
//
// Some of a record never changes: a sender that was proved or refuted when the
// message came, and a person's decision. If privacy took people out of the kept
// head, only what the rules say of the message changes.
func (g Rules) Reprocess(ctx context.Context, kept ledger.KeptMessage, rows []ledger.Row, now time.Time, doubts ...report.Reason) (ledger.Revision, Outcome, error) {
	was, err := newHistory(rows)
	if err != nil {
		return ledger.Revision{}, "", err
	}
	made := kept.Made > 0 || kept.Kind == string(report.KindReport) || kept.Kind == string(report.KindUnparsed) // or by a later reading
	if made && len(was.current) == 0 {
		return ledger.Revision{}, Pruned, nil
	}
	box := &report.Mailbox{
		Account: kept.Folder.Account, Folder: kept.Folder.Name, UID: kept.UID, UIDValidity: kept.UIDValidity, Size: kept.Size,
	}
	for _, old := range was.current {
		if old.Mailbox != nil {
			box = old.Mailbox
		}
	}
	size := kept.Size
	if size == 0 {
		size = box.Size
	}
	if size == 0 { // unknown: the message may have been longer
		size = int64(len(kept.Head)) + 1
	}
	r := report.ParsePrefix(kept.Head, size)
	if r.Need() > int64(len(kept.Head)) {
		return ledger.Revision{}, Short, nil
	}
	g.disown(r)
	altered := r.ID != kept.ReportID // privacy
	r.ID = kept.ReportID

	records := r.Records(report.Envelope{ReceivedAt: kept.At, ProcessedAt: now, Mailbox: box, Providers: g.Providers})
	if was.better(records) {
		return ledger.Revision{}, Worse, nil
	}
	if altered && len(records) > 0 && len(was.current) > 0 && (records[0].Event == report.Unparsed) == was.unparsed() {
		records = was.keep(r, records)
	}
	if len(records) > 0 {
		var first []report.Record // empty if privacy altered the head so that no record is the message's own
		var signed bool
		for one, own := range r.Split(records) {
			switch vouched := g.identify(one, own); {
			case one == r:
				first, signed = own, vouched
			case altered || r.Kind != report.KindReport:
			case g.Trust == nil:
				unchecked(own, trustOff)
			default:
				unchecked(own, oneOfSeveral)
			}
		}
		if altered {
			for i := range records {
				was.known(&records[i])
			}
		}
		if r.Kind == report.KindReport && len(first) > 0 {
			g.trust(ctx, kept, r, first, was, altered, signed)
		}
		g.decide(records, was.current, doubts)
		for i := range records {
			was.source(&records[i])
		}
		g.Enrich.Records(ctx, records)
		g.Privacy.Records(records, g.Tokens(r)...)
	}
	for i := range records {
		was.keepFacts(&records[i], altered)
	}
	revision, changed := was.revision(kept, r, records, g.Brake)
	if !changed {
		return revision, Same, nil
	}
	return revision, Revises, nil
}

// trust sets the reporter: the one that was found when the message came, or else
// the one that can be found today.
func (g Rules) trust(ctx context.Context, kept ledger.KeptMessage, r *report.Report, records []report.Record, was history, altered, signed bool) {
	found := was.reporter()
	proved := found != nil && (found.Auth == report.AuthPass || found.Auth == report.AuthFail)
	switch {
	case g.Trust == nil && !proved:
		unchecked(records, trustOff)
	case g.Trust == nil: // the proof is kept: trust may be configured again
		for i := range records {
			reporter := *found
			if reporter.Trusted {
				reporter.Trusted, reporter.Code, reporter.Reason = false, report.CodeTrustOff, "trust is no longer asked for"
			}
			records[i].Reporter = &reporter
		}
	case proved:
		g.Trust.Judge(*found, r, records, signed)
	case altered && found != nil:
		for i := range records {
			reporter := *found
			records[i].Reporter = &reporter
		}
	case altered:
		unchecked(records, report.Reason{Code: report.CodeTooLong, Text: "the message is kept without its people"})
	case g.Trust.Check(ctx, kept.Head, r, records, kept.At, signed):
		unchecked(records, report.Reason{Code: report.CodeTooLong, Text: "the whole message was not kept"})
	}
}
