package identify

import (
	"mime"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fblwatch/fblwatch/report"
)

// What is read of one mail: a longer value matches nothing.
const (
	maxValue     = 8 << 10 // octets of a field's value
	maxInstances = 100     // values of one source: more name nobody
	maxFound     = 512     // octets of a result
)

// source is where a rule reads.
type source struct {
	kind string // original, report, outer, text, rcpt, mailfrom
	name string // the field's, where there is one
	uris bool   // the value is a list of URIs in angle brackets (RFC 2369), each an instance
}

func (s *source) String() string {
	if s.name == "" {
		return s.kind
	}
	return s.kind + ":" + s.name
}

// value is one instance of a source.
type value struct {
	text string
	from *source
}

// mail is what the rules read of one report.
type mail struct {
	r      *report.Report
	rcpt   string   // of the record that is identified
	hashes []string // by which the report names its recipients
	read   []instances
}

// instances are what stands in one source.
type instances struct {
	values []value
	known  bool
}

func newMail(r *report.Report, records []report.Record, sources int) *mail {
	m := &mail{r: r, read: make([]instances, sources)}
	for i := range records {
		if local, _, _ := strings.Cut(records[i].RcptHash, "@"); local != "" {
			m.hashes = append(m.hashes, local)
		}
	}
	for _, v := range r.Extensions["redacted-address"] { // AOL's
		if local, _, _ := strings.Cut(v, "@"); len(local) >= 8 && !isPlaceholder(local) {
			m.hashes = append(m.hashes, local)
		}
	}
	return m
}

// Of the source mailfrom, these are read.
var (
	returnPath       = source{kind: report.FromOriginal, name: "Return-Path"}
	originalMailFrom = source{kind: report.FromReport, name: "Original-Mail-From"}
)

// values are the instances of the n-th source that can be read, lowest first.
func (m *mail) values(n int, s *source) []value {
	if s.kind == "rcpt" {
		return m.usable(nil, s, m.rcpt)
	}
	if !m.read[n].known {
		all := m.collect(s)
		if len(all) > maxInstances {
			all = nil // not all of them were looked at
		}
		m.read[n] = instances{all, true}
	}
	return m.read[n].values
}

func (m *mail) collect(s *source) (all []value) {
	switch s.kind {
	case "text":
		if text := m.r.Text(); text != "" {
			all = []value{{text, s}}
		}
	case "mailfrom":
		for _, v := range backward(m.r.Header(report.FromOriginal).Values("Return-Path")) {
			all = m.usable(all, &returnPath, bare(v))
		}
		if o := m.r.Original; o != nil {
			all = m.usable(all, &returnPath, bare(o.ReturnPath))
		}
		for _, v := range backward(m.r.Header(report.FromReport).Values("Original-Mail-From")) {
			all = m.usable(all, &originalMailFrom, bare(v))
		}
		all = m.usable(all, &originalMailFrom, bare(m.r.OriginalMailFrom))
	default:
		for _, v := range backward(m.r.Header(s.kind).Values(s.name)) {
			v = unencoded(v)
			if !s.uris {
				all = m.usable(all, s, v)
				continue
			}
			for _, uri := range uris(v) {
				all = m.usable(all, s, uri)
			}
		}
	}
	return all
}

// usable appends a value that is neither empty nor blotted out.
func (m *mail) usable(all []value, from *source, v string) []value {
	v = strings.TrimSpace(v)
	if v == "" || len(v) > maxValue || len(all) > maxInstances || strings.IndexByte(v, 0) >= 0 || isPlaceholder(v) || m.own(v) {
		return all
	}
	if slices.ContainsFunc(all, func(known value) bool { return known.text == v }) {
		return all
	}
	return append(all, value{v, from})
}

// own reports whether v holds a hash by which the report names its recipient:
// the provider put it there in place of the address.
func (m *mail) own(v string) bool {
	return slices.ContainsFunc(m.hashes, func(hash string) bool { return strings.Contains(v, hash) })
}

// fit reports whether a result can be one. Where the reader wrote U+FFFD for
// octets that are no UTF-8, it is not what the sender wrote.
func (m *mail) fit(v string) bool {
	unfit := func(c rune) bool { return c == utf8.RuneError || unicode.IsControl(c) }
	return len(v) <= maxFound && !strings.ContainsFunc(v, unfit) && !isPlaceholder(v) && !m.own(v)
}

// isPlaceholder reports whether v stands where something was: blotted out, or
// never filled in.
func isPlaceholder(v string) bool {
	if local, _, _ := strings.Cut(v, "@"); strings.Trim(v, "xX*.-_0 ") == "" || strings.Trim(local, "xX*.-_") == "" {
		return true
	}
	switch {
	case len(v) > 9:
	case strings.EqualFold(v, "null"), strings.EqualFold(v, "(null)"), strings.EqualFold(v, "nil"), strings.EqualFold(v, "none"),
		strings.EqualFold(v, "undefined"), strings.EqualFold(v, "unknown"), strings.EqualFold(v, "n/a"):
		return true
	}
	return containsFold(v, "redacted") || containsFold(v, "undisclosed") ||
		strings.Contains(v, "{{") || strings.Contains(v, "}}") || strings.HasPrefix(v, "{") && strings.HasSuffix(v, "}") && !strings.ContainsAny(v, `":`)
}

// containsFold reports whether v holds word, which is in lower case, in any
// case.
func containsFold(v, word string) bool {
	for i := range len(v) - len(word) + 1 {
		if v[i]|0x20 == word[0] && strings.EqualFold(v[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// bare takes the brackets off an address.
func bare(v string) string {
	if open := strings.LastIndexByte(v, '<'); open >= 0 {
		v, _, _ = strings.Cut(v[open+1:], ">")
	}
	return strings.TrimSpace(v)
}

// unfold takes out the white space that folding may put into a token (RFC 5322
// section 2.2.3): no other is one.
func unfold(v string) string {
	if strings.IndexByte(v, ' ') < 0 && strings.IndexByte(v, '\t') < 0 {
		return v
	}
	return strings.NewReplacer(" ", "", "\t", "").Replace(v)
}

// unencoded decodes a value that is encoded words and nothing else (RFC 2047
// section 6.2), as some programs write whatever is long.
func unencoded(v string) string {
	if !strings.HasPrefix(v, "=?") || len(v) > 2*maxValue {
		return v
	}
	for word := range strings.FieldsSeq(v) {
		if !strings.HasPrefix(word, "=?") || !strings.HasSuffix(word, "?=") {
			return v
		}
	}
	if plain, err := new(mime.WordDecoder).DecodeHeader(v); err == nil {
		return plain
	}
	return v
}

func backward(values []string) []string {
	slices.Reverse(values)
	return values
}
