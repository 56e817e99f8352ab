package report

import (
	"bytes"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// SpamCop's text form: a subject with the source and SpamCop's number, "Email
// from ADDRESS / DATE" or "Spamvertised web site: URL" in the text, and the
// reported message below a line "[ Offending message ]". Ticket systems put their
// own lines above it.

func isSpamCop(m *message.Message) bool {
	_, id := spamCopSubject(m.Subject())
	if id == "" && !strings.Contains(strings.ToLower(m.Field("from")+m.Field("x-rt-originator")), "spamcop.net") {
		return false
	}
	return spamCopText(m) != nil
}

// spamCopText is the first text with a line of SpamCop's.
func spamCopText(m *message.Message) *message.Part {
	parts := m.Parts()
	for i := range parts {
		start := parts[i]
		if !message.IsPlain(message.MediaType(start.ContentType)) {
			continue
		}
		start.Body = start.Body[:min(len(start.Body), idBody)]
		for line := range bytes.Lines(bytes.ToLower(start.Text())) {
			for _, says := range []string{"email from ", "spamvertised", "[ offending message ]", "[ spamcop v"} {
				if bytes.HasPrefix(message.Trim(line), []byte(says)) {
					return &parts[i]
				}
			}
		}
	}
	return nil
}

// spamCopSubject reads "[SpamCop (SOURCE) id:NUMBER]", anywhere in a subject.
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

func (p *parser) readSpamCop(m *message.Message) Kind {
	r := p.r
	r.Class, r.Event = ClassService, Complaint
	q := spamCopText(m)
	p.uses.of(q.Body, UseText)
	text, closed, offending := q.Text(), q.Closed, false
	p.budget.Spend(len(text))
	for line, rest := range message.Lines(text, closed) {
		s := message.Unfold(line)
		lower := strings.ToLower(s)
		switch {
		case lower == "[ offending message ]" && !offending:
			offending = true
			p.readReported(message.New(m, message.Part{Body: message.SkipEnvelope(rest, true), Closed: closed, Found: true, Budget: p.budget}, nil))
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
	if inner := m.Within(); r.Original == nil && inner != nil {
		p.readReported(inner)
	}
	source, id := spamCopSubject(m.Subject())
	if id != "" {
		p.extend("spamcop-id", id)
	}
	p.fillIP(source, m.Source("Subject"))
	if r.SourceIP == "" && len(r.ReportedURI) == 0 && r.Original == nil {
		p.loss("source: none that can be read")
		return KindUnparsed
	}
	return KindReport
}
