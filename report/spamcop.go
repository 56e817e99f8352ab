package report

import (
	"bytes"
	"strings"
)

// SpamCop's text form: a subject with the source and SpamCop's number, "Email
// from ADDRESS / DATE" or "Spamvertised web site: URL" in the text, and the
// reported message below a line "[ Offending message ]". Ticket systems put their
// own lines above it.

func isSpamCop(m *letter) bool {
	_, id := spamCopSubject(m.subject())
	if id == "" && !strings.Contains(strings.ToLower(m.field("from")+m.field("x-rt-originator")), "spamcop.net") {
		return false
	}
	return spamCopText(m) != nil
}

// spamCopText is the first text with a line of SpamCop's.
func spamCopText(m *letter) *part {
	parts := m.parts()
	for i := range parts {
		start := parts[i]
		if !isPlain(mediaType(start.contentType)) {
			continue
		}
		start.body = start.body[:min(len(start.body), idBody)]
		for line := range bytes.Lines(bytes.ToLower(start.text())) {
			for _, says := range []string{"email from ", "spamvertised", "[ offending message ]", "[ spamcop v"} {
				if bytes.HasPrefix(trim(line), []byte(says)) {
					return &parts[i]
				}
			}
		}
	}
	return nil
}

// spamCopSubject reads "[SpamCop (SOURCE) id:NUMBER]", wherever it stands.
func spamCopSubject(subject string) (source, id string) {
	_, rest, found := strings.Cut(subject, "[SpamCop (")
	source, rest, closed := strings.Cut(rest, ")")
	_, id, numbered := strings.Cut(rest, "id:")
	id, _, ended := strings.Cut(id, "]")
	if !found || !closed || !numbered || !ended {
		return "", ""
	}
	return source, strings.TrimSpace(id)
}

func (p *parser) readSpamCop(m *letter) Kind {
	r := p.r
	r.Class, r.Event = ClassService, Complaint
	q := spamCopText(m)
	text, closed, offending := q.text(), q.closed, false
	p.budget.spend(len(text))
	for line, rest := range lines(text, closed) {
		s := unfold(line)
		lower := strings.ToLower(s)
		switch {
		case lower == "[ offending message ]" && !offending:
			offending = true
			p.readReported(newLetter(m, part{body: skipEnvelope(rest, true), closed: closed, found: true, budget: p.budget}, nil))
		case strings.HasPrefix(lower, "email from ") && r.SourceIP == "":
			ip, date, _ := strings.Cut(s[len("email from "):], " / ")
			p.fillIP(strings.TrimSpace(ip), "text:Email from")
			p.fillDate(strings.TrimSpace(date), "text:Email from")
		case strings.HasPrefix(lower, "spamvertised"):
			if _, uri, found := strings.Cut(s, ": "); found && strings.Contains(uri, "://") {
				p.fillURI(uri, "text:Spamvertised")
			}
		case strings.HasPrefix(lower, "[ spamcop v"):
			p.fill(&r.UserAgent, "user_agent", strings.Trim(s, "[] "), "text:SpamCop")
		case strings.Contains(lower, "spamcop.net/w3m?") && r.Extensions["report-url"] == nil:
			p.extend("report-url", s)
		}
		if r.Original != nil {
			break
		}
	}
	p.cutText(text, closed)
	if inner := m.within(); r.Original == nil && inner != nil {
		p.readReported(inner)
	}
	source, id := spamCopSubject(m.subject())
	if id != "" {
		p.extend("spamcop-id", id)
	}
	p.fillIP(source, m.source("Subject"))
	if r.SourceIP == "" && len(r.ReportedURI) == 0 && r.Original == nil {
		p.loss("source: none that can be read")
		return KindUnparsed
	}
	return KindReport
}
