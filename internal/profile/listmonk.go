package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/report"
)

// listmonk is its webhook for bounces, as of v6.2.0 (cmd/bounce.go, models/bounces.go of
// commit 911e0b7, 2026-07-21). The URL is that of listmonk itself.
type listmonk struct{ unsigned }

const listmonkPath = "/webhooks/bounce"

// listmonkBounce has one of Email and SubscriberUUID: listmonk does not look at the
// address if there is a UUID, known or not.
type listmonkBounce struct {
	Email          string `json:"email,omitempty"`
	SubscriberUUID string `json:"subscriber_uuid,omitempty"`
	CampaignUUID   string `json:"campaign_uuid,omitempty"`
	Type           string `json:"type"`
	Source         string `json:"source"`
	CreatedAt      string `json:"created_at"` // without it listmonk notes the year 1
	Meta           origin `json:"meta"`
}

func newListmonk(Options) (Profile, error) { return listmonk{}, nil }

func (listmonk) Takes(item *delivery.Item) (skip string) {
	if skip := actable(item); skip != "" {
		return skip
	}
	if r, err := item.Record(); err == nil && listmonkSubscriber(r) == "" && address(r) == "" {
		return skipAddress
	}
	return ""
}

func (listmonk) Request(items []delivery.Item) (Request, int, error) {
	item := &items[0]
	r, err := item.Record()
	if err != nil {
		return Request{}, 0, err
	}
	b := listmonkBounce{
		SubscriberUUID: listmonkSubscriber(r), Type: "complaint", Source: source, CreatedAt: when(item, r).Format(time.RFC3339Nano),
		Meta: originOf(r),
	}
	if b.SubscriberUUID == "" {
		b.Email = address(r)
	}
	if r.Identity != nil && isUUID(r.Identity.Campaign) { // listmonk answers 200 to any other, and loses the complaint
		b.CampaignUUID = r.Identity.Campaign
	}
	request, n, err := event(b)
	request.Path = listmonkPath
	return request, n, err
}

// listmonkSubscriber is the subscriber's UUID, "" if it is unknown.
func listmonkSubscriber(r *report.Record) string {
	if r.Identity == nil || !isUUID(r.Identity.Subscriber) {
		return ""
	}
	return r.Identity.Subscriber
}

// isUUID takes the form that listmonk takes, and no test message's.
func isUUID(s string) bool {
	u, err := uuid.Parse(s)
	return err == nil && len(s) == 36 && u != uuid.Nil
}

var errNotListmonk = errors.New("the answer is not listmonk's: url must be that of listmonk itself")

// Judge takes 200 for taken, also of a subscriber whom listmonk does not know.
func (listmonk) Judge(a Answer, n int) error {
	hint := ""
	switch {
	case a.Status/100 == 2:
		return listmonkOK(a)
	case a.Status == http.StatusForbidden: // never 401
		hint = "; the API user may lack the permission webhooks:post_bounce"
	case a.Status == http.StatusNotFound:
		hint = "; bounce webhooks may be off in listmonk's settings"
	case a.Status == http.StatusServiceUnavailable:
		hint = "; bounce processing may be off in listmonk's settings"
	}
	if err := Status(a, n); hint == "" {
		return err
	} else {
		return fmt.Errorf("%w%s", err, hint)
	}
}

// listmonkOK wants listmonk's own answer: some other server at the URL may say 200 to
// anything.
func listmonkOK(a Answer) error {
	var answer struct {
		Data bool `json:"data"`
	}
	if json.Unmarshal(a.Body, &answer) != nil || !answer.Data {
		return errNotListmonk
	}
	return nil
}

// Probes asks for its health, and posts a bounce that names nobody: listmonk refuses it
// once the user and the settings are right.
func (l listmonk) Probes() []Probe {
	return []Probe{
		{Request{Method: http.MethodGet, Path: "/health"}, func(a Answer) (string, error) {
			if a.Status != http.StatusOK {
				return "", fmt.Errorf("answered %s", a)
			}
			return "listmonk is up", listmonkOK(a)
		}},
		{
			Request{Path: listmonkPath, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte("{}")},
			func(a Answer) (string, error) {
				switch {
				case a.Status == http.StatusBadRequest && strings.Contains(string(a.Body), `"message"`):
					return "its bounce webhook is on, and takes the user", nil
				case a.Status/100 == 2 || a.Status == http.StatusBadRequest:
					return "", errNotListmonk
				}
				return "", l.Judge(a, 1)
			},
		},
	}
}
