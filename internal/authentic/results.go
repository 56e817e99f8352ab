package authentic

import (
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/report"
)

// authResults is one Authentication-Results field (RFC 8601 section 2.2).
type authResults struct {
	id       string // of the server that wrote it, see serverID; "": left out
	spelling string // of the id and its version
	results  []result
	broken   bool // by its quotes or comments: nothing of it is read but the id
}

// result is what one method gave: method and value in lower case, its properties
// by their lower-case names. A property that has two values has the value "".
type result struct {
	method, value string
	props         map[string]string
}

// mailFrom are the names that servers give the domain of MAIL FROM.
var mailFrom = []string{"smtp.mailfrom", "smtp.mail", "smtp.mfrom", "envelope-from"}

// domain is whose name the method checked; "": it does not say, or says two.
func (r *result) domain() (domain string) {
	switch r.method {
	case "dkim":
		d, named := r.props["header.d"]
		i, there := r.props["header.i"]
		switch {
		case !named:
			domain = domainOf(i)
		case !there || below(domainOf(i), d): // RFC 6376 section 3.5: at d= or below it
			domain = canonical(d)
		}
	case "spf":
		for _, name := range mailFrom {
			if v, there := r.props[name]; there {
				if d := domainOf(v); d == "" || domain != "" && d != domain {
					return ""
				}
				domain = domainOf(v)
			}
		}
	case "dmarc":
		domain = domainOf(r.props["header.from"])
	}
	if strings.ContainsFunc(domain, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_'
	}) {
		return "" // what follows in the field was read into it
	}
	return domain
}

// names reports whether a dkim result says anything of whose signature it is.
func (r *result) names() bool {
	_, d := r.props["header.d"]
	_, i := r.props["header.i"]
	return d || i
}

// ofHelo reports whether an spf result is about the name in HELO, or the purported
// author (Sender ID), and not about MAIL FROM.
func (r *result) ofHelo() bool {
	_, helo := r.props["smtp.helo"]
	_, pra := r.props["smtp.pra"]
	return (helo || pra) && !slices.ContainsFunc(mailFrom, func(name string) bool { _, there := r.props[name]; return there })
}

// has reports whether the field has a result of the method; one of SPF about HELO
// is none.
func (a *authResults) has(method string) bool {
	return slices.ContainsFunc(a.results, func(r result) bool { return r.method == method && !(method == "spf" && r.ofHelo()) })
}

const maxResults = 100 // of one field; the rest is left unread

// parseResults reads a field's value. Quotes and comments may hold what a sender
// chose to write, so they are told apart from the results; where one has no end, or a
// comment ends within quotes, there are no results.
func parseResults(v string) authResults {
	segments, ok := splitResults(v)
	a := authResults{broken: !ok}
	if first := segments[0]; len(first) > 0 && !strings.Contains(first[0], "=") {
		a.id, a.spelling = serverID(first[0]), strings.Join(first, " ")
		segments = segments[1:]
	}
	if a.broken {
		return a
	}
	for _, words := range segments[:min(len(segments), maxResults)] {
		words = joinVersion(words)
		if len(words) == 0 {
			continue
		}
		method, value, found := strings.Cut(words[0], "=")
		if !found {
			continue // "none": nothing was checked
		}
		method = lower(method)
		if last := len(a.results) - 1; method == "envelope-from" && last >= 0 && a.results[last].method == "spf" {
			a.results[last].set(method, value) // Amazon SES sets semicolons between the properties
			continue
		}
		method, _, _ = strings.Cut(method, "/") // its version
		r := result{method: method, value: lower(value), props: make(map[string]string, len(words)-1)}
		for _, word := range words[1:] {
			name, value, _ := strings.Cut(word, "=")
			r.set(lower(name), value)
		}
		a.results = append(a.results, r)
	}
	return a
}

// set sets a property. Which of two values is meant cannot be told: a server may
// write what a sender chose.
func (r *result) set(name, value string) {
	if old, twice := r.props[name]; twice && old != value {
		value = ""
	}
	r.props[name] = value
}

// joinVersion makes one word of a method and its version: "dkim / 1=pass".
func joinVersion(words []string) []string {
	for range 2 {
		if len(words) > 1 && !strings.Contains(words[0], "=") && (strings.HasSuffix(words[0], "/") || strings.HasPrefix(words[1], "/")) {
			words = append([]string{words[0] + words[1]}, words[2:]...)
		}
	}
	return words
}

// splitResults splits a value at its semicolons, and each piece into words,
// without comments and quotation marks; "a = b" is one word. A comment knows no
// quotes, but servers write addresses into it, whose local part may be quoted: a
// parenthesis there is not ok, as whose it is cannot be told.
func splitResults(v string) (segments [][]string, ok bool) {
	var words []string
	var word strings.Builder
	quoted, depth, blank, quotedWithin := false, 0, false, false
	clear := true
	flush := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
		}
		word.Reset()
	}
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case c == '\\' && (quoted || depth > 0):
			if i++; quoted && i < len(v) {
				word.WriteByte(v[i])
			}
		case depth > 0 && c == '"':
			quotedWithin = !quotedWithin
		case depth > 0:
			if c == '(' {
				depth++
			} else if c == ')' {
				depth--
			}
			clear = clear && !(quotedWithin && (c == '(' || c == ')'))
		case c == '"':
			quoted = !quoted
		case quoted:
			word.WriteByte(c)
		case c == '(':
			depth, blank = 1, true
		case c == ';':
			flush()
			segments, words, blank = append(segments, words), nil, false
		case isBlank(rune(c)):
			blank = true
		default:
			if w := word.String(); blank && c != '=' && strings.IndexByte(w, '=') != len(w)-1 || blank && w == "" {
				flush()
			}
			blank = false
			word.WriteByte(c)
		}
	}
	flush()
	return append(segments, words), clear && !quoted && depth == 0
}

// receivedBy is the server that wrote a Received (RFC 5321 section 4.4).
func receivedBy(v string) string {
	return canonical(report.ReadHop(v).By)
}

// stampedBy is the server that wrote the first of fields, a Received. A line of
// qmail's queue names none: it is of the server that wrote the next Received.
// Who writes such a line below ours could write that one as well.
func stampedBy(fields []headerField) string {
	lines := 0
	for _, f := range fields {
		if f.name != "received" {
			continue
		}
		hop := report.ReadHop(f.value())
		if !hop.Queue {
			return canonical(hop.By)
		}
		if lines++; lines > maxQueue {
			break
		}
	}
	return ""
}

const maxQueue = 4 // lines of qmail's queue in a row

// voice is what one server says of a message, in those of its fields that count.
type voice struct {
	id      string
	results []result
	open    bool // it may be the sender who says so
	none    bool // it saw no signature
	most    int  // signatures that one of its fields tells of
}

// add adds what one field says.
func (v *voice) add(results []result) {
	n := 0
	for _, r := range results {
		switch {
		case r.method != "dkim":
		case r.isNone():
			v.none = true
		default:
			n++
		}
	}
	v.results, v.most = append(v.results, results...), max(v.most, n)
}

// overstates reports whether a server tells of more signatures than are there. Some
// servers write what their client says, such as its name or the envelope, so that it
// can be read as a result: there is one too many then.
func (v *voice) overstates(signatures int) bool {
	return v.most > signatures && (signatures > 0 || v.none)
}

// resultsOf names the fields of a server, for people.
func resultsOf(id string) string {
	if id == "" {
		return "Authentication-Results"
	}
	return "Authentication-Results of " + shown(id)
}

// opinion is what servers say together of a message's signatures.
type opinion struct {
	domain string // that a pass is for, and that may speak for From; "": none
	by     string // the id of who says so first
	open   bool   // all who say so may be the sender
	// doubt is why there is no domain though somebody says pass, or fail of a domain
	// that may speak for From: of CodeContradicted or CodeNoDomain.
	doubt report.Reason
}

// signedBy takes together what servers say of the signatures sigs. A pass counts if
// each server with a result of DKIM says it of the same domain.
func (c *Checker) signedBy(voices []voice, sigs []signature, from string) (o opinion) {
	times, first, closed := make(map[string]int), make(map[string]string), make(map[string]bool)
	var order []string
	for i := range voices {
		v := &voices[i]
		domains, doubt := c.passedBy(v, sigs, from)
		if o.doubt.Code == "" {
			o.doubt = doubt
		}
		for _, d := range domains {
			if times[d]++; times[d] == 1 {
				order, first[d] = append(order, d), v.id
			}
			closed[d] = closed[d] || !v.open
		}
	}
	for _, d := range order {
		if times[d] == len(voices) && (o.domain == "" || c.known(d, c.from) && !c.known(o.domain, c.from)) {
			o = opinion{domain: d, by: first[d], open: !closed[d]}
		}
	}
	if o.domain == "" && len(order) > 0 {
		d := order[0]
		o.doubt = report.Reason{Code: report.CodeContradicted, Text: resultsOf(first[d]) + " says dkim=pass for " + shown(d) + ", and that of another server does not"}
	}
	return o
}

// passedBy gives the domains that one server says dkim=pass of, of those that may
// speak for from. One pass is enough, as a message can have signatures that are
// worth nothing beside a good one, but not of a selector that also failed.
func (c *Checker) passedBy(v *voice, sigs []signature, from string) (domains []string, doubt report.Reason) {
	type key struct{ domain, selector string }
	failed, unnamed := make(map[key]bool), false
	about := func(code report.Code, text string) {
		if doubt.Code == "" {
			doubt = report.Reason{Code: code, Text: resultsOf(v.id) + " says " + text}
		}
	}
	for _, r := range v.results {
		if r.method == "dkim" && r.value != pass && !r.isNone() {
			failed[key{r.domain(), r.props["header.s"]}] = true
		}
	}
	for _, r := range v.results {
		if r.method != "dkim" || r.isNone() {
			continue
		}
		d := r.domain()
		switch selector := r.props["header.s"]; {
		case r.value != pass && (d == "" || c.aligned(d, from)):
			about(report.CodeContradicted, "dkim="+shown(r.value)+forDomain(d))
		case r.value != pass:
		case !r.names():
			unnamed = true
		case !c.aligned(d, from):
		case selector != "" && failed[key{d, selector}]:
			about(report.CodeContradicted, "dkim=pass"+forDomain(d)+" and another result of the same selector")
		case !slices.Contains(domains, d):
			domains = append(domains, d)
		}
	}
	if v.overstates(len(sigs)) && (unnamed || len(domains) > 0) {
		doubt = report.Reason{}
		about(report.CodeContradicted, "more of DKIM than there are signatures: some of that may be the sender's words")
		return nil, doubt
	}
	if len(domains) > 0 {
		return domains, report.Reason{}
	}
	if unnamed {
		if d := v.standIn(sigs, from); d != "" {
			return []string{d}, report.Reason{}
		}
		doubt = report.Reason{}
		about(report.CodeNoDomain, "dkim=pass and does not name the domain that signed; no dmarc=pass for "+shown(from)+" with one DKIM-Signature of its organisation stands in for that")
	}
	return nil, doubt
}

func forDomain(d string) string {
	if d == "" {
		return ""
	}
	return " for " + shown(d)
}

// isNone reports whether nothing was checked; Yahoo writes unknown.
func (r *result) isNone() bool { return r.value == authNone || r.value == "unknown" }

// standIn is the domain for which a server that names none says dkim=pass: that of
// the signatures which are aligned with from as DMARC wants it (RFC 7489 section
// 3.1.1), if it says dmarc=pass for from. DMARC may have passed by SPF alone: so they
// must be there, and of one domain.
func (v *voice) standIn(sigs []signature, from string) (domain string) {
	passed := false
	for _, r := range v.results {
		if r.method == "dmarc" {
			if passed = r.value == pass && r.domain() == from; !passed {
				return ""
			}
		}
	}
	for _, s := range sigs {
		switch {
		case !passed || s.domain != from && (organisation(from) == "" || organisation(s.domain) != organisation(from)):
		case domain != "" && s.domain != domain:
			return ""
		default:
			domain = s.domain
		}
	}
	return domain
}

// sentBy is the envelope's domain that spf=pass stands for, where that is a
// provider's alone and may speak for from; id is whose word it is. open: it may be
// the sender's.
func (c *Checker) sentBy(voices []voice, from string) (domain, id string, open bool) {
	open = true
	for _, v := range voices {
		none, said := false, false
		for _, r := range v.results {
			if r.method != "spf" || r.ofHelo() {
				continue
			}
			if r.isNone() {
				none = true
				continue
			}
			said = true
			d := r.domain()
			if r.value != pass || !c.aligned(d, from) || !covered(c.signers, d) { // who shares a domain can write any From
				return "", "", false
			}
			if domain == "" {
				domain, id = d, v.id
			}
			open = open && v.open
		}
		if none && said { // of one envelope: one of them may be the sender's words
			return "", "", false
		}
	}
	return domain, id, open
}

// signing gives the signatures that a pass of domain may be about: those that name
// it, and those that cannot be read. there: one names it.
func signing(sigs []signature, domain string) (about []signature, there bool) {
	for _, s := range sigs {
		if s.domain == domain || s.domain == "" {
			about, there = append(about, s), there || s.domain != ""
		}
	}
	return about, there
}
