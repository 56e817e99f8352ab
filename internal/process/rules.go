package process

import (
	"context"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/enrich"
	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/privacy"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

// Reading is how a report becomes records: what its own text does not say. The
// zero Reading identifies nobody and trusts nobody.
type Rules struct {
	Providers report.Providers     // rows before the built-in ones
	Identify  *identify.Identifier // who is meant; nil: nobody is looked for
	Trust     *trust.Checker       // whether it is genuine; nil: unchecked
	DNS       bool                 // Trust asks the DNS
	Enrich    *enrich.Enricher     // what is known of the source address; nil: nothing is looked up
	Privacy   *privacy.Filter      // takes people out of what is stored; nil: keeps them
	Brake     *Brake               // how many verdicts may be yes; nil: all
}

// Asks tells whether reading a message may wait for others than this machine.
func (g Rules) Asks() bool { return g.Trust != nil && g.DNS || g.Enrich.Asks() }

// Records makes the records of r, which was read from message; whole: message is all
// that is to be had of it. doubts keep a verdict from being yes, see
// report.Record.Decide. needsWhole: a verdict wants the rest of the message first,
// and there are no records yet.
func (g Rules) Records(ctx context.Context, r *report.Report, message []byte, whole bool, e report.Envelope, doubts ...report.Reason) (records []report.Record, needsWhole bool) {
	e.Providers = g.Providers
	records = r.Records(e)
	if len(records) == 0 {
		return nil, false
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
			return nil, true
		case more:
			unchecked(own, report.Reason{Code: report.CodeTooLong, Text: "the message is too long to be checked"})
		}
	}
	g.decide(records, nil, doubts)
	g.Enrich.Records(ctx, records)
	g.Privacy.Records(records, g.inTokens(r)...) // last: what comes before needs the addresses
	return records, false
}

// trustOff is the reason where the config sets nothing of trust.
var trustOff = report.Reason{Code: report.CodeTrustOff, Text: "trust is not configured: set trust.own"}

// Of several reports that are attached to a message, none but the first can be what
// the message's sender vouches for; and the DNS is asked for one only.
var oneOfSeveral = report.Reason{Code: report.CodeSeveral, Text: "one of several reports that are attached to a message"}

// identify says whom the records are about. signed: a key of ours vouches for
// that.
func (g Rules) identify(r *report.Report, records []report.Record) (signed bool) {
	return g.Identify != nil && g.Identify.Identify(r, records)
}

// unchecked says why it was not found out who sent a message.
func unchecked(records []report.Record, reason report.Reason) {
	for i := range records {
		records[i].Reporter.Code, records[i].Reporter.Reason = reason.Code, reason.Text
	}
}

// decide gives the verdicts. was: the records as they stand now, by id. What the
// brake held back once waits for a person; what it let pass has its place.
func (g Rules) decide(records []report.Record, was map[string]*report.Record, doubts []report.Reason) {
	for i := range records {
		r := &records[i]
		verdict := r.Decide(doubts...)
		if verdict.Verdict == report.SuppressYes && !g.passes(r, was[r.ID]) {
			verdict = r.Decide(overTheBrake)
		}
		r.Suppress = &verdict
	}
}

func (g Rules) passes(r, was *report.Record) bool {
	switch {
	case was == nil || was.Suppress == nil:
	case was.Suppress.Verdict == report.SuppressYes, !was.Suppress.DecidedAt.IsZero():
		return true
	case was.Suppress.Has(report.CodeOverBrake):
		return false
	}
	return g.Brake.allows(r)
}

// Doubts are those about a message that was received at that time in a folder
// whose first contact was at contact: what is older than since then is history,
// which nobody wants acted upon unseen.
func Doubts(received, contact time.Time, since time.Duration) []report.Reason {
	if since <= 0 || contact.IsZero() || !received.Before(contact.Add(-since)) {
		return nil
	}
	return []report.Reason{{Code: report.CodeHistory, Text: "older than since at first contact"}}
}

// Head is the start of a message as it may be kept, of which r was read.
func (g Rules) Head(head []byte, r *report.Report) []byte {
	return g.Privacy.Head(head, r, g.inTokens(r)...)
}

// presets read what well-known senders write, whatever the config has on.
var presets = sync.OnceValue(func() *identify.Identifier {
	id, err := identify.New(identify.Config{})
	if err != nil {
		panic(err) // nothing in it comes from outside
	}
	return id
})

// inTokens are the addresses that tokens of the reported message hold, such as a
// VERP's: where the report names nobody they name him all the same. Without a
// filter nobody asks.
func (g Rules) inTokens(r *report.Report) (addresses []string) {
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
