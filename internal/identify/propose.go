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
	Rule    Rule
	Mails   int    // samples that have the field in this shape
	Example string // one of its values
}

// The least that a field must show to be proposed.
const (
	leastSamples   = 3  // mails that have it
	leastShare     = 50 // percent of the samples
	leastToken     = 3  // octets of a token
	maxProposals   = 5
	maxTokenPieces = 12
)

// notTokens begin the names of fields that differ from mail to mail and name no
// subscriber: what the mail's way, its author and its filters write.
var notTokens = []string{
	"received", "date", "message-id", "subject", "from", "to", "cc", "reply-to", "sender", "in-reply-to", "references", "mime-", "content-",
	"dkim-", "domainkey-", "arc-", "authentication-", "delivered-", "delivery-", "envelope-", "x-received", "x-ms-", "x-microsoft-", "x-google-", "x-gm-",
	"x-forefront-", "x-spam-", "x-originating-", "x-originalarrival", "x-hmxmr", "x-sid-", "x-auth", "x-ymail", "x-yahoo-", "x-apparently-", "x-aol-", "x-virus-",
	"x-proofpoint-", "x-mimecast-", "x-mailer", "user-agent", "thread-", "x-original-", "x-rspamd-", "x-report-abuse", "x-priority", "list-id", "autocrypt",
}

// Propose looks through the reports of mails that no rule identified for fields
// whose value is another in each mail and of one shape in all: the best five.
func Propose(samples []*report.Report) []Proposal {
	values := make(map[string]map[int]string) // source: number of the sample: value
	for i, r := range samples {
		for name, v := range r.Header(report.FromOriginal).Fields() {
			source := report.FromOriginal + ":" + name
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
				v = "" // a repeated field names nobody
			}
			values[source][i] = v
		}
	}
	var all []Proposal
	for source, of := range values {
		if p, ok := propose(source, of, len(samples)); ok {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Proposal) int {
		return cmp.Or(b.Mails-a.Mails, len(a.Rule.Match)-len(b.Rule.Match), strings.Compare(a.Rule.From, b.Rule.From))
	})
	return all[:min(len(all), maxProposals)]
}

func candidate(name, v string) bool {
	return v != "" && len(v) <= maxFound && !isPlaceholder(v) &&
		!slices.ContainsFunc(notTokens, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// propose makes a rule for one field, if its values have a common shape.
func propose(source string, of map[int]string, samples int) (p Proposal, ok bool) {
	shapes := make(map[string][][]string)
	for _, v := range of {
		tokens, shape := split(v)
		if v != "" && len(tokens) <= maxTokenPieces {
			shapes[shape] = append(shapes[shape], tokens)
		}
	}
	var shape string
	for s, rows := range shapes {
		if n := len(rows); n > len(shapes[shape]) || n == len(shapes[shape]) && s < shape {
			shape = s
		}
	}
	rows := shapes[shape]
	if len(rows) < leastSamples || len(rows)*100 < samples*leastShare {
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
	p.Rule, p.Mails = Rule{From: source, Match: match}, len(rows)
	return p, true
}

// split takes a value apart at what delimits tokens. shape is the value with a
// NUL in place of each token.
func split(v string) (tokens []string, shape string) {
	var b strings.Builder
	for v != "" {
		n := 0
		for n < len(v) && isAlnum(v[n]) {
			n++
		}
		if len(v) >= 36 && isUUID(v[:36]) && (len(v) == 36 || !isAlnum(v[36])) {
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
// them stands as it is, what is another in each is the subscriber, and the
// first that recurs is the campaign. ok: exactly one token is the subscriber's.
func pattern(shape string, rows [][]string) (match string, ok bool) {
	columns := len(rows[0])
	distinct := make([]int, columns)
	subscriberAt, campaignAt := -1, -1
	for c := range columns {
		seen, shortest := make(map[string]bool), leastToken
		for _, row := range rows {
			seen[row[c]] = true
			shortest = min(shortest, len(row[c]))
		}
		distinct[c] = len(seen)
		switch {
		case distinct[c] == len(rows) && shortest >= leastToken:
			if subscriberAt >= 0 {
				return "", false // it cannot be told which of them
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
			b.WriteString(regexp.QuoteMeta(rows[0][c]))
		default:
			b.WriteString(class(rows, c))
		}
		c++
	}
	b.WriteByte('$')
	return b.String(), true
}

// class is an expression for a column: a UUID, digits, hexadecimal, or any
// letters and digits. Too few octets tell neither hexadecimal nor a length.
func class(rows [][]string, c int) string {
	digits, hex, uuid, length := true, true, true, len(rows[0][c])
	for _, row := range rows {
		digits = digits && each(row[c], isDigit, "")
		hex = hex && each(row[c], isHex, "") && strings.ToLower(row[c]) == row[c]
		uuid = uuid && isUUID(row[c])
		if len(row[c]) != length {
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
