package identify

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/report"
)

// Proposal is a field that looks like a token of the subscriber, and a rule to
// try.
type Proposal struct {
	Rule     Rule
	Messages int    // samples that have the field in this shape
	Example  string // one of its values
}

// The least that a field must show to be proposed.
const (
	leastSamples   = 3  // messages that have it
	leastShare     = 50 // percent of the samples
	leastToken     = 3  // octets of a token
	leastDistinct  = 90 // percent of a token's values: some people complain twice
	maxProposals   = 5
	maxTokenPieces = 12
)

// notTokens begin the names of fields that differ from message to message and name no
// subscriber: what the message's way, its author and its filters write.
var notTokens = []string{
	"received", "date", "message-id", "subject", "from", "to", "cc", "reply-to", "sender", "in-reply-to", "references", "mime-", "content-",
	"dkim-", "domainkey-", "arc-", "authentication-", "delivered-", "delivery-", "envelope-", "x-received", "x-ms-", "x-microsoft-", "x-google-", "x-gm-",
	"x-forefront-", "x-spam-", "x-originating-", "x-originalarrival", "x-hmxmr", "x-sid-", "x-auth", "x-ymail", "x-yahoo-", "x-apparently-", "x-aol-", "x-virus-",
	"x-proofpoint-", "x-mimecast-", "x-mailer", "user-agent", "thread-", "x-original-", "x-rspamd-", "x-report-abuse", "x-priority", "list-id", "autocrypt",
}

// row is what one sample has in a field.
type row struct {
	tokens []string
	rcpt   string // the recipient that the sample names, or his hash; "": none, or several
}

// Propose looks through the reports of messages that no rule identified for fields
// whose value is another for nearly each person and of one shape in all: the
// best five.
func Propose(samples []*report.Report) []Proposal {
	values := make(map[string]map[int]string) // source: number of the sample: value
	for i, r := range samples {
		for name, v := range r.Header(report.FromOriginal).Fields() {
			source, v := report.FromOriginal+":"+name, unencoded(v)
			if name == "return-path" {
				source, v = "mailfrom", bare(v)
			}
			if v = strings.TrimSpace(v); !candidate(name, v) {
				continue
			}
			if values[source] == nil {
				values[source] = make(map[int]string)
			}
			if other, twice := values[source][i]; twice && other != v {
				v = "" // a repeated field names no subscriber
			}
			values[source][i] = v
		}
	}
	var all []Proposal
	for source, of := range values {
		if p, ok := propose(source, of, samples); ok {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Proposal) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(len(a.Rule.Match), len(b.Rule.Match)), cmp.Compare(a.Rule.From, b.Rule.From))
	})
	return all[:min(len(all), maxProposals)]
}

func candidate(name, v string) bool {
	return v != "" && len(v) <= maxFound && !isPlaceholder(v) &&
		!slices.ContainsFunc(notTokens, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// propose makes a rule for one field, if its values have a common shape.
func propose(source string, of map[int]string, samples []*report.Report) (p Proposal, ok bool) {
	shapes := make(map[string][]row)
	for i, v := range of {
		tokens, shape := split(v)
		if v != "" && len(tokens) <= maxTokenPieces {
			r := row{tokens: tokens}
			if rcpts := samples[i].OriginalRcptTo; len(rcpts) == 1 {
				r.rcpt = strings.ToLower(rcpts[0])
			}
			shapes[shape] = append(shapes[shape], r)
		}
	}
	var shape string
	for s, rows := range shapes {
		if n := len(rows); n > len(shapes[shape]) || n == len(shapes[shape]) && s < shape {
			shape = s
		}
	}
	rows := shapes[shape]
	if len(rows) < leastSamples || len(rows)*100 < len(samples)*leastShare {
		return p, false
	}
	match, ok := pattern(shape, rows)
	if !ok {
		return p, false
	}
	for _, v := range of { // the least, so that it is the same each time
		if _, s := split(v); s == shape && (p.Example == "" || v < p.Example) {
			p.Example = v
		}
	}
	p.Rule, p.Messages = Rule{From: source, Match: match}, len(rows)
	return p, true
}

// split takes a value apart at what delimits tokens. shape is the value with a
// NUL in place of each token.
func split(v string) (tokens []string, shape string) {
	var b strings.Builder
	for v != "" {
		n := 0
		for n < len(v) && alnum[v[n]] {
			n++
		}
		if len(v) >= 36 && isUUID(v[:36]) && (len(v) == 36 || !alnum[v[36]]) {
			n = 36
		}
		if n > 0 {
			tokens = append(tokens, v[:n])
			b.WriteByte(0)
			v = v[n:]
			continue
		}
		b.WriteByte(v[0])
		v = v[1:]
	}
	return tokens, b.String()
}

// pattern is the expression for the rows of one shape: what is equal in all of
// them stands as it is, what is another for each person is the subscriber, and
// the first that recurs is the campaign. ok: exactly one token is the
// subscriber's.
func pattern(shape string, rows []row) (match string, ok bool) {
	columns := len(rows[0].tokens)
	distinct := make([]int, columns)
	subscriberAt, campaignAt := -1, -1
	for c := range columns {
		seen, shortest := make(map[string]bool), leastToken
		for _, row := range rows {
			seen[row.tokens[c]] = true
			shortest = min(shortest, len(row.tokens[c]))
		}
		distinct[c] = len(seen)
		switch {
		case distinct[c]*100 >= len(rows)*leastDistinct && shortest >= leastToken:
			if !personal(rows, c) {
				continue
			}
			if subscriberAt >= 0 {
				return "", false // it is unclear which of them
			}
			subscriberAt = c
		case distinct[c] > 1 && campaignAt < 0:
			campaignAt = c
		}
	}
	if subscriberAt < 0 {
		return "", false
	}
	var b strings.Builder
	b.WriteByte('^')
	c := 0
	for i := range len(shape) {
		if shape[i] != 0 {
			b.WriteString(regexp.QuoteMeta(shape[i : i+1]))
			continue
		}
		switch {
		case c == subscriberAt:
			fmt.Fprintf(&b, "(?P<subscriber>%s)", class(rows, c))
		case c == campaignAt:
			fmt.Fprintf(&b, "(?P<campaign>%s)", class(rows, c))
		case distinct[c] == 1:
			b.WriteString(regexp.QuoteMeta(rows[0].tokens[c]))
		default:
			b.WriteString(class(rows, c))
		}
		c++
	}
	b.WriteByte('$')
	return b.String(), true
}

// personal reports whether a column can be the subscriber's by what the samples
// say of their recipients: no two of them share a value, and those who are named
// twice have the same one more often than another. A message's own number has not.
func personal(rows []row, c int) bool {
	holder, values := make(map[string]string), make(map[string][]string)
	same, differs := 0, 0
	for _, row := range rows {
		token := row.tokens[c]
		if row.rcpt == "" {
			continue
		}
		if holder[token] != "" && holder[token] != row.rcpt {
			return false
		}
		holder[token] = row.rcpt
		if known := values[row.rcpt]; slices.Contains(known, token) {
			same++
		} else {
			differs += min(1, len(known))
			values[row.rcpt] = append(known, token)
		}
	}
	return same >= differs
}

// class is an expression for a column: a UUID, digits, hexadecimal, or any
// letters and digits. Too few octets show neither hexadecimal nor a length.
func class(rows []row, c int) string {
	digits, hex, uuid, length := true, true, true, len(rows[0].tokens[c])
	for _, row := range rows {
		token := row.tokens[c]
		digits = digits && each(token, digit)
		hex = hex && each(token, hexDigit) && strings.ToLower(token) == token
		uuid = uuid && isUUID(token)
		if len(token) != length {
			length = 0
		}
	}
	switch {
	case uuid:
		return "[0-9A-Fa-f-]{36}"
	case digits:
		return "[0-9]+"
	case length < 6:
		return "[0-9A-Za-z]+"
	case hex:
		return fmt.Sprintf("[0-9a-f]{%d}", length)
	}
	return fmt.Sprintf("[0-9A-Za-z]{%d}", length)
}
