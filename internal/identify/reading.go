package identify

import (
	"iter"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/report"
)

// The limits for one message. A longer value matches nothing.
const (
	maxValue     = 8 << 10 // octets of a field's value
	maxInstances = 100     // values of one source: more name no subscriber
	maxFound     = 512     // octets of a result
	maxHashes    = 2_000   // by which a report names its recipients
	fewHashes    = 8       // that are searched one by one
)

// source is the place that a rule reads.
type source struct {
	kind string // original, report, outer, text, rcpt, mailfrom
	name string // of the field, if it is one
	uris bool   // the value is a list of URIs in angle brackets (RFC 2369), each an instance
}

func (s source) String() string {
	if s.name == "" {
		return s.kind
	}
	return s.kind + ":" + s.name
}

// value is one instance of a source.
type value struct {
	text string
	from string // the source's name in records
}

// reading is what the rules have read from one report, and their results.
type reading struct {
	r       *report.Report
	sources []namedSource
	fields  []field           // that a source names
	hashes  []string          // by which the report names its recipients
	hash    *strings.Replacer // finds them if there are many
	lists   map[string]bool   // see isList; nil: not known yet
	values  []value           // of the sources read so far
	read    []instances
	results []result
}

// instances are the values of one source, from one index to another.
type instances struct {
	from, to int
	unread   bool
	last     int // 1 + its last field in the header; 0: none
}

// field is a field of a header.
type field struct {
	number int
	before int // 1 + the field of the same source before it; 0: none
}

// readingPool keeps the memory of a reading for the next one.
var readingPool = sync.Pool{New: func() any { return new(reading) }}

func (id *Identifier) newReading(r *report.Report, records []report.Record) *reading {
	m := readingPool.Get().(*reading)
	m.r, m.sources, m.read = r, id.sources, slices.Grow(m.read, len(id.sources))[:len(id.sources)]
	for i := range id.headers {
		m.index(&id.headers[i])
	}
	for _, n := range id.others {
		m.read[n].unread = true
	}
	for i := range records {
		if local, _, _ := strings.Cut(records[i].RcptHash, "@"); local != "" {
			m.hashes = append(m.hashes, local)
		}
	}
	for _, v := range r.Extensions["redacted-address"] { // AOL's
		if len(m.hashes) == maxHashes {
			break
		}
		if local, _, _ := strings.Cut(v, "@"); len(local) >= 8 && !isPlaceholder(local) {
			m.hashes = append(m.hashes, local)
		}
	}
	return m
}

// index finds the fields of a header that the sources name.
func (m *reading) index(in *index) {
	h := m.r.Header(in.kind)
	for i := range h.Len() {
		name := h.Name(i)
		for n := in.first[message.Mark(name)]; n > 0; n = m.sources[n-1].next {
			if s := &m.sources[n-1]; s.name == name || len(s.name) == len(name) && strings.EqualFold(s.name, name) {
				m.fields = append(m.fields, field{i, m.read[n-1].last})
				m.read[n-1].last, m.read[n-1].unread = len(m.fields), true
			}
		}
	}
}

// backward yields the values of a source in a header, lowest first.
func (m *reading) backward(n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		h := m.r.Header(m.sources[n].kind)
		for at := m.read[n].last; at > 0; at = m.fields[at-1].before {
			if !yield(h.Value(m.fields[at-1].number)) {
				return
			}
		}
	}
}

// done returns the memory to the pool.
func (m *reading) done() {
	clear(m.read) // the pool drops the strings of the others in time
	*m = reading{fields: m.fields[:0], hashes: m.hashes[:0], values: m.values[:0], read: m.read[:0], results: m.results[:0]}
	if cap(m.values)+cap(m.hashes)+cap(m.fields) < 1000 {
		readingPool.Put(m)
	}
}

// The fields of the source mailfrom.
const (
	returnPath       = "original:Return-Path"
	originalMailFrom = "report:Original-Mail-From"
)

// has reports whether a source of a rule may have an instance.
func (m *reading) has(r *ready) bool {
	for _, n := range r.from {
		if in := &m.read[n]; in.unread || in.from < in.to {
			return true
		}
	}
	return false
}

// of returns the readable instances of the n-th source, lowest first.
func (m *reading) of(n int) []value {
	in := &m.read[n]
	if in.unread {
		in.unread, in.from = false, len(m.values)
		if m.collect(n); len(m.values)-in.from > maxInstances {
			m.values = m.values[:in.from] // not all of them were read
		}
		in.to = len(m.values)
	}
	return m.values[in.from:in.to]
}

func (m *reading) collect(n int) {
	s, from := &m.sources[n], len(m.values)
	switch s.kind {
	case "text":
		if text := m.r.Text(); text != "" {
			m.values = append(m.values, value{text, s.label})
		}
	case "mailfrom":
		for v := range m.backward(s.pair[0]) {
			m.add(from, returnPath, bare(v))
		}
		if o := m.r.Original; o != nil {
			m.add(from, returnPath, bare(o.ReturnPath))
		}
		for v := range m.backward(s.pair[1]) {
			m.add(from, originalMailFrom, bare(v))
		}
		m.add(from, originalMailFrom, bare(m.r.OriginalMailFrom))
	default:
		for v := range m.backward(n) {
			v = unencoded(v)
			if s.opaque {
				v = withoutBlanks(v)
			}
			if !s.uris {
				m.add(from, s.label, v)
				continue
			}
			for uri := range uris(v) {
				m.add(from, s.label, uri)
			}
		}
	}
}

// add appends a value to those of one source, unless it is there already or
// cannot be read.
func (m *reading) add(from int, label string, v string) {
	v = strings.TrimSpace(v)
	if len(m.values)-from > maxInstances {
		return
	}
	for i := range m.values[from:] {
		if m.values[from+i].text == v {
			return
		}
	}
	if !m.usable(v) {
		return
	}
	m.values = append(m.values, value{v, label})
}

// usable reports whether a value is neither empty nor blotted out.
func (m *reading) usable(v string) bool {
	return v != "" && len(v) <= maxValue && strings.IndexByte(v, 0) < 0 && !isPlaceholder(v) && !m.own(v)
}

// own reports whether v holds a hash by which the report names its recipient:
// the provider put it there in place of the address.
func (m *reading) own(v string) bool {
	if len(m.hashes) <= fewHashes {
		return slices.ContainsFunc(m.hashes, func(hash string) bool { return strings.Contains(v, hash) })
	}
	if m.hash == nil {
		pairs := make([]string, 0, 2*len(m.hashes))
		for _, hash := range m.hashes {
			pairs = append(pairs, hash[:min(len(hash), maxFound)], "")
		}
		m.hash = strings.NewReplacer(pairs...) // finds any of them in one pass
	}
	return len(m.hash.Replace(v)) < len(v)
}

// isList reports whether v is the address of a mailing list that handed the message
// on: what its author's program wrote of a recipient names the list, and no
// member of it.
func (m *reading) isList(v string) bool {
	at := strings.LastIndexByte(v, '@')
	if at <= 0 {
		return false
	}
	if m.lists == nil {
		m.readLists()
	}
	v = strings.ToLower(v)
	return m.lists[v] || m.lists[idPrefix+v[:at]+"."+v[at+1:]]
}

const idPrefix = "id "

// readLists reads the addresses and the ids of the lists, in lower case, once for
// all values and records.
func (m *reading) readLists() {
	m.lists = make(map[string]bool)
	h := m.r.Header(report.FromOriginal)
	for _, post := range h.Values("List-Post") {
		for uri := range uris(post) {
			if l, ok := parseLink(uri); ok {
				m.lists[strings.ToLower(l.to)] = true
			}
		}
	}
	for _, id := range h.Values("List-ID") {
		m.lists[idPrefix+strings.ToLower(listID(id)[campaign])] = true
	}
	for _, list := range h.Values("X-BeenThere") {
		m.lists[strings.ToLower(list)] = true
	}
}

// fit reports whether a result can be one. Where the reader wrote U+FFFD for
// octets that are no UTF-8, it is not what the sender wrote.
func (m *reading) fit(v string) bool {
	if len(v) > maxFound || isPlaceholder(v) || m.own(v) {
		return false
	}
	for i := range len(v) {
		if v[i] < ' ' || v[i] >= 0x7f {
			return !strings.ContainsFunc(v[i:], func(c rune) bool { return c == utf8.RuneError || unicode.IsControl(c) })
		}
	}
	return true
}

// isPlaceholder reports whether v replaces a value that was redacted, or never filled
// in.
func isPlaceholder(v string) bool {
	blot := 0
	for blot < len(v) && blots[v[blot]] {
		blot++
	}
	if blot == len(v) || v[blot] == '@' && strings.Trim(v[:blot], "xX*.-_") == "" {
		return true
	}
	if len(v) <= 9 && slices.ContainsFunc(noValues, func(word string) bool { return strings.EqualFold(v, word) }) {
		return true
	}
	braces, telling := false, telling
	for i := range len(v) {
		if !telling[v[i]] {
			continue
		}
		switch v[i] {
		case '{', '}':
			braces = true
		case '*':
			if strings.HasPrefix(v[i+1:], "*") {
				return true
			}
		default: // the third letter of both words
			if i >= 2 && (hasPrefixFold(v[i-2:], "redacted") || hasPrefixFold(v[i-2:], "undisclosed")) {
				return true
			}
		}
	}
	return braces && (strings.Contains(v, "{{") || strings.Contains(v, "}}") || strings.HasPrefix(v, "{") && strings.HasSuffix(v, "}") && !strings.ContainsAny(v, `":`))
}

// noValues stand for a value that there is none of.
var noValues = []string{"null", "(null)", "nil", "none", "undefined", "unknown", "n/a"}

// blots are what a value is overwritten with; telling are octets of which a placeholder
// has one.
var blots, telling = octetsOf("xX*.-_0 "), octetsOf("dD*{}")

func hasPrefixFold(v, prefix string) bool {
	return len(v) >= len(prefix) && strings.EqualFold(v[:len(prefix)], prefix)
}

// bare takes the brackets off an address.
func bare(v string) string {
	if open := strings.IndexByte(v, '<'); open >= 0 {
		for next := open; next >= 0; next = strings.IndexByte(v, '<') { // forward, which is much faster
			v = v[next+1:]
		}
		v, _, _ = strings.Cut(v, ">")
	}
	return strings.TrimSpace(v)
}

// withoutBlanks takes out the white space that folding may put into a token (RFC 5322
// section 2.2.3): no other is one.
func withoutBlanks(v string) string {
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
	return message.DecodeWords(v)
}
