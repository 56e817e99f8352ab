package report

import (
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// Servers report in the name of their users: a click on "junk" or "not junk"
// sends the message on, attached, to an address of the server's administrator.

// isZimbra knows what Zimbra sends for a click.
func isZimbra(m *message.Message) bool { return zimbraType(m) != "" && m.Within() != nil }

// zimbraType is "spam" or "ham"; "" is neither.
func zimbraType(m *message.Message) string {
	says := strings.ToLower(m.Field("x-zimbra-spam-report-type"))
	if subject := strings.ToLower(m.Subject()); says == "" && strings.HasPrefix(subject, "zimbra-spam-report:") {
		_, last, _ := cutLast(subject, ":")
		says = strings.TrimSpace(last)
	}
	if says != "spam" && says != "ham" {
		return ""
	}
	return says
}

func (p *parser) readZimbra(m *message.Message) Kind {
	event := Complaint
	if zimbraType(m) == "ham" {
		event = NotSpam
	}
	text, closed := p.text(m)
	for b := text; ; {
		f, rest, kind := message.ReadField(b)
		if kind != message.FieldLine || !f.Ended && !closed {
			break
		}
		p.extend(p.keep.Lower(f.Name), p.keep.Keep(f.Value, f.Folded))
		b = rest
	}
	return p.readUserReport(m, event)
}

// isMicrosoftUser knows a user's report of Microsoft 365: its subject is a digit,
// a bar and the subject of the message that is attached.
func isMicrosoftUser(m *message.Message) bool {
	inner := m.Within()
	return microsoftCode(m) != 0 && inner != nil && (inner.Field("from") != "" || inner.Field("received") != "")
}

// microsoftCode is '1' for junk, '2' for no junk, '3' for phishing; 0 is none.
func microsoftCode(m *message.Message) byte {
	code, _, found := strings.Cut(m.Subject(), "|")
	if code = strings.TrimSpace(code); !found || len(code) != 1 || code[0] < '1' || code[0] > '3' {
		return 0
	}
	return code[0]
}

func (p *parser) readMicrosoftUser(m *message.Message) Kind {
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

func (p *parser) readUserReport(m *message.Message, event Event) Kind {
	p.r.Class, p.r.Event = ClassService, event
	inner := m.Within()
	p.lead = inner
	p.readReported(inner)
	return KindReport
}
