package profile

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/report"
)

// cloudevents writes CloudEvents 1.0 in JSON: in structured mode if it is one, else as a
// batch. The record is the event's data.
type cloudevents struct {
	keeper
	webhook webhook
	source  string
}

// defaultSource is the source of events if the config names none.
const defaultSource = "/fblwatch"

func newCloudevents(o Options) (Profile, error) {
	if o.Source == "" {
		o.Source = defaultSource
	}
	if _, err := url.Parse(o.Source); err != nil {
		return nil, errors.New("source is no URI reference")
	}
	w, err := newWebhook(o)
	return cloudevents{webhook: w, source: o.Source}, err
}

func (c cloudevents) Sign(r *Request, now time.Time) error { return c.webhook.Sign(r, now) }

// cloudEvent has the attributes of CloudEvents 1.0.2 section 3, in the form of its JSON
// format. Data is left out: it is appended as it is.
type cloudEvent struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`     // Item.Key: consumers may drop what has the same source and id
	Source          string    `json:"source"` // of the config
	Type            string    `json:"type"`
	Subject         string    `json:"subject,omitempty"` // Item.ID: equal for all revisions
	Time            time.Time `json:"time,omitzero"`
	DataContentType string    `json:"datacontenttype"`
}

// typeOf is com.fblwatch. and the event, or alarm. The types are a closed set.
func typeOf(item *delivery.Item) string {
	const prefix = "com.fblwatch."
	switch {
	case item.Kind == delivery.KindAlarm:
		return prefix + "alarm"
	case slices.Contains(report.Events, report.Event(item.Event)):
		return prefix + item.Event
	}
	return prefix + "record"
}

func (c cloudevents) Request(items []delivery.Item) (r Request, n int, err error) {
	b, n, err := pack([]byte{'['}, items, func(b []byte, item *delivery.Item) ([]byte, error) {
		head, err := json.Marshal(cloudEvent{SpecVersion: "1.0", ID: item.Key(), Source: c.source, Type: typeOf(item),
			Subject: item.ID, Time: item.At.UTC(), DataContentType: "application/json"})
		if err != nil {
			return b, err
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		return appendMember(b, head, "data", item.JSON), nil
	})
	if err != nil {
		return r, 0, err
	}
	if n == 1 {
		return Request{Header: contentType("application/cloudevents+json"), Body: b[1:]}, 1, nil
	}
	return Request{Header: contentType("application/cloudevents-batch+json"), Body: append(b, ']')}, n, nil
}
