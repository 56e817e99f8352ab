package report

import (
	"bytes"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// People and ticket systems send a report on in the text of their own message,
// with "> " before its lines. One level of it is read through; an answer, which
// quotes what it answers, is no report.

// unquoted is the letter with one level of quoting taken off its texts, of which
// no more than limit octets are looked at; nil: nothing in them is quoted.
func unquoted(m *message.Message, limit int) *message.Message {
	later := *m
	later.Leaves, later.Walked = slices.Clone(m.Parts()), true
	later.Inner, later.Opened = nil, false
	found := false
	for i := range later.Leaves {
		q := &later.Leaves[i]
		if !message.IsPlain(message.MediaType(q.ContentType)) {
			continue
		}
		q.Body = q.Body[:min(len(q.Body), limit)]
		text := q.Text()
		if bytes.HasPrefix(text, []byte(">")) || bytes.Contains(text, []byte("\n>")) {
			q.Body, q.Encoding, found = unquoteOnce(text), nil, true
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
func (p *parser) readQuoted(top *message.Message, kind Kind) bool {
	_, subject := untagged(strings.ToLower(ownWords(top.Subject())))
	if startsWith(subject, answers) || kind != KindOther && kind != KindNotice && kind != KindUnparsed {
		return false
	}
	all := readers()
	if kind != KindOther {
		all = append(all, reader{"", isReportText, (*parser).readReportText})
	}
	for m, depth := top, 0; m != nil && depth < maxWithin; m, depth = m.Within(), depth+1 {
		seen := unquoted(m, idBody)
		if seen == nil {
			continue
		}
		for _, reader := range all {
			if !reader.detect(seen) {
				continue
			}
			p.readBy(reader, unquoted(m, len(m.Message.Body)))
			p.r.first = false
			p.uses.text(m)
			if p.r.Kind == KindReport || p.r.Kind == KindUnparsed {
				p.deviation("text: quoted; read through one level of it")
			}
			return true
		}
	}
	return false
}
