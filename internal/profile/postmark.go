package profile

import (
	"github.com/fblwatch/fblwatch/internal/delivery"
)

// postmark takes the place of Postmark's spam complaint webhook, as of its documentation
// and these readers: listmonk 911e0b7 (2026-07-21), django-anymail 15.1, Symfony's bridge
// 154f92a and 1c88409, Dittofeed 52b2bee, Discourse 2026.5, Notifuse d8f31f8.
type postmark struct{ provider }

// postmarkComplaint has every value that one of the readers insists on: Symfony refuses
// a body without MessageID, listmonk goes by Type and the others by RecordType, Notifuse
// reads ComplainedAt. Three digits of a fraction are what all readers of times take.
type postmarkComplaint struct {
	RecordType    string            `json:"RecordType"`
	MessageStream string            `json:"MessageStream"`
	ID            int64             `json:"ID"`
	Type          string            `json:"Type"`
	TypeCode      int               `json:"TypeCode"`
	Name          string            `json:"Name"`
	Tag           string            `json:"Tag"`
	MessageID     string            `json:"MessageID"`
	Metadata      map[string]string `json:"Metadata"`
	ServerID      int               `json:"ServerID"`
	Description   string            `json:"Description"`
	Details       string            `json:"Details"`
	Email         string            `json:"Email,omitempty"`
	From          string            `json:"From"`
	BouncedAt     string            `json:"BouncedAt"`
	ComplainedAt  string            `json:"ComplainedAt"`
	DumpAvailable bool              `json:"DumpAvailable"`
	Inactive      bool              `json:"Inactive"`
	CanActivate   bool              `json:"CanActivate"`
	Subject       string            `json:"Subject"`
}

func newPostmark(o Options) (Profile, error) {
	p, err := newProvider(o)
	return postmark{p}, err
}

func (p postmark) Request(items []delivery.Item) (Request, int, error) {
	item := &items[0]
	r, own, err := p.read(item)
	if err != nil {
		return Request{}, 0, err
	}
	c := postmarkComplaint{
		RecordType: "SpamComplaint", Type: "SpamComplaint", TypeCode: 512, Name: "Spam complaint",
		Description: "The subscriber explicitly marked this message as spam.", Details: source + " " + r.ID,
		MessageStream: "outbound", ID: eventNumber(item), MessageID: messageID(r), Metadata: own,
		Email: address(r), BouncedAt: when(item, r).Format(rfc3339Milli), Inactive: true,
	}
	c.ComplainedAt = c.BouncedAt
	if r.Identity != nil {
		c.Tag = r.Identity.Campaign
	}
	if r.Original != nil {
		c.From, c.Subject = r.Original.From, r.Original.Subject
	}
	return event(c)
}
