package report

import (
	"bytes"
	"strings"
)

// Amazon SES reports through SNS: a mail whose body is a JSON object, to which
// SNS adds a footer; or, by its "email-json" way, an object of SNS's own that
// holds it as a text.

func isSES(m *letter) bool {
	start := m.start()
	at := objectAt(start)
	if at < 0 {
		return false
	}
	start = bytes.ToLower(start[at:])
	for _, name := range []string{`"notificationtype"`, `"eventtype"`, `"topicarn"`, `\"notificationtype\"`, `\"eventtype\"`} {
		if bytes.Contains(start, []byte(name)) {
			return true
		}
	}
	return false
}

// objectAt is where an object begins, at the start of b or of a line; -1: there
// is none.
func objectAt(b []byte) int {
	if start := bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n"); bytes.HasPrefix(start, []byte("{")) {
		return len(b) - len(start)
	}
	if i := bytes.Index(b, []byte("\n{")); i >= 0 {
		return i + 1
	}
	return -1
}

func (p *parser) readSES(m *letter) Kind {
	text, _ := m.text()
	text = text[objectAt(text):]
	t, whole := readJSON(text)
	if body := t.one("message"); body != "" && body[0] == '{' {
		p.extendTree(t)
		var inner bool
		t, inner = readJSON([]byte(body))
		whole = whole && inner
	}
	if !whole {
		p.cutShort("json: not whole")
	}
	kind := t.one("notificationtype") + t.one("eventtype")
	switch {
	case strings.EqualFold(kind, "complaint"):
	case strings.EqualFold(kind, "bounce"):
		return KindDSN
	case whole:
		return KindNotice
	default:
		p.loss("json: cannot be read")
		return KindUnparsed
	}
	r := p.r
	r.Class, r.Event = "fbl", Complaint
	p.fill(&r.FeedbackType, "feedback_type", t.one("complaint.complaintfeedbacktype"), "json:complaint.complaintFeedbackType")
	p.fill(&r.UserAgent, "user_agent", t.one("complaint.useragent"), "json:complaint.userAgent")
	p.fillDate(t.one("complaint.arrivaldate"), "json:complaint.arrivalDate")
	for _, rcpt := range t.take("complaint.complainedrecipients.emailaddress") {
		if !p.fillRecipients(rcpt, "json:complaint.complainedRecipients") {
			p.extend("complaint.complainedrecipients.emailaddress", rcpt)
		}
	}
	sender := t.one("mail.source")
	if source, rest := address(sender); isAddress(source) {
		p.fill(&r.OriginalMailFrom, "original_mail_from", source, "json:mail.source")
		if !rest {
			sender = ""
		}
	}
	if sender != "" {
		p.extend("mail.source", sender)
	}
	p.sesOriginal(t)
	p.extendTree(t)
	if !whole && r.FeedbackType == "" {
		p.loss("feedback-type: missing") // behind the cut it may be not-spam
		return KindUnparsed
	}
	return KindReport
}

// sesOriginal reads the header of the reported mail, which SES lists field by
// field where the sender wants it; else the few fields that it always gives.
func (p *parser) sesOriginal(t tree) {
	var header bytes.Buffer
	line := func(name, value string) {
		if value != "" && isFieldName([]byte(name)) {
			header.WriteString(name + ": " + strings.Join(strings.Fields(value), " ") + "\n")
		}
	}
	for _, field := range t.trees("mail.headers") {
		line(field.one("name"), field.one("value"))
	}
	if header.Len() == 0 {
		for _, name := range []string{"Return-Path", "From", "To", "Subject", "Date"} {
			if values := t.take("mail.commonheaders." + strings.ToLower(strings.ReplaceAll(name, "-", ""))); len(values) > 0 {
				line(name, strings.Join(values, ", "))
			}
		}
		line("Message-ID", t.one("mail.commonheaders.messageid"))
	} else {
		for _, mail := range t.trees("mail") {
			delete(mail, "commonheaders") // the same, again
		}
	}
	if header.Len() == 0 {
		return
	}
	p.readOriginal(&part{body: header.Bytes(), closed: true, found: true})
	if o := p.r.Original; o != nil {
		o.HeadersOnly, o.Size = true, 0
		p.from("original", "json:mail.headers")
	}
}
