package process

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

// Outcome is what reading a kept message again showed.
type Outcome string

const (
	Same    Outcome = "same"    // nothing is different
	Revises Outcome = "revised" // there is a Revision to make
	Short   Outcome = "short"   // more octets would be needed than are kept
	Pruned  Outcome = "pruned"  // its records are not kept any more
	Worse   Outcome = "worse"   // it would make no record, or an unparsed one, where there is a better one: left as it is
)

// Reprocess reads a kept message again, as this Reading has it today. rows are all
// records that the ledger has of it, those that were replaced among them.
//
// What can be found out only when a message comes stands: who sent it where that
// was proved or refuted, and what a person decided. Where people were taken out
// of the head that is kept, all stands but what the rules say of the message.
func (g Rules) Reprocess(ctx context.Context, kept ledger.KeptMessage, rows []ledger.Row, now time.Time, doubts ...report.Reason) (ledger.Revision, Outcome, error) {
	was, err := earlier(rows)
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
	if size == 0 { // unknown: more may have been there
		size = int64(len(kept.Head)) + 1
	}
	r := report.ParsePrefix(kept.Head, size)
	if r.Need() > int64(len(kept.Head)) {
		return ledger.Revision{}, Short, nil
	}
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
		var first []report.Record // of altered ones it may be that nobody knows whose they are
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
		g.Privacy.Records(records, g.inTokens(r)...)
	}
	for i := range records {
		was.stands(&records[i], altered)
	}
	revision, changed := was.revision(kept, r, records)
	if !changed {
		return revision, Same, nil
	}
	return revision, Revises, nil
}

// trust says who sent the message: as it was found when it came, else as can be
// told today.
func (g Rules) trust(ctx context.Context, kept ledger.KeptMessage, r *report.Report, records []report.Record, was history, altered, signed bool) {
	found := was.reporter()
	proved := found != nil && (found.Auth == report.AuthPass || found.Auth == report.AuthFail)
	switch {
	case g.Trust == nil && !proved:
		unchecked(records, trustOff)
	case g.Trust == nil: // kept for when it is asked for again
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

// history is what the ledger says of a message.
type history struct {
	current map[string]*report.Record // by id
	last    map[string]int            // the last revision of each id, current or not
	json    map[string][]byte         // of current
	at      time.Time                 // of the message's records, all; zero: there are none
}

func earlier(rows []ledger.Row) (history, error) {
	h := history{current: make(map[string]*report.Record), last: make(map[string]int), json: make(map[string][]byte)}
	for _, row := range rows {
		h.last[row.ID] = max(h.last[row.ID], row.Revision)
		h.at = row.At
		if row.Replaced {
			continue
		}
		r := new(report.Record)
		if err := json.Unmarshal(row.JSON, r); err != nil {
			return h, fmt.Errorf("record %s of the ledger is no record: %w", row.ID, err)
		}
		h.current[row.ID], h.json[row.ID] = r, row.JSON
	}
	return h, nil
}

// better reports whether what the ledger has says more than the new reading:
// nothing is taken back.
func (h history) better(records []report.Record) bool {
	switch {
	case len(h.current) == 0:
		return false
	case len(records) == 0:
		return true
	}
	return records[0].Event == report.Unparsed && !h.unparsed()
}

func (h history) unparsed() bool {
	for _, old := range h.current {
		return old.Event == report.Unparsed // then there is one only
	}
	return false
}

// reporter is who sent the message, as its first record has it.
func (h history) reporter() *report.Reporter {
	if len(h.current) == 0 {
		return nil
	}
	return h.inOrder()[0].Reporter
}

// inOrder are the current records by their number.
func (h history) inOrder() []*report.Record {
	return slices.SortedFunc(maps.Values(h.current), func(a, b *report.Record) int { // .2 before .10
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
}

// keep gives the records that the message made when it came, but for what today's
// rules say, as read of its altered head. For them, whom it named is named
// still; stands takes that out again.
func (h history) keep(message *report.Report, read []report.Record) (records []report.Record) {
	for _, old := range h.inOrder() {
		records = append(records, *old)
	}
	at := 0
	for _, own := range message.Split(records) {
		for i := range own {
			follow(&own[i], &read[at])
		}
		at += len(own)
	}
	for i := range records {
		r := &records[i]
		r.ProcessedAt = read[0].ProcessedAt
		switch {
		case r.Complainant == report.Named || r.Complainant == report.Candidate:
		case r.Suppress != nil && (r.Suppress.Named() || r.Suppress.KnowsWho() && r.Complainant != report.Token):
			r.Complainant, r.OriginalRcptTo = report.Named, "redacted"
		case r.RcptHash != "":
			r.Complainant = report.Hashed
		case r.Complainant != "":
			r.Complainant = report.NoOne
		}
		r.Identify(report.Identity{Status: report.Unidentified})
	}
	return records
}

// follow gives a record what rules say of another reading of its report.
func follow(r, rules *report.Record) {
	r.Event, r.Class, r.Provider, r.Feed, r.Dialect = rules.Event, rules.Class, rules.Provider, rules.Feed, rules.Dialect
}

// known gives the identity of a record what was known of it when the message came
// and cannot be read of an altered head.
func (h history) known(r *report.Record) {
	old := h.current[r.ID]
	if old == nil || old.Identity == nil || r.Identity == nil {
		return
	}
	id := *r.Identity
	id.By = maps.Clone(id.By)
	for name, field := range map[string][2]*string{
		"subscriber": {&id.Subscriber, &old.Identity.Subscriber}, "campaign": {&id.Campaign, &old.Identity.Campaign},
		"tenant": {&id.Tenant, &old.Identity.Tenant}, "message_id": {&id.MessageID, &old.Identity.MessageID},
	} {
		if *field[0] != "" || *field[1] == "" {
			continue
		}
		*field[0] = *field[1]
		if id.By == nil {
			id.By = make(map[string]report.Rule)
		}
		id.By[name] = old.Identity.By[name]
	}
	switch {
	case id.Subscriber != "":
		id.Status = report.Identified
	case len(id.By) > 0:
		id.Status = report.PartlyIdentified
	}
	r.Identify(id)
}

// source gives a record what was known of its address when the message came: today
// another may have it. What was not known, or not asked, may be added.
func (h history) source(r *report.Record) {
	if old := h.current[r.ID]; old != nil && old.SourceIP == r.SourceIP {
		r.Source = old.Source
	}
}

// stands gives a record what no reading changes.
func (h history) stands(r *report.Record, altered bool) {
	old := h.current[r.ID]
	if old == nil {
		return
	}
	if old.ReceivedAt.IsZero() {
		r.ReceivedAt = time.Time{} // what the ledger notes instead is when it was read
	}
	if r.ReceivedAt.Equal(old.ReceivedAt.Truncate(time.Millisecond)) {
		r.ReceivedAt = old.ReceivedAt // the ledger counts in milliseconds
	}
	if altered {
		r.OriginalRcptTo, r.RcptHash, r.Fingerprint = old.OriginalRcptTo, old.RcptHash, old.Fingerprint
		if r.Complainant != report.Token {
			r.Complainant = old.Complainant
		}
	}
	if old.Suppress != nil && !old.Suppress.DecidedAt.IsZero() && !differ(old, r) {
		r.Suppress = old.Suppress
	}
}

// differ tells whether two records are about different people, as far as both
// name them.
func differ(a, b *report.Record) bool {
	if a.OriginalRcptTo != "" && b.OriginalRcptTo != "" {
		return !strings.EqualFold(a.OriginalRcptTo, b.OriginalRcptTo)
	}
	return a.Identity != nil && b.Identity != nil && a.Identity.Subscriber != "" && b.Identity.Subscriber != "" &&
		(a.Identity.Subscriber != b.Identity.Subscriber || a.Identity.Tenant != b.Identity.Tenant)
}

// revision is what there is to write, if anything.
func (h history) revision(kept ledger.KeptMessage, r *report.Report, records []report.Record) (ledger.Revision, bool) {
	revision := ledger.Revision{ReportID: kept.ReportID, Kind: string(r.Kind)}
	for id := range h.current {
		if !slices.ContainsFunc(records, func(r report.Record) bool { return r.ID == id }) {
			revision.Replaced = append(revision.Replaced, id)
		}
	}
	slices.Sort(revision.Replaced)
	for i := range records {
		now := &records[i]
		old := h.current[now.ID]
		if old == nil {
			now.Supersedes = revision.Replaced
		} else {
			now.Supersedes = old.Supersedes
			if i == 0 && len(revision.Replaced) > 0 {
				now.Supersedes = slices.Concat(old.Supersedes, revision.Replaced)
			}
			if h.same(now, old) {
				continue
			}
		}
		now.Revision = h.last[now.ID] + 1
		row := LedgerRecord(now, now.AppendJSON(nil))
		if now.ReceivedAt.IsZero() && !h.at.IsZero() {
			row.At = h.at // not the time of this reading
		}
		revision.Records = append(revision.Records, row)
	}
	return revision, len(revision.Records) > 0 || revision.Kind != kept.Kind
}

// same reports whether nothing but the time of reading, and the wording of
// reasons, is different. An older version may have written the same record in
// another order, and wrote no codes.
func (h history) same(now, old *report.Record) bool {
	like := *now
	like.Revision, like.ProcessedAt = old.Revision, old.ProcessedAt
	text := like.AppendJSON(nil)
	if bytes.Equal(text, h.json[old.ID]) || bytes.Equal(text, old.AppendJSON(nil)) {
		return true
	}
	was := *old
	coded := was.Suppress != nil && len(was.Suppress.Codes) > 0
	for _, r := range []*report.Record{&like, &was} {
		if s := r.Suppress; s != nil {
			bare := report.Suppress{Verdict: s.Verdict, DecidedAt: s.DecidedAt}
			if coded {
				bare.Codes = s.Codes
			}
			r.Suppress = &bare
		}
		if by := r.Reporter; by != nil {
			bare := *by
			bare.Reason = ""
			if !coded {
				bare.Code = ""
			}
			r.Reporter = &bare
		}
	}
	return bytes.Equal(like.AppendJSON(nil), was.AppendJSON(nil))
}
