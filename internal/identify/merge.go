package identify

import (
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/report"
)

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

// origins are the rule and source of each field; a field without is unknown.
type origins [nFields]report.Rule

// known is an Identity.By that was made before.
type known struct {
	from origins
	by   map[string]report.Rule
}

// by returns the map of these origins: the same for many reports.
func (id *Identifier) by(from *origins) map[string]report.Rule {
	slot, all := 0, 0
	for i := range from {
		if from[i].Rule != "" {
			slot, all = 31*slot+len(from[i].Rule)+len(from[i].Source), all+1
		}
	}
	if all == 0 {
		return nil
	}
	before := &id.before[slot%len(id.before)]
	if was := before.Load(); was != nil && was.from == *from {
		return was.by
	}
	by := make(map[string]report.Rule, all)
	for i := range from {
		if from[i].Rule != "" {
			by[fieldNames[i]] = from[i]
		}
	}
	before.Store(&known{*from, by})
	return by
}

// merge takes each field from the first rule that gives it. signed: the subscriber is
// from a rule with Verify.
func (id *Identifier) merge(results []result) (identity report.Identity, signed bool) {
	var all found
	var from origins
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
			if i == subscriber {
				if res.disputed(results[n+1:]) {
					continue
				}
				signed = res.rule.verified
			}
			all[i], from[i] = res.found[i], report.Rule{Rule: res.rule.name, Source: res.source[i]}
		}
	}
	identity.By = id.by(&from)
	identity.Subscriber, identity.Campaign, identity.Tenant, identity.MessageID = all[subscriber], all[campaign], all[tenant], all[messageID]
	switch {
	case identity.Subscriber != "":
		identity.Status = report.Identified
	case identity.By != nil:
		identity.Status = report.PartlyIdentified
	}
	return identity, signed
}
