package report

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/jsontree"
	"github.com/fblwatch/fblwatch/internal/message"
)

// Amazon SES reports through SNS: a message whose body is a JSON object, to which
// SNS adds a footer; or, by its "email-json" way, an object of SNS's own that
// holds it as a text. EventBridge puts it under "detail", queues under "body".

func isSES(m *message.Message) bool { return len(sesParts(m)) > 0 }

// sesParts are the parts that hold events: the first text, and those of complaints
// after it, as JSON is attached.
func sesParts(m *message.Message) (found []*message.Part) {
	first := true
	parts := m.Parts()
	for i := range parts {
		q := &parts[i]
		if !message.IsPlain(message.MediaType(q.ContentType)) && !bytes.HasSuffix(bytes.ToLower(m.Name(i)), []byte(".json")) {
			continue
		}
		start := *q
		start.Body = q.Body[:min(len(q.Body), idBody)]
		text := start.Text()
		if at := jsontree.ObjectAt(text); at >= 0 {
			if text = bytes.ToLower(text[at:]); isSESEvent(text) && (first || bytes.Contains(text, []byte("complaint"))) {
				if found = append(found, q); len(found) == maxBatched {
					break
				}
			}
		}
		first = false
	}
	return found
}

func isSESEvent(lower []byte) bool {
	for _, name := range []string{`"notificationtype"`, `"eventtype"`, `"topicarn"`, `"detail-type"`, `\"notificationtype\"`, `\"eventtype\"`} {
		if bytes.Contains(lower, []byte(name)) {
			return true
		}
	}
	return false
}

// readSES reads the events of the letter: each complaint makes a report.
func (p *parser) readSES(m *message.Message) Kind {
	var events []sesEvent
	whole := true
	for _, q := range sesParts(m) {
		p.uses.of(q.Body, UseText)
		text := q.Text()
		text = text[jsontree.ObjectAt(text):]
		p.budget.Spend(4 * min(len(text), message.MaxDecoded))
		trees, ended := jsontree.ReadAll(text, maxBatched)
		for _, t := range trees {
			ended = openSES(t, sesEvent{}, &events) && ended
		}
		whole = whole && ended
	}
	events = distinct(events)
	kind := KindUnparsed
	for i, event := range events {
		q := p
		if i > 0 {
			q = p.another()
			q.r.Dialect = p.r.Dialect
		}
		switch got := q.readSESEvent(event, whole || i < len(events)-1); {
		case i == 0:
			kind = got
		case got == KindUnparsed:
			p.loss(notAllObjects)
		case got != KindReport:
		case kind == KindReport:
			q.r.Kind = got
			q.derive()
			p.follow(q)
		default:
			unread := kind == KindUnparsed
			if p.become(q); unread {
				p.loss(notAllObjects)
			}
			kind = got
		}
	}
	if len(events) == 0 {
		p.loss("json: cannot be read")
	}
	if !whole {
		p.cutShort("json: not whole")
	}
	return kind
}

// readSESEvent reads one event; whole: nothing of it is cut off.
func (p *parser) readSESEvent(event sesEvent, whole bool) Kind {
	t, named := event.tree, ""
	for _, envelope := range event.around {
		if named == "" {
			named = textAt(envelope, "detail-type")
		}
		p.extendTree(envelope)
	}
	kind := t.One("notificationtype") + t.One("eventtype")
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
	r.Class, r.Event = ClassFBL, Complaint
	p.fill(&r.FeedbackType, "feedback_type", t.One("complaint.complaintfeedbacktype"), "json:complaint.complaintFeedbackType")
	p.fill(&r.UserAgent, "user_agent", t.One("complaint.useragent"), "json:complaint.userAgent")
	p.fillDate(t.One("complaint.arrivaldate"), "json:complaint.arrivalDate")
	for _, rcpt := range t.Take("complaint.complainedrecipients.emailaddress") {
		if !p.fillRecipients(rcpt, "json:complaint.complainedRecipients") {
			p.extend("complaint.complainedrecipients.emailaddress", rcpt)
		}
	}
	sender := t.One("mail.source")
	if source, rest := message.Address(sender); message.IsAddress(source) {
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
		p.loss("feedback-type: missing") // after the cut it may be not-spam
		return KindUnparsed
	}
	return KindReport
}

// maxEnvelopes is how many objects around an event are opened.
const maxEnvelopes = 4

// sesEvent is an event, and what was around it.
type sesEvent struct {
	tree   jsontree.Tree
	around []jsontree.Tree
}

// distinct leaves out events that are equal to an earlier one, as where the text is
// attached too.
func distinct(events []sesEvent) []sesEvent {
	seen := make(map[string]bool, len(events))
	return slices.DeleteFunc(events, func(event sesEvent) bool {
		key, err := json.Marshal(event.tree)
		again := err == nil && seen[string(key)]
		seen[string(key)] = true
		return again
	})
}

// openSES adds the events in t, which may be an envelope, to all. whole: none of
// them is missing.
func openSES(t jsontree.Tree, outer sesEvent, all *[]sesEvent) (whole bool) {
	if len(*all) == maxBatched {
		return false
	}
	inner, whole := []jsontree.Tree(nil), true
	if len(outer.around) < maxEnvelopes {
		inner, whole = sesWithin(t)
	}
	if len(inner) == 0 {
		*all = append(*all, sesEvent{t, outer.around})
		return whole
	}
	outer.around = append(slices.Clip(outer.around), t)
	for _, t := range inner {
		whole = openSES(t, outer, all) && whole
	}
	return whole
}

// sesWithin takes out of an envelope the objects that it is around, as such or as
// texts; none: t is no envelope. whole: none of them is cut.
func sesWithin(t jsontree.Tree) (inner []jsontree.Tree, whole bool) {
	if t["notificationtype"] != nil || t["eventtype"] != nil && t["complaint"] != nil {
		return nil, true
	}
	for _, name := range [...]string{"message", "detail", "body", "sns", "records", "messages"} {
		list, ok := t[name].([]any)
		if !ok {
			list = []any{t[name]}
		}
		var others []any
		whole = true
		for _, v := range list {
			object, _ := v.(jsontree.Tree)
			if text, _ := v.(string); strings.HasPrefix(strings.TrimSpace(text), "{") {
				var ok bool
				object, ok = jsontree.Read([]byte(text))
				whole = whole && ok
			}
			if object != nil {
				inner = append(inner, object)
			} else {
				others = append(others, v)
			}
		}
		if len(inner) == 0 {
			continue
		}
		if delete(t, name); len(others) > 0 {
			t[name] = others
		}
		return inner, whole
	}
	return nil, true
}

// sesOriginal reads the header of the reported message, which SES lists field by
// field where the sender wants it; else the few fields that it always gives.
func (p *parser) sesOriginal(t jsontree.Tree) {
	var header bytes.Buffer
	line := func(name, value string) {
		if value != "" && message.IsFieldName([]byte(name)) {
			header.WriteString(name + ": " + strings.Join(strings.Fields(value), " ") + "\n")
		}
	}
	for _, field := range t.Trees("mail.headers") {
		line(field.One("name"), field.One("value"))
	}
	if header.Len() == 0 {
		for _, name := range []string{"Return-Path", "From", "To", "Subject", "Date"} {
			if values := t.Take("mail.commonheaders." + strings.ToLower(strings.ReplaceAll(name, "-", ""))); len(values) > 0 {
				line(name, strings.Join(values, ", "))
			}
		}
		line("Message-ID", t.One("mail.commonheaders.messageid"))
	} else {
		for _, message := range t.Trees("mail") {
			delete(message, "commonheaders") // the same, again
		}
	}
	if header.Len() == 0 {
		return
	}
	p.readOriginal(&message.Part{Body: header.Bytes(), Closed: true, Found: true, Budget: p.budget})
	if o := p.r.Original; o != nil {
		o.HeadersOnly, o.Size = true, 0
		p.from("original", "json:mail.headers")
	}
}
