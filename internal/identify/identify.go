package identify

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/report"
)

// The fields of an identity.
const (
	subscriber = iota
	campaign
	tenant
	messageID
	nFields
)

// fieldNames are the names of the fields in records and rules.
var fieldNames = [nFields]string{"subscriber", "campaign", "tenant", "message_id"}

// fields is a set of fields of an identity.
type fields uint8

const (
	aSubscriber fields = 1 << subscriber
	aCampaign   fields = 1 << campaign
	aTenant     fields = 1 << tenant
	aMessageID  fields = 1 << messageID
	anyField    fields = 1<<nFields - 1
)

// found is the result of one value. An empty field is unknown.
type found [nFields]string

// isEmpty is faster than a comparison with the zero value.
func (f *found) isEmpty() bool {
	return len(f[subscriber])+len(f[campaign])+len(f[tenant])+len(f[messageID]) == 0
}

// decoder reads one value. It returns only what is certain.
type decoder func(v string) found

// rule is a rule in the form that runs.
type rule struct {
	name     string
	from     []source
	read     decoder
	gives    fields
	when     func(*report.Report) bool // nil: always
	domain   string                    // see When
	verified bool
	builtin  bool
}

// Identifier finds subscribers. It is safe for concurrent use.
type Identifier struct {
	rules   []ready
	sources []namedSource
	headers []index
	others  []int // sources that are no fields of a header
	rcpt    bool  // a rule reads the recipient
	before  [16]atomic.Pointer[known]
}

// namedSource is a source and its name in records.
type namedSource struct {
	source
	label  string
	opaque bool   // white space means nothing in it (RFC 9477 section 3.2)
	pair   [2]int // of mailfrom: the sources of its two fields
	next   int    // see index
}

// index finds the sources in a header by the marks of their fields' names.
type index struct {
	kind  string
	first [message.Marks]int // 1 + the source; the others of its mark follow by next; 0: none
}

// ready is a rule with its sources in the table of the identifier.
type ready struct {
	rule
	from []int
	rcpt bool
}

// New returns an Identifier. It reads the rules' key files. An error names its rule.
func New(c Config) (*Identifier, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("identify: %w", err)
	}
	id := &Identifier{}
	for i := range c.Rules {
		r := &c.Rules[i]
		var key []byte
		if r.Verify != nil {
			var err error
			if key, err = readKey(r.Verify.KeyFile); err != nil {
				return nil, fmt.Errorf("identify: rule %d: verify: %w", i+1, err)
			}
		}
		compiled, err := r.compile(key)
		if err != nil {
			return nil, fmt.Errorf("identify: rule %d: %w", i+1, err)
		}
		compiled.name = r.label(i)
		id.add(compiled)
	}
	presets, err := c.presets()
	if err != nil {
		return nil, err
	}
	for _, b := range presets {
		id.add(rule{name: b.name, from: b.from, read: b.read, gives: b.gives, when: b.when, builtin: true})
	}
	return id, nil
}

// add appends a rule.
func (id *Identifier) add(r rule) {
	run := ready{rule: r}
	for _, s := range r.from {
		run.from = append(run.from, id.source(s))
		run.rcpt = run.rcpt || s.kind == "rcpt"
	}
	id.rcpt = id.rcpt || run.rcpt
	id.rules = append(id.rules, run)
}

// source returns the number of a source in the table.
func (id *Identifier) source(s source) int {
	for n := range id.sources {
		if id.sources[n].source == s {
			return n
		}
	}
	named := namedSource{source: s, label: s.String(), opaque: strings.EqualFold(s.name, "CFBL-Feedback-ID")}
	if s.kind == "mailfrom" {
		named.pair = [2]int{id.source(source{kind: report.FromOriginal, name: "Return-Path"}), id.source(source{kind: report.FromReport, name: "Original-Mail-From"})}
	}
	if s.name != "" {
		h := slices.IndexFunc(id.headers, func(h index) bool { return h.kind == s.kind })
		if h < 0 {
			h, id.headers = len(id.headers), append(id.headers, index{kind: s.kind})
		}
		first := &id.headers[h].first[message.Mark(s.name)]
		named.next, *first = *first, len(id.sources)+1
	}
	if s.name == "" {
		id.others = append(id.others, len(id.sources))
	}
	id.sources = append(id.sources, named)
	return len(id.sources) - 1
}

// Identify sets the Identity of a report's records. verified reports whether each of
// them got its subscriber from a rule with Verify. Records of other reports share the map
// of an Identity: nobody may change it.
func (id *Identifier) Identify(r *report.Report, records []report.Record) (verified bool) {
	if len(records) == 0 {
		return false
	}
	m := id.newReading(r, records)
	defer m.done()
	wanted, given := anyField, fields(0)
	for i := range id.rules {
		switch run := &id.rules[i]; {
		case run.gives&wanted == 0 || !m.has(run) || !run.concerns(r):
		case run.rcpt:
			m.results = append(m.results, result{rule: run}) // each record's own
		default:
			if res := id.run(run, m); res != nil {
				settled, gives := res.settles()
				wanted &^= settled &^ given
				given |= gives
			}
		}
	}
	verified = true
	var identity report.Identity
	var signed bool
	for i := range records {
		if i == 0 || id.rcpt {
			for n := range m.results {
				if res := &m.results[n]; res.rule.rcpt {
					res.recipient(records[i].OriginalRcptTo, m)
				}
			}
			identity, signed = id.merge(m.results)
		}
		records[i].Identify(identity)
		verified = verified && signed
	}
	return verified
}

// Subscribers are all that any rule makes of a report's tokens, also where they
// disagree, and Identify names no subscriber.
func (id *Identifier) Subscribers(r *report.Report, records []report.Record) (all []string) {
	m := id.newReading(r, records)
	defer m.done()
	for i := range id.rules {
		run := &id.rules[i]
		if run.rcpt || !run.concerns(r) { // the recipient is no token
			continue
		}
		for _, n := range run.from {
			for _, v := range m.of(n) {
				if f := run.read(v.text); m.check(&f) && f[subscriber] != "" {
					all = append(all, f[subscriber])
				}
			}
		}
	}
	return all
}

// concerns reports whether a rule applies to a message.
func (r *rule) concerns(message *report.Report) bool {
	if r.when != nil && !r.when(message) {
		return false
	}
	if r.domain == "" {
		return true
	}
	if message.Original == nil {
		return false
	}
	above, is := strings.CutSuffix(message.Original.FromDomain, r.domain)
	return is && (above == "" || strings.HasSuffix(above, "."))
}

// result is the joint result of all instances that a rule reads.
type result struct {
	rule   *ready
	found  found
	source [nFields]string
	clash  [nFields]bool // two instances differ: the field stays unknown
}

// run lets a rule read all instances of its sources. The result is nil if they give
// nothing.
func (id *Identifier) run(r *ready, m *reading) (res *result) {
	for _, n := range r.from {
		values := m.of(n)
		for i := range values {
			f := r.read(values[i].text)
			if f.isEmpty() || !m.check(&f) {
				continue
			}
			if res == nil {
				m.results = append(m.results, result{rule: r})
				res = &m.results[len(m.results)-1]
			}
			res.add(&f, values[i].from)
		}
	}
	return res
}

// recipient lets a rule read the recipient of one record.
func (res *result) recipient(rcpt string, m *reading) {
	*res = result{rule: res.rule}
	if rcpt = strings.TrimSpace(rcpt); m.usable(rcpt) {
		if f := res.rule.read(rcpt); m.check(&f) {
			res.add(&f, "rcpt")
		}
	}
}

// check leaves out of the result of one instance what cannot be one. It reports whether
// a field is left.
func (m *reading) check(f *found) (ok bool) {
	for i := range f {
		if f[i] == "" {
			continue
		}
		if f[i] = strings.TrimSpace(f[i]); f[i] != "" && m.fit(f[i]) && !(i == subscriber && m.isList(f[i])) {
			ok = true
		} else {
			f[i] = ""
		}
	}
	return ok
}

// add joins what one more instance says. Where it differs in any field, none of
// the fields that either gives are known.
func (res *result) add(f *found, from string) {
	differs := false
	for i := range f {
		differs = differs || f[i] != "" && res.found[i] != "" && f[i] != res.found[i]
	}
	for i := range f {
		switch {
		case f[i] == "" && res.found[i] == "":
		case differs:
			res.clash[i] = true
		}
		if f[i] != "" && res.found[i] == "" {
			res.found[i], res.source[i] = f[i], from
		}
	}
}

// settles returns the fields that it gives, and those of them for which the rules that
// follow do not count if it is the first that gives them: see merge. A subscriber may be
// disputed.
func (res *result) settles() (settled, gives fields) {
	for i, v := range res.found {
		if v == "" {
			continue
		}
		gives |= 1 << i
		if i != subscriber || !res.rule.builtin || strings.IndexByte(v, '@') < 0 {
			settled |= 1 << i
		}
	}
	return settled, gives
}
