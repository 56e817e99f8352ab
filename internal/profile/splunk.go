package profile

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

// splunk writes events of Splunk's HTTP Event Collector, several a body.
type splunk struct {
	keeper
	envelope []byte // the members that every event has
}

func newSplunk(o Options) (Profile, error) {
	if o.Source == "" {
		o.Source = "fblwatch"
	}
	if o.SourceType == "" {
		o.SourceType = "fblwatch:record"
	}
	envelope, err := json.Marshal(struct {
		Source     string `json:"source"`
		SourceType string `json:"sourcetype"`
		Index      string `json:"index,omitempty"`
	}{o.Source, o.SourceType, o.Index})
	return splunk{envelope: envelope}, err
}

func (s splunk) Request(items []delivery.Item) (r Request, n int, err error) {
	head := slices.Clone(s.envelope)
	b, n, err := pack(nil, items, func(b []byte, item *delivery.Item) ([]byte, error) {
		head := head[:len(s.envelope)-1]
		if !item.At.IsZero() {
			head = millis(append(head, `,"time":`...), item.At)
		}
		b = appendMember(b, append(head, '}'), "event", item.JSON)
		return append(b, '\n'), nil
	})
	return Request{Path: "/services/collector/event", Header: contentType("application/json"), Body: b}, n, err
}

// hecUnfit are the codes of the status 400 that are about an event: no data, invalid data
// format, event field is required, event field cannot be blank, error in handling indexed
// fields. The others are about the token, the index or the channel.
var hecUnfit = []int{5, 6, 12, 13, 15}

// Judge goes by the code. The answer also numbers the event where Splunk stopped, but
// examples of it count from 0 and from 1, and no source promises that what stands before
// it is indexed. So all of them are refused together, and sent again in parts.
func (splunk) Judge(a Answer, n int) error {
	var answer struct {
		Code *int `json:"code"`
	}
	_ = json.Unmarshal(a.Body, &answer) // what is no answer of Splunk's has no code
	switch {
	case a.Status == http.StatusRequestEntityTooLarge:
		return Status(a, n)
	case answer.Code == nil:
		return fmt.Errorf("answered without a code of Splunk's: %s", a)
	case a.Status/100 == 2 && *answer.Code == 0:
		return nil
	case a.Status == http.StatusBadRequest && slices.Contains(hecUnfit, *answer.Code):
		return delivery.Refusals{{First: 0, N: n, Reason: a.String()}}
	}
	return fmt.Errorf("answered %s", a)
}
