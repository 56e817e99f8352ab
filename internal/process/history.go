package process

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

// history is what the ledger has of a message.
type history struct {
	current map[string]*report.Record // by id
	last    map[string]int            // the last revision of each id, current or replaced
	json    map[string][]byte         // of current
	at      time.Time                 // of all of the message's records; zero: there are none
}

// newHistory reads the ledger's rows of one message.
func newHistory(rows []ledger.Row) (history, error) {
	h := history{current: make(map[string]*report.Record), last: make(map[string]int), json: make(map[string][]byte)}
	for _, row := range rows {
		h.last[row.ID] = max(h.last[row.ID], row.Revision)
		h.at = row.At
		if row.Replaced {
			continue
		}
		r, err := ReadRecord(row)
		if err != nil {
			return h, err
		}
		h.current[row.ID], h.json[row.ID] = &r, row.JSON
	}
	return h, nil
}

// better reports whether the ledger's records say more than the new reading.
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
		return old.Event == report.Unparsed // an unparsed record is the message's only one
	}
	return false
}

// reporter is the reporter of the message's first record; nil: there is none.
func (h history) reporter() *report.Reporter {
	if len(h.current) == 0 {
		return nil
	}
	return h.inOrder()[0].Reporter
}

// inOrder lists the current records by number.
func (h history) inOrder() []*report.Record {
	return slices.SortedFunc(maps.Values(h.current), func(a, b *report.Record) int { // .2 before .10
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
}

// keep gives the records that the message made when it came, with what today's
// rules read in its altered head. A complainant that the head no longer names
// counts as named meanwhile: keepFacts takes the name out again.
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

// follow sets what the rules say of another reading of the same report.
func follow(r, rules *report.Record) {
	r.Event, r.Class, r.Provider, r.Feed, r.Dialect = rules.Event, rules.Class, rules.Provider, rules.Feed, rules.Dialect
}

// known adds to a record's identity what was known when the message came and
// cannot be read in an altered head.
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

// source keeps what was known of a record's source address when the message came:
// today the address may be another's. What was not known may be added.
func (h history) source(r *report.Record) {
	if old := h.current[r.ID]; old != nil && old.SourceIP == r.SourceIP {
		r.Source = old.Source
	}
}

// keepFacts sets what no reading changes.
func (h history) keepFacts(r *report.Record, altered bool) {
	old := h.current[r.ID]
	if old == nil {
		return
	}
	if old.ReceivedAt.IsZero() {
		r.ReceivedAt = time.Time{} // the ledger's time is of the reading
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

// differ reports whether two records name different people.
func differ(a, b *report.Record) bool {
	if a.OriginalRcptTo != "" && b.OriginalRcptTo != "" {
		return !strings.EqualFold(a.OriginalRcptTo, b.OriginalRcptTo)
	}
	return a.Identity != nil && b.Identity != nil && a.Identity.Subscriber != "" && b.Identity.Subscriber != "" &&
		(a.Identity.Subscriber != b.Identity.Subscriber || a.Identity.Tenant != b.Identity.Tenant)
}

// revision is what is to be written; false: nothing.
func (h history) revision(kept ledger.KeptMessage, r *report.Report, records []report.Record, brake *Brake) (ledger.Revision, bool) {
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
		if old == nil || old.Suppress == nil || old.Suppress.Verdict != report.SuppressYes {
			brake.Hold(&row, now)
		}
		if now.ReceivedAt.IsZero() && !h.at.IsZero() {
			row.At = h.at // the time of this reading would move the record
		}
		revision.Records = append(revision.Records, row)
	}
	return revision, len(revision.Records) > 0 || revision.Kind != kept.Kind
}

// same reports whether two records differ at most in the time of reading and the
// wording of reasons. Older versions wrote keys in another order, and no codes.
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
