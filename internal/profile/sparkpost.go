package profile

import (
	"strconv"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

// sparkpost takes the place of SparkPost's webhook, as of its documentation and these
// readers: Mautic's mc-cs-plugin-sparkpost b520d47, django-anymail 15.1, CiviCRM
// SparkPost d6e2fc7.
type sparkpost struct{ provider }

type sparkpostBody struct {
	Msys sparkpostEvents `json:"msys"` // exactly one kind of event
}

type sparkpostEvents struct {
	Message sparkpostEvent `json:"message_event"`
}

// sparkpostEvent has no rcpt_type, and no campaign_id: receivers compare them. Mautic
// reads rcpt_to, django-anymail raw_rcpt_to.
type sparkpostEvent struct {
	Type           string            `json:"type"`
	EventID        string            `json:"event_id"`
	Timestamp      string            `json:"timestamp"`
	RcptTo         string            `json:"rcpt_to,omitempty"`
	RawRcptTo      string            `json:"raw_rcpt_to,omitempty"`
	FBType         string            `json:"fbtype"`
	Reason         string            `json:"reason"`
	ReportBy       string            `json:"report_by"`
	TransmissionID string            `json:"transmission_id,omitempty"`
	MessageID      string            `json:"message_id,omitempty"`
	RcptMeta       map[string]string `json:"rcpt_meta"`
}

func newSparkpost(o Options) (Profile, error) {
	p, err := newProvider(o)
	return sparkpost{p}, err
}

func (p sparkpost) Request(items []delivery.Item) (Request, int, error) {
	item := &items[0]
	r, own, err := p.read(item)
	if err != nil {
		return Request{}, 0, err
	}
	e := sparkpostEvent{
		Type: "spam_complaint", EventID: strconv.FormatInt(eventNumber(item), 10), Timestamp: strconv.FormatInt(when(item, r).Unix(), 10),
		RcptTo: address(r), FBType: r.FeedbackType, Reason: "spam complaint: " + r.FeedbackType, ReportBy: r.Provider,
		TransmissionID: messageID(r), MessageID: messageID(r), RcptMeta: own,
	}
	e.RawRcptTo = e.RcptTo
	return event([]sparkpostBody{{sparkpostEvents{e}}})
}
