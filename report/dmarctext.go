package report

import (
	"bytes"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// Servers with Exim, such as those of cPanel, report in plain text that a message
// failed DMARC: labelled lines, then a copy of its header.

func isDMARCText(m *message.Message) bool { return dmarcLabels(m.Start()) >= 3 }

// dmarcLabels counts the labels in b that such a message has.
func dmarcLabels(b []byte) (n int) {
	for line := range message.Lines(b, false) {
		label, _, found := bytes.Cut(line, []byte(":"))
		switch strings.ToLower(message.Unfold(label)) {
		case "sender domain", "sender ip address", "received date", "spf alignment", "dkim alignment", "dmarc results":
			if found {
				n++
			}
		}
	}
	return n
}

func (p *parser) readDMARCText(m *message.Message) Kind {
	r := p.r
	r.Class, r.Event = ClassAuth, AuthFailed
	text, closed := p.text(m)
	p.budget.Spend(len(text))
	for line, rest := range message.Lines(text, closed) {
		s := message.Unfold(line)
		if strings.HasPrefix(s, "--") {
			p.readReported(message.New(m, message.Part{Body: message.SkipEnvelope(rest, true), Closed: closed, Found: true, Budget: p.budget}, nil))
			break
		}
		label, value, found := strings.Cut(s, ":")
		label, value = strings.ToLower(strings.TrimSpace(label)), strings.TrimSpace(value)
		if !found || value == "" {
			continue
		}
		switch label {
		case "sender domain":
			r.ReportedDomain = append(r.ReportedDomain, value)
			p.from("reported_domain", "text:Sender Domain")
		case "sender ip address":
			if !p.fillIP(value, "text:Sender IP Address") {
				p.extend("sender-ip-address", value)
			}
		case "received date":
			p.fillDate(value, "text:Received date")
		case "spf alignment", "dkim alignment", "dmarc results":
			p.extend(strings.ReplaceAll(label, " ", "-"), value)
		}
	}
	p.cutText(text, closed)
	if r.SourceIP == "" && len(r.ReportedDomain) == 0 {
		p.loss("source: none that can be read")
		return KindUnparsed
	}
	return KindReport
}
