package profile

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

// What listmonk reads (models/bounces.go and cmd/bounce.go of 911e0b7, 2026-07-21).
type readByListmonk struct {
	Type             string           `json:"type"`
	Source           string           `json:"source"`
	Meta             json.RawMessage  `json:"meta"`
	CreatedAt        time.Time        `json:"created_at"`
	Email            string           `json:"email"`
	SubscriberUUID   string           `json:"subscriber_uuid"`
	SubscriberID     int              `json:"subscriber_id"`
	SubscriberStatus string           `json:"subscriber_status"`
	CampaignUUID     string           `json:"campaign_uuid"`
	Campaign         *json.RawMessage `json:"campaign"`
}

// listmonk's reUUID of cmd/handlers.go
var uuidOfListmonk = regexp.MustCompile("^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$")

// TestListmonkNames: it names the subscriber in one way only, and no campaign that is no
// UUID: listmonk loses such a complaint with 200.
func TestListmonkNames(t *testing.T) {
	for _, test := range []struct{ subscriber, campaign, email, uuid, campaignUUID string }{
		{subscriberUUID, campaignUUID, "", subscriberUUID, campaignUUID},
		{strings.ToUpper(subscriberUUID), campaignUUID, "", strings.ToUpper(subscriberUUID), campaignUUID},
		{"17", campaignUUID, "Mary@example.org", "", campaignUUID},
		{"", "spring", "Mary@example.org", "", ""},
		{"urn:uuid:" + subscriberUUID, "{" + campaignUUID + "}", "Mary@example.org", "", ""},
		{strings.ReplaceAll(subscriberUUID, "-", ""), "", "Mary@example.org", "", ""},
		{"00000000-0000-0000-0000-000000000000", "", "Mary@example.org", "", ""},
	} {
		r := aComplaint()
		r.Identity.Subscriber, r.Identity.Campaign = test.subscriber, test.campaign
		got := mustRequest(t, mustNew(t, Options{Profile: "listmonk"}), r)
		var b readByListmonk
		d := json.NewDecoder(strings.NewReader(string(got.Body)))
		d.DisallowUnknownFields()
		if err := d.Decode(&b); err != nil {
			t.Fatal(err)
		}
		if b.Email != test.email || b.SubscriberUUID != test.uuid || b.CampaignUUID != test.campaignUUID || b.Type != "complaint" {
			t.Errorf("%+v: %s", test, got.Body)
		}
		if b.SubscriberUUID != "" && !uuidOfListmonk.MatchString(b.SubscriberUUID) {
			t.Errorf("listmonk refuses %s", b.SubscriberUUID)
		}
		if !b.CreatedAt.Equal(r.ReportedAt) || got.Path != "/webhooks/bounce" {
			t.Errorf("%v, %s", b.CreatedAt, got.Path)
		}
	}
}

// TestListmonkJudge: what its handler and its settings answer.
func TestListmonkJudge(t *testing.T) {
	p := mustNew(t, Options{Profile: "listmonk"})
	for _, test := range []struct {
		status     int
		body, want string // "", refused, or a word of the error
	}{
		{200, `{"data":true}`, ""},
		{200, `<html>welcome`, "not listmonk's"},
		{200, `{"data":false}`, "not listmonk's"},
		{400, `{"message":"Invalid fields: email"}`, "refused"},
		{403, `{"message":"invalid API credentials"}`, "webhooks:post_bounce"},
		{404, "", "bounce webhooks"},
		{503, `{"message":"internal error"}`, "bounce processing"},
		{502, "", "502"},
	} {
		err := p.Judge(Answer{Status: test.status, Body: []byte(test.body)}, 1)
		refused := delivery.Refusals{}
		switch {
		case test.want == "" && err == nil:
		case test.want == "refused" && errors.As(err, &refused):
		case test.want != "" && test.want != "refused" && err != nil && !errors.As(err, &refused) && strings.Contains(err.Error(), test.want):
		default:
			t.Errorf("%d %s: %v", test.status, test.body, err)
		}
	}
}

// TestListmonkProbes: an empty bounce is refused by a listmonk that is ready.
func TestListmonkProbes(t *testing.T) {
	probes := mustNew(t, Options{Profile: "listmonk"}).(Prober).Probes()
	if len(probes) != 2 || probes[0].Request.Path != "/health" || probes[1].Request.Path != "/webhooks/bounce" || string(probes[1].Request.Body) != "{}" {
		t.Fatalf("%+v", probes)
	}
	for _, test := range []struct {
		probe, status int
		body          string
		well          bool
	}{
		{0, 200, `{"data":true}`, true},
		{0, 200, `ok`, false},
		{0, 502, ``, false},
		{1, 400, `{"message":"Invalid fields: email / subscriber_uuid"}`, true},
		{1, 400, `Bad Request`, false}, // a proxy's
		{1, 200, `{"data":true}`, false},
		{1, 403, `{"message":"invalid API credentials"}`, false},
		{1, 404, ``, false},
		{1, 503, `{"message":"x"}`, false},
	} {
		said, err := probes[test.probe].Judge(Answer{Status: test.status, Body: []byte(test.body)})
		if well := err == nil; well != test.well || well && said == "" {
			t.Errorf("%d %d %s: %q, %v", test.probe, test.status, test.body, said, err)
		}
	}
}
