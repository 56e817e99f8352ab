package report

import (
	"fmt"
	"maps"
	"slices"
)

// MaxLine is how long the line of a record is at most, in octets without its line
// break. Many programs read lines, or blocks, of no more than a mebibyte.
const MaxLine = 1_000_000

const (
	spareLine = 100_000 // of MaxLine, for what a record gets after it was made
	maxSingle = 16_000  // octets, as JSON, of a single text in a record that is too long
)

// fit is the record without the values that its line has no room for: single texts
// of more than maxSingle octets, then what is behind in a list. Its warnings say how
// many were left out. A record that fits is returned as it is.
func (r *Record) fit(limit int) Record {
	if len(r.appendJSON(nil)) <= limit {
		return *r
	}
	slim := *r
	left, told := 0, limit
	if limit == MaxLine-spareLine {
		told = MaxLine
	}
	single := func(s *string) {
		if len(*s) > maxSingle/6 && len(appended(*s)) > maxSingle {
			*s = ""
			left++
		}
	}
	for _, s := range []*string{&slim.FeedbackType, &slim.UserAgent, &slim.Version, &slim.ArrivalDateRaw, &slim.OriginalMailFrom, &slim.OriginalRcptTo, &slim.OriginalEnvelopeID, &slim.RcptHash,
		&slim.Provider, &slim.Feed} {
		single(s)
	}
	slim.AuthFailure.each(single)
	slim.ReportingMTA, slim.Original, slim.Identity = copied(r.ReportingMTA), copied(r.Original), copied(r.Identity)
	slim.Reporter, slim.Suppress, slim.Mailbox, slim.Source = copied(r.Reporter), copied(r.Suppress), copied(r.Mailbox), copied(r.Source)
	lists := []*[]string{&slim.Supersedes, &slim.Tags, &slim.Parse.Warnings}
	if m := slim.ReportingMTA; m != nil {
		single(&m.Type)
		single(&m.Name)
	}
	if id := slim.Identity; id != nil {
		for _, s := range []*string{&id.Subscriber, &id.Campaign, &id.Tenant, &id.MessageID} {
			single(s)
		}
	}
	if s := slim.Suppress; s != nil {
		lists = append(lists, &s.Reasons)
	}
	if s := slim.Source; s != nil {
		single(&s.ReverseDNS)
		single(&s.ASName)
	}
	if by := slim.Reporter; by != nil {
		for _, s := range []*string{&by.From, &by.FromDomain, &by.AuthDomain, &by.Reason} {
			single(s)
		}
	}
	if m := slim.Mailbox; m != nil {
		for _, s := range []*string{&m.Account, &m.Folder, &m.MessageID} {
			single(s)
		}
	}
	lists = append(lists, &slim.AuthenticationResults, &slim.ReportedDomain, &slim.ReportedURI, &slim.AuthFailure.SPFDNS)
	if o := slim.Original; o != nil {
		o.each(single)
		lists = append(lists, &o.DKIMDomains, &o.ListUnsubscribe, &o.To)
	}
	full := make([][]string, len(lists))
	for i, list := range lists {
		full[i], *list = *list, nil
	}
	slim.Extensions = nil
	if slim.Derived != nil {
		slim.Derived = maps.Clone(slim.Derived)
		for key, source := range slim.Derived {
			if single(&source); source == "" {
				delete(slim.Derived, key)
			}
		}
	}

	const warning = 200 // octets of the warning, and of a list's key
	room := limit - len(slim.appendJSON(nil)) - warning*(len(lists)+1)
	take := func(values []string) (kept []string) {
		for _, v := range values {
			if n := len(v) + 3; n > room {
				left++ // in JSON it is no shorter
			} else if n = len(appended(v)) + 1; n > room {
				left++
			} else {
				room -= n
				kept = append(kept, v)
			}
		}
		return kept
	}
	for i, list := range lists {
		*list = take(full[i])
	}
	for _, name := range slices.Sorted(maps.Keys(r.Extensions)) {
		key := len(appended(name)) + 4
		if key > room {
			left += len(r.Extensions[name])
			continue
		}
		if room -= key; slim.Extensions == nil {
			slim.Extensions = make(map[string][]string)
		}
		if kept := take(r.Extensions[name]); kept != nil {
			slim.Extensions[name] = kept
		} else {
			room += key
		}
	}
	if left > 0 {
		slim.Parse.Warnings = append(slices.Clip(slim.Parse.Warnings), fmt.Sprintf("record: longer than %d octets, %d values left out", told, left))
		if slim.Parse.Status == "ok" {
			slim.Parse.Status = ParsePartial
		}
	}
	return slim
}

func copied[T any](v *T) *T {
	if v == nil {
		return nil
	}
	w := *v
	return &w
}

// appended is a text as JSON.
func appended(s string) []byte {
	b, _ := appendString(nil, s)
	return b
}
