package watch

import (
	"context"

	"github.com/fblwatch/fblwatch/internal/authentic"
	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/privacy"
	"github.com/fblwatch/fblwatch/report"
)

// Reading is how a report becomes records: what its own text does not say. The
// zero Reading identifies nobody and trusts nobody.
type Reading struct {
	Providers report.Providers     // rows before the built-in ones
	Identify  *identify.Identifier // who is meant; nil: nobody is looked for
	Trust     *authentic.Checker   // whether it is genuine; nil: unchecked
	DNS       bool                 // Trust asks the DNS
	Privacy   *privacy.Filter      // takes people out of what is stored; nil: keeps them
}

// Asks tells whether reading a mail may wait for others than this machine.
func (g Reading) Asks() bool { return g.Trust != nil && g.DNS }

// Records makes the records of r, which was read from mail; whole: mail is all
// that is to be had of it. needsWhole: a verdict wants the rest of the mail
// first, and there are no records yet.
func (g Reading) Records(ctx context.Context, r *report.Report, mail []byte, whole bool, e report.Envelope) (records []report.Record, needsWhole bool) {
	e.Providers = g.Providers
	records = r.Records(e)
	if len(records) == 0 {
		return nil, false
	}
	verified := false
	if g.Identify != nil {
		verified = g.Identify.Identify(r, records)
	}
	if g.Trust != nil && r.Kind == report.KindReport {
		token := verified && records[0].Class == report.ClassCFBL
		reporter := g.Trust.Check(ctx, mail, whole, r, e.ReceivedAt, token)
		if reporter.Reason == authentic.NeedsWhole && !whole {
			return nil, true
		}
		for i := range records {
			own := reporter
			if own.Trusted && !g.Trust.Own(&records[i]) {
				own.Trusted, own.Reason = false, "the reported mail is not ours"
			}
			records[i].Reporter = &own
		}
	}
	for i := range records {
		verdict := records[i].Decide()
		records[i].Suppress = &verdict
	}
	g.Privacy.Records(records) // last: what comes before needs the addresses
	return records, false
}

// Head is the start of a mail as it may be kept, of which r was read.
func (g Reading) Head(head []byte, r *report.Report) []byte { return g.Privacy.Head(head, r) }
