// Package process makes records of the bytes of one message, by the rules of the config:
// who is identified, who is trusted, what is looked up, and what is stored.
package process

import (
	"context"
	"sync"

	"github.com/fblwatch/fblwatch/internal/enrich"
	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/privacy"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

// Rules turn a report into records: they add what its own text does not say. The
// zero Rules identify nobody and trust nobody.
type Rules struct {
	Providers  report.Providers     // come before the built-in ones
	Identify   *identify.Identifier // finds the subscriber; nil: nobody is identified
	Trust      *trust.Checker       // checks whether a report is genuine; nil: nothing is checked
	DNS        bool                 // Trust asks the DNS
	Enrich     *enrich.Enricher     // describes the source address; nil: nothing is looked up
	Privacy    *privacy.Filter      // takes people out of what is stored; nil: people are stored
	Forwarders []string             // the addresses of sinks that send reports on, in lower case
	Brake      *Brake               // limits the verdicts yes; nil: no limit
}

// Asks reports whether reading a message may wait for the network.
func (g Rules) Asks() bool { return g.Trust != nil && g.DNS || g.Enrich.Asks() }

// Records makes the records of r, which was parsed from message. whole: there is no
// more of the message to be had. doubts keep a verdict from being yes, see
// report.Record.Decide. needsWhole: a verdict needs the rest of the message first,
// and no record is made.
func (g Rules) Records(ctx context.Context, r *report.Report, message []byte, whole bool, e report.Envelope, doubts ...report.Reason) (records []report.Record, needsWhole bool) {
	records, _, needsWhole = g.records(ctx, nil, r, message, whole, e, doubts...)
	return records, needsWhole
}

// records is Records in the memory of dst, which is empty. tokens are those of Tokens.
func (g Rules) records(ctx context.Context, dst []report.Record, r *report.Report, message []byte, whole bool, e report.Envelope, doubts ...report.Reason) (records []report.Record, tokens []string, needsWhole bool) {
	e.Providers = g.Providers
	records = r.AppendRecords(dst, e)
	if len(records) == 0 {
		return nil, g.Tokens(r), false
	}
	for one, own := range r.Split(records) {
		signed := g.identify(one, own)
		if r.Kind != report.KindReport {
			continue
		}
		if g.Trust == nil {
			unchecked(own, trustOff)
			continue
		}
		if one != r {
			unchecked(own, oneOfSeveral)
			continue
		}
		switch more := g.Trust.Check(ctx, message, r, own, e.ReceivedAt, signed); {
		case more && !whole:
			return nil, nil, true
		case more:
			unchecked(own, report.Reason{Code: report.CodeTooLong, Text: "the message is too long to be checked"})
		}
	}
	g.decide(records, nil, doubts)
	g.Enrich.Records(ctx, records)
	tokens = g.Tokens(r)
	g.Privacy.Records(records, tokens...) // last: all else needs the addresses
	return records, tokens, false
}

// trustOff is the reason if the config does not set trust.
var trustOff = report.Reason{Code: report.CodeTrustOff, Text: "trust is not configured: set trust.own"}

// oneOfSeveral is the reason for reports after the first that is attached to a
// message: the message's sender vouches for the first only.
var oneOfSeveral = report.Reason{Code: report.CodeSeveral, Text: "one of several reports that are attached to a message"}

// identify sets the records' identity. signed: a key of ours vouches for it.
func (g Rules) identify(r *report.Report, records []report.Record) (signed bool) {
	return g.Identify != nil && g.Identify.Identify(r, records)
}

// unchecked sets why the sender of a message is not known.
func unchecked(records []report.Record, reason report.Reason) {
	for i := range records {
		records[i].Reporter.Code, records[i].Reporter.Reason = reason.Code, reason.Text
	}
}

// decide sets the verdicts. was are the ledger's records by id: what the brake once
// held back waits for a person.
func (g Rules) decide(records []report.Record, was map[string]*report.Record, doubts []report.Reason) {
	for i := range records {
		r := &records[i]
		verdict := r.Decide(doubts...)
		if old := was[r.ID]; verdict.Verdict == report.SuppressYes && old != nil && old.Suppress != nil &&
			old.Suppress.DecidedAt.IsZero() && old.Suppress.Has(report.CodeOverBrake) {
			verdict = r.Decide(overTheBrake)
		}
		r.Suppress = &verdict
	}
}

// Head is the start of a message as it may be stored. r was parsed from it.
func (g Rules) Head(head []byte, r *report.Report) []byte {
	return g.Privacy.Head(head, r, g.Tokens(r)...)
}

// presets are all built-in rules, whatever the config has on.
var presets = sync.OnceValue(func() *identify.Identifier {
	id, err := identify.New(identify.Config{})
	if err != nil {
		panic(err) // the presets are constants
	}
	return id
})

// Tokens lists the addresses that tokens of the reported message hold, such as a
// VERP: they name the complainant even if the report does not. Without a filter
// the list is empty.
func (g Rules) Tokens(r *report.Report) (addresses []string) {
	if g.Privacy == nil {
		return nil
	}
	records := r.Records(report.Envelope{Providers: g.Providers})
	for _, id := range []*identify.Identifier{g.Identify, presets()} {
		if id == nil {
			continue
		}
		for one, own := range r.Split(records) {
			addresses = append(addresses, id.Subscribers(one, own)...)
		}
	}
	return addresses
}
