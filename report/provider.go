package report

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/fblwatch/fblwatch/internal/message"
)

// Validate returns an error for each row that matches nothing, says nothing, or has an
// unknown class or dialect. Rows count from 1.
func (p Providers) Validate() error {
	var errs []error
	for i, row := range p {
		fail := func(text string) { errs = append(errs, fmt.Errorf("row %d: %s", i+1, text)) }
		if len(row.Dialects)+len(row.Signed)+len(row.UserAgents)+len(row.Sources)+len(row.From) == 0 {
			fail("needs one of dialects, signed, user_agents, sources, from")
		}
		if row.Name == "" && row.Class == "" && row.Feed == "" {
			fail("says nothing: needs a provider, a feed or a class")
		}
		if row.Class != "" && !slices.Contains(Classes, row.Class) {
			fail("class must be one of " + joined(Classes))
		}
		for _, list := range [][]string{row.Dialects, row.Signed, row.UserAgents, row.Sources, row.From, row.Carriers, row.Hosts} {
			if slices.Contains(list, "") {
				fail("an empty string in a list")
			}
		}
		for i, dialect := range row.Dialects {
			if dialect != "" && !message.ContainsFold(dialectNames(), dialect) {
				fail(fmt.Sprintf("dialects[%d] is none of %s", i, strings.Join(dialectNames(), ", ")))
			}
		}
		for i, pattern := range row.From {
			local, domain := cutAddress(pattern)
			if domain == "" || strings.Contains(domain, "*") || strings.Contains(strings.Trim(local, "*"), "*") {
				fail(fmt.Sprintf("from[%d] must be a domain, or an address whose local part may begin or end with *", i))
			}
		}
	}
	return errors.Join(errs...)
}

// Of returns the row that the report matches, with Name, Feed and Class filled in. If no
// row matches, Name is the registrable domain of From, or "unknown", and Hashes is
// true. Of goes by what the message says of itself, which proves nothing.
func (p Providers) Of(r *Report) Provider { return p.of(r, r.dialect()) }

func (p Providers) of(r *Report, dialect string) Provider {
	m := marks{dialect: dialect, agent: r.UserAgent, source: r.extension("source"), signed: r.signed}
	from := r.Outer.From
	if by := r.extension("redirected-by"); by != "" && m.dialect == "redirected" {
		from = by
	}
	m.domain = message.DomainOf(from)
	m.local, _ = cutAddress(from)
	var row *Provider
	best := 0
	try := func(candidate *Provider) {
		if score := m.score(candidate); score > best {
			row, best = candidate, score
		}
	}
	for i := range p {
		try(&p[i])
	}
	for _, candidate := range builtinBy().dialect[m.dialect] {
		try(candidate)
	}
	for domain, more := m.domain, best < 16; more && domain != ""; {
		for _, candidate := range builtinBy().domain[domain] {
			try(candidate)
		}
		_, domain, more = strings.Cut(domain, ".")
	}
	found := Provider{Hashes: true} // for all we know
	if row != nil {
		found = *row
	}
	if found.Name == "" {
		found.Name = registrable(m.domain)
	}
	if found.Feed == "" {
		found.Feed = "unknown"
	}
	if found.Class == "" && m.dialect == "redirected" && !isLoop(from) {
		found.Class = ClassService // a person's program did it
	}
	found.Class = r.class(found.Class, m.dialect)
	return found
}

// class is who speaks: of authentication the event says so, of a report without
// a report part its reader, else the row.
func (r *Report) class(row Class, dialect string) Class {
	switch {
	case r.event() == AuthFailed:
		return ClassAuth
	case r.Class != "":
		return r.Class
	case row != "":
		return row
	case strings.EqualFold(r.FeedbackType, "xarf"):
		return ClassNetwork
	case dialect == "cfbl-arf":
		return ClassCFBL
	}
	return ClassFBL
}

// marks are what a report is known by.
type marks struct {
	dialect, agent, source string
	local, domain          string // of From
	signed                 []string
}

// score says how well a row matches, 0: not at all.
func (m *marks) score(row *Provider) (score int) {
	if len(row.Dialects) > 0 {
		if !message.ContainsFold(row.Dialects, m.dialect) {
			return 0
		}
		if score += 16; row.Name == "" {
			score = 2
		}
	}
	if len(row.Sources)+len(row.From) > 0 {
		if message.ContainsFold(row.Sources, m.source) {
			score += 2
		}
		if m.isFrom(row.From) {
			score++
		}
		if score&3 == 0 {
			return 0
		}
	}
	if len(row.Signed) > 0 && slices.ContainsFunc(m.signed, func(d string) bool { return message.Within(d, row.Signed...) }) {
		score += 8
	}
	for _, start := range row.UserAgents {
		if len(m.agent) >= len(start) && strings.EqualFold(m.agent[:len(start)], start) {
			score += 4
			break
		}
	}
	return score
}

func (m *marks) isFrom(patterns []string) bool {
	for _, pattern := range patterns {
		if local, domain := cutAddress(pattern); message.Within(m.domain, domain) && matches(m.local, local) {
			return true
		}
	}
	return false
}

// cutAddress splits an address, or a domain alone, whose local part is "*".
func cutAddress(addr string) (local, domain string) {
	at := strings.LastIndexByte(addr, '@')
	if at < 0 {
		return "*", addr
	}
	return addr[:at], addr[at+1:]
}

// matches compares with a pattern that may begin or end with "*".
func matches(v, pattern string) bool {
	want := strings.Trim(pattern, "*")
	head, tail := strings.HasPrefix(pattern, "*"), strings.HasSuffix(pattern, "*")
	switch n := len(want); {
	case head && tail:
		return strings.Contains(strings.ToLower(v), strings.ToLower(want))
	case len(v) < n:
		return false
	case head:
		return strings.EqualFold(v[len(v)-n:], want)
	case tail:
		return strings.EqualFold(v[:n], want)
	}
	return strings.EqualFold(v, want)
}

// registrable is the domain that somebody registered, or domain itself if the public
// suffix list has no answer; "unknown" if there is no domain.
func registrable(domain string) string {
	return cmp.Or(message.Organisation(domain), domain, "unknown")
}

// isLoop knows the address of a feedback loop by its local part.
func isLoop(addr string) bool {
	local, domain, _ := strings.Cut(strings.ToLower(addr), "@")
	if local == "staff" && domain == "hotmail.com" {
		return true
	}
	for word := range strings.FieldsFuncSeq(local, func(c rune) bool { return c == '-' || c == '_' || c == '.' || c == '+' }) {
		switch word {
		case "fbl", "feedback", "feedbackloop", "complaint", "complaints", "jmrp", "spamreport", "scomp":
			return true
		}
	}
	return false
}

// builtinBy finds the rows by what each must match: a dialect or, where it
// lists none, a domain of From.
var builtinBy = sync.OnceValue(func() (by struct{ dialect, domain map[string][]*Provider }) {
	by.dialect, by.domain = make(map[string][]*Provider), make(map[string][]*Provider)
	for i := range builtin {
		row := &builtin[i]
		for _, dialect := range row.Dialects {
			by.dialect[dialect] = append(by.dialect[dialect], row)
		}
		for _, from := range row.From {
			if _, domain := cutAddress(from); len(row.Dialects) == 0 && !slices.Contains(by.domain[domain], row) {
				by.domain[domain] = append(by.domain[domain], row)
			}
		}
	}
	return by
})

// Known reports whether the built-in table has a provider of that name. The names are few
// and no sender can choose them.
func Known(provider string) bool {
	return provider != "" && slices.ContainsFunc(builtin, func(row Provider) bool { return row.Name == provider })
}
