package report

import (
	"strings"
)

// Mail servers report in the name of their users: a click on "junk" or "not junk"
// sends the message on, attached, to an address of the server's administrator.

// isZimbra knows what Zimbra sends for a click.
func isZimbra(m *letter) bool { return zimbraType(m) != "" && m.within() != nil }

// zimbraType is "spam" or "ham"; "" is neither.
func zimbraType(m *letter) string {
	says := strings.ToLower(m.field("x-zimbra-spam-report-type"))
	if subject := strings.ToLower(m.subject()); says == "" && strings.HasPrefix(subject, "zimbra-spam-report:") {
		_, last, _ := cutLast(subject, ":")
		says = strings.TrimSpace(last)
	}
	if says != "spam" && says != "ham" {
		return ""
	}
	return says
}

func (p *parser) readZimbra(m *letter) Kind {
	event := Complaint
	if zimbraType(m) == "ham" {
		event = NotSpam
	}
	text, closed := m.text()
	for b := text; ; {
		f, rest, kind := readField(b)
		if kind != fieldLine || !f.ended && !closed {
			break
		}
		p.extend(p.keep.lower(f.name), p.keep.keep(f.value, f.folded))
		b = rest
	}
	return p.readUserReport(m, event)
}

// isMicrosoftUser knows a user's report of Microsoft 365: its subject is a digit,
// a bar and the subject of the message that is attached.
func isMicrosoftUser(m *letter) bool {
	inner := m.within()
	return microsoftCode(m) != 0 && inner != nil && (inner.field("from") != "" || inner.field("received") != "")
}

// microsoftCode is '1' for junk, '2' for no junk, '3' for phishing; 0 is none.
func microsoftCode(m *letter) byte {
	code, _, found := strings.Cut(m.subject(), "|")
	if code = strings.TrimSpace(code); !found || len(code) != 1 || code[0] < '1' || code[0] > '3' {
		return 0
	}
	return code[0]
}

func (p *parser) readMicrosoftUser(m *letter) Kind {
	event := Complaint
	switch microsoftCode(m) {
	case '1':
		p.extend("report-type", "junk")
	case '2':
		p.extend("report-type", "not junk")
		event = NotSpam
	case '3':
		p.extend("report-type", "phishing")
	}
	return p.readUserReport(m, event)
}

func (p *parser) readUserReport(m *letter, event Event) Kind {
	p.r.Class, p.r.Event = ClassService, event
	inner := m.within()
	p.lead = inner
	p.readReported(inner)
	return KindReport
}
