package report

import "strings"

// isAttachedReport knows a report that somebody sends on as a whole.
func isAttachedReport(m *letter) bool {
	if m.outer == nil {
		return false
	}
	w := m.walk()
	return w.report.found || w.textual.found || is(param(m.top.contentType, "report-type"), "feedback-report")
}

func (m *letter) walk() *walker {
	w := walker{}
	w.part(&m.top, 1)
	return &w
}

// readAttachedReport reads the report, and leaves the mail that brings it to
// Outer.
func (p *parser) readAttachedReport(m *letter) Kind {
	h := outerHeader{contentType: field{value: m.top.contentType}}
	p.read(&h, m.walk())
	return p.r.Kind
}

// isRedirected knows a mail whose body is a mail, which no person's program
// writes, and a mail that a feedback loop sent on as it was.
func isRedirected(m *letter) bool {
	if m.outer != nil || isAnswer(m) {
		return false
	}
	if is(mediaType(m.top.contentType), "message/rfc822") {
		return m.within() != nil
	}
	return redirector(m) != ""
}

// isAnswer reports whether a program says that it answers or returns a mail.
func isAnswer(m *letter) bool {
	auto := strings.ToLower(m.field("auto-submitted"))
	return strings.HasPrefix(auto, "auto-replied") || m.field("x-failed-recipients") != ""
}

// redirector is who sent on a mail that somebody else wrote, if that is a
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
	r.Class, r.Event = "fbl", Complaint
	if is(mediaType(m.top.contentType), "message/rfc822") {
		p.readReported(m.within())
	} else {
		p.extend("redirected-by", redirector(m))
		reported := *m
		reported.mail.body = behindTrace(m)
		p.readReported(&reported)
	}
	if r.Original == nil || r.Original.From == "" {
		p.loss("original: none that can be read")
		return KindUnparsed
	}
	return KindReport
}

// behindTrace is the mail behind the fields that sending it on has added.
func behindTrace(m *letter) []byte {
	end := 0
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
	return m.mail.body[end:]
}

// readForward reads a mail that a person's program attached to words that call
// it spam.
func (p *parser) readForward(m *letter, kind Kind) bool {
	inner := m.within()
	if m.outer != nil || kind != KindOther || inner == nil || !inner.ended || inner.field("from") == "" || !hasPrefixFold(m.top.contentType, "multipart/") {
		return false
	}
	if says := strings.ToLower(p.r.Outer.Subject) + "\n" + strings.ToLower(string(m.start())); !callsSpam(says) {
		return false
	}
	if isJMRP(inner) || isAttachedReport(inner) || is(mediaType(inner.top.contentType), "multipart/report") {
		return false // theirs to read, or no complaint
	}
	r := p.r
	r.Kind, r.Dialect, r.Class, r.Event = KindReport, "forward", "service", Complaint
	p.readReported(inner)
	p.derive()
	return true
}

func callsSpam(text string) bool {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, ">") || strings.HasPrefix(line, "list-") {
			continue
		}
		for _, word := range [...]string{"spam", "unsolicited", "junk", "complaint", "abuse", "phish", "unwanted mail", "unwanted e", "beschwerde", "pourriel"} {
			if strings.Contains(line, word) {
				return true
			}
		}
	}
	return false
}
