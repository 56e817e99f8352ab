package report

import (
	"github.com/fblwatch/fblwatch/internal/message"
)

// salvage reads a message in which there is no report part by the first reader
// that knows it, or a message attached to it; kind is what it is without. false:
// nobody does.
func (p *parser) salvage(h *outerHeader, w *walker, kind Kind) bool {
	if p.salvaged || p.headless || h.declared() != "" || w.kind != "" || w.empty {
		return false
	}
	p.salvaged = true
	found := p.salvageFrom(p.letter(), kind)
	w.met.Open = w.met.Open || found && p.ours && len(p.letter().Parts()) == 1 // it may go on
	return found
}

func (p *parser) salvageFrom(top *message.Message, kind Kind) bool {
	for m, depth := top, 0; m != nil && depth < maxWithin && !p.budget.Spent(); m, depth = m.Within(), depth+1 {
		if p.readLetter(m) {
			p.readOthers()
			return true
		}
		if kind != KindOther && kind != KindNotice && kind != KindUnparsed {
			return false // what a bounce or an answer returns is no complaint
		}
	}
	if p.readLater(top) || p.readQuoted(top, kind) {
		return true
	}
	if kind != KindOther && isReportText(top) {
		p.readBy(reader{read: (*parser).readReportText}, top)
		return true
	}
	for range maxWithin {
		if !isWrapped(top) {
			break
		}
		top = top.Within()
	}
	for _, reader := range carriers {
		if reader.detect(top) {
			p.readBy(reader, top)
			p.readOthers()
			return true
		}
	}
	return false
}
