package report

import (
	"bytes"
	"slices"
	"strings"
)

// People and ticket systems send a report on in the text of their own message,
// with "> " before its lines. One level of it is read through; an answer, which
// quotes what it answers, is no report.

// unquoted is the letter with one level of quoting taken off its texts, of which
// no more than limit octets are looked at; nil: nothing in them is quoted.
func unquoted(m *letter, limit int) *letter {
	later := *m
	later.leaves, later.walked = slices.Clone(m.parts()), true
	later.inner, later.opened = nil, false
	found := false
	for i := range later.leaves {
		q := &later.leaves[i]
		if !isPlain(mediaType(q.contentType)) {
			continue
		}
		q.body = q.body[:min(len(q.body), limit)]
		text := q.text()
		if bytes.HasPrefix(text, []byte(">")) || bytes.Contains(text, []byte("\n>")) {
			q.body, q.encoding, found = unquoteOnce(text), nil, true
		}
	}
	if !found {
		return nil
	}
	return &later
}

// unquoteOnce takes one ">" and one blank behind it off each line that has it.
func unquoteOnce(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for line := range bytes.Lines(text) {
		if rest, quoted := bytes.CutPrefix(line, []byte(">")); quoted {
			line = bytes.TrimPrefix(rest, []byte(" "))
		}
		out = append(out, line...)
	}
	return out
}

// readQuoted reads a report that is quoted in the letter, or in one attached to it.
func (p *parser) readQuoted(top *letter, kind Kind) bool {
	_, subject := untagged(strings.ToLower(ownWords(top.subject())))
	if startsWith(subject, answers) || kind != KindOther && kind != KindNotice && kind != KindUnparsed {
		return false
	}
	all := readers()
	if kind != KindOther {
		all = append(all, reader{"", isReportText, (*parser).readReportText})
	}
	for m, depth := top, 0; m != nil && depth < maxWithin; m, depth = m.within(), depth+1 {
		seen := unquoted(m, idBody)
		if seen == nil {
			continue
		}
		for _, reader := range all {
			if !reader.detect(seen) {
				continue
			}
			p.readBy(reader, unquoted(m, len(m.message.body)))
			p.r.first = false
			if p.r.Kind == KindReport || p.r.Kind == KindUnparsed {
				p.deviation("text: quoted; read through one level of it")
			}
			return true
		}
	}
	return false
}
