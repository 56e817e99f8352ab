package report

import "bytes"

// walker finds the parts of a message that matter, in one pass over its bytes.
type walker struct {
	report   part // of type message/feedback-report
	textual  part // of another type, and reads like one
	original part // of a type made for a message or its header
	plain    part // of another type, and reads like a header; best behind the report
	text     part // of type text, and none of these
	late     bool // plain is behind the report
	solid    bool // original is more than blanks
	enough   bool // and its header is all there
	kind     Kind // what the type of another part says of the message

	met   partWalk // also open: there is no boundary to close a report
	extra bool     // more than one report part
	empty bool     // a report part without anything in it
}

// done reports whether a report and the original's header are at hand.
func (w *walker) done() bool {
	return w.report.found && w.report.closed && w.enough
}

// walk looks at a part, and at the parts within it.
func (w *walker) walk(p part, depth int) { w.met.part(p, depth, w.leaf, w.after) }

// after reports whether the walk ends.
func (w *walker) after(rest []byte) bool {
	if !w.done() {
		return false
	}
	w.extra = w.extra || bytes.Contains(rest, []byte("message/feedback-report"))
	return true
}

// leaf looks at one part.
func (w *walker) leaf(p part) {
	typ := mediaType(p.contentType)
	switch {
	case hasPrefixFold(typ, "message/feedback-report") || p.arfHead:
		if len(trim(p.body)) == 0 && !p.arfHead {
			w.empty = true
			return
		}
		if !w.report.found {
			w.report = p
		} else {
			w.extra = true
		}
	case isOriginalType(typ):
		if !w.solid {
			w.original, w.solid = p, len(trim(p.body)) > 0
			w.enough = w.solid && (p.closed || headerEnds(p.body))
		}
	default:
		w.other(&p, typ)
	}
}

// other looks at a part whose type says nothing about reports.
func (w *walker) other(p *part, typ []byte) {
	switch {
	case is(typ, "message/delivery-status") || is(typ, "message/global-delivery-status"):
		w.kind = KindDSN
	case is(typ, "message/disposition-notification"):
		w.kind = KindMDN
	case hasPrefixFold(typ, "application/tlsrpt"):
		w.kind = KindTLSRPT
	case isAggregate(p, typ):
		w.kind = KindDMARCAggregate
	case !w.textual.found && looksLikeReport(p.start(), 2):
		w.textual = *p
	case (w.report.found || w.textual.found) && !w.late && looksLikeHeader(p.start()):
		w.plain, w.late = *p, true
	case !w.late && !w.plain.found && looksLikeHeader(p.start()):
		w.plain = *p
	case !w.text.found && (len(typ) == 0 || hasPrefixFold(typ, "text/")):
		w.text = *p
	}
}

// looksLikeReport reports whether b begins with fields and has a Feedback-Type
// among its first lines, one of at least so many of RFC 5965. A blank line may
// follow MIME fields before them.
func looksLikeReport(b []byte, least int) bool {
	b = reflow(dedent(skipYAML(b)))
	known, typed, mime := 0, false, false
	for n := 0; n < 100 && !(typed && known >= least); n++ {
		f, rest, kind := readField(b)
		switch {
		case kind == endOfData:
			return false
		case kind == fieldLine && fieldOf(f.name) != extension:
			known++
			typed = typed || is(f.name, "feedback-type")
		case known > 0:
		case kind == fieldLine:
			mime = isMIMEField(f.name)
		case kind != blankLine || !mime:
			return false
		}
		b = rest
	}
	return typed && known >= least
}

// isDirective knows the lines that may stand before a YAML document, but for
// those that are fields of a report too.
func isDirective(line []byte) bool {
	if _, _, kind := readField(line); kind == fieldLine {
		return false
	}
	return line[0] == '#' || line[0] == '%' || bytes.HasPrefix(line, []byte("--- "))
}

// skipYAML drops a byte order mark, blank lines and what stands before the fields
// of a YAML document: directives, comments and its "---".
func skipYAML(b []byte) []byte {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	for {
		line, rest, ended := cutLine(b)
		if !ended || len(bytes.Trim(line, " \t-")) > 0 && !isDirective(line) {
			return b
		}
		b = rest
	}
}
