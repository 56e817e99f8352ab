package report

import (
	"bytes"

	"github.com/fblwatch/fblwatch/internal/message"
)

// outerHeader holds the first of each field of the outer header that the reader needs.
type outerHeader struct {
	from, date, messageID, subject, contentType, encoding, received message.Field

	auto, bounce, xarf bool
	reports            bool // a part of it is a report's, whatever report-type says

	end    int // where its blank line is
	fields message.Spans
}

// behindBlanks is a message without the blank lines before its header, at most idBody
// octets. Lines of white space count as blank.
func behindBlanks(b []byte) []byte {
	rest := b
	for {
		line, next, ended := message.CutLine(rest)
		if !ended || len(bytes.TrimSpace(line)) > 0 || len(b)-len(next) > idBody {
			break
		}
		rest = message.SkipEnvelope(next, true)
	}
	if len(rest) == len(b) {
		return b
	}
	if f, _, kind := message.ReadField(rest); kind == message.FieldLine && (fieldOf(f.Name) == nil || message.LooksLikeHeader(rest)) {
		return rest
	}
	return b
}

// read reads the outer header. standard: it ends at its first blank line, at h.end.
func (h *outerHeader) read(sent []byte) (body []byte, standard bool) {
	limited := sent[:min(len(sent), message.MaxHeader)]
	standard = true
	var f message.Field
	for b := limited; ; {
		rest, kind := f.Read(b)
		switch kind {
		case message.EndOfData:
			return nil, false
		case message.BlankLine:
			if h.contentType.Name != nil && h.from.Name != nil || !message.GoesOn(rest) {
				h.end = len(limited) - len(b)
				return sent[len(limited)-len(rest):], standard && f.Ended
			}
			standard = false
		case message.OtherLine:
			if bytes.HasPrefix(f.Value, []byte("--")) {
				return sent[len(limited)-len(b):], false
			}
		case message.FieldLine:
			if h.field(&f); f.Ended {
				h.fields.Add(&f, len(limited)-len(b), len(limited)-len(rest))
			}
		}
		b = rest
	}
}

func (h *outerHeader) field(f *message.Field) {
	set := func(dst *message.Field) {
		if dst.Name == nil {
			*dst = *f
		}
	}
	var space [32]byte
	switch string(f.LowerName(&space)) {
	case "from":
		set(&h.from)
	case "date":
		set(&h.date)
	case "message-id":
		set(&h.messageID)
	case "subject":
		set(&h.subject)
	case "content-type":
		set(&h.contentType)
	case "content-transfer-encoding":
		set(&h.encoding)
	case "received":
		set(&h.received)
	case "auto-submitted":
		h.auto = h.auto || message.HasPrefixFold(f.Value, "auto-replied")
	case "x-autoreply", "x-autorespond", "x-autoresponder":
		h.auto = true
	case "precedence":
		h.auto = h.auto || message.HasPrefixFold(f.Value, "auto_reply")
	case "x-failed-recipients":
		h.bounce = true
	case "x-xarf", "x-arf":
		h.xarf = true
	}
}

// isFramed reports whether a body of no type begins with a boundary.
func (h *outerHeader) isFramed(body []byte) bool {
	line, rest, _ := message.CutLine(body)
	return bytes.HasPrefix(line, []byte("--")) && message.HasPrefixFold(rest, "content-")
}

// declared is the kind that a multipart/report declares (RFC 6522 section 3),
// where that is another than a feedback report.
func (h *outerHeader) declared() Kind {
	if h.reports || !message.Is(message.MediaType(h.contentType.Value), "multipart/report") {
		return ""
	}
	switch kind := message.Param(h.contentType.Value, "report-type"); {
	case message.Is(kind, "delivery-status"), message.Is(kind, "global-delivery-status"):
		return KindDSN
	case message.Is(kind, "disposition-notification"):
		return KindMDN
	case message.Is(kind, "tlsrpt"):
		return KindTLSRPT
	}
	return ""
}

func (p *parser) readOuter(h *outerHeader) {
	o := &p.r.Outer
	p.r.from, p.r.date = p.keep.Keep(h.from.Value, h.from.Folded), p.keep.Keep(h.date.Value, h.date.Folded)
	o.From, o.FromDomain = p.author(p.r.from)
	o.Date, _ = message.ParseDate(p.r.date)
	o.MessageID = p.keep.Keep(h.messageID.Value, h.messageID.Folded)
	o.Subject = message.DecodeWords(p.keep.Keep(message.ToUTF8(h.subject.Value, h.contentType.Value), h.subject.Folded))
	if i := bytes.LastIndexByte(h.received.Value, ';'); i >= 0 {
		o.Received, _ = message.ParseDate(p.keep.Keep(message.Trim(h.received.Value[i+1:]), h.received.Folded))
	}
}

// signed notes the domains that signed the message, unverified.
func (p *parser) signed() {
	for _, s := range p.outer {
		if f := p.message[s.Start:s.End]; message.Is(f[:s.Name], "dkim-signature") {
			if d := dkimTag(f[bytes.IndexByte(f, ':')+1:], 'd'); len(d) > 0 {
				p.r.signed = p.keep.Append(p.r.signed, p.keep.Keep(d, false))
			}
		}
	}
}
