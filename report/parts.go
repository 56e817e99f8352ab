package report

import (
	"bytes"

	"github.com/fblwatch/fblwatch/internal/message"
)

// walker finds the parts of a message that matter, in one pass over its bytes.
type walker struct {
	report   message.Part // of type message/feedback-report
	textual  message.Part // of another type, and reads like one
	original message.Part // of a type made for a message or its header
	plain    message.Part // of another type, and reads like a header; best behind the report
	text     message.Part // of type text, and none of these
	late     bool         // plain is behind the report
	solid    bool         // original is more than blanks
	enough   bool         // and its header is all there
	kind     Kind         // what the type of another part says of the message

	met   message.Walk // also open: there is no boundary to close a report
	extra bool         // more than one report part
	empty bool         // a report part without anything in it
}

// done reports whether a report and the original's header are at hand.
func (w *walker) done() bool {
	return w.report.Found && w.report.Closed && w.enough
}

// walk looks at a part, and at the parts within it.
func (w *walker) walk(p message.Part, depth int) { w.met.Parts(p, depth, w.leaf, w.after) }

// after reports whether the walk ends.
func (w *walker) after(rest []byte) bool {
	if !w.done() {
		return false
	}
	w.extra = w.extra || bytes.Contains(rest, []byte("message/feedback-report"))
	return true
}

// leaf looks at one part.
func (w *walker) leaf(p message.Part) {
	typ := message.MediaType(p.ContentType)
	switch {
	case message.HasPrefixFold(typ, "message/feedback-report") || p.ArfHead:
		if len(message.Trim(p.Body)) == 0 && !p.ArfHead {
			w.empty = true
			return
		}
		if !w.report.Found {
			w.report = p
		} else {
			w.extra = true
		}
	case message.IsOriginalType(typ):
		if !w.solid {
			w.original, w.solid = p, len(message.Trim(p.Body)) > 0
			w.enough = w.solid && (p.Closed || message.HeaderEnds(p.Body))
		}
	default:
		w.other(&p, typ)
	}
}

// other looks at a part whose type says nothing about reports.
func (w *walker) other(p *message.Part, typ []byte) {
	switch {
	case message.Is(typ, "message/delivery-status") || message.Is(typ, "message/global-delivery-status"):
		w.kind = KindDSN
	case message.Is(typ, "message/disposition-notification"):
		w.kind = KindMDN
	case message.HasPrefixFold(typ, "application/tlsrpt"):
		w.kind = KindTLSRPT
	case isAggregate(p, typ):
		w.kind = KindDMARCAggregate
	case !w.textual.Found && looksLikeReport(p.Start(), 2):
		w.textual = *p
	case (w.report.Found || w.textual.Found) && !w.late && message.LooksLikeHeader(p.Start()):
		w.plain, w.late = *p, true
	case !w.late && !w.plain.Found && message.LooksLikeHeader(p.Start()):
		w.plain = *p
	case !w.text.Found && (len(typ) == 0 || message.HasPrefixFold(typ, "text/")):
		w.text = *p
	}
}

// isAggregate knows a DMARC aggregate report by its file's name: receiver "!"
// domain "!" begin "!" end (RFC 9990).
func isAggregate(p *message.Part, typ []byte) bool {
	name := p.Name()
	return bytes.Count(name, []byte("!")) >= 3 && (bytes.Contains(name, []byte(".xml")) || bytes.HasSuffix(name, []byte(".zip")) || message.Is(typ, "application/gzip"))
}
