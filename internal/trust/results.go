package trust

import (
	"bytes"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
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

// Results of a method (RFC 8601 section 2.7).
const (
	resultPass = "pass"
	resultNone = "none" // nothing was checked
)

// mailFrom are the names that servers give the domain of MAIL FROM.
var mailFrom = []string{"smtp.mailfrom", "smtp.mail", "smtp.mfrom", "envelope-from"}

// domain is the domain that the method checked; "" if there is none, or two.
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

// names reports whether a dkim result names the signer.
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

// isNone reports whether nothing was checked; Yahoo writes unknown.
func (r *result) isNone() bool { return r.value == resultNone || r.value == "unknown" }

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

// set sets a property. If there are two values, none counts: a server may write words
// of the sender.
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
// quotes, but servers write addresses into it, and a local part may be quoted. So a
// parenthesis within quotes is not ok: it may belong to either. Nor are words after a
// comment with HELO or MAIL FROM (postfix-policyd-spf-python): the client may have ended
// that comment.
func splitResults(v string) (segments [][]string, ok bool) {
	var words []string
	var space [128]byte
	word := space[:0]
	quoted, depth, blank, quotedWithin := false, 0, false, false
	clear, told, opened := true, false, 0
	flush := func() {
		if len(word) > 0 {
			words = append(words, string(word))
		}
		word = word[:0]
	}
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case c == '\\' && (quoted || depth > 0):
			if i++; quoted && i < len(v) {
				word = append(word, v[i])
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
			told = told || depth == 0 && tellsOfClient(v[opened:i])
		case c == '"':
			quoted = !quoted
		case quoted:
			word = append(word, c)
		case c == '(':
			depth, blank, opened = 1, true, i
		case c == ';':
			flush()
			segments, words, blank = append(segments, words), nil, false
		case message.IsBlank(rune(c)):
			blank = true
		default:
			if blank && (c != '=' && bytes.IndexByte(word, '=') != len(word)-1 || len(word) == 0) {
				flush()
			}
			blank = false
			word = append(word, c)
			clear = clear && !told && c != ')'
		}
	}
	flush()
	return append(segments, words), clear && !quoted && depth == 0
}

func tellsOfClient(comment string) bool {
	comment = lower(comment)
	return strings.Contains(comment, "helo=") || strings.Contains(comment, "envelope-from=")
}
