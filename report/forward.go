package report

import (
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/message"
)

// isAttachedReport knows a report that somebody sends on as a whole.
func isAttachedReport(m *message.Message) bool {
	if m.Outer == nil {
		return false
	}
	w := walkerOf(m)
	return w.report.Found || w.textual.Found || message.Is(message.Param(m.Top.ContentType, "report-type"), "feedback-report")
}

func walkerOf(m *message.Message) *walker {
	w := walker{}
	w.walk(m.Top, 1)
	return &w
}

// readAttachedReport reads the report, and leaves the message that brings it to
// Outer.
func (p *parser) readAttachedReport(m *message.Message) Kind {
	p.self = m
	h := outerHeader{contentType: message.Field{Value: m.Top.ContentType}}
	p.readFound(&h, walkerOf(m))
	return p.r.Kind
}

// isRedirected knows a message whose body is a message, which no person's program
// writes, and a message that a feedback loop sent on as it was.
func isRedirected(m *message.Message) bool {
	if message.Is(message.MediaType(m.Top.ContentType), "message/rfc822") {
		return m.Within() != nil
	}
	return redirector(m) != ""
}

// redirector is who sent on a message that somebody else wrote, if that is a
// feedback loop by its address.
func redirector(m *message.Message) string {
	author, _ := message.Address(m.Field("from"))
	for _, name := range []string{"resent-from", "resent-sender", "return-path"} {
		addr, _ := message.Address(m.Field(name))
		if isLoop(addr) && message.IsAddress(author) && registrable(message.DomainOf(addr)) != registrable(message.DomainOf(author)) {
			return addr
		}
	}
	return ""
}

func (p *parser) readRedirected(m *message.Message) Kind {
	r := p.r
	r.Event = Complaint
	if message.Is(message.MediaType(m.Top.ContentType), "message/rfc822") {
		p.readReported(m.Within())
	} else {
		p.extend("redirected-by", redirector(m))
		r.Outer.Date = time.Time{} // the Date is its author's
		reported := *m
		reported.Whole.Body = behindTrace(m)
		p.lead = &reported
		p.readReported(&reported)
	}
	if r.Original == nil || r.Original.From == "" {
		p.loss("original: none that can be read")
		return KindUnparsed
	}
	return KindReport
}

// behindTrace is the message without the fields at its top that sending it on added.
func behindTrace(m *message.Message) []byte {
	end := 0
	m.Whole.Budget.Spend(len(m.Header))
	for rest := m.Header; len(rest) > 0; {
		f, next, kind := message.ReadField(rest)
		if kind != message.FieldLine {
			break
		}
		first := message.Is(f.Name, "return-path") && end == 0
		if first || message.HasPrefixFold(f.Name, "resent-") {
			end = len(m.Header) - len(next)
		}
		rest = next
	}
	return m.Whole.Body[end:]
}

// isForward knows a message that is attached to words that call it spam: by a
// person's program, or by a provider's of no known dialect.
func isForward(m *message.Message) bool {
	top := message.MediaType(m.Top.ContentType)
	if !message.HasPrefixFold(top, "multipart/") || message.Is(top, "multipart/report") || message.Is(top, "multipart/digest") {
		return false
	}
	inner := m.Within()
	if inner == nil || acknowledges(strings.ToLower(m.Subject())) || !inner.Ended || inner.Field("from") == "" || message.Is(message.MediaType(inner.Top.ContentType), "multipart/report") {
		return false
	}
	says := opening(m)
	title := m.Subject()
	return callsSpam(title[:min(len(title), maxSubject)]+"\n\n"+string(m.Start())) && !deniesSpam(spoken(says)) && !toHam(m) && !isOwnFilter(m, ownWords(says))
}

// toHam reports whether a message goes to where messages go that are no spam.
func toHam(m *message.Message) bool {
	for to := range message.Addresses(strings.ToLower(m.Field("to"))) {
		addr, _ := message.Address(to)
		local, _, _ := strings.Cut(addr, "@")
		switch strings.NewReplacer("-", "", "_", "", ".", "").Replace(local) {
		case "ham", "notspam", "nospam", "isnotspam", "notjunk", "falsepositive", "falsepositives":
			return true
		}
	}
	return false
}

func (p *parser) readForward(m *message.Message) Kind { return p.readForwarded(m.Within()) }

// readForwarded reads a message that somebody calls spam.
func (p *parser) readForwarded(m *message.Message) Kind {
	p.r.Class, p.r.Event = ClassService, Complaint
	p.lead = m
	p.readReported(m)
	return KindReport
}
