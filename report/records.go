package report

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/fblwatch/fblwatch/internal/message"
)

// Records returns the records of the report and of More: one for each recipient that a
// report names, at least one a report. A message of KindUnparsed makes one record with
// the number 0; a message of another kind makes none. A message makes at most 1,000
// records and 32 MiB of them. The records share maps, lists and pointers; Identity,
// Reporter and Suppress are each record's own.
func (r *Report) Records(e Envelope) []Record { return r.AppendRecords(nil, e) }

// AppendRecords appends to dst what Records returns.
func (r *Report) AppendRecords(dst []Record, e Envelope) []Record {
	if r.Kind != KindReport && r.Kind != KindUnparsed {
		return dst
	}
	first := len(dst)
	dst = r.appendRecords(dst, e, 0)
	for _, more := range r.More {
		dst = more.appendRecords(dst, e, len(dst)-first)
	}
	if r.long() {
		for i := range dst[first:] {
			dst[first+i] = dst[first+i].fit(MaxLine - spareLine)
		}
	}
	return dst
}

// long reports whether the line of a record may have more octets than it should: a
// character takes six at most.
func (r *Report) long() bool {
	return r.texts > MaxLine/8 || slices.ContainsFunc(r.More, (*Report).long)
}

// appendRecords appends those of this report; before is how many others' come before.
func (r *Report) appendRecords(dst []Record, e Envelope, before int) []Record {
	dialect := r.dialect()
	row := e.Providers.of(r, dialect)
	n := 1
	if r.Kind == KindReport {
		n = r.many()
	}
	dst = slices.Grow(dst, n)[:len(dst)+n]
	records := dst[len(dst)-n:]
	base := &records[0]
	r.record(base, e, &row, dialect)
	if r.Kind == KindUnparsed {
		base.ID = r.ID + ".0"
		base.Event, base.Complainant = Unparsed, ""
		if len(r.OriginalRcptTo) > 0 {
			base.Extensions = maps.Clone(base.Extensions)
			if base.Extensions == nil {
				base.Extensions = make(map[string][]string, 1)
			}
			base.Extensions["original-rcpt-to"] = append(r.OriginalRcptTo[:len(r.OriginalRcptTo):len(r.OriginalRcptTo)], base.Extensions["original-rcpt-to"]...)
		}
		base.own(r)
		return dst
	}
	if r.share > 0 {
		*base = base.fit(r.share)
	}
	base.Recipients, base.Complainant = len(r.OriginalRcptTo), NoOne
	for i := range records {
		rec := &records[i]
		if i > 0 {
			*rec = *base
			rec.Incidents = 0
		}
		rec.ID = r.ID + "." + strconv.Itoa(before+i+1)
		if len(r.OriginalRcptTo) > 0 {
			rec.recipient(r.OriginalRcptTo[i], len(r.OriginalRcptTo), row.Hashes)
		}
		if i > 0 {
			rec.own(r)
		}
	}
	base.own(r) // last: until here the others are copies of it
	return dst
}

// room is what the records of a message may still take.
type room struct{ records, octets int }

// leastShare is how many octets each record of a message may have, however many there
// are.
const leastShare = maxRecords / maxRecipients

// limit leaves values out of the records, each of which repeats what the report
// says, until all fit into the room that is left; then recipients. It returns what
// room is left; the few records of most reports do not count.
func (p *parser) limit(left room) room {
	r := p.r
	if len(r.OriginalRcptTo) <= 16 || r.Kind != KindReport {
		return left
	}
	var common Record
	r.record(&common, Envelope{}, &Provider{}, r.dialect())
	reporter := r.reporter()
	common.Reporter = &reporter
	each := len(common.AppendJSON(nil))
	if share := max(leastShare, left.octets/max(1, min(len(r.OriginalRcptTo), left.records))); each > share {
		r.share = share
		common = common.fit(share)
		each = len(common.AppendJSON(nil))
	}
	if most := max(16, min(left.records, left.octets/each)); len(r.OriginalRcptTo) > most {
		p.loss("original-rcpt-to: more than the records of a mail may hold")
		for _, rcpt := range r.OriginalRcptTo[most:] {
			p.extend("original-rcpt-to", rcpt)
		}
		r.OriginalRcptTo = r.OriginalRcptTo[:most:most]
	}
	n := len(r.OriginalRcptTo)
	return room{max(0, left.records-n), max(0, left.octets-n*each)}
}

// record sets rec to what all records of the report have in common.
func (r *Report) record(rec *Record, e Envelope, row *Provider, dialect string) {
	*rec = Record{
		Schema: Schema, Revision: 1, ReportID: r.ID,
		Event: r.event(), Class: row.Class, Provider: row.Name, Feed: row.Feed, Dialect: dialect,
		ReceivedAt: utc(e.ReceivedAt), ReportedAt: r.reportedAt(), ProcessedAt: utc(e.ProcessedAt),
		FeedbackType: r.FeedbackType, UserAgent: r.UserAgent, Version: r.Version,
		ArrivalDate: utc(r.ArrivalDate), ArrivalDateRaw: r.ArrivalDateRaw,
		SourceIP: r.SourceIP, SourcePort: r.SourcePort,
		OriginalMailFrom: r.OriginalMailFrom, OriginalEnvelopeID: r.OriginalEnvelopeID, ReportingMTA: r.ReportingMTA,
		Incidents:             r.Incidents,
		AuthenticationResults: r.AuthenticationResults, ReportedDomain: r.ReportedDomain, ReportedURI: r.ReportedURI,
		AuthFailure: r.AuthFailure,
		Extensions:  r.Extensions, Original: r.Original, Derived: r.Derived,
		Mailbox: e.Mailbox,
		Parse:   r.status(),
	}
	if r.whole && r.Kind == KindReport {
		rec.deriveByHosts(r, row.Hosts)
	}
	rec.bound(e, r)
	if m := e.Mailbox; m != nil && m.MessageID == "" && r.Outer.MessageID != "" {
		filled := *m
		filled.MessageID = r.Outer.MessageID
		rec.Mailbox = &filled
	}
}

// farthest ends the times in a record: what tables count nanoseconds in, as most do,
// ends in 2262.
var farthest = time.Date(2262, time.January, 1, 0, 0, 0, 0, time.UTC)

// bound leaves out the times that cannot be: a message does not arrive more than a
// day after its report was received. What the report says stays in ArrivalDateRaw.
func (rec *Record) bound(e Envelope, r *Report) {
	receipt := utc(e.ReceivedAt)
	if receipt.IsZero() {
		receipt = r.Outer.Received
		if now := utc(e.ProcessedAt); receipt.IsZero() || !now.IsZero() && receipt.After(now) {
			receipt = now
		}
	}
	if at := rec.ArrivalDate; !at.Before(farthest) || !receipt.IsZero() && at.After(receipt.Add(24*time.Hour)) {
		rec.ArrivalDate = time.Time{}
		if rec.Derived["arrival_date"] != "" {
			rec.Derived = maps.Clone(rec.Derived)
			delete(rec.Derived, "arrival_date")
		}
		rec.warn("arrival-date: more than a day after the receipt")
	}
	if !rec.ReportedAt.Before(farthest) {
		rec.ReportedAt = time.Time{}
		rec.warn("date: beyond the year 2261")
	}
	if o := rec.Original; o != nil && !o.Date.Before(farthest) {
		rec.Original = copied(o)
		rec.Original.Date = time.Time{}
		rec.warn("original: a date beyond the year 2261")
	}
}

// recipient sets who complained: one of n that the report names.
func (rec *Record) recipient(rcpt string, n int, hashes bool) {
	rec.Complainant, rec.RcptHash, rec.OriginalRcptTo = Named, "", rcpt
	if hashes && message.IsHash(rcpt) {
		rec.Complainant, rec.RcptHash, rec.OriginalRcptTo = Hashed, rcpt, ""
	}
	if n > 1 {
		rec.Complainant = Candidate
	}
}

// reporter is who sent the report, as far as it says so itself.
func (r *Report) reporter() Reporter {
	return Reporter{From: r.Outer.From, FromDomain: r.Outer.FromDomain, Auth: AuthUnchecked, Code: CodeTrustUnchecked, Reason: "not checked"}
}

// own gives the record what no two records share.
func (rec *Record) own(r *Report) {
	own := &struct { // one block
		Reporter
		Identity
		Suppress
	}{Reporter: r.reporter(), Identity: Identity{Status: Unidentified}}
	rec.Reporter = &own.Reporter
	rec.identify(&own.Identity)
	own.Suppress = rec.Decide()
	rec.Suppress = &own.Suppress
}

// Identify sets Identity, and Complainant and Fingerprint with it: if the report does not
// name the complainant in clear, a subscriber makes Complainant a Token. Call
// Decide afterwards: Identify leaves Suppress as it is.
func (rec *Record) Identify(id Identity) { rec.identify(&id) }

func (rec *Record) identify(id *Identity) {
	rec.Identity = id
	if named := rec.OriginalRcptTo + rec.RcptHash; named == "" {
		rec.fingerprint(id.Subscriber)
	} else if rec.Fingerprint == "" {
		rec.fingerprint(named)
	}
	if id.Subscriber != "" && (rec.Complainant == NoOne || rec.Complainant == Hashed) {
		rec.Complainant = Token
	}
}

func (rec *Record) fingerprint(person string) {
	messageID := ""
	if rec.Original != nil {
		messageID = rec.Original.MessageID
	}
	if rec.Fingerprint = ""; person != "" || messageID != "" {
		rec.Fingerprint = digest(string(rec.Event), rec.Provider, messageID, person)
	}
}

// digest is 32 hex digits of SHA-256 over the pieces, each as decimal length,
// ":", octets.
func digest(pieces ...string) string {
	var space [512]byte
	b := space[:0]
	for _, piece := range pieces {
		b = strconv.AppendInt(b, int64(len(piece)), 10)
		b = append(b, ':')
		b = append(b, piece...)
	}
	sum := sha256.Sum256(b)
	return digits(&sum)
}

// reportedAt is the outer Date where it lies within two days of the topmost
// Received, else that Received.
func (r *Report) reportedAt() time.Time {
	date, received := r.Outer.Date, r.Outer.Received
	if !received.IsZero() && (date.IsZero() || date.Sub(received).Abs() > 48*time.Hour) {
		return utc(received)
	}
	return utc(date)
}

func (r *Report) status() ParseStatus {
	s := ParseStatus{Status: ParseOK}
	for _, problem := range r.Problems {
		s.Warnings = append(s.Warnings, problem.Text)
		if problem.Loss {
			s.Status = ParsePartial
		}
	}
	if r.need > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("message: cut at %d octets, more of it was wanted", r.given))
		s.Status = ParsePartial
	}
	if r.Kind == KindUnparsed {
		s.Status = ParseFailed
	}
	return s
}

// Unfetched returns the unparsed record of a message that cannot be fetched; reason, for
// people, says why. Its ID begins with "u" and depends on e.Mailbox alone.
func Unfetched(e Envelope, reason string) Record {
	m := Mailbox{}
	if e.Mailbox != nil {
		m = *e.Mailbox
	}
	id := digest(m.Account, m.Folder, strconv.FormatUint(m.UIDValidity, 10), strconv.FormatUint(uint64(m.UID), 10))
	rec := Record{
		Schema: Schema, ID: "u" + id + ".0", Revision: 1, ReportID: "u" + id,
		Event: Unparsed, Class: ClassFBL, Provider: "unknown", Feed: "unknown", Dialect: "unknown",
		ReceivedAt: utc(e.ReceivedAt), ProcessedAt: utc(e.ProcessedAt),
		Identity: &Identity{Status: Unidentified},
		Mailbox:  e.Mailbox,
		Parse:    ParseStatus{Status: ParseFailed, Warnings: []string{reason}},
	}
	suppress := rec.Decide()
	rec.Suppress = &suppress
	return rec
}

// Split yields r and each report of More with its own part of records, which are those of
// Records. If the counts do not match, Split yields nothing.
func (r *Report) Split(records []Record) iter.Seq2[*Report, []Record] {
	return func(yield func(*Report, []Record) bool) {
		if len(r.More) == 0 {
			if len(records) == 0 || len(records) == max(1, records[0].Recipients) {
				yield(r, records)
			}
			return
		}
		all, rest := append([]*Report{r}, r.More...), records
		for _, one := range all {
			n := one.many()
			if len(rest) < n || max(1, rest[0].Recipients) != n {
				return
			}
			rest = rest[n:]
		}
		for _, one := range all {
			if len(rest) > 0 || !yield(one, records[:one.many()]) {
				return
			}
			records = records[one.many():]
		}
	}
}

// many is how many records a report makes by itself.
func (r *Report) many() int { return max(1, len(r.OriginalRcptTo)) }
