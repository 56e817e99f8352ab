package report

import (
	"bytes"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// dedent takes the indentation of a first line that is a field off all lines.
func dedent(b []byte) []byte { return outdent(b, " \t") }

// unquote is dedent for a text that may be quoted too.
func unquote(b []byte) []byte { return outdent(b, " \t>") }

func outdent(b []byte, marks string) []byte {
	if len(b) == 0 || strings.IndexByte(marks, b[0]) < 0 {
		return b
	}
	start := bytes.TrimLeft(b, marks)
	indent := b[:len(b)-len(start)]
	if _, _, kind := message.ReadField(start); kind != message.FieldLine && hyphens(start) == nil {
		return b
	}
	quotes := bytes.TrimRight(indent, " \t")
	var out []byte
	for line := range bytes.Lines(b) {
		switch rest, found := bytes.CutPrefix(line, indent); {
		case found:
			out = append(out, rest...)
		case !bytes.HasPrefix(indent, line): // else it is cut in its indentation
			out = append(out, bytes.TrimPrefix(line, quotes)...)
		}
	}
	return out
}

// reflow breaks a report part that has all its fields on one line, before each name
// that it knows.
func reflow(b []byte) []byte {
	f, rest, _ := message.ReadField(b)
	first := message.Is(f.Name, "feedback-type") || message.Is(f.Name, "user-agent") || message.Is(f.Name, "version")
	if !first || bytes.IndexByte(f.Value, ':') < 0 {
		return b
	}
	var out []byte
	fields := 0
	for word := range bytes.FieldsSeq(b[:len(b)-len(rest)]) {
		if name, _, found := bytes.Cut(word, []byte(":")); found && fieldOf(name) != nil {
			if fields++; fields > 1 {
				out = append(out, '\n')
			}
		} else {
			out = append(out, ' ')
		}
		out = append(out, word...)
	}
	if fields < 2 {
		return b
	}
	if f.Ended {
		out = append(out, '\n')
	}
	return append(out, rest...)
}

// rename puts the hyphens back into the names that it knows.
func rename(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for line := range bytes.Lines(b) {
		name := hyphens(line)
		out = append(append(out, name...), line[len(name):]...)
	}
	return out
}

// hyphens is the name at the start of a line with hyphens for its blanks, nil:
// it has none, or is not known.
func hyphens(line []byte) []byte {
	name, value, found := bytes.Cut(line[:min(len(line), message.MaxName)], []byte(":"))
	if name = bytes.TrimRight(name, " \t"); !found || bytes.IndexByte(name, ' ') < 0 || bytes.HasPrefix(value, []byte("//")) {
		return nil
	}
	if name = bytes.ReplaceAll(name, []byte(" "), []byte("-")); fieldOf(name) == nil {
		return nil
	}
	return name
}

// looksLikeReport reports whether b begins with fields and has a Feedback-Type
// among its first lines, one of at least so many of RFC 5965. A blank line may
// follow MIME fields before them.
func looksLikeReport(b []byte, least int) bool {
	b = reflow(dedent(skipYAML(b)))
	known, typed, mime := 0, false, false
	for n := 0; n < 100 && !(typed && known >= least); n++ {
		f, rest, kind := message.ReadField(b)
		switch {
		case kind == message.EndOfData:
			return false
		case kind == message.FieldLine && fieldOf(f.Name) != nil:
			known++
			typed = typed || message.Is(f.Name, "feedback-type")
		case known > 0:
		case kind == message.FieldLine:
			mime = message.IsMIMEField(f.Name)
		case kind != message.BlankLine || !mime:
			return false
		}
		b = rest
	}
	return typed && known >= least
}

// isDirective reports whether a line may come before a YAML document and is no field of a
// report.
func isDirective(line []byte) bool {
	if _, _, kind := message.ReadField(line); kind == message.FieldLine {
		return false
	}
	return line[0] == '#' || line[0] == '%' || bytes.HasPrefix(line, []byte("--- "))
}

// skipYAML drops a byte order mark, blank lines and what comes before the fields
// of a YAML document: directives, comments and its "---".
func skipYAML(b []byte) []byte {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	for {
		if len(b) > 0 && b[0] > '-' { // as nearly always
			return b
		}
		line, rest, ended := message.CutLine(b)
		if !ended || len(bytes.Trim(line, " \t-")) > 0 && !isDirective(line) {
			return b
		}
		b = rest
	}
}

// readFields reads the fields of the report part.
func (p *parser) readFields(w *message.Part) {
	p.report = p.report[:0]
	if w.ArfHead {
		p.readBlock(w.Head, 0, w.HeadEnded, true)
	}
	p.uses.of(w.Body, UseReport)
	body := w.Decoded()
	if len(w.Encoding) > 0 && len(w.Body) > message.MaxDecoded && len(body) != len(w.Body) {
		p.loss("report part: longer than 1 MiB")
	}
	p.budget.Spend(len(body))
	body = reflow(unquote(skipYAML(message.ToUTF8(body, w.ContentType))))
	if p.reportRaw = body; w.ArfHead {
		p.reportRaw = slices.Concat(w.Head, body)
	}
	p.readBlock(body, len(p.reportRaw)-len(body), w.Closed, false)
}

// readBlock reads fields until b ends. It skips blank lines and keeps lines that are no
// field. A field that the end of b may cut stays raw. b begins at start in reportRaw.
// head: b is the header of a part, whose MIME fields are skipped.
func (p *parser) readBlock(b []byte, start int, closed, head bool) {
	start += len(b)
	var f message.Field
	for n := 0; ; n++ {
		rest, kind := f.Read(b)
		p.budget.Spend(len(b) - len(rest))
		if kind == message.FieldLine && (closed || f.Ended) {
			p.report.Add(&f, start-len(b), start-len(rest))
		}
		switch {
		case kind == message.EndOfData || p.budget.Spent():
			return
		case n == message.MaxFields:
			p.loss("report part: more than 10000 lines")
			return
		case !closed && !f.Ended:
			p.cutShort("report part: cut in the middle of a field")
			if kind == message.FieldLine {
				p.extend(p.keep.Lower(f.Name), p.keep.Keep(f.Value, f.Folded))
			}
		case head && message.IsMIMEField(f.Name):
		case kind == message.FieldLine:
			p.readField(&f)
		case kind == message.OtherLine && len(message.Trim(f.Value)) > 0:
			if hyphens(f.Value) != nil && !head {
				b = rename(b)
				p.reportRaw = slices.Concat(p.reportRaw[:start-len(b)], b)
				continue
			}
			p.loss("report part: a line that is no field")
			p.extend(linesKey, p.keep.Keep(message.Trim(f.Value), false))
		}
		b = rest
	}
}
