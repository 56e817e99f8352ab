package report

import (
	"bytes"
	"strings"
)

// Amazon SES reports through SNS: a mail whose body is a JSON object, to which
// SNS adds a footer; or, by its "email-json" way, an object of SNS's own that
// holds it as a text. EventBridge puts it under "detail", queues under "body".

func isSES(m *letter) bool {
	start := m.start()
	at := objectAt(start)
	if at < 0 {
		return false
	}
	start = bytes.ToLower(start[at:])
	for _, name := range []string{`"notificationtype"`, `"eventtype"`, `"topicarn"`, `"detail-type"`, `\"notificationtype\"`, `\"eventtype\"`} {
		if bytes.Contains(start, []byte(name)) {
			return true
		}
	}
	return false
}

// objectAt is where an object begins, also the first of an array, at the start of b
// or of a line; -1: there is none.
func objectAt(b []byte) int {
	start := bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n")
	for len(start) > 0 {
		inner := start
		if start[0] == '[' {
			inner = bytes.TrimLeft(start[1:], " \t\r\n")
		}
		if len(inner) > 0 && inner[0] == '{' {
			return len(b) - len(inner)
		}
		i := 0
		for i == 0 || i < len(start) && start[i] != '{' && start[i] != '[' {
			next := bytes.IndexByte(start[i:], '\n')
			if next < 0 {
				return -1
			}
			i += next + 1
		}
		start = start[i:]
	}
	return -1
}

func (p *parser) readSES(m *letter) Kind {
	text, _ := m.text()
	text = text[objectAt(text):]
	p.budget.spend(4 * min(len(text), maxDecoded))
	t, whole := readJSON(text)
	named := ""
	for range maxEnvelopes {
		inner, closed := sesWithin(t)
		if inner == nil {
			break
		}
		if detail := textAt(t, "detail-type"); named == "" {
			named = detail
		}
		p.extendTree(t)
		t, whole = inner, whole && closed
	}
	if !whole {
		p.cutShort("json: not whole")
	}
	kind := t.one("notificationtype") + t.one("eventtype")
	if kind == "" { // "Email Complaint Received"
		for word := range strings.FieldsSeq(named) {
			if strings.EqualFold(word, "complaint") || strings.EqualFold(word, "bounce") || strings.EqualFold(word, "bounced") {
				kind = strings.TrimSuffix(strings.ToLower(word), "d")
			}
		}
	}
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

// maxEnvelopes is how many objects around an event are opened.
const maxEnvelopes = 4

// sesWithin takes out of an envelope the object that it is around, as such or as a
// text; nil: t is no envelope. whole: none of it is missing.
func sesWithin(t tree) (inner tree, whole bool) {
	if t["notificationtype"] != nil || t["eventtype"] != nil && t["complaint"] != nil {
		return nil, true
	}
	for _, name := range [...]string{"message", "detail", "body", "sns", "records", "messages"} {
		v := t[name]
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
		}
		switch v := v.(type) {
		case tree:
			inner, whole = v, true
		case string:
			if strings.HasPrefix(strings.TrimSpace(v), "{") {
				inner, whole = readJSON([]byte(v))
			}
		}
		if inner == nil {
			continue
		}
		if list, ok := t[name].([]any); ok && len(list) > 1 {
			t[name], whole = list[1:], false // one event is read
		} else {
			delete(t, name)
		}
		return inner, whole
	}
	return nil, true
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
	p.readOriginal(&part{body: header.Bytes(), closed: true, found: true, budget: p.budget})
	if o := p.r.Original; o != nil {
		o.HeadersOnly, o.Size = true, 0
		p.from("original", "json:mail.headers")
	}
}
