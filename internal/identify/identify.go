package identify

import (
	"fmt"
	"slices"
	"strings"

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
	rcpt    bool // a rule reads the recipient
}

// namedSource is a source and its name in records.
type namedSource struct {
	source
	label  string
	opaque bool // white space means nothing in it (RFC 9477 section 3.2)
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
		n := 0
		for n < len(id.sources) && id.sources[n].source != s {
			n++
		}
		if n == len(id.sources) {
			id.sources = append(id.sources, namedSource{s, s.String(), strings.EqualFold(s.name, "CFBL-Feedback-ID")})
		}
		run.from = append(run.from, n)
		run.rcpt = run.rcpt || s.kind == "rcpt"
	}
	id.rcpt = id.rcpt || run.rcpt
	id.rules = append(id.rules, run)
}

// Identify sets the Identity of a report's records. verified reports whether each of
// them got its subscriber from a rule with Verify.
func (id *Identifier) Identify(r *report.Report, records []report.Record) (verified bool) {
	if len(records) == 0 {
		return false
	}
	m := newReading(r, records, len(id.sources))
	defer m.done()
	wanted, closed := anyField, fields(0)
	for i := range id.rules {
		switch run := &id.rules[i]; {
		case run.gives&wanted == 0 || !run.concerns(r):
		case run.rcpt:
			m.results = append(m.results, result{rule: run}) // each record's own
		default:
			res := id.run(run, m)
			for field := range fields(nFields) {
				if bit := fields(1) << field; res != nil && closed&bit == 0 && res.found[field] != "" {
					closed |= bit
					if field != subscriber || !res.mayBeDisputed() {
						wanted &^= bit
					}
				}
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
			identity, signed = merge(m.results)
		}
		records[i].Identify(identity)
		verified = verified && signed
	}
	return verified
}

// Subscribers are all that any rule makes of a report's tokens, also where they
// disagree, and Identify names no subscriber.
func (id *Identifier) Subscribers(r *report.Report, records []report.Record) (all []string) {
	m := newReading(r, records, len(id.sources))
	defer m.done()
	for i := range id.rules {
		run := &id.rules[i]
		if run.rcpt || !run.concerns(r) { // the recipient is no token
			continue
		}
		for _, n := range run.from {
			for _, v := range m.of(n, &id.sources[n]) {
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
		values := m.of(n, &id.sources[n])
		for i := range values {
			f := r.read(values[i].text)
			if f == (found{}) || !m.check(&f) {
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

// mayBeDisputed reports whether the rules that follow count although the subscriber is
// known: see disputed.
func (res *result) mayBeDisputed() bool {
	return res.rule.builtin && strings.IndexByte(res.found[subscriber], '@') >= 0
}

// disputed reports whether another built-in rule names the subscriber by another
// address. A list hands on what its members' messages hold, a relay what its
// customers': none of these rules knows which program sent the message last.
func (res *result) disputed(others []result) bool {
	address := res.found[subscriber]
	if !res.rule.builtin || !isAddress(address) {
		return false
	}
	return slices.ContainsFunc(others, func(o result) bool {
		other := o.found[subscriber]
		return o.rule.builtin && isAddress(other) && !strings.EqualFold(address, other)
	})
}

// merge takes each field from the first rule that gives it. signed: the subscriber is
// from a rule with Verify.
func merge(results []result) (identity report.Identity, signed bool) {
	var all found
	var closed [nFields]bool
	identity.Status = report.Unidentified
	for n := range results {
		res := &results[n]
		for i := range all {
			if closed[i] || res.found[i] == "" {
				continue
			}
			closed[i] = true
			if res.clash[i] {
				continue
			}
			all[i] = res.found[i]
			if identity.By == nil {
				identity.By = make(map[string]report.Rule, nFields)
			}
			identity.By[fieldNames[i]] = report.Rule{Rule: res.rule.name, Source: res.source[i]}
			if i == subscriber {
				signed = res.rule.verified
				if res.disputed(results[n+1:]) {
					all[i], signed = "", false
					delete(identity.By, fieldNames[i])
				}
			}
		}
	}
	if len(identity.By) == 0 {
		identity.By = nil
	}
	identity.Subscriber, identity.Campaign, identity.Tenant, identity.MessageID = all[subscriber], all[campaign], all[tenant], all[messageID]
	switch {
	case identity.Subscriber != "":
		identity.Status = report.Identified
	case identity.By != nil:
		identity.Status = report.PartlyIdentified
	}
	return identity, signed
}
