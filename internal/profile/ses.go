package profile

import (
	"errors"
	"maps"
	"regexp"
	"slices"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

// ses takes the place of Amazon SES, whose notifications come in SNS messages, for
// receivers that do not check Amazon's signature: nobody else can make it. As of the
// documentation and these readers: django-anymail 15.1, Mautic's amazon-sns-callback
// 3.0.2, useSend 68b5a07, Mailtrain 7c6f34e.
type ses struct {
	provider
	topic string
}

// snsMessage is the envelope. Message is JSON as text.
type snsMessage struct {
	Type      string `json:"Type"`
	MessageID string `json:"MessageId"`
	TopicARN  string `json:"TopicArn"`
	Subject   string `json:"Subject"`
	Message   string `json:"Message"`
	Timestamp string `json:"Timestamp"`
}

// sesNotification has the type under both names: of notifications and of published
// events.
type sesNotification struct {
	NotificationType string       `json:"notificationType"`
	EventType        string       `json:"eventType"`
	Complaint        sesComplaint `json:"complaint"`
	Mail             sesMail      `json:"mail"`
}

type sesComplaint struct {
	Recipients   []sesRecipient `json:"complainedRecipients"`
	Timestamp    string         `json:"timestamp"`
	FeedbackID   string         `json:"feedbackId"`
	UserAgent    string         `json:"userAgent,omitempty"`
	FeedbackType string         `json:"complaintFeedbackType,omitempty"`
	ArrivalDate  string         `json:"arrivalDate,omitempty"`
}

type sesRecipient struct {
	EmailAddress string `json:"emailAddress"`
}

type sesMail struct {
	Timestamp   string      `json:"timestamp"`
	MessageID   string      `json:"messageId"`
	Source      string      `json:"source"`
	Destination []string    `json:"destination"`
	Headers     []sesHeader `json:"headers"`
}

type sesHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// noTopic is the topic if the config names none. Few receivers look at it.
const noTopic = "arn:aws:sns:us-east-1:000000000000:fblwatch"

var topicForm = regexp.MustCompile(`^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]{1,256}$`)

func newSES(o Options) (Profile, error) {
	p, err := newProvider(o)
	s := ses{p, noTopic}
	if o.TopicARN != "" {
		s.topic = o.TopicARN
	}
	if err == nil && !topicForm.MatchString(s.topic) {
		err = errors.New("topic_arn is not of the form arn:aws:sns:REGION:ACCOUNT:NAME")
	}
	return s, err
}

// Request writes metadata as headers of the message, where receivers look for their own.
func (p ses) Request(items []delivery.Item) (Request, int, error) {
	item := &items[0]
	r, own, err := p.read(item)
	if err != nil {
		return Request{}, 0, err
	}
	id, at := eventUUID(item), when(item, r).Format(rfc3339Milli)
	n := sesNotification{
		NotificationType: "Complaint", EventType: "Complaint",
		Complaint: sesComplaint{Recipients: []sesRecipient{}, Timestamp: at, FeedbackID: id, UserAgent: r.UserAgent, FeedbackType: r.FeedbackType},
		Mail:      sesMail{Timestamp: at, MessageID: messageID(r), Source: r.OriginalMailFrom, Destination: []string{}, Headers: []sesHeader{}},
	}
	if a := address(r); a != "" {
		n.Complaint.Recipients = append(n.Complaint.Recipients, sesRecipient{a})
		n.Mail.Destination = append(n.Mail.Destination, a)
	}
	if !r.ArrivalDate.IsZero() {
		n.Complaint.ArrivalDate = r.ArrivalDate.UTC().Format(rfc3339Milli)
		n.Mail.Timestamp = n.Complaint.ArrivalDate
	}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		n.Mail.Headers = append(n.Mail.Headers, sesHeader{name, own[name]})
	}
	text, err := marshal(n)
	if err != nil {
		return Request{}, 0, err
	}
	request, count, err := event(snsMessage{
		Type: "Notification", MessageID: id, TopicARN: p.topic, Subject: "Amazon SES Email Event Notification", Message: string(text), Timestamp: at,
	})
	if err != nil {
		return Request{}, 0, err
	}
	// django-anymail compares these with the body, and reads JSON as SNS sends it.
	request.Header.Set("Content-Type", "text/plain; charset=UTF-8")
	request.Header.Set("X-Amz-Sns-Message-Type", "Notification")
	request.Header.Set("X-Amz-Sns-Message-Id", id)
	request.Header.Set("X-Amz-Sns-Topic-Arn", p.topic)
	return request, count, nil
}
