package identify

import (
	"fmt"
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

// fieldNames are the fields as records and rules have them.
var fieldNames = [nFields]string{"subscriber", "campaign", "tenant", "message_id"}

// found is what one value says. An empty field is unknown.
type found [nFields]string

// decoder reads one value, and gives nothing that is not certain.
type decoder func(v string) found

// rule is a rule as it is run.
type rule struct {
	name     string
	from     []source
	read     decoder
	when     func(*report.Report) bool // nil: always
	domain   string                    // see When
	verified bool
}

// Identifier finds subscribers. It is safe for concurrent use.
type Identifier struct {
	rules   []ready
	sources []source
	rcpt    bool // a rule reads the recipient
}

// ready is a rule whose sources stand in the identifier's table.
type ready struct {
	rule
	from []int
	rcpt bool
}

// New compiles the rules and reads their key files. An error names its rule.
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
		id.add(rule{name: b.name, from: b.from, read: b.read, when: b.when})
	}
	return id, nil
}

// add puts a rule behind the others.
func (id *Identifier) add(r rule) {
	run := ready{rule: r}
	for _, s := range r.from {
		n := 0
		for n < len(id.sources) && id.sources[n] != s {
			n++
		}
		if n == len(id.sources) {
			id.sources = append(id.sources, s)
		}
		run.from = append(run.from, n)
		run.rcpt = run.rcpt || s.kind == "rcpt"
	}
	id.rcpt = id.rcpt || run.rcpt
	id.rules = append(id.rules, run)
}

// Identify sets the Identity of a report's records. verified: each of them has
// a subscriber that a rule with Verify gave.
func (id *Identifier) Identify(r *report.Report, records []report.Record) (verified bool) {
	if len(records) == 0 {
		return false
	}
	m := newMail(r, records, len(id.sources))
	results := make([]result, 0, 8)
	for i := range id.rules {
		run := &id.rules[i]
		switch {
		case !run.concerns(r):
		case run.rcpt:
			results = append(results, result{rule: run})
		default:
			if res := id.run(run, m); res.any {
				results = append(results, res)
			}
		}
	}
	verified = true
	var identity report.Identity
	var signed bool
	for i := range records {
		if i == 0 || id.rcpt {
			for n := range results {
				if run := results[n].rule; run.rcpt {
					m.rcpt = records[i].OriginalRcptTo
					results[n] = id.run(run, m)
				}
			}
			identity, signed = merge(results)
		}
		records[i].Identify(identity)
		verified = verified && signed
	}
	return verified
}

// concerns reports whether a rule is for this mail.
func (r *rule) concerns(mail *report.Report) bool {
	if r.when != nil && !r.when(mail) {
		return false
	}
	if r.domain == "" {
		return true
	}
	if mail.Original == nil {
		return false
	}
	above, is := strings.CutSuffix(mail.Original.FromDomain, r.domain)
	return is && (above == "" || strings.HasSuffix(above, "."))
}

// result is what all instances that a rule reads say together.
type result struct {
	rule   *ready
	any    bool
	found  found
	source [nFields]*source
	clash  [nFields]bool // two instances differ: the field stays unknown
}

// run has a rule read all instances of its sources.
func (id *Identifier) run(r *ready, m *mail) result {
	res := result{rule: r}
	for _, n := range r.from {
		for _, v := range m.values(n, &id.sources[n]) {
			f, ok := r.one(v.text, m)
			if ok {
				res.add(&f, v.from)
			}
		}
	}
	return res
}

// one reads one instance. ok: it gives anything.
func (r *rule) one(v string, m *mail) (f found, ok bool) {
	f = r.read(v)
	for i := range f {
		if f[i] = strings.TrimSpace(f[i]); f[i] != "" && !m.fit(f[i]) {
			f[i] = ""
		}
		ok = ok || f[i] != ""
	}
	return f, ok
}

// add joins what one more instance says. Where it differs in any field, none of
// the fields that either gives can be told.
func (res *result) add(f *found, from *source) {
	differs := false
	for i := range f {
		differs = differs || f[i] != "" && res.found[i] != "" && f[i] != res.found[i]
	}
	res.any = true
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

// merge takes each field from the first rule that gives it. signed: the
// subscriber is from one with Verify.
func merge(results []result) (identity report.Identity, signed bool) {
	var all found
	var closed [nFields]bool
	identity.Status = "unknown"
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
			identity.By[fieldNames[i]] = report.Rule{Rule: res.rule.name, Source: res.source[i].String()}
			if i == subscriber {
				signed = res.rule.verified
			}
		}
	}
	identity.Subscriber, identity.Campaign, identity.Tenant, identity.MessageID = all[subscriber], all[campaign], all[tenant], all[messageID]
	switch {
	case identity.Subscriber != "":
		identity.Status = "identified"
	case identity.By != nil:
		identity.Status = "partial"
	}
	return identity, signed
}
