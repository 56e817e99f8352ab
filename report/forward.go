package report

import (
	"strings"
	"time"
)

// isAttachedReport knows a report that somebody sends on as a whole.
func isAttachedReport(m *letter) bool {
	if m.outer == nil {
		return false
	}
	w := walkerOf(m)
	return w.report.found || w.textual.found || is(param(m.top.contentType, "report-type"), "feedback-report")
}

func walkerOf(m *letter) *walker {
	w := walker{}
	w.walk(m.top, 1)
	return &w
}

// readAttachedReport reads the report, and leaves the message that brings it to
// Outer.
func (p *parser) readAttachedReport(m *letter) Kind {
	p.self = m
	h := outerHeader{contentType: field{value: m.top.contentType}}
	p.read(&h, walkerOf(m))
	return p.r.Kind
}

// isRedirected knows a message whose body is a message, which no person's program
// writes, and a message that a feedback loop sent on as it was.
func isRedirected(m *letter) bool {
	if is(mediaType(m.top.contentType), "message/rfc822") {
		return m.within() != nil
	}
	return redirector(m) != ""
}

// redirector is who sent on a message that somebody else wrote, if that is a
// feedback loop by its address.
func redirector(m *letter) string {
	author, _ := address(m.field("from"))
	for _, name := range []string{"resent-from", "resent-sender", "return-path"} {
		addr, _ := address(m.field(name))
		if isLoop(addr) && isAddress(author) && registrable(domainOf(addr)) != registrable(domainOf(author)) {
			return addr
		}
	}
	return ""
}

// isLoop knows the address of a feedback loop by its local part.
func isLoop(addr string) bool {
	local, domain, _ := strings.Cut(strings.ToLower(addr), "@")
	if local == "staff" && domain == "hotmail.com" {
		return true
	}
	for word := range strings.FieldsFuncSeq(local, func(c rune) bool { return c == '-' || c == '_' || c == '.' || c == '+' }) {
		switch word {
		case "fbl", "feedback", "feedbackloop", "complaint", "complaints", "jmrp", "spamreport", "scomp":
			return true
		}
	}
	return false
}

func (p *parser) readRedirected(m *letter) Kind {
	r := p.r
	r.Event = Complaint
	if is(mediaType(m.top.contentType), "message/rfc822") {
		p.readReported(m.within())
	} else {
		p.extend("redirected-by", redirector(m))
		r.Outer.Date = time.Time{} // the Date is its author's
		reported := *m
		reported.message.body = behindTrace(m)
		p.lead = &reported
		p.readReported(&reported)
	}
	if r.Original == nil || r.Original.From == "" {
		p.loss("original: none that can be read")
		return KindUnparsed
	}
	return KindReport
}

// behindTrace is the message behind the fields that sending it on has added.
func behindTrace(m *letter) []byte {
	end := 0
	m.message.budget.spend(len(m.header))
	for rest := m.header; len(rest) > 0; {
		f, next, kind := readField(rest)
		if kind != fieldLine {
			break
		}
		first := is(f.name, "return-path") && end == 0
		if first || hasPrefixFold(f.name, "resent-") {
			end = len(m.header) - len(next)
		}
		rest = next
	}
	return m.message.body[end:]
}

// isForward knows a message that is attached to words that call it spam: by a
// person's program, or by a provider's of no known dialect.
func isForward(m *letter) bool {
	top := mediaType(m.top.contentType)
	if !hasPrefixFold(top, "multipart/") || is(top, "multipart/report") || is(top, "multipart/digest") {
		return false
	}
	inner := m.within()
	if inner == nil || acknowledges(strings.ToLower(m.subject())) || !inner.ended || inner.field("from") == "" || is(mediaType(inner.top.contentType), "multipart/report") {
		return false
	}
	says := opening(m)
	title := m.subject()
	return callsSpam(title[:min(len(title), maxSubject)]+"\n\n"+string(m.start())) && !deniesSpam(spoken(says)) && !toHam(m) && !isOwnFilter(m, ownWords(says))
}

// toHam reports whether a message goes to where messages go that are no spam.
func toHam(m *letter) bool {
	for to := range addresses(strings.ToLower(m.field("to"))) {
		addr, _ := address(to)
		local, _, _ := strings.Cut(addr, "@")
		switch strings.NewReplacer("-", "", "_", "", ".", "").Replace(local) {
		case "ham", "notspam", "nospam", "isnotspam", "notjunk", "falsepositive", "falsepositives":
			return true
		}
	}
	return false
}

func (p *parser) readForward(m *letter) Kind { return p.readForwarded(m.within()) }

// readForwarded reads a message that somebody calls spam.
func (p *parser) readForwarded(m *letter) Kind {
	p.r.Class, p.r.Event = ClassService, Complaint
	p.lead = m
	p.readReported(m)
	return KindReport
}
