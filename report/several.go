package report

import (
	"iter"

	"github.com/fblwatch/fblwatch/internal/message"
)

const (
	maxAttached   = 50 // messages attached to one, of which each may be a report
	notAllReports = "attached mails: not all are reports that can be read"
)

// readOthers reads the reports that are attached behind the first one, or behind
// a message that holds it.
func (p *parser) readOthers() {
	seen := 1
	unread := p.readBehind(p.lead, nil, &seen)
	switch {
	case p.r.Kind != KindReport: // nor is any other
	case seen > maxAttached:
		p.loss("attached mails: more than 50")
	case unread:
		p.loss(notAllReports)
	}
}

// readBehind reads those behind m, within top. It counts the messages that it has
// seen, and says whether one is no report that can be read. Where the first one
// was none, another takes its place.
func (p *parser) readBehind(m, top *message.Message, seen *int) (unread bool) {
	for ; m != top && m != nil && m.Outer != nil; m = m.Outer {
		parts := m.Outer.Parts()
		for i := m.At + 1; i < len(parts); i++ {
			if !m.Outer.IsMessage(i) {
				continue
			}
			if *seen++; *seen > maxAttached || p.budget.Spent() {
				return unread
			}
			q, inner := p.another(), m.Outer.Attached(i)
			switch {
			case inner == nil:
			case p.r.Dialect == "forward", p.r.Dialect == "zimbra", p.r.Dialect == "m365-user":
				q.readBy(reader{p.r.Dialect, nil, (*parser).readForwarded}, inner)
				q.r.Event = p.r.Event
			default:
				q.readWithin(inner)
			}
			switch {
			case q.r.Kind != KindReport:
				unread = true
			case p.r.Kind != KindReport:
				unread = true
				p.become(q)
			default:
				p.follow(q)
			}
			unread = p.readBehind(q.lead, inner, seen) || unread
		}
	}
	return unread
}

// follow puts the report of q, and those behind it, behind those of p.
func (p *parser) follow(q *parser) {
	more := q.more
	q.more, q.r.More = nil, nil
	for _, q := range append([]*parser{q}, more...) {
		p.more = append(p.more, q)
		p.r.More = append(p.r.More, q.r)
	}
}

// become leaves what was read for what q has.
func (p *parser) become(q *parser) {
	*p.r = *q.r
	q.r, q.beyond, q.work = p.r, p.beyond, p.work
	*p = *q
	p.keep = message.Arena{} // it cannot be copied
}

// readLater reads the reports of a message to which others are attached first.
func (p *parser) readLater(top *message.Message) bool {
	first := top.Within()
	if first == nil {
		return false
	}
	parts := top.Parts()
	for i := first.At + 1; i < min(len(parts), first.At+maxAttached) && !p.budget.Spent(); i++ {
		if inner := top.Attached(i); inner != nil {
			if p.readWithin(inner) {
				p.readOthers()
				p.loss(notAllReports)
				return true
			}
		}
	}
	return false
}

// another reads a second report of the same message.
func (p *parser) another() *parser {
	return &parser{
		r:       &Report{ID: p.r.ID, Outer: p.r.Outer, partial: p.r.partial, given: p.r.given},
		message: p.message, top: p.top, outer: p.outer, ours: p.ours,
		self: p.self, salvaged: true, budget: p.budget, uses: p.uses,
	}
}

// readWithin reads m, or the first message within it, by the first reader that
// knows it. false: nobody does.
func (p *parser) readWithin(m *message.Message) bool {
	for depth := 0; m != nil && depth < maxWithin && !p.budget.Spent(); m, depth = m.Within(), depth+1 {
		if p.readLetter(m) {
			return true
		}
	}
	return false
}

func (p *parser) readLetter(m *message.Message) bool {
	for _, reader := range readers() {
		if p.budget.Spent() {
			return false
		}
		if reader.detect(m) {
			p.readBy(reader, m)
			return true
		}
	}
	return false
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
