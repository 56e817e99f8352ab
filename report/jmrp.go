package report

import (
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/message"
)

// Microsoft's Junk Message Reporting Program sent, until 2026, the reported message
// as an attachment of a message whose subject names the address it came from, or
// the reported message itself. Both begin with a field that names the recipient.
func isJMRP(m *message.Message) bool {
	return m.Field(hmxmr) != "" || isJMRPCover(m)
}

// isJMRPCover knows the message that brings the reported one. An attached message is
// none for its subject alone: it may be the reported one.
func isJMRPCover(m *message.Message) bool { return jmrpIP(m) != "" && (m.Outer == nil || byStaff(m)) }

func byStaff(m *message.Message) bool {
	from, _ := message.Address(m.Field("from"))
	return strings.EqualFold(from, "staff@hotmail.com")
}

// jmrpIP is what the subject names: an address, mostly. A person's "FW:" before
// it is not Microsoft's word.
func jmrpIP(m *message.Message) string {
	const says = "complaint about message from "
	subject := m.Subject()
	if len(subject) < len(says) || !strings.EqualFold(subject[:len(says)], says) {
		return ""
	}
	return subject[len(says):]
}

func (p *parser) readJMRP(m *message.Message) Kind {
	r := p.r
	r.Class, r.Event = ClassFBL, Complaint
	original := jmrpOriginal(m)
	var said *message.Message // the last cover
	for e := m; e != nil && e != original; e = e.Within() {
		if isJMRPCover(e) {
			said = e
		}
	}
	if said != nil && !p.fillIP(jmrpIP(said), said.Source("Subject")) {
		p.loss("source-ip: cannot be read")
		p.extend("subject", said.Subject())
	}
	if original == nil {
		p.loss("original: none that can be read")
		return KindUnparsed
	}
	if rcpt := original.Field(hmxmr); rcpt != "" && !p.fillRecipients(rcpt, "original:X-HmXmrOriginalRecipient") {
		p.extend(hmxmr, rcpt)
	}
	if ip := original.Field("x-reporter-ip"); ip != "" {
		p.extend("x-reporter-ip", ip)
	}
	if original.Outer == nil {
		original = original.From(hmxmr) // the fields above it were added on the way here
		r.Outer.Date = time.Time{}      // the Date is its author's
	}
	p.lead = original
	p.readReported(original)
	return KindReport
}

// jmrpOriginal is the reported message: the first that names the recipient, else
// the one that the last cover brings.
func jmrpOriginal(m *message.Message) *message.Message {
	var reported *message.Message
	for e, depth := m, 0; e != nil && depth < maxWithin; e, depth = e.Within(), depth+1 {
		if e.Field(hmxmr) != "" {
			return e
		}
		if !isJMRPCover(e) {
			if reported != nil {
				break
			}
			continue
		}
		if reported = e.Within(); reported != nil && !reported.Ended && !byStaff(e) {
			reported = nil // sent on and cut short: it may be another cover
		}
	}
	return reported
}
