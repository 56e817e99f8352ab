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

// unquoted is the message with one level of quoting removed from its texts, of which it
// reads at most limit octets; nil if nothing in them is quoted.
func unquoted(m *message.Message, limit int) *message.Message {
	parts, found := slices.Clone(m.Parts()), false
	for i := range parts {
		q := &parts[i]
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
	return m.WithParts(parts)
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
			p.readBy(reader, unquoted(m, len(m.Whole.Body)))
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
