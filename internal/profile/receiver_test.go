package profile

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

const (
	subscriberUUID = "d5f6d1b0-6f0e-4c6e-8a29-0a6f0f6a1b2c"
	campaignUUID   = "7b3f0d9e-2d6a-4a43-9c1b-5e8f7a6b5c4d"
)

// aComplaint is a record that may act.
func aComplaint() *report.Record {
	return &report.Record{
		Schema: 1, ID: "0123456789abcdef0123456789abcdef.1", Revision: 2, ReportID: "0123456789abcdef0123456789abcdef",
		Event: report.Complaint, Class: report.ClassFBL, Provider: "yahoo", Feed: "cfl", Dialect: "arf",
		ReceivedAt: time.Date(2026, 11, 30, 12, 0, 5, 0, time.UTC), ReportedAt: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC),
		FeedbackType: "abuse", UserAgent: "Yahoo!-Mail-Feedback/2.0", Version: "0.1", ArrivalDate: time.Date(2026, 11, 29, 8, 30, 0, 0, time.UTC),
		SourceIP: "192.0.2.7", OriginalMailFrom: "bounce-17@lists.example.com", OriginalRcptTo: "Mary@example.org", OriginalEnvelopeID: "env-1",
		ReportingMTA: &report.MTA{Type: "dns", Name: "mx.example.org"}, Complainant: report.Named, Recipients: 1, Incidents: 3,
		AuthenticationResults: []string{"mx.example.org; dkim=pass"}, ReportedDomain: []string{"lists.example.com"}, ReportedURI: []string{"https://example.com/a"},
		Extensions: map[string][]string{"X-Loop": {"one", "two"}, "_lines": {"no field"}},
		Original: &report.Original{
			MessageID: "m17@lists.example.com", From: "news@lists.example.com", FromDomain: "lists.example.com", Subject: "Our <news> & \"more\"",
		},
		Identity: &report.Identity{Status: report.Identified, Subscriber: subscriberUUID, Campaign: campaignUUID, Tenant: "acme", MessageID: "pm-0815"},
		Reporter: &report.Reporter{From: "feedback@arf.example.org", Auth: report.AuthPass, Trusted: true},
		Suppress: &report.Suppress{Verdict: report.SuppressYes},
		Mailbox:  &report.Mailbox{Account: "fbl@example.com", Folder: "INBOX", UID: 9, Size: 4321},
		Parse:    report.ParseStatus{Status: report.ParseOK},
	}
}

// itemOf is a record as a sink gets it.
func itemOf(r *report.Record) delivery.Item {
	row := ledger.Row{Seq: 1}
	row.ID, row.Revision, row.JSON, row.At = r.ID, r.Revision, r.AppendJSON(nil), r.ReceivedAt
	row.Event, row.Class, row.Provider, row.Feed = string(r.Event), string(r.Class), r.Provider, r.Feed
	if r.Suppress != nil {
		row.Verdict = string(r.Suppress.Verdict)
	}
	return delivery.Items([]ledger.Row{row})[0]
}

func mustNew(t *testing.T, o Options) Profile {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustRequest(t *testing.T, p Profile, r *report.Record) Request {
	t.Helper()
	item := itemOf(r)
	if skip := p.Takes(&item); skip != "" {
		t.Fatalf("skipped: %s", skip)
	}
	request, n, err := p.Request([]delivery.Item{item, item})
	if err != nil || n != 1 {
		t.Fatalf("a request for %d items, %v", n, err)
	}
	return request
}

func key(text string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(text), nil }
}

// receivers are options of every profile of this part, by a name for the test. Their
// bodies are in testdata, written by hand after the receivers' documentation.
var receivers = map[string]Options{
	"listmonk":  {Profile: "listmonk"},
	"postmark":  {Profile: "postmark", Metadata: map[string]string{"workspaceId": "identity.tenant", "X-Listmonk-Campaign": "campaign"}},
	"mailgun":   {Profile: "mailgun", SigningKey: "k", Secret: key("k"), Metadata: map[string]string{"campaign_id": "campaign"}},
	"sendgrid":  {Profile: "sendgrid", Metadata: map[string]string{"civimail_source": "original_mail_from"}},
	"sparkpost": {Profile: "sparkpost", Metadata: map[string]string{"X-CiviMail-Bounce": "original_mail_from"}},
	"ses":       {Profile: "ses", TopicARN: "arn:aws:sns:eu-west-1:123456789012:ses", Metadata: map[string]string{"X-Usesend-Email-ID": "identity.message_id"}},
	"kumomta":   {Profile: "kumomta"},
	"request": {Profile: "request", Own: &OwnRequest{
		Method: "PATCH", Path: "/api/v1/contacts/{original_rcpt_to}?id_type=email",
		Body: `{"data":{"status":"unsubscribed","note":"{{.provider}} {{.original.subject}}","to":{{json .original_rcpt_to}}}}`,
	}},
}

// TestBodies: each body is what its receiver's documentation shows, with the record's
// values. An id that only has to be unique and stable is "ID" in testdata.
func TestBodies(t *testing.T) {
	for name, o := range receivers {
		t.Run(name, func(t *testing.T) {
			r := mustRequest(t, mustNew(t, o), aComplaint())
			var got, want any
			text := string(r.Body)
			item := itemOf(aComplaint())
			text = strings.ReplaceAll(text, eventUUID(&item), "ID")
			text = strings.ReplaceAll(text, strings.ReplaceAll(eventUUID(&item), "-", ""), "ID")
			text = strings.ReplaceAll(text, kumoNode.String(), "NODE")
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			if err := json.Unmarshal([]byte(fixture.Read(t, "testdata/"+name+".json")), &want); err != nil {
				t.Fatal(err)
			}
			number(got, eventNumber(&item))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if media := r.Header.Get("Content-Type"); name != "ses" && media != "application/json" {
				t.Errorf("Content-Type %q", media)
			}
			if again := mustRequest(t, mustNew(t, o), aComplaint()); !cmp.Equal(r, again) {
				t.Error("another request at the second time: " + cmp.Diff(r, again))
			}
		})
	}
}

// number replaces the numbers that only have to be unique and stable.
func number(v any, n int64) {
	switch v := v.(type) {
	case []any:
		for _, each := range v {
			number(each, n)
		}
	case map[string]any:
		for key, value := range v {
			if value == float64(n) {
				v[key] = float64(4711)
			} else if text, ok := value.(string); ok && text == json.Number(jsonInt(n)).String() {
				v[key] = "4711"
			}
			number(value, n)
		}
	}
}

func jsonInt(n int64) string { b, _ := json.Marshal(n); return string(b) }

// An id stays at each attempt, and is another one after a replay and for another record.
// 53 bits are what JavaScript keeps.
func TestEventIDs(t *testing.T) {
	item, again := itemOf(aComplaint()), itemOf(aComplaint())
	again.Replay = 1
	if eventUUID(&item) == eventUUID(&again) || eventNumber(&item) == eventNumber(&again) {
		t.Error("a replay has the same ids")
	}
	if n := eventNumber(&item); n < 1 || n > 1<<53 {
		t.Errorf("number %d", n)
	}
}

// TestTakes: what is no complaint of a loop, what must not act, and what names nobody
// goes nowhere.
func TestTakes(t *testing.T) {
	set := func(f func(r *report.Record)) *report.Record { r := aComplaint(); f(r); return r }
	noID := func(r *report.Record) { r.Identity, r.Original = nil, nil }
	nobody := func(r *report.Record) { r.OriginalRcptTo, r.Complainant = "", report.Token }
	for _, test := range []struct {
		name   string
		record *report.Record
		want   map[string]string // by profile; "*": all others
	}{
		{"complaint", aComplaint(), map[string]string{"*": ""}},
		{"cfbl", set(func(r *report.Record) { r.Class = report.ClassCFBL }), map[string]string{"*": ""}},
		{"not spam", set(func(r *report.Record) { r.Event = report.NotSpam }), map[string]string{"*": "no complaint"}},
		{"opt out", set(func(r *report.Record) { r.Event = report.OptOut }), map[string]string{"*": "no complaint"}},
		{"trap", set(func(r *report.Record) { r.Class = report.ClassTrap }), map[string]string{"*": "not from a feedback loop"}},
		{"review", set(func(r *report.Record) { r.Suppress.Verdict = report.SuppressReview }), map[string]string{"*": "the verdict is not yes", "kumomta": ""}},
		{"no verdict", set(func(r *report.Record) { r.Suppress = nil }), map[string]string{"*": "the verdict is not yes", "kumomta": ""}},
		{"token", set(nobody), map[string]string{
			"*": "no address in the report", "listmonk": "", "kumomta": "", "request": "the record lacks original_rcpt_to"}},
		{"candidate", set(func(r *report.Record) { r.Complainant = report.Candidate; r.Identity.Subscriber = "" }), map[string]string{
			"*": "no address in the report", "kumomta": "", "request": "the record lacks original_rcpt_to"}},
		{"masked", set(func(r *report.Record) { r.OriginalRcptTo = "m***y@example.org"; r.Identity.Subscriber = "17" }), map[string]string{
			"*": "no address in the report", "kumomta": "", "request": "the record lacks original_rcpt_to"}},
		{"hashed", set(func(r *report.Record) {
			r.Complainant, r.OriginalRcptTo, r.RcptHash, r.Identity = report.Hashed, "", "abc@example.org", nil
		}), map[string]string{"*": "no address in the report", "kumomta": "", "request": "the record lacks original_rcpt_to"}},
		{"no ids", set(noID), map[string]string{
			"postmark": "the record lacks campaign", "mailgun": "the record lacks campaign", "sendgrid": "", "sparkpost": "",
			"ses": "the record lacks identity.message_id", "listmonk": "", "kumomta": "", "request": "the record lacks .original.subject"}},
	} {
		for name, o := range receivers {
			want, own := test.want[name]
			if !own {
				want = test.want["*"]
			}
			item := itemOf(test.record)
			if got := mustNew(t, o).Takes(&item); got != want {
				t.Errorf("%s, %s: %q, want %q", test.name, name, got, want)
			}
		}
	}
	for name, o := range receivers {
		alarm := itemOf(aComplaint())
		alarm.Kind = delivery.KindAlarm
		if got := mustNew(t, o).Takes(&alarm); got != "an alarm" {
			t.Errorf("%s takes an alarm: %q", name, got)
		}
		if acts := Acts(o.Profile); acts != (name != "kumomta") {
			t.Errorf("Acts(%s) is %v", name, acts)
		}
	}
}

// A receiver that finds complaints by its own id needs no address, and gets none that is
// in doubt.
func TestByMessage(t *testing.T) {
	candidate := aComplaint()
	candidate.Complainant, candidate.Suppress.Verdict = report.Candidate, report.SuppressYes
	neither := aComplaint()
	neither.Identity, neither.Original = nil, nil
	for name, o := range receivers {
		if name == "listmonk" || name == "kumomta" || name == "request" {
			continue
		}
		o.By, o.Metadata = "message", nil
		p := mustNew(t, o)
		if r := mustRequest(t, p, candidate); strings.Contains(string(r.Body), "ary@example.org") {
			t.Errorf("%s: it names one of several: %s", name, r.Body)
		} else if !strings.Contains(string(r.Body), "pm-0815") {
			t.Errorf("%s: no id: %s", name, r.Body)
		}
		item := itemOf(neither)
		if got := p.Takes(&item); got != "no id of the message in the report" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestWrongOptions: an error says which key is wrong, and holds no value.
func TestWrongOptions(t *testing.T) {
	const c = "c4n4ry"
	own := func(o OwnRequest) Options { return Options{Profile: "request", Own: &o} }
	for _, test := range []struct {
		o    Options
		want string
	}{
		{Options{Profile: c}, "profile is none of "},
		{Options{Profile: "listmonk", By: c}, "by is no key of the profile listmonk"},
		{Options{Profile: "listmonk", SigningKey: c}, "signing_key is no key"},
		{Options{Profile: "postmark", Own: &OwnRequest{}}, "request is no key"},
		{Options{Profile: "postmark", By: c}, "by is none of address, message"},
		{Options{Profile: "postmark", Metadata: map[string]string{"a": c}}, "metadata.a is no key of a record"},
		{Options{Profile: "postmark", Metadata: map[string]string{"a": "extensions"}}, "metadata.a is no key of a record"},
		{Options{Profile: "sendgrid", Metadata: map[string]string{"Email": "event"}}, "metadata.Email is the name of a value"},
		{Options{Profile: "mailgun"}, "signing_key_file is missing"},
		{Options{Profile: "mailgun", SigningKey: c, SigningKeyFile: c}, "signing_key_file is given beside signing_key"},
		{Options{Profile: "sendgrid", SigningKey: c}, "signing_key: the signing key is no private key"},
		{Options{Profile: "ses", TopicARN: c}, "topic_arn is not of the form"},
		{Options{Profile: "kumomta", Headers: map[string]imapclient.Secret{"X-A": c + "\r\nX-B: b"}}, "headers holds what is no header field"},
		{Options{Profile: "request"}, "request is missing"},
		{own(OwnRequest{Method: "get " + c}), "request.method is no method"},
		{own(OwnRequest{Accept: []int{404, 403}}), "request.accept[1] is no status"},
		{own(OwnRequest{Accept: []int{503}}), "request.accept[0] is no status"},
		{own(OwnRequest{Path: "/{" + c}), "request.path holds a brace"},
		{own(OwnRequest{Path: "/a}" + c}), "request.path holds a brace"},
		{own(OwnRequest{Path: "/{" + c + "}"}), "request.path names a key that no record has"},
		{own(OwnRequest{Path: "/{original}"}), "request.path names a key that no record has"},
		{own(OwnRequest{Path: "//" + c}), "request.path is no path"},
		{own(OwnRequest{Path: "https://" + c}), "request.path begins with neither"},
		{own(OwnRequest{Path: "/a/../" + c}), "request.path has a segment of dots"},
		{own(OwnRequest{Path: "/a b"}), "request.path holds a blank"},
		{own(OwnRequest{Path: "/%zz" + c}), "request.path is no path"},
		{own(OwnRequest{Body: "{}", ContentType: "text/plain; " + c}), "request.content_type is neither"},
		{own(OwnRequest{Body: "{\n{{" + c + "}}}"}), "request.body is no text/template, line 2"},
		{own(OwnRequest{Body: "{\n\"a\": \"{{." + c + "}}\"}"}), "request.body asks for a key that no record has, line 2"},
		{own(OwnRequest{Body: `{"a": "{{.` + c + `.b}}"}`}), "request.body asks for a key that no record has, line 1"},
		{own(OwnRequest{Body: `{"a": "{{.original}}"}`}), "request.body prints a list or an object; use json, or range, line 1"},
		{own(OwnRequest{Body: `{"a": {{.provider}}}`}), "request.body is not valid JSON once"},
		{own(OwnRequest{Body: `{"a": {{index .extensions "a" 0}}}`}), "request.body cannot be filled in, line 1"},
		{own(OwnRequest{Body: `{"a": "{{json .provider}}"}`}), "request.body is not valid JSON"},
		{own(OwnRequest{Body: `{"a": "` + c + "\xff" + `"}`}), "request.body is not UTF-8"},
	} {
		_, err := New(test.o)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %s", test.o, err, test.want)
		} else if strings.Contains(err.Error(), c) {
			t.Errorf("the error holds a value: %v", err)
		}
	}
}
