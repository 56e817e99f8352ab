package authentic

import (
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/report"
)

// authResults is one Authentication-Results field (RFC 8601 section 2.2).
type authResults struct {
	id      string // of the server that wrote it; "": left out
	results []result
}

// result is what one method gave: the value in lower case, its properties by
// their lower-case names.
type result struct {
	method, value string
	props         map[string]string
}

// domain is whose name the method checked; "": it does not say.
func (r result) domain() string {
	switch r.method {
	case "dkim":
		if d := r.props["header.d"]; d != "" {
			return canonical(d)
		}
		return domainOf(r.props["header.i"])
	case "spf":
		return domainOf(r.props["smtp.mailfrom"])
	case "dmarc":
		return domainOf(r.props["header.from"])
	}
	return ""
}

const maxResults = 100 // of one field; the rest is left unread

// parseResults reads a field's value; of one that is malformed, nothing. Quotes
// and comments may hold what a sender chose to write, so they are told apart
// from the results.
func parseResults(v string) authResults {
	segments, ok := splitResults(v)
	if !ok || len(segments) == 0 {
		return authResults{}
	}
	a := authResults{}
	if first := segments[0]; len(first) > 0 && !strings.Contains(first[0], "=") {
		a.id = serverID(first[0])
		segments = segments[1:]
	}
	for _, words := range segments[:min(len(segments), maxResults)] {
		if len(words) == 0 {
			continue
		}
		method, value, found := strings.Cut(strings.ToLower(words[0]), "=")
		if !found {
			continue // "none": nothing was checked
		}
		method, _, _ = strings.Cut(method, "/") // its version
		r := result{method: method, value: value, props: make(map[string]string, len(words)-1)}
		for _, word := range words[1:] {
			name, value, _ := strings.Cut(word, "=")
			name = strings.ToLower(name)
			if old, twice := r.props[name]; twice && old != value {
				value = "" // who is meant cannot be told: a server may write what a sender chose
			}
			r.props[name] = value
		}
		a.results = append(a.results, r)
	}
	return a
}

// splitResults splits a value at its semicolons, and each piece into words,
// without comments and quotation marks; "a = b" is one word.
func splitResults(v string) (segments [][]string, ok bool) {
	var words []string
	var word strings.Builder
	quoted, depth, blank := false, 0, false
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
		case depth > 0:
			if c == '(' {
				depth++
			} else if c == ')' {
				depth--
			}
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
	return append(segments, words), !quoted && depth == 0
}

// trustedResults gives the Authentication-Results that the system which took the
// message in wrote, as its receiver has it: where the border is known those on its
// side of it, else those above the first Received of a foreign server. border: one
// of its servers took the message in.
func (c *Checker) trustedResults(m *message) (fields []authResults, border bool) {
	system := c.receiver(m)
	if system.refused {
		return nil, false
	}
	stamped, crossed := false, false
	for i, f := range m.fields {
		switch f.name {
		case "received":
			stamped = true
			if crossed || !system.isHop(stampedBy(m.fields[i:])) {
				return system.inside(fields, crossed), border
			}
			if border = len(system.Border) == 0; system.isBorder(f.value()) {
				border, crossed = true, true
				if !system.Below {
					return fields, border
				}
				fields = nil
			}
		case "authentication-results":
			if a := parseResults(f.value()); system.isID(a.id) && !(crossed && !system.Strips && has(fields, a.id)) {
				fields = append(fields, a)
			}
		}
	}
	if !stamped { // no server took it in: it was put into the mailbox as it is
		return nil, false
	}
	return system.inside(fields, crossed), border
}

// has reports whether one of fields is of that id.
func has(fields []authResults, id string) bool {
	return slices.ContainsFunc(fields, func(a authResults) bool { return a.id == id })
}

// inside is what counts of fields where no further Received is the system's.
func (r *receiver) inside(fields []authResults, crossed bool) []authResults {
	if len(r.Border) > 0 && !crossed {
		return nil
	}
	return fields
}

// receivedBy is the server that wrote a Received (RFC 5321 section 4.4).
func receivedBy(v string) string {
	hop := report.ReadHop(v)
	return canonical(hop.By)
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

// signedBy is the domain that dkim=pass stands for and that may speak for from,
// of all fields taken together. doubted: one of them says otherwise of that
// domain, or saw no signature where another one did.
func (c *Checker) signedBy(fields []authResults, from string) (domain string, doubted bool) {
	unsigned, failed := false, make(map[string]bool)
	var passed []string
	for _, a := range fields {
		for _, r := range a.results {
			if r.method != "dkim" {
				continue
			}
			switch d := r.domain(); {
			case r.value == "none":
				unsigned = true
			case d == "" && r.value != "pass":
				failed[from] = true
			case !c.aligned(d, from):
			case r.value == "pass":
				passed = append(passed, d)
			default:
				failed[d] = true
			}
		}
	}
	for _, d := range passed {
		if !unsigned && !failed[d] {
			return d, false
		}
	}
	return "", len(passed) > 0 || len(failed) > 0
}

// sentBy is the envelope's domain that spf=pass stands for, where that is a
// provider's alone and may speak for from.
func (c *Checker) sentBy(fields []authResults, from string) string {
	domain := ""
	for _, a := range fields {
		for _, r := range a.results {
			if r.method != "spf" || r.value == "none" {
				continue
			}
			d := r.domain()
			if r.value != "pass" || !c.aligned(d, from) || !covered(c.signers, d) { // who shares a domain can write any From
				return ""
			}
			domain = d
		}
	}
	return domain
}
